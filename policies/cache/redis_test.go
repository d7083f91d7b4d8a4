package cache

import (
	"bytes"
	"context"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/switchyard/switchyard/policies/redis"
	"github.com/switchyard/switchyard/policies/redis/redistest"
)

func TestEveryEntryInRedisExpires(t *testing.T) {
	client := redistest.Start(t).OpenPatient(t)
	NewRedis(client, slog.New(slog.DiscardHandler)).Put(t.Context(), hello, answer(time.Minute))
	names, err := client.Keys(t.Context(), "*").Result()
	if err != nil || len(names) != 1 || !strings.HasPrefix(names[0], client.Key("answer:")) || strings.Contains(names[0], "alice") {
		t.Fatalf("keys %q, %v", names, err)
	}
	if left, err := client.PTTL(t.Context(), names[0]).Result(); err != nil || left <= 0 || left > time.Minute {
		t.Errorf("%v to live, %v", left, err)
	}
}

func TestForeignValuesInRedisAreNoEntry(t *testing.T) {
	client := redistest.Start(t).OpenPatient(t)
	store := NewRedis(client, slog.New(slog.DiscardHandler))
	name := store.name(hello)
	for what, damage := range map[string]func(){
		"a text":           func() { client.Set(t.Context(), name, "x", 0) },
		"part of an entry": func() { client.HSet(t.Context(), name, "body", "x") },
		"no number": func() {
			store.Put(t.Context(), hello, answer(time.Minute))
			client.HSet(t.Context(), name, "ttl", "soon")
		},
		"a time beyond all": func() {
			store.Put(t.Context(), hello, answer(time.Minute))
			client.HSet(t.Context(), name, "ttl", "9223372036854775807")
		},
	} {
		client.Del(t.Context(), name)
		damage()
		if got, ok := store.Get(t.Context(), hello, time.Now()); ok {
			t.Errorf("%s: entry %+v", what, got)
		}
	}
}

// An outage is logged once at its begin and once at its end, and in between nobody waits.
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
			store := NewRedis(server.OpenWith(t, 200*time.Millisecond), slog.New(slog.NewTextHandler(&logged, nil)))
			kept := answer(time.Hour)
			store.Put(t.Context(), hello, kept)
			want(t, "before", store, hello, kept)

			outage.begin(server)
			now := kept.Stored // no time passes: nobody tries again
			for range redis.Tolerated + 1 {
				store.Get(t.Context(), hello, now)
			}
			began := time.Now()
			for range 100 {
				if _, ok := store.Get(t.Context(), hello, now); ok {
					t.Fatal("an entry is there while Redis is not")
				}
				store.Put(t.Context(), hello, kept)
				store.Delete(t.Context(), hello, now)
			}
			if waited := time.Since(began); waited > 100*time.Millisecond || store.Failures() != redis.Tolerated+1 {
				t.Errorf("300 calls took %v, and there are %d failures", waited, store.Failures())
			}

			outage.end(server)
			for deadline := time.Now().Add(10 * time.Second); ; {
				now = now.Add(redis.Pause)
				store.Delete(t.Context(), hello, now)
				kept.Stored = now.Add(redis.Pause)
				store.Put(t.Context(), hello, kept)
				if _, ok := store.Get(t.Context(), hello, kept.Stored); ok {
					break
				}
				if time.Now().After(deadline) {
					t.Fatal("Redis is not asked again")
				}
			}
			if begun, ended := strings.Count(logged.String(), "does not answer"), strings.Count(logged.String(), "answers again"); begun != 1 || ended != 1 {
				t.Errorf("the log has %d begins and %d ends of an outage:\n%s", begun, ended, logged.String())
			}
		})
	}
}

func TestClientThatHungUpIsNoFailure(t *testing.T) {
	store := NewRedis(redistest.Start(t).OpenPatient(t), slog.New(slog.DiscardHandler))
	ctx, hangUp := context.WithCancel(t.Context())
	hangUp()
	kept := answer(time.Hour)
	store.Put(ctx, hello, kept) // outlives it
	if _, ok := store.Get(ctx, hello, time.Now()); ok || store.Failures() != 0 {
		t.Errorf("an entry for a client that hung up: %t; %d failures", ok, store.Failures())
	}
	want(t, "put for a client that hung up", store, hello, kept)
}
