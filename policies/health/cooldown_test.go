package health

import (
	"net/http"
	"testing"
	"time"
)

var (
	start   = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	options = Options{CoolDown: 5 * time.Second, MaxCoolDown: 30 * time.Second}
)

func after(d time.Duration) time.Time { return start.Add(d) }

func fail(tracker *Tracker, id string, class Class, retryAfter time.Duration, now time.Time) {
	tracker.Record(Sample{EndpointID: id, Class: class, RetryAfter: retryAfter, Now: now})
}

func succeed(tracker *Tracker, id string, now time.Time) {
	tracker.Record(Sample{EndpointID: id, Now: now})
}

// cooling is how long the endpoint still cools down at a time.
func cooling(tracker *Tracker, now time.Time) time.Duration {
	until := tracker.Summary("e", now).CoolingUntil
	if until.IsZero() {
		return 0
	}
	return until.Sub(now)
}

func TestWhichFailuresCoolDown(t *testing.T) {
	tests := []struct {
		class Class
		cools bool
	}{
		{None, false}, {Connect, true}, {Authentication, true}, {NotFound, true}, {Timeout, true},
		{RateLimited, true}, {ServerError, true}, {BadAnswer, true}, {BadRequest, false},
	}
	for _, test := range tests {
		t.Run(test.class.String(), func(t *testing.T) {
			tracker := New(options)
			fail(tracker, "e", test.class, time.Minute, start)
			if got := cooling(tracker, start) > 0; got != test.cools {
				t.Errorf("cooling down: %t, want %t", got, test.cools)
			}
			want := None
			if test.cools {
				want = test.class
			}
			if class := tracker.Summary("e", start).Class; class != want {
				t.Errorf("class %s, want %s", class, want)
			}
		})
	}
}

// A provider that moderates one client's prompt refuses it alone.
func TestForbiddenDoesNotCoolDown(t *testing.T) {
	tracker := New(options)
	refuse := func(now time.Time) {
		tracker.Record(Sample{EndpointID: "e", Class: Authentication, Status: http.StatusForbidden, RetryAfter: time.Minute, Now: now})
	}
	refuse(start)
	if s := tracker.Summary("e", start); !s.CoolingUntil.IsZero() || s.Class != None {
		t.Errorf("class %s until %v, want no cool-down", s.Class, s.CoolingUntil)
	}
	there := New(options)
	tell(t, tracker, "here", there, start)
	if s := there.Summary("e", start); !s.CoolingUntil.IsZero() {
		t.Errorf("other instances leave it alone until %v", s.CoolingUntil)
	}
	fail(tracker, "e", ServerError, 0, start)
	refuse(after(time.Second))
	if s := tracker.Summary("e", after(time.Second)); s.Class != ServerError || !s.CoolingUntil.Equal(after(5*time.Second)) {
		t.Errorf("class %s until %v, want the cool-down from before", s.Class, s.CoolingUntil)
	}
}

func TestCoolDownDoublesUpToTheLongest(t *testing.T) {
	tracker := New(options)
	now := start
	for i, want := range []time.Duration{5, 10, 20, 30, 30} {
		fail(tracker, "e", ServerError, 0, now)
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
		fail(tracker, "e", Timeout, 0, after(time.Duration(i)*time.Millisecond))
	}
	if got := cooling(tracker, start); got != 5*time.Second {
		t.Errorf("a burst cools down for %v, want 5s", got)
	}
	fail(tracker, "e", Timeout, 0, after(5*time.Second))
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
				fail(tracker, "e", RateLimited, retryAfter, start)
			}
			if got := cooling(tracker, start); got != test.want {
				t.Errorf("cools down for %v, want %v", got, test.want)
			}
		})
	}
}

func TestSuccessEndsTheCoolDown(t *testing.T) {
	tracker := New(options)
	fail(tracker, "e", ServerError, 0, start)
	fail(tracker, "e", ServerError, 0, after(5*time.Second))
	succeed(tracker, "e", after(6*time.Second))
	if got := cooling(tracker, after(6*time.Second)); got != 0 {
		t.Errorf("still cools down for %v", got)
	}
	fail(tracker, "e", ServerError, 0, after(7*time.Second))
	if got := cooling(tracker, after(7*time.Second)); got != 5*time.Second {
		t.Errorf("the next failure cools down for %v, want 5s as at first", got)
	}
}

