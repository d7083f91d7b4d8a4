package ledger

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/switchyard/switchyard/policies/database"
	"github.com/switchyard/switchyard/policies/identity"
	"github.com/switchyard/switchyard/policies/usage"
	"github.com/switchyard/switchyard/policies/usage/journal"
	"github.com/switchyard/switchyard/policies/usage/postgrestest"
	"github.com/switchyard/switchyard/policies/usage/store"
)

// kept is a store in memory that can be out of order.
type kept struct {
	mu     sync.Mutex
	down   error
	rows   map[string]int
	tries  int
	larger int
}

func (k *kept) Save(ctx context.Context, generations []usage.Generation) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.tries++
	k.larger = max(k.larger, len(generations))
	if k.down != nil {
		return k.down
	}
	if k.rows == nil {
		k.rows = make(map[string]int)
	}
	for i := range generations {
		k.rows[generations[i].ID]++
	}
	return ctx.Err()
}

func (k *kept) set(down error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.down = down
}

func (k *kept) count() int {
	k.mu.Lock()
	defer k.mu.Unlock()
	return len(k.rows)
}

func (k *kept) tried() int {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.tries
}

func openJournal(t *testing.T, directory string) *journal.Journal {
	t.Helper()
	j, _, err := journal.Open(directory, journal.Options{SegmentBytes: 4 << 10})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = j.Close() })
	return j
}

func settle(t *testing.T, j *journal.Journal, from, to int) {
	t.Helper()
	for i := from; i < to; i++ {
		g := usage.Generation{ID: fmt.Sprintf("gen-%d", i), KeyHash: "hash", Created: time.Unix(1_700_000_000, 0), Attempts: []usage.Attempt{{Number: 1, Outcome: "ok", Charge: usage.Charge{Total: 3}}}}
		if err := j.Settle(&g); err != nil {
			t.Fatal(err)
		}
	}
}

// run runs a ledger until stop is called, which waits for its end.
func run(t *testing.T, j *journal.Journal, s Store) (stop func()) {
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan struct{})
	l := New(j, s, prometheus.NewRegistry(), slog.New(slog.DiscardHandler))
	go func() {
		l.Run(ctx, time.Second)
		close(ended)
	}()
	return func() {
		cancel()
		<-ended
	}
}

// What a budget begins with includes what was settled a moment ago, and nothing is told
// while the store takes nothing.
func TestCatchUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		j, k := openJournal(t, t.TempDir()), &kept{}
		settle(t, j, 0, 3) // before the ledger runs, as after a crash
		l := New(j, k, prometheus.NewRegistry(), slog.New(slog.DiscardHandler))
		early, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if err := l.CatchUp(early); err == nil {
			t.Error("caught up although nothing runs")
		}
		ctx, stop := context.WithCancel(t.Context())
		ended := make(chan struct{})
		go func() { l.Run(ctx, time.Second); close(ended) }()
		for i := range 20 {
			settle(t, j, 10*i, 10*i+10)
			if i%2 > 0 {
				synctest.Wait() // it gathers by then
			}
			began := time.Now()
			if err := l.CatchUp(t.Context()); err != nil || k.count() != 10*i+10 {
				t.Fatalf("%d rows when caught up, %v; want %d", k.count(), err, 10*i+10)
			}
			if waited := time.Since(began); waited > 0 {
				t.Errorf("a request waits %v for what is settled", waited)
			}
		}
		k.set(errors.New("down"))
		settle(t, j, 200, 201)
		short, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if err := l.CatchUp(short); err == nil {
			t.Error("caught up although the store takes nothing")
		}
		k.set(nil)
		if err := l.CatchUp(t.Context()); err != nil || k.count() != 201 {
			t.Errorf("%d rows, %v", k.count(), err)
		}
		stop()
		<-ended
	})
}

func TestRowsAreThereWithinASecond(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		j, k := openJournal(t, t.TempDir()), &kept{}
		stop := run(t, j, k)
		defer stop()
		for i := range 5 {
			settle(t, j, 10*i, 10*i+10)
			time.Sleep(time.Second)
			if got := k.count(); got != 10*i+10 {
				t.Errorf("%d rows, want %d", got, 10*i+10)
			}
		}
		// The saver may wake in the middle of ten notes.
		if k.tried() < 5 || k.tried() > 10 {
			t.Errorf("50 rows saved in %d batches, want 5 to 10", k.tried())
		}
	})
}

func TestOutageLosesNothingAndIsNotHammered(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		j, k := openJournal(t, t.TempDir()), &kept{down: errors.New("connection refused")}
		defer run(t, j, k)()
		settle(t, j, 0, 1200)
		time.Sleep(time.Minute)
		settle(t, j, 1200, 1300)
		if tries := k.tried(); tries < 5 || tries > 20 {
			t.Errorf("%d tries in a minute", tries)
		}
		k.set(nil)
		time.Sleep(longestWait + time.Second)
		k.mu.Lock()
		defer k.mu.Unlock()
		if len(k.rows) != 1300 || k.larger > batch {
			t.Errorf("%d rows in batches of up to %d", len(k.rows), k.larger)
		}
		for id, times := range k.rows {
			if times != 1 {
				t.Errorf("%s was saved %d times", id, times)
			}
		}
	})
}

func TestEndSavesWhatIsLeft(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		directory := t.TempDir()
		j, k := openJournal(t, directory), &kept{}
		stop := run(t, j, k)
		settle(t, j, 0, 10)
		stop()
		if got := k.count(); got != 10 {
			t.Errorf("%d rows", got)
		}
		// What is not taken in time is there for the next process.
		k.set(errors.New("down"))
		stop = run(t, j, k)
		settle(t, j, 10, 20)
		stop()
		_ = j.Close()
		k.set(nil)
		j = openJournal(t, directory)
		defer run(t, j, k)()
		time.Sleep(time.Second)
		if got := k.count(); got != 20 {
			t.Errorf("%d rows after the restart", got)
		}
	})
}

// A real PostgreSQL that stops and starts again under load: no row is lost, and none
// is there twice.
func TestRealDatabaseStopsUnderLoad(t *testing.T) {
	server := postgrestest.Start(t)
	db, err := database.OpenPostgres(t.Context(), server.Connection())
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	saved := store.New(db, identity.NewSealer([]byte("secret")))
	j := openJournal(t, filepath.Join(t.TempDir(), "journal"))
	stop := run(t, j, saved)
	const requests = 3000
	var settled atomic.Int64
	var load sync.WaitGroup
	for part := range 4 {
		load.Go(func() {
			for i := range requests / 4 {
				settle(t, j, part*requests/4+i, part*requests/4+i+1)
				settled.Add(1)
			}
		})
	}
	server.Stop()
	server.Restart()
	load.Wait()
	deadline := time.Now().Add(30 * time.Second)
	for {
		total, err := saved.SpentBy(t.Context(), store.Who{KeyHash: "hash"}, time.Time{})
		if err == nil && total.Requests == requests {
			if total.Cost != 3*requests {
				t.Errorf("cost %v", total.Cost)
			}
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("%d of %d rows, %v", total.Requests, requests, err)
		}
		time.Sleep(20 * time.Millisecond) // the rows come when the database is back
	}
	stop()
}
