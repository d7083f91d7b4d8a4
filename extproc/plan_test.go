package extproc

import (
	"context"
	"encoding/json"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/switchyard/switchyard/extproc/dialect"
	"github.com/switchyard/switchyard/policies/config/configpb"
	"github.com/switchyard/switchyard/policies/health"
	"github.com/switchyard/switchyard/policies/sticky"
)

// twoModels adds m/y, served by b.
func twoModels(cfg *configpb.Config, _ *Policy) {
	cfg.Models["m/y"] = &configpb.Model{Endpoints: []*configpb.Endpoint{{Provider: "b", Model: "y-messages", Prices: &configpb.Prices{Prompt: "1", Completion: "1"}}}}
}

const streamOfTwo = `{"model":"m/x","models":["m/y"],"stream":true,"messages":[{"role":"user","content":"hello"}]}`

func TestRow64WhatOneModelRefusesTheNextMayTake(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGateway(t, twoModels)
		first, _ := g.asked("1", streamOfTwo)
		first.replies("400", viaUpstream)
		first.sends(`{"error":{"message":"This model's maximum context length is 10 tokens."}}`, true)
		if got := first.refused(); got.set[headerFailover] == "" {
			t.Fatalf("a 400 with another model left is final: %d", got.status)
		}
		second, upstream := g.asked("2", streamOfTwo)
		if !strings.Contains(upstream.body, "y-messages") {
			t.Errorf("m/x's other endpoint is asked the same again: %s", upstream.body)
		}
		second.hangUp()
	})
}

func TestRoutesOwnRules(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGateway(t, func(_ *configpb.Config, p *Policy) {
			p.Routes = []Route{{Models: []string{"m/*"}, StopOn: map[health.Class]bool{health.ServerError: true}}}
		})
		e, _ := g.asked("1", streamOf)
		e.replies("500", viaUpstream)
		e.sends(`{"error":{"message":"no"}}`, true)
		if got := e.refused(); got.set[headerFailover] != "" {
			t.Error("the failure moves on although the model's own rules stop on it")
		}
	})
}

// A client cannot get around a model's rules by calling it something else.
func TestRulesHoldWhateverTheModelIsCalled(t *testing.T) {
	var policy *Policy
	newGateway(t, twoModels, func(cfg *configpb.Config, p *Policy) {
		cfg.Aliases = map[string]string{"~m/latest": "m/x"}
		cfg.Models["m/x"].CanonicalSlug = "m/x-2026"
		p.HedgeAfter, p.Routing.DefaultModel = time.Second, "m/x"
		p.Routes = []Route{{Models: []string{"m/x"}, HedgeAfter: new(time.Duration), MaxAttempts: 2}, {Models: []string{"*"}, MaxAttempts: 5}}
		policy = p
	})
	for _, asked := range []string{"m/x", "m/x:nitro", "m/x:online:floor", "~m/latest", "m/x-2026", ""} {
		if got := policy.rulesFor(asked); got.hedgeAfter != 0 || got.maxAttempts != 2 {
			t.Errorf("rules of %q = %+v, want no hedge and 2 attempts", asked, got)
		}
	}
	if got := policy.rulesFor("m/y"); got.hedgeAfter != time.Second || got.maxAttempts != 5 {
		t.Errorf("rules of m/y = %+v, want the general hedge and 5 attempts", got)
	}
}

// Envoy has one time for all models; a model with a longer one of its own waits.
func TestHedgeWaitsForTheModelsOwnTime(t *testing.T) {
	hedging := func(after time.Duration) func(*configpb.Config, *Policy) {
		return func(_ *configpb.Config, p *Policy) {
			p.Hedging, p.HedgeAfter = true, time.Second
			p.Routes = []Route{{Models: []string{"m/x"}, HedgeAfter: &after}}
		}
	}
	synctest.Test(t, func(t *testing.T) {
		g := newGateway(t, hedging(5*time.Second))
		slow, _ := g.asked("1", streamOf)
		time.Sleep(time.Second)
		hedge := g.attempt("2")
		hedge.asks(streamOf, true)
		time.Sleep(3900 * time.Millisecond)
		hedge.quiet("its time has not come")
		time.Sleep(200 * time.Millisecond)
		if got := hedge.forwarded(); got.set[":authority"] != "b.example:8443" {
			t.Errorf("the hedge goes to %s", got.set[":authority"])
		}
		slow.hangUp()
		hedge.hangUp()
	})
	synctest.Test(t, func(t *testing.T) {
		g := newGateway(t, hedging(0))
		slow, _ := g.asked("1", streamOf)
		hedge := g.attempt("2")
		hedge.asks(streamOf, true)
		time.Sleep(headersWithin / 2)
		hedge.quiet("the model is never hedged")
		slow.replies("500", viaUpstream)
		slow.sends(`{"error":{"message":"no"}}`, true)
		slow.refused()
		hedge.forwarded() // it is the next attempt now
		hedge.hangUp()
	})
}

