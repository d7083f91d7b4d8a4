package extproc

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/switchyard/switchyard/extproc/dialect"
	"github.com/switchyard/switchyard/extproc/dialect/anthropic"
	"github.com/switchyard/switchyard/extproc/dialect/openai"
	"github.com/switchyard/switchyard/policies/byok"
	"github.com/switchyard/switchyard/policies/config/configpb"
	"github.com/switchyard/switchyard/policies/identity"
	"github.com/switchyard/switchyard/policies/quota"
)

// What a request of boundedOf may come to: the prompt is its bytes and 128 tokens of
// template, the answer 100 tokens; at $1 and $10 per million.
const (
	boundedOf   = `{"model":"m/x","max_tokens":100,"messages":[{"role":"user","content":"hello"}]}`
	mostTokens  = int64(len(boundedOf)) + templateTokens + 100
	mostDollars = (float64(len(boundedOf)) + templateTokens + 1000) / 1e6
)

// limited gives the key of the tests other limits.
func limited(limits *configpb.Limits) func(*configpb.Config, *Policy) {
	return func(cfg *configpb.Config, _ *Policy) {
		limits.Unlimited = limits.Requests == 0
		cfg.Keys[0].Limits = limits
	}
}

// spent is what counts for the key's budget, in nanodollars.
func (g *gateway) spent() int64 {
	g.t.Helper()
	key, err := g.Policy().Keys.Named("team")
	if err != nil {
		g.t.Fatal(err)
	}
	var rules *quota.Rules
	limits := rules.Request(key, "")
	at := slices.IndexFunc(limits, func(l quota.Limit) bool { return l.Measure == quota.Money })
	if at < 0 {
		g.t.Fatal("the key has no budget")
	}
	used, err := g.Limits.Used(context.Background(), limits[at], time.Now())
	if err != nil {
		g.t.Fatal(err)
	}
	return used
}

// wantSettled fails unless nothing is reserved any more and so much is spent.
func (g *gateway) wantSettled(spent int64) {
	g.t.Helper()
	synctest.Wait()
	if live := g.Limits.Live(); live != 0 {
		g.t.Errorf("%d reservations are left", live)
	}
	if got := g.spent(); got != spent {
		g.t.Errorf("%d nanodollars are spent, want %d", got, spent)
	}
}

const (
	answerCost = 50_000   // nanodollars, of costOf10And4
	promptCost = 8 * 1000 // of "hello" and what is around it, counted
)

// However an attempt ends, what was reserved is settled to what it came to.
func TestEveryEndSettlesItsLimits(t *testing.T) {
	for name, test := range map[string]struct {
		play  func(*gateway)
		spent int64
	}{
		"a whole answer": {func(g *gateway) {
			e, _ := g.asked("1", boundedOf)
			e.replies("200", viaUpstream, "content-type", "application/json")
			e.sends(wholeAnswer, true)
			e.begins()
			e.rest()
		}, answerCost},
		"a stream": {func(g *gateway) {
			e, _ := g.asked("1", streamOf)
			e.streams()
			e.sends(role+token+stop+counted+done, true)
			e.begins()
			e.rest()
		}, answerCost},
		"refused by the provider": {func(g *gateway) {
			e, _ := g.asked("1", boundedOf)
			e.replies("400", viaUpstream)
			e.sends("{}", true)
			e.refused()
		}, 0},
		"hung up before the answer": {func(g *gateway) {
			e, _ := g.asked("1", boundedOf)
			e.hangUp()
			elapse(rememberFor)
		}, promptCost},
		"hung up in the middle of it": {func(g *gateway) {
			e, _ := g.asked("1", streamOf)
			e.streams()
			e.sends(role+token, false)
			e.begins()
			e.piece()
			e.hangUp()
		}, promptCost + 1*10_000}, // an estimate
		"a panic": {func(g *gateway) {
			g.Providers = map[string]dialect.Provider{openai.Name: faulty{}}
			e := g.attempt("1")
			e.asks(boundedOf, true)
			e.refused()
		}, 0},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				g := newGateway(t, onlyA, bounding, limited(&configpb.Limits{Budget: "1", Tokens: 100_000, Concurrency: 1}))
				test.play(g)
				g.wantSettled(test.spent)
			})
		})
	}
}

// bounding gives the endpoints a bound on their answers.
func bounding(cfg *configpb.Config, _ *Policy) {
	for _, endpoint := range cfg.Models["m/x"].Endpoints {
		endpoint.MaxCompletionTokens = 1000
	}
}

