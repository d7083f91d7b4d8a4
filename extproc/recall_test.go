package extproc

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/types/known/durationpb"

	"github.com/switchyard/switchyard/extproc/dialect"
	"github.com/switchyard/switchyard/extproc/dialect/anthropic"
	"github.com/switchyard/switchyard/policies/cache"
	"github.com/switchyard/switchyard/policies/config/configpb"
	"github.com/switchyard/switchyard/policies/identity"
	"github.com/switchyard/switchyard/policies/routing"
	"github.com/switchyard/switchyard/policies/usage"
)

// keeping is a gateway that keeps answers, without a limit on requests.
func keeping(t *testing.T, change ...func(*configpb.Config, *Policy)) (*gateway, *books) {
	g, b := withBooks(t, append([]func(*configpb.Config, *Policy){func(cfg *configpb.Config, policy *Policy) {
		cfg.Keys[0].Limits = &configpb.Limits{Unlimited: true}
		cfg.Keys = append(cfg.Keys, &configpb.Key{Name: "other", Hash: identity.Hash("sk-other"), Limits: &configpb.Limits{Unlimited: true}})
		policy.MaxCacheEntry = 1 << 20
	}}, change...)...)
	g.Cache = cache.NewMemory(1 << 20)
	return g, b
}

// cached is what a client got, out of the cache or not.
type cached struct {
	mutation
	body string
	hit  bool
}

func (c *cached) status() string { return c.set["x-openrouter-cache-status"] }

// played asks for body with headers, and answers as a provider if one is asked. Each
// request has an id.
func (g *gateway) played(id, body, answer string, header ...string) cached {
	g.t.Helper()
	e := g.attempt("1", append(header, "x-request-id", id)...)
	e.asks(body, true)
	first := e.next()
	if immediate := first.GetImmediateResponse(); immediate != nil {
		e.end()
		if immediate.GetStatus().GetCode() != http.StatusOK {
			g.t.Fatalf("status %d: %s", immediate.GetStatus().GetCode(), immediate.GetBody())
		}
		return cached{e.mutation(immediate.GetHeaders()), string(immediate.GetBody()), true}
	}
	if first.GetRequestHeaders() == nil {
		g.t.Fatalf("message = %v, want request headers", first)
	}
	for !e.next().GetRequestBody().GetResponse().GetBodyMutation().GetStreamedResponse().GetEndOfStream() {
	}
	if strings.HasPrefix(answer, "data:") || strings.HasPrefix(answer, "event:") {
		e.streams()
	} else {
		e.replies("200", viaUpstream, "content-type", "application/json")
	}
	pieces := strings.SplitAfter(answer, "\n\n")
	if len(pieces) > 100 {
		pieces = []string{answer}
	}
	for i, piece := range pieces {
		e.sends(piece, i == len(pieces)-1)
	}
	got := e.begins()
	return cached{got, e.rest(), false}
}

const streamAnswer = role + token + stop + counted + done

var on = []string{"x-openrouter-cache", "true"}

