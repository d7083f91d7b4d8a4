package sticky

import (
	"bytes"
	"context"
	"log/slog"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/switchyard/switchyard/policies/redis"
	"github.com/switchyard/switchyard/policies/redis/redistest"
)

func wantPin(t *testing.T, what string, store Store, now time.Time, want Pin) {
	t.Helper()
	if got, ok := store.Get(t.Context(), hello, now); !ok || got != want {
		t.Errorf("%s: pin %+v, %t, want %+v", what, got, ok, want)
	}
}

// An outage is logged once at its begin and once at its end, and in between the
// requests neither wait nor count as failures.
func TestOutage(t *testing.T) {
	for name, outage := range map[string]struct {
		begin, end func(*redistest.Server)
	}{
		"stopped": {(*redistest.Server).Stop, (*redistest.Server).Restart},
		"paused":  {(*redistest.Server).Pause, (*redistest.Server).Resume},
	} {
		t.Run(name, func(t *testing.T) {
			var logged bytes.Buffer
			server := redistest.Start(t)
			client := server.OpenWith(t, 200*time.Millisecond)
			store := NewRedis(client, NewMemory(), slog.New(slog.NewTextHandler(&logged, nil)))
			now := start
			store.Put(t.Context(), hello, pin, time.Hour, now)
			wantPin(t, "before", store, now, pin)
			if store.Outage() || store.Failures() != 0 {
				t.Fatalf("outage %t, %d failures before it", store.Outage(), store.Failures())
			}

			outage.begin(server)
			for range redis.Tolerated + 1 {
				wantPin(t, "as it begins", store, now, pin)
			}
			if !store.Outage() || store.Failures() != redis.Tolerated+1 {
				t.Errorf("outage %t, %d failures, want %d", store.Outage(), store.Failures(), redis.Tolerated+1)
			}
			moved := Pin{Model: "m/x", EndpointID: "m/x@c", Provider: "c"}
			began := time.Now()
			for range 100 {
				store.Put(t.Context(), hello, moved, time.Hour, now)
				wantPin(t, "while it lasts", store, now, moved)
			}
			if waited := time.Since(began); waited > 5*time.Second || store.Failures() != redis.Tolerated+1 {
				t.Errorf("200 calls took %v and brought %d failures, want %d as before", waited, store.Failures(), redis.Tolerated+1)
			}
			now = now.Add(redis.Pause)
			wantPin(t, "the one that asks", store, now, moved)
			wantPin(t, "the one after it", store, now, moved)
			if got := store.Failures(); got != redis.Tolerated+2 {
				t.Errorf("%d failures, want %d: one request asks", got, redis.Tolerated+2)
			}

			outage.end(server)
			for tries := 0; store.Outage() && tries < 10_000; tries++ {
				now = now.Add(redis.Pause)
				store.Put(t.Context(), hello, moved, 24*time.Hour, now)
			}
			wantPin(t, "at another gateway", manyGateways{client}, now, moved)
			if got := logged.String(); strings.Count(got, "\n") != 2 ||
				strings.Count(got, "does not answer") != 1 || strings.Count(got, "answers again") != 1 {
				t.Errorf("logged:\n%swant one line for the begin and one for the end", got)
			}
		})
	}
}

func TestRedisThatLostItsDataIsHelpedOutByMemory(t *testing.T) {
	server := redistest.Start(t)
	client := server.OpenPatient(t)
	store := NewRedis(client, NewMemory(), slog.New(slog.DiscardHandler))
	store.Put(t.Context(), hello, pin, time.Hour, start)
	if err := client.FlushAll(t.Context()).Err(); err != nil {
		t.Fatal(err)
	}
	wantPin(t, "after the loss", store, start, pin)
}

