package envoy

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// Supervisor runs Envoy as a child: it starts it, folds its log into the
// gateway's, starts it again when it dies, and drains it at the end.
type Supervisor struct {
	Options
	restarts prometheus.Counter
	served   atomic.Bool // some Envoy of this supervisor was ready

	mu    sync.Mutex
	state State
}

// Options configure a Supervisor; all but Concurrency and HeapLimit are needed.
type Options struct {
	Binary Binary
	// Directory is private (0700) and holds the bootstrap; it is made if it is
	// not there.
	Directory string
	Sockets   Sockets
	// Concurrency is the number of worker threads; zero is one for each processor.
	Concurrency uint32
	// HeapLimit, in bytes, is when Envoy begins to turn requests away; zero is
	// three quarters of what the machine or the container has.
	HeapLimit uint64
	// DrainTime is how long streams in flight may go on after the end was asked for. It
	// is asked then.
	DrainTime func() time.Duration
	// AccessLog gets what Envoy writes to its standard output, line by line.
	AccessLog io.Writer
	Log       *slog.Logger
	Registry  prometheus.Registerer
}

// State is what a Supervisor knows of its child.
type State struct {
	// Running since Since; otherwise Reason says why not.
	Running bool
	// Ready: Envoy has taken a configuration and accepts clients, or did so
	// until it was asked to drain.
	Ready    bool
	PID      int
	Since    time.Time
	Restarts int
	Reason   string
}

// Restart delays: the first is short, as an Envoy that ran well and died is
// needed at once.
const (
	firstDelay = 100 * time.Millisecond
	lastDelay  = 10 * time.Second
	// healthyAfter a run counts as good, and the delays start anew.
	healthyAfter = 30 * time.Second
	// killAfter a SIGTERM that was not heeded comes a SIGKILL.
	killAfter = 5 * time.Second
	// earlyDeaths before Envoy was ready for the first time mean that it cannot
	// run here at all: a bad bootstrap, a missing library, no memory.
	earlyDeaths = 3
	// firstAsk and lastAsk bound the pauses between asking a starting Envoy
	// whether it is ready.
	firstAsk, lastAsk = 5 * time.Millisecond, 100 * time.Millisecond
)

// NewSupervisor registers its metrics with options.Registry.
func NewSupervisor(options Options) *Supervisor {
	s := &Supervisor{Options: options, restarts: prometheus.NewCounter(prometheus.CounterOpts{
		Name: "switchyard_envoy_restarts_total", Help: "Times that Envoy died and was started again.",
	})}
	options.Registry.MustRegister(s.restarts)
	return s
}

// State returns a copy. It is safe for concurrent use.
func (s *Supervisor) State() State {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.state
}

func (s *Supervisor) update(change func(*State)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	change(&s.state)
}

// Run runs Envoy until ctx is done, then drains it and returns nil. An Envoy
// that dies is started again, for ever if it was ever ready: what kills it then,
// may pass. One that dies at the start each time is an error.
func (s *Supervisor) Run(ctx context.Context) error {
	config, err := s.writeBootstrap()
	if err != nil {
		return err
	}
	delay := firstDelay
	for deaths := 1; ; deaths++ {
		began := time.Now()
		err := s.once(ctx, config)
		if ctx.Err() != nil {
			s.update(func(state *State) { *state = State{Restarts: state.Restarts, Reason: "stopped"} })
			return nil
		}
		s.update(func(state *State) { *state = State{Restarts: state.Restarts, Reason: err.Error()} })
		if deaths >= earlyDeaths && !s.served.Load() {
			return fmt.Errorf("envoy cannot run here, it died %d times before it was ready: %w", deaths, err)
		}
		if time.Since(began) > healthyAfter {
			delay = firstDelay
		}
		s.Log.Error("envoy died; starting it again", "reason", err.Error(), "delay", delay.String())
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(delay):
		}
		delay = min(2*delay, lastDelay)
		s.restarts.Inc()
		s.update(func(state *State) { state.Restarts++ })
	}
}

func (s *Supervisor) writeBootstrap() (path string, err error) {
	limits := machineLimits(os.DirFS("/"))
	if s.HeapLimit != 0 {
		limits.heap = s.HeapLimit
	}
	config, err := bootstrap(s.Sockets, limits)
	if err != nil {
		return "", err
	}
	if err := os.MkdirAll(s.Directory, 0o700); err != nil {
		return "", fmt.Errorf("envoy: making its directory: %w", err)
	}
	path = filepath.Join(s.Directory, "envoy.json")
	if err := os.WriteFile(path, config, 0o600); err != nil {
		return "", fmt.Errorf("envoy: writing the bootstrap: %w", err)
	}
	return path, nil
}
