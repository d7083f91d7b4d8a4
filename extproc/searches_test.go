package extproc

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/switchyard/switchyard/extproc/dialect"
	"github.com/switchyard/switchyard/policies/guard"
)

// newTestSearch is the meter of a search with room for all, and with no other beside it.
func newTestSearch(t testing.TB) *searchMeter {
	return &searchMeter{
		searches: newSearches(1), ctx: t.Context(), key: "k", left: longestSearch, growth: mostGrown, room: func(int) error { return nil },
	}
}

// works has a search of a key's take so much time of a processor, as it asks each
// millisecond, and tells how long it took with its turns.
func works(m *searchMeter, takes time.Duration) (time.Duration, error) {
	began := time.Now()
	m.begin()
	defer m.end()
	for range takes / time.Millisecond {
		time.Sleep(time.Millisecond)
		for range clockEvery {
			if !m.GoOn() {
				return time.Since(began), m.err
			}
		}
	}
	return time.Since(began), nil
}

// However many searches of one key's wait, those of another have every second turn, and
// short ones need none.
func TestSearchesOfOneKeyDoNotStarveAnothers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		all := newSearches(1)
		search := func(key string) *searchMeter {
			m := newTestSearch(t)
			m.searches, m.key = all, key
			return m
		}
		var greedy sync.WaitGroup
		late := 0
		var mu sync.Mutex
		for range 100 {
			greedy.Go(func() {
				_, err := works(search("greedy"), time.Second)
				mu.Lock()
				defer mu.Unlock()
				if errors.Is(err, errSearchLate) || errors.Is(err, errSearchLong) {
					late++
				} else if err != nil {
					t.Error(err)
				}
			})
		}
		time.Sleep(time.Second)
		if took, err := works(search("short"), shortSearch-time.Millisecond); err != nil || took > shortSearch {
			t.Errorf("a short search took %v, %v", took, err)
		}
		if took, err := works(search("modest"), 200*time.Millisecond); err != nil || took > 500*time.Millisecond {
			t.Errorf("a search of 200 ms took %v, %v", took, err)
		}
		greedy.Wait()
		if late < 90 {
			t.Errorf("%d searches of 100 s together ended within %v", 100-late, longestSearch)
		}
		if all.running != 0 || all.keys.Len() != 0 || len(all.waiting) != 0 {
			t.Errorf("%+v is left", all)
		}
	})
}

// Who waits for a turn ends with its client at once, and leaves no place behind.
func TestSearchEndsWhileItWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		all := newSearches(1)
		if err := all.begin(t.Context(), "other"); err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		m := newTestSearch(t)
		m.searches, m.ctx = all, ctx
		go func() {
			time.Sleep(time.Second)
			cancel()
		}()
		if took, err := works(m, time.Second); took != time.Second || !errors.Is(err, errEnded) {
			t.Errorf("it ended after %v: %v", took, err)
		}
		m = newTestSearch(t)
		m.searches = all
		if took, err := works(m, time.Second); took != longestSearch || !errors.Is(err, errSearchLate) {
			t.Errorf("it ended after %v: %v", took, err)
		}
		if all.running != 1 || all.keys.Len() != 0 || len(all.waiting) != 0 {
			t.Errorf("%+v is left", all)
		}
		all.end()
		m = newTestSearch(t)
		if took, err := works(m, time.Minute); took != longestSearch || !errors.Is(err, errSearchLong) {
			t.Errorf("it ended after %v: %v", took, err)
		}
	})
}

// Who waits for room has no turn meanwhile: room is held by those that wait for theirs.
func TestSearchGivesItsTurnBackForRoom(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newTestSearch(t)
		m.room = func(int) error {
			if m.searches.running != 0 {
				t.Error("a turn is kept")
			}
			time.Sleep(time.Minute)
			return nil
		}
		m.begin()
		if m.deadline = m.deadline.Add(time.Minute); m.enter() != nil || m.searches.running != 1 {
			t.Fatal("no turn")
		}
		if !m.Grow(10) || m.growth != mostGrown-10 {
			t.Error(m.err)
		}
		if m.end(); m.left != longestSearch+time.Minute {
			t.Errorf("waiting for room took of the time to search: %v is left", m.left)
		}
	})
}

const digits = 20_000

var numbers = strings.Repeat("1 ", digits)

func saying(text string) string {
	return `{"model":"m/x","messages":[{"role":"user","content":"` + text + `"}]}`
}

// What labels add is of the request's size, and of the room that requests have.
func TestLabelsMakeNoRequestTooLarge(t *testing.T) {
	long := strings.Repeat("\U0001F600", 100)
	for name, test := range map[string]struct {
		label, text string
		held        int64 // all requests together; 0 is no bound
		status      int
		says        string
	}{
		"too large":         {long, numbers, 0, 413, "larger than 1048576 bytes with the labels of guardrails"},
		"escaped":           {strings.Repeat("\x01", 20), numbers, 0, 413, "larger than 1048576 bytes with the labels of guardrails"},
		"touching":          {long, strings.Repeat("1", 2*digits), 0, 200, long},
		"as large as it is": {"#", numbers, 3 * digits, 200, "# # #"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				g := newGateway(t, onlyA, guarding(t, filterOf("1", redacted, test.label, 0)), roomFor(test.held, 0))
				if test.status == 200 {
					if _, got := g.asked("1", saying(test.text)); !strings.Contains(got.body, test.says) {
						t.Errorf("the provider gets %.200s", got.body)
					}
					return
				}
				e := g.attempt("1")
				e.asks(saying(test.text), true)
				if got := e.refused(); got.status != test.status || !strings.Contains(got.error.Message, test.says) {
					t.Errorf("%d: %s", got.status, got.body)
				}
				if held := g.heldRequests.taken(); held != 0 {
					t.Errorf("%d bytes are still held", held)
				}
			})
		})
	}
}

