package e2e

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/switchyard/switchyard/e2e/provider"
)

// Once a token is out, no other provider can go on (known-failures 26).
func TestRow62NoFallbackAfterTheFirstToken(t *testing.T) {
	r := newRouting(t)
	r.start()
	for _, end := range []provider.Ending{provider.EndClean, provider.EndError, provider.EndMalformed} {
		r.quiet()
		r.a.Enqueue(provider.Stream{Answer: provider.Answer{Text: "one two"}, Pieces: 1, Pace: apart, End: end})
		gathered := r.ask(streamed("m/x", `"provider":{"order":["a"]}`)).transcript(t)
		if gathered.text != "one" || gathered.finish != "error" || len(gathered.errors) != 1 {
			t.Errorf("ending %d: text %q, finish %q, errors %v", end, gathered.text, gathered.finish, gathered.errors)
		}
		if asked := r.asked(); asked != "a" {
			t.Errorf("ending %d: asked %q", end, asked)
		}
	}
}

// The answer of a fallback model names that model and costs what it costs.
func TestRow64FallbackModelsPrice(t *testing.T) {
	r := newRouting(t)
	r.offer("m/down", r.a.endpoint("1", "1"))
	r.offer("m/y", r.b.endpoint("10", "100"))
	r.start()
	for name, body := range map[string]string{
		"row 64: models":           strings.Replace(question("m/down"), `"model":"m/down"`, `"models":["m/down","m/y"]`, 1),
		"row 65: model and models": question("m/down", `"models":["m/y"]`),
	} {
		r.quiet(r.a)
		got := r.ask(body).decode(t)
		if got.Model != "m/y" || got.Usage == nil || got.Usage.Cost == nil || !near(*got.Usage.Cost, 11*10e-6+7*100e-6) {
			t.Errorf("%s: model %q, usage %+v", name, got.Model, got.Usage)
		}
		if asked := r.asked(); asked != "a b" {
			t.Errorf("%s: asked %q", name, asked)
		}
	}
}

// A prompt that is too long for a model goes to the next one, whether the catalog
// or the provider says so.
func TestRow67ContextFallback(t *testing.T) {
	r := newRouting(t)
	r.offer("m/small", r.a.endpoint("1", "1", settings{"context_length": 100}))
	r.offer("m/large", r.b.endpoint("2", "2", settings{"context_length": 100000}))
	r.start()
	long := strings.Replace(question("m/small", `"models":["m/large"]`), `"hi"`, `"`+strings.Repeat("word ", 2000)+`"`, 1)
	if got := r.ask(long); got.status != 200 || got.decode(t).Model != "m/large" || r.asked() != "b" {
		t.Errorf("the catalog's bound: asked %q, status %d: %s", r.asked(), got.status, got.body)
	}
	r.quiet()
	r.a.Enqueue(provider.Failure{Status: 400, Code: "context_length_exceeded", Message: "Your messages resulted in 101 tokens."})
	if got := r.ask(question("m/small", `"models":["m/large"]`)); got.status != 200 || got.decode(t).Model != "m/large" {
		t.Errorf("the provider's bound: status %d: %s", got.status, got.body)
	}
}

// tiered is a provider that sells one model at three tiers.
func tiered(t *testing.T) *routing {
	t.Helper()
	r := newRouting(t)
	r.offer("m/tiered",
		r.a.endpoint("2", "2"),
		r.a.endpoint("1", "1", settings{"service_tier": "flex"}),
		r.a.endpoint("4", "4", settings{"service_tier": "priority"}),
	)
	r.start()
	return r
}

// tiers are those that the provider was asked for, in order; "" is its default.
func (at *site) tiers() []string {
	var all []string
	for _, exchange := range at.Exchanges() {
		tier, _ := exchange.JSON["service_tier"].(string)
		all = append(all, tier)
	}
	return all
}

