package quota

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/switchyard/switchyard/policies/identity"
	"github.com/switchyard/switchyard/policies/money"
	"github.com/switchyard/switchyard/policies/redis"
	"github.com/switchyard/switchyard/policies/redis/redistest"
)

func mustReserve(t *testing.T, l *Limiter, all ...Claim) *Reservation {
	t.Helper()
	r, denial := l.Reserve(t.Context(), all, time.Now())
	if denial != nil {
		t.Fatalf("refused: %+v", denial)
	}
	return r
}

func mustRefuse(t *testing.T, l *Limiter, all ...Claim) *Denial {
	t.Helper()
	r, denial := l.Reserve(t.Context(), all, time.Now())
	if denial == nil {
		t.Fatalf("admitted as %s", r.id)
	}
	return denial
}

func TestNoClaimsAreGranted(t *testing.T) {
	l := New(Options{})
	r, denial := l.Reserve(t.Context(), nil, time.Now())
	r.Release(t.Context(), time.Now())
	r.Settle(t.Context(), Actual{Tokens: 1}, time.Now())
	if r != nil || denial != nil || l.Live() != 0 {
		t.Errorf("%+v, %+v, %d live", r, denial, l.Live())
	}
}

func TestOnlyTheFirstSettlementCounts(t *testing.T) {
	l, claim := New(Options{}), NewClaim(tokensIn(100, time.Hour), 60)
	r := mustReserve(t, l, claim)
	var group sync.WaitGroup
	for range 10 {
		group.Go(func() { r.Settle(t.Context(), Actual{Tokens: 7}, time.Now()) })
	}
	group.Wait()
	if used, err := l.Used(t.Context(), claim.Limit, time.Now()); err != nil || used != 7 || l.Live() != 0 {
		t.Errorf("%d used, %v; want 7, and nothing live but %d", used, err, l.Live())
	}
}

// What is under way keeps its place for as long as its process lives, however long
// that is.
func TestRunRenewsReservations(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, claim := New(Options{}), NewClaim(atOnce(1), 1)
		ctx, stop := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() { l.Run(ctx); close(done) }()
		r := mustReserve(t, l, claim)
		time.Sleep(10 * Lease)
		mustRefuse(t, l, claim)
		r.Settle(t.Context(), Actual{}, time.Now())
		mustReserve(t, l, claim)
		stop()
		<-done
		time.Sleep(Lease) // nobody renews it any more
		mustReserve(t, l, claim)
	})
}

// The ledger is asked once for each budget and period, by however many requests.
func TestBudgetBeginsWithWhatTheLedgerKnows(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var asked atomic.Int64
		spent, budget := money.Dollar/2, dollars(1, identity.ResetDaily)
		l := New(Options{Spent: func(ctx context.Context, of Limit, since time.Time) (money.USD, error) {
			asked.Add(1)
			time.Sleep(100 * time.Millisecond)
			if of != budget || !since.Equal(identity.ResetDaily.Start(time.Now())) {
				t.Errorf("asked for %+v since %v", of, since)
			}
			return spent, nil
		}})
		var admitted atomic.Int64
		var group sync.WaitGroup
		for range 200 {
			group.Go(func() {
				if _, denial := l.Reserve(t.Context(), []Claim{NewClaim(budget, 1e8)}, time.Now()); denial == nil {
					admitted.Add(1)
				} else if denial.Used != 5e8 {
					t.Errorf("%+v", denial)
				}
			})
		}
		group.Wait()
		if admitted.Load() != 5 || asked.Load() != 1 {
			t.Errorf("%d admitted, the ledger asked %d times; want 5 and once", admitted.Load(), asked.Load())
		}
		spent = 0
		time.Sleep(24 * time.Hour)
		mustReserve(t, l, NewClaim(budget, 1e9))
		if asked.Load() != 2 {
			t.Errorf("the ledger was asked %d times, want once for each day", asked.Load())
		}
	})
}