// Envoy starts attempts all the time while one is silent; each has to wait for its own
// turn, counted from the one before it.
func TestHedgesThatWaitGoOneAtATime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGateway(t, func(cfg *configpb.Config, p *Policy) {
			third := &configpb.Endpoint{Provider: "a", Tag: "a/third", Model: "x-third", Prices: &configpb.Prices{Prompt: "1"}}
			cfg.Models["m/x"].Endpoints = append(cfg.Models["m/x"].Endpoints, third)
			p.Hedging, p.HedgeAfter = true, 5*time.Second
		})
		slow, _ := g.asked("1", streamOf)
		early, late := g.attempt("2"), g.attempt("3")
		go early.asks(streamOf, true)
		go late.asks(streamOf, true)
		time.Sleep(5*time.Second + time.Millisecond)
		synctest.Wait()
		going, waiting := early, late
		if len(early.answers) == 0 {
			going, waiting = late, early
		}
		going.forwarded()
		waiting.quiet("the one before it has just begun")
		time.Sleep(5 * time.Second)
		if got := waiting.forwarded(); !strings.Contains(got.body, "x-third") {
			t.Errorf("the third attempt asks %s", got.body)
		}
		slow.hangUp()
		going.hangUp()
		waiting.hangUp()
	})
}

// The request's first attempt may come second to the processor's notice.
func TestHedgeBeforeTheFirstAttemptWaitsForIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGateway(t, onlyA, func(_ *configpb.Config, p *Policy) { p.Hedging, p.HedgeAfter = true, time.Second })
		first := g.attempt("1")
		synctest.Wait()
		hedge := g.attempt("2")
		go hedge.asks(streamOf, true)
		time.Sleep(10 * time.Second)
		first.asks(streamOf, true)
		if got := first.forwarded(); got.set[":authority"] != "a.example" {
			t.Errorf("the first attempt goes to %s", got.set[":authority"])
		}
		hedge.hangUp()
		first.hangUp()
	})
}

// slowStore is a Redis that takes its time.
type slowStore struct{ *sticky.Memory }

func (s slowStore) Get(ctx context.Context, key sticky.Key, now time.Time) (sticky.Pin, bool) {
	time.Sleep(time.Second)
	return s.Memory.Get(ctx, key, now)
}

func TestSlowPlanKeepsNobodyElseWaiting(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGateway(t)
		g.Sticky = slowStore{sticky.NewMemory()}
		slow := g.attempt("1", "x-request-id", "slow")
		slow.asks(streamOf, true)
		again := g.attempt("2", "x-request-id", "slow") // waits for the same plan
		again.asks(streamOf, true)
		time.Sleep(time.Millisecond)
		began := time.Now()
		other := g.attempt("1", "x-request-id", "other")
		synctest.Wait()
		g.requests.mu.Lock()
		known := g.requests.byID["other"] != nil
		g.requests.mu.Unlock()
		if !known || time.Since(began) > 0 {
			t.Error("another request waits for a plan that is not its own")
		}
		slow.forwarded()
		again.forwarded()
		slow.hangUp()
		again.hangUp()
		other.hangUp()
	})
}

// sealed ends a stream whose answer holds reasoning that only its provider reads.
const sealed = "data: {\"choices\":[{\"index\":0,\"delta\":{\"reasoning_details\":[{\"type\":\"reasoning.encrypted\",\"data\":\"x\",\"index\":0}]}}]}\n\n"

