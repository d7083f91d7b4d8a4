package extproc

import (
	"errors"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/switchyard/switchyard/extproc/dialect/openai"
	"github.com/switchyard/switchyard/policies/config/configpb"
	"github.com/switchyard/switchyard/policies/quota"
	"github.com/switchyard/switchyard/policies/usage"
)

// books is a ledger that remembers.
type books struct {
	mu       sync.Mutex
	refusing error
	begun    []usage.Generation
	settled  []usage.Generation
}

func (b *books) Note(g *usage.Generation) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.refusing == nil {
		b.begun = append(b.begun, *g)
	}
	return b.refusing
}

func (b *books) Settle(g *usage.Generation) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.settled = append(b.settled, *g)
	return nil
}

func withBooks(t *testing.T, change ...func(*configpb.Config, *Policy)) (*gateway, *books) {
	g, b := newGateway(t, change...), &books{}
	g.Ledger = b
	return g, b
}

// count is how many generations were settled.
// count is how many generations were settled so far. Timers may settle more.
func (b *books) count() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return len(b.settled)
}

// only is the one generation that was settled.
func (b *books) only(t *testing.T) usage.Generation {
	t.Helper()
	synctest.Wait()
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.settled) != 1 {
		t.Fatalf("%d generations settled, want 1: %+v", len(b.settled), b.settled)
	}
	return b.settled[0]
}

func TestRow169GenerationHoldsEveryAttempt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g, b := withBooks(t)
		e := g.attempt("1", "user-agent", "sdk/1", "x-title", "App", "http-referer", "https://app.example", "x-session-id", "talk")
		e.asks(streamOf, true)
		e.forwarded()
		e.replies("503", viaUpstream)
		e.sends("", true)
		e.refused()
		e, _ = g.asked("2", streamOf)
		e.streams()
		e.sends("event: message_start\ndata: {\"type\":\"message_start\",\"message\":{\"id\":\"msg_1\",\"usage\":{\"input_tokens\":10}}}\n\n", false)
		e.sends("event: content_block_start\ndata: {\"type\":\"content_block_start\",\"index\":0,\"content_block\":{\"type\":\"text\",\"text\":\"\"}}\n\n", false)
		e.sends("event: content_block_delta\ndata: {\"type\":\"content_block_delta\",\"index\":0,\"delta\":{\"type\":\"text_delta\",\"text\":\"hi\"}}\n\n", false)
		e.sends("event: message_delta\ndata: {\"type\":\"message_delta\",\"delta\":{\"stop_reason\":\"end_turn\"},\"usage\":{\"output_tokens\":4}}\n\n", false)
		e.sends("event: message_stop\ndata: {\"type\":\"message_stop\"}\n\n", true)
		e.begins()
		e.rest()
		got := b.only(t)
		want := usage.Generation{
			ID: got.ID, RequestID: "id", Created: time.Unix(1_700_000_000, 500_000_000).UTC(), KeyHash: got.KeyHash, KeyName: "team", Workspace: "default",
			API: "completions", Requested: "m/x", Streamed: true, Session: "talk",
			FinishReason: "stop", NativeFinishReason: "end_turn",
			Attempts: []usage.Attempt{
				{Number: 1, Endpoint: "m/x|a", Model: "m/x", Provider: "a", ProviderName: "a", Status: 503, Outcome: "failed_over", Reason: "server_error"},
				{
					Number: 2, Endpoint: "m/x|b", Model: "m/x", Provider: "b", ProviderName: "b", UpstreamID: "msg_1", Status: 200, Outcome: "ok",
					Tokens: usage.Tokens{Prompt: 10, Completion: 4}, Charge: usage.Charge{Total: 50_000_000, Prompt: 10_000_000, Completion: 40_000_000},
				},
			},
		}
		if diff := cmp.Diff(want, got, cmpopts.IgnoreFields(usage.Attempt{}, "Latency", "Duration", "Prices"), cmpopts.IgnoreFields(usage.Generation{}, "Title", "Referer", "UserAgent")); diff != "" {
			t.Error(diff)
		}
		served := got.Served()
		if served.Latency <= 0 || served.Duration < served.Latency || served.Prices == "" || got.KeyHash == "" {
			t.Errorf("latency %d, duration %d, prices %q", served.Latency, served.Duration, served.Prices)
		}
		if len(b.begun) != 3 || b.begun[0].ID != got.ID || b.begun[0].Title != "App" || b.begun[0].Referer != "https://app.example" || b.begun[0].UserAgent != "sdk/1" {
			t.Errorf("begun: %+v", b.begun)
		}
		lost := b.begun[1].Attempts
		if len(lost) != 1 || lost[0].Number != 2 || lost[0].Outcome != "lost" || !lost[0].Estimated || lost[0].Charge.Total <= 0 {
			t.Errorf("the second attempt begins as %+v", lost)
		}
		if ended := b.begun[2]; ended.Estimated || ended.FinishReason != "stop" || ended.Cost() != got.Cost() {
			t.Errorf("before the client has the end, the ledger knows %+v", ended)
		}
	})
}