// A client's next request does not find its last one under way.
func TestPlaceIsFreeBeforeTheEndOfTheAnswer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGateway(t, onlyA, bounding, limited(&configpb.Limits{Concurrency: 1, Budget: "0.0105"}))
		e, _ := g.asked("1", streamOf)
		e.streams()
		e.sends(role+token+stop+counted+done, false) // the provider does not close
		e.begins()
		for said := ""; !strings.Contains(said, "[DONE]"); {
			said, _ = e.piece()
		}
		next, _ := g.askedAs("next", "1", streamOf)
		e.rest()
		next.hangUp()
	})
}

// A silent end frees the place after a second, since another attempt would come sooner.
func TestSilentEndFreesThePlaceSoon(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGateway(t, bounding, limited(&configpb.Limits{Concurrency: 1}))
		e, _ := g.asked("1", boundedOf)
		e.hangUp()
		others := 0
		other := func() *envoy {
			others++
			e := g.attempt("1", "x-request-id", fmt.Sprint("other ", others))
			e.asks(boundedOf, true)
			return e
		}
		if got := other().refused(); got.status != 429 || got.set["retry-after"] != "1" {
			t.Errorf("%d %v", got.status, got.set)
		}
		elapse(freeAfter)
		e = other()
		e.forwarded()
		e.hangUp()

		// Of a request that goes on, the place stays taken.
		elapse(freeAfter)
		e, _ = g.askedAs("again", "1", boundedOf)
		e.hangUp()
		e, _ = g.askedAs("again", "2", boundedOf)
		elapse(2 * freeAfter)
		if got := other().refused(); got.status != 429 {
			t.Errorf("beside the second attempt: %d", got.status)
		}
		e.hangUp()
	})
}

// Known failure 12: the reservation is of the dearest candidate.
func TestDearestCandidateIsReserved(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGateway(t, bounding, limited(&configpb.Limits{Budget: "0.0100"}), func(cfg *configpb.Config, _ *Policy) {
			cfg.Models["m/x"].Endpoints[0].Prices = &configpb.Prices{Prompt: "0"}
			cfg.Models["m/x"].Endpoints[1].Prices = &configpb.Prices{Completion: "200"} // 100 tokens are two cents
		})
		e := g.attempt("1")
		e.asks(boundedOf, true)
		if got := e.refused(); got.status != 402 || !strings.Contains(got.error.Message, "up to 100 tokens, but can only afford 50.") {
			t.Errorf("%d %s", got.status, got.body)
		}
	})
}

// What requests under way hold is free again when they are over: fewer tokens are not asked
// for, though some would fit now.
func TestBudgetHeldByOthersIsTriedAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGateway(t, onlyA, bounding, limited(&configpb.Limits{Budget: "0.0015"}))
		first, _ := g.asked("1", boundedOf)
		second := g.attempt("1", "x-request-id", "second")
		second.asks(boundedOf, true)
		got := second.refused()
		if got.status != 402 || got.set["retry-after"] != "1" || got.error.Metadata["reason"] != "in_flight_budget_exhausted" || got.error.Metadata["limit_source"] != sourceInFlight {
			t.Errorf("%d %v %s", got.status, got.set, got.body)
		}
		first.hangUp()
	})
}

// A budget is the key's only if it is: OpenRouter has no name for those of end users.
func TestLimitSourceIsOfTheBudgetThatRefuses(t *testing.T) {
	for name, test := range map[string]struct {
		limits *configpb.Limits
		want   any
	}{
		"the key's":      {&configpb.Limits{Budget: "0.0005"}, sourceKey},
		"the end user's": {&configpb.Limits{PerUser: &configpb.Limits{Budget: "0.0005"}}, nil},
	} {
		synctest.Test(t, func(t *testing.T) {
			g := newGateway(t, onlyA, bounding, limited(test.limits))
			e := g.attempt("1")
			e.asks(`{"user":"ada",`+boundedOf[1:], true)
			if got := e.refused(); got.status != 402 || got.error.Metadata["limit_source"] != test.want {
				t.Errorf("%s: %d %s", name, got.status, got.body)
			}
		})
	}
}

