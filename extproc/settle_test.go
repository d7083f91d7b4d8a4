package extproc

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/switchyard/switchyard/extproc/dialect"
	"github.com/switchyard/switchyard/extproc/dialect/openai"
	"github.com/switchyard/switchyard/policies/health"
)

// However a stream ends, its attempt is charged once, and the charge is the same
// (known-failures 10).
func TestSettlesOnce(t *testing.T) {
	for _, test := range []struct {
		name, outcome string
		run           func(*envoy)
	}{
		{"to the last byte", "ok", func(e *envoy) {
			e.sends(stop+counted+done, true)
			e.rest()
		}},
		{"the client hangs up behind [DONE]", "ok", func(e *envoy) {
			e.sends(stop+counted+done, false)
			synctest.Wait()
			e.hangUp()
		}},
		{"the provider never closes its connection", "ok", func(e *envoy) {
			e.sends(stop+counted+done, false)
			e.rest()
		}},
		{"the client hangs up behind the usage", "cancelled", func(e *envoy) {
			e.sends(counted, false)
			synctest.Wait()
			e.hangUp()
		}},
		{"Envoy ends its half", "cancelled", func(e *envoy) {
			e.sends(counted, false)
			close(e.requests)
			e.end()
		}},
		{"broken off behind the usage", "failed", func(e *envoy) {
			e.sends(counted, true)
			e.rest()
		}},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				g := newGateway(t)
				e, _ := g.asked("1", streamOf)
				e.streams()
				e.sends(token, false)
				e.begins()
				e.piece()
				test.run(e)
				synctest.Wait()
				g.wantCount(1, "requests_total", test.outcome)
				g.wantCount(1, "requests_total")
				g.wantCount(1, "settled_total", test.outcome)
				g.wantCount(1, "settled_total")
				g.wantCount(costOf10And4, "cost_usd_total")
				if len(g.requests.byID) != 0 {
					t.Error("the request is not forgotten")
				}
			})
		})
	}
}

func TestHangUpBeforeUsageIsEstimated(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGateway(t)
		e, _ := g.asked("1", streamOf)
		e.streams()
		e.sends(token, false)
		e.begins()
		e.piece()
		e.hangUp()
		// "hello" is one token, with what is around it eight; "hi" is one.
		g.wantCount(8, "tokens_total", "prompt")
		g.wantCount(1, "tokens_total", "completion")
		g.wantCount(0.000018, "cost_usd_total")
		if class := g.Health.Summary("m/x|a", time.Now()).Class; class != health.None {
			t.Errorf("the client's going away is the provider's failure: %v", class)
		}
	})
}

// A client that hangs up on the finish reason pays for what its model thought unseen.
func TestFinishIsToldWithItsCount(t *testing.T) {
	const thought = "data: {\"choices\":[],\"usage\":{\"prompt_tokens\":10,\"completion_tokens\":904,\"total_tokens\":914,\"completion_tokens_details\":{\"reasoning_tokens\":900}}}\n\n"
	t.Run("counted", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			g, b := withBooks(t)
			e := g.stopped(streamOf)
			e.quiet("the answer is not counted yet")
			e.sends(thought, false)
			if said, _ := e.piece(); !strings.Contains(said, `"finish_reason":"stop"`) {
				t.Errorf("the client reads %s", said)
			}
			e.hangUp()
			if got := b.only(t); got.Estimated || got.Attempts[0].Tokens.Reasoning != 900 {
				t.Errorf("%+v", got)
			}
		})
	})
	t.Run("not counted in time", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			g, b := withBooks(t)
			e := g.stopped(streamOf)
			elapse(lastBytes)
			if said, _ := e.piece(); !strings.Contains(said, `"finish_reason":"stop"`) {
				t.Errorf("the client reads %s", said)
			}
			e.sends(thought+done, true) // late, and counted all the same
			e.rest()
			if got := b.only(t); got.Estimated || got.Attempts[0].Tokens.Reasoning != 900 {
				t.Errorf("%+v", got)
			}
		})
	})
	t.Run("of one choice of several", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			g := newGateway(t)
			e := g.stopped(strings.Replace(streamOf, "{", `{"n":2,`, 1))
			if said, _ := e.piece(); !strings.Contains(said, `"finish_reason":"stop"`) {
				t.Errorf("the client reads %s", said)
			}
			e.hangUp()
		})
	})
}

// stopped is an attempt whose client has the first token, and whose provider has told the
// finish reason behind it.
func (g *gateway) stopped(request string) *envoy {
	g.t.Helper()
	e, _ := g.asked("1", request)
	e.streams()
	e.sends(token, false)
	e.begins()
	e.piece()
	e.sends(stop, false)
	return e
}

// Whoever hangs up before that pays for what could be seen.
func TestHangUpBeforeTheCountIsEstimatedByWhatWasSeen(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g, b := withBooks(t)
		e, _ := g.asked("1", streamOf)
		e.streams()
		e.sends(token+stop, false)
		synctest.Wait()
		e.hangUp()
		elapse(rememberFor) // nothing had reached the client: another attempt could have followed
		if got := b.only(t); !got.Estimated || got.Cost().Float64() != 0.000018 {
			t.Errorf("%+v", got)
		}
	})
}

// The provider has read the prompt, and most bill for that: prompts would be free for
// whoever hangs up early.
func TestHangUpWhileTheProviderThinksCostsThePrompt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGateway(t)
		e, _ := g.asked("1", streamOf)
		e.hangUp()
		g.wantCount(1, "settled_total", "cancelled")
		g.wantCount(0.000008, "cost_usd_total")
		g.wantCount(1, "attempts_total", "a", "cancelled")
		elapse(rememberFor)
		synctest.Wait()
		if len(g.requests.byID) != 0 {
			t.Error("the request is never forgotten")
		}
	})
}

func TestPanicEndsOneAttempt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGateway(t)
		g.Providers = map[string]dialect.Provider{openai.Name: faulty{}}
		e := g.attempt("1")
		e.asks(wholeOf, true)
		if got := e.refused(); got.status != 500 || got.error.Message != "Internal Server Error" {
			t.Errorf("%d %s", got.status, got.body)
		}
		g.wantCount(1, "panics_total")
	})
}

// faulty is a provider dialect with a mistake in it.
type faulty struct{ openai.Provider }

func (faulty) Request(*dialect.Request, dialect.Target) (dialect.Upstream, error) {
	panic("secret-of-a")
}
