package quota

import (
	"fmt"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/switchyard/switchyard/policies/identity"
)

func TestIdleCountersAreForgotten(t *testing.T) {
	memory := NewMemory()
	s := &subject{memory, t, start}
	slow := Limit{Scope: "key:slow", Measure: Requests, Most: 5, Window: time.Hour}
	s.mustReserve("slow", NewClaim(slow, 1))
	for i := range 10_000 {
		once := Limit{Scope: fmt.Sprint("key:", i), Measure: Requests, Most: 5, Window: time.Second}
		s.mustReserve(fmt.Sprint(i), NewClaim(once, 1))
		s.pass(time.Millisecond)
		// A second's worth is in use, and the walk may be a lap behind.
		if got := len(memory.counters); got > 2100 {
			t.Fatalf("%d counters are kept after %d requests, want about 1000 at most", got, i)
		}
	}
	if len(memory.all) != len(memory.counters) {
		t.Fatalf("%d in the list of %d counters", len(memory.all), len(memory.counters))
	}
	s.wantUsed(1, slow)
}

// What the ledger can tell again goes after an hour, what nobody can tell stays.
func TestBudgetsAreForgottenIfTheLedgerKnows(t *testing.T) {
	for _, lasting := range []bool{false, true} {
		memory := NewMemory()
		s := &subject{memory, t, start}
		all := claims(start, NewClaim(dollars(1, identity.ResetNever), 1e8))
		all[0].lasting = lasting
		if verdict, err := memory.Reserve(t.Context(), "a", all, s.now); err != nil || verdict.Denial != nil {
			t.Fatal(verdict, err)
		}
		s.settle("a", Actual{}, all...)
		s.pass(2 * time.Hour)
		other := Limit{Scope: "key:other", Measure: Requests, Most: 5, Window: time.Second}
		for i := range 4 {
			s.mustReserve(fmt.Sprint(i), NewClaim(other, 1))
		}
		if _, kept := memory.counters[all[0].name]; kept != lasting {
			t.Errorf("lasting %t: kept %t", lasting, kept)
		}
	}
}

func TestLogGrowsOnlyAsNeeded(t *testing.T) {
	memory := NewMemory()
	s := &subject{memory, t, start}
	limit := requestsIn(100_000, time.Second)
	for i := range 100 {
		s.mustReserve(fmt.Sprint(i), NewClaim(limit, 1))
	}
	if got := cap(memory.counters[limit.counter(start)].log.entries); got > 200 {
		t.Errorf("room for %d requests after 100", got)
	}
}

// The wall clock of a real process, as the callers have it.
func TestWindowPassesInRealTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &subject{NewMemory(), t, time.Now()}
		claim := NewClaim(requestsIn(1, 10*time.Second), 1)
		s.mustReserve("a", claim)
		refused := s.mustRefuse("one is in the window", "b", claim)
		time.Sleep(refused.RetryAfter - 1)
		s.now = time.Now()
		s.mustRefuse("RetryAfter is not over", "c", claim)
		time.Sleep(1)
		s.now = time.Now()
		s.mustReserve("d", claim)
	})
}

// requestClaims is what a request of a key with every limit asks for.
func requestClaims(scope string, most int64) []Claim {
	key := "key:" + scope
	return claims(start,
		NewClaim(Limit{Scope: key, Measure: Requests, Most: most, Window: 10 * time.Second}, 1),
		NewClaim(Limit{Scope: key, Measure: Tokens, Most: most * 1e6, Window: time.Minute}, 1000),
		NewClaim(Limit{Scope: key, Measure: Money, Most: most * 1e9, Reset: identity.ResetDaily}, 1e6),
		NewClaim(Limit{Scope: key, Measure: Concurrency, Most: most}, 1))
}

// One operation is a request: reserved and settled.
func BenchmarkMemory(b *testing.B) {
	for _, keys := range []int{1, 10_000} {
		for name, most := range map[string]int64{"admitted": 1e6, "refused": 1} {
			b.Run(fmt.Sprintf("%s/%d keys", name, keys), func(b *testing.B) {
				memory := NewMemory()
				all := make([][]Claim, keys)
				for i := range all {
					all[i] = requestClaims(fmt.Sprintf("%064d", i), most)
				}
				var next atomic.Int64
				b.ReportAllocs()
				b.RunParallel(func(pb *testing.PB) {
					for pb.Next() {
						n := next.Add(1)
						id := fmt.Sprint(n)
						mine := all[int(n)%keys]
						if verdict, _ := memory.Reserve(b.Context(), id, mine, time.Now()); verdict.Denial == nil {
							_ = memory.Settle(b.Context(), id, mine, Actual{Tokens: 100, Money: 1e6}, time.Now())
						}
					}
				})
			})
		}
	}
}
