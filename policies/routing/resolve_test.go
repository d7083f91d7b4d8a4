package routing

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/switchyard/switchyard/policies/config/configpb"
	"github.com/switchyard/switchyard/policies/health"
)

func TestRow14DefaultModel(t *testing.T) {
	plan, err := Build(Request{Now: now}, abc(t), statistics{}, Options{DefaultModel: "m/y"})
	if err != nil || plan.Requested != "m/y" || plan.Candidates[0].Model.ID != "m/y" {
		t.Errorf("%+v, %v", plan, err)
	}
	plan, err = Build(Request{Models: []string{"m/x"}, Now: now}, abc(t), statistics{}, Options{DefaultModel: "m/y"})
	if err != nil || plan.Requested != "m/x" || len(plan.Candidates) != 3 {
		t.Errorf("%+v, %v", plan, err)
	}
}

// tiers is m/x at a in every tier, and at b in the default one.
func tiers(t testing.TB) (*configpb.Model, statistics) {
	t.Helper()
	tier := func(name, price string) *configpb.Endpoint {
		return with(priced("a", price), func(e *configpb.Endpoint) { e.ServiceTier = name })
	}
	fast := func(p50 float64) health.Summary { return health.Summary{Throughput: health.Percentiles{P50: p50}} }
	return &configpb.Model{Endpoints: []*configpb.Endpoint{priced("a", "2"), tier("flex", "1"), tier("priority", "4"), priced("b", "3")}},
		statistics{"m/x|a": fast(10), "m/x|b": fast(20), "m/x|a/priority": fast(30), "m/x|a/flex": fast(5)}
}

func TestRows71To73Variants(t *testing.T) {
	model, view := tiers(t)
	models := yard(t, map[string]*configpb.Model{"m/x": model, "m/x:free": {Endpoints: []*configpb.Endpoint{priced("b", "0")}}}, nil)
	always(t, Request{Model: "m/x:nitro"}, models, view, "a/priority", "b", "a")
	always(t, Request{Model: "m/x:floor"}, models, view, "a/flex", "a", "b")
	always(t, Request{Model: "m/x:exacto"}, models, view, "b", "a")
	if plan := always(t, Request{Model: "m/x:free:online"}, models, view, "m/x:free|b"); !plan.Candidates[0].WebSearch {
		t.Error("no web search")
	}
	if plan := always(t, Request{Model: "m/x:online:nitro"}, models, view, "a/priority", "b", "a"); !plan.Candidates[2].WebSearch {
		t.Error("no web search")
	}
	if plan := always(t, Request{Model: "m/x:floor"}, models, view, "a/flex", "a", "b"); plan.Candidates[0].WebSearch {
		t.Error("web search unasked")
	}
}

func TestRow73WebSearch(t *testing.T) {
	taking := func(provider string, parameters ...string) *configpb.Endpoint {
		return with(priced(provider, "1"), func(e *configpb.Endpoint) { e.SupportedParameters = parameters })
	}
	models := yard(t, map[string]*configpb.Model{
		"m/x": {Created: 2, Endpoints: []*configpb.Endpoint{taking("a", "tools")}},
		"m/y": {Created: 1, Endpoints: []*configpb.Endpoint{taking("a", "tools"), taking("b", "web_search_options"), priced("refusing", "1")}},
	}, map[string]*configpb.Provider{"refusing": {RefusedFields: []string{"web_search_options"}}})
	web := Preferences{Web: true}

	plan := always(t, Request{Models: []string{"m/x", "m/y:online"}}, models, statistics{}, "a", "m/y|b")
	if plan.Candidates[0].WebSearch || !plan.Candidates[1].WebSearch {
		t.Errorf("m/x searches: %t, m/y:online searches: %t", plan.Candidates[0].WebSearch, plan.Candidates[1].WebSearch)
	}
	plan = always(t, Request{Models: []string{"m/x", "m/y"}, Preferences: web}, models, statistics{}, "m/y|b")
	if !plan.Candidates[0].WebSearch {
		t.Error("no web search")
	}
	for _, request := range []Request{{Model: "openrouter/auto:online"}, {Model: "openrouter/auto", Preferences: web}} {
		always(t, request, models, statistics{}, "m/y|b")
	}
	none := refused(t, Request{Model: "m/x:online"}, models, "No endpoints found that can search the web.")
	if none.Status() != 404 || none.Field != "plugins" || none.Dropped[0].Reason.String() != "takes no web_search_options" {
		t.Errorf("%+v", none)
	}
}

