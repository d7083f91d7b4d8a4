package sharing

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"maps"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"github.com/switchyard/switchyard/policies/redis"
	"github.com/switchyard/switchyard/policies/redis/redistest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var start = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

// memo is an exchanger that keeps what it is given.
type memo struct {
	own string

	mu      sync.Mutex
	others  map[string]string
	changed chan struct{} // after each import and forgetting, if there is room
}

func newMemo(own string) *memo {
	return &memo{own: own, others: map[string]string{}, changed: make(chan struct{}, 1)}
}

func (m *memo) Export(time.Time) []byte { return []byte(m.own) }

func (m *memo) Import(instance string, data []byte, _ time.Time) error {
	if string(data) == "unreadable" {
		return errors.New("not a memo")
	}
	m.set(func() { m.others[instance] = string(data) })
	return nil
}

func (m *memo) Forget(instance string) { m.set(func() { delete(m.others, instance) }) }

func (m *memo) set(change func()) {
	m.mu.Lock()
	defer m.mu.Unlock()
	change()
	select {
	case m.changed <- struct{}{}:
	default:
	}
}

func (m *memo) known() map[string]string {
	m.mu.Lock()
	defer m.mu.Unlock()
	return maps.Clone(m.others)
}

// want checks what an exchanger knows of the others.
func (m *memo) want(t *testing.T, what string, want map[string]string) {
	t.Helper()
	if diff := cmp.Diff(want, m.known()); diff != "" {
		t.Errorf("%s (-want +got):\n%s", what, diff)
	}
}

// await waits until an exchanger knows that of the others.
func (m *memo) await(t *testing.T, what string, want map[string]string) {
	t.Helper()
	deadline := time.After(20 * time.Second)
	for !maps.Equal(m.known(), want) {
		select {
		case <-m.changed:
		case <-deadline:
			t.Fatalf("%s: knows %v, want %v", what, m.known(), want)
		}
	}
}

func newLoop(client *redis.Client, name string, exchanger Exchanger) *Loop {
	return New(client, exchanger, Options{Instance: name, Log: slog.New(slog.DiscardHandler)})
}

func TestTwoGatewaysExchange(t *testing.T) {
	client := redistest.Start(t).Open(t)
	a, b := newMemo("of a"), newMemo("of b")
	loopA, loopB := newLoop(client, "a", a), newLoop(client, "b", b)

	loopA.round(t.Context(), start)
	a.want(t, "a alone knows", map[string]string{})
	loopB.round(t.Context(), start)
	b.want(t, "b, which came later, knows", map[string]string{"a": "of a"})
	loopA.round(t.Context(), start)
	a.want(t, "a knows", map[string]string{"b": "of b"})

	a.own = "of a, later"
	loopA.round(t.Context(), start)
	loopB.round(t.Context(), start)
	b.want(t, "b knows", map[string]string{"a": "of a, later"})
	if loopA.Failures() != 0 || loopB.Failures() != 0 {
		t.Errorf("%d and %d failures", loopA.Failures(), loopB.Failures())
	}
}

func TestEveryKeyExpires(t *testing.T) {
	client := redistest.Start(t).Open(t)
	newLoop(client, "a", newMemo("of a")).round(t.Context(), start)
	keys, err := client.Keys(t.Context(), "*").Result()
	if err != nil || len(keys) != 2 {
		t.Fatalf("keys %q, %v", keys, err)
	}
	for _, key := range keys {
		left, err := client.PTTL(t.Context(), key).Result()
		if err != nil || left <= 0 || left > 10*time.Second || !strings.HasPrefix(key, "switchyard:") {
			t.Errorf("%s has %v to live, %v; want up to 10s", key, left, err)
		}
	}
}

func TestVanishedGatewayIsForgotten(t *testing.T) {
	client := redistest.Start(t).Open(t)
	a, b := newMemo("of a"), newMemo("of b")
	loopA, loopB := newLoop(client, "a", a), newLoop(client, "b", b)
	loopB.round(t.Context(), start)
	loopA.round(t.Context(), start)
	a.want(t, "a knows", map[string]string{"b": "of b"})

	client.Del(t.Context(), client.Key(blob("b"))) // as when it expires
	loopA.round(t.Context(), start)
	a.want(t, "after b vanished, a knows", map[string]string{})
	if names, err := client.SMembers(t.Context(), client.Key(members)).Result(); err != nil || len(names) != 1 {
		t.Errorf("instances %q, %v; want a alone", names, err)
	}

	loopB.round(t.Context(), start)
	loopA.round(t.Context(), start)
	a.want(t, "after b came back, a knows", map[string]string{"b": "of b"})
}

