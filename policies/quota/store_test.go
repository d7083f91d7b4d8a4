package quota

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"go.uber.org/goleak"
	"google.golang.org/protobuf/types/known/durationpb"

	"github.com/switchyard/switchyard/policies/identity"
	"github.com/switchyard/switchyard/policies/money"
	"github.com/switchyard/switchyard/policies/redis"
	"github.com/switchyard/switchyard/policies/redis/redistest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var start = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC) // a Thursday

func after(d time.Duration) time.Time { return start.Add(d) }

func requestsIn(most int64, window time.Duration) Limit {
	return Limit{Scope: "key:k", Measure: Requests, Most: most, Window: window}
}

func tokensIn(most int64, window time.Duration) Limit {
	return Limit{Scope: "key:k", Measure: Tokens, Most: most, Window: window}
}

func dollars(most int64, reset identity.Reset) Limit {
	return Limit{Scope: "key:k", Measure: Money, Most: most * 1e9, Reset: reset}
}

func atOnce(most int64) Limit { return Limit{Scope: "key:k", Measure: Concurrency, Most: most} }

// subject is a store under test, and a time that passes when the test says so.
type subject struct {
	Store
	t   *testing.T
	now time.Time
}

func (s *subject) pass(d time.Duration) { s.now = s.now.Add(d) }

// claims names the counters, as [Limiter.Reserve] does. Nothing was spent before.
func claims(now time.Time, all ...Claim) []Claim {
	for i := range all {
		all[i].name, all[i].seeded = all[i].counter(now), true
	}
	return all
}

func (s *subject) reserve(id string, all ...Claim) *Denial {
	s.t.Helper()
	verdict, err := s.Reserve(s.t.Context(), id, claims(s.now, all...), s.now)
	if err != nil || verdict.Unseeded != nil {
		s.t.Fatalf("reserve: unseeded %v, %v", verdict.Unseeded, err)
	}
	return verdict.Denial
}

func (s *subject) mustReserve(id string, all ...Claim) {
	s.t.Helper()
	if denial := s.reserve(id, all...); denial != nil {
		s.t.Fatalf("%s is refused: %+v", id, denial)
	}
}

func (s *subject) mustRefuse(why, id string, all ...Claim) *Denial {
	s.t.Helper()
	denial := s.reserve(id, all...)
	if denial == nil {
		s.t.Fatalf("%s is admitted: %s", id, why)
	}
	return denial
}

func (s *subject) settle(id string, actual Actual, all ...Claim) {
	s.t.Helper()
	if err := s.Settle(s.t.Context(), id, claims(s.now, all...), actual, s.now); err != nil {
		s.t.Fatal(err)
	}
}

func (s *subject) wantUsed(want int64, limit Limit) {
	s.t.Helper()
	used, err := s.Used(s.t.Context(), claims(s.now, Claim{Limit: limit}), s.now)
	if err != nil || used[0] != want {
		s.t.Errorf("used %v, want %d; %v", used, want, err)
	}
}

// eachStore runs a test on every implementation.
func eachStore(t *testing.T, test func(*testing.T, *subject)) {
	t.Run("memory", func(t *testing.T) { test(t, &subject{NewMemory(), t, start}) })
	t.Run("redis", func(t *testing.T) {
		s, _ := onRedis(t)
		test(t, s)
	})
}

// onRedis is a subject on a Redis of its own, whose clock is the subject's.
func onRedis(t *testing.T) (*subject, *redis.Client) {
	t.Helper()
	client := openPatient(t, redistest.Start(t))
	store := NewRedis(client)
	s := &subject{store, t, start}
	store.clock = func() time.Time { return s.now }
	return s, client
}

// openPatient gives a busy machine time to answer, where the time-out is not what is
// tested.
func openPatient(t testing.TB, server *redistest.Server) *redis.Client {
	t.Helper()
	return openWith(t, server, 10*time.Second)
}

func openWith(t testing.TB, server *redistest.Server, timeout time.Duration) *redis.Client {
	t.Helper()
	cfg := server.Config()
	cfg.Timeout = durationpb.New(timeout)
	client, err := redis.Open(cfg, "")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = client.Close() })
	return client
}

