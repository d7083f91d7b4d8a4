package extproc

import (
	"context"
	"errors"
	"math/rand/v2"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/switchyard/switchyard/policies/config/configpb"
)

func TestRoomIsGivenInTurn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const limit = 10
		r := new(room)
		shares := [4]share{{room: r}, {room: r}, {room: r}, {room: r}}
		var grown [4]bool
		grow := func(i int, more int64) {
			go func() {
				if err := shares[i].grow(t.Context(), more, limit); err != nil {
					t.Errorf("share %d: %v", i, err)
				}
				grown[i] = true
			}()
			synctest.Wait()
		}
		check := func(when string, held int64, want [4]bool) {
			t.Helper()
			if got := r.taken(); grown != want || got != held {
				t.Errorf("%s: %v grown and %d bytes held, want %v and %d", when, grown, got, want, held)
			}
		}
		grow(0, 8)
		grow(1, 8)
		check("one may go beyond the limit", 16, [4]bool{true, true})
		grow(2, 5)
		grow(3, 1)
		check("the next two wait", 16, [4]bool{true, true})
		grow(1, 4)
		check("the one beyond goes on, before those that wait", 20, [4]bool{true, true})
		shares[0].release()
		synctest.Wait()
		check("there is still no room", 12, [4]bool{true, true})
		shares[1].release()
		synctest.Wait()
		check("both fit", 6, [4]bool{true, true, true, true})
		shares[2].release()
		shares[3].release()
		shares[3].release() // does no harm
		check("all is given back", 0, [4]bool{true, true, true, true})
	})
}

func TestRoomIsNotWaitedForForEver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := new(room)
		full, late, gone, behind := share{room: r}, share{room: r}, share{room: r}, share{room: r}
		if err := full.grow(t.Context(), 20, 10); err != nil {
			t.Fatal(err)
		}
		began := time.Now()
		if err := late.grow(t.Context(), 1, 10); !errors.Is(err, errNoRoom) || time.Since(began) != longestForRoom {
			t.Errorf("%v after %v", err, time.Since(began))
		}
		ctx, cancel := context.WithCancel(t.Context())
		ended, passed := make(chan error, 1), make(chan error, 1)
		go func() { ended <- gone.grow(ctx, 1, 10) }()
		synctest.Wait()
		go func() { passed <- behind.grow(t.Context(), 1, 30) }() // the configuration has a new limit
		synctest.Wait()
		cancel()
		if err := <-ended; !errors.Is(err, errEnded) {
			t.Errorf("%v", err)
		}
		if err := <-passed; err != nil {
			t.Errorf("behind one that left: %v", err)
		}
		if got := r.taken(); got != 21 || r.waiting.Len() != 0 {
			t.Errorf("%d bytes held, %d wait", got, r.waiting.Len())
		}
	})
}

// TestRoomNeitherDeadlocksNorOverflows grows many bodies at once, each of several
// pieces, in less room than two of them need.
func TestRoomNeitherDeadlocksNorOverflows(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const limit, largest = 100, 80
		r := new(room)
		var most atomic.Int64
		var bodies sync.WaitGroup
		for seed := range uint64(200) {
			random := rand.New(rand.NewPCG(seed, 1))
			bodies.Go(func() {
				s := share{room: r}
				defer s.release()
				for size := random.Int64N(largest); size > 0; {
					more := min(size, 1+random.Int64N(30))
					if err := s.grow(t.Context(), more, limit); err != nil {
						t.Error(err)
						return
					}
					size -= more
					for held := r.taken(); ; held = r.taken() {
						if old := most.Load(); held <= old || most.CompareAndSwap(old, held) {
							break
						}
					}
					time.Sleep(time.Duration(random.IntN(10)) * time.Millisecond) // the next piece comes
				}
			})
		}
		bodies.Wait()
		if most.Load() > limit+largest || most.Load() < limit || r.taken() != 0 || r.beyond != nil {
			t.Errorf("at most %d bytes were held, %d are, %v beyond", most.Load(), r.taken(), r.beyond)
		}
	})
}

func BenchmarkRoom(b *testing.B) {
	r := new(room)
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			s := share{room: r}
			_ = s.grow(b.Context(), 1000, 1<<30)
			s.release()
		}
	})
}

