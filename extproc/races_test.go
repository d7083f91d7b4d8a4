package extproc

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

func TestHedgesBeyondThePlanDoNotWaitForEachOther(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGateway(t, onlyA)
		slow, _ := g.asked("1", wholeOf)
		second := g.attempt("2")
		second.asks(wholeOf, true)
		third := g.attempt("3")
		third.asks(wholeOf, true)
		second.quiet("slow")
		third.quiet("slow")
		slow.replies("500", viaUpstream)
		slow.sends(`{"error":{"message":"a broke"}}`, true)
		got := slow.refused()
		t.Logf("slow: %d failover %q", got.status, got.set[headerFailover])
		time.Sleep(10 * time.Minute)
		synctest.Wait()
		if len(second.answers) == 0 && len(third.answers) == 0 {
			t.Error("10 minutes after every provider has failed, nobody answers the client")
		}
		second.hangUp()
		third.hangUp()
	})
}

func TestEmptyLastAnswerWaitsForAnAttemptUnderWay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGateway(t)
		slow, _ := g.asked("1", streamOf)
		hedge, _ := g.asked("2", streamOf)
		hedge.streams()
		hedge.sends("event: message_start\ndata: {\"type\":\"message_start\",\"message\":{\"id\":\"m\",\"role\":\"assistant\",\"usage\":{\"input_tokens\":10}}}\n\nevent: message_delta\ndata: {\"type\":\"message_delta\",\"delta\":{\"stop_reason\":\"end_turn\"},\"usage\":{\"output_tokens\":0}}\n\nevent: message_stop\ndata: {\"type\":\"message_stop\"}\n\n", true)
		m := hedge.next()
		if m.GetImmediateResponse() == nil {
			t.Errorf("the empty answer is shown: %v", m)
		}
		slow.hangUp()
		hedge.cancel()
	})
}

func TestEchoedCredentialIsRedacted(t *testing.T) {
	for _, status := range []string{"400", "500"} {
		synctest.Test(t, func(t *testing.T) {
			g := newGateway(t, onlyA)
			e, up := g.asked("1", wholeOf)
			e.replies(status, viaUpstream)
			e.sends(`{"error":{"message":"bad call, headers were: `+up.set["authorization"]+`"}}`, true)
			if got := e.refused(); strings.Contains(got.body, "secret-of-a") {
				t.Errorf("the client reads %s", got.body)
			}
		})
	}
}

func TestLostAttemptIsNoRequestOfItsOwn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGateway(t)
		e, _ := g.asked("1", wholeOf)
		e.hangUp() // reset
		e, _ = g.asked("2", wholeOf)
		e.replies("200", viaUpstream)
		e.sends(`{"id":"m","type":"message","role":"assistant","content":[{"type":"text","text":"hi"}],"stop_reason":"end_turn","usage":{"input_tokens":1,"output_tokens":1}}`, true)
		e.begins()
		e.rest()
		g.wantCount(1, "requests_total")
	})
}

// Envoy starts attempt 2 before the end of attempt 1's stream has come.
func TestAttemptLostLateIsCounted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGateway(t)
		first, _ := g.asked("1", wholeOf)
		e, _ := g.asked("2", wholeOf)
		first.hangUp()
		e.replies("500", viaUpstream)
		e.sends("", true)
		if got := e.refused(); !strings.Contains(got.body, "previous_errors") {
			t.Errorf("attempt 1 is missing: %s", got.body)
		}
	})
}

func TestHeldOutputIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGateway(t)
		e, _ := g.asked("1", streamOf)
		e.streams()
		chunk := strings.Repeat(role, 1000)
		for range 500 {
			e.sends(chunk, false)
		}
		synctest.Wait()
		if len(e.answers) == 0 {
			t.Errorf("%d MB of empty deltas and still held", len(chunk)*500>>20)
		}
		e.hangUp()
	})
}

func TestPanicCountsAsFailed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGateway(t)
		g.Providers["openai"] = faulty{}
		e := g.attempt("1")
		e.asks(wholeOf, true)
		e.refused()
		g.wantCount(1, "requests_total", "failed")
	})
}

func TestProvidersForwardedProtoIsRemoved(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGateway(t)
		e, _ := g.asked("1", wholeOf)
		e.replies("200", viaUpstream, "x-request-id", "req_of_provider")
		e.sends(wholeAnswer, true)
		if got := e.begins(); !strings.Contains(strings.Join(got.removed, " "), "x-request-id") {
			t.Errorf("provider's x-request-id stays")
		}
		e.rest()
	})
}