// billsFailures has so many attempts fail over with an empty answer whose prompt is billed.
func (g *gateway) billsFailures(attempts int) {
	g.t.Helper()
	for number := range attempts {
		e, _ := g.asked(strconv.Itoa(number+1), boundedOf)
		e.replies("200", viaUpstream, "content-type", "application/json")
		e.sends(`{"choices":[{"index":0,"message":{"role":"assistant","content":""},"finish_reason":"stop"}],"usage":{"prompt_tokens":130,"completion_tokens":0}}`, true)
		if got := e.refused(); got.set[headerFailover] == "" {
			g.t.Fatalf("an empty answer is not failed over: %s", got.body)
		}
	}
}

// attemptsAfter makes the attempt behind billsFailures, which the budget admits or refuses,
// and holds what all of them come to.
func (g *gateway) attemptsAfter(failures int, budget string, fits bool) {
	g.t.Helper()
	spent := int64(failures) * 130_000
	next := g.attempt(strconv.Itoa(failures + 1))
	next.asks(boundedOf, true)
	if fits {
		next.forwarded()
		next.hangUp()
		elapse(rememberFor)
		spent += promptCost
	} else if got := next.refused(); got.status != 402 {
		g.t.Errorf("$%s: %d %s", budget, got.status, got.body)
	}
	g.wantSettled(spent)
}

// What a failed attempt was billed comes beside what the next one may: it is reserved
// too, or the next one is not made.
func TestBilledFailureIsReservedBeforeTheNextAttempt(t *testing.T) {
	for budget, fits := range map[string]bool{"0.0013": false, "0.0014": true} {
		synctest.Test(t, func(t *testing.T) {
			g := newGateway(t, bounding, limited(&configpb.Limits{Budget: budget}))
			if mostDollars > 0.0013 {
				t.Fatalf("one attempt may cost $%v already", mostDollars)
			}
			g.billsFailures(1)
			g.attemptsAfter(1, budget, fits)
		})
	}
}

// What is reserved for a failed attempt stays so: the one after the next needs it no second
// time.
func TestEachBilledFailureIsReservedOnce(t *testing.T) {
	three := func(cfg *configpb.Config, _ *Policy) {
		cfg.Providers["b"].Dialect = configpb.Dialect_DIALECT_OPENAI
		cfg.Providers["c"] = &configpb.Provider{Dialect: configpb.Dialect_DIALECT_OPENAI, BaseUrl: "https://c.example/v1"}
		endpoints := &cfg.Models["m/x"].Endpoints
		*endpoints = append(*endpoints, &configpb.Endpoint{Provider: "c", Prices: (*endpoints)[0].Prices})
	}
	for budget, fits := range map[string]bool{"0.00146": false, "0.00147": true} { // two failures at 0.00013, and the last attempt
		synctest.Test(t, func(t *testing.T) {
			if most := mostDollars + 2*0.00013; most < 0.00146 || most > 0.00147 {
				t.Fatalf("all attempts may cost $%v", most)
			}
			g := newGateway(t, three, bounding, limited(&configpb.Limits{Budget: budget}))
			g.billsFailures(2)
			g.attemptsAfter(2, budget, fits)
		})
	}
}

// Requests that are raced may all be billed.
func TestHedgesAreReserved(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		raced := func(_ *configpb.Config, policy *Policy) { policy.HedgeAfter, policy.Hedging = time.Second, true }
		g := newGateway(t, bounding, raced, limited(&configpb.Limits{Tokens: 2*mostTokens - 1}))
		e := g.attempt("1")
		e.asks(boundedOf, true)
		if got := e.refused(); got.status != 400 || got.error.Metadata["error_type"] != "token_limit_exceeded" {
			t.Errorf("%d %s", got.status, got.body)
		}
		g = newGateway(t, bounding, limited(&configpb.Limits{Tokens: mostTokens}))
		e, _ = g.asked("1", boundedOf)
		e.hangUp()
	})
}