// Gateways of two versions run together during an upgrade.
func TestUnreadableStatisticsAreLoggedOnce(t *testing.T) {
	client := redistest.Start(t).Open(t)
	var logged bytes.Buffer
	a, b := newMemo("of a"), newMemo("unreadable")
	loopA := New(client, a, Options{Instance: "a", Log: slog.New(slog.NewTextHandler(&logged, nil))})
	loopB := newLoop(client, "b", b)
	loopB.round(t.Context(), start)
	for range 3 {
		loopA.round(t.Context(), start)
	}
	if got := logged.String(); strings.Count(got, "\n") != 1 || !strings.Contains(got, "instance=b") || !strings.Contains(got, "not a memo") {
		t.Errorf("logged:\n%swant one line about b", got)
	}
	b.own = "of b"
	loopB.round(t.Context(), start)
	loopA.round(t.Context(), start)
	a.want(t, "when they can be read, a knows", map[string]string{"b": "of b"})
}

func TestOutage(t *testing.T) {
	for name, outage := range map[string]struct {
		begin, end func(*redistest.Server)
	}{
		"stopped": {(*redistest.Server).Stop, (*redistest.Server).Restart},
		"paused":  {(*redistest.Server).Pause, (*redistest.Server).Resume},
	} {
		t.Run(name, func(t *testing.T) {
			server := redistest.Start(t)
			client := server.Open(t)
			var logged bytes.Buffer
			a := newMemo("of a")
			loopA := New(client, a, Options{Instance: "a", Log: slog.New(slog.NewTextHandler(&logged, nil))})
			loopB := newLoop(client, "b", newMemo("of b"))
			loopB.round(t.Context(), start)
			loopA.round(t.Context(), start)

			outage.begin(server)
			loopA.round(t.Context(), start.Add(2*time.Second))
			a.want(t, "soon after, a still knows", map[string]string{"b": "of b"})
			loopA.round(t.Context(), start.Add(11*time.Second))
			a.want(t, "when it is old, a knows", map[string]string{})
			if loopA.Failures() != 2 {
				t.Errorf("%d failures, want 2", loopA.Failures())
			}

			outage.end(server)
			for tries := 0; loopA.outage && tries < 10_000; tries++ {
				loopA.round(t.Context(), start.Add(12*time.Second))
			}
			loopB.round(t.Context(), start)
			loopA.round(t.Context(), start.Add(14*time.Second))
			a.want(t, "afterwards a knows", map[string]string{"b": "of b"})
			if got := logged.String(); strings.Count(got, "\n") != 2 {
				t.Errorf("logged:\n%swant one line for the begin and one for the end", got)
			}
		})
	}
}

func TestRun(t *testing.T) {
	server := redistest.Start(t)
	run := func(name string, exchanger Exchanger) (stop func()) {
		loop := New(server.Open(t), exchanger, Options{
			Instance: name, Every: 200 * time.Millisecond, Log: slog.New(slog.DiscardHandler),
		})
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() { defer close(done); loop.Run(ctx) }()
		stop = func() { cancel(); <-done }
		t.Cleanup(stop)
		return stop
	}
	a, b := newMemo("of a"), newMemo("of b")
	run("a", a)
	stopB := run("b", b)
	a.await(t, "a", map[string]string{"b": "of b"})
	b.await(t, "b", map[string]string{"a": "of a"})

	server.Stop()
	a.await(t, "a in an outage", map[string]string{})
	server.Restart()
	a.await(t, "a after a restart", map[string]string{"b": "of b"})

	stopB()
	b.want(t, "b after its end", map[string]string{})
	a.await(t, "a after b's end", map[string]string{})
	client := server.Open(t)
	if left, err := client.Exists(t.Context(), client.Key(blob("b"))).Result(); err != nil || left != 0 {
		t.Errorf("b left %d keys behind, %v", left, err)
	}
}

func TestDefaults(t *testing.T) {
	client := redistest.Start(t).Open(t)
	a := New(client, newMemo(""), Options{Log: slog.New(slog.DiscardHandler)})
	b := New(client, newMemo(""), Options{Log: slog.New(slog.DiscardHandler)})
	if a.options.Every != 2*time.Second || a.options.Instance == "" || a.options.Instance == b.options.Instance {
		t.Errorf("options %+v and %+v", a.options, b.options)
	}
}