// goesOn sends a piece of the provider's answer now and then, for longer than anybody
// waits for room.
func (e *envoy) goesOn(piece string) *sync.WaitGroup {
	var sent sync.WaitGroup
	sent.Go(func() {
		for range 3 {
			time.Sleep(betweenTokens - time.Second)
			e.sends(piece, false)
		}
	})
	return &sent
}

// roomFor bounds what answers, and requests, take together.
func roomFor(requests, answers int64) func(*configpb.Config, *Policy) {
	return func(cfg *configpb.Config, policy *Policy) {
		cfg.Keys[0].Limits = nil
		policy.MaxHeldRequests, policy.MaxHeldAnswers = requests, answers
	}
}

// Answers that are held until they are whole wait for room, and the wait is not taken
// for the provider's silence.
func TestAnswersWaitForRoom(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGateway(t, roomFor(0, 10))
		var answers [3]*envoy
		for i := range answers {
			answers[i], _ = g.askedAs(strconv.Itoa(i), "1", wholeOf)
			answers[i].replies("200", viaUpstream, "content-type", "application/json")
			answers[i].sends(wholeAnswer[:30], false) // the first of them is beyond the limit
		}
		for at := range 2 {
			time.Sleep(betweenTokens - time.Second)
			answers[0].sends(wholeAnswer[30+5*at:][:5], false)
			answers[2].quiet("another is beyond the limit")
		}
		answers[0].sends(wholeAnswer[40:], true)
		for i, e := range answers {
			if i > 0 {
				e.sends(wholeAnswer[30:], true)
			}
			e.begins()
			if body := e.rest(); !strings.Contains(body, `"content":"hi"`) {
				t.Errorf("answer %d: %s", i, body)
			}
		}
		g.wantCount(3, "requests_total", "m/x", "ok")
		if held := g.heldAnswers.taken(); held != 0 {
			t.Errorf("%d bytes are still held", held)
		}
	})
}

// An answer that finds no room is refused, and nothing is held against its provider; the
// prompt is charged as an estimate, since the provider will bill it.
func TestAnswerWithoutRoomIsRefused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGateway(t, roomFor(0, 10), onlyA)
		first, _ := g.asked("1", wholeOf)
		first.replies("200", viaUpstream, "content-type", "application/json")
		first.sends(wholeAnswer[:20], false)
		synctest.Wait()
		second, _ := g.askedAs("second", "1", wholeOf)
		second.replies("200", viaUpstream, "content-type", "application/json")
		goesOn := first.goesOn(" ")
		second.sends(wholeAnswer[:20], false)
		got := second.refused()
		if got.status != 503 || got.error.Metadata["error_type"] != "provider_overloaded" || got.set["retry-after"] != "10" {
			t.Errorf("%d %v %v", got.status, got.error, got.set)
		}
		goesOn.Wait()
		g.wantCount(1, "no_room_total", "answers")
		g.wantCount(0, "failovers_total")
		g.wantCount(1, "settled_total", "m/x", "a", "failed")
		first.hangUp()
		if held := g.heldAnswers.taken(); held != 0 {
			t.Errorf("%d bytes are still held", held)
		}
	})
}

// A request keeps its place until its answer has ended, as its body is kept so long.
func TestRequestsWaitForRoom(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGateway(t, roomFor(10, 0))
		first, _ := g.asked("1", streamOf) // beyond the limit
		first.streams()
		first.sends(token, false)
		first.begins()
		first.piece()
		goesOn := first.goesOn(token)
		refused := g.attempt("1", "x-request-id", "refused")
		refused.asks(streamOf, true)
		if got := refused.refused(); got.status != 503 || got.error.Metadata["error_type"] != "provider_overloaded" {
			t.Errorf("%d %v", got.status, got.error)
		}
		goesOn.Wait()
		waits := g.attempt("1", "x-request-id", "waits")
		waits.asks(streamOf, true)
		waits.quiet("there is no room yet")
		first.sends(stop+counted+done, true)
		first.rest()
		waits.forwarded()
		waits.hangUp()
		g.wantCount(1, "no_room_total", "requests")
		if held := g.heldRequests.taken(); held != 0 {
			t.Errorf("%d bytes are still held", held)
		}
	})
}
