package envoy

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"sync"
	"syscall"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// Supervisor runs Envoy as a child: it starts it, folds its log into the
// gateway's, starts it again when it dies, and drains it at the end.
type Supervisor struct {
	Options
	restarts prometheus.Counter

	mu    sync.Mutex
	state State
}

// Options configure a Supervisor; all but Concurrency are needed.
type Options struct {
	Binary Binary
	// Directory is private (0700) and holds the bootstrap.
	Directory string
	Sockets   Sockets
	// Concurrency is the number of worker threads; zero is one for each processor.
	Concurrency uint32
	// DrainTime is how long streams in flight may go on after the end was asked for.
	DrainTime time.Duration
	// AccessLog gets what Envoy writes to its standard output, line by line.
	AccessLog io.Writer
	Log       *slog.Logger
	Registry  prometheus.Registerer
}

// State is what a Supervisor knows of its child.
type State struct {
	// Running since Since; otherwise Reason says why not.
	Running  bool
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
	// earlyDeaths without one good run mean that Envoy cannot run at all here.
	earlyDeaths = 5
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

// Run runs Envoy until ctx is done, then drains it. It returns nil after a clean
// end, and an error if Envoy dies again and again without ever having run well.
func (s *Supervisor) Run(ctx context.Context) error {
	config, err := Bootstrap(s.Sockets)
	if err != nil {
		return err
	}
	path := filepath.Join(s.Directory, "envoy.json")
	if err := os.WriteFile(path, config, 0o600); err != nil {
		return fmt.Errorf("envoy: writing the bootstrap: %w", err)
	}
	delay, deaths := firstDelay, 0
	for {
		began := time.Now()
		err := s.once(ctx, path)
		if ctx.Err() != nil {
			return nil
		}
		if time.Since(began) > healthyAfter {
			delay, deaths = firstDelay, 0
		}
		deaths++
		s.update(func(state *State) { state.Running, state.Reason = false, err.Error(); state.Restarts++ })
		if deaths >= earlyDeaths {
			return fmt.Errorf("envoy died %d times in a row, the last time because: %w", deaths, err)
		}
		s.restarts.Inc()
		s.Log.Error("envoy died; starting it again", "reason", err.Error(), "delay", delay)
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(delay):
		}
		delay = min(2*delay, lastDelay)
	}
}

// once runs one Envoy to its end, which is an error unless ctx is done.
func (s *Supervisor) once(ctx context.Context, config string) error {
	arguments := []string{
		"--config-path", config,
		"--file-flush-interval-msec", "500", // of the access log; 10 s by default
		"--disable-hot-restart", // two gateways may share a machine
		"--log-format", logFormat,
		"--log-level", "warning",
		"--drain-time-s", strconv.Itoa(int(s.DrainTime.Seconds())),
	}
	if s.Concurrency > 0 {
		arguments = append(arguments, "--concurrency", strconv.Itoa(int(s.Concurrency)))
	}
	// The admin socket of an Envoy that was killed is still there, and would keep
	// the next one from binding.
	if err := os.Remove(s.Sockets.Admin); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	// The kernel ties the child's life to the thread that started it
	// (prctl(2), PR_SET_PDEATHSIG), so that thread must stay.
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	command := exec.Command(s.Binary.Path, arguments...)
	command.Stdout = s.AccessLog
	folded := newLogFolder(s.Log)
	command.Stderr = folded
	command.SysProcAttr = attributes()
	if err := command.Start(); err != nil {
		return err
	}
	s.update(func(state *State) {
		state.Running, state.PID, state.Since, state.Reason = true, command.Process.Pid, time.Now(), ""
	})
	s.Log.Info("envoy started", "pid", command.Process.Pid, "version", s.Binary.Version)
	dead := make(chan struct{})
	var cause error
	go func() {
		defer close(dead)
		cause = command.Wait()
	}()
	select {
	case <-dead:
		if last := folded.Last(); last != "" {
			return fmt.Errorf("%v: %s", cause, last)
		}
		return fmt.Errorf("it exited: %v", cause)
	case <-ctx.Done():
		s.stop(command.Process, dead)
		return nil
	}
}

// stop drains Envoy: no new connections, streams in flight go on for DrainTime,
// then it is told to end, and at last made to.
func (s *Supervisor) stop(process *os.Process, dead <-chan struct{}) {
	s.update(func(state *State) { state.Reason = "draining" })
	ctx, cancel := context.WithTimeout(context.Background(), s.DrainTime)
	defer cancel()
	admin := newAdmin(s.Sockets.Admin)
	if err := admin.drain(ctx); err != nil {
		s.Log.Warn("envoy does not drain", "error", err.Error())
	} else if left := admin.waitIdle(ctx, dead); left > 0 {
		s.Log.Warn("streams cut at the end of the drain time", "streams", left, "drain_time", s.DrainTime)
	}
	if err := process.Signal(syscall.SIGTERM); err != nil {
		return // it is gone
	}
	select {
	case <-dead:
	case <-time.After(killAfter):
		_ = process.Kill()
		<-dead
	}
	s.update(func(state *State) { state.Running, state.Reason = false, "stopped" })
}