func TestRows131To133ServiceTiers(t *testing.T) {
	model, view := tiers(t)
	models := yard(t, map[string]*configpb.Model{"m/x": model, "m/y": {Endpoints: []*configpb.Endpoint{priced("b", "1")}}}, nil)
	always(t, Request{Model: "m/x", ServiceTier: "flex"}, models, view, "a/flex")
	always(t, Request{Model: "m/y", ServiceTier: "flex"}, models, view, "m/y|b")
	for _, name := range []string{"priority", "fast"} {
		request := of(t, `{"sort":"price"}`)
		request.ServiceTier = name
		always(t, request, models, view, "a/priority", "a", "b")
		view := statistics{"m/x|a/priority": {Outage: true}}
		always(t, request, models, view, "a", "b", "a/priority")
	}
	serving(t, Request{Model: "m/x", ServiceTier: "default"}, models, "a", "b")
	serving(t, of(t, `{"order":["a/flex"]}`), models, "a/flex", "a", "b")
}

func TestRows77And78Variants(t *testing.T) {
	for _, id := range []string{"m/x:free", "m/x:free:online"} {
		_, err := Build(Request{Model: id, Now: now}, abc(t), statistics{}, Options{})
		var ended *FreeEndedError
		if !errors.As(err, &ended) || ended.Paid != "m/x" || !strings.HasSuffix(err.Error(), "use this slug instead: m/x") {
			t.Errorf("%s: %v", id, err)
		}
	}
	_, err := Build(Request{Model: "m/x:batch", Now: now}, abc(t), statistics{}, Options{})
	var batch *BatchOnlyError
	if !errors.As(err, &batch) || !strings.Contains(err.Error(), "only available through the Batch API") {
		t.Error(err)
	}
	var unknown *UnknownModelError
	for _, id := range []string{"m/none:free", "m/none:batch", "m/x:turbo", "~m/none-latest"} {
		if _, err := Build(Request{Model: id, Now: now}, abc(t), statistics{}, Options{}); !errors.As(err, &unknown) {
			t.Errorf("%s: %v", id, err)
		}
	}
}

func TestRow79AliasAndStrategy(t *testing.T) {
	for id, strategy := range map[string]string{"m/x": "direct", "~m/x-latest": "latest", "house": "alias", "house:nitro": "alias"} {
		plan, err := Build(Request{Model: id, Now: now}, abc(t), statistics{}, Options{})
		if err != nil || plan.Strategy != strategy || plan.Requested != id || plan.Candidates[0].Model.ID != "m/x" {
			t.Errorf("%s: %q for %q, %v", id, plan.Strategy, plan.Requested, err)
		}
	}
	plan, err := Build(Request{Models: []string{"m/x", "m/y"}, Now: now}, abc(t), statistics{}, Options{})
	if err != nil || plan.Strategy != "fallback" {
		t.Errorf("%q, %v", plan.Strategy, err)
	}
}

func TestNamesOfModelsOnDemandMayHaveColons(t *testing.T) {
	models := models(t)
	for id, want := range map[string]string{"local/qwen:8b": "local/qwen:8b", "local/qwen:8b:online": "local/qwen:8b", "local/qwen:free": "local/qwen:free"} {
		plan, err := Build(Request{Model: id, Now: now}, models, statistics{}, Options{})
		if err != nil || plan.Candidates[0].Model.ID != want {
			t.Errorf("%s: %+v, %v", id, plan.Candidates, err)
		}
	}
}

// aged is a model with one endpoint.
func aged(created int64, endpoint *configpb.Endpoint) *configpb.Model {
	return &configpb.Model{Created: created, Endpoints: []*configpb.Endpoint{endpoint}}
}

func TestRow130AutoRouter(t *testing.T) {
	deaf := with(priced("a", "1"), func(e *configpb.Endpoint) { e.SupportedParameters = []string{"stop"} })
	models := yard(t, map[string]*configpb.Model{
		"m/old": aged(1, priced("a", "1")), "m/mid": aged(2, priced("a", "2")), "m/dear": aged(3, priced("a", "8")),
		"m/deaf": aged(9, deaf), "n/new": aged(5, priced("a", "5")), "n/new:free": aged(6, priced("a", "0")),
	}, nil)
	tests := []struct {
		name, plugin string
		request      Request
		options      Options
		want         []string
	}{
		{name: "newest first", want: []string{"m/deaf", "n/new", "m/dear"}},
		{name: "what can serve", request: Request{Tools: true}, want: []string{"n/new", "m/dear", "m/mid"}},
		{name: "allowed", plugin: `"allowed_models":["m/*"]`, want: []string{"m/deaf", "m/dear", "m/mid"}},
		{name: "excluded wins", plugin: `"allowed_models":["m/*"],"excluded_models":["*de*"]`, want: []string{"m/mid", "m/old"}},
		{name: "the gateway's models", options: Options{AutoModels: []string{"n/*"}}, want: []string{"n/new"}},
		{name: "low", plugin: `"cost_tier":"low"`, want: []string{"m/deaf", "m/old"}},
		{name: "max", plugin: `"cost_tier":"max"`, want: []string{"m/dear"}},
		{name: "pinned model", plugin: `"pin_model":true`, request: Request{LastModel: "m/old"}, want: []string{"m/old", "m/deaf", "n/new"}},
		{name: "pinned conversation", request: Request{Pin: &Pin{Model: "m/mid", EndpointID: "m/mid|a"}}, want: []string{"m/mid", "m/deaf", "n/new"}},
		{name: "pinned model that is not allowed", plugin: `"pin_model":true,"allowed_models":["n/*"]`, request: Request{LastModel: "m/old"}, want: []string{"n/new"}},
		{name: "none", plugin: `"allowed_models":["z/*"]`},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			preferences, err := ParsePreferences(nil, []byte(`[{"id":"auto-router",`+strings.TrimPrefix(test.plugin+`,"x":0}]`, ",")), nil, "")
			if err != nil {
				t.Fatal(err)
			}
			for _, id := range []string{"openrouter/auto", "switchyard/auto", "openrouter/auto-beta"} {
				test.request.Model, test.request.Preferences, test.request.Now = id, preferences, now
				plan, err := Build(test.request, models, statistics{}, test.options)
				if test.want == nil {
					var router *RouterError
					if !errors.As(err, &router) || err.Error() != "No models match your request and model restrictions" {
						t.Errorf("%v, %v", plan.order(), err)
					}
					continue
				}
				if err != nil || plan.Strategy != "auto" {
					t.Fatalf("strategy %q, %v", plan.Strategy, err)
				}
				var got []string
				for _, candidate := range plan.Candidates {
					got = append(got, candidate.Model.ID)
				}
				if diff := cmp.Diff(test.want, got); diff != "" {
					t.Errorf("%s (-want +got):\n%s", id, diff)
				}
			}
		})
	}
}