// A provider at its limit is passed over; when no candidate is left, the client is told
// when to come again.
func TestCandidatesAtTheirLimitArePassedOver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGateway(t, bounding, limited(&configpb.Limits{}), func(cfg *configpb.Config, policy *Policy) {
			cfg.Providers["a"].Limits = &configpb.Limits{Concurrency: 1}
			cfg.Providers["b"].Limits = &configpb.Limits{Requests: 1}
			var err error
			if policy.Limits, err = quota.NewRules(cfg); err != nil {
				t.Fatal(err)
			}
		})
		first, up := g.asked("1", boundedOf)
		second, other := g.askedAs("2", "1", boundedOf)
		if up.set[":authority"] != "a.example" || other.set[":authority"] != "b.example:8443" {
			t.Errorf("asked at %s and %s", up.set[":authority"], other.set[":authority"])
		}
		third := g.attempt("1", "x-request-id", "3")
		third.asks(boundedOf, true)
		got := third.refused()
		if got.status != 429 || got.set["retry-after"] != "1" || !strings.Contains(got.body, `"capacity_exhausted"`) || !strings.Contains(got.body, "b: The provider is at its limit of 1 requests in any 10s.") {
			t.Errorf("%d %v %s", got.status, got.set, got.body)
		}
		g.wantCount(1, "limit_denials_total", "provider", "requests")
		g.wantCount(2, "limit_denials_total", "provider", "concurrency")
		first.hangUp()
		second.hangUp()
		again, up := g.askedAs("4", "1", boundedOf)
		if up.set[":authority"] != "a.example" {
			t.Errorf("when a is free again, %s is asked", up.set[":authority"])
		}
		again.hangUp()
	})
}

// No estimate of a real request is below what providers count.
func TestEstimateIsAnUpperBound(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGateway(t, bounding, limited(&configpb.Limits{Budget: "1", BudgetReset: configpb.BudgetReset_BUDGET_RESET_DAILY}))
		key, err := g.Policy().Keys.Named("team")
		if err != nil || key.Budget.Reset != identity.ResetDaily {
			t.Fatalf("%+v, %v", key, err)
		}
		e := g.attempt("1")
		e.asks(`{"model":"m/x","n":3,"max_tokens":500000,"messages":[{"role":"user","content":"hello"}]}`, true)
		// No endpoint answers with more than 1000 tokens.
		if got := e.refused(); got.status != 404 {
			t.Errorf("%d %s", got.status, got.body)
		}
		e = g.attempt("1")
		e.asks(strings.Replace(streamOf, `"stream"`, `"n":128,"stream"`, 1), true)
		if got := e.refused(); got.status != 402 || !strings.Contains(got.error.Message, "up to 1000 tokens, but can only afford 781.") {
			t.Errorf("128 answers of 1000 tokens at $10 per million: %d %s", got.status, got.body)
		}
	})
}

func TestRow181WorkspaceBudgetIsToldInTheWordsThatClientsKnow(t *testing.T) {
	limit := quota.Limit{Scope: quota.KindWorkspace + ":w", Measure: quota.Money, Most: 12_500_000_000, Reset: identity.ResetMonthly}
	for want, denial := range map[string]quota.Denial{
		"Workspace monthly budget of $12.50 exceeded. Contact your org admin. The budget begins anew at 2026-12-01T00:00:00Z.": {
			Claim: quota.Claim{Limit: limit}, ResetAt: time.Date(2026, 12, 1, 0, 0, 0, 0, time.UTC),
		},
		"Workspace monthly budget of $12.50 exceeded. Contact your org admin.": {Claim: quota.Claim{Limit: limit}},
	} {
		told := (&attempt{}).exhaustedBudget(&denial, &dialect.Error{Status: 402})
		if told.Message != want || told.Status != 403 {
			t.Errorf("%d %s", told.Status, told.Message)
		}
	}
}