// known-failures 8.
func TestRow110MissThenHit(t *testing.T) {
	for name, test := range map[string]struct{ body, answer string }{
		"whole":  {wholeOf, wholeAnswer},
		"stream": {streamOf, streamAnswer},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				g, b := keeping(t, onlyA)
				ask := func(id string) cached {
					return g.played(id, test.body, test.answer, append(on, "x-openrouter-metadata", "enabled")...)
				}
				miss := ask("1")
				if miss.hit || miss.status() != "MISS" || miss.set["x-openrouter-cache-ttl"] != "300" || miss.set["x-openrouter-cache-age"] != "" {
					t.Fatalf("the first: %v", miss.set)
				}
				first := b.only(t)
				time.Sleep(90 * time.Second)
				hit := ask("2")
				if !hit.hit || hit.status() != "HIT" || hit.set["x-openrouter-cache-age"] != "90" || hit.set["x-openrouter-cache-ttl"] != "210" ||
					hit.set["x-openrouter-cache-source-id"] != first.ID || hit.set["content-type"] != miss.set["content-type"] ||
					hit.set["x-provider-name"] != "a" || hit.set["access-control-allow-origin"] != "*" || !strings.Contains(hit.set["access-control-expose-headers"], "Retry-After, X-RateLimit-Limit, X-RateLimit-Remaining, X-RateLimit-Reset") ||
					hit.set["cache-control"] != miss.set["cache-control"] {
					t.Errorf("the second: %v", hit.set)
				}
				fresh := hit.set["x-generation-id"]
				if fresh == first.ID || fresh == "" || strings.Contains(hit.body, first.ID) || !strings.Contains(hit.body, fresh) {
					t.Errorf("generation %s after %s: %s", fresh, first.ID, hit.body)
				}
				if !strings.Contains(hit.body, `"prompt_tokens":0,"completion_tokens":0,"total_tokens":0,"cost":0,`) || strings.Contains(hit.body, "openrouter_metadata") {
					t.Errorf("usage is not zero, or there is router metadata: %s", hit.body)
				}
				if !strings.Contains(miss.body, `"openrouter_metadata"`) || !strings.Contains(miss.body, `"prompt_tokens":10`) {
					t.Errorf("the first: %s", miss.body)
				}
				synctest.Wait()
				second := b.settled[1]
				want := []usage.Attempt{{Number: 1, Endpoint: "m/x|a", Model: "m/x", Provider: "a", ProviderName: "a", Outcome: usage.Cached,
					Latency: second.Attempts[0].Latency, Duration: second.Attempts[0].Duration}}
				if diff := cmp.Diff(want, second.Attempts); diff != "" {
					t.Error(diff)
				}
				if second.ID != fresh || second.ResponseCacheSource != first.ID || second.FinishReason != "stop" || second.Cost() != 0 || second.Cancelled || first.ResponseCacheSource != "" {
					t.Errorf("the ledger has %+v", second)
				}
				g.wantCount(1, "attempts_total")
				g.wantCount(costOf10And4, "cost_usd_total")
				g.wantCount(1, "requests_total", "m/x", "cached")
				g.wantCount(1, "cache_requests_total", "hit")
				g.wantCount(1, "cache_requests_total", "miss")
				time.Sleep(211 * time.Second)
				if late := ask("3"); late.hit {
					t.Error("an answer is there after its time")
				}
			})
		})
	}
}

// Row 115: what providers are asked is not told of an answer for which none is.
func TestRow115NoEchoOutOfTheCache(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g, _ := keeping(t, onlyA)
		for _, id := range []string{"1", "2"} {
			got := g.played(id, withMembers(streamOf, `"debug":{"echo_upstream_body":true}`), streamAnswer, on...)
			if got.hit || got.status() != "" || !strings.Contains(got.body, `"echo_upstream_body":{`) {
				t.Errorf("request %s, out of the cache %t: %v %s", id, got.hit, got.set, got.body)
			}
		}
		whole := withMembers(wholeOf, `"debug":{"echo_upstream_body":true}`) // has no place for it
		g.played("3", whole, wholeAnswer, on...)
		if got := g.played("4", whole, wholeAnswer, on...); !got.hit {
			t.Error("a whole answer is not kept for the sake of an echo that it cannot hold")
		}
	})
}

// What tells two requests apart, and what does not (known-failures 50).
func TestRow112WhoGetsWhat(t *testing.T) {
	for name, test := range map[string]struct {
		body   string
		header []string
		hit    bool
	}{
		"the same":                  {wholeOf, on, true},
		"with another app's name":   {wholeOf, append([]string{"x-title", "App", "x-session-id", "s"}, on...), true},
		"of another key":            {wholeOf, append([]string{"authorization", "Bearer sk-other"}, on...), false},
		"without the header":        {wholeOf, nil, false},
		"with the header off":       {wholeOf, []string{"x-openrouter-cache", "false"}, false},
		"at another path":           {wholeOf, append([]string{":path", path}, on...), false},
		"in another order":          {`{"messages":[{"role":"user","content":"hello"}],"model":"m/x"}`, on, false},
		"with a space more":         {"{ " + wholeOf[1:], on, false},
		"one that wants no trace":   {`{"provider":{"zdr":true},` + wholeOf[1:], on, false},
		"with what is not an order": {`{"provider":{"zdr":"x"},` + wholeOf[1:], on, false},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				g, _ := keeping(t, onlyA, func(cfg *configpb.Config, _ *Policy) {
					cfg.Providers["a"].DataPolicy = &configpb.DataPolicy{NoRetention: true}
				})
				g.played("1", wholeOf, wholeAnswer, on...)
				if strings.Contains(test.body, `"x"`) {
					e := g.attempt("1", append(test.header, "x-request-id", "2")...)
					e.asks(test.body, true)
					if got := e.refused(); got.status != http.StatusBadRequest {
						t.Errorf("status %d", got.status)
					}
					return
				}
				if got := g.played("2", test.body, wholeAnswer, test.header...); got.hit != test.hit {
					t.Errorf("out of the cache: %t", got.hit)
				}
			})
		})
	}
}

