package quota

import (
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
)

var start = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

func after(d time.Duration) time.Time { return start.Add(d) }

func TestDecisionExplainsItself(t *testing.T) {
	limit := Limit{Requests: 2, Window: 10 * time.Second}
	steps := []struct {
		at   time.Duration
		want Decision
	}{
		{0, Decision{Allowed: true, Limit: 2, Remaining: 1, ResetAt: after(10 * time.Second)}},
		{4 * time.Second, Decision{Allowed: true, Limit: 2, Remaining: 0, ResetAt: after(14 * time.Second)}},
		{5 * time.Second, Decision{Limit: 2, RetryAfter: 5 * time.Second, ResetAt: after(14 * time.Second)}},
		{9999 * time.Millisecond, Decision{Limit: 2, RetryAfter: time.Millisecond, ResetAt: after(14 * time.Second)}},
		{10 * time.Second, Decision{Allowed: true, Limit: 2, Remaining: 0, ResetAt: after(20 * time.Second)}},
		{10 * time.Second, Decision{Limit: 2, RetryAfter: 4 * time.Second, ResetAt: after(20 * time.Second)}},
		{time.Hour, Decision{Allowed: true, Limit: 2, Remaining: 1, ResetAt: after(time.Hour + 10*time.Second)}},
	}
	memory := NewMemory()
	for i, step := range steps {
		got := memory.Take("k", limit, after(step.at))
		if diff := cmp.Diff(step.want, got); diff != "" {
			t.Errorf("step %d, at %v (-want +got):\n%s", i, step.at, diff)
		}
	}
}

// A counter for fixed windows would allow twice the limit around its edge.
func TestNoBurstAtTheEdgeOfAWindow(t *testing.T) {
	memory, limit := NewMemory(), Limit{Requests: 40, Window: 10 * time.Second}
	memory.Take("k", limit, start)
	allowed := 1
	for i := range 200 {
		if memory.Take("k", limit, after(9900*time.Millisecond+time.Duration(i)*time.Millisecond)).Allowed {
			allowed++
		}
	}
	// The one of the beginning leaves the window in the middle of the burst.
	if allowed != 41 {
		t.Errorf("%d requests passed, want 40 and the one whose place was free again", allowed)
	}
}

func TestParallelRequestsShareOneLimit(t *testing.T) {
	memory, limit := NewMemory(), Limit{Requests: 40, Window: 10 * time.Second}
	var allowed atomic.Int64
	var group sync.WaitGroup
	for range 1000 {
		group.Go(func() {
			if memory.Take("k", limit, time.Now()).Allowed {
				allowed.Add(1)
			}
		})
	}
	group.Wait()
	if got := allowed.Load(); got != 40 {
		t.Errorf("%d of 1000 parallel requests passed, want 40", got)
	}
}

func TestKeysAreIndependent(t *testing.T) {
	memory, limit := NewMemory(), Limit{Requests: 1, Window: time.Second}
	memory.Take("a", limit, start)
	if !memory.Take("b", limit, start).Allowed {
		t.Error("one key used up the limit of another")
	}
}

func TestNoLimit(t *testing.T) {
	memory := NewMemory()
	for _, limit := range []Limit{{}, {Requests: 1}, {Window: time.Second}, {Requests: -1, Window: time.Second}} {
		for range 3 {
			if decision := memory.Take("k", limit, start); !decision.Allowed || decision.Limit != 0 {
				t.Errorf("%+v: %+v", limit, decision)
			}
		}
	}
	if len(memory.keys) != 0 {
		t.Error("requests without a limit are remembered")
	}
}

func TestChangedLimitHoldsAtOnce(t *testing.T) {
	window := 10 * time.Second
	fill := func(requests int) *Memory {
		memory := NewMemory()
		for i := range requests {
			memory.Take("k", Limit{requests, window}, after(time.Duration(i)*time.Second))
		}
		return memory
	}
	t.Run("lowered", func(t *testing.T) {
		// Requests at 0s to 4s; below two are left when that of 3s leaves.
		got := fill(5).Take("k", Limit{2, window}, after(5*time.Second))
		if got.Allowed || got.RetryAfter != 8*time.Second {
			t.Errorf("%+v, want a refusal for 8s", got)
		}
	})
	t.Run("raised", func(t *testing.T) {
		got := fill(5).Take("k", Limit{7, window}, after(5*time.Second))
		if !got.Allowed || got.Remaining != 1 {
			t.Errorf("%+v, want one more to remain", got)
		}
	})
	t.Run("shorter window", func(t *testing.T) {
		got := fill(5).Take("k", Limit{5, 3 * time.Second}, after(5*time.Second))
		if !got.Allowed || got.Remaining != 2 {
			t.Errorf("%+v, want the requests of 3s and 4s to count", got)
		}
	})
	t.Run("longer window", func(t *testing.T) {
		got := fill(5).Take("k", Limit{5, time.Minute}, after(5*time.Second))
		if got.Allowed || got.RetryAfter != 55*time.Second {
			t.Errorf("%+v, want a refusal for 55s", got)
		}
	})
}

