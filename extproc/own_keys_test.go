package extproc

import (
	"encoding/json"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/switchyard/switchyard/extproc/signing"
	"github.com/switchyard/switchyard/policies/byok"
	"github.com/switchyard/switchyard/policies/catalog"
	"github.com/switchyard/switchyard/policies/config/configpb"
	"github.com/switchyard/switchyard/policies/identity"
	"github.com/switchyard/switchyard/policies/money"
	"github.com/switchyard/switchyard/policies/quota"
)

// own gives the key of the tests keys of its own, at a fee of 5 percent.
func (g *gateway) own(keys ...byok.Key) {
	g.t.Helper()
	for i := range keys {
		keys[i].Organization = identity.Default
		if _, given := keys[i].Credential.Reveal(); !given {
			keys[i].Credential = catalog.NewCredential("secret-of-" + keys[i].ID)
		}
	}
	policy := g.Policy()
	var err error
	if policy.OwnKeys, err = byok.NewSet(keys, policy.Catalog); err != nil {
		g.t.Fatal(err)
	}
	policy.OwnKeyFee = byok.Tariff{Fee: byok.FeePercent(5)}
}

// answered plays a provider's whole answer and returns the client's.
func (e *envoy) answered() string {
	e.t.Helper()
	e.replies("200", viaUpstream, "content-type", "application/json")
	e.sends(wholeAnswer, true)
	e.begins()
	return e.rest()
}

func TestRow186UsageOfOwnKey(t *testing.T) {
	for name, stream := range map[string]bool{"whole": false, "stream": true} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				g, b := withBooks(t, onlyA)
				g.own(byok.Key{ID: "k", Provider: "a"})
				body := wholeOf
				if stream {
					body = streamOf
				}
				e, sent := g.asked("1", body)
				if sent.set["authorization"] != "Bearer secret-of-k" {
					t.Errorf("asked with %q", sent.set["authorization"])
				}
				var got string
				if stream {
					e.streams()
					e.sends(role+token+stop+counted+done, true)
					e.begins()
					got = e.rest()
				} else {
					got = e.answered()
				}
				// 10 tokens at $1 and 4 at $10 a million, of which 5 percent are the fee.
				for _, member := range []string{`"cost":0.0000025`, `"is_byok":true`, `"upstream_inference_cost":0.00005`} {
					if !strings.Contains(got, member) {
						t.Errorf("no %s in %s", member, got)
					}
				}
				attempt := b.only(t).Attempts[0]
				if attempt.OwnKey != "k" || attempt.Endpoint != "m/x|a" || attempt.Charge.Total != 2_500_000 || attempt.Charge.Upstream != 50_000_000 {
					t.Errorf("%+v", attempt)
				}
				if begun := b.begun[0].Attempts[0]; begun.OwnKey != "k" || begun.Charge.Upstream <= begun.Charge.Total {
					t.Errorf("as it stands if the gateway is killed: %+v", begun)
				}
				if summary := g.Health.Summary("m/x|a", time.Now()); summary.Requests.Last30m != 0 {
					t.Error("counted for the shared endpoint")
				}
			})
		})
	}
}

func TestRefusedOwnKeyLeavesTheSharedEndpointAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g, b := withBooks(t, onlyA)
		g.own(byok.Key{ID: "k", Provider: "a"})
		e, _ := g.asked("1", wholeOf)
		e.replies("401", viaUpstream, "content-type", "application/json")
		e.sends(`{"error":{"message":"no such key secret-of-k"}}`, true)
		if refused := e.refused(); strings.Contains(refused.body, "secret-of-k") || !strings.Contains(refused.body, "your own key") {
			t.Errorf("%s", refused.body)
		}
		e, sent := g.asked("2", wholeOf)
		if sent.set["authorization"] != "Bearer secret-of-a" {
			t.Errorf("then asked with %q", sent.set["authorization"])
		}
		if got := e.answered(); !strings.Contains(got, `"is_byok":false`) || !strings.Contains(got, `"cost":0.00005`) {
			t.Errorf("%s", got)
		}
		if g.Health.Summary("m/x|a", time.Now()).CoolingUntil.After(time.Now()) || !g.Health.Summary("m/x|a|own:k", time.Now()).CoolingUntil.After(time.Now()) {
			t.Error("not the key cools down, but the shared endpoint")
		}
		if attempts := b.only(t).Attempts; attempts[0].OwnKey != "k" || attempts[1].OwnKey != "" {
			t.Errorf("%+v", attempts)
		}
	})
}

func TestRow184ExclusiveKeyThatIsLimited(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGateway(t, onlyA)
		g.own(byok.Key{ID: "k", Provider: "a", Exclusive: true})
		e, _ := g.asked("1", wholeOf)
		e.replies("429", viaUpstream, "content-type", "application/json", "retry-after", "7")
		e.sends(`{"error":{"message":"slow down"}}`, true)
		refused := e.refused()
		if metadata := refused.error.Metadata; refused.status != 429 || metadata["is_byok"] != true || metadata["limit_source"] != "upstream_provider_byok" {
			t.Errorf("%s", refused.body)
		}
	})
}

