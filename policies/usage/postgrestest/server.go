// Package postgrestest runs a real PostgreSQL for a test.
package postgrestest

import (
	"bytes"
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"syscall"
	"testing"
	"time"
)

// attempts at a free port: another process may take it before PostgreSQL does.
const attempts = 5

// Server is a PostgreSQL on a loopback port with a data directory of its own. Its
// methods belong to the goroutine of the test.
type Server struct {
	t         testing.TB
	binaries  string
	directory string
	port      int
	process   *exec.Cmd     // nil while stopped
	ended     chan struct{} // closes when the process has
}

// Start runs a PostgreSQL until the test ends. Without one installed the test fails: a
// skipped test looks like one that passed.
func Start(t testing.TB) *Server {
	t.Helper()
	s := Launch(t)
	t.Cleanup(s.Close)
	return s
}

// Launch runs a PostgreSQL that outlives the test, until [Server.Close].
func Launch(t testing.TB) *Server {
	t.Helper()
	s := &Server{t: t, binaries: find(t)}
	// Not the test's own directory: nobody but its owner may enter that, and
	// PostgreSQL refuses to run as root.
	directory, err := os.MkdirTemp("", "postgrestest")
	if err != nil {
		t.Fatal(err)
	}
	s.directory = directory
	if id := other(t); id != nil {
		if err := os.Chown(directory, int(id.Uid), int(id.Gid)); err != nil {
			t.Fatal(err)
		}
	}
	made := s.command("initdb", "--pgdata", s.data(), "--username", "postgres", "--auth", "trust", "--no-sync", "--encoding", "UTF8")
	if output, err := made.CombinedOutput(); err != nil {
		t.Fatalf("initdb: %v\n%s", err, output)
	}
	for range attempts {
		s.port = freePort(t)
		if s.run() {
			return s
		}
	}
	s.Close()
	t.Fatalf("postgres did not start on any of %d ports", attempts)
	return nil
}

// Connection is the connection string; it stays the same when the server is started
// again.
func (s *Server) Connection() string {
	return s.Database("postgres")
}

// Database is the connection string of another database of the server than its first.
func (s *Server) Database(name string) string {
	return fmt.Sprintf("postgres://postgres@127.0.0.1:%d/%s?sslmode=disable&connect_timeout=2", s.port, name)
}

// Close ends the server and deletes its data.
func (s *Server) Close() {
	s.Stop()
	_ = os.RemoveAll(s.directory)
}

// Stop ends the server at once, as a crash would; what was committed stays. Stopping
// it twice is no error.
func (s *Server) Stop() {
	if s.process == nil {
		return
	}
	_ = s.process.Process.Signal(syscall.SIGQUIT)
	<-s.ended
	s.process = nil
}

// Restart runs the server again after [Server.Stop].
func (s *Server) Restart() {
	s.t.Helper()
	if !s.run() {
		s.t.Fatalf("postgres did not start again on port %d", s.port)
	}
}

func (s *Server) data() string { return filepath.Join(s.directory, "data") }

// run starts the process and reports whether it became ready.
func (s *Server) run() bool {
	s.t.Helper()
	process := s.command("postgres", "-D", s.data(), "-p", strconv.Itoa(s.port),
		"-c", "listen_addresses=127.0.0.1", "-c", "unix_socket_directories=", "-c", "fsync=off")
	var output bytes.Buffer
	process.Stdout, process.Stderr = &output, &output
	if err := process.Start(); err != nil {
		s.t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() {
		_ = process.Wait()
		close(ended)
	}()
	ticker := time.NewTicker(20 * time.Millisecond)
	defer ticker.Stop()
	for {
		select {
		case <-ended:
			s.t.Logf("postgres ended: %s", output.String())
			return false
		case <-ticker.C:
			if s.command("pg_isready", "-q", "-h", "127.0.0.1", "-p", strconv.Itoa(s.port)).Run() == nil {
				s.process, s.ended = process, ended
				return true
			}
		}
	}
}

func (s *Server) command(name string, arguments ...string) *exec.Cmd {
	command := exec.Command(filepath.Join(s.binaries, name), arguments...)
	command.Dir = s.directory
	command.SysProcAttr = &syscall.SysProcAttr{Credential: other(s.t)}
	return command
}

// other is the user to run as where the test is root's: the one that Debian's package
// makes.
func other(t testing.TB) *syscall.Credential {
	t.Helper()
	if os.Geteuid() != 0 {
		return nil
	}
	account, err := user.Lookup("postgres")
	if err != nil {
		t.Fatalf("%v; install PostgreSQL with policies/usage/install.sh", err)
	}
	uid, _ := strconv.ParseUint(account.Uid, 10, 32)
	gid, _ := strconv.ParseUint(account.Gid, 10, 32)
	return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}
}

func find(t testing.TB) string {
	t.Helper()
	for _, pattern := range []string{"/usr/lib/postgresql/*/bin/postgres", "/usr/pgsql-*/bin/postgres", "/usr/local/pgsql/bin/postgres"} {
		if found, _ := filepath.Glob(pattern); len(found) > 0 {
			return filepath.Dir(found[len(found)-1])
		}
	}
	path, err := exec.LookPath("postgres")
	if err != nil {
		t.Fatalf("%v; install PostgreSQL with policies/usage/install.sh", err)
	}
	return filepath.Dir(path)
}

func freePort(t testing.TB) int {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	return listener.Addr().(*net.TCPAddr).Port
}