func TestDenialExplainsItself(t *testing.T) {
	eachStore(t, func(t *testing.T, s *subject) {
		limit := requestsIn(2, 10*time.Second)
		for i, step := range []struct {
			at   time.Duration
			want *Denial
		}{
			{0, nil},
			{4 * time.Second, nil},
			{5 * time.Second, &Denial{Used: 2, RetryAfter: 5 * time.Second, ResetAt: after(14 * time.Second)}},
			{9999 * time.Millisecond, &Denial{Used: 2, RetryAfter: time.Millisecond, ResetAt: after(14 * time.Second)}},
			{10 * time.Second, nil},
			{10 * time.Second, &Denial{Used: 2, RetryAfter: 4 * time.Second, ResetAt: after(20 * time.Second)}},
			{time.Hour, nil},
		} {
			s.now = after(step.at)
			got := s.reserve(fmt.Sprint(i), NewClaim(limit, 1))
			if diff := cmp.Diff(step.want, got, cmpopts.IgnoreFields(Denial{}, "Claim")); diff != "" {
				t.Errorf("step %d, at %v (-want +got):\n%s", i, step.at, diff)
			}
		}
	})
}

// A counter for fixed windows would allow twice the limit around its edge.
func TestNoBurstAtTheEdgeOfAWindow(t *testing.T) {
	eachStore(t, func(t *testing.T, s *subject) {
		claim := NewClaim(requestsIn(40, 10*time.Second), 1)
		s.mustReserve("first", claim)
		allowed := 1
		s.now = after(9900 * time.Millisecond)
		for i := range 200 {
			if s.reserve(fmt.Sprint(i), claim) == nil {
				allowed++
			}
			s.pass(time.Millisecond)
		}
		// The one of the beginning leaves the window in the middle of the burst.
		if allowed != 41 {
			t.Errorf("%d requests passed, want 40 and the one whose place was free again", allowed)
		}
	})
}

func TestThousandParallelRequestsShareALimitOfForty(t *testing.T) {
	for name, claim := range map[string]Claim{
		"requests": NewClaim(requestsIn(40, 10*time.Second), 1), "concurrency": NewClaim(atOnce(40), 1),
		"tokens": NewClaim(tokensIn(40_999, time.Minute), 1000), "money": NewClaim(dollars(40, identity.ResetDaily), 1e9),
	} {
		t.Run(name, func(t *testing.T) {
			eachStore(t, func(t *testing.T, s *subject) {
				var allowed atomic.Int64
				var group sync.WaitGroup
				for i := range 1000 {
					group.Go(func() {
						verdict, err := s.Reserve(t.Context(), fmt.Sprint(i), claims(s.now, claim), s.now)
						if err != nil {
							t.Error(err)
						} else if verdict.Denial == nil {
							allowed.Add(1)
						}
					})
				}
				group.Wait()
				if got := allowed.Load(); got != 40 {
					t.Errorf("%d of 1000 parallel requests passed, want 40", got)
				}
			})
		})
	}
}

func TestScopesAreIndependent(t *testing.T) {
	eachStore(t, func(t *testing.T, s *subject) {
		one, other := requestsIn(1, time.Second), requestsIn(1, time.Second)
		other.Scope = "key:other"
		s.mustReserve("1", NewClaim(one, 1))
		s.mustReserve("2", NewClaim(other, 1))
	})
}

// Known failure 20: a request that one limit rejects uses up no other.
func TestRejectedByOneLimitUsesUpNoOther(t *testing.T) {
	eachStore(t, func(t *testing.T, s *subject) {
		requests, slots, tokens, money := requestsIn(1, time.Minute), atOnce(1), tokensIn(1000, time.Minute), dollars(1, identity.ResetDaily)
		for i, refusing := range []Claim{NewClaim(money, 2e9), NewClaim(tokens, 1001)} {
			all := []Claim{NewClaim(requests, 1), NewClaim(slots, 1), NewClaim(tokens, 500), NewClaim(money, 5e8)}
			denial := s.mustRefuse("it asks for too much", fmt.Sprint(i), append(all, refusing)...)
			if denial.Claim.Measure != refusing.Measure || denial.RetryAfter != 0 || denial.Used != 0 {
				t.Errorf("%+v, want a refusal for ever", denial)
			}
		}
		s.mustReserve("fits", NewClaim(requests, 1), NewClaim(slots, 1), NewClaim(tokens, 1000), NewClaim(money, 1e9))
	})
}

