package gateway

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// Options describe a gateway to start.
type Options struct {
	// Binary is the switchyard to run, see [Build].
	Binary string
	// Directory holds its configuration file and working files. Required.
	Directory string
	// Config is written as JSON, which is YAML too. Its keys are those of a
	// configuration file; the listener's address is filled in.
	Config map[string]any
	// Address is where to listen; a free loopback port unless given.
	Address string
	// Client reaches the gateway; [http.DefaultClient] unless given. A listener
	// with TLS needs one that trusts its certificate.
	Client *http.Client
	// Arguments follow "run --config FILE".
	Arguments []string
	// AccessLog gets the gateway's standard output, which is Envoy's access log;
	// kept with the log unless given. A load test writes more of it than it reads.
	AccessLog *os.File
	// Patience bounds the wait for readiness; 30 s unless given.
	Patience time.Duration
}

// Gateway is a running switchyard. Its methods may be called concurrently.
type Gateway struct {
	// URL is the listener's, such as "http://127.0.0.1:8080".
	URL string
	// ConfigFile is what the gateway was started with and watches.
	ConfigFile string

	client  *http.Client
	command *exec.Cmd
	output  *output
	exited  chan struct{}
	err     error // of the process, once exited is closed
}

// Start runs a gateway and returns when it is ready. It fails with the log when
// it does not become so.
func Start(ctx context.Context, options Options) (*Gateway, error) {
	g, err := Launch(options)
	if err != nil {
		return nil, err
	}
	patience := options.Patience
	if patience == 0 {
		patience = 30 * time.Second
	}
	ctx, cancel := context.WithTimeoutCause(ctx, patience, errors.New("the gateway is not ready in time"))
	defer cancel()
	if err := g.AwaitReady(ctx); err != nil {
		g.Kill()
		return nil, fmt.Errorf("%w\n%s", err, g.Log())
	}
	return g, nil
}

// Launch runs a gateway without waiting for it.
func Launch(options Options) (*Gateway, error) {
	address := options.Address
	if address == "" {
		var err error
		if address, err = freeAddress(); err != nil {
			return nil, err
		}
	}
	listener := listenerAt(options.Config, address)
	options.Config["listener"] = listener
	g := &Gateway{
		URL:        "http://" + address,
		ConfigFile: filepath.Join(options.Directory, "switchyard.yaml"),
		client:     cmp.Or(options.Client, http.DefaultClient),
		output:     new(output),
		exited:     make(chan struct{}),
	}
	if listener["tls"] != nil {
		g.URL = "https://" + address
	}
	if err := g.WriteConfig(options.Config); err != nil {
		return nil, err
	}
	arguments := append([]string{"run", "--config", g.ConfigFile}, options.Arguments...)
	g.command = exec.Command(options.Binary, arguments...)
	g.command.Dir = options.Directory
	g.command.Env = environment()
	g.command.Stdout, g.command.Stderr = g.output, g.output
	if options.AccessLog != nil {
		g.command.Stdout = options.AccessLog
	}
	if err := g.command.Start(); err != nil {
		return nil, fmt.Errorf("start the gateway: %w", err)
	}
	go func() {
		g.err = g.command.Wait()
		close(g.exited)
	}()
	return g, nil
}

// WriteConfig replaces the configuration file as editors do, by renaming.
func (g *Gateway) WriteConfig(config map[string]any) error {
	text, err := json.Marshal(config, jsontext.WithIndent("  "), json.Deterministic(true))
	if err != nil {
		return err
	}
	fresh := g.ConfigFile + ".new"
	if err := os.WriteFile(fresh, text, 0o600); err != nil {
		return err
	}
	return os.Rename(fresh, g.ConfigFile)
}

// AwaitReady returns when GET /health answers 200 through Envoy.
func (g *Gateway) AwaitReady(ctx context.Context) error {
	for {
		if g.healthy(ctx) {
			return nil
		}
		select {
		case <-g.exited:
			return fmt.Errorf("the gateway exited: %v", g.err)
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-time.After(10 * time.Millisecond):
		}
	}
}

func (g *Gateway) healthy(ctx context.Context) bool {
	ctx, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, g.URL+"/health", nil)
	if err != nil {
		return false
	}
	response, err := g.client.Do(request)
	if err != nil {
		return false
	}
	_ = response.Body.Close()
	return response.StatusCode == http.StatusOK
}

// Stop asks the gateway to drain and exit, as Ctrl-C does, and waits. It fails
// unless the exit status is 0, also if the gateway has ended before.
func (g *Gateway) Stop() error {
	if err := g.Signal(syscall.SIGTERM); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return err
	}
	<-g.exited
	return g.err
}

// Signal sends a signal to the gateway's process, not to its Envoy.
func (g *Gateway) Signal(signal os.Signal) error { return g.command.Process.Signal(signal) }

// Kill ends the gateway at once; its Envoy too, if it has one.
func (g *Gateway) Kill() {
	envoy, err := g.EnvoyPID()
	_ = g.command.Process.Kill()
	<-g.exited
	if err == nil {
		_ = syscall.Kill(envoy, syscall.SIGKILL)
	}
}

// Exited is closed when the process has ended.
func (g *Gateway) Exited() <-chan struct{} { return g.exited }

// PID is the gateway's own process.
func (g *Gateway) PID() int { return g.command.Process.Pid }

// Log is what the gateway has written so far.
func (g *Gateway) Log() string { return g.output.String() }

// environment is this process's without what would change a gateway's providers.
func environment() []string {
	return slices.DeleteFunc(os.Environ(), func(variable string) bool {
		name, _, _ := strings.Cut(variable, "=")
		return strings.HasSuffix(name, "_API_KEY") || strings.HasSuffix(name, "_BASE_URL") || name == "OLLAMA_HOST"
	})
}

func listenerAt(config map[string]any, address string) map[string]any {
	listener, _ := config["listener"].(map[string]any)
	if listener == nil {
		listener = map[string]any{}
	}
	listener["address"] = address
	return listener
}

// freeAddress is a loopback address that nobody listens on just now.
func freeAddress() (string, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	defer listener.Close()
	return listener.Addr().String(), nil
}

// output collects a process's log.
type output struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (o *output) Write(part []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.Write(part)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.String()
}