// Room that there is not is waited for, and then there is a 503.
func TestLabelsTakeRoom(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGateway(t, onlyA, guarding(t, filterOf("1", redacted, "[NUMBER]", 0)), roomFor(4*digits, 0))
		first, _ := g.askedAs("first", "1", saying(strings.Repeat("1 ", digits/2)))
		if held := g.heldRequests.taken(); held < 4*digits || held > 12*digits {
			t.Errorf("%d bytes are held, of a request of %d", held, digits+50)
		}
		second := g.attempt("1", "x-request-id", "second")
		began := time.Now()
		second.asks(saying("none"), true)
		if got := second.refused(); got.status != 503 || time.Since(began) != longestForRoom {
			t.Errorf("%d after %v: %s", got.status, time.Since(began), got.body)
		}
		first.hangUp()
		if held := g.heldRequests.taken(); held != 0 {
			t.Errorf("%d bytes are still held", held)
		}
	})
}

// Labels in an answer are bounded, whatever their text is of.
func TestLabelsMakeNoAnswerTooLong(t *testing.T) {
	label := strings.Repeat("\U0001F600", 100)
	args := `["` + strings.Repeat("1 ", 50_000) + `"]`
	for name, events := range map[string][]dialect.Event{
		"text":       {text(0, strings.Repeat("1 ", 1<<20))},
		"pieces":     {text(0, numbers), text(0, numbers)},
		"reasoning":  {thought(numbers+numbers, "")},
		"arguments":  {call(0, "f"), arguments(0, args), finish(0)},
		"no JSON":    {call(0, "f"), arguments(0, args[1:]), finish(0)},
		"annotation": {{Kind: dialect.EventAnnotation, Raw: []byte(args)}},
	} {
		g := newAnswerGuard(t, filterOf("1", redacted, label, outward))
		taken := 0
		g.meter.room = func(bytes int) error {
			taken += bytes
			return nil
		}
		_, err := g.Filter(events)
		var refused *dialect.Error
		if !errors.As(err, &refused) || refused.Status != 502 || !strings.Contains(refused.Message, "more than 8 MiB longer") || taken < mostGrown/2 || taken > mostGrown+largestGuarded+mostAhead {
			t.Errorf("%s: %v, with room for %d", name, err, taken)
		}
	}
}

// What is held of calls takes room until they are told.
func TestGuardedCallsTakeRoom(t *testing.T) {
	g := newAnswerGuard(t, filterOf("secret", redacted, "#", outward))
	taken := 0
	g.meter.room = func(bytes int) error {
		taken += bytes
		return nil
	}
	for i := range 5 {
		if _, err := g.Filter([]dialect.Event{call(i, "f"), arguments(i, `["`+strings.Repeat("x", 1000)), arguments(i, `"]`), finish(0)}); err != nil {
			t.Fatal(err)
		}
	}
	if taken < 1004 || taken > 3000 || g.meter.held != 0 {
		t.Errorf("room for %d bytes, %d held", taken, g.meter.held)
	}
	noRoom := errors.New("no room")
	g.meter.room = func(int) error { return noRoom }
	if _, err := g.Filter([]dialect.Event{call(9, "f"), arguments(9, strings.Repeat("x", 100_000))}); !errors.Is(err, noRoom) {
		t.Error(err)
	}
}

// An answer that takes too long to search is told so, however it comes.
func TestAnswerThatTakesTooLongToSearch(t *testing.T) {
	for name, test := range map[string]struct {
		err    error
		status int
	}{"long": {errSearchLong, 502}, "late": {errSearchLate, 503}} {
		g := newAnswerGuard(t, filterOf("a", flagged, "", outward))
		g.meter.err = test.err
		_, filtered := g.Filter([]dialect.Event{text(0, "b")})
		_, ended := g.End()
		for _, err := range []error{filtered, ended} {
			var refused *dialect.Error
			if !errors.As(err, &refused) || refused.Status != test.status {
				t.Errorf("%s: %v", name, err)
			}
		}
	}
}

// BenchmarkGuardedText is what the meter costs a search.
func BenchmarkGuardedText(b *testing.B) {
	rules, err := guard.New("g", builtin("email", redacted, 0))
	if err != nil {
		b.Fatal(err)
	}
	for _, size := range []int{20, 100 << 10} {
		text := []byte(strings.Repeat("a few words, ", size/13))
		for name, meter := range map[string]guard.Meter{"metered": newTestSearch(b), "unmetered": nil} {
			b.Run(fmt.Sprintf("%dB/%s", size, name), func(b *testing.B) {
				b.ReportAllocs()
				b.SetBytes(int64(len(text)))
				for b.Loop() {
					if m, ok := meter.(*searchMeter); ok {
						m.begin()
					}
					var found guard.Findings
					guard.Scan(meter, rules.Input, guard.User, text, &found)
				}
			})
		}
	}
}
