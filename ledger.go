package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"sync"
	"time"

	"github.com/switchyard/switchyard/policies/api"
	"github.com/switchyard/switchyard/policies/config/configpb"
	"github.com/switchyard/switchyard/policies/database"
	"github.com/switchyard/switchyard/policies/identity"
	"github.com/switchyard/switchyard/policies/money"
	"github.com/switchyard/switchyard/policies/usage"
	"github.com/switchyard/switchyard/policies/usage/journal"
	"github.com/switchyard/switchyard/policies/usage/ledger"
	"github.com/switchyard/switchyard/policies/usage/store"
)

// account is the gateway's ledger: the journal that requests write to, and the
// database behind it. Which database that is is read once, at the start.
type account struct {
	*journal.Journal
	database    *database.Pending
	generations generations
	ledger      *ledger.Ledger
	// settings has an entry when the configuration has changed.
	settings chan struct{}
}

// openAccount opens the ledger. A PostgreSQL that is down is waited for in the
// background, while the journal takes what happens.
func (g *gateway) openAccount(ctx context.Context) error {
	effective := g.current.Load().effective
	settings := effective.Config().GetLedger()
	if settings.GetDisabled() {
		return nil
	}
	kept, lost, err := journal.Open(filepath.Join(g.stateDirectory, "journal"), journal.Options{MaxBytes: effective.MaxJournal()})
	if err != nil {
		return err
	}
	if lost > 0 {
		g.log.Warn("the gateway ended while it served; the ledger has what it can tell, as estimates", "generations", lost)
	}
	if err := kept.Damage(); err != nil {
		g.log.Error("part of the ledger's journal cannot be read and is left out", "error", err.Error())
	}
	a := &account{Journal: kept, settings: make(chan struct{}, 1)}
	if postgres, ok := effective.LedgerPostgres(); ok {
		a.database = database.PendingPostgres(postgres.Reveal())
	} else {
		a.database = database.PendingSQLite(filepath.Join(g.stateDirectory, "ledger.db"))
		if err := a.database.Open(ctx); err != nil {
			return errors.Join(err, kept.Close())
		}
	}
	secret, err := g.identitySecret()
	if err != nil {
		return errors.Join(err, a.close())
	}
	a.generations = generations{a.database, identity.NewSealer(secret)}
	a.ledger = ledger.New(kept, a.generations, g.registry, g.log)
	g.account = a
	return nil
}

// run brings what happens to the database until ctx ends, and deletes what is older
// than it is to be.
func (a *account) run(ctx context.Context, g *gateway) {
	var beside sync.WaitGroup
	beside.Go(func() {
		a.database.Connect(ctx, g.log)
		if s, err := a.generations.store(ctx); err == nil { // else ctx has ended
			a.tidy(ctx, g, s)
		}
	})
	a.ledger.Run(ctx, drainLedger)
	beside.Wait()
}

const (
	// drainLedger is how long the end of the gateway waits for the database.
	drainLedger = 5 * time.Second
	tidyEvery   = time.Hour
)

// tidy adds up what is in no sum yet, and deletes what is older than it is to be, until
// ctx ends.
func (a *account) tidy(ctx context.Context, g *gateway, s *store.Store) {
	failed := func(what string, err error) bool {
		if err != nil && ctx.Err() == nil {
			g.log.Warn(what, "error", err.Error())
		}
		return err != nil
	}
	sweep := func(what string, keep time.Duration, purge func(context.Context, time.Time) (int64, error)) {
		deleted, err := purge(ctx, time.Now().Add(-keep))
		if !failed(what+" cannot be deleted", err) && deleted > 0 {
			g.log.Info(what+" are deleted", "entries", deleted)
		}
	}
	// What an earlier process may have told already is told again first: of what is gone by
	// then it would count twice.
	for a.ledger.CatchUp(ctx) == nil {
		failed("generations cannot be added to the sums", s.SumUp(ctx))
		failed("what end users spent cannot be condensed", s.CondenseUsers(ctx, time.Now()))
		settings := g.current.Load().effective.Config()
		all, said := retention(settings.GetLedger())
		sweep("old contents of generations", said, s.PurgeContents)
		if all > 0 {
			sweep("old generations", all, s.Purge)
		}
		sweep("old entries of who read what", settings.GetIdentity().GetReadLogRetention().AsDuration(), g.managed.store.PurgeReads)
		select {
		case <-ctx.Done():
		case <-a.settings:
		case <-time.After(tidyEvery):
		}
	}
}

