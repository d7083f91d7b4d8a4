package extproc

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/switchyard/switchyard/policies/config/configpb"
	"github.com/switchyard/switchyard/policies/quota"
)

// free serves m/x:free beside m/x, both by a, to so many requests; zero is no limit.
func free(perMinute, perDay uint32) func(*configpb.Config, *Policy) {
	return func(cfg *configpb.Config, policy *Policy) {
		onlyA(cfg, policy)
		cfg.Keys[0].Limits = &configpb.Limits{Unlimited: true}
		cfg.Models["m/x:free"] = &configpb.Model{Endpoints: []*configpb.Endpoint{{Provider: "a", Model: "x-free"}}}
		cfg.FreeLimits = &configpb.FreeLimits{RequestsPerMinute: perMinute, RequestsPerDay: perDay}
		var err error
		if policy.Limits, err = quota.NewRules(cfg); err != nil {
			panic(err) // of the test's own configuration
		}
	}
}

const freeOf = `{"model":"m/x:free","messages":[{"role":"user","content":"hello"}]}`

// served is the model that the provider was asked for, and answered.
func (g *gateway) served(id, body string) string {
	e := g.attempt("1", "x-request-id", id)
	e.asks(body, true)
	upstream := e.forwarded()
	e.replies("200", viaUpstream, "content-type", "application/json")
	e.sends(wholeAnswer, true)
	e.begins()
	e.rest()
	var asked struct{ Model string }
	if err := json.Unmarshal([]byte(upstream.body), &asked); err != nil {
		g.t.Fatal(err)
	}
	return asked.Model
}

func TestRows74And75FreeModelsAreLimited(t *testing.T) {
	for _, test := range []struct {
		name              string
		perMinute, perDay uint32
		message, source   string
		wait              time.Duration // from the third request on
	}{
		{"a minute", 2, 0, "Rate limit exceeded: free-models-per-min", "openrouter_free_models_per_min", 50 * time.Second},
		{"a day", 0, 2, "Rate limit exceeded: free-models-per-day", "openrouter_free_tier_daily", 0},
		{"both", 2, 3, "Rate limit exceeded: free-models-per-min", "openrouter_free_models_per_min", 50 * time.Second},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				g := newGateway(t, free(test.perMinute, test.perDay))
				g.served("one", freeOf)
				time.Sleep(10 * time.Second)
				g.served("two", freeOf)
				wait := test.wait
				if wait == 0 {
					wait = time.Until(time.Now().UTC().Truncate(24 * time.Hour).Add(24 * time.Hour))
				}
				e := g.attempt("1", "x-request-id", "three")
				e.asks(freeOf, true)
				got := e.refused()
				var told struct {
					Error struct {
						Message  string
						Metadata struct {
							Source  string `json:"limit_source"`
							Headers map[string]string
						}
					}
				}
				if err := json.Unmarshal([]byte(got.body), &told); err != nil {
					t.Fatal(err)
				}
				headers := told.Error.Metadata.Headers
				reset := time.Now().Add(wait)
				if test.wait > 0 {
					reset = time.Now().Add(time.Minute) // when the second one goes
				}
				if got.status != 429 || told.Error.Message != test.message || told.Error.Metadata.Source != test.source ||
					headers["X-RateLimit-Limit"] != "2" || headers["X-RateLimit-Remaining"] != "0" {
					t.Errorf("%d %s", got.status, got.body)
				}
				if at, err := strconv.ParseInt(headers["X-RateLimit-Reset"], 10, 64); err != nil || reset.Sub(time.UnixMilli(at)).Abs() > 10*time.Millisecond {
					t.Errorf("reset at %q, want %d", headers["X-RateLimit-Reset"], reset.UnixMilli())
				}
				for name, want := range headers {
					if got.set[strings.ToLower(name)] != want {
						t.Errorf("the header %s is %q, want %q", name, got.set[strings.ToLower(name)], want)
					}
				}
				after, err := strconv.Atoi(headers["Retry-After"])
				if err != nil || time.Duration(after)*time.Second < wait || time.Duration(after)*time.Second >= wait+time.Second {
					t.Errorf("try again after %q, want %v", headers["Retry-After"], wait)
				}
				// The paid model is not limited, also as a fallback.
				g.served("paid", strings.Replace(freeOf, ":free", "", 1))
				if asked := g.served("fallback", strings.Replace(freeOf, `"model"`, `"models":["m/x"],"model"`, 1)); asked != "x-large" {
					t.Errorf("%s is asked, want the paid model", asked)
				}
				time.Sleep(time.Duration(after) * time.Second)
				if asked := g.served("later", freeOf); asked != "x-free" {
					t.Errorf("%s is asked after the wait", asked)
				}
				if test.name == "both" {
					e := g.attempt("1", "x-request-id", "fourth")
					e.asks(freeOf, true)
					if got := e.refused(); !strings.Contains(got.body, "free-models-per-") {
						t.Errorf("the fourth of the day: %s", got.body)
					}
				}
			})
		})
	}
}

// Row 76, and the default: a free model is the provider's to limit.
func TestFreeModelsAreNotLimitedByDefault(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGateway(t, free(0, 0))
		for i := range 60 {
			g.served(fmt.Sprint(i), freeOf)
		}
	})
}
