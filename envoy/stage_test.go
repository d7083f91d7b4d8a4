package envoy_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"google.golang.org/grpc"

	processor "github.com/envoyproxy/go-control-plane/envoy/service/ext_proc/v3"

	"github.com/switchyard/switchyard/envoy"
	"github.com/switchyard/switchyard/xds"
)

// inferencePath is the one path that goes to the processor in these tests.
const inferencePath = "/api/v1/chat/completions"

// stage is a gateway on a real Envoy, with a processor and an API server that
// do as the test says.
type stage struct {
	t          *testing.T
	url        string // of the ingress listener
	inputs     xds.Inputs
	control    *xds.Server
	processor  *scriptedProcessor
	stopGRPC   func() // ends the processor as a crash would
	supervisor *envoy.Supervisor
	stop       func() error // ends Envoy in order
	sockets    envoy.Sockets
	accessLog  *lines
	log        *lines
	client     *http.Client
}

// newStage starts everything and waits until Envoy has taken the configuration.
func newStage(t *testing.T, script script, change func(*xds.Inputs)) *stage {
	t.Helper()
	return newStageWith(t, script, change, func(*envoy.Options) {})
}

// newStageWith changes how Envoy is run, too.
func newStageWith(t *testing.T, script script, change func(*xds.Inputs), run func(*envoy.Options)) *stage {
	t.Helper()
	directory := shortDirectory(t)
	s := &stage{
		t: t,
		sockets: envoy.Sockets{
			XDS:       filepath.Join(directory, "xds.sock"),
			Processor: filepath.Join(directory, "extproc.sock"),
			Admin:     filepath.Join(directory, "admin.sock"),
		},
		inputs: xds.Inputs{
			Listen:         xds.Address{Host: "127.0.0.1"},
			APISocket:      filepath.Join(directory, "api.sock"),
			InferencePaths: []string{inferencePath},
		},
		processor: &scriptedProcessor{script: script},
		accessLog: &lines{},
		log:       &lines{},
		client:    &http.Client{Transport: &http.Transport{DisableCompression: true}},
	}
	if change != nil {
		change(&s.inputs)
	}
	logger := slog.New(slog.NewTextHandler(s.log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	registry := prometheus.NewRegistry()
	t.Cleanup(func() {
		if strings.Contains(s.log.String(), "deprecated") {
			t.Error("envoy warns of something deprecated, which the next one will refuse")
		}
		if t.Failed() {
			t.Logf("log:\n%s\naccess log:\n%s", s.log, s.accessLog)
		}
	})

	api := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Served-By", "api")
		_, _ = io.Copy(io.Discard, r.Body)
		fmt.Fprintln(w, r.URL.Path)
	})}
	apiListener := listenUnix(t, s.inputs.APISocket)
	go func() { _ = api.Serve(apiListener) }()
	t.Cleanup(func() { _ = api.Close() })

	grpcServer := grpc.NewServer()
	processor.RegisterExternalProcessorServer(grpcServer, s.processor)
	processorListener := listenUnix(t, s.sockets.Processor)
	go func() { _ = grpcServer.Serve(processorListener) }()
	s.stopGRPC = grpcServer.Stop
	t.Cleanup(grpcServer.Stop)

	ctx, cancel := context.WithCancel(context.Background())
	s.control = xds.NewServer(logger, registry)
	served := make(chan error, 1)
	controlListener := listenUnix(t, s.sockets.XDS)
	go func() { served <- s.control.Serve(ctx, controlListener) }()
	t.Cleanup(func() {
		cancel()
		if err := <-served; err != nil {
			t.Errorf("serving xDS: %v", err)
		}
	})
	version, err := s.control.Update(ctx, s.inputs)
	if err != nil {
		t.Fatal(err)
	}

	options := envoy.Options{
		Binary: binary, Directory: directory, Sockets: s.sockets, Concurrency: 2,
		DrainTime: func() time.Duration { return 5 * time.Second }, AccessLog: s.accessLog, Log: logger, Registry: registry,
	}
	run(&options)
	s.supervisor = envoy.NewSupervisor(options)
	running, stopEnvoy := context.WithCancel(context.Background())
	ran := make(chan error, 1)
	go func() { ran <- s.supervisor.Run(running) }()
	s.stop = sync.OnceValue(func() error { stopEnvoy(); return <-ran })
	t.Cleanup(func() {
		s.client.CloseIdleConnections()
		if err := s.stop(); err != nil {
			t.Errorf("running envoy: %v", err)
		}
	})

	waiting, stopWaiting := context.WithTimeout(ctx, 20*time.Second)
	defer stopWaiting()
	if err := s.control.WaitAcked(waiting, version); err != nil {
		t.Fatal(err)
	}
	if err := s.supervisor.Ready(waiting); err != nil {
		t.Fatalf("envoy has taken the configuration and is not ready: %v", err)
	}
	eventually(t, "the supervisor knows", func() bool { return s.supervisor.State().Ready })
	s.url = s.ingressURL()
	return s
}

