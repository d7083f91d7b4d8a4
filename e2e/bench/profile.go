package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/go-json-experiment/json"
	"golang.org/x/sync/errgroup"

	"github.com/switchyard/switchyard/e2e/gateway"
)

// buildProfiled builds a gateway that serves net/http/pprof. The product has no
// such hook; the go command's overlay adds it to this one binary.
func buildProfiled(ctx context.Context, directory string) (string, error) {
	output, err := exec.CommandContext(ctx, "go", "list", "-m", "-f", "{{.Dir}}").Output()
	if err != nil {
		return "", fmt.Errorf("find the module: %w", err)
	}
	module := strings.TrimSpace(string(output))
	overlay, err := json.Marshal(map[string]any{"Replace": map[string]string{
		filepath.Join(module, "profile_hook.go"): filepath.Join(module, "e2e/bench/hook/hook.go"),
	}})
	if err != nil {
		return "", err
	}
	path := filepath.Join(directory, "overlay.json")
	if err := os.WriteFile(path, overlay, 0o600); err != nil {
		return "", err
	}
	return gateway.Build(ctx, directory, "-tags", "profile", "-overlay", path)
}

// profile puts single loads on the gateway and writes the CPU profile of the
// processor under each of them into a directory, for `go tool pprof`; then its heap
// with many streams open.
func (s *site) profile(ctx context.Context, directory, workDirectory string, duration time.Duration) error {
	if err := os.MkdirAll(directory, 0o755); err != nil {
		return err
	}
	if err := s.warmUp(ctx); err != nil {
		return err
	}
	socket := filepath.Join(workDirectory, "pprof.sock")
	for _, load := range []struct {
		name string
		run  func(context.Context) (figures, error)
	}{
		{"unary", func(ctx context.Context) (figures, error) {
			return closedLoop(ctx, s.ways[through], unary, manyConnections, duration)
		}},
		{"stream", func(ctx context.Context) (figures, error) {
			return pacedStreams(ctx, s.ways[through], pacedCount, duration)
		}},
	} {
		group, ctx := errgroup.WithContext(ctx)
		group.Go(func() error {
			_, err := load.run(ctx)
			return err
		})
		group.Go(func() error {
			// The end of the load stays outside.
			seconds := max(1, int(duration.Seconds())-1)
			return fetchProfile(ctx, socket, fmt.Sprintf("profile?seconds=%d", seconds), filepath.Join(directory, load.name+".prof"))
		})
		if err := group.Wait(); err != nil {
			return fmt.Errorf("profile of %s: %w", load.name, err)
		}
	}
	c, err := gather(ctx, s.ways[through], held, heldCount)
	if err != nil {
		return err
	}
	return errors.Join(fetchProfile(ctx, socket, "heap?gc=1", filepath.Join(directory, "held.prof")), c.disperse())
}

func fetchProfile(ctx context.Context, socket, profile, path string) (err error) {
	client := http.Client{Transport: &http.Transport{
		DisableKeepAlives: true,
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			var dialer net.Dialer
			return dialer.DialContext(ctx, "unix", socket)
		},
	}}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://gateway/debug/pprof/"+profile, nil)
	if err != nil {
		return err
	}
	response, err := client.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("pprof: %s", response.Status)
	}
	file, err := os.Create(path)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	_, err = io.Copy(file, response.Body)
	return err
}
