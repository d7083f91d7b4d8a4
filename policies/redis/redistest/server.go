// Package redistest runs a real Redis for a test.
package redistest

import (
	"bufio"
	"net"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"google.golang.org/protobuf/types/known/durationpb"

	"github.com/switchyard/switchyard/policies/config/configpb"
	"github.com/switchyard/switchyard/policies/redis"
)

// attempts at a free port: another process may take it before Redis does.
const attempts = 5

// Server is a Redis on a loopback port, which keeps nothing on disk. Its methods
// belong to the goroutine of the test.
type Server struct {
	t         testing.TB
	arguments []string
	directory string
	port      string
	process   *exec.Cmd // nil while stopped
}

// Start runs redis-server until the test ends, with more command line arguments if
// given ("--requirepass", "x"). Without redis-server the test fails: a skipped test
// looks like one that passed.
func Start(t testing.TB, arguments ...string) *Server {
	t.Helper()
	s := &Server{t: t, arguments: arguments, directory: t.TempDir()}
	t.Cleanup(s.Stop)
	for range attempts {
		s.port = freePort(t)
		if s.run() {
			return s
		}
	}
	t.Fatalf("redis-server did not start on any of %d ports", attempts)
	return nil
}

// Address is host and port; it stays the same when the server is started again.
func (s *Server) Address() string { return net.JoinHostPort("127.0.0.1", s.port) }

// Config is a configuration that leads to the server.
func (s *Server) Config() *configpb.Redis { return &configpb.Redis{Address: s.Address()} }

// Open returns a client of [Server.Config] that is closed when the test ends.
func (s *Server) Open(t testing.TB) *redis.Client {
	t.Helper()
	return s.OpenWith(t, 0)
}

// OpenPatient is Open for a busy machine, where the time-out is not what is tested.
func (s *Server) OpenPatient(t testing.TB) *redis.Client {
	t.Helper()
	return s.OpenWith(t, 10*time.Second)
}

// OpenWith is Open with another `redis.timeout`; zero is the default.
func (s *Server) OpenWith(t testing.TB, timeout time.Duration) *redis.Client {
	t.Helper()
	cfg := s.Config()
	if timeout > 0 {
		cfg.Timeout = durationpb.New(timeout)
	}
	client, err := redis.Open(cfg, "")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = client.Close() })
	return client
}

// Stop kills the server, and everything in it is lost. Stopping it twice is no error.
func (s *Server) Stop() {
	if s.process == nil {
		return
	}
	_ = s.process.Process.Kill()
	_ = s.process.Wait()
	s.process = nil
}

// Restart runs the server again, empty, after [Server.Stop].
func (s *Server) Restart() {
	s.t.Helper()
	if !s.run() {
		s.t.Fatalf("redis-server did not start again on port %s", s.port)
	}
}

// Pause has the server accept connections and answer nothing.
func (s *Server) Pause() { s.signal(syscall.SIGSTOP) }

// Resume ends [Server.Pause]; commands that came in the meantime are carried out.
func (s *Server) Resume() { s.signal(syscall.SIGCONT) }

func (s *Server) signal(signal syscall.Signal) {
	s.t.Helper()
	if err := s.process.Process.Signal(signal); err != nil {
		s.t.Fatal(err)
	}
}

// run starts the process and reports whether it became ready.
func (s *Server) run() bool {
	s.t.Helper()
	process := exec.Command("redis-server", append([]string{
		"--bind", "127.0.0.1", "--port", s.port, "--dir", s.directory,
		"--save", "", "--appendonly", "no",
	}, s.arguments...)...)
	output, err := process.StdoutPipe()
	if err != nil {
		s.t.Fatal(err)
	}
	if err := process.Start(); err != nil {
		s.t.Fatalf("%v; install it with policies/redis/install.sh", err)
	}
	lines := bufio.NewScanner(output)
	for lines.Scan() {
		if strings.Contains(lines.Text(), "Ready to accept connections") {
			s.process = process
			return true
		}
	}
	_ = process.Wait()
	return false
}

func freePort(t testing.TB) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	return strconv.Itoa(listener.Addr().(*net.TCPAddr).Port)
}
