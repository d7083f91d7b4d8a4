package quota

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/switchyard/switchyard/policies/identity"
	"github.com/switchyard/switchyard/policies/money"
)

// What was spent is the least that counts; what the ledger does not know yet counts all
// the same.
func TestSeedIsTheLeastThatCounts(t *testing.T) {
	eachStore(t, func(t *testing.T, s *subject) {
		for _, reset := range []identity.Reset{identity.ResetNever, identity.ResetDaily} {
			budget := dollars(10, reset)
			seed := func(amount int64, want int64) {
				t.Helper()
				claim := Claim{Limit: budget, name: budget.counter(s.now), seed: amount, seeded: true}
				if err := s.Seed(t.Context(), claim, s.now); err != nil {
					t.Fatal(err)
				}
				s.wantUsed(want, budget)
			}
			seed(3e9, 3e9)
			held := NewClaim(budget, 2e9)
			first, second := "a"+reset.String(), "b"+reset.String()
			s.mustReserve(first, held)
			s.settle(first, Actual{Money: 2 * money.Dollar}, held)
			s.wantUsed(5e9, budget)
			seed(4e9, 5e9)
			s.mustReserve(second, NewClaim(budget, 4e9))
			seed(6e9, 6e9)
			if denial := s.mustRefuse("6 are used, and 4 held", "c", NewClaim(budget, 1)); denial.Used != 6e9 || denial.Held != 4e9 {
				t.Errorf("%+v", denial)
			}
			s.settle(second, Actual{}, NewClaim(budget, 4e9))
		}
	})
}

// A ledger that takes longer than a request waits is not asked anew by the next one.
func TestLedgerThatTakesLongIsHeardByTheNextRequest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var asked atomic.Int64
		var logged bytes.Buffer
		l := New(Options{Log: slog.New(slog.NewTextHandler(&logged, nil)), Spent: func(ctx context.Context, _ Limit, _ time.Time) (money.USD, error) {
			asked.Add(1)
			select {
			case <-ctx.Done():
				return 0, ctx.Err()
			case <-time.After(time.Minute):
				return money.Dollar / 2, nil
			}
		}})
		budget := dollars(1, identity.ResetNever)
		budget.Closed = true
		for range 3 {
			began := time.Now()
			if denial := mustRefuse(t, l, NewClaim(budget, 1)); !denial.Unknown || time.Since(began) != seedWithin {
				t.Errorf("%+v after %v", denial, time.Since(began))
			}
		}
		time.Sleep(time.Minute)
		if denial := mustRefuse(t, l, NewClaim(budget, 6e8)); denial.Unknown || denial.Used != 5e8 {
			t.Errorf("%+v, want what the ledger said", denial)
		}
		mustReserve(t, l, NewClaim(budget, 5e8))
		synctest.Wait()
		if asked.Load() != 1 || strings.Count(logged.String(), "\n") != 1 {
			t.Errorf("asked %d times, logged %s", asked.Load(), logged.String())
		}
	})
}

// While nobody can tell what was spent, nothing more is: not even under a budget that is
// open, whose store answers or goes by its own count while another does not.
func TestNobodySpendsWhileItIsNotKnownWhatWasSpent(t *testing.T) {
	for name, store := range map[string]func() Store{"its own store": func() Store { return nil }, "a shared store": func() Store { return NewMemory() }} {
		for _, closed := range []bool{true, false} {
			t.Run(fmt.Sprintf("%s, closed %v", name, closed), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					known := make(chan struct{})
					l := New(Options{Store: store(), Log: slog.New(slog.DiscardHandler), Spent: func(ctx context.Context, _ Limit, _ time.Time) (money.USD, error) {
						<-known
						return 9 * money.Dollar / 10, nil
					}})
					budget := dollars(1, identity.ResetNever)
					budget.Closed = closed
					var crowd sync.WaitGroup
					for range 50 {
						crowd.Go(func() {
							if r, denial := l.Reserve(t.Context(), []Claim{NewClaim(budget, 1)}, time.Now()); r != nil || !denial.Unknown || denial.RetryAfter <= 0 {
								t.Errorf("%+v, %+v", r, denial)
							}
						})
					}
					crowd.Wait()
					if l.Live() != 0 {
						t.Errorf("%d hold something", l.Live())
					}
					close(known)
					synctest.Wait()
					admitted := 0
					for range 50 {
						if r, _ := l.Reserve(t.Context(), []Claim{NewClaim(budget, 5e7)}, time.Now()); r != nil {
							admitted++
						}
					}
					if admitted != 2 {
						t.Errorf("%d times five cents are admitted for the ten that are left", admitted)
					}
				})
			})
		}
	}
}