func TestHangUpIsAccountedForAsAnEstimate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g, b := withBooks(t)
		e, _ := g.asked("1", streamOf)
		e.streams()
		e.sends(token, false)
		e.begins()
		e.piece()
		e.hangUp()
		got := b.only(t)
		if !got.Cancelled || !got.Estimated || got.Cost() == 0 || got.Attempts[0].Outcome != "cancelled" {
			t.Errorf("%+v", got)
		}
	})
}

// The client hung up, or its connection was reset, while nothing had come: an attempt
// may follow, and when none does the request is told all the same.
func TestSilentEndIsAccountedForOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g, b := withBooks(t)
		e, _ := g.asked("1", streamOf)
		e.hangUp()
		synctest.Wait()
		if b.count() != 0 {
			t.Fatal("settled while another attempt may follow")
		}
		elapse(rememberFor)
		if got := b.only(t); !got.Cancelled || len(got.Attempts) != 1 || !got.Estimated || got.Cost() != 8*1_000_000 {
			t.Errorf("%+v", got)
		}
	})
}

// The wait for another attempt begins anew with each that ends, and not at all once
// the gateway stops.
func TestRequestWaitsFromItsLastAttemptOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g, b := withBooks(t)
		e, _ := g.asked("1", streamOf)
		e.hangUp()
		time.Sleep(rememberFor - time.Second)
		e, _ = g.asked("2", streamOf)
		e.hangUp()
		time.Sleep(rememberFor - time.Second)
		if b.count() != 0 {
			t.Fatal("settled while another attempt may follow")
		}
		g.Flush()
		if got := b.only(t); len(got.Attempts) != 2 || !got.Cancelled {
			t.Errorf("%+v", got)
		}
		elapse(2 * rememberFor)
		b.only(t)
	})
}

// What nobody waited for is charged as far as its provider has read; what its provider
// refused, or never got, is not (known-failures 14).
func TestAttemptBeforeItsFirstToken(t *testing.T) {
	for name, test := range map[string]struct {
		billed bool
		end    func(e *envoy)
	}{
		"the client hangs up behind the headers": {true, func(e *envoy) { e.streams(); e.hangUp() }},
		"no headers come in time":                {true, func(e *envoy) { e.refused() }},
		"no token comes in time":                 {true, func(e *envoy) { e.streams(); e.refused() }},
		"the provider is busy":                   {false, func(e *envoy) { e.replies("503", viaUpstream); e.sends("", true); e.refused() }},
		"the connection is refused": {false, func(e *envoy) {
			e.replies("503", "upstream_reset_before_response_started{connection_failure}")
			e.refused()
		}},
		"row 91: the answer is empty": {false, func(e *envoy) { e.streams(); e.sends(done, true); e.begins(); e.rest() }},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				g, b := withBooks(t, onlyA)
				e, _ := g.asked("1", streamOf)
				test.end(e)
				elapse(rememberFor)
				got := b.only(t)
				if billed := got.Cost() > 0; billed != test.billed || got.Estimated != test.billed {
					t.Errorf("charged %v, estimated %t", got.Cost(), got.Estimated)
				}
			})
		})
	}
}

