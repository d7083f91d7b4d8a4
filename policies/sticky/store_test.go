package sticky

import (
	"context"
	"log/slog"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/switchyard/switchyard/policies/redis"
	"github.com/switchyard/switchyard/policies/redis/redistest"
)

var (
	start = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	hello = ConversationKey("alice", "m/x", [16]byte{1})
	pin   = Pin{Model: "m/x", EndpointID: "m/x@b", Provider: "b", Bound: true}
)

// subject is a store under test, and a time that passes when the test says so.
type subject struct {
	Store
	now  time.Time
	pass func(time.Duration)
}

func (s *subject) wait(d time.Duration) {
	s.now = s.now.Add(d)
	s.pass(d)
}

func (s *subject) want(t *testing.T, what string, key Key, want Pin, wantKnown bool) {
	t.Helper()
	got, known := s.Get(t.Context(), key, s.now)
	if diff := cmp.Diff(want, got); diff != "" || known != wantKnown {
		t.Errorf("%s: known %t, want %t; pin (-want +got):\n%s", what, known, wantKnown, diff)
	}
}

// manyGateways is a new gateway for each call: what one knows, it has from Redis.
type manyGateways struct{ client *redis.Client }

func (m manyGateways) gateway() *Redis {
	return NewRedis(m.client, NewMemory(), slog.New(slog.DiscardHandler))
}

func (m manyGateways) Get(ctx context.Context, key Key, now time.Time) (Pin, bool) {
	return m.gateway().Get(ctx, key, now)
}

func (m manyGateways) Put(ctx context.Context, key Key, pin Pin, ttl time.Duration, now time.Time) {
	m.gateway().Put(ctx, key, pin, ttl, now)
}

// age takes d from the time to live of every key: Redis has a clock of its own.
func age(t *testing.T, client *redis.Client, d time.Duration) {
	t.Helper()
	ctx := t.Context()
	keys, err := client.Keys(ctx, client.Key("*")).Result()
	if err != nil {
		t.Fatal(err)
	}
	for _, key := range keys {
		left, err := client.PTTL(ctx, key).Result()
		if err != nil || left <= 0 {
			t.Fatalf("%s has %v to live, %v", key, left, err)
		}
		// The test's own time goes by too, so a second counts as the whole.
		if left -= d; left < time.Second {
			client.Del(ctx, key)
		} else {
			client.PExpire(ctx, key, left)
		}
	}
}

// eachStore runs a test on every implementation.
func eachStore(t *testing.T, test func(*testing.T, *subject)) {
	t.Run("memory", func(t *testing.T) {
		test(t, &subject{Store: NewMemory(), now: start, pass: func(time.Duration) {}})
	})
	t.Run("redis", func(t *testing.T) {
		client := redistest.Start(t).OpenPatient(t)
		test(t, &subject{Store: manyGateways{client}, now: start, pass: func(d time.Duration) { age(t, client, d) }})
	})
}

func TestRow105PinIsKeptForTenMinutes(t *testing.T) {
	eachStore(t, func(t *testing.T, s *subject) {
		s.want(t, "before", hello, Pin{}, false)
		s.Put(t.Context(), hello, pin, 10*time.Minute, s.now)
		s.want(t, "at once", hello, pin, true)
		s.wait(9 * time.Minute)
		s.want(t, "after 9 minutes", hello, pin, true)
		s.wait(9 * time.Minute)
		s.want(t, "9 minutes after its last use", hello, pin, true)
		s.wait(10 * time.Minute)
		s.want(t, "10 minutes after its last use", hello, Pin{}, false)
	})
}

func TestLaterPinReplacesTheEarlier(t *testing.T) {
	eachStore(t, func(t *testing.T, s *subject) {
		moved := Pin{Model: "m/y", EndpointID: "m/y@c", Provider: "c"}
		s.Put(t.Context(), hello, pin, time.Hour, s.now)
		s.Put(t.Context(), hello, moved, 10*time.Minute, s.now)
		s.want(t, "after both", hello, moved, true)
		s.wait(10 * time.Minute)
		s.want(t, "after the later one's time", hello, Pin{}, false)
	})
}

func TestNoTimeToLive(t *testing.T) {
	eachStore(t, func(t *testing.T, s *subject) {
		s.Put(t.Context(), hello, pin, 0, s.now)
		s.want(t, "put for no time", hello, Pin{}, false)
		s.Put(t.Context(), hello, pin, time.Minute, s.now)
		s.Put(t.Context(), hello, Pin{}, -time.Second, s.now)
		s.want(t, "put for less", hello, pin, true)
	})
}

// The client may be gone when its answer is over.
func TestPutOutlivesTheRequest(t *testing.T) {
	eachStore(t, func(t *testing.T, s *subject) {
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		s.Put(ctx, hello, pin, time.Minute, s.now)
		s.want(t, "after the client hung up", hello, pin, true)
	})
}

func TestManyAtOnce(t *testing.T) {
	eachStore(t, func(t *testing.T, s *subject) {
		var group sync.WaitGroup
		for i := range 8 {
			group.Go(func() {
				key := ConversationKey("alice", "m/x", [16]byte{byte(i)})
				for range 20 {
					s.Put(t.Context(), key, pin, time.Minute, s.now)
					if got, ok := s.Get(t.Context(), key, s.now); !ok || got != pin {
						t.Errorf("conversation %d: pin %v, %t", i, got, ok)
						return
					}
				}
			})
		}
		group.Wait()
	})
}
