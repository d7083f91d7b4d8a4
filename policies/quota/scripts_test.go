package quota

import (
	"strconv"
	"testing"
	"time"

	"github.com/switchyard/switchyard/policies/identity"
	"github.com/switchyard/switchyard/policies/redis"
	"github.com/switchyard/switchyard/policies/redis/redistest"
)

// Requests that fail count no tokens, and leave nothing behind however long they go on.
func TestNothingIsLoggedOfNothing(t *testing.T) {
	s, client := onRedis(t)
	claim := NewClaim(tokensIn(1000, time.Minute), 10)
	for i := range 100 {
		s.mustReserve(strconv.Itoa(i), claim)
		s.settle(strconv.Itoa(i), Actual{}, claim)
		s.pass(time.Second)
	}
	if size := sizeOf(t, client, claim); size > 200 {
		t.Errorf("the counter is %d bytes", size)
	}
	s.wantUsed(0, claim.Limit)
}

// sizeOf is how many bytes are in a claim's counter.
func sizeOf(t *testing.T, client *redis.Client, claim Claim) (size int) {
	t.Helper()
	fields, err := client.HGetAll(t.Context(), NewRedis(client).prefix+claim.counter(start)).Result()
	if err != nil || len(fields) == 0 {
		t.Fatal(fields, err)
	}
	for name, value := range fields {
		size += len(name) + len(value)
	}
	return size
}

// What has left the window is gone from Redis too, at both ends of the log's pages.
func TestLogIsNoLongerThanItsWindow(t *testing.T) {
	s, client := onRedis(t)
	claim := NewClaim(requestsIn(1000, time.Minute), 1)
	for i := range 1000 {
		s.mustReserve(strconv.Itoa(i), claim)
		s.pass(time.Millisecond)
	}
	if size := sizeOf(t, client, claim); size > 1000*20 {
		t.Errorf("%d bytes for a thousand requests", size)
	}
	s.now = after(time.Minute + 994*time.Millisecond)
	s.mustReserve("next", claim)
	s.wantUsed(6, claim.Limit)
	if size := sizeOf(t, client, claim); size > 400 {
		t.Errorf("%d bytes for six requests", size)
	}
	s.pass(time.Hour)
	s.mustReserve("last", claim)
	s.wantUsed(1, claim.Limit)
}

// A Redis that is short of memory takes a counter as a whole. What is under way is told
// again, and what is not frees nobody else's place.
func TestHoldsThatRedisLost(t *testing.T) {
	s, client := onRedis(t)
	claim := NewClaim(atOnce(3), 1)
	s.mustReserve("lost", claim)
	s.mustReserve("renewed", claim)
	if removed, err := client.Del(t.Context(), NewRedis(client).prefix+claim.counter(start)).Result(); err != nil || removed != 1 {
		t.Fatalf("%d counters removed, %v", removed, err)
	}
	s.pass(Lease / 2)
	for range 2 {
		if err := s.Renew(t.Context(), []Held{{ID: "renewed", Claims: claims(s.now, claim)}}, s.now); err != nil {
			t.Fatal(err)
		}
	}
	s.mustReserve("second", claim)
	s.settle("lost", Actual{}, claim)
	s.mustReserve("third", claim)
	s.mustRefuse("three are under way", "fourth", claim)
	s.pass(Lease)
	s.mustReserve("of nobody's", claim)
}

// A counter that nobody could tell again stays for good, also if it was one that somebody
// could.
func TestCounterThatBecameLasting(t *testing.T) {
	client := openPatient(t, redistest.Start(t))
	store := NewRedis(client)
	all := claims(time.Now(), NewClaim(dollars(1, identity.ResetNever), 1))
	for i, lasting := range []bool{false, true, false} {
		all[0].lasting = lasting
		if _, err := store.Reserve(t.Context(), strconv.Itoa(i), all, time.Now()); err != nil {
			t.Fatal(err)
		}
		left, err := client.PTTL(t.Context(), store.prefix+all[0].name).Result()
		if err != nil || (left < 0) != lasting {
			t.Errorf("lasting %t: %v to live, %v", lasting, left, err)
		}
	}
}

// A gateway of a version before, which the new ones run beside while they replace it, keeps
// its counters in other keys.
func TestCountersOfAnotherVersionAreLeftAlone(t *testing.T) {
	client := openPatient(t, redistest.Start(t))
	store := NewRedis(client)
	claim := NewClaim(atOnce(1), 1)
	old := []string{client.Key("limit:" + claim.counter(start) + ":state"), client.Key("limit1:" + claim.counter(start)), client.Key("settled:1")}
	for _, name := range old {
		if err := client.Set(t.Context(), name, "not to be read", 0).Err(); err != nil {
			t.Fatal(err)
		}
	}
	all := claims(time.Now(), claim)
	for range 2 {
		if verdict, err := store.Reserve(t.Context(), "1", all, time.Now()); err != nil || verdict.Denial != nil {
			t.Fatal(verdict, err)
		}
		if err := store.Settle(t.Context(), "1", all, Actual{}, time.Now()); err != nil {
			t.Fatal(err)
		}
		client.Del(t.Context(), store.prefix+"settled:1")
	}
	for _, name := range old {
		if got, err := client.Get(t.Context(), name).Result(); err != nil || got != "not to be read" {
			t.Errorf("%s: %q, %v", name, got, err)
		}
	}
}
