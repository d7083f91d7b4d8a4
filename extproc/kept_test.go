package extproc

import (
	"runtime"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/switchyard/switchyard/extproc/dialect"
	"github.com/switchyard/switchyard/policies/config/configpb"
)

// What attempts keep for the next one counts as held until it is given up, which is long
// before the request is forgotten.
func TestWhatIsKeptForTheNextAttemptIsHeld(t *testing.T) {
	const size = 300_000
	echoed := `{"model":"m/x","stream":true,"debug":{"echo_upstream_body":true},"messages":[{"role":"user","content":"` + strings.Repeat("x", size) + `"}]}`
	for _, bounded := range []bool{true, false} {
		synctest.Test(t, func(t *testing.T) {
			room := int64(1 << 20)
			if !bounded {
				room = 0
			}
			g := newGateway(t, roomFor(room, 0))
			wantHeld := func(when string, least, most int64) {
				t.Helper()
				if held := g.heldRequests.taken(); bounded && (held < least || held > most) {
					t.Errorf("%s %d bytes are held, want %d to %d", when, held, least, most)
				}
			}
			e, _ := g.asked("1", echoed)
			wantHeld("under way", 2*size, 3*size)
			e.hangUp()
			q := g.requests.byID["id"]
			if len(q.echoed) != 1 {
				t.Fatal("nothing is kept for the next attempt")
			}
			wantHeld("between attempts", 2*size, 3*size)
			e, _ = g.asked("2", echoed)
			if len(q.echoed) != 2 {
				t.Errorf("%d echoes behind the second attempt", len(q.echoed))
			}
			wantHeld("under way again", 2*size, 3*size)
			e.hangUp()
			elapse(freeAfter)
			if q.echoed != nil || q.forgotten {
				t.Errorf("%d echoes are kept, forgotten: %v", len(q.echoed), q.forgotten)
			}
			wantHeld("behind all", 0, 0)
			g.Flush()
			wantHeld("at the end", 0, 0)
		})
	}
}

func TestDroppedMediaIsFetchedAgain(t *testing.T) {
	r := newRequests()
	q := r.enter("id", 1)
	fetched := 0
	fetch := func([]dialect.Remote) (map[dialect.Remote]dialect.Media, error) {
		fetched++
		return map[dialect.Remote]dialect.Media{{URL: "https://pictures.example/1"}: {Data: "aGk="}}, nil
	}
	get := func() {
		t.Helper()
		got, err := q.media(t.Context(), []dialect.Remote{{URL: "https://pictures.example/1"}}, fetch)
		if err != nil || len(got) != 1 {
			t.Fatal(got, err)
		}
	}
	get()
	get()
	held := share{room: new(room)}
	if err := held.grow(t.Context(), 10, 20); err != nil {
		t.Fatal(err)
	}
	q.keep(&held)
	if held.size != 0 || held.room.taken() != 10 {
		t.Errorf("%d bytes are the attempt's still, of %d", held.size, held.room.taken())
	}
	q.mu.Lock()
	q.drop()
	q.mu.Unlock()
	get()
	if fetched != 2 || held.room.taken() != 0 {
		t.Errorf("fetched %d times, want 2; %d bytes are held", fetched, held.room.taken())
	}
}

// A request that waits for another attempt does not keep its body.
func TestWaitingRequestDoesNotKeepItsBody(t *testing.T) {
	const size = 4 << 20
	synctest.Test(t, func(t *testing.T) {
		g := newGateway(t, func(_ *configpb.Config, p *Policy) { p.MaxRequestBytes = 2 * size })
		inUse := func() int64 {
			runtime.GC()
			runtime.GC()
			var stats runtime.MemStats
			runtime.ReadMemStats(&stats)
			return int64(stats.HeapAlloc)
		}
		lose := func(words int) {
			e, _ := g.asked("1", `{"model":"m/x","stream":true,"messages":[{"role":"user","content":"`+strings.Repeat("word ", words)+`"}]}`)
			e.hangUp()
		}
		lose(1) // the tokenizer's tables stay
		g.Flush()
		before := inUse()
		lose(size / len("word "))
		if len(g.requests.byID) != 1 {
			t.Fatal("the request does not wait")
		}
		if more := inUse() - before; more > size/2 {
			t.Errorf("%d MiB are in use", more>>20)
		}
		g.Flush()
	})
}

// What a client declares costs in proportion to what of it has come.
func TestDeclaredLengthTakesNoMemory(t *testing.T) {
	const clients, declared = 64, 1 << 20
	synctest.Test(t, func(t *testing.T) {
		g := newGateway(t, func(_ *configpb.Config, p *Policy) { p.MaxRequestBytes = declared })
		allocated := func() int64 {
			var stats runtime.MemStats
			runtime.ReadMemStats(&stats)
			return int64(stats.TotalAlloc)
		}
		before := allocated()
		var waiting []*envoy
		for range clients {
			e := g.attempt("1", "content-length", strconv.Itoa(declared))
			e.asks("{", false)
			waiting = append(waiting, e)
		}
		synctest.Wait()
		if taken := allocated() - before; taken > clients*declared/8 {
			t.Errorf("%d bytes for %d that were sent", taken, clients)
		}
		for _, e := range waiting {
			e.hangUp()
		}
	})
}