func TestRow112WhatTheDialectReadsOfTheHeadCounts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g, _ := keeping(t, onlyA)
		g.Clients["/v1/messages"] = anthropic.Client{}
		const body = `{"model":"m/x","max_tokens":9,"messages":[{"role":"user","content":"hello"}]}`
		ask := func(id string, header ...string) bool {
			return g.played(id, body, wholeAnswer, append(append(header, ":path", "/v1/messages"), on...)...).hit
		}
		if ask("1", "anthropic-beta", "b-1") || !ask("2", "anthropic-beta", "b-1") || ask("3", "anthropic-beta", "b-2") || ask("4") {
			t.Error("requests that ask for other betas get each other's answers")
		}
	})
}

func TestClearRefreshesTheEntry(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g, _ := keeping(t, onlyA)
		g.played("1", wholeOf, wholeAnswer, on...)
		other := strings.Replace(wholeAnswer, `"hi"`, `"anew"`, 1)
		if got := g.played("2", wholeOf, other, append([]string{"x-openrouter-cache-clear", "true"}, on...)...); got.hit || got.status() != "MISS" || !strings.Contains(got.body, "anew") {
			t.Errorf("asked to clear: %+v", got)
		}
		if got := g.played("3", wholeOf, wholeAnswer, on...); !got.hit || !strings.Contains(got.body, "anew") {
			t.Errorf("afterwards: %+v", got)
		}
		g.wantCount(1, "cache_requests_total", "refresh")
	})
}

func TestRow111TimeToLive(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g, _ := keeping(t, onlyA)
		if got := g.played("1", wholeOf, wholeAnswer, append([]string{"x-openrouter-cache-ttl", "999999"}, on...)...); got.set["x-openrouter-cache-ttl"] != "86400" {
			t.Errorf("headers %v", got.set)
		}
		e := g.attempt("1", append([]string{"x-openrouter-cache-ttl", "5m"}, on...)...)
		e.asks(wholeOf, true)
		if got := e.refused(); got.status != http.StatusBadRequest || !strings.Contains(got.error.Message, "X-OpenRouter-Cache-TTL") {
			t.Errorf("%d %s", got.status, got.body)
		}
	})
}

func TestPresetSaysWhetherToKeep(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g, _ := keeping(t, onlyA)
		config := ""
		g.Preset = func(*identity.Key, string) (dialect.Preset, bool) {
			return dialect.Preset{Config: []byte(config)}, true
		}
		id := 0
		ask := func(header ...string) cached {
			id++
			return g.played(fmt.Sprint(id), `{"model":"m/x@preset/p",`+wholeOf[len(`{"model":"m/x",`):], wholeAnswer, header...)
		}
		config = `{"cache_enabled":true,"cache_ttl_seconds":60}`
		if got := ask(); got.status() != "MISS" || got.set["x-openrouter-cache-ttl"] != "60" {
			t.Errorf("a preset for it: %v", got.set)
		}
		if got := ask(); !got.hit {
			t.Error("a preset for it keeps nothing")
		}
		if got := ask("x-openrouter-cache", "false"); got.hit || got.status() != "" {
			t.Errorf("off by the header: %v", got.set)
		}
		config = `{"cache_enabled":false}`
		if got := ask(on...); got.hit || got.status() != "" {
			t.Errorf("a preset against it: %v", got.set)
		}
		config = `{"cache_enabled":true,"temperature":0.5}`
		if got := ask(); got.hit {
			t.Error("a preset that has changed is answered as before")
		}
	})
}