// Known failures 15 and 21: what is under way counts with the most that it can come to,
// and afterwards with what it came to.
func TestReservationSettlesToTheRealFigure(t *testing.T) {
	eachStore(t, func(t *testing.T, s *subject) {
		tokens, money := tokensIn(1000, time.Minute), dollars(1, identity.ResetMonthly)
		both := []Claim{NewClaim(tokens, 600), NewClaim(money, 6e8)}
		s.mustReserve("a", both...)
		denial := s.mustRefuse("another is under way", "b", both...)
		if !denial.Temporary() || denial.Exhausted() || denial.RetryAfter != heldRetry || denial.Held != 600 || denial.Left() != 400 {
			t.Errorf("%+v, want one that says to come again", denial)
		}
		s.pass(10 * time.Second)
		s.settle("a", Actual{Tokens: 100, Money: money10(1)}, both...)
		s.wantUsed(100, tokens)
		s.wantUsed(1e8, money)
		s.mustReserve("b", both...)
		s.settle("b", Actual{Tokens: 850, Money: money10(9)}, both...)
		denial = s.mustRefuse("950 tokens are used", "c", both...)
		if denial.Temporary() || denial.Used != 950 || denial.RetryAfter != time.Minute {
			t.Errorf("%+v, want a refusal until the 850 leave the window", denial)
		}
		denial = s.mustRefuse("a dollar is spent", "d", NewClaim(money, 1))
		if !denial.Exhausted() || !denial.ResetAt.Equal(time.Date(2026, 2, 1, 0, 0, 0, 0, time.UTC)) || denial.RetryAfter != denial.ResetAt.Sub(s.now) {
			t.Errorf("%+v, want one that names the end of the month", denial)
		}
		s.pass(time.Minute)
		s.mustReserve("e", NewClaim(tokens, 1000))
	})
}

// money10 is so many tenths of a dollar.
func money10(tenths int64) money.USD { return money.Dollar / 10 * money.USD(tenths) }

// More than was reserved counts too: the figure is the provider's.
func TestSettlesBeyondTheReservation(t *testing.T) {
	eachStore(t, func(t *testing.T, s *subject) {
		claim := NewClaim(dollars(1, identity.ResetNever), 1e8)
		s.mustReserve("a", claim)
		s.settle("a", Actual{Money: 3 * money.Dollar}, claim)
		denial := s.mustRefuse("three dollars of one are spent", "b", claim)
		if !denial.Exhausted() || denial.Left() != 0 || denial.RetryAfter != 0 || !denial.ResetAt.IsZero() {
			t.Errorf("%+v, want a refusal for good", denial)
		}
	})
}

// Known failure 19: nothing leaks when a gateway is killed with requests under way.
func TestReservationExpires(t *testing.T) {
	eachStore(t, func(t *testing.T, s *subject) {
		all := []Claim{NewClaim(atOnce(1), 1), NewClaim(tokensIn(1000, time.Hour), 1000)}
		s.mustReserve("killed", all...)
		s.pass(Lease - time.Millisecond)
		s.mustRefuse("the other still counts", "b", all...)
		s.pass(time.Millisecond)
		s.mustReserve("b", all...)
		// It lived after all, and the real figure counts.
		s.settle("killed", Actual{Tokens: 10}, all...)
		s.settle("b", Actual{Tokens: 900}, all...)
		s.wantUsed(910, tokensIn(1000, time.Hour))
		s.mustRefuse("910 of 1000 are used", "c", NewClaim(tokensIn(1000, time.Hour), 91))
		s.mustReserve("c", NewClaim(tokensIn(1000, time.Hour), 90), NewClaim(atOnce(1), 1))
	})
}

// What a killed gateway holds is free when its lease ends, and that is what clients are
// told once it is clear that nobody renews it. While somebody lives among those who stand in
// the way, they may be over at any time.
func TestRetryAfterOfAKilledGateway(t *testing.T) {
	eachStore(t, func(t *testing.T, s *subject) {
		claim := NewClaim(atOnce(2), 1)
		s.mustReserve("killed", claim)
		s.pass(time.Second)
		s.mustReserve("killed too", claim)
		want := func(why string, after time.Duration) {
			t.Helper()
			if denial := s.mustRefuse(why, "next", claim); denial.RetryAfter != after {
				t.Errorf("%s: told to come again in %v, want %v", why, denial.RetryAfter, after)
			}
		}
		want("two are under way", heldRetry)
		s.pass(patience)
		want("they may be renewed just now", heldRetry)
		s.pass(time.Microsecond)
		left := Lease - patience - time.Second - time.Microsecond
		want("nobody has renewed them", left)
		s.pass(left - time.Microsecond)
		want("the first lease is almost over", time.Microsecond)
		s.pass(time.Microsecond)
		s.mustReserve("lives", claim)
		want("one lives", heldRetry)
	})
}