// shortDirectory is a private directory with a path short enough for sockets.
func shortDirectory(t *testing.T) string {
	t.Helper()
	directory, err := os.MkdirTemp("", "sy")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(directory) })
	return directory
}

func listenUnix(t *testing.T, path string) net.Listener {
	t.Helper()
	listener, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	return listener
}

// admin asks Envoy's admin interface.
func (s *stage) admin(method, path string) string {
	s.t.Helper()
	client := http.Client{Transport: &http.Transport{
		DisableKeepAlives: true,
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, "unix", s.sockets.Admin)
		},
	}}
	request, err := http.NewRequest(method, "http://envoy"+path, nil)
	if err != nil {
		s.t.Fatal(err)
	}
	response, err := client.Do(request)
	if err != nil {
		s.t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		s.t.Fatal(err)
	}
	return string(body)
}

// stat reads one of Envoy's counters or gauges; 0 if it is not there.
func (s *stage) stat(name string) int {
	s.t.Helper()
	value := 0
	for line := range strings.Lines(s.admin(http.MethodGet, "/stats?usedonly")) {
		if rest, ok := strings.CutPrefix(line, name+": "); ok {
			if _, err := fmt.Sscan(rest, &value); err != nil {
				s.t.Fatal(err)
			}
		}
	}
	return value
}

func (s *stage) ingressURL() string {
	s.t.Helper()
	var listeners struct {
		Statuses []struct {
			Name    string `json:"name"`
			Address struct {
				Socket struct {
					Port int `json:"port_value"`
				} `json:"socket_address"`
			} `json:"local_address"`
		} `json:"listener_statuses"`
	}
	if err := json.Unmarshal([]byte(s.admin(http.MethodGet, "/listeners?format=json")), &listeners); err != nil {
		s.t.Fatal(err)
	}
	for _, status := range listeners.Statuses {
		if status.Name == xds.ListenerIngress {
			return fmt.Sprintf("http://127.0.0.1:%d", status.Address.Socket.Port)
		}
	}
	s.t.Fatal("envoy has no ingress listener")
	return ""
}

// post sends an inference request and reads the whole answer.
func (s *stage) post(body string, headers ...string) (*http.Response, string) {
	s.t.Helper()
	request, err := http.NewRequest(http.MethodPost, s.url+inferencePath, strings.NewReader(body))
	if err != nil {
		s.t.Fatal(err)
	}
	for i := 0; i < len(headers); i += 2 {
		request.Header.Add(headers[i], headers[i+1])
	}
	return s.do(request)
}

func (s *stage) do(request *http.Request) (*http.Response, string) {
	s.t.Helper()
	response, err := s.client.Do(request)
	if err != nil {
		s.t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		s.t.Fatalf("after %q: %v", text, err)
	}
	return response, string(text)
}

// lines is a writer that tests can read while it is written to.
type lines struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *lines) Write(piece []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(piece)
}

func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// eventually waits for what other processes do in their own time.
func eventually(t *testing.T, what string, condition func() bool) {
	t.Helper()
	for deadline := time.Now().Add(15 * time.Second); time.Now().Before(deadline); time.Sleep(10 * time.Millisecond) {
		if condition() {
			return
		}
	}
	t.Fatalf("it did not come to be: %s", what)
}

// update pushes the stage's inputs and waits until Envoy has them.
func (s *stage) update() {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	version, err := s.control.Update(ctx, s.inputs)
	if err != nil {
		s.t.Fatal(err)
	}
	if err := s.control.WaitAcked(ctx, version); err != nil {
		s.t.Fatal(err)
	}
}

// quiet is for servers that would log what a test does on purpose.
func quiet() *log.Logger { return log.New(io.Discard, "", 0) }