// retention is how long generations are kept, zero for ever, and what was said in them.
func retention(settings *configpb.Ledger) (all, said time.Duration) {
	all, said = settings.GetRetention().AsDuration(), settings.GetContentRetention().AsDuration()
	if all > 0 {
		said = min(said, all)
	}
	return all, said
}

// check is the part of GET /health that says whether what requests come to finds room.
func (a *account) check() api.Check {
	waiting := fmt.Sprintf("%d bytes wait for the database", a.Bytes())
	if a.Full() {
		return api.Check{Name: "journal", Detail: "full, " + waiting + ": requests to models are refused"}
	}
	return api.Check{Name: "journal", OK: true, Detail: waiting}
}

// reconfigured deletes at once what is older than a new configuration keeps.
func (a *account) reconfigured() {
	select {
	case a.settings <- struct{}{}:
	default: // it is about to be done
	}
}

func (a *account) close() error { return errors.Join(a.Journal.Close(), a.database.Close()) }

// generations are those of a database that may not be there yet.
type generations struct {
	database *database.Pending
	sealer   identity.Sealer
}

func (g generations) store(ctx context.Context) (*store.Store, error) {
	db, err := g.database.Get(ctx)
	if err != nil {
		return nil, err
	}
	return store.New(db, g.sealer), nil
}

// Save is [store.Store.Save].
func (g generations) Save(ctx context.Context, generations []usage.Generation) error {
	s, err := g.store(ctx)
	if err != nil {
		return err
	}
	return s.Save(ctx, generations)
}

// Get is [store.Store.Get].
func (g generations) Get(ctx context.Context, id string) (*usage.Generation, error) {
	s, err := g.store(ctx)
	if err != nil {
		return nil, err
	}
	return s.Get(ctx, id)
}

// Content is [store.Store.Content].
func (g generations) Content(ctx context.Context, id string) (*usage.Content, error) {
	s, err := g.store(ctx)
	if err != nil {
		return nil, err
	}
	return s.Content(ctx, id)
}

// SpentBy is [store.Store.SpentBy].
func (g generations) SpentBy(ctx context.Context, who store.Who, since time.Time) (store.Bill, error) {
	s, err := g.store(ctx)
	if err != nil {
		return store.Bill{}, err
	}
	return s.SpentBy(ctx, who, since)
}

// Spending is [store.Store.Spending].
func (g generations) Spending(ctx context.Context, keyHashes []string, since store.Periods) (map[string]store.Spending, error) {
	s, err := g.store(ctx)
	if err != nil {
		return nil, err
	}
	return s.Spending(ctx, keyHashes, since)
}

// UpstreamSince is [store.Store.UpstreamSince].
func (g generations) UpstreamSince(ctx context.Context, since time.Time) (map[string]money.USD, error) {
	s, err := g.store(ctx)
	if err != nil {
		return nil, err
	}
	return s.UpstreamSince(ctx, since)
}

// Sums is [store.Store.Sums].
func (g generations) Sums(ctx context.Context, span store.Span, by ...store.Dimension) ([]store.Group, error) {
	s, err := g.store(ctx)
	if err != nil {
		return nil, err
	}
	return s.Sums(ctx, span, by...)
}

// PurgeWorkspaces is [store.Store.PurgeWorkspaces].
func (g generations) PurgeWorkspaces(ctx context.Context, before time.Time, workspaces []string) (int64, error) {
	s, err := g.store(ctx)
	if err != nil {
		return 0, err
	}
	return s.PurgeWorkspaces(ctx, before, workspaces)
}