func TestAnotherGatewayMovesTheConversation(t *testing.T) {
	client := redistest.Start(t).OpenPatient(t)
	store := NewRedis(client, NewMemory(), slog.New(slog.DiscardHandler))
	store.Put(t.Context(), hello, pin, time.Hour, start)
	moved := Pin{Model: "m/x", EndpointID: "m/x@c", Provider: "c"}
	manyGateways{client}.Put(t.Context(), hello, moved, time.Hour, start)
	wantPin(t, "after the move", store, start, moved)
}

// A client that hangs up while Redis is asked is not an outage of Redis.
func TestHungUpClientIsNoFailure(t *testing.T) {
	client := redistest.Start(t).OpenPatient(t)
	store := NewRedis(client, NewMemory(), slog.New(slog.DiscardHandler))
	store.memory.Put(t.Context(), hello, pin, time.Hour, start)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if got, ok := store.Get(ctx, hello, start); !ok || got != pin || store.Failures() != 0 {
		t.Errorf("pin %v, %t, %d failures", got, ok, store.Failures())
	}
}

func TestLongestTimeToLive(t *testing.T) {
	client := redistest.Start(t).OpenPatient(t)
	manyGateways{client}.Put(t.Context(), hello, pin, 48*time.Hour, start)
	wantPin(t, "put for two days", manyGateways{client}, start, pin)
}

func TestRedisHoldsNoPlainText(t *testing.T) {
	client := redistest.Start(t).OpenPatient(t)
	store := NewRedis(client, NewMemory(), slog.New(slog.DiscardHandler))
	store.Put(t.Context(), SessionKey("alice", "m/x", "my secret session"), pin, time.Hour, start)
	keys, err := client.Keys(t.Context(), "*").Result()
	if err != nil || len(keys) != 1 || !strings.HasPrefix(keys[0], "switchyard:pin:") ||
		strings.Contains(keys[0], "secret") || strings.Contains(keys[0], "alice") {
		t.Errorf("keys %q, %v", keys, err)
	}
}

// Whatever stands in Redis is a pin with a time to live in bounds, or none.
func FuzzReadPin(f *testing.F) {
	f.Add("m/x", "m/x@b", "b", "1", "600000")
	f.Add("m/x", "m/x@b", "b", "0", "9223372036854775807")
	f.Add("", "", "", "", "-1")
	f.Fuzz(func(t *testing.T, model, endpoint, provider, bound, ttl string) {
		pin, life, ok := readPin([]any{model, endpoint, provider, bound, ttl})
		if !ok {
			if pin != (Pin{}) {
				t.Errorf("half a pin: %+v", pin)
			}
			return
		}
		if life <= 0 || life > maxTTL {
			t.Errorf("time to live %v", life)
		}
		if want := (Pin{Model: model, EndpointID: endpoint, Provider: provider, Bound: bound == "1"}); pin != want {
			t.Errorf("pin %+v, want %+v", pin, want)
		}
		if n, err := strconv.Atoi(ttl); err != nil || time.Duration(n)*time.Millisecond != life {
			t.Errorf("%q milliseconds are read as %v", ttl, life)
		}
	})
}

func TestUnreadablePins(t *testing.T) {
	for name, values := range map[string][]any{
		"none":          {nil, nil, nil, nil, nil},
		"a field lacks": {"m/x", nil, "b", "1", "600000"},
		"too few":       {"m/x", "m/x@b"},
		"a number":      {"m/x", "m/x@b", "b", int64(1), "600000"},
	} {
		if _, _, ok := readPin(values); ok {
			t.Errorf("%s: read as a pin", name)
		}
	}
}

func BenchmarkRedisGet(b *testing.B) {
	store := NewRedis(redistest.Start(b).OpenPatient(b), NewMemory(), slog.New(slog.DiscardHandler))
	store.Put(b.Context(), hello, pin, time.Hour, start)
	b.ReportAllocs()
	for b.Loop() {
		if _, known := store.Get(b.Context(), hello, start); !known {
			b.Fatal("not known")
		}
	}
}
