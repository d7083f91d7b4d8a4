package redis_test

import (
	"testing"
	"time"

	"github.com/switchyard/switchyard/policies/redis"
)

func TestBreaker(t *testing.T) {
	var b redis.Breaker
	start := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	for i := range redis.Tolerated {
		if b.Failed(start) || !b.Allow(start) || b.Open() {
			t.Fatalf("failure %d is an outage", i+1)
		}
	}
	if !b.Failed(start) || b.Failed(start) || !b.Open() {
		t.Error("an outage does not begin once")
	}
	if b.Allow(start.Add(redis.Pause - 1)) {
		t.Error("a request asks before the pause is over")
	}
	if !b.Allow(start.Add(redis.Pause)) || b.Allow(start.Add(redis.Pause)) {
		t.Error("after the pause, not one request alone asks")
	}
	if !b.Answered() || b.Answered() || b.Open() || !b.Allow(start) {
		t.Error("an outage does not end once")
	}
	for i := range redis.Tolerated {
		if b.Failed(start) {
			t.Errorf("failure %d after an answer is an outage", i+1)
		}
	}
}