// Two conversations of one session: the loop of the one stays where its reasoning can
// be read, wherever the other one goes.
func TestToolLoopStaysWithItsProviderWhateverTheSessionDoes(t *testing.T) {
	const loop = `{"model":"m/x","stream":true,"messages":[{"role":"user","content":"hello"},{"role":"assistant","tool_calls":[{"id":"c","type":"function","function":{"name":"f","arguments":"{}"}}],"reasoning_details":[{"type":"reasoning.encrypted","data":"x","index":0}]},{"role":"tool","tool_call_id":"c","content":"1"}]}`
	other := strings.Replace(streamOf, "hello", "goodbye", 1)
	synctest.Test(t, func(t *testing.T) {
		g := newGateway(t)
		e, _ := g.askedAs("one", "1", streamOf, "x-session-id", "s")
		e.answersWith(role + sealed + token + stop + counted + done)
		// The other conversation fails over to b and takes the session along.
		e, _ = g.askedAs("two", "1", other, "x-session-id", "s")
		e.replies("500", viaUpstream)
		e.sends(`{"error":{"message":"no"}}`, true)
		e.refused()
		e, _ = g.askedAs("two", "2", other, "x-session-id", "s")
		e.streams()
		e.sends("event: message_start\ndata: {\"type\":\"message_start\",\"message\":{\"id\":\"m\",\"role\":\"assistant\",\"usage\":{\"input_tokens\":10}}}\n\nevent: content_block_start\ndata: {\"type\":\"content_block_start\",\"index\":0,\"content_block\":{\"type\":\"text\",\"text\":\"\"}}\n\nevent: content_block_delta\ndata: {\"type\":\"content_block_delta\",\"index\":0,\"delta\":{\"type\":\"text_delta\",\"text\":\"hi\"}}\n\nevent: message_delta\ndata: {\"type\":\"message_delta\",\"delta\":{\"stop_reason\":\"end_turn\"},\"usage\":{\"output_tokens\":4}}\n\nevent: message_stop\ndata: {\"type\":\"message_stop\"}\n\n", true)
		e.begins()
		e.rest()
		e, upstream := g.askedAs("three", "1", loop, "x-session-id", "s")
		if upstream.set[":authority"] != "a.example" {
			t.Errorf("the tool loop goes on at %s, which cannot read its reasoning", upstream.set[":authority"])
		}
		e.hangUp()
	})
}

// cachedAnswer ends a stream with usage that shows a cache hit.
const cachedAnswer = "data: {\"choices\":[],\"usage\":{\"prompt_tokens\":10,\"completion_tokens\":4,\"total_tokens\":14,\"prompt_tokens_details\":{\"cached_tokens\":8}}}\n\n"

func cheaperCache(cfg *configpb.Config, _ *Policy) {
	for _, endpoint := range cfg.Models["m/x"].Endpoints {
		endpoint.Prices = &configpb.Prices{Prompt: "1", Completion: "10", CacheRead: "0.1"}
	}
}

// askedAs opens an attempt at a request of its own.
func (g *gateway) askedAs(id, number, body string, headers ...string) (*envoy, upstream) {
	g.t.Helper()
	e := g.attempt(number, append([]string{"x-request-id", id}, headers...)...)
	e.asks(body, true)
	return e, e.forwarded()
}

func (e *envoy) answersWith(events string) {
	e.streams()
	e.sends(events, true)
	e.begins()
	e.rest()
}

func TestRow105ConversationStaysWhereItsPromptIsCached(t *testing.T) {
	for _, test := range []struct {
		name, body, other string
		headers           []string
		events            string
		stays             bool
	}{
		{"a cache hit", streamOf, streamOf, nil, role + token + stop + cachedAnswer + done, true},
		{"no cache hit and no session", streamOf, streamOf, nil, role + token + stop + counted + done, false},
		{"row 106: a session", streamOf, streamOf, []string{"x-session-id", "s"}, role + token + stop + counted + done, true},
		{"another conversation", streamOf, strings.Replace(streamOf, "hello", "goodbye", 1), nil, role + token + stop + cachedAnswer + done, false},
		{"row 107: order is followed", streamOf, strings.Replace(streamOf, `{`, `{"provider":{"order":["b"]},`, 1), []string{"x-session-id", "s"}, role + token + stop + counted + done, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				// b comes first, and is out of order for the first request only.
				g := newGateway(t, cheaperCache, func(cfg *configpb.Config, _ *Policy) {
					endpoints := cfg.Models["m/x"].Endpoints
					endpoints[0], endpoints[1] = endpoints[1], endpoints[0]
				})
				g.Health.Record(health.Sample{EndpointID: "m/x|b", Class: health.ServerError, Now: time.Now()})
				e, upstream := g.askedAs("one", "1", test.body, test.headers...)
				if upstream.set[":authority"] != "a.example" {
					t.Fatalf("the first request goes to %s", upstream.set[":authority"])
				}
				e.answersWith(test.events)
				g.Health.Record(health.Sample{EndpointID: "m/x|b", FirstToken: time.Second, Now: time.Now().Add(time.Minute)})
				time.Sleep(5 * time.Minute)
				e, upstream = g.askedAs("two", "1", test.other, test.headers...)
				if stays := upstream.set[":authority"] == "a.example"; stays != test.stays {
					t.Errorf("the second request goes to %s", upstream.set[":authority"])
				}
				e.hangUp()
			})
		})
	}
}