func TestRenewedReservationLives(t *testing.T) {
	eachStore(t, func(t *testing.T, s *subject) {
		claim := NewClaim(atOnce(1), 1)
		s.mustReserve("a", claim)
		for range 5 {
			s.pass(Lease - time.Millisecond)
			if err := s.Renew(t.Context(), []Held{{"a", claims(s.now, claim)}}, s.now); err != nil {
				t.Fatal(err)
			}
		}
		s.mustRefuse("the other is under way", "b", claim)
		s.settle("a", Actual{}, claim)
		s.mustReserve("b", claim)
	})
}

func TestReleaseFreesThePlaceAlone(t *testing.T) {
	eachStore(t, func(t *testing.T, s *subject) {
		slot, budget := NewClaim(atOnce(1), 1), NewClaim(dollars(1, identity.ResetDaily), 1e9)
		s.mustReserve("a", slot, budget)
		for range 2 {
			if err := s.Release(t.Context(), "a", claims(s.now, slot), s.now); err != nil {
				t.Fatal(err)
			}
		}
		s.mustReserve("b", slot)
		s.mustRefuse("the money is still held", "c", budget)
		s.settle("a", Actual{}, slot, budget)
		s.mustReserve("c", budget)
		s.mustRefuse("b has the place", "d", slot)
	})
}

// Row 163: a budget begins anew at midnight in UTC; what was spent in all does not.
func TestRow163BudgetsBeginAnew(t *testing.T) {
	for reset, ends := range map[identity.Reset]time.Time{
		identity.ResetDaily:   time.Date(2026, 1, 2, 0, 0, 0, 0, time.UTC),
		identity.ResetWeekly:  time.Date(2026, 1, 5, 0, 0, 0, 0, time.UTC),
		identity.ResetMonthly: time.Date(2026, 2, 1, 0, 0, 0, 0, time.UTC),
	} {
		t.Run(reset.String(), func(t *testing.T) {
			eachStore(t, func(t *testing.T, s *subject) {
				claim, good := NewClaim(dollars(1, reset), 1e9), NewClaim(dollars(9, identity.ResetNever), 1e9)
				s.now = ends.Add(-time.Second)
				s.mustReserve("a", claim, good)
				s.settle("a", Actual{Money: money.Dollar}, claim, good)
				if denial := s.mustRefuse("all is spent", "b", claim); denial.RetryAfter != time.Second || !denial.ResetAt.Equal(ends) {
					t.Errorf("%+v, want a refusal for a second", denial)
				}
				s.pass(time.Second)
				s.mustReserve("b", claim, good)
				s.wantUsed(0, claim.Limit)
				s.wantUsed(1e9, good.Limit)
			})
		})
	}
}

// What was spent before anyone counted is asked for once.
func TestUnseededBudgetIsAskedFor(t *testing.T) {
	eachStore(t, func(t *testing.T, s *subject) {
		request, budget := NewClaim(requestsIn(2, time.Minute), 1), NewClaim(dollars(1, identity.ResetDaily), 35e7)
		all := claims(s.now, request, budget)
		all[1].seeded = false
		verdict, err := s.Reserve(t.Context(), "a", all, s.now)
		if err != nil || verdict.Denial != nil || len(verdict.Unseeded) != 1 || verdict.Unseeded[0] != 1 {
			t.Fatalf("%+v, %v; want the second claim to be asked for", verdict, err)
		}
		if used, err := s.Used(t.Context(), all[1:], s.now); err != nil || used[0] != -1 {
			t.Errorf("used %v, %v; want -1", used, err)
		}
		for _, id := range []string{"a", "b"} { // a seed that comes twice counts once
			all[1].seeded, all[1].seed = true, 4e8
			if verdict, err = s.Reserve(t.Context(), id, all, s.now); err != nil || verdict.Unseeded != nil {
				t.Fatalf("%+v, %v", verdict, err)
			}
		}
		if d := verdict.Denial; d == nil || d.Used != 4e8 || d.Held != 35e7 {
			t.Errorf("%+v, want a refusal beside 0.4 dollars that were spent before", verdict.Denial)
		}
		s.wantUsed(4e8, budget.Limit)
		s.mustReserve("c", request) // the refused one and the one unseeded used up none
	})
}

