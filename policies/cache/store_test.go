package cache

import (
	"bytes"
	"fmt"
	"log/slog"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"github.com/switchyard/switchyard/policies/redis/redistest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var hello = NewKey("alice", []byte(`{"model":"m/x"}`), "/v1/chat/completions")

// answer is an entry with all fields set, stored now.
func answer(ttl time.Duration) *Entry {
	return &Entry{
		SourceID: "gen-1-a", EndpointID: "m/x@a", MediaType: "text/event-stream",
		FinishReason: "stop", NativeFinishReason: "end_turn", BoundReasoning: true,
		Stored: time.UnixMilli(time.Now().UnixMilli()), TimeToLive: ttl,
		Body: []byte("data: \x00\xff\r\n\n"),
	}
}

// eachStore runs a test on every implementation.
func eachStore(t *testing.T, test func(*testing.T, Store)) {
	t.Run("memory", func(t *testing.T) { test(t, NewMemory(1<<20)) })
	t.Run("redis", func(t *testing.T) {
		test(t, NewRedis(redistest.Start(t).OpenPatient(t), slog.New(slog.DiscardHandler)))
	})
}

func want(t *testing.T, what string, store Store, key Key, want *Entry) {
	t.Helper()
	got, ok := store.Get(t.Context(), key, time.Now())
	if ok != (want != nil) {
		t.Fatalf("%s: there is an entry: %t", what, ok)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("%s: entry (-want +got):\n%s", what, diff)
	}
}

func TestEntryComesBackWhole(t *testing.T) {
	eachStore(t, func(t *testing.T, store Store) {
		want(t, "before", store, hello, nil)
		kept := answer(time.Hour)
		store.Put(t.Context(), hello, kept)
		want(t, "after", store, hello, kept)

		empty := &Entry{Stored: kept.Stored, TimeToLive: time.Hour, Body: []byte{}}
		store.Put(t.Context(), hello, empty)
		want(t, "another in its place", store, hello, empty)

		store.Delete(t.Context(), hello, time.Now())
		want(t, "deleted", store, hello, nil)
		store.Delete(t.Context(), hello, time.Now()) // of nothing is no error
	})
}

func TestNothingIsKeptBeyondItsTime(t *testing.T) {
	eachStore(t, func(t *testing.T, store Store) {
		for _, ttl := range []time.Duration{0, -time.Second} {
			store.Put(t.Context(), hello, answer(ttl))
			want(t, fmt.Sprintf("for %v", ttl), store, hello, nil)
		}
		// Both stores have clocks of their own, which a test cannot set.
		store.Put(t.Context(), hello, answer(30*time.Millisecond))
		for deadline := time.Now().Add(10 * time.Second); ; {
			if _, ok := store.Get(t.Context(), hello, time.Now()); !ok {
				break
			}
			if time.Now().After(deadline) {
				t.Fatal("an entry for 30 ms is there after 10 s")
			}
		}
	})
}

// Known failure 50: a cache that is shared across tenants.
func TestRow112KeysAreApart(t *testing.T) {
	body := []byte("b")
	keys := map[Key]string{}
	for name, key := range map[string]Key{
		"":                  NewKey("alice", body, "path", "beta"),
		"another account":   NewKey("bob", body, "path", "beta"),
		"no account":        NewKey("", body, "path", "beta"),
		"another path":      NewKey("alice", body, "path2", "beta"),
		"another header":    NewKey("alice", body, "path", "gamma"),
		"parts run on":      NewKey("alice", body, "pathbeta"),
		"parts are shifted": NewKey("alicepath", body, "beta"),
		"body as a part":    NewKey("alice", nil, "path", "beta", "b"),
		"another body":      NewKey("alice", []byte("c"), "path", "beta"),
	} {
		if other, taken := keys[key]; taken {
			t.Errorf("%q and %q have one key", name, other)
		}
		keys[key] = name
	}
	if NewKey("alice", body, "path", "beta") != NewKey("alice", body, "path", "beta") {
		t.Error("the same is not the same")
	}
}

func TestStoresTakeManyAtOnce(t *testing.T) {
	eachStore(t, func(t *testing.T, store Store) {
		var group sync.WaitGroup
		for i := range 8 {
			group.Go(func() {
				for j := range 50 {
					key := NewKey("alice", []byte{byte(i*j) % 7})
					store.Put(t.Context(), key, answer(time.Minute))
					store.Get(t.Context(), key, time.Now())
					if j%10 == 0 {
						store.Delete(t.Context(), key, time.Now())
					}
				}
			})
		}
		group.Wait()
	})
}

func TestAgeAndLeft(t *testing.T) {
	entry := answer(time.Minute)
	for after, want := range map[time.Duration][2]time.Duration{
		-time.Second:     {0, time.Minute}, // another gateway's clock is ahead
		0:                {0, time.Minute},
		20 * time.Second: {20 * time.Second, 40 * time.Second},
		2 * time.Minute:  {2 * time.Minute, 0},
	} {
		now := entry.Stored.Add(after)
		if got := [2]time.Duration{entry.Age(now), entry.Left(now)}; got != want {
			t.Errorf("after %v: age and time left are %v, want %v", after, got, want)
		}
	}
}

func BenchmarkMemoryGet(b *testing.B) {
	store := NewMemory(1 << 20)
	store.Put(b.Context(), hello, answer(time.Hour))
	now := time.Now()
	b.ReportAllocs()
	for b.Loop() {
		if _, ok := store.Get(b.Context(), hello, now); !ok {
			b.Fatal("there is none")
		}
	}
}

func BenchmarkKeyOf100KB(b *testing.B) {
	body := bytes.Repeat([]byte("x"), 100<<10)
	b.ReportAllocs()
	b.SetBytes(int64(len(body)))
	for b.Loop() {
		NewKey("alice", body, "/v1/chat/completions")
	}
}
