package envoy

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"syscall"
	"time"
)

// listenerDrainTime is how long the connections of a listener that was replaced
// by a reload may go on. It is the longest that a request may take (xds:
// MaxStreamDuration), so that no reload cuts a stream. The drain at the end of
// the process has its own limit, Options.DrainTime.
const listenerDrainTime = time.Hour

// arguments of every Envoy.
func (s *Supervisor) arguments(config string) []string {
	arguments := []string{
		"--config-path", config,
		"--disable-hot-restart",             // two gateways may share a machine
		"--file-flush-interval-msec", "500", // of the access log; 10 s by default
		"--log-format", logFormat,
		"--log-level", "warning",
		"--drain-time-s", strconv.Itoa(int(listenerDrainTime.Seconds())),
		"--drain-strategy", "immediate", // ask clients at once, not ever more often
	}
	if s.Concurrency > 0 {
		arguments = append(arguments, "--concurrency", strconv.Itoa(int(s.Concurrency)))
	}
	return arguments
}

// once runs one Envoy to its end, which is an error unless ctx is done.
func (s *Supervisor) once(ctx context.Context, config string) error {
	// The admin socket of an Envoy that was killed is still there, and would keep
	// the next one from binding.
	if err := os.Remove(s.Sockets.Admin); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	// The kernel ties the child's life to the thread that started it
	// (prctl(2), PR_SET_PDEATHSIG), so that thread must stay.
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	command := exec.Command(s.Binary.Path, s.arguments(config)...)
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
	watched := make(chan struct{})
	go func() {
		defer close(watched)
		s.watchReadiness(ctx, dead)
	}()
	defer func() { <-watched }()

	select {
	case <-dead:
		if last := folded.Last(); last != "" {
			return fmt.Errorf("%v: %s", cause, last)
		}
		return fmt.Errorf("it exited: %v", cause)
	case <-ctx.Done():
		folded.Stopping()
		s.stop(command.Process, dead)
		return nil
	}
}

// watchReadiness notes when Envoy becomes ready. Envoy tells nobody of its own
// accord, so it is asked: often at first, as a start takes some 100 ms.
func (s *Supervisor) watchReadiness(ctx context.Context, dead <-chan struct{}) {
	admin := newAdmin(s.Sockets.Admin)
	for pause := firstAsk; admin.ready(ctx) != nil; pause = min(2*pause, lastAsk) {
		select {
		case <-time.After(pause):
		case <-dead:
			return
		case <-ctx.Done():
			return
		}
	}
	s.served.Store(true)
	s.update(func(state *State) { state.Ready = true })
}

// stop drains Envoy: no new connections, streams in flight go on for DrainTime,
// then it is told to end, and at last made to.
func (s *Supervisor) stop(process *os.Process, dead <-chan struct{}) {
	s.update(func(state *State) { state.Reason = "draining" })
	drainTime := s.DrainTime()
	ctx, cancel := context.WithTimeout(context.Background(), drainTime)
	defer cancel()
	admin := newAdmin(s.Sockets.Admin)
	if err := admin.drain(ctx); err != nil {
		s.Log.Warn("envoy does not drain", "error", err.Error())
	} else if left := admin.waitIdle(ctx, dead); left > 0 {
		s.Log.Warn("streams cut at the end of the drain time", "streams", left, "drain_time", drainTime)
	}
	if err := process.Signal(syscall.SIGTERM); err != nil {
		return // it is gone
	}
	select {
	case <-dead:
	case <-time.After(killAfter):
		s.Log.Warn("envoy does not heed SIGTERM; killing it", "pid", process.Pid)
		_ = process.Kill()
		<-dead
	}
}