func TestChangedLimitHoldsAtOnce(t *testing.T) {
	window := 10 * time.Second
	for name, test := range map[string]struct {
		limit      Limit
		used       int64
		retryAfter time.Duration
	}{
		// Requests at 0s to 4s; below two are left when that of 3s leaves.
		"lowered":        {requestsIn(2, window), 5, 8 * time.Second},
		"longer window":  {requestsIn(5, time.Minute), 5, 55 * time.Second},
		"raised":         {requestsIn(7, window), 0, 0},
		"shorter window": {requestsIn(5, 3*time.Second), 0, 0},
	} {
		t.Run(name, func(t *testing.T) {
			eachStore(t, func(t *testing.T, s *subject) {
				for i := range 5 {
					s.mustReserve(fmt.Sprint(i), NewClaim(requestsIn(5, window), 1))
					s.pass(time.Second)
				}
				denial := s.reserve("next", NewClaim(test.limit, 1))
				if test.retryAfter == 0 {
					if denial != nil {
						t.Errorf("%+v, want it admitted", denial)
					}
				} else if denial == nil || denial.RetryAfter != test.retryAfter || denial.Used != test.used {
					t.Errorf("%+v, want a refusal for %v", denial, test.retryAfter)
				}
			})
		})
	}
}

func TestClockGoingBackwardsAllowsNoMore(t *testing.T) {
	eachStore(t, func(t *testing.T, s *subject) {
		claim := NewClaim(requestsIn(3, 10*time.Second), 1)
		s.now = after(time.Hour)
		for i := range 3 {
			s.mustReserve(fmt.Sprint(i), claim)
		}
		s.now = start
		denial := s.mustRefuse("three are in the window", "back", claim)
		if denial.RetryAfter != 10*time.Second || !denial.ResetAt.Equal(after(10*time.Second)) {
			t.Errorf("%+v, want a refusal for a whole window", denial)
		}
		s.now = after(10 * time.Second) // the hour is not waited for
		for i := range 3 {
			s.mustReserve(fmt.Sprint("later", i), claim)
		}
		s.mustRefuse("three are in the window", "fourth", claim)
		s.now = after(10*time.Second - slack) // callers that come out of order
		s.mustRefuse("time stands still", "late", claim)
		s.now = after(20*time.Second - time.Microsecond)
		s.mustRefuse("the window is not over", "early", claim)
		s.pass(time.Microsecond)
		s.mustReserve("in time", claim)
	})
}

// Against the definition: in any window that ends with a request, no more than the limit
// were allowed, and none was refused without need.
func TestRequestsAgreeWithTheDefinition(t *testing.T) {
	eachStore(t, func(t *testing.T, s *subject) {
		rounds := 300
		if _, remote := s.Store.(*Redis); remote {
			rounds = 10
		}
		random := rand.New(rand.NewPCG(1, 2))
		for round := range rounds {
			limit := requestsIn(1+random.Int64N(20), time.Duration(1+random.IntN(1000))*time.Millisecond)
			limit.Scope = fmt.Sprint("key:", round)
			var allowed []time.Time
			inside := func(at time.Time) (count int64) {
				for _, earlier := range allowed {
					if at.Sub(earlier) < limit.Window {
						count++
					}
				}
				return count
			}
			for i := range 300 {
				s.pass(time.Duration(random.ExpFloat64() * float64(limit.Window) / float64(limit.Most)).Round(time.Microsecond))
				before := inside(s.now)
				denial := s.reserve(fmt.Sprint(round, " ", i), NewClaim(limit, 1))
				if (denial == nil) != (before < limit.Most) {
					t.Fatalf("round %d, %+v: %+v with %d in the window", round, limit, denial, before)
				}
				if denial == nil {
					allowed = append(allowed, s.now)
					continue
				}
				// RetryAfter is neither too early nor too late.
				until := s.now.Add(denial.RetryAfter)
				if inside(until.Add(-time.Microsecond)) < limit.Most || inside(until) >= limit.Most {
					t.Fatalf("round %d: told to wait %v", round, denial.RetryAfter)
				}
			}
		}
	})
}

