// Package ledger brings generations from the journal to the database, off the path of
// requests.
package ledger

import (
	"context"
	"log/slog"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/switchyard/switchyard/policies/usage"
	"github.com/switchyard/switchyard/policies/usage/journal"
)

// Store is where generations end up.
type Store interface {
	// Save keeps generations, all of them or none. One whose id it has is left as
	// it is: a generation is told again after a crash.
	Save(ctx context.Context, generations []usage.Generation) error
}

const (
	// batch is how many generations are saved at once, gather how long more are
	// waited for: a row is to be seen within a second, and a transaction costs the same
	// for one as for many.
	batch  = 500
	gather = 200 * time.Millisecond

	saveTimeout = 30 * time.Second
	firstRetry  = 100 * time.Millisecond
	longestWait = 10 * time.Second
)

// Ledger moves what is settled to a store. Its methods may be called concurrently.
type Ledger struct {
	journal *journal.Journal
	store   Store
	log     *slog.Logger
	mark    journal.Mark // of the goroutine in Run alone
	asked   chan chan<- struct{}
	saved   prometheus.Counter
	failed  prometheus.Counter
}

// New returns a ledger that registers its metrics with registry.
func New(from *journal.Journal, store Store, registry prometheus.Registerer, log *slog.Logger) *Ledger {
	l := &Ledger{
		journal: from, store: store, log: log, asked: make(chan chan<- struct{}),
		saved: prometheus.NewCounter(prometheus.CounterOpts{
			Namespace: "switchyard", Name: "ledger_saved_total", Help: "Generations that the ledger's database has taken.",
		}),
		failed: prometheus.NewCounter(prometheus.CounterOpts{
			Namespace: "switchyard", Name: "ledger_failures_total", Help: "Failed tries to save generations; they stay in the journal.",
		}),
	}
	waiting := prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Namespace: "switchyard", Name: "ledger_journal_bytes", Help: "Size of the journal of generations on local disk.",
	}, func() float64 { return float64(from.Bytes()) })
	registry.MustRegister(l.saved, l.failed, waiting)
	return l
}

// Run saves what is settled until ctx ends, and then what is left, for as long as
// drain. What a store does not take stays in the journal, for the next process.
func (l *Ledger) Run(ctx context.Context, drain time.Duration) {
	for ctx.Err() == nil {
		if l.saveAll(ctx) {
			l.wait(ctx)
		}
	}
	last, cancel := context.WithTimeout(context.WithoutCancel(ctx), drain)
	defer cancel()
	if !l.saveAll(last) {
		l.log.Warn("the ledger's database did not take all generations in time; they stay in the journal")
	}
}

// wait waits until something is settled, and a moment more for what comes with it; or
// until someone wants all of it saved.
func (l *Ledger) wait(ctx context.Context) {
	settled, gathered := l.journal.Settled(), (<-chan time.Time)(nil)
	for {
		select {
		case <-ctx.Done():
			return
		case <-settled:
			settled, gathered = nil, time.After(gather)
		case <-gathered:
			return
		case done := <-l.asked: // a request waits for this
			if l.saveAll(ctx) {
				close(done)
			}
			return
		}
	}
}

// CatchUp returns when all is saved that was settled before the call. The error is that
// of ctx: the store may take nothing for a while.
func (l *Ledger) CatchUp(ctx context.Context) error {
	done := make(chan struct{})
	select {
	case <-ctx.Done():
		return ctx.Err()
	case l.asked <- done:
	}
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-done:
		return nil
	}
}

// saveAll saves all that is settled, trying again until ctx ends. It reports whether
// all is saved.
func (l *Ledger) saveAll(ctx context.Context) bool {
	retry := firstRetry
	for ctx.Err() == nil {
		found, next, err := l.journal.Read(l.mark, batch)
		if err != nil {
			l.log.Error("part of the ledger's journal cannot be read and is left out", "error", err.Error())
		}
		if len(found) > 0 {
			if err := l.save(ctx, found); err != nil {
				l.failed.Inc()
				l.log.Warn("the ledger's database takes no generations; they stay in the journal", "error", err.Error(), "retry_in", retry)
				pause(ctx, retry)
				retry = min(2*retry, longestWait)
				continue
			}
		}
		retry = firstRetry
		l.saved.Add(float64(len(found)))
		l.mark = next
		if err := l.journal.Forget(next); err != nil {
			l.log.Error("a segment of the ledger's journal cannot be deleted", "error", err.Error())
		}
		if len(found) == 0 {
			return true
		}
	}
	return false
}

func (l *Ledger) save(ctx context.Context, found []usage.Generation) error {
	ctx, cancel := context.WithTimeout(ctx, saveTimeout)
	defer cancel()
	return l.store.Save(ctx, found)
}

// pause waits, but not beyond the end of ctx.
func pause(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-timer.C:
	}
}
