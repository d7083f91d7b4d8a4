package health

import (
	"math"
	"testing"
	"time"
)

func TestRow43OutageIsAQuarterOfTheWindow(t *testing.T) {
	tests := []struct {
		name       string
		ok, failed int
		want       bool
	}{
		{"nothing happened", 0, 0, false},
		{"all went well", 10, 0, false},
		{"one failure alone", 0, 1, true},
		{"a quarter failed", 3, 1, true},
		{"less failed", 4, 1, false},
		{"most failed", 1, 100, true},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			tracker := New(options)
			for range test.ok {
				succeed(tracker, "e", start)
			}
			for range test.failed {
				fail(tracker, "e", ServerError, 0, start)
			}
			if got := tracker.Summary("e", start).Outage; got != test.want {
				t.Errorf("outage: %t, want %t", got, test.want)
			}
		})
	}
}

func TestRow44OutageEndsWithTheWindow(t *testing.T) {
	tests := []struct {
		name   string
		window time.Duration // zero is the default
		failed time.Duration // after a full step
		after  time.Duration // the failure
		want   bool
	}{
		{"at once", 0, 0, 0, true},
		{"within the window", 0, 0, 30 * time.Second, true},
		{"to the end of its step", 0, 0, 31*time.Second - 1, true},
		{"row 44: 31 s later", 0, 0, 31 * time.Second, false},
		{"a failure at the end of its step is held no less", 0, 999 * time.Millisecond, 30 * time.Second, true},
		{"and given up sooner", 0, 999 * time.Millisecond, 30*time.Second + time.Millisecond, false},
		{"a longer window", time.Hour, 0, time.Hour, true},
		{"has longer steps", time.Hour, 0, time.Hour + 2*time.Minute, false},
		{"the shortest window", 1, 0, time.Second, true},
		{"ends soon", 1, 0, 1100 * time.Millisecond, false},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			tracker := New(Options{CoolDown: 100 * time.Millisecond, OutageWindow: test.window})
			failed := after(test.failed)
			fail(tracker, "e", ServerError, 0, failed)
			s := tracker.Summary("e", failed.Add(test.after))
			if s.Outage != test.want {
				t.Errorf("outage: %t, want %t", s.Outage, test.want)
			}
			if !test.want && (s.HalfOpen || !s.CoolingUntil.IsZero()) {
				t.Errorf("it is not whole: %+v", s)
			}
		})
	}
}

// Failures in the past are no outage when more went well since, and are again when
// only they are left.
func TestOutageIsExactNow(t *testing.T) {
	tracker := New(options)
	for range 10 {
		succeed(tracker, "e", start)
	}
	fail(tracker, "e", ServerError, 0, after(10*time.Second))
	for _, at := range []struct {
		seconds time.Duration
		want    bool
	}{{10, false}, {30, false}, {31, true}, {40, true}, {41, false}} {
		if got := tracker.Summary("e", after(at.seconds*time.Second)).Outage; got != at.want {
			t.Errorf("after %d s: %t, want %t", at.seconds, got, at.want)
		}
	}
}

func TestOutageRingIsReusedAndSaturates(t *testing.T) {
	ring := &outageRing{window: 30 * time.Second}
	for i := range 1000 {
		ring.add(i%2 == 0, after(time.Duration(i)*time.Second))
	}
	if got, want := ring.counts(after(999*time.Second)), (counts{ok: 16, failed: 15}); got != want {
		t.Errorf("counted %+v in 31 steps, want %+v", got, want)
	}
	much := &outageRing{window: 30 * time.Second}
	for range math.MaxUint16 + 10 {
		much.add(true, start)
	}
	if got, want := much.counts(start), (counts{failed: math.MaxUint16}); got != want {
		t.Errorf("counted %+v, want %+v", got, want)
	}
}

func TestAnotherOutageWindowBeginsEmpty(t *testing.T) {
	tracker := New(options)
	fail(tracker, "e", ServerError, 0, start)
	tracker.Configure(Options{OutageWindow: time.Minute})
	if !tracker.Summary("e", start).Outage {
		t.Error("the outage ended before anything else was heard")
	}
	succeed(tracker, "e", after(time.Second))
	if tracker.Summary("e", after(time.Second)).Outage {
		t.Error("the old window counts on")
	}
}
