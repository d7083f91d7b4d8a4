package store

import (
	"context"
	"errors"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/switchyard/switchyard/policies/byok"
)

const (
	// poll is how often the version is asked for: a change is to be seen everywhere
	// within a second.
	poll = 400 * time.Millisecond
	// longestLoad bounds one look at the database.
	longestLoad = 10 * time.Second
)

// Watcher keeps the newest snapshot in use. While the database is down, the last one
// stays.
type Watcher struct {
	store *Store
	use   func(Snapshot)
	log   *slog.Logger

	// turn has one entry: whoever looks takes it, and waits no longer than it may.
	turn   chan struct{}
	known  bool        // a snapshot is in use
	newest int64       // its version
	vault  *byok.Vault // which its own keys were opened with
	failed atomic.Bool // the last look at the database
}

// NewWatcher hands each snapshot to use, one after the other.
func NewWatcher(store *Store, use func(Snapshot), log *slog.Logger) *Watcher {
	return &Watcher{store: store, use: use, log: log, turn: make(chan struct{}, 1)}
}

// Run looks for changes until ctx ends.
func (w *Watcher) Run(ctx context.Context) {
	ticker := time.NewTicker(poll)
	defer ticker.Stop()
	for {
		bounded, cancel := context.WithTimeout(ctx, longestLoad)
		_ = w.Refresh(bounded) // tells of its failures itself
		cancel()
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
	}
}

// Refresh looks for changes once. When it returns nil, what was changed before the call
// is in use. A failure is logged when it begins, and when it is over.
func (w *Watcher) Refresh(ctx context.Context) error {
	select {
	case w.turn <- struct{}{}:
	case <-ctx.Done():
		return ctx.Err()
	}
	defer func() { <-w.turn }()
	err := w.refresh(ctx)
	switch {
	case errors.Is(ctx.Err(), context.Canceled): // the gateway ends
	case err != nil && !w.failed.Load():
		w.failed.Store(true)
		w.log.Error("managed keys cannot be read; those known stay in use", "error", err.Error())
	case err == nil && w.failed.Load():
		w.failed.Store(false)
		w.log.Info("managed keys can be read again")
	}
	return err
}

// Failed reports whether the last look at the database failed. It may be called at any
// time.
func (w *Watcher) Failed() bool { return w.failed.Load() }

func (w *Watcher) refresh(ctx context.Context) error {
	vault := w.store.vault.Load()
	version, err := w.store.Version(ctx)
	if err != nil || w.known && version == w.newest && vault == w.vault {
		return err
	}
	snapshot, err := w.store.Load(ctx)
	if err != nil {
		return err
	}
	if snapshot.Forged > 0 {
		w.log.Error("the database has keys that no gateway with this secret made; they are refused", "keys", snapshot.Forged)
	}
	if len(snapshot.Unreadable) > 0 {
		w.log.Error("some of what is managed cannot be read: who is held to it is refused, and own keys are left out",
			"entries", len(snapshot.Unreadable), "error", errors.Join(snapshot.Unreadable...).Error())
	}
	w.use(snapshot)
	w.known, w.newest, w.vault = true, snapshot.Version, vault
	return nil
}