func TestClockGoingBackwardsAllowsNoMore(t *testing.T) {
	memory, limit := NewMemory(), Limit{Requests: 3, Window: 10 * time.Second}
	for range 3 {
		memory.Take("k", limit, after(time.Hour))
	}
	got := memory.Take("k", limit, start)
	if got.Allowed || got.RetryAfter != 10*time.Second || !got.ResetAt.Equal(after(10*time.Second)) {
		t.Errorf("%+v, want a refusal for a whole window", got)
	}
	if !memory.Take("k", limit, after(time.Hour+10*time.Second)).Allowed {
		t.Error("still refused when the clock had caught up")
	}
}

// Against the definition: in any window that ends with a request, no more than
// the limit were allowed, and none was refused without need.
func TestAgreesWithTheDefinition(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for round := range 300 {
		limit := Limit{Requests: 1 + random.IntN(20), Window: time.Duration(1+random.IntN(1000)) * time.Millisecond}
		memory, now := NewMemory(), start
		var allowed []time.Time
		for range 300 {
			now = now.Add(time.Duration(random.ExpFloat64() * float64(limit.Window) / float64(limit.Requests)))
			inside := 0
			for _, at := range allowed {
				if now.Sub(at) < limit.Window {
					inside++
				}
			}
			got := memory.Take("k", limit, now)
			if want := inside < limit.Requests; got.Allowed != want {
				t.Fatalf("round %d, %+v: allowed %t with %d in the window", round, limit, got.Allowed, inside)
			}
			if got.Allowed {
				allowed = append(allowed, now)
				if got.Remaining != limit.Requests-inside-1 {
					t.Fatalf("round %d: %d remain with %d in the window", round, got.Remaining, inside+1)
				}
				continue
			}
			// RetryAfter is neither too early nor too late.
			for _, wait := range []struct {
				until time.Time
				want  bool
			}{{now.Add(got.RetryAfter - 1), false}, {now.Add(got.RetryAfter), true}} {
				inside = 0
				for _, at := range allowed {
					if wait.until.Sub(at) < limit.Window {
						inside++
					}
				}
				if (inside < limit.Requests) != wait.want {
					t.Fatalf("round %d: told to wait %v, but there would be %d in the window", round, got.RetryAfter, inside)
				}
			}
		}
	}
}

func TestIdleKeysAreForgotten(t *testing.T) {
	memory := NewMemory()
	slow := Limit{Requests: 5, Window: time.Hour}
	memory.Take("slow", slow, start)
	for i := range 10_000 {
		memory.Take(fmt.Sprint("once ", i), Limit{Requests: 5, Window: time.Second}, after(time.Duration(i)*time.Millisecond))
		// A second's worth is in use, and the walk may be a lap behind.
		if got := len(memory.keys); got > 2100 {
			t.Fatalf("%d keys are kept after %d requests, want about 1000 at most", got, i)
		}
	}
	if len(memory.all) != len(memory.keys) {
		t.Fatalf("%d logs for %d keys", len(memory.all), len(memory.keys))
	}
	if got := memory.Take("slow", slow, after(10*time.Second)); got.Remaining != 3 {
		t.Errorf("%d remain, want 3: a key was forgotten while it counted", got.Remaining)
	}
}

func TestLogGrowsOnlyAsNeeded(t *testing.T) {
	memory, limit := NewMemory(), Limit{Requests: 100_000, Window: time.Second}
	for range 100 {
		memory.Take("k", limit, start)
	}
	if got := cap(memory.keys["k"].times); got > 200 {
		t.Errorf("room for %d requests after 100", got)
	}
}

// The wall clock of a real process, as the callers have it.
func TestWindowPassesInRealTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		memory, limit := NewMemory(), Limit{Requests: 1, Window: 10 * time.Second}
		memory.Take("k", limit, time.Now())
		refused := memory.Take("k", limit, time.Now())
		time.Sleep(refused.RetryAfter - 1)
		if memory.Take("k", limit, time.Now()).Allowed {
			t.Error("allowed before RetryAfter was over")
		}
		time.Sleep(1)
		if !memory.Take("k", limit, time.Now()).Allowed {
			t.Error("refused although RetryAfter was over")
		}
	})
}

func BenchmarkTake(b *testing.B) {
	for _, test := range []struct {
		name  string
		limit Limit
	}{
		{"mostly refused", Limit{Requests: 40, Window: 10 * time.Second}},
		{"mostly allowed", Limit{Requests: 100_000, Window: time.Millisecond}},
	} {
		for _, keys := range []int{1, 10_000} {
			b.Run(fmt.Sprintf("%s/%d keys", test.name, keys), func(b *testing.B) {
				memory := NewMemory()
				names := make([]string, keys)
				for i := range names {
					names[i] = fmt.Sprintf("%064d", i)
				}
				var next atomic.Int64
				b.ReportAllocs()
				b.RunParallel(func(pb *testing.PB) {
					for pb.Next() {
						memory.Take(names[int(next.Add(1))%keys], test.limit, time.Now())
					}
				})
			})
		}
	}
}