// A provider's limit is no outage, and its answers in between are no downtime. A
// stream that began before the limit was reached ends well after it; that does not
// lift the limit.
func TestRow61RateLimitedIsNotDown(t *testing.T) {
	tracker := New(options)
	fail(tracker, "e", RateLimited, 20*time.Second, start)
	succeed(tracker, "e", after(time.Second))
	s := tracker.Summary("e", after(time.Second))
	if s.Class != RateLimited || !s.CoolingUntil.Equal(after(20*time.Second)) {
		t.Errorf("class %s until %v", s.Class, s.CoolingUntil)
	}
	if s.Outage || s.Uptime.Last5m != 100 || s.Requests.Last5m != 1 {
		t.Errorf("outage %t, uptime %v of %d requests; want none, and 100 of the 1 that succeeded", s.Outage, s.Uptime.Last5m, s.Requests.Last5m)
	}
	if tracker.Summary("e", after(20*time.Second)).HalfOpen {
		t.Error("it is half-open, although it answered after the limit was reached")
	}
	fail(tracker, "e", RateLimited, 0, after(20*time.Second))
	if got := cooling(tracker, after(20*time.Second)); got != 5*time.Second {
		t.Errorf("cools down for %v, want 5s: the success began a new row", got)
	}
}

func TestOldFailuresAreForgotten(t *testing.T) {
	tracker := New(options)
	fail(tracker, "e", ServerError, 0, start)
	fail(tracker, "e", ServerError, 0, after(5*time.Second))
	muchLater := after(15*time.Second + options.MaxCoolDown + 1)
	fail(tracker, "e", ServerError, 0, muchLater)
	if got := cooling(tracker, muchLater); got != 5*time.Second {
		t.Errorf("cools down for %v, want 5s as at first", got)
	}
}

func TestHalfOpen(t *testing.T) {
	row := func(tracker *Tracker, failures int) (last time.Time) {
		last = start
		for i := range failures {
			if i > 0 {
				last = last.Add(cooling(tracker, last))
			}
			fail(tracker, "e", ServerError, 0, last)
		}
		return last
	}
	tests := []struct {
		name     string
		failures int
		after    time.Duration // the last of them
		want     bool
	}{
		{"not while it cools down", 1, 4 * time.Second, false},
		{"from the end of the cool-down", 1, 5 * time.Second, true},
		{"to the end of the outage window", 1, 30*time.Second - 1, true},
		{"row 44: then it is whole", 1, 30 * time.Second, false},
		{"after a long cool-down for as long again", 4, 60*time.Second - 1, true},
		{"and no longer", 4, 60 * time.Second, false},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			tracker := New(options)
			now := row(tracker, test.failures).Add(test.after)
			if got := tracker.Summary("e", now).HalfOpen; got != test.want {
				t.Errorf("half-open: %t, want %t", got, test.want)
			}
		})
	}
}

func TestProbeIsGrantedToOneAtATime(t *testing.T) {
	tracker := New(options)
	probe := func(want bool, now time.Duration, when string) {
		t.Helper()
		if got := tracker.Probe("e", after(now)); got != want {
			t.Errorf("%s: granted %t, want %t", when, got, want)
		}
	}
	probe(true, 0, "nothing is known")
	fail(tracker, "e", ServerError, 0, start)
	probe(false, 4*time.Second, "cooling down")
	probe(true, 5*time.Second, "half-open")
	probe(false, 6*time.Second, "another is trying")
	probe(false, 15*time.Second-1, "just before the grant ends")
	probe(true, 15*time.Second, "the first never reported")
	fail(tracker, "e", BadRequest, 0, after(15*time.Second))
	probe(true, 15*time.Second, "the second was its client's own fault, which proves nothing")
	fail(tracker, "e", ServerError, 0, after(16*time.Second))
	probe(false, 17*time.Second, "the probe failed")
	probe(true, 26*time.Second, "half-open again, and the failure ended the grant")
	succeed(tracker, "e", after(27*time.Second))
	probe(true, 27*time.Second, "whole")
	probe(true, 27*time.Second, "whole is for everyone")
}