// What is spent while there is no budget counts when there is one again, also for a
// gateway that counted before.
func TestBudgetThatComesBackBeginsWithWhatTheLedgerKnows(t *testing.T) {
	stores := map[string]func(t *testing.T) Store{
		"memory": func(*testing.T) Store { return NewMemory() },
		"redis":  func(t *testing.T) Store { return NewRedis(openPatient(t, redistest.Start(t))) },
	}
	for name, store := range stores {
		t.Run(name, func(t *testing.T) {
			spent := money.USD(0)
			l := New(Options{Store: store(t), Spent: func(context.Context, Limit, time.Time) (money.USD, error) { return spent, nil }})
			key := &identity.Key{Hash: "h", Workspace: "w", Organization: "o"}
			budgeted := func(since time.Time, amount money.USD) []Claim {
				budget := identity.Budget{Amount: amount, Reset: identity.ResetMonthly, Since: since}
				var all []Claim
				for _, limit := range (*Rules)(nil).With(Accounts{Budgets: map[string][]identity.Budget{"w": {budget}}}).Request(key, "") {
					all = append(all, NewClaim(limit, Nanodollars(money.Dollar)))
				}
				return all
			}
			first, again := time.Now(), time.Now().Add(time.Minute)
			mustReserve(t, l, budgeted(first, 10*money.Dollar)...).Settle(t.Context(), Actual{Money: money.Dollar}, time.Now())
			spent = 101 * money.Dollar
			if denial := mustRefuse(t, l, budgeted(again, 10*money.Dollar)...); denial.Used != 101e9 {
				t.Errorf("%d nanodollars used, want what the ledger knows", denial.Used)
			}
			mustReserve(t, l, budgeted(again, 200*money.Dollar)...)
		})
	}
}

// However often a budget is set anew, what requests under way hold of it they hold: also of
// other gateways that share the counter.
func TestBudgetThatIsSetAnewKeepsWhatIsHeld(t *testing.T) {
	eachStore(t, func(t *testing.T, s *subject) {
		told := Options{Store: s.Store, Spent: func(context.Context, Limit, time.Time) (money.USD, error) { return money.Dollar, nil }}
		gateways := []*Limiter{New(told), New(told)}
		var held []*Reservation
		for i := range 20 {
			budget := dollars(10, identity.ResetMonthly)
			if i > 0 {
				budget.Since = s.now.Add(time.Duration(i) * time.Second)
			}
			r, denial := gateways[i%2].Reserve(t.Context(), []Claim{NewClaim(budget, 4e9)}, s.now)
			switch {
			case denial == nil:
				held = append(held, r)
			case denial.Used != 1e9 || denial.Held != 8e9:
				t.Errorf("%+v, want one used and eight held", denial)
			}
		}
		if len(held) != 2 {
			t.Fatalf("%d of $4 under way under $9", len(held))
		}
		for _, r := range held {
			r.Settle(t.Context(), Actual{Money: 3 * money.Dollar}, s.now)
		}
		s.wantUsed(7e9, dollars(10, identity.ResetMonthly))
	})
}

// Row 163 at the very moment of midnight, by the clock of the process.
func TestRow163DailyResetByTheClock(t *testing.T) {
	synctest.Test(t, func(t *testing.T) { // its clock begins at midnight
		l, claim := New(Options{}), NewClaim(dollars(1, identity.ResetDaily), 1e9)
		mustReserve(t, l, claim).Settle(t.Context(), Actual{Money: money.Dollar}, time.Now())
		time.Sleep(24*time.Hour - 1)
		denial := mustRefuse(t, l, claim)
		if denial.RetryAfter != 1 || !denial.Exhausted() {
			t.Errorf("%+v, want a refusal for a nanosecond", denial)
		}
		time.Sleep(denial.RetryAfter)
		mustReserve(t, l, claim)
	})
}

// A stream over midnight counts for the day on which it was asked, as in the ledger.
func TestStreamOverMidnightCountsForItsFirstDay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, claim := New(Options{}), NewClaim(dollars(1, identity.ResetDaily), 1e9)
		time.Sleep(24*time.Hour - time.Second)
		r := mustReserve(t, l, claim)
		time.Sleep(2 * time.Second)
		r.Settle(t.Context(), Actual{Money: money.Dollar}, time.Now())
		mustReserve(t, l, claim)
	})
}

func TestLedgerThatDoesNotTell(t *testing.T) {
	l := New(Options{Log: slog.New(slog.DiscardHandler), Spent: func(context.Context, Limit, time.Time) (money.USD, error) {
		return 0, errors.New("down")
	}})
	if denial := mustRefuse(t, l, NewClaim(dollars(1, identity.ResetNever), 1)); !denial.Unknown || denial.RetryAfter <= 0 {
		t.Errorf("%+v, want one that is not known", denial)
	}
	mustReserve(t, l, NewClaim(atOnce(1), 1))
}

