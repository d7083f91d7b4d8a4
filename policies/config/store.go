package config

import (
	"cmp"
	"errors"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"
)

// Store holds the configuration of a running gateway. All its methods may be
// called at any time from any goroutine.
type Store struct {
	path    string
	options Options
	apply   func(*Effective) error
	logger  *slog.Logger

	current atomic.Pointer[Effective]
	state   atomic.Pointer[State]
	// reloading is held during a reload, so that configurations are applied one
	// after the other.
	reloading sync.Mutex
}

// State is how the last reloads went, for health checks and metrics.
type State struct {
	// Generation is that of the running configuration, see
	// [Effective.Generation], and LoadedAt when it was put to use.
	Generation string
	LoadedAt   time.Time
	// Took is how long it was from reading the file to having it in use.
	Took time.Duration
	// Reloads counts the configurations that replaced another, Failures those
	// that were refused.
	Reloads, Failures uint64
	// Err says why the file as it is now is not the running configuration, since
	// FailedAt. It is nil if it is.
	Err      error
	FailedAt time.Time
}

// Open loads the configuration as [Load] does. apply is called with it, and
// with every later one before that becomes current; its error refuses the
// configuration. It may be nil.
func Open(path string, options Options, apply func(*Effective) error) (*Store, error) {
	if apply == nil {
		apply = func(*Effective) error { return nil }
	}
	s := &Store{path: path, options: options, apply: apply, logger: cmp.Or(options.Logger, slog.Default())}
	first, err := Load(path, options)
	if err != nil {
		return nil, err
	}
	if err := apply(first); err != nil {
		return nil, err
	}
	s.current.Store(first)
	s.state.Store(&State{Generation: first.Generation(), LoadedAt: time.Now()})
	s.warn(first)
	return s, nil
}

// Current returns the running configuration.
func (s *Store) Current() *Effective { return s.current.Load() }

// State returns how the last reloads went.
func (s *Store) State() State { return *s.state.Load() }

// Reload loads the configuration again and puts it to use if it changed. One
// that has problems is refused: the running one stays, the problems are logged,
// kept in State, and returned.
func (s *Store) Reload() error {
	s.reloading.Lock()
	defer s.reloading.Unlock()
	began := time.Now()
	next, err := Load(s.path, s.options)
	if err == nil && s.Current().equal(next) {
		s.recovered()
		return nil
	}
	if err == nil {
		err = s.apply(next)
	}
	if err != nil {
		s.refuse(err)
		return err
	}
	s.current.Store(next)
	s.state.Store(&State{
		Generation: next.Generation(), LoadedAt: time.Now(), Took: time.Since(began),
		Reloads: s.State().Reloads + 1, Failures: s.State().Failures,
	})
	s.logger.Info("configuration reloaded", "path", s.path, "generation", next.Generation())
	s.warn(next)
	return nil
}

func (s *Store) refuse(err error) {
	state := s.State()
	state.Failures++
	state.Err, state.FailedAt = err, time.Now()
	s.state.Store(&state)
	s.logger.Error("configuration refused, the running one stays", "path", s.path, "generation", state.Generation)
	var problems Problems
	if !errors.As(err, &problems) {
		s.logger.Error("configuration problem", "problem", err)
	}
	for _, problem := range problems {
		s.logger.Error("configuration problem", "problem", problem.String())
	}
}

// recovered forgets a failure when the file is again what is running.
func (s *Store) recovered() {
	state := s.State()
	if state.Err == nil {
		return
	}
	state.Err, state.FailedAt = nil, time.Time{}
	s.state.Store(&state)
	s.logger.Info("configuration is again the running one", "path", s.path, "generation", state.Generation)
}

func (s *Store) warn(effective *Effective) {
	for _, warning := range effective.warnings {
		s.logger.Warn("configuration warning", "warning", warning.String())
	}
}