// Only a whole answer that ended well is kept.
func TestWhatIsNotKept(t *testing.T) {
	const filtered = `{"choices":[{"index":0,"message":{"role":"assistant","content":"half"},"finish_reason":"%s"}],"usage":{"prompt_tokens":10,"completion_tokens":4}}`
	for name, test := range map[string]struct {
		body, answer string
		kept         bool
	}{
		"a whole answer":                  {wholeOf, wholeAnswer, true},
		"cut at its bound":                {wholeOf, fmt.Sprintf(filtered, "length"), true},
		"a call of a tool":                {wholeOf, fmt.Sprintf(filtered, "tool_calls"), true},
		"ended with an error":             {wholeOf, fmt.Sprintf(filtered, "error"), false},
		"without a reason":                {wholeOf, `{"choices":[{"index":0,"message":{"role":"assistant","content":"half"}}]}`, false},
		"empty":                           {wholeOf, `{"choices":[{"index":0,"message":{"role":"assistant","content":""},"finish_reason":"stop"}],"usage":{"prompt_tokens":10,"completion_tokens":0}}`, false},
		"too large":                       {wholeOf, strings.Replace(wholeAnswer, `"hi"`, `"`+strings.Repeat("x", 1<<20)+`"`, 1), false},
		"a stream":                        {streamOf, streamAnswer, true},
		"a stream without its last word":  {streamOf, role + token + stop + counted, true},
		"a stream that is no stream":      {streamOf, wholeAnswer, true},
		"a stream that breaks off":        {streamOf, role + token, false},
		"a stream with an error in it":    {streamOf, role + token + "data: {\"error\":{\"message\":\"no\",\"code\":500}}\n\n", false},
		"a stream that ends with one":     {streamOf, role + token + strings.Replace(stop, `"stop"`, `"error"`, 1) + done, false},
		"a stream that is too large":      {streamOf, role + strings.Replace(token, `"hi"`, `"`+strings.Repeat("x", 1<<20)+`"`, 1) + stop + done, false},
		"a stream of many that is so too": {streamOf, role + strings.Repeat(token, 4000) + stop + done, false},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				g, _ := keeping(t, onlyA)
				if got := g.played("1", test.body, test.answer, on...); got.hit || got.status() != "MISS" {
					t.Errorf("the first: %v", got.set)
				}
				if got := g.played("2", test.body, test.answer, on...); got.hit != test.kept {
					t.Errorf("kept: %t, want %t", got.hit, test.kept)
				}
			})
		})
	}
}

func TestClientThatHangsUpInTheMiddleLeavesNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g, _ := keeping(t, onlyA)
		e := g.attempt("1", on...)
		e.asks(streamOf, true)
		e.forwarded()
		e.streams()
		e.sends(role+token, false)
		e.begins()
		e.piece()
		e.hangUp()
		if got := g.played("2", streamOf, streamAnswer, on...); got.hit {
			t.Errorf("half an answer is kept: %s", got.body)
		}
	})
}

// A comment goes to whoever waits, and to nobody later.
func TestCommentsAreNotKept(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g, _ := keeping(t, onlyA)
		e := g.attempt("1", on...)
		e.asks(streamOf, true)
		e.forwarded()
		e.streams()
		e.sends(role, false)
		time.Sleep(commentEvery + time.Second)
		e.sends(token+stop+counted+done, true)
		e.begins()
		said := e.rest()
		got := g.played("2", streamOf, streamAnswer, on...)
		events := func(body string) int { return strings.Count(body, "data: ") }
		if !strings.Contains(said, ": PROCESSING") || strings.Contains(got.body, "PROCESSING") || !got.hit || events(got.body) != events(said) {
			t.Errorf("%q and then %q", said, got.body)
		}
	})
}