// Whatever happens in whatever order, what is settled in any window together with what
// is held never exceeds the limit, as long as nobody settles beyond what it reserved.
func TestNeverOver(t *testing.T) {
	eachStore(t, func(t *testing.T, s *subject) {
		steps := 60_000
		if _, remote := s.Store.(*Redis); remote {
			steps = 3_000
		}
		random := rand.New(rand.NewPCG(3, 4))
		limits := []Limit{tokensIn(10_000, time.Minute), dollars(300, identity.ResetDaily), atOnce(7)}
		type settledAt struct {
			at     time.Time
			amount int64
		}
		type reservation struct {
			id      string
			claims  []Claim
			expires time.Time
		}
		var live []reservation
		var tokens []settledAt
		spent := map[string]int64{}
		admitted := 0
		for i := range steps {
			s.pass(time.Duration(random.Int64N(int64(4 * time.Second))).Round(time.Microsecond))
			if len(live) > 0 && random.IntN(2) == 0 {
				n := random.IntN(len(live))
				r := live[n]
				live = append(live[:n], live[n+1:]...)
				used, cost := random.Int64N(r.claims[0].Amount+1), random.Int64N(r.claims[1].Amount+1)
				if err := s.Settle(t.Context(), r.id, r.claims, Actual{Tokens: used, Money: Dollars(cost)}, s.now); err != nil {
					t.Fatal(err)
				}
				tokens = append(tokens, settledAt{s.now, used})
				spent[r.claims[1].name] += cost
				continue
			}
			for n := 0; n < len(live); n++ { // what would expire is renewed
				if err := s.Renew(t.Context(), []Held{{live[n].id, live[n].claims}}, s.now); err != nil {
					t.Fatal(err)
				}
			}
			all := claims(s.now, NewClaim(limits[0], random.Int64N(4000)), NewClaim(limits[1], random.Int64N(6e8)), NewClaim(limits[2], 1))
			verdict, err := s.Reserve(t.Context(), fmt.Sprint(i), all, s.now)
			if err != nil {
				t.Fatal(err)
			}
			heldTokens, heldMoney := all[0].Amount, all[1].Amount
			for _, r := range live {
				heldTokens += r.claims[0].Amount
				if r.claims[1].name == all[1].name {
					heldMoney += r.claims[1].Amount
				}
			}
			for _, done := range tokens {
				if s.now.Sub(done.at) < limits[0].Window {
					heldTokens += done.amount
				}
			}
			heldMoney += spent[all[1].name]
			over := heldTokens > limits[0].Most || heldMoney > limits[1].Most || len(live) >= 7
			if verdict.Denial == nil && over {
				t.Fatalf("step %d: admitted with %d tokens, %d nanodollars, %d under way", i, heldTokens, heldMoney, len(live)+1)
			}
			if verdict.Denial != nil && !over && verdict.Denial.Claim.Measure != Tokens {
				t.Fatalf("step %d: refused without need: %+v", i, verdict.Denial) // tokens may wait for a grain longer
			}
			if verdict.Denial == nil {
				admitted++
				live = append(live, reservation{fmt.Sprint(i), all, s.now.Add(Lease)})
			}
		}
		if admitted < steps/20 {
			t.Errorf("%d of %d steps admitted a request, too few to prove anything", admitted, steps)
		}
	})
}

func TestTokensLeaveTheWindowWithinAThousandth(t *testing.T) {
	eachStore(t, func(t *testing.T, s *subject) {
		limit := tokensIn(1_000_000, time.Minute)
		for i := range 3000 {
			id := fmt.Sprint(i)
			s.mustReserve(id, NewClaim(limit, 10))
			s.settle(id, Actual{Tokens: 10}, NewClaim(limit, 10))
			s.pass(10 * time.Millisecond)
		}
		s.wantUsed(30_000, limit)
		s.now = start.Add(time.Minute + time.Minute/fineness + 10*time.Millisecond)
		used, err := s.Used(t.Context(), claims(s.now, Claim{Limit: limit}), s.now)
		if err != nil || used[0] < 29_890 || used[0] > 29_990 {
			t.Errorf("%d tokens count when the first have left, %v", used, err)
		}
		s.now = start.Add(30*time.Second + time.Minute)
		s.wantUsed(0, limit)
	})
}

func TestTwoGatewaysShareOneLimit(t *testing.T) {
	server := redistest.Start(t)
	claim := NewClaim(requestsIn(40, time.Minute), 1)
	var allowed atomic.Int64
	var group sync.WaitGroup
	for gateway := range 2 {
		store := NewRedis(openPatient(t, server)) // by the clock of Redis
		for i := range 200 {
			group.Go(func() {
				verdict, err := store.Reserve(context.Background(), fmt.Sprint(gateway, i), claims(start, claim), time.Now())
				if err != nil {
					t.Error(err)
				} else if verdict.Denial == nil {
					allowed.Add(1)
				}
			})
		}
	}
	group.Wait()
	if got := allowed.Load(); got != 40 {
		t.Errorf("%d requests passed at two gateways, want 40", got)
	}
}
