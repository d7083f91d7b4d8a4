package extproc

import (
	"errors"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/switchyard/switchyard/extproc/dialect"
	"github.com/switchyard/switchyard/extproc/dialect/openai"
	"github.com/switchyard/switchyard/policies/config/configpb"
	"github.com/switchyard/switchyard/policies/usage"
)

// broken is a ledger that panics when it is told what a request came to.
type broken struct{ books }

func (*broken) Settle(*usage.Generation) error { panic("the ledger is broken") }

// A panic where what happened becomes money ends neither the process nor what the request
// holds of its limits.
func TestPanicInSettlingFreesWhatIsHeld(t *testing.T) {
	for name, play := range map[string]func(*gateway){
		"behind an answer": func(g *gateway) {
			e, _ := g.asked("1", boundedOf)
			e.replies("200", viaUpstream, "content-type", "application/json")
			e.sends(wholeAnswer, true)
			e.begins()
			e.rest()
		},
		"when no other attempt has come": func(g *gateway) {
			e, _ := g.asked("1", boundedOf)
			e.hangUp()
			elapse(rememberFor)
		},
		"when the gateway stops": func(g *gateway) {
			e, _ := g.asked("1", boundedOf)
			e.hangUp()
			g.Flush()
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				g := newGateway(t, onlyA, bounding, limited(&configpb.Limits{Budget: "1", Concurrency: 1}), func(_ *configpb.Config, p *Policy) { p.MaxHeldRequests = 1 << 20 })
				g.Ledger = &broken{}
				play(g)
				synctest.Wait()
				g.wantCount(1, "panics_total")
				g.wantCount(1, "attempts_total")
				if live, held := g.Limits.Live(), g.heldRequests.taken(); live != 0 || held != 0 || len(g.requests.byID) != 0 {
					t.Errorf("%d reservations, %d bytes and %d requests are left", live, held, len(g.requests.byID))
				}
			})
		})
	}
}

// A panic where usage is counted leaves the attempt as it was noted before, also if it was
// to be accounted for before its end, because another one was to follow.
func TestPanicInCountingIsAnEstimate(t *testing.T) {
	for _, unreadable := range []error{nil, errors.New("unreadable")} {
		synctest.Test(t, func(t *testing.T) {
			g, b := withBooks(t, bounding, limited(&configpb.Limits{Budget: "1", Concurrency: 1}))
			g.Providers[openai.Name] = miscounting{err: unreadable}
			e, _ := g.asked("1", boundedOf)
			e.replies("200", viaUpstream, "content-type", "application/json")
			e.sends(wholeAnswer, true)
			if err := <-e.ended; err != errCut {
				t.Errorf("ended with %v", err)
			}
			if got := b.only(t); !got.Estimated || len(got.Attempts) != 1 || got.Attempts[0].Outcome != usage.Lost || got.Cost() == 0 {
				t.Errorf("%+v", got)
			}
			if live := g.Limits.Live(); live != 0 {
				t.Errorf("%d reservations are left", live)
			}
			g.wantCount(1, "requests_total")
		})
	}
}

// miscounting is a provider dialect that panics when it is asked what an answer used.
type miscounting struct {
	openai.Provider
	err error // of reading the answer
}

func (m miscounting) Passthrough(*dialect.Request, dialect.Meta) dialect.Pipe {
	return miscount{err: m.err}
}

type miscount struct {
	dialect.Pipe
	err error
}

func (m miscount) Whole([]byte, []byte) ([]byte, error) { return nil, m.err }
func (miscount) Progress() dialect.Progress             { return dialect.Progress{Started: true} }
func (miscount) Counted() dialect.Progress              { panic("cannot count") }

// Not even a client's dialect that cannot tell of a panic ends the process, or lets the
// request through.
func TestPanicThatCannotBeToldCutsTheStream(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGateway(t, onlyA)
		g.Clients = dialect.Clients{path: speechless{}}
		e := g.attempt("1")
		e.asks(strings.Replace(wholeOf, "m/x", "no/such", 1), true)
		if err := <-e.ended; err != errCut {
			t.Errorf("ended with %v", err)
		}
		g.wantCount(2, "panics_total")
	})
}

// speechless is a client dialect that panics instead of telling of an error.
type speechless struct{ openai.Client }

func (speechless) Error(*dialect.Error) []byte { panic("no words") }

func TestHugeContextDoesNotOverflow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGateway(t, onlyA, func(cfg *configpb.Config, _ *Policy) { cfg.Models["m/x"].Endpoints[0].ContextLength = 1 << 62 })
		e, _ := g.asked("1", wholeOf)
		e.replies("200", viaUpstream, "content-type", "application/json")
		e.sends(wholeAnswer, true)
		e.begins()
		e.rest()
		g.wantCount(costOf10And4, "cost_usd_total")
		g.wantCount(0, "panics_total")
	})
}