// A search costs what it costs in whichever words a client asks for it: what it may come
// to is reserved, not only what the plugin's would.
func TestSearchesAreReservedHoweverTheyAreAskedFor(t *testing.T) {
	priced := func(cfg *configpb.Config, _ *Policy) {
		for _, endpoint := range cfg.Models["m/x"].Endpoints {
			endpoint.Prices.WebSearch, endpoint.ContextLength = "0.03", 2000
		}
	}
	onlyB := func(cfg *configpb.Config, _ *Policy) {
		cfg.Models["m/x"].Endpoints = cfg.Models["m/x"].Endpoints[1:]
	}
	const rest = `"model":"m/x","max_tokens":100,"messages":[{"role":"user","content":"hello"}]}`
	for _, test := range []struct {
		name   string
		client dialect.Client
		only   func(*configpb.Config, *Policy)
		body   string
		most   float64 // dollars, besides 2000 tokens of the prompt and 100 of the answer
	}{
		{"plugin", openai.Client{}, onlyA, `{"plugins":[{"id":"web"}],` + rest, 0.30},
		{"options", openai.Client{}, onlyA, `{"web_search_options":{},` + rest, 0.30},
		{"tool", anthropic.Client{}, onlyB, `{"tools":[{"type":"web_search_20250305","name":"web_search"}],` + rest, 0.30},
		{"tool with a bound", anthropic.Client{}, onlyB, `{"tools":[{"type":"web_search_20250305","name":"web_search","max_uses":50}],` + rest, 1.50},
		{"fetch", anthropic.Client{}, onlyB, `{"tools":[{"type":"web_fetch_20250910","name":"web_fetch"}],` + rest, 0},
	} {
		for budget, fits := range map[float64]bool{test.most + 0.0029: false, test.most + 0.0031: true} {
			synctest.Test(t, func(t *testing.T) {
				g := newGateway(t, bounding, test.only, priced, limited(&configpb.Limits{Budget: strconv.FormatFloat(budget, 'f', 4, 64)}))
				g.Clients = dialect.Clients{path: test.client}
				e := g.attempt("1")
				e.asks(test.body, true)
				if fits {
					e.forwarded()
					e.hangUp()
				} else if got := (<-e.answers).GetImmediateResponse(); got.GetStatus().GetCode() != 402 {
					t.Errorf("%s for $%.4f: %v", test.name, budget, got)
				}
			})
		}
	}
}

// What nothing bounds takes all of a provider's budget, as it does of its tokens: by
// itself, or not at all.
func TestAnUnboundedAnswerTakesAllOfAProvidersBudget(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGateway(t, onlyA, limited(&configpb.Limits{}), func(cfg *configpb.Config, policy *Policy) {
			cfg.Providers["a"].Limits = &configpb.Limits{Budget: "0.05"}
			var err error
			if policy.Limits, err = quota.NewRules(cfg); err != nil {
				t.Fatal(err)
			}
		})
		first, _ := g.asked("1", wholeOf)
		for i := range 3 {
			next := g.attempt("1", "x-request-id", strconv.Itoa(i))
			next.asks(wholeOf, true)
			got := next.refused()
			if got.status != 429 || !strings.Contains(got.body, "The provider is at its limit of $0.05. Nothing bounds the answer of m/x|a") || !strings.Contains(got.body, "Set max_tokens") {
				t.Errorf("beside an answer that nothing bounds: %d %s", got.status, got.body)
			}
		}
		first.hangUp()
		bounded, _ := g.askedAs("bounded", "1", boundedOf)
		bounded.hangUp()
	})
}

// Nobody knows how many tokens a file is, or what is found. Where the catalog does not know
// how much the model can read either, nothing can be reserved that would be enough.
func TestAPromptThatNothingBoundsIsRefusedUnderALimit(t *testing.T) {
	const (
		file   = `{"model":"m/x","max_tokens":100,"messages":[{"role":"user","content":[{"type":"file","file":{"filename":"a.pdf","file_data":"https://example.com/a.pdf"}}]}]}`
		sound  = `{"model":"m/x","max_tokens":100,"messages":[{"role":"user","content":[{"type":"input_audio","input_audio":{"data":"AAAA","format":"wav"}}]}]}`
		search = `{"model":"m/x","max_tokens":100,"web_search_options":{},"messages":[{"role":"user","content":"hello"}]}`
		image  = `{"model":"m/x","max_tokens":100,"messages":[{"role":"user","content":[{"type":"image_url","image_url":{"url":"https://example.com/a.png"}}]}]}`
	)
	reads := func(cfg *configpb.Config, _ *Policy) {
		cfg.Models["m/x"].InputModalities = []string{"text", "image", "file", "audio"}
	}
	free := func(cfg *configpb.Config, _ *Policy) { cfg.Models["m/x"].Endpoints[0].Prices = nil }
	for _, test := range []struct {
		name, body string
		limits     *configpb.Limits
		change     func(*configpb.Config, *Policy)
		refused    string // what it is told of; "" if it is forwarded
	}{
		{"file", file, &configpb.Limits{Budget: "1"}, reads, "the request's input of kind file"},
		{"sound, and tokens", sound, &configpb.Limits{Tokens: 1_000_000}, reads, "the request's input of kind audio"},
		{"search", search, &configpb.Limits{Budget: "1"}, reads, "what its tools find"},
		{"image", image, &configpb.Limits{Budget: "1"}, reads, ""},
		{"with a context", file, &configpb.Limits{Budget: "1"}, reading(2000), ""},
		{"no limit of what it takes", file, &configpb.Limits{Requests: 1}, reads, ""},
		{"free", file, &configpb.Limits{Budget: "1"}, free, ""},
		{"free, and tokens", file, &configpb.Limits{Tokens: 1_000_000}, free, "the request's input of kind file"},
	} {
		synctest.Test(t, func(t *testing.T) {
			g := newGateway(t, onlyA, bounding, limited(test.limits), reads, test.change)
			e := g.attempt("1")
			e.asks(test.body, true)
			if test.refused == "" {
				e.forwarded()
				e.hangUp()
				return
			}
			got := e.refused()
			if got.status != 400 || !strings.Contains(got.error.Message, test.refused) || !strings.Contains(got.error.Message, "m/x|a") || !strings.Contains(got.error.Message, "context_length") {
				t.Errorf("%s: %d %s", test.name, got.status, got.body)
			}
		})
	}
}

