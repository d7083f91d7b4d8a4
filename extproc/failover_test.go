package extproc

import (
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/switchyard/switchyard/policies/health"
)

// known-failures 49.
func TestFailureMovesOnAndTheLastOneIsTold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGateway(t)
		e, _ := g.asked("1", wholeOf)
		e.replies("503", viaUpstream, "content-type", "application/json")
		e.sends(`{"error":{"message":"a is`, false)
		e.sends(` busy"}}`, true)
		if got := e.refused(); got.set[headerFailover] == "" || got.error.Metadata["previous_errors"] != nil {
			t.Errorf("failover %q, metadata %v", got.set[headerFailover], got.error.Metadata)
		}
		e, got := g.asked("2", wholeOf)
		if got.set[headerCluster] != "provider/b" || got.set[":authority"] != "b.example:8443" || got.set["x-api-key"] != "secret-of-b" || got.set["authorization"] != "" {
			t.Errorf("second attempt goes to %v", got.set)
		}
		if !slices.Contains(got.removed, "authorization") {
			t.Error("the client's key reaches the second provider")
		}
		e.replies("200", "upstream_reset_before_response_started{connection_failure}")
		told := e.refused()
		if told.status != 502 || told.set[headerFailover] != "" {
			t.Errorf("status %d, failover %q; want 502 and none", told.status, told.set[headerFailover])
		}
		if previous, _ := told.error.Metadata["previous_errors"].([]any); len(previous) != 1 || !strings.Contains(told.body, "a is busy") {
			t.Errorf("the client is told %s", told.body)
		}
		g.wantCount(1, "failovers_total", "a", "server_error")
		g.wantCount(1, "attempts_total", "a", "failed_over")
		g.wantCount(1, "attempts_total", "b", "failed")
		g.wantCount(1, "requests_total")
		g.wantCount(0, "settled_total")
		if len(g.requests.byID) != 0 {
			t.Error("the request is not forgotten")
		}
	})
}

func TestProvidersNoToTheRequestIsFinal(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e, _ := newGateway(t).asked("1", wholeOf)
		e.replies("400", viaUpstream)
		e.sends(`{"error":{"message":"no such role"}}`, true)
		if got := e.refused(); got.status != 400 || got.set[headerFailover] != "" || got.error.Message != "no such role" {
			t.Errorf("%d %q, failover %q", got.status, got.error.Message, got.set[headerFailover])
		}
	})
}

// What comes of a stream while its headers are held, and moves the request on
// (known-failures 25).
func TestHeldStreamMovesOn(t *testing.T) {
	for _, test := range []struct {
		name   string
		sends  string
		end    bool
		wait   time.Duration
		reason string
	}{
		{"an error in the first event", "data: {\"error\":{\"message\":\"overloaded\",\"code\":503}}\n\n", false, 0, "server_error"},
		{"an empty answer", role + stop + done, true, 0, "bad_answer"},
		{"no event at all", "", true, 0, "bad_answer"},
		{"broken off before the first token", role, true, 0, "bad_answer"},
		{"what nobody can read", "data: {]\n\n", false, 0, "bad_answer"},
		{"no first token in time", role, false, tokenWithin, "timeout"},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				g := newGateway(t)
				began := time.Now()
				e, _ := g.asked("1", streamOf)
				e.streams()
				e.sends(test.sends, test.end)
				if got := e.refused(); got.set[headerFailover] != test.reason {
					t.Errorf("failover %q, want %q", got.set[headerFailover], test.reason)
				}
				if waited := time.Since(began).Truncate(time.Second); waited != test.wait {
					t.Errorf("moved on after %v, want %v", waited, test.wait)
				}
				g.wantCount(1, "failovers_total", "a", test.reason)
				g.wantCount(0, "requests_total")
			})
		})
	}
}

func TestSilentProviderIsLeft(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e, _ := newGateway(t).asked("1", wholeOf)
		if got := e.refused(); got.set[headerFailover] != "timeout" {
			t.Errorf("failover %q", got.set[headerFailover])
		}
	})
}

func TestCompressedAnswerMovesOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e, _ := newGateway(t).asked("1", wholeOf)
		e.replies("200", viaUpstream, "content-encoding", "gzip")
		if got := e.refused(); got.set[headerFailover] != "bad_answer" {
			t.Errorf("failover %q", got.set[headerFailover])
		}
	})
}

// A provider that resets its connection ends the attempt without a word.
func TestLostAttemptIsAFailureWhenAnotherFollows(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGateway(t)
		e, _ := g.asked("1", wholeOf)
		e.hangUp()
		if class := g.Health.Summary("m/x|a", time.Now()).Class; class != health.None {
			t.Errorf("it may have been the client: %v", class)
		}
		e, got := g.asked("2", wholeOf)
		if got.set[headerCluster] != "provider/b" {
			t.Errorf("the second attempt goes to %s", got.set[headerCluster])
		}
		if class := g.Health.Summary("m/x|a", time.Now()).Class; class != health.Connect {
			t.Errorf("class %v, want connect", class)
		}
		g.wantCount(1, "failovers_total", "a", "connect")
		e.replies("500", viaUpstream)
		e.sends("", true)
		if got := e.refused(); !strings.Contains(got.body, "was lost before it answered") {
			t.Errorf("the lost attempt is not told of: %s", got.body)
		}
	})
}

func TestResetOfTheLastCandidateIsTold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGateway(t, onlyA)
		e, _ := g.asked("1", wholeOf)
		e.hangUp()
		e = g.attempt("2")
		e.asks(wholeOf, true)
		if got := e.refused(); got.status != 502 || got.set[headerFailover] != "" || !strings.Contains(got.error.Message, "was lost") {
			t.Errorf("%d %q, failover %q", got.status, got.error.Message, got.set[headerFailover])
		}
	})
}

func TestHedgeBeyondThePlanWaits(t *testing.T) {
	t.Run("and gives way to an answer", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			g := newGateway(t, onlyA)
			slow, _ := g.asked("1", wholeOf)
			hedge := g.attempt("2")
			hedge.asks(wholeOf, true)
			time.Sleep(time.Second)
			hedge.quiet("the first attempt is under way")
			slow.replies("200", viaUpstream)
			slow.sends(wholeAnswer, true)
			slow.begins()
			hedge.cancel()
			slow.rest()
			hedge.end()
			g.wantCount(1, "settled_total")
			g.wantCount(1, "attempts_total")
		})
	})
	t.Run("and speaks when all have failed", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			g := newGateway(t, onlyA)
			slow, _ := g.asked("1", wholeOf)
			hedge := g.attempt("2")
			hedge.asks(wholeOf, true)
			hedge.quiet("the first attempt is under way")
			slow.replies("500", viaUpstream)
			slow.sends(`{"error":{"message":"a broke"}}`, true)
			slow.refused()
			if got := hedge.refused(); got.status != 500 || got.set[headerFailover] != "" || !strings.Contains(got.body, "a broke") {
				t.Errorf("%d %s", got.status, got.body)
			}
		})
	})
}
