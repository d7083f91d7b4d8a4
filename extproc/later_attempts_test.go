package extproc

import (
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/switchyard/switchyard/policies/config/configpb"
	"github.com/switchyard/switchyard/policies/health"
)

// known-failures 48: an endpoint that fails stands back whichever attempt met it, for as
// long as its provider asked; and where all stand back they are asked all the same, the
// client being told when to come again only if they fail.
func TestLaterAttemptsCoolDownToo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGateway(t, limited(&configpb.Limits{}))
		fails := func(id, number, status string, headers ...string) reply {
			e, _ := g.askedAs(id, number, wholeOf)
			e.replies(status, viaUpstream, headers...)
			e.sends(`{"error":{"message":"busy"}}`, true)
			return e.refused()
		}
		began := time.Now()
		fails("one", "1", "503")
		told := fails("one", "2", "429", "retry-after", "20")
		if told.set[headerFailover] != "" || told.error.Metadata["previous_errors"] == nil {
			t.Errorf("the last attempt is told as %d %s", told.status, told.body)
		}
		for endpoint, least := range map[string]time.Duration{"m/x|a": time.Second, "m/x|b": 19 * time.Second} {
			if known := g.Health.Summary(endpoint, time.Now()); known.CoolingUntil.Before(began.Add(least)) {
				t.Errorf("%s stands back until %v after %v", endpoint, known.CoolingUntil.Sub(began), known.Class)
			}
		}
		// Both stand back; neither is given up.
		both := map[string]bool{}
		e, upstream := g.askedAs("two", "1", wholeOf)
		both[upstream.set[headerCluster]] = true
		e.replies("503", viaUpstream)
		e.sends("", true)
		if told := e.refused(); told.set[headerFailover] == "" {
			t.Errorf("with all standing back the first failure is the last: %s", told.body)
		}
		e, upstream = g.askedAs("two", "2", wholeOf)
		both[upstream.set[headerCluster]] = true
		e.hangUp()
		if len(both) != 2 {
			t.Errorf("asked %v", both)
		}
		// b asked for longer: until then a is asked first, and it alone.
		time.Sleep(15 * time.Second)
		if known := g.Health.Summary("m/x|b", time.Now()); !known.CoolingUntil.After(time.Now()) {
			t.Errorf("b stands back until %v only", known.CoolingUntil.Sub(began))
		}
		e, upstream = g.askedAs("three", "1", wholeOf)
		if upstream.set[headerCluster] != "provider/a" {
			t.Errorf("while b stands back, %s is asked first", upstream.set[headerCluster])
		}
		e.replies("200", viaUpstream, "content-type", "application/json")
		e.sends(wholeAnswer, true)
		e.begins()
		e.rest()
		if class := g.Health.Summary("m/x|a", time.Now()).Class; class != health.None {
			t.Errorf("a answered and is still %v", class)
		}
	})
}

// known-failures 48: a client whose every provider has asked for time is told the
// shortest of the times, in the header and in the body.
func TestRetryAfterOfAllIsToldToTheClient(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGateway(t)
		for attempt, wait := range []string{"30", "7"} {
			e, _ := g.asked(fmt.Sprint(attempt+1), wholeOf)
			e.replies("429", viaUpstream, "retry-after", wait)
			e.sends(`{"error":{"message":"slow down"}}`, true)
			told := e.refused()
			if attempt == 0 {
				continue
			}
			if told.status != 429 || told.set["retry-after"] != "7" || !strings.Contains(told.body, `"retry_after":7`) {
				t.Errorf("%d %q %s", told.status, told.set["retry-after"], told.body)
			}
		}
	})
}

// known-failures 14: what a failed attempt said in headers and body is no part of the
// answer of the next one, and of its cost.
func TestNothingOfAFailedAttemptIsInTheNextAnswer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g, b := withBooks(t)
		e, _ := g.asked("1", wholeOf)
		e.replies("500", viaUpstream, "content-type", "text/secret", "x-request-id", "theirs", "x-ratelimit-remaining", "3", "set-cookie", "a=1", "retry-after", "99", "content-encoding", "br")
		e.sends(`{"error":{"message":"leak"},"usage":{"prompt_tokens":999999,"completion_tokens":999999}}`, true)
		e.refused()
		e, upstream := g.asked("2", wholeOf)
		if strings.Contains(upstream.body, "leak") || strings.Contains(strings.Join(upstream.removed, ","), "theirs") {
			t.Errorf("the second provider gets %+v", upstream)
		}
		e.replies("200", viaUpstream, "content-type", "application/json")
		e.sends(`{"id":"m","type":"message","role":"assistant","content":[{"type":"text","text":"hi"}],"stop_reason":"end_turn","usage":{"input_tokens":10,"output_tokens":4}}`, true)
		head := e.begins()
		for name, value := range head.set {
			for _, leaked := range []string{"theirs", "text/secret", "a=1", "99", "br"} {
				if value == leaked {
					t.Errorf("the answer has the failed attempt's %s: %s", name, value)
				}
			}
		}
		if body := e.rest(); strings.Contains(body, "leak") || !strings.Contains(body, `"cost":0.00005`) {
			t.Errorf("body = %s", body)
		}
		if got := b.only(t); got.Attempts[0].Charge.Total != 0 || got.Cost().Float64() != costOf10And4 {
			t.Errorf("a failed attempt is charged: %+v", got.Attempts)
		}
	})
}
