package envoy_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/switchyard/switchyard/envoy"
	"github.com/switchyard/switchyard/xds"
)

func TestKilledEnvoyIsStartedAgain(t *testing.T) {
	t.Parallel()
	s := newStage(t, script{{cluster: "good"}}, func(in *xds.Inputs) {
		in.Clusters = []xds.Cluster{serve(t, "good", echo("good"))}
	})
	first := s.supervisor.State()
	if !first.Running || !first.Ready || first.PID == 0 || first.Restarts != 0 {
		t.Fatalf("state %+v", first)
	}
	if err := syscall.Kill(first.PID, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	eventually(t, "another envoy is ready", func() bool {
		state := s.supervisor.State()
		return state.Ready && state.PID != first.PID
	})
	if state := s.supervisor.State(); state.Restarts != 1 {
		t.Errorf("state %+v", state)
	}
	if !strings.Contains(s.log.String(), "signal: killed") {
		t.Error("the log does not say why it died")
	}
	eventually(t, "the gateway serves again", func() bool {
		s.url = s.ingressURL()
		response, err := s.client.Post(s.url+inferencePath, "", strings.NewReader("hello"))
		if err != nil {
			return false
		}
		defer response.Body.Close()
		return response.StatusCode == http.StatusOK
	})
}

// TestDrainFinishesStreams stops Envoy while a stream is open whose attempt is
// still to fail over: the failover has to work, the stream to come to its end,
// and new clients have to be turned away meanwhile.
func TestDrainFinishesStreams(t *testing.T) {
	t.Parallel()
	draining := make(chan struct{})
	const intoTheDrain = 300 * time.Millisecond // the stream has to outlive its beginning
	s := newStage(t, script{{cluster: "failing"}, {cluster: "good"}}, func(in *xds.Inputs) {
		in.Clusters = []xds.Cluster{
			serve(t, "failing", func(w http.ResponseWriter, _ *http.Request) { <-draining; w.WriteHeader(503) }),
			serve(t, "good", func(w http.ResponseWriter, _ *http.Request) {
				fmt.Fprint(w, "begin ")
				w.(http.Flusher).Flush()
				time.Sleep(intoTheDrain)
				fmt.Fprint(w, "end")
			}),
		}
	})
	type answer struct {
		body  string
		close bool
		err   error
	}
	answered := make(chan answer, 1)
	go func() {
		response, err := http.Post(s.url+inferencePath, "", strings.NewReader("hello"))
		if err != nil {
			answered <- answer{err: err}
			return
		}
		defer response.Body.Close()
		body, err := io.ReadAll(response.Body)
		answered <- answer{string(body), response.Close, err}
	}()
	eventually(t, "the first attempt is under way", func() bool { return s.stat("cluster.failing.upstream_rq_active") == 1 })
	stopped := make(chan error, 1)
	go func() { stopped <- s.stop() }()
	eventually(t, "new clients are turned away", func() bool {
		connection, err := net.Dial("tcp", strings.TrimPrefix(s.url, "http://"))
		if err == nil {
			_ = connection.Close()
		}
		return err != nil
	})
	close(draining)
	if got := <-answered; got.err != nil || got.body != "begin end" || !got.close {
		t.Errorf("got %+v", got)
	}
	if err := <-stopped; err != nil {
		t.Error(err)
	}
	if state := s.supervisor.State(); state.Running || state.Reason != "stopped" {
		t.Errorf("state %+v", state)
	}
	if log := s.log.String(); strings.Contains(log, "level=WARN") || strings.Contains(log, "level=ERROR") {
		t.Error("an orderly end leaves warnings in the log")
	}
}

func TestDrainTimeIsTheLimit(t *testing.T) {
	t.Parallel()
	s := newStage(t, script{{cluster: "silent"}}, func(in *xds.Inputs) {
		in.Clusters = []xds.Cluster{serve(t, "silent", silent)}
	})
	s.supervisor.DrainTime = func() time.Duration { return 200 * time.Millisecond }
	failed := make(chan error, 1)
	go func() {
		response, err := http.Post(s.url+inferencePath, "", strings.NewReader("hello"))
		if err == nil {
			_ = response.Body.Close()
		}
		failed <- err
	}()
	eventually(t, "the request is under way", func() bool { return s.stat("cluster.silent.upstream_rq_active") == 1 })
	began := time.Now()
	if err := s.stop(); err != nil {
		t.Error(err)
	}
	if took := time.Since(began); took < 200*time.Millisecond || took > 3*time.Second {
		t.Errorf("it took %s", took)
	}
	if err := <-failed; err == nil {
		t.Error("the request was answered")
	}
	if !strings.Contains(s.log.String(), "streams=1") {
		t.Error("the log does not tell of the stream that was cut")
	}
}

// TestEnvoyThatCannotRunIsAnError gives Envoy an admin socket that it cannot
// bind, and a binary that is none.
func TestEnvoyThatCannotRunIsAnError(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		change func(*envoy.Options)
		want   string
	}{
		"a socket that cannot be bound": {
			func(o *envoy.Options) { o.Sockets.Admin = "/does/not/exist/admin.sock" }, "/does/not/exist/admin.sock",
		},
		"no such binary": {
			func(o *envoy.Options) { o.Binary.Path = "/does/not/exist/envoy" }, "no such file",
		},
		"a path too long for a socket": {
			func(o *envoy.Options) { o.Sockets.XDS = "/" + strings.Repeat("x", 200) }, "at most 107 bytes",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			directory := shortDirectory(t)
			options := envoy.Options{
				Binary: binary, Directory: directory,
				Sockets: envoy.Sockets{
					XDS: filepath.Join(directory, "xds"), Processor: filepath.Join(directory, "extproc"), Admin: filepath.Join(directory, "admin"),
				},
				AccessLog: io.Discard, Log: slog.New(slog.DiscardHandler), Registry: prometheus.NewRegistry(),
			}
			test.change(&options)
			ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
			defer cancel()
			if err := envoy.NewSupervisor(options).Run(ctx); err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("Run: %v", err)
			}
		})
	}
}

