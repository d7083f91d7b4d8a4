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