// An answer that took two attempts is kept, and the second one does not look.
func TestAnswerOfASecondAttemptIsKept(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g, _ := keeping(t)
		e := g.attempt("1", append([]string{"x-request-id", "1"}, on...)...)
		e.asks(wholeOf, true)
		e.forwarded()
		e.replies("503", viaUpstream)
		e.sends("", true)
		e.refused()
		g.played("meanwhile", wholeOf, answerOfB("meanwhile"), on...) // the same request puts it there
		e = g.attempt("2", append([]string{"x-request-id", "1"}, on...)...)
		e.asks(wholeOf, true)
		e.forwarded()
		e.replies("200", viaUpstream, "content-type", "application/json")
		e.sends(answerOfB("later"), true)
		if got := e.begins(); got.set["x-openrouter-cache-status"] != "MISS" {
			t.Errorf("headers %v", got.set)
		}
		e.rest()
		if got := g.played("3", wholeOf, wholeAnswer, on...); !got.hit || !strings.Contains(got.body, "later") || got.set["x-provider-name"] != "b" {
			t.Errorf("%+v", got)
		}
	})
}

// answerOfB is a whole answer as the provider b gives it.
func answerOfB(text string) string {
	return `{"id":"msg_1","type":"message","role":"assistant","content":[{"type":"text","text":"` + text + `"}],"stop_reason":"end_turn","usage":{"input_tokens":10,"output_tokens":4}}`
}

// What may not be asked any more does not answer either.
func TestHitRespectsWhatHasChanged(t *testing.T) {
	for name, test := range map[string]struct {
		change func(*gateway, *Policy)
		hit    bool
	}{
		"nothing":                        {func(*gateway, *Policy) {}, true},
		"another model may not be asked": {func(_ *gateway, p *Policy) { p.Gateway = &routing.Constraints{IgnoredModels: []string{"m/y"}} }, true},
		"the model may not be asked":     {func(_ *gateway, p *Policy) { p.Gateway = &routing.Constraints{IgnoredModels: []string{"m/x"}} }, false},
		"the key may not ask it": {func(g *gateway, p *Policy) {
			p.KeyConstraints = map[string]*routing.Constraints{identity.Hash(clientKey): {Ignore: []string{"a"}}}
		}, false},
		"nothing is to be retained": {func(_ *gateway, p *Policy) { p.Gateway = &routing.Constraints{ZDR: true} }, false},
		"by a policy of the key": {func(_ *gateway, p *Policy) {
			p.KeyConstraints = map[string]*routing.Constraints{identity.Hash(clientKey): {ZDR: true}}
		}, false},
		"the cache is off": {func(_ *gateway, p *Policy) { p.MaxCacheEntry = 0 }, false},
		"the endpoint is gone": {func(g *gateway, p *Policy) {
			g.reload(p, func(cfg *configpb.Config) { cfg.Models["m/x"].Endpoints = cfg.Models["m/x"].Endpoints[1:] })
		}, false},
		"one attempt is allowed, and the other endpoint is first": {func(g *gateway, p *Policy) {
			p.Routing.MaxCandidates = 1
			g.reload(p, func(cfg *configpb.Config) {
				e := cfg.Models["m/x"].Endpoints
				e[0], e[1] = e[1], e[0]
			})
		}, true},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				retaining := func(cfg *configpb.Config, _ *Policy) {
					cfg.Providers["a"].DataPolicy = &configpb.DataPolicy{NoRetention: true}
				}
				g, _ := keeping(t, retaining)
				g.played("1", wholeOf, wholeAnswer, on...)
				test.change(g, g.Policy())
				e := g.attempt("1", append([]string{"x-request-id", "2"}, on...)...)
				e.asks(wholeOf, true)
				first := e.next()
				if hit := first.GetImmediateResponse().GetStatus().GetCode() == http.StatusOK; hit != test.hit {
					t.Errorf("out of the cache: %t; %v", hit, first)
				}
				e.hangUp()
			})
		})
	}
}

// reload gives the policy another catalog, of the configuration of [newGateway] with a
// change.
func (g *gateway) reload(policy *Policy, change func(*configpb.Config)) {
	g.t.Helper()
	policy.Catalog = newGateway(g.t, func(cfg *configpb.Config, _ *Policy) { change(cfg) }).Policy().Catalog
}