// A retry that another replica takes, or a gateway that was started since, is no other
// request. But what it comes to is spent here, and settled by nobody else.
func TestWhatAnotherReplicaSawFirstIsReservedAnew(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGateway(t, bounding, limited(&configpb.Limits{Requests: 1, Concurrency: 1, Budget: "0.0015"}))
		first, _ := g.asked("1", boundedOf) // takes the one request, and place
		second, _ := g.askedAs("elsewhere", "2", strings.Replace(boundedOf, "100", "5", 1))
		third := g.attempt("3", "x-request-id", "unseen")
		third.asks(boundedOf, true)
		if got := third.refused(); got.status != 402 {
			t.Errorf("beyond the budget: %d %s", got.status, got.body)
		}
		first.hangUp()
		second.hangUp()
		elapse(rememberFor)
		g.wantSettled(2 * promptCost)
	})
}

// Row 166 and what goes with it: the advice that a client gets is such that following it
// helps, and its numbers are of what counts for the limit.
func TestRow166AdviceOfAnOverrunBudgetIsTrue(t *testing.T) {
	searched := func(cfg *configpb.Config, _ *Policy) {
		cfg.Models["m/x"].Endpoints[0].Prices.WebSearch, cfg.Models["m/x"].Endpoints[0].ContextLength = "0.03", 128_000
	}
	own := func(g *gateway) { g.own(byok.Key{ID: "k", Provider: "a", Exclusive: true}) }
	long := `{"model":"m/x","max_tokens":100,"messages":[{"role":"user","content":"` + strings.Repeat("a", 10_000) + `"}]}`
	for _, test := range []struct {
		name, body, budget string
		include            bool // what the client's own key is billed counts
		change             func(*configpb.Config, *Policy)
		given              func(*gateway)
		want               string
	}{
		{"a search", `{"plugins":[{"id":"web"}],` + boundedOf[1:], "0.01", false, searched, nil,
			"This request may cost $0.429, as its files, sounds or searches may be all that the model can read, and $0.01 is left of the budget."},
		{"a search that is paid for", `{"plugins":[{"id":"web"}],` + boundedOf[1:], "0.4285", false, searched, nil,
			"You requested up to 100 tokens, but can only afford 50."},
		{"a long prompt", long, "0.001", false, bounding, nil, "Prompt tokens limit exceeded: 10202 > 1000"},
		{"an answer", boundedOf, "0.0005", false, bounding, nil, "You requested up to 100 tokens, but can only afford 29."},
		{"an answer with a key of one's own", boundedOf, "0.00005", false, bounding, own, "You requested up to 100 tokens, but can only afford 79."},
		{"which is counted", boundedOf, "0.0005", true, bounding, own, "You requested up to 100 tokens, but can only afford 26."},
		{"a long prompt with a key of one's own", long, "0.0001", false, bounding, own, "Prompt tokens limit exceeded: 10202 > 2000"},
	} {
		synctest.Test(t, func(t *testing.T) {
			g := newGateway(t, onlyA, bounding, limited(&configpb.Limits{Budget: test.budget}), test.change)
			if test.given != nil {
				test.given(g)
			}
			key, err := g.Policy().Keys.Named("team")
			if err != nil {
				t.Fatal(err)
			}
			key.Budget.IncludeBYOK = test.include
			e := g.attempt("1")
			e.asks(test.body, true)
			if got := e.refused(); got.status != 402 || !strings.Contains(got.error.Message, test.want) {
				t.Errorf("%s: %d %s, want %q", test.name, got.status, got.body, test.want)
			}
		})
	}
}