func TestServiceTiers(t *testing.T) {
	r := tiered(t)
	for _, test := range []struct {
		name, model, member string
		full                string // the tier without capacity, "none" for no such tier
		status              int
		tiers               []string // that the provider is asked for
		served              string
		price               float64 // dollars per million tokens
	}{
		{"no tier", "m/tiered", "", "none", 200, []string{""}, "default", 2},
		{"no tier, no other tier steps in", "m/tiered", "", "", 429, []string{""}, "", 0},
		{"row 131: flex", "m/tiered", `"service_tier":"flex"`, "none", 200, []string{"flex"}, "flex", 1},
		{"row 131: flex is full", "m/tiered", `"service_tier":"flex"`, "flex", 429, []string{"flex"}, "", 0},
		{"row 132: priority", "m/tiered", `"service_tier":"priority"`, "none", 200, []string{"priority"}, "priority", 4},
		{"row 132: priority is full", "m/tiered", `"service_tier":"priority"`, "priority", 200, []string{"priority", ""}, "default", 2},
		{"row 133: fast", "m/tiered", `"service_tier":"fast"`, "none", 200, []string{"priority"}, "priority", 4},
		{"row 72: floor", "m/tiered:floor", "", "none", 200, []string{"flex"}, "flex", 1},
		{"row 72: floor goes up", "m/tiered:floor", "", "flex", 200, []string{"flex", ""}, "default", 2},
	} {
		t.Run(test.name, func(t *testing.T) {
			r.quiet()
			r.a.Default(provider.NoCapacity{Tier: test.full})
			body := question(test.model)
			if test.member != "" {
				body = question(test.model, test.member)
			}
			got := r.ask(body)
			decoded := got.decode(t)
			if got.status != test.status || decoded.ServiceTier != test.served {
				t.Errorf("status %d, tier %q, want %d, %q: %s", got.status, decoded.ServiceTier, test.status, test.served, got.body)
			}
			if tiers := r.a.tiers(); !slices.Equal(tiers, test.tiers) {
				t.Errorf("asked for the tiers %q, want %q", tiers, test.tiers)
			}
			if test.status == 200 && (decoded.Usage == nil || !near(*decoded.Usage.Cost, (11+7)*test.price*1e-6)) {
				t.Errorf("usage %+v, want $%v per million tokens", decoded.Usage, test.price)
			}
		})
	}
}

// ":nitro" admits the endpoints of the priority tier; without statistics of their
// speed it does not matter in which order they come.
func TestRow71NitroAdmitsPriority(t *testing.T) {
	r := tiered(t)
	r.a.Default(provider.NoCapacity{Tier: ""})
	got := r.ask(question("m/tiered:nitro"))
	if decoded := got.decode(t); got.status != 200 || decoded.ServiceTier != "priority" || decoded.Model != "m/tiered" {
		t.Errorf("status %d: %s", got.status, got.body)
	}
	if slices.Contains(r.a.tiers(), "flex") {
		t.Errorf("asked for the tiers %q", r.a.tiers())
	}
}

func TestRow77FreeVariantEnded(t *testing.T) {
	r := newRouting(t)
	r.start()
	said := r.ask(question("m/x:free")).failed(t, 404)
	if said.Availability.Code != "free_variant_ended" || !slices.Equal(said.Availability.FallbackModels, []string{"m/x"}) {
		t.Errorf("availability %+v", said.Availability)
	}
}

func TestRow79Alias(t *testing.T) {
	r := newRouting(t)
	r.config["aliases"] = settings{"~m/x-latest": "m/x"}
	r.start()
	if got := r.ask(question("~m/x-latest")); got.status != 200 || got.decode(t).Model != "m/x" {
		t.Errorf("status %d: %s", got.status, got.body)
	}
	got := r.do(http.MethodGet, "/api/v1/model/~m/x-latest", "")
	var told struct {
		Data struct {
			Target struct{ Slug string } `json:"alias_target"`
		}
	}
	if err := json.Unmarshal([]byte(got.body), &told); err != nil || told.Data.Target.Slug != "m/x" {
		t.Errorf("status %d, error %v: %s", got.status, err, got.body)
	}
}

func TestRow130AutoRouter(t *testing.T) {
	r := newRouting(t)
	r.offer("n/y", r.b.endpoint("1", "1"))
	r.start()
	restricted := func(patterns string) string {
		return question("openrouter/auto", `"plugins":[{"id":"auto-router","allowed_models":[`+patterns+`]}]`)
	}
	for range 10 {
		if got := r.ask(restricted(`"m/*"`)); got.status != 200 || got.decode(t).Model != "m/x" {
			t.Fatalf("status %d: %s", got.status, got.body)
		}
	}
	said := r.ask(restricted(`"zzz/*"`)).failed(t, 404)
	if !strings.Contains(said.Message, "No models match your request and model restrictions") {
		t.Errorf("message %q", said.Message)
	}
}
