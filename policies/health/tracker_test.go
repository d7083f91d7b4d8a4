package health

import (
	"fmt"
	"sync"
	"testing"
	"time"
)

var (
	start   = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	options = Options{CoolDown: 5 * time.Second, MaxCoolDown: 30 * time.Second}
)

func after(d time.Duration) time.Time { return start.Add(d) }

// cooling is how long the endpoint still cools down at a time.
func cooling(tracker *Tracker, now time.Time) time.Duration {
	until := tracker.CoolingUntil("e", now)
	if until.IsZero() {
		return 0
	}
	return until.Sub(now)
}

func TestWhichFailuresCount(t *testing.T) {
	tests := []struct {
		class  Class
		counts bool
	}{
		{None, false}, {Connect, true}, {Authentication, true}, {NotFound, true}, {Timeout, true},
		{RateLimited, true}, {ServerError, true}, {BadAnswer, true}, {BadRequest, false},
	}
	for _, test := range tests {
		t.Run(test.class.String(), func(t *testing.T) {
			tracker := New(options)
			tracker.Failure("e", test.class, time.Minute, start)
			if got := cooling(tracker, start) > 0; got != test.counts {
				t.Errorf("cooling down: %t, want %t", got, test.counts)
			}
			wantState := None
			if test.counts {
				wantState = test.class
			}
			if state, _ := tracker.State("e", start); state != wantState {
				t.Errorf("state %s, want %s", state, wantState)
			}
		})
	}
}

func TestCoolDownDoublesUpToTheLongest(t *testing.T) {
	tracker := New(options)
	now := start
	for i, want := range []time.Duration{5, 10, 20, 30, 30} {
		tracker.Failure("e", ServerError, 0, now)
		if got := cooling(tracker, now); got != want*time.Second {
			t.Errorf("failure %d cools down for %v, want %v", i+1, got, want*time.Second)
		}
		now = now.Add(cooling(tracker, now))
		if got := cooling(tracker, now); got != 0 {
			t.Errorf("failure %d still cools down at the end, for %v", i+1, got)
		}
	}
}

func TestBurstCountsOnce(t *testing.T) {
	tracker := New(options)
	for i := range 100 {
		tracker.Failure("e", Timeout, 0, after(time.Duration(i)*time.Millisecond))
	}
	if got := cooling(tracker, start); got != 5*time.Second {
		t.Errorf("a burst cools down for %v, want 5s", got)
	}
	tracker.Failure("e", Timeout, 0, after(5*time.Second))
	if got := cooling(tracker, after(5*time.Second)); got != 10*time.Second {
		t.Errorf("the failure after a burst cools down for %v, want 10s", got)
	}
}

func TestRetryAfter(t *testing.T) {
	tests := []struct {
		name  string
		given []time.Duration // by failures at the same time
		want  time.Duration
	}{
		{"longer wins", []time.Duration{time.Minute}, time.Minute},
		{"also over the longest cool-down", []time.Duration{10 * time.Minute}, 10 * time.Minute},
		{"shorter loses", []time.Duration{time.Second}, 5 * time.Second},
		{"within a burst, longer", []time.Duration{0, time.Minute}, time.Minute},
		{"within a burst, shorter", []time.Duration{time.Minute, time.Second}, time.Minute},
		{"absurd", []time.Duration{10_000 * time.Hour}, 24 * time.Hour},
		{"absurd within a burst", []time.Duration{0, 10_000 * time.Hour}, 24 * time.Hour},
		{"negative", []time.Duration{-time.Hour}, 5 * time.Second},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			tracker := New(options)
			for _, retryAfter := range test.given {
				tracker.Failure("e", RateLimited, retryAfter, start)
			}
			if got := cooling(tracker, start); got != test.want {
				t.Errorf("cools down for %v, want %v", got, test.want)
			}
		})
	}
}

func TestSuccessEndsTheCoolDown(t *testing.T) {
	tracker := New(options)
	tracker.Failure("e", ServerError, 0, start)
	tracker.Failure("e", ServerError, 0, after(5*time.Second))
	tracker.Success("e", after(6*time.Second))
	if got := cooling(tracker, after(6*time.Second)); got != 0 {
		t.Errorf("still cools down for %v", got)
	}
	tracker.Failure("e", ServerError, 0, after(7*time.Second))
	if got := cooling(tracker, after(7*time.Second)); got != 5*time.Second {
		t.Errorf("the next failure cools down for %v, want 5s as at first", got)
	}
}

// A stream that began before the limit was reached ends well after it; that
// does not lift the limit.
func TestRow61SuccessDoesNotLiftARateLimit(t *testing.T) {
	tracker := New(options)
	tracker.Failure("e", RateLimited, 20*time.Second, start)
	tracker.Success("e", after(time.Second))
	if class, until := tracker.State("e", after(time.Second)); class != RateLimited || !until.Equal(after(20*time.Second)) {
		t.Errorf("state %s until %v", class, until)
	}
	tracker.Failure("e", RateLimited, 0, after(20*time.Second))
	if got := cooling(tracker, after(20*time.Second)); got != 5*time.Second {
		t.Errorf("cools down for %v, want 5s: the success began a new row", got)
	}
	tracker.Success("e", after(time.Minute))
	tracker.Failure("e", RateLimited, 0, after(time.Minute))
	if got := cooling(tracker, after(time.Minute)); got != 5*time.Second {
		t.Errorf("cools down for %v, want 5s", got)
	}
}