func TestSharedPoolThatIsLimitedSaysSo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGateway(t, onlyA)
		e, _ := g.asked("1", wholeOf)
		e.replies("429", viaUpstream, "content-type", "application/json")
		e.sends(`{"error":{"message":"slow down"}}`, true)
		if metadata := e.refused().error.Metadata; metadata["is_byok"] != false || metadata["limit_source"] != "upstream_provider_shared_pool" {
			t.Errorf("%v", metadata)
		}
	})
}

func TestRow164OwnKeysCountForALimitIfItSaysSo(t *testing.T) {
	const fee, list = 2_500, answerCost // nanodollars
	for name, test := range map[string]struct {
		include bool
		budget  money.USD
		spent   int64
		refused bool
	}{
		"left out":              {false, money.Dollar, fee, false},
		"counted":               {true, money.Dollar, fee + list, false},
		"left out, for the fee": {false, 100 * money.Dollar / 1e6, fee, false},
		"counted, and too much": {true, 100 * money.Dollar / 1e6, 0, true},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				g := newGateway(t, onlyA, limited(&configpb.Limits{}))
				g.own(byok.Key{ID: "k", Provider: "a", Exclusive: true})
				key, err := g.Policy().Keys.Named("team")
				if err != nil {
					t.Fatal(err)
				}
				key.Budget = identity.Budget{Amount: test.budget, IncludeBYOK: test.include}
				e := g.attempt("1")
				e.asks(boundedOf, true)
				if test.refused {
					if refused := e.refused(); refused.status != 402 {
						t.Errorf("%s", refused.body)
					}
				} else {
					e.forwarded()
					e.answered()
				}
				g.wantSettled(test.spent)
			})
		})
	}
}

// What signs is never sent, whatever became of the key since the request was planned.
func TestKeyThatSignsIsNotSent(t *testing.T) {
	const account = `{"type":"service_account","project_id":"theirs","client_email":"a@b.example","private_key":"SECRET"}`
	synctest.Test(t, func(t *testing.T) {
		g := newGateway(t, onlyA, func(cfg *configpb.Config, _ *Policy) {
			cfg.Providers["a"].BaseUrl = "https://a.example/v1/projects/ours/locations/global"
			cfg.Providers["a"].Authentication = configpb.Authentication_AUTHENTICATION_GOOGLE
		})
		g.own(byok.Key{ID: "k", Provider: "a", Exclusive: true, Credential: catalog.NewCredential(account)})
		g.Policy().OwnSigners = map[string]signing.Signer{} // it was deleted meanwhile
		e := g.attempt("1")
		e.asks(wholeOf, true)
		if refused := e.refused(); refused.status != 502 || strings.Contains(refused.body, "SECRET") {
			t.Errorf("%s", refused.body)
		}
	})
}

func TestMetadataTellsOfOwnKeys(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGateway(t, onlyA)
		g.own(byok.Key{ID: "k", Name: "prod", Provider: "a"})
		e := g.attempt("1", "x-openrouter-metadata", "enabled")
		e.asks(wholeOf, true)
		e.forwarded()
		var got struct {
			Metadata struct {
				IsBYOK bool `json:"is_byok"`
				Plan   struct {
					Candidates []struct{ Endpoint, Reason string }
				}
			} `json:"openrouter_metadata"`
		}
		if err := json.Unmarshal([]byte(e.answered()), &got); err != nil {
			t.Fatal(err)
		}
		if m := got.Metadata; !m.IsBYOK || len(m.Plan.Candidates) != 2 || m.Plan.Candidates[0].Reason != `own key "prod"` || m.Plan.Candidates[0].Endpoint != "m/x|a" {
			t.Errorf("%+v", got)
		}
	})
}

// A provider's limits are about the gateway's account there.
func TestProvidersLimitsLeaveOwnKeysAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGateway(t, onlyA, func(cfg *configpb.Config, policy *Policy) {
			cfg.Providers["a"].Limits = &configpb.Limits{Concurrency: 1}
			var err error
			if policy.Limits, err = quota.NewRules(cfg); err != nil {
				t.Fatal(err)
			}
		})
		g.own(byok.Key{ID: "k", Provider: "a", Exclusive: true})
		for _, id := range []string{"one", "two"} {
			e := g.attempt("1", "x-request-id", id)
			defer e.hangUp()
			e.asks(wholeOf, true)
			if sent := e.forwarded(); sent.set["authorization"] != "Bearer secret-of-k" {
				t.Errorf("%s: asked with %q", id, sent.set["authorization"])
			}
		}
	})
}

// Nothing bounds the answer, and none of it counts for the budget.
func TestAnswerOfOwnKeyNeedsNoBoundIfItCostsNothing(t *testing.T) {
	for fee, refused := range map[float64]bool{0: false, 5: true} {
		synctest.Test(t, func(t *testing.T) {
			g := newGateway(t, onlyA, limited(&configpb.Limits{Budget: "1"}))
			g.own(byok.Key{ID: "k", Provider: "a", Exclusive: true})
			g.Policy().OwnKeyFee.Fee = byok.FeePercent(fee)
			e := g.attempt("1")
			e.asks(wholeOf, true)
			if refused {
				if got := e.refused(); got.status != 400 {
					t.Errorf("%v%%: %s", fee, got.body)
				}
				return
			}
			e.forwarded()
			e.answered()
			g.wantSettled(0)
		})
	}
}