func TestRefusalIsRemembered(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, limit := New(Options{}), requestsIn(1, 10*time.Second)
		raised := limit
		raised.Most = 2
		mustReserve(t, l, NewClaim(limit, 1))
		if l.Refused([]Limit{limit}, time.Now()) != nil {
			t.Error("refused before anyone was")
		}
		time.Sleep(4 * time.Second)
		mustRefuse(t, l, NewClaim(limit, 1))
		time.Sleep(time.Second)
		if d := l.Refused([]Limit{atOnce(1), limit}, time.Now()); d == nil || d.RetryAfter != 5*time.Second {
			t.Errorf("%+v, want what is left of the wait", d)
		}
		if l.Refused([]Limit{raised}, time.Now()) != nil {
			t.Error("a raised limit refuses still")
		}
		time.Sleep(5 * time.Second)
		if l.Refused([]Limit{limit}, time.Now()) != nil {
			t.Error("refused when the wait is over")
		}
	})
}

func limiterOn(client *redis.Client, log *bytes.Buffer, spent func(context.Context, Limit, time.Time) (money.USD, error)) *Limiter {
	return New(Options{Store: NewRedis(client), Bound: client.Bound, Spent: spent, Log: slog.New(slog.NewTextHandler(log, nil))})
}

// Known failure 44, stopped and paused: open limits go by the gateway's own count,
// closed ones refuse, nobody waits, and what happened in the outage counts afterwards.
func TestOutageOfRedis(t *testing.T) {
	for name, outage := range map[string]struct{ begin, end func(*redistest.Server) }{
		"stopped": {(*redistest.Server).Stop, (*redistest.Server).Restart},
		"paused":  {(*redistest.Server).Pause, (*redistest.Server).Resume},
	} {
		t.Run(name, func(t *testing.T) {
			var logged bytes.Buffer
			server := redistest.Start(t)
			client := openWith(t, server, 200*time.Millisecond)
			var ledger atomic.Int64 // picodollars
			l := limiterOn(client, &logged, func(context.Context, Limit, time.Time) (money.USD, error) { return money.USD(ledger.Load()), nil })
			open, closed := requestsIn(2, time.Hour), atOnce(10)
			closed.Closed = true
			budget := dollars(1, identity.ResetMonthly) // open
			under := mustReserve(t, l, NewClaim(closed, 1), NewClaim(budget, 3e8))
			mustReserve(t, l, NewClaim(open, 1))

			outage.begin(server)
			now := time.Now()
			for i := 0; !l.Outage(); i++ {
				if denial := mustRefuse(t, l, NewClaim(closed, 1)); !denial.Unknown || i > 10 {
					t.Fatalf("%+v", denial)
				}
			}
			mustReserve(t, l, NewClaim(open, 1))
			mustReserve(t, l, NewClaim(open, 1))
			if denial := mustRefuse(t, l, NewClaim(open, 1)); denial.Unknown || denial.Used != 2 {
				t.Errorf("%+v, want it refused by the gateway's own count", denial)
			}
			mustRefuse(t, l, NewClaim(open, 1), NewClaim(closed, 1))
			alone := mustReserve(t, l, NewClaim(budget, 2e8))
			alone.Settle(t.Context(), Actual{Money: money.Dollar / 10}, time.Now())
			under.Settle(t.Context(), Actual{Money: money.Dollar / 5}, time.Now())
			if took := time.Since(now); took > 5*time.Second {
				t.Errorf("the outage was waited for, %v", took)
			}
			if l.Waiting() != 2 {
				t.Errorf("%d settlements wait, want 2", l.Waiting())
			}

			ledger.Store(int64(3 * money.Dollar / 10))
			outage.end(server)
			for i := range 10_000 {
				if l.settlePending(t.Context(), time.Now().Add(time.Duration(i)*redis.Pause)); l.Waiting() == 0 {
					break
				}
			}
			r := mustReserve(t, l, NewClaim(closed, 1), NewClaim(budget, 1))
			l.seedAgain(t.Context(), time.Now().Add(time.Hour))
			r.Settle(t.Context(), Actual{}, time.Now())
			if used, err := l.Used(t.Context(), budget, time.Now()); err != nil || used != 3e8 {
				t.Errorf("%d nanodollars used, %v; want what was settled in the outage", used, err)
			}
			if got := logged.String(); strings.Count(got, "\n") != 2 || strings.Count(got, "does not answer") != 1 || strings.Count(got, "answers again") != 1 {
				t.Errorf("logged:\n%swant one line for the begin and one for the end", got)
			}
		})
	}
}

