package e2e

import (
	"bytes"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/switchyard/switchyard/e2e/gateway"
	"github.com/switchyard/switchyard/e2e/provider"
)

// A processor that is restarted under load, before an Envoy that stays, cuts no
// stream and refuses no request: the new process takes the sockets over while
// the old one finishes what it has begun.
func TestProcessorRestartUnderLoad(t *testing.T) {
	s, gpt, claude := pair(t)
	gpt.Default(provider.Stream{Answer: provider.Answer{Text: strings.Repeat(" word", 30)}, Pace: 20 * time.Millisecond})
	claude.Default(provider.Stream{Answer: provider.Answer{Text: strings.Repeat(" word", 30)}, Pace: 20 * time.Millisecond})
	first, options, sockets := s.startExternal()

	stop, waiting, answered := make(chan struct{}), sync.WaitGroup{}, atomic.Int64{}
	for i := range 8 {
		model := []string{"m/openai", "m/anthropic"}[i%2]
		waiting.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				got := s.ask(streamed(model))
				if got.status != 200 || strings.Count(got.body, "word") != 30 || !strings.HasSuffix(got.body, "data: [DONE]\n\n") {
					t.Errorf("a stream was cut by a restart: status %d: %s", got.status, got.body)
					return
				}
				answered.Add(1)
			}
		})
	}
	running := first
	for range 2 {
		taken := inode(t, filepath.Join(sockets, "extproc.sock"))
		next := launch(t, options)
		s.until("the new process has taken the sockets over", func() bool {
			return inode(t, filepath.Join(sockets, "extproc.sock")) != taken
		})
		if err := running.Stop(); err != nil {
			t.Errorf("the old process: %v\n%s", err, tail(running.Log()))
		}
		running = next
		// Streams on the new process alone, before it is replaced in turn.
		before := answered.Load()
		s.until("the new process has answered", func() bool { return answered.Load() > before+16 })
	}
	close(stop)
	waiting.Wait()
	if err := running.Stop(); err != nil {
		t.Errorf("the last process: %v\n%s", err, tail(running.Log()))
	}
	s.checkSites()
	if t.Failed() {
		t.Logf("first:\n%s\nlast:\n%s", tail(first.Log()), tail(running.Log()))
	}
	t.Logf("%d streams over three processes", answered.Load())
}

// startExternal runs the gateway before an Envoy that the test runs. With the
// options it returns, another process takes the first one's place.
func (s *stage) startExternal() (*gateway.Gateway, gateway.Options, string) {
	s.Helper()
	// A Unix socket's path is at most 107 bytes long; a test's directory is longer.
	sockets, err := os.MkdirTemp("", "sy")
	if err != nil {
		s.Fatal(err)
	}
	s.Cleanup(func() { os.RemoveAll(sockets) })
	options := gateway.Options{
		Binary: binary, Directory: s.TempDir(), Config: s.config,
		Arguments: []string{"--envoy=external", "--run-dir", sockets},
	}
	s.Gateway = launch(s.T, options)
	runEnvoy(s.T, sockets)
	if err := s.AwaitReady(s.Context()); err != nil {
		s.Fatalf("%v\n%s", err, s.Log())
	}
	options.Address = strings.TrimPrefix(s.URL, "http://")
	return s.Gateway, options, sockets
}

// While the processor is gone clients hear so in the gateway's error shape, and
// they are served again as soon as there is a new one.
func TestProcessorKilled(t *testing.T) {
	s, _, _ := pair(t)
	first, options, _ := s.startExternal()
	if got := s.ask(question("m/openai")); got.status != 200 {
		t.Fatalf("status %d: %s", got.status, got.body)
	}
	if err := first.Signal(syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	within(t, first.Exited(), "the processor's end")
	for _, body := range []string{question("m/openai"), streamed("m/anthropic")} {
		s.ask(body).failed(t, http.StatusServiceUnavailable)
	}
	next := launch(t, options)
	s.until("the new processor answers", func() bool { return s.ask(question("m/openai")).status == 200 })
	if err := next.Stop(); err != nil {
		t.Errorf("%v\n%s", err, tail(next.Log()))
	}
	s.checkSites()
}

func launch(t *testing.T, options gateway.Options) *gateway.Gateway {
	t.Helper()
	launched, err := gateway.Launch(options)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		select {
		case <-launched.Exited():
		default:
			launched.Kill()
		}
	})
	return launched
}

// runEnvoy runs an Envoy as people do who bring their own.
func runEnvoy(t *testing.T, sockets string) {
	t.Helper()
	bootstrap, err := exec.Command(binary, "envoy", "bootstrap", "--run-dir", sockets).Output()
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(sockets, "bootstrap.json")
	if err := os.WriteFile(path, bootstrap, 0o600); err != nil {
		t.Fatal(err)
	}
	var log bytes.Buffer
	envoy := exec.Command(os.Getenv("ENVOY_PATH"), "-c", path, "--disable-hot-restart", "--concurrency", "2", "-l", "warning")
	envoy.Stdout, envoy.Stderr = &log, &log
	if err := envoy.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = envoy.Process.Signal(syscall.SIGTERM)
		_ = envoy.Wait()
		if t.Failed() {
			t.Logf("Envoy's log:\n%s", tail(log.String()))
		}
	})
}

func inode(t *testing.T, path string) uint64 {
	t.Helper()
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	return info.Sys().(*syscall.Stat_t).Ino
}
