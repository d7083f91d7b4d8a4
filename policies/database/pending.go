package database

import (
	"context"
	"errors"
	"log/slog"
	"sync/atomic"
	"time"
)

// Pending is a database that may not be there yet. Who needs it does not wait for it.
// All methods but Connect may be called concurrently.
type Pending struct {
	open func(ctx context.Context) (*DB, error)
	db   atomic.Pointer[DB]
}

// ErrPending: the database has not answered yet.
var ErrPending = errors.New("the gateway's database is not reached yet")

const (
	// openTimeout leaves room for a change of the schema that reads all rows.
	openTimeout    = 15 * time.Minute
	reconnectEvery = 2 * time.Second
)

// PendingSQLite is a file that is yet to be opened as [OpenSQLite] does.
func PendingSQLite(file string) *Pending {
	return &Pending{open: func(ctx context.Context) (*DB, error) { return OpenSQLite(ctx, file) }}
}

// PendingPostgres is a database that is yet to be opened as [OpenPostgres] does.
func PendingPostgres(connection string) *Pending {
	return &Pending{open: func(ctx context.Context) (*DB, error) { return OpenPostgres(ctx, connection) }}
}

// Connect opens the database, trying again until ctx ends.
func (p *Pending) Connect(ctx context.Context, log *slog.Logger) {
	for ctx.Err() == nil {
		trying, cancel := context.WithTimeout(ctx, openTimeout)
		err := p.Open(trying)
		cancel()
		if err == nil {
			return
		}
		if ctx.Err() == nil {
			log.Warn("the gateway's database is not reached; the journal keeps what happens", "error", err.Error(), "retry_in", reconnectEvery)
		}
		select {
		case <-ctx.Done():
		case <-time.After(reconnectEvery):
		}
	}
}

// Open opens the database now, if it is not. It is not called beside itself or Connect.
func (p *Pending) Open(ctx context.Context) error {
	if p.db.Load() != nil {
		return nil
	}
	db, err := p.open(ctx)
	if err == nil {
		p.db.Store(db)
	}
	return err
}

// Get returns the database, or [ErrPending].
func (p *Pending) Get(context.Context) (*DB, error) {
	if db := p.db.Load(); db != nil {
		return db, nil
	}
	return nil, ErrPending
}

// Close ends the use of the database.
func (p *Pending) Close() error {
	if db := p.db.Load(); db != nil {
		return db.Close()
	}
	return nil
}
