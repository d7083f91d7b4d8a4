package quota

import (
	"strconv"
	"testing"
	"time"

	"github.com/switchyard/switchyard/policies/redis/redistest"
)

// Requests that fail count no tokens, and leave nothing behind however long they go on.
func TestNothingIsLoggedOfNothing(t *testing.T) {
	client := openPatient(t, redistest.Start(t))
	store := NewRedis(client)
	s := &subject{store, t, start}
	store.clock = func() time.Time { return s.now }
	claim := NewClaim(tokensIn(1000, time.Minute), 10)
	for i := range 100 {
		s.mustReserve(strconv.Itoa(i), claim)
		s.settle(strconv.Itoa(i), Actual{}, claim)
		s.pass(time.Second)
	}
	logs, err := client.Keys(t.Context(), "*:log").Result()
	if err != nil || len(logs) > 0 {
		t.Errorf("Redis holds %v, %v", logs, err)
	}
	s.wantUsed(0, claim.Limit)
}

// A Redis that is short of memory may take what is held and leave the sum of it. The sum
// is right again when a lease is over, also where others are under way.
func TestHoldsThatRedisLost(t *testing.T) {
	client := openPatient(t, redistest.Start(t))
	store := NewRedis(client)
	s := &subject{store, t, start}
	store.clock = func() time.Time { return s.now }
	claim := NewClaim(atOnce(3), 1)
	s.mustReserve("lost", claim)
	s.mustReserve("renewed", claim)
	held, err := client.Keys(t.Context(), "*:held").Result()
	if err != nil || len(held) != 1 || client.Del(t.Context(), held...).Err() != nil {
		t.Fatalf("Redis holds %v, %v", held, err)
	}
	s.pass(Lease / 2)
	if err := s.Renew(t.Context(), []Held{{ID: "renewed", Claims: claims(s.now, claim)}}, s.now); err != nil {
		t.Fatal(err)
	}
	s.pass(Lease/2 + time.Second)
	s.mustReserve("second", claim)
	s.mustReserve("third", claim)
	s.mustRefuse("three are under way", "fourth", claim)
}