func TestRow113PlanIsToldToWhoAsks(t *testing.T) {
	for _, test := range []struct {
		name, header string
		told         bool
	}{
		{"row 113", "Enabled", true}, {"row 114", "true", false}, {"not asked", "", false},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				g := newGateway(t)
				e, _ := g.askedAs("id", "1", wholeOf, "x-openrouter-metadata", test.header)
				e.replies("200", viaUpstream, "content-type", "application/json")
				e.sends(wholeAnswer, true)
				e.begins()
				var answer struct {
					Metadata *struct {
						Requested string
						Endpoints struct {
							Available []struct {
								Provider string
								Selected bool
							}
						}
						Plan struct {
							Candidates []struct{ Endpoint, Reason string }
						}
					} `json:"openrouter_metadata"`
				}
				body := e.rest()
				if err := json.Unmarshal([]byte(body), &answer); err != nil {
					t.Fatal(err)
				}
				switch m := answer.Metadata; {
				case m == nil != !test.told:
					t.Fatalf("answer %s", body)
				case m == nil:
				case m.Requested != "m/x" || len(m.Endpoints.Available) != 2 || !m.Endpoints.Available[0].Selected || m.Endpoints.Available[1].Selected:
					t.Errorf("metadata %+v", m)
				case len(m.Plan.Candidates) != 2 || m.Plan.Candidates[0].Endpoint != "m/x|a" || m.Plan.Candidates[0].Reason == "":
					t.Errorf("plan %+v", m.Plan)
				}
			})
		})
	}
}

// Who asks for the plan gets it with an error too, in the response and in the stream.
func TestRow113PlanIsToldWithErrors(t *testing.T) {
	asked := []string{"x-openrouter-metadata", "enabled"}
	synctest.Test(t, func(t *testing.T) {
		g := newGateway(t, onlyA)
		e, _ := g.askedAs("one", "1", streamOf, asked...)
		e.replies("503", viaUpstream)
		e.sends(`{"error":{"message":"no"}}`, true)
		if got := e.refused(); !strings.Contains(got.body, `"attempts":[{"provider":"a","model":"m/x","status":503}]`) {
			t.Errorf("a failure is told as %s", got.body)
		}
		e, _ = g.askedAs("two", "1", streamOf, asked...)
		e.streams()
		e.sends(role+token, true)
		e.begins()
		if got := e.rest(); !strings.Contains(got, `"openrouter_metadata":{"requested":"m/x"`) {
			t.Errorf("a stream that breaks ends with %s", got)
		}
	})
}

func TestRow126PresetIsMergedBeforeAnythingElse(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGateway(t)
		e, upstream := g.asked("1", strings.Replace(streamOf, "m/x", "m/x@preset/terse", 1))
		if !strings.Contains(upstream.body, "Be brief.") || !strings.Contains(upstream.body, `"x-large"`) {
			t.Errorf("the provider gets %s", upstream.body)
		}
		e.hangUp()
		e = g.attempt("1", "x-request-id", "two")
		e.asks(strings.Replace(streamOf, "m/x", "@preset/none", 1), true)
		if got := e.refused(); got.status != 404 || !strings.Contains(got.error.Message, `"none"`) {
			t.Errorf("an unknown preset: %d %s", got.status, got.error.Message)
		}
	})
}

func TestRow109LongSessionsAreRefused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGateway(t)
		e := g.attempt("1", "x-session-id", strings.Repeat("s", 257))
		e.asks(streamOf, true)
		if got := e.refused(); got.status != 400 {
			t.Errorf("status %d", got.status)
		}
	})
}

// One request at a time finds out whether an endpoint is well again.
func TestHalfOpenEndpointIsTriedByOneRequestAtATime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGateway(t)
		for range 10 { // one failure of eleven is no outage
			g.Health.Record(health.Sample{EndpointID: "m/x|a", FirstToken: time.Second, Now: time.Now()})
		}
		g.Health.Record(health.Sample{EndpointID: "m/x|a", Class: health.Connect, Now: time.Now()})
		time.Sleep(6 * time.Second) // the cool-down is over
		probe, upstream := g.askedAs("one", "1", streamOf)
		if upstream.set[":authority"] != "a.example" {
			t.Fatalf("nobody tries it: the request goes to %s", upstream.set[":authority"])
		}
		other, upstream := g.askedAs("two", "1", streamOf)
		if upstream.set[":authority"] != "b.example:8443" {
			t.Errorf("a second request tries it too")
		}
		other.hangUp()
		probe.answersWith(role + token + stop + counted + done)
		next, upstream := g.askedAs("three", "1", streamOf)
		if upstream.set[":authority"] != "a.example" {
			t.Errorf("it is well again, and the request goes to %s", upstream.set[":authority"])
		}
		next.hangUp()
	})
}

// TestManyPromptsAreNotOne holds that the whole of what is embedded is not held to the
// context of one text.
func TestManyPromptsAreNotOne(t *testing.T) {
	request := &dialect.Request{PromptBytes: 4000}
	if got := promptTokens(request); got != 1000 {
		t.Errorf("a conversation of 4000 bytes has %d tokens", got)
	}
	request.OutputModality = "embeddings"
	if got := promptTokens(request); got != 0 {
		t.Errorf("embeddings are planned for %d tokens", got)
	}
}
