package health

import (
	"testing"
	"time"
)

// A check asks for a list of models: that it went well says nothing of limits, of
// the credential for inference or of how inference does.
func TestCheckThatWentWell(t *testing.T) {
	for class := Connect; int(class) < len(classNames); class++ {
		t.Run(class.String(), func(t *testing.T) {
			tracker := New(options)
			fail(tracker, "e", class, 0, start)
			before := tracker.Summary("e", start)
			tracker.Checked("e", None, after(time.Second))
			s := tracker.Summary("e", after(time.Second))
			ends := class == Connect || class == Timeout
			if got := s.CoolingUntil.IsZero() && !before.CoolingUntil.IsZero(); got != ends {
				t.Errorf("ended the cool-down: %t, want %t", got, ends)
			}
			if s.HalfOpen != ends {
				t.Errorf("half-open: %t, want %t: an inference is still to prove the endpoint", s.HalfOpen, ends)
			}
			if s.Requests != before.Requests || s.Uptime != before.Uptime || s.Outage != before.Outage {
				t.Errorf("statistics %+v, want those before the check: %+v", s, before)
			}
		})
	}
}

func TestCheckKeepsTheRowOfFailures(t *testing.T) {
	tracker := New(options)
	fail(tracker, "e", Timeout, 0, start)
	tracker.Checked("e", None, after(time.Second))
	fail(tracker, "e", Timeout, 0, after(2*time.Second))
	if got := cooling(tracker, after(2*time.Second)); got != 10*time.Second {
		t.Errorf("cools down for %v, want 10s: inference failed twice in a row", got)
	}
}

func TestCheckThatFailed(t *testing.T) {
	for class := Connect; int(class) < len(classNames); class++ {
		t.Run(class.String(), func(t *testing.T) {
			tracker := New(options)
			tracker.Checked("e", class, start)
			// A provider without a list of models answers 404, and infers all the same.
			want := time.Duration(0)
			if class == Connect || class == Timeout || class == ServerError {
				want = 5 * time.Second
			}
			if got := cooling(tracker, start); got != want {
				t.Errorf("cools down for %v, want %v", got, want)
			}
			snapshot := tracker.Snapshot("e", start)
			if snapshot.Requests != (Windows[int64]{}) || snapshot.Errors != (Errors{}) || snapshot.Outage {
				t.Errorf("counts as an attempt: %+v", snapshot)
			}
		})
	}
}

// It is down already; what inference met says more of why.
func TestCheckThatFailedDuringACoolDown(t *testing.T) {
	tracker := New(options)
	fail(tracker, "e", RateLimited, time.Minute, start)
	tracker.Checked("e", Connect, after(time.Second))
	tracker.Checked("e", None, after(2*time.Second))
	if s := tracker.Summary("e", after(2*time.Second)); s.Class != RateLimited || !s.CoolingUntil.Equal(after(time.Minute)) {
		t.Errorf("class %s until %v, want rate_limited for a minute", s.Class, s.CoolingUntil)
	}
}

func TestChecksFindNothingOfUnknownEndpoints(t *testing.T) {
	tracker := New(options)
	tracker.Checked("e", None, start)
	tracker.Checked("e", NotFound, start)
	if tracker.find("e") != nil {
		t.Error("an endpoint of which nothing is known takes room")
	}
}
