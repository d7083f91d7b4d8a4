package sticky

import "testing"

func TestBreaker(t *testing.T) {
	var b breaker
	for i := range tolerated {
		if b.failed(start) || !b.allow(start) || b.open() {
			t.Fatalf("failure %d is an outage", i+1)
		}
	}
	if !b.failed(start) || b.failed(start) || !b.open() {
		t.Error("an outage does not begin once")
	}
	if b.allow(start.Add(pause - 1)) {
		t.Error("a request asks before the pause is over")
	}
	if !b.allow(start.Add(pause)) || b.allow(start.Add(pause)) {
		t.Error("after the pause, not one request alone asks")
	}
	if !b.answered() || b.answered() || b.open() || !b.allow(start) {
		t.Error("an outage does not end once")
	}
	for i := range tolerated {
		if b.failed(start) {
			t.Errorf("failure %d after an answer is an outage", i+1)
		}
	}
}