// Of an answer that is no stream nobody has made sense of anything until it is whole. What
// has come of it was said, and is billed.
func TestUnreadAnswerIsEstimated(t *testing.T) {
	cut := `{"choices":[{"index":0,"message":{"role":"assistant","content":"` + strings.Repeat("word", 100)
	for name, test := range map[string]struct {
		completion int64 // tokens; -1 is an answer that is not billed
		end        func(e *envoy)
	}{
		"cut":                              {(int64(len(cut)) + 3) / 4, func(e *envoy) { e.sends(cut, true); e.refused() }},
		"unreadable":                       {(int64(len(cut)) + 4) / 4, func(e *envoy) { e.sends(cut+"}", true); e.refused() }},
		"the client leaves in the middle":  {(int64(len(cut)) + 3) / 4, func(e *envoy) { e.sends(cut, false); synctest.Wait(); e.hangUp() }},
		"the provider stops in the middle": {(int64(len(cut)) + 3) / 4, func(e *envoy) { e.sends(cut, false); e.refused() }},
		"longer than an answer may be": {1000, func(e *envoy) {
			e.sends(cut, false)
			for range largestAnswer >> 20 {
				e.sends(strings.Repeat("x", 1<<20), false)
			}
			e.refused()
		}},
		"no answer at all":      {-1, func(e *envoy) { e.sends("", true); e.refused() }},
		"a page":                {-1, func(e *envoy) { e.sends("<html>"+cut, true); e.refused() }},
		"the provider's error":  {-1, func(e *envoy) { e.sends(`{"error":{"message":"no","code":404}}`, true); e.refused() }},
		"another API's answer":  {-1, func(e *envoy) { e.sends(`{"output":[{"text":"hi"}]}`, true); e.refused() }},
		"row 91: nothing in it": {-1, func(e *envoy) { e.sends(`{"choices":[]}`, true); e.refused() }},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				g, b := withBooks(t, onlyA, bounding, limited(&configpb.Limits{Budget: "1", Tokens: 1_000_000}))
				e, _ := g.asked("1", wholeOf)
				e.replies("200", viaUpstream, "content-type", "application/json")
				test.end(e)
				elapse(rememberFor)
				got := b.only(t)
				cost := promptCost + 10_000*test.completion // in nanodollars
				if test.completion < 0 {
					cost = 0
				}
				if quota.Nanodollars(got.Cost()) != cost || got.Estimated != (cost > 0) || got.Attempts[0].Tokens.Completion != max(0, test.completion) {
					t.Errorf("charged %v for %+v, estimated %t", got.Cost(), got.Attempts[0].Tokens, got.Estimated)
				}
				g.wantSettled(cost)
			})
		})
	}
}

// A provider that resets the connection is found out when the next attempt begins: it
// has read nothing that it could bill.
func TestLostAttemptIsNotCharged(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g, b := withBooks(t)
		e, _ := g.asked("1", wholeOf)
		e.hangUp()
		e, _ = g.asked("2", wholeOf)
		e.replies("503", viaUpstream)
		e.sends("", true)
		e.refused()
		got := b.only(t)
		if lost := got.Attempts[0]; lost.Charge.Total != 0 || lost.Estimated || lost.Reason != "connect" || got.Estimated {
			t.Errorf("%+v", got)
		}
	})
}

func TestWhatIsRefusedBeforeAnyProviderIsNoGeneration(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g, b := withBooks(t)
		e := g.attempt("1")
		e.asks(`{"model":"m/none","messages":[{"role":"user","content":"hello"}]}`, true)
		e.refused()
		synctest.Wait()
		if len(b.begun)+len(b.settled) != 0 {
			t.Errorf("begun %v, settled %v", b.begun, b.settled)
		}
	})
}

func TestWhatCannotBeAccountedForIsNotServed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g, b := withBooks(t)
		b.refusing = errors.New("disk full: /var/secret")
		e := g.attempt("1")
		e.asks(wholeOf, true)
		got := e.refused()
		if got.status != http.StatusServiceUnavailable || got.set["retry-after"] != accountRetry || got.set[headerFailover] != "" || got.error.Message != "The gateway cannot account for requests at the moment. Try again later." {
			t.Errorf("%d %s", got.status, got.body)
		}
		synctest.Wait()
		if b.count() != 0 {
			t.Errorf("settled %v", b.settled)
		}
	})
}

// Sound passes as it comes; its end, too, is noted before the client has it.
func TestEndOfSoundIsNotedFirst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g, b := withBooks(t, onlyA, func(cfg *configpb.Config, _ *Policy) {
			cfg.Models["m/x"].OutputModalities = []string{"speech"}
		})
		g.Clients["/api/v1/audio/speech"] = openai.Speech()
		e := g.attempt("1", ":path", "/api/v1/audio/speech")
		e.asks(`{"model":"m/x","input":"hi","voice":"v","stream":true}`, true)
		e.forwarded()
		e.replies("200", viaUpstream, "content-type", "audio/mpeg")
		e.sends("ID3", false)
		if got := e.begins(); got.set["content-type"] != "audio/mpeg" {
			t.Errorf("headers = %v", got.set)
		}
		e.sends("...", true)
		if sound := e.rest(); sound != "ID3..." {
			t.Errorf("sound = %q", sound)
		}
		if last := b.begun[len(b.begun)-1]; last.FinishReason != "stop" || last.Attempts[0].Outcome != "ok" {
			t.Errorf("before the client has the end, the ledger knows %+v", last)
		}
	})
}