// The database is not held up by what nobody needs any more.
func TestEndOfTheLimiterEndsWhatTheLedgerIsAsked(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ended := make(chan error, 1)
		l := New(Options{Log: slog.New(slog.DiscardHandler), Spent: func(ctx context.Context, _ Limit, _ time.Time) (money.USD, error) {
			<-ctx.Done()
			ended <- ctx.Err()
			return 0, ctx.Err()
		}})
		ctx, stop := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() { l.Run(ctx); close(done) }()
		mustRefuse(t, l, NewClaim(dollars(1, identity.ResetNever), 1))
		stop()
		<-done
		if err := <-ended; !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
	})
}

// What was spent while a budget of the configuration was taken out counts when it is back,
// as soon as the ledger has told, and is asked for once.
func TestWhatWasSpentWithoutABudgetCounts(t *testing.T) {
	for _, when := range []string{"reserved", "told"} {
		t.Run(when, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var spent, asked atomic.Int64
				l := New(Options{Spent: func(context.Context, Limit, time.Time) (money.USD, error) {
					asked.Add(1)
					return money.USD(spent.Load()), nil
				}})
				ctx, stop := context.WithCancel(t.Context())
				done := make(chan struct{})
				go func() { l.Run(ctx); close(done) }()
				budget := dollars(10, identity.ResetMonthly)
				mustReserve(t, l, NewClaim(budget, 1e9)).Settle(t.Context(), Actual{Money: money.Dollar}, time.Now())
				spent.Store(int64(20 * money.Dollar))
				l.Recheck()
				for range 3 {
					if when == "told" {
						_, _ = l.Used(t.Context(), budget, time.Now())
					} else if r, denial := l.Reserve(t.Context(), []Claim{NewClaim(budget, 0)}, time.Now()); denial == nil {
						r.Settle(t.Context(), Actual{}, time.Now())
					}
				}
				synctest.Wait()
				if denial := mustRefuse(t, l, NewClaim(budget, 1)); denial.Used != 20e9 {
					t.Errorf("%d nanodollars used, want what the ledger knows", denial.Used)
				}
				if asked.Load() != 2 {
					t.Errorf("the ledger was asked %d times, want once at first and once again", asked.Load())
				}
				stop()
				<-done
			})
		})
	}
}

// What was under way when a budget came to hold is held by no counter of it. It counts
// when the ledger is asked again.
func TestWhatWasUnderWayWhenABudgetCameCounts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var spent atomic.Int64
		l := New(Options{Spent: func(context.Context, Limit, time.Time) (money.USD, error) { return money.USD(spent.Load()), nil }})
		ctx, stop := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() { l.Run(ctx); close(done) }()
		budget := dollars(10, identity.ResetMonthly)
		mustReserve(t, l, NewClaim(budget, 1e9)).Settle(t.Context(), Actual{Money: money.Dollar}, time.Now())
		for i, within := range []time.Duration{2 * askAgain[1], askAgain[2] + 2*askAgain[1]} {
			spent.Store(int64(money.Dollar) * int64(4*i+4))
			time.Sleep(within)
			if used, err := l.Used(t.Context(), budget, time.Now()); err != nil || used != int64(4*i+4)*1e9 {
				t.Errorf("%d used after %v, %v", used, within, err)
			}
		}
		stop()
		<-done
	})
}