// TestNoOrphan kills a gateway as nothing can be caught; its Envoy has to go too.
// The gateway is this test binary, run anew: see TestMain.
func TestNoOrphan(t *testing.T) {
	t.Parallel()
	directory := shortDirectory(t)
	gateway := exec.Command(os.Args[0])
	gateway.Env = append(os.Environ(), superviseIn+"="+directory)
	output, err := gateway.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := gateway.Start(); err != nil {
		t.Fatal(err)
	}
	line, err := bufio.NewReader(output).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	pid, err := strconv.Atoi(strings.TrimSpace(line))
	if err != nil {
		t.Fatal(err)
	}
	if err := syscall.Kill(pid, 0); err != nil {
		t.Fatalf("envoy does not run: %v", err)
	}
	if err := gateway.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = gateway.Wait()
	eventually(t, "envoy is gone", func() bool { return !runs(pid) })
}

// runs tells whether the process is there and no zombie: nobody may be left to
// bury it.
func runs(pid int) bool {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return false
	}
	_, rest, _ := strings.Cut(string(status), ") ")
	return !strings.HasPrefix(rest, "Z")
}

// supervise is the gateway of TestNoOrphan: it prints Envoy's process id once
// that runs, and waits to be killed.
func supervise(directory string) error {
	supervisor := envoy.NewSupervisor(envoy.Options{
		Binary: binary, Directory: directory,
		Sockets: envoy.Sockets{
			XDS: filepath.Join(directory, "xds"), Processor: filepath.Join(directory, "extproc"), Admin: filepath.Join(directory, "admin"),
		},
		AccessLog: io.Discard, Log: slog.New(slog.DiscardHandler), Registry: prometheus.NewRegistry(),
	})
	go func() {
		for !supervisor.State().Running {
			time.Sleep(time.Millisecond)
		}
		fmt.Println(supervisor.State().PID)
	}()
	return supervisor.Run(context.Background())
}