// An outage may be longer than a lease. What is under way is told again as soon as it is
// over, not when the next renewal is due.
func TestLeasesThatEndedInAnOutage(t *testing.T) {
	var logged bytes.Buffer
	server := redistest.Start(t)
	client := openWith(t, server, 200*time.Millisecond)
	l := limiterOn(client, &logged, nil)
	store, later := l.options.Store.(*Redis), time.Duration(0)
	store.clock = func() time.Time { return time.Now().Add(later) }
	claim, other := NewClaim(atOnce(2), 1), NewClaim(requestsIn(1e9, time.Hour), 1)
	r := mustReserve(t, l, claim)
	server.Pause()
	for !l.Outage() {
		mustReserve(t, l, other) // by the gateway's own count
	}
	later = 2 * Lease
	server.Resume()
	for i := 0; l.Outage(); i++ {
		if _, denial := l.Reserve(t.Context(), []Claim{other}, time.Now().Add(time.Duration(i)*redis.Pause)); denial != nil || i > 1000 {
			t.Fatal(i, denial)
		}
	}
	if len(l.answered) != 1 {
		t.Error("nobody is woken who renews")
	}
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() { l.Run(ctx); close(done) }()
	defer func() { stop(); <-done }()
	lives := func() bool {
		value, err := client.HGet(t.Context(), store.prefix+claim.counter(start), "h"+r.id).Bytes()
		return err == nil && time.UnixMicro(int64(math.Float64frombits(binary.LittleEndian.Uint64(value)))).After(store.clock())
	}
	for began := time.Now(); !lives(); {
		if time.Since(began) > 3*renewEvery {
			t.Fatal("it is not told again")
		}
	}
}

// A Redis that lost its data is told again what is under way, before anything is
// admitted, and what was spent.
func TestRedisThatLostItsData(t *testing.T) {
	var logged bytes.Buffer
	client := openPatient(t, redistest.Start(t))
	budget := dollars(1, identity.ResetDaily)
	l := limiterOn(client, &logged, func(context.Context, Limit, time.Time) (money.USD, error) { return money.Dollar / 2, nil })
	under := mustReserve(t, l, NewClaim(budget, 3e8))
	if err := client.FlushAll(t.Context()).Err(); err != nil {
		t.Fatal(err)
	}
	if denial := mustRefuse(t, l, NewClaim(budget, 3e8)); denial.Used != 5e8 || denial.Held != 3e8 {
		t.Errorf("%+v, want what is spent and what is under way to count", denial)
	}
	under.Settle(t.Context(), Actual{Money: money.Dollar / 10}, time.Now())
	if used, err := l.Used(t.Context(), budget, time.Now()); err != nil || used != 6e8 {
		t.Errorf("%d used, %v", used, err)
	}
}

// A settlement whose answer was lost is told again, and counts once.
func TestSettlementToldTwiceCountsOnce(t *testing.T) {
	store, limit := NewRedis(openPatient(t, redistest.Start(t))), tokensIn(1000, time.Hour)
	all := claims(time.Now(), NewClaim(limit, 100))
	if _, err := store.Reserve(t.Context(), "a", all, time.Now()); err != nil {
		t.Fatal(err)
	}
	for range 3 {
		if err := store.Settle(t.Context(), "a", all, Actual{Tokens: 70}, time.Now()); err != nil {
			t.Fatal(err)
		}
	}
	if used, err := store.Used(t.Context(), all, time.Now()); err != nil || used[0] != 70 {
		t.Errorf("used %v, %v; want 70", used, err)
	}
}

// A client that hangs up while Redis is asked is not an outage of Redis, and nothing is
// held for it.
func TestHungUpClientIsNoFailure(t *testing.T) {
	var logged bytes.Buffer
	l := limiterOn(openPatient(t, redistest.Start(t)), &logged, nil)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	claim := NewClaim(atOnce(1), 1)
	r, denial := l.Reserve(ctx, []Claim{claim}, time.Now())
	if denial != nil || l.Failures() != 0 || l.Outage() {
		t.Fatalf("%+v, %d failures", denial, l.Failures())
	}
	r.Settle(ctx, Actual{}, time.Now())
	mustReserve(t, l, claim)
}

func TestRedisHoldsNoNamesOfUsers(t *testing.T) {
	var logged bytes.Buffer
	client := openPatient(t, redistest.Start(t))
	l := limiterOn(client, &logged, nil)
	key := &identity.Key{Hash: "h", User: identity.Limits{Concurrency: 1}}
	for _, limit := range (*Rules)(nil).Request(key, "alice@example.com") {
		mustReserve(t, l, NewClaim(limit, 1))
	}
	names, err := client.Keys(t.Context(), "*").Result()
	if err != nil || len(names) == 0 || strings.Contains(fmt.Sprint(names), "alice") {
		t.Errorf("keys %q, %v", names, err)
	}
}