func TestOldFailuresAreForgotten(t *testing.T) {
	tracker := New(options)
	tracker.Failure("e", ServerError, 0, start)
	tracker.Failure("e", ServerError, 0, after(5*time.Second))
	muchLater := after(15*time.Second + options.MaxCoolDown + 1)
	tracker.Failure("e", ServerError, 0, muchLater)
	if got := cooling(tracker, muchLater); got != 5*time.Second {
		t.Errorf("cools down for %v, want 5s as at first", got)
	}
}

func TestEndpointsAreIndependent(t *testing.T) {
	tracker := New(options)
	tracker.Failure("other", ServerError, 0, start)
	tracker.Success("unheard of", start)
	if got := cooling(tracker, start); got != 0 {
		t.Errorf("cools down for %v through another endpoint", got)
	}
	if tracker.CoolingUntil("other", start).IsZero() {
		t.Error("the success of one endpoint ended the cool-down of another")
	}
}

func TestConfigureKeepsWhatIsKnown(t *testing.T) {
	tracker := New(options)
	tracker.Failure("e", ServerError, 0, start)
	tracker.Configure(Options{CoolDown: time.Second, MaxCoolDown: time.Minute})
	if got := cooling(tracker, start); got != 5*time.Second {
		t.Errorf("the running cool-down became %v", got)
	}
	tracker.Failure("e", ServerError, 0, after(5*time.Second))
	if got := cooling(tracker, after(5*time.Second)); got != 2*time.Second {
		t.Errorf("the next cools down for %v, want 2s", got)
	}
}

func TestDefaults(t *testing.T) {
	tracker := New(Options{})
	now := start
	for range 20 {
		tracker.Failure("e", ServerError, 0, now)
		now = now.Add(cooling(tracker, now))
	}
	tracker.Failure("e", ServerError, 0, now)
	if got := cooling(tracker, now); got != 2*time.Minute {
		t.Errorf("the longest default cool-down is %v, want 2m", got)
	}
}

// Clients can make up ids without end where a provider serves any model.
func TestMemoryIsBounded(t *testing.T) {
	tracker := New(options)
	for i := range 3 * maxEntries {
		tracker.Failure(fmt.Sprint("made up ", i), NotFound, 0, start)
	}
	if got := len(tracker.entries); got > maxEntries {
		t.Errorf("%d entries, want at most %d", got, maxEntries)
	}

	// Room is made at the cost of what no longer means anything.
	tracker = New(options)
	for i := range maxEntries - 1 {
		tracker.Failure(fmt.Sprint("old ", i), NotFound, 0, start)
	}
	recent := after(time.Hour)
	tracker.Failure("e", ServerError, 0, recent)
	tracker.Failure("one more", ServerError, 0, recent)
	if cooling(tracker, recent) == 0 {
		t.Error("a recent failure was forgotten before old ones")
	}
	if got := len(tracker.entries); got != 2 {
		t.Errorf("%d entries are left, want the 2 recent ones", got)
	}
}

func TestConcurrentUse(t *testing.T) {
	tracker := New(options)
	var group sync.WaitGroup
	for worker := range 8 {
		group.Go(func() {
			for i := range 2000 {
				id := fmt.Sprint((worker + i) % 5)
				tracker.Failure(id, ServerError, 0, after(time.Duration(i)*time.Second))
				tracker.CoolingUntil(id, start)
				tracker.Success(id, start)
				tracker.Configure(options)
			}
		})
	}
	group.Wait()
	for i := range 5 {
		tracker.Success(fmt.Sprint(i), start)
	}
	if got := tracker.failing.Load(); got != 0 || len(tracker.entries) != 0 {
		t.Errorf("%d counted, %d kept after everything succeeded", got, len(tracker.entries))
	}
}

func TestClassNames(t *testing.T) {
	seen := make(map[string]bool)
	for class := None; class <= BadRequest; class++ {
		if name := class.String(); name == "" || name == "unknown" || seen[name] {
			t.Errorf("class %d is called %q", class, name)
		}
		seen[class.String()] = true
	}
	if got := (BadRequest + 1).String(); got != "unknown" {
		t.Errorf("a class that does not exist is called %q", got)
	}
}

func BenchmarkCoolingUntil(b *testing.B) {
	for _, failing := range []int{0, 1, 100} {
		b.Run(fmt.Sprint(failing, " failing"), func(b *testing.B) {
			tracker := New(options)
			for i := range failing {
				tracker.Failure(fmt.Sprint("m/x|provider-", i), ServerError, 0, start)
			}
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					tracker.CoolingUntil("m/x|provider-0", start)
				}
			})
		})
	}
}

func BenchmarkSuccess(b *testing.B) {
	tracker := New(options)
	tracker.Failure("another", ServerError, 0, start)
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			tracker.Success("m/x|provider", start)
		}
	})
}