// A hit uses up a request, and neither tokens nor money.
func TestHitCountsAsARequest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g, _ := keeping(t, onlyA, bounding, func(cfg *configpb.Config, _ *Policy) {
			cfg.Keys[0].Limits = &configpb.Limits{Requests: 3, Window: durationpb.New(time.Minute), Budget: "1", Tokens: 100_000}
		})
		for id := range 3 {
			if got := g.played(fmt.Sprint(id), boundedOf, wholeAnswer, on...); got.hit != (id > 0) {
				t.Fatalf("request %d is out of the cache: %t", id, got.hit)
			}
		}
		g.wantSettled(answerCost)
		e := g.attempt("1", on...)
		e.asks(boundedOf, true)
		if got := e.refused(); got.status != http.StatusTooManyRequests {
			t.Errorf("the fourth of three: status %d", got.status)
		}
	})
}

// Reasoning that only its provider can read ties the conversation to it once more.
func TestHitTiesTheConversation(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g, _ := keeping(t, func(cfg *configpb.Config, _ *Policy) { cfg.Models["m/x"].Endpoints = cfg.Models["m/x"].Endpoints[1:] })
		const thought = `{"id":"msg_1","type":"message","role":"assistant","content":[{"type":"thinking","thinking":"hm","signature":"s"},{"type":"text","text":"so"}],"stop_reason":"end_turn","usage":{"input_tokens":10,"output_tokens":4}}`
		forAnHour := append([]string{"x-openrouter-cache-ttl", "3600"}, on...)
		g.played("1", wholeOf, thought, forAnHour...)
		request, err := g.Clients[path].Parse([]byte(wholeOf))
		if err != nil {
			t.Fatal(err)
		}
		a := &attempt{key: &identity.Key{Hash: identity.Hash(clientKey)}, request: request}
		time.Sleep(g.Policy().StickyFor)
		if _, known := g.Sticky.Get(t.Context(), a.stickyKey(), time.Now()); known {
			t.Fatal("the conversation's place is still remembered")
		}
		if got := g.played("2", wholeOf, thought, forAnHour...); !got.hit {
			t.Fatal("no hit")
		}
		if pin, known := g.Sticky.Get(t.Context(), a.stickyKey(), time.Now()); !known || !pin.Bound || pin.Provider != "b" {
			t.Errorf("pin %+v, %t", pin, known)
		}
	})
}

// An answer out of the cache costs nothing (spec section 4.8): a key whose budget is spent
// gets it still, before and after it was turned away for another.
func TestSpentKeyGetsWhatIsKept(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g, _ := keeping(t, onlyA, bounding, limited(&configpb.Limits{Budget: "0.02"}))
		g.played("1", boundedOf, strings.Replace(wholeAnswer, `"completion_tokens":4`, `"completion_tokens":1999`, 1), on...)
		for _, id := range []string{"2", "3"} {
			e := g.attempt("1", "x-request-id", "anew "+id)
			e.asks(boundedOf, true)
			if got := e.refused(); got.status != http.StatusPaymentRequired && got.status != http.StatusForbidden {
				t.Errorf("%d %s", got.status, got.body)
			}
			if got := g.played(id, boundedOf, wholeAnswer, on...); !got.hit {
				t.Error("no hit for a key whose budget is spent")
			}
		}
	})
}

// What is to be kept takes room, for which nobody waits: without it the answer is not kept.
func TestWhatIsToBeKeptIsHeld(t *testing.T) {
	long := strings.Replace(token, "hi", strings.Repeat("word ", 1000), 1)
	for _, test := range []struct {
		room int64
		kept bool
	}{{1 << 20, true}, {4000, false}} {
		synctest.Test(t, func(t *testing.T) {
			g, _ := keeping(t, onlyA, roomFor(0, test.room))
			e := g.attempt("1", on...)
			e.asks(streamOf, true)
			e.forwarded()
			e.streams()
			e.sends(long, false)
			e.begins()
			e.piece()
			if held := g.heldAnswers.taken(); (held >= 5000) != test.kept || held > test.room {
				t.Errorf("%d bytes are held of %d", held, test.room)
			}
			e.sends(stop+counted+done, true)
			if body := e.rest(); !strings.Contains(body, "[DONE]") {
				t.Errorf("the client reads %s", body)
			}
			if held := g.heldAnswers.taken(); held != 0 {
				t.Errorf("%d bytes are held at the end", held)
			}
			if again := g.played("2", streamOf, role+token+stop+counted+done, on...); again.hit != test.kept {
				t.Errorf("with room for %d bytes: kept %v", test.room, again.hit)
			}
		})
	}
}