// Nothing is left behind in Redis for good, but budgets that nobody else could tell.
func TestRedisForgets(t *testing.T) {
	client := openPatient(t, redistest.Start(t))
	store := NewRedis(client)
	all := claims(time.Now(), requestClaims("k", 10)...)
	for i := range 3 {
		id := fmt.Sprint(i)
		if _, err := store.Reserve(t.Context(), id, all, time.Now()); err != nil {
			t.Fatal(err)
		}
		if i == 2 {
			break
		}
		if err := store.Settle(t.Context(), id, all, Actual{Tokens: 5, Money: 5}, time.Now()); err != nil {
			t.Fatal(err)
		}
	}
	names, err := client.Keys(t.Context(), "*").Result()
	if err != nil || len(names) < 6 {
		t.Fatalf("keys %q, %v", names, err)
	}
	for _, name := range names {
		if left, err := client.PTTL(t.Context(), name).Result(); err != nil || left <= 0 || left > 48*time.Hour {
			t.Errorf("%s has %v to live, %v", name, left, err)
		}
	}
}

func FuzzReadVerdict(f *testing.F) {
	f.Add(int64(1), int64(1), int64(5), int64(3), int64(1000), int64(-1), 6)
	f.Add(int64(2), int64(9), int64(0), int64(0), int64(0), int64(0), 2)
	f.Add(int64(0), int64(0), int64(0), int64(0), int64(0), int64(0), -1)
	f.Fuzz(func(t *testing.T, kind, index, used, held, wait, reset int64, length int) {
		var answer any = kind
		if length >= 0 {
			all := []any{kind, index, used, held, wait, reset}
			answer = all[:min(length, len(all))]
		}
		all := requestClaims("k", 10)
		verdict, err := readVerdict(answer, all, start)
		for _, i := range verdict.Unseeded {
			if i < 0 || i >= len(all) {
				t.Errorf("claim %d of %d", i, len(all))
			}
		}
		if err != nil && (verdict.Denial != nil || verdict.Unseeded != nil) {
			t.Errorf("%+v beside %v", verdict, err)
		}
	})
}

// One operation is a request against a real Redis: reserved and settled, one round trip
// each.
func BenchmarkRedis(b *testing.B) {
	client := openPatient(b, redistest.Start(b))
	store := NewRedis(client)
	all := claims(time.Now(), requestClaims("k", 1e6)...)
	b.Run("round trip alone", func(b *testing.B) {
		for b.Loop() {
			if err := client.Ping(b.Context()).Err(); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("reserve", func(b *testing.B) {
		defer reportScript(b, client)()
		b.ReportAllocs()
		for n := 0; b.Loop(); n++ {
			if verdict, err := store.Reserve(b.Context(), fmt.Sprint("r", b.N, n), all, time.Now()); err != nil || verdict.Denial != nil {
				b.Fatal(verdict, err)
			}
		}
	})
	b.Run("reserve and settle", func(b *testing.B) {
		b.ReportAllocs()
		for n := 0; b.Loop(); n++ {
			id := fmt.Sprint("s", b.N, n)
			if verdict, err := store.Reserve(b.Context(), id, all, time.Now()); err != nil || verdict.Denial != nil {
				b.Fatal(verdict, err)
			}
			if err := store.Settle(b.Context(), id, all, Actual{Tokens: 100, Money: 1e6}, time.Now()); err != nil {
				b.Fatal(err)
			}
		}
	})
}

// reportScript adds what a call takes inside Redis, which a busy machine stretches less
// than the round trip.
func reportScript(b *testing.B, client *redis.Client) func() {
	b.Helper()
	if err := client.ConfigResetStat(b.Context()).Err(); err != nil {
		b.Fatal(err)
	}
	return func() {
		told, err := client.Info(context.Background(), "commandstats").Result()
		if err != nil {
			b.Fatal(err)
		}
		_, told, _ = strings.Cut(told, "cmdstat_evalsha:")
		_, told, _ = strings.Cut(told, "usec_per_call=")
		told, _, _ = strings.Cut(told, ",")
		if micros, err := strconv.ParseFloat(told, 64); err == nil {
			b.ReportMetric(micros, "script-µs/op")
		}
	}
}