func TestFreeRouterChoosesEvenly(t *testing.T) {
	configured := map[string]*configpb.Model{"m/paid": aged(1, priced("a", "1"))}
	for i := range 5 {
		configured[fmt.Sprintf("m/f%d", i)] = aged(1, priced("a", "0"))
	}
	configured["m/deaf"] = aged(1, with(priced("a", "0"), func(e *configpb.Endpoint) { e.SupportedParameters = []string{"stop"} }))
	models := yard(t, configured, nil)
	at := map[string][3]int{}
	for seed := range uint64(5000) {
		plan, err := Build(Request{Model: "openrouter/free", Tools: true, Seed: seed, Now: now}, models, statistics{}, Options{})
		if err != nil || plan.Strategy != "free" || len(plan.Candidates) != 3 {
			t.Fatalf("%+v, %v", plan, err)
		}
		for i, candidate := range plan.Candidates {
			places := at[candidate.Model.ID]
			places[i]++
			at[candidate.Model.ID] = places
		}
	}
	if len(at) != 5 {
		t.Errorf("chosen %v", at)
	}
	for id, places := range at {
		if slices.Min(places[:]) < 880 || slices.Max(places[:]) > 1120 {
			t.Errorf("%s stands at each place %v times, want about 1000", id, places)
		}
	}
}

func TestParetoRouterHasNoScores(t *testing.T) {
	_, err := Build(Request{Model: "openrouter/pareto-code", Now: now}, abc(t), statistics{}, Options{})
	var router *RouterError
	if !errors.As(err, &router) || !strings.HasPrefix(err.Error(), "openrouter/pareto-code chooses by coding scores") {
		t.Error(err)
	}
}

func TestPatterns(t *testing.T) {
	for _, test := range []struct {
		pattern, id string
		want        bool
	}{
		{"m/x", "m/x", true}, {"m/x", "m/xy", false}, {"m/*", "m/x", true}, {"m/*", "n/m/x", false}, {"*", "", true},
		{"*/x", "m/x", true}, {"m*x*z", "m/xyz", true}, {"m*x*z", "mz", false}, {"a*a", "a", false}, {"a**b", "ab", true},
	} {
		if got := matches(test.pattern, test.id); got != test.want {
			t.Errorf("%q matches %q: %v", test.pattern, test.id, got)
		}
	}
}

// What nobody serves any more leaves it to the next model (spec section 3.2).
func TestRow64ModelThatEndedLeavesItToTheNext(t *testing.T) {
	models := abc(t)
	for _, request := range []Request{
		{Models: []string{"m/x:free", "m/x"}}, {Model: "m/x:batch", Models: []string{"m/x"}},
		{Model: "openrouter/free", Models: []string{"m/x"}}, {Model: "openrouter/pareto-code", Models: []string{"m/x"}},
	} {
		plan, err := Build(request, models, statistics{}, Options{})
		if err != nil || plan.Candidates[0].Model.ID != "m/x" {
			t.Errorf("%q %q: %v", request.Model, request.Models, err)
		}
	}
	_, err := Build(Request{Models: []string{"m/x:free", "m/x:batch"}}, models, statistics{}, Options{})
	var ended *FreeEndedError
	if !errors.As(err, &ended) {
		t.Errorf("with nothing left: %v, want the first one's reason", err)
	}
}
