package main

import "testing"

func TestMeasureLimits(t *testing.T) {
	l, err := measureLimits(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if l.memory <= 0 || l.roundTrip <= l.memory || l.redis <= l.roundTrip {
		t.Errorf("memory %v, a round trip %v, Redis %v", l.memory, l.roundTrip, l.redis)
	}
	t.Logf("memory %v, a round trip %v, Redis %v", l.memory, l.roundTrip, l.redis)
}
