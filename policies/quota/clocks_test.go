package quota

import (
	"testing"
	"time"

	"github.com/switchyard/switchyard/policies/identity"
	"github.com/switchyard/switchyard/policies/redis/redistest"
)

// Two gateways whose clocks are four hours apart share a Redis whose clock is set forward
// by two hours and back again. Their limits hold by time that has passed: nobody is locked
// out, and nobody is told to wait for longer than a window. A clock that is set forward
// frees what is in windows early, once.
func TestClocksThatJump(t *testing.T) {
	const window, most = 10 * time.Second, 40
	server := redistest.Start(t)
	passed, set := time.Duration(0), time.Duration(0) // in truth, and by which the clock of Redis is wrong
	gateways := make([]*Limiter, 2)
	for i := range gateways {
		store := NewRedis(openPatient(t, server))
		store.clock = func() time.Time { return after(passed + set) }
		gateways[i] = New(Options{Store: store})
	}
	clocks := func(i int) time.Time { return after(passed + time.Duration(4*i-2)*time.Hour) }

	request, place := NewClaim(requestsIn(most, window), 1), NewClaim(atOnce(3), 1)
	budget := NewClaim(dollars(1, identity.ResetMonthly), 1e8)
	// crowd has each gateway asked often, and returns how many are admitted.
	crowd := func() (admitted int) {
		t.Helper()
		for n := range 4 * most {
			r, denial := gateways[n%2].Reserve(t.Context(), []Claim{request}, clocks(n%2))
			if denial == nil {
				r.Settle(t.Context(), Actual{}, clocks(n%2))
				admitted++
			} else if denial.RetryAfter <= 0 || denial.RetryAfter > window {
				t.Errorf("told to come again in %v", denial.RetryAfter)
			}
		}
		return admitted
	}
	want := func(when string, got, wanted int) {
		t.Helper()
		if got != wanted {
			t.Errorf("%s: %d admitted, want %d", when, got, wanted)
		}
	}
	// places fills what is free of those at once, and gives it back.
	places := func() (free int) {
		t.Helper()
		var held []*Reservation
		for n := range 6 {
			r, denial := gateways[n%2].Reserve(t.Context(), []Claim{place, budget}, clocks(n%2))
			if denial == nil {
				held = append(held, r)
			} else if denial.RetryAfter <= 0 || denial.RetryAfter > Lease {
				t.Errorf("told to come again in %v", denial.RetryAfter)
			}
		}
		for _, r := range held {
			r.Settle(t.Context(), Actual{}, clocks(0))
		}
		return len(held)
	}
	renew := func() {
		t.Helper()
		for i, l := range gateways {
			if err := l.renew(t.Context(), clocks(i)); err != nil {
				t.Fatal(err)
			}
		}
	}

	under, denial := gateways[0].Reserve(t.Context(), []Claim{place, budget}, clocks(0))
	if denial != nil {
		t.Fatal(denial)
	}
	want("at first", crowd(), most)
	want("at first, at once", places(), 2)
	passed += window - time.Second
	want("within the window", crowd(), 0)

	set = 2 * time.Hour
	want("set forward", crowd(), most)
	renew()
	want("set forward, at once", places(), 2)
	want("again", crowd(), 0)

	set = 0
	want("set back", crowd(), 0)
	want("set back, at once", places(), 2)
	passed += window - time.Second
	renew()
	want("still in the window", crowd(), 0)
	passed += time.Second
	want("when the window has passed", crowd(), most)

	set = -2 * time.Hour
	want("set back below the truth", crowd(), 0)
	passed += window
	renew()
	want("a window later", crowd(), most)
	want("a window later, at once", places(), 2)
	under.Settle(t.Context(), Actual{}, clocks(0))
	want("at last, at once", places(), 3)
}
