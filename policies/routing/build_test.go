package routing

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/switchyard/switchyard/policies/catalog"
	"github.com/switchyard/switchyard/policies/config/configpb"
	"github.com/switchyard/switchyard/policies/health"
)

var now = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

// cooling is a View in which the named endpoints cool down until a time.
type cooling map[string]time.Time

func (c cooling) Summary(endpointID string, _ time.Time) health.Summary {
	return health.Summary{CoolingUntil: c[endpointID]}
}

// models serves m/x by a, b and c, m/y by b alone, and m/see by a alone.
func models(t testing.TB) *catalog.Catalog {
	t.Helper()
	provider := func(anyModel bool) *configpb.Provider {
		return &configpb.Provider{Dialect: configpb.Dialect_DIALECT_OPENAI, BaseUrl: "https://provider.example", AnyModel: &anyModel}
	}
	built, err := catalog.New(&configpb.Config{
		Routing:   &configpb.Routing{Balance: configpb.Balance_BALANCE_LISTED},
		Providers: map[string]*configpb.Provider{"a": provider(false), "b": provider(false), "c": provider(false), "local": provider(true)},
		Models: map[string]*configpb.Model{
			"m/x": {CanonicalSlug: "m/x-2026", Endpoints: []*configpb.Endpoint{
				{Provider: "a", MaxCompletionTokens: 1000},
				{Provider: "b", MaxCompletionTokens: 8000},
				{Provider: "c", SupportedParameters: []string{"temperature"}},
			}},
			"m/y": {Endpoints: []*configpb.Endpoint{{Provider: "b", MaxCompletionTokens: 500}}},
			"m/see": {
				InputModalities: []string{"text", "image", "file"},
				Endpoints:       []*configpb.Endpoint{{Provider: "a"}},
			},
		},
	}, func(string) (string, bool) { return "", false })
	if err != nil {
		t.Fatal(err)
	}
	return built
}

// order is the plan's endpoints by id.
func (p Plan) order() []string {
	var ids []string
	for _, candidate := range p.Candidates {
		ids = append(ids, candidate.Endpoint.ID)
	}
	return ids
}

func TestOrder(t *testing.T) {
	later, over := now.Add(time.Second), now
	tests := []struct {
		name    string
		request Request
		health  cooling
		options Options
		want    []string
	}{
		{"as configured", Request{Model: "m/x"}, nil, Options{}, []string{"m/x|a", "m/x|b", "m/x|c"}},
		{"row 64: the next model's endpoints follow all of the first one's", Request{Models: []string{"m/x", "m/y"}}, nil, Options{}, []string{"m/x|a", "m/x|b", "m/x|c", "m/y|b"}},
		{"row 65: model comes before models", Request{Model: "m/y", Models: []string{"m/x"}}, nil, Options{}, []string{"m/y|b", "m/x|a", "m/x|b", "m/x|c"}},
		{"a model listed twice is tried once", Request{Model: "m/y", Models: []string{"m/y", "m/y"}}, nil, Options{}, []string{"m/y|b"}},
		{"a model listed by both its ids is tried once", Request{Model: "m/x", Models: []string{"m/x-2026"}}, nil, Options{}, []string{"m/x|a", "m/x|b", "m/x|c"}},
		{"a model on demand listed twice is tried once", Request{Model: "local/z", Models: []string{"local/z"}}, nil, Options{}, []string{"local/z|local"}},
		{"row 43: what cools down comes last", Request{Model: "m/x"}, cooling{"m/x|a": later}, Options{}, []string{"m/x|b", "m/x|c", "m/x|a"}},
		{"of what cools down, as configured", Request{Model: "m/x"}, cooling{"m/x|b": later, "m/x|a": later.Add(1)}, Options{}, []string{"m/x|c", "m/x|a", "m/x|b"}},
		{"row 44: a cool-down that is over counts no more", Request{Model: "m/x"}, cooling{"m/x|a": over}, Options{}, []string{"m/x|a", "m/x|b", "m/x|c"}},
		{"everything cools down", Request{Model: "m/x"}, cooling{"m/x|a": later, "m/x|b": later, "m/x|c": later}, Options{}, []string{"m/x|a", "m/x|b", "m/x|c"}},
		{"what cools down still comes before the next model", Request{Models: []string{"m/x", "m/y"}}, cooling{"m/x|a": later}, Options{}, []string{"m/x|b", "m/x|c", "m/x|a", "m/y|b"}},
		{"health is that of a model at a provider", Request{Models: []string{"m/x", "m/y"}}, cooling{"m/y|b": later}, Options{}, []string{"m/x|a", "m/x|b", "m/x|c", "m/y|b"}},
		{"no more candidates than allowed", Request{Model: "m/x"}, nil, Options{MaxCandidates: 2}, []string{"m/x|a", "m/x|b"}},
		{"the bound cuts off what cools down", Request{Model: "m/x"}, cooling{"m/x|a": later}, Options{MaxCandidates: 2}, []string{"m/x|b", "m/x|c"}},
	}
	catalog := models(t)
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			test.request.Now = now
			plan, err := Build(test.request, catalog, test.health, test.options)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(test.want, plan.order()); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			for _, candidate := range plan.Candidates {
				if candidate.Model != candidate.Endpoint.Model {
					t.Errorf("endpoint %s is planned for model %s", candidate.Endpoint.ID, candidate.Model.ID)
				}
			}
		})
	}
}

func TestPlanSaysWhatItLeftOut(t *testing.T) {
	plan, err := Build(Request{Model: "m/x", Tools: true, MaxTokens: 4000, Now: now}, models(t), cooling{}, Options{})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"m/x|b"}, plan.order()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	var got []string
	for _, dropped := range plan.Dropped {
		got = append(got, dropped.Endpoint.ID+": "+dropped.Step+": "+dropped.Reason.String())
	}
	want := []string{
		"m/x|c: Filter by Tool Compatibility: takes no tools",
		"m/x|a: Filter by Max Tokens: answers with at most 1000 tokens",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("dropped (-want +got):\n%s", diff)
	}
	plan, err = Build(Request{Model: "m/x", Now: now}, models(t), cooling{}, Options{MaxCandidates: 2})
	if err != nil || len(plan.Dropped) != 1 || plan.Dropped[0].Step != "Limit Attempts" {
		t.Errorf("beyond the bound: %+v, %v", plan.Dropped, err)
	}
}

func TestRow10UnknownModel(t *testing.T) {
	for _, request := range []Request{{Model: "no/such"}, {Model: "m/x", Models: []string{"no/such"}}, {Models: []string{"no/such", "m/x"}}} {
		_, err := Build(request, models(t), cooling{}, Options{})
		var unknown *UnknownModelError
		if !errors.As(err, &unknown) || unknown.ID != "no/such" || err.Error() != "no/such is not a valid model ID" {
			t.Errorf("%v: %v", request, err)
		}
	}
}

func TestUnknownModelIsNotRepeatedWhole(t *testing.T) {
	_, err := Build(Request{Model: strings.Repeat("é", 5000)}, models(t), cooling{}, Options{})
	if want := strings.Repeat("é", 256) + " is not a valid model ID"; err == nil || err.Error() != want {
		t.Errorf("%v", err)
	}
}

func TestRow66TooManyModels(t *testing.T) {
	three := []string{"m/x", "m/y", "m/see"}
	tests := []struct {
		name    string
		request Request
		options Options
		limit   int // exceeded, or zero
	}{
		{"three", Request{Models: three}, Options{}, 0},
		{"three besides the model", Request{Model: "m/x", Models: three}, Options{}, 0},
		{"four", Request{Models: append(three, "m/x")}, Options{}, 3},
		{"four, whether known or not", Request{Models: append(three, "no/such")}, Options{}, 3},
		{"four where four are allowed", Request{Models: append(three, "m/x")}, Options{MaxFallbackModels: 4}, 0},
		{"two where one is allowed", Request{Models: three[:2]}, Options{MaxFallbackModels: 1}, 1},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			_, err := Build(test.request, models(t), cooling{}, test.options)
			var tooMany *TooManyModelsError
			if errors.As(err, &tooMany) != (test.limit > 0) {
				t.Fatalf("error %v", err)
			}
			if test.limit > 0 && tooMany.Limit != test.limit {
				t.Errorf("limit %d, want %d", tooMany.Limit, test.limit)
			}
		})
	}
	if got := (&TooManyModelsError{3}).Error(); got != "'models' array must have 3 items or fewer." {
		t.Errorf("message %q", got)
	}
}

func TestNoModel(t *testing.T) {
	if _, err := Build(Request{}, models(t), cooling{}, Options{}); !errors.Is(err, ErrNoModel) {
		t.Errorf("error %v", err)
	}
}

// A replica that makes the plan again must come to the same order.
func TestSameArgumentsSamePlan(t *testing.T) {
	request := Request{Model: "m/x", Models: []string{"m/y", "local/z"}, Now: now}
	first, err := Build(request, models(t), cooling{"m/x|a": now.Add(1)}, Options{})
	if err != nil {
		t.Fatal(err)
	}
	for range 100 {
		again, err := Build(request, models(t), cooling{"m/x|a": now.Add(1)}, Options{})
		if err != nil || strings.Join(again.order(), " ") != strings.Join(first.order(), " ") {
			t.Fatalf("%v, %v; first %v", again.order(), err, first.order())
		}
	}
}

func TestArgumentsAreNotWrittenTo(t *testing.T) {
	ids := make([]string, 1, 8)
	ids[0] = "m/y"
	catalog := models(t)
	if _, err := Build(Request{Model: "m/x", Models: ids, Now: now}, catalog, cooling{"m/x|a": now.Add(1)}, Options{}); err != nil {
		t.Fatal(err)
	}
	if ids[0] != "m/y" || ids[:2][1] != "" {
		t.Errorf("the request's models became %q", ids[:2])
	}
	if model, _ := catalog.Model("m/x"); model.Endpoints[0].Provider.Slug != "a" {
		t.Error("the catalog's order changed")
	}
}

func BenchmarkBuild(b *testing.B) {
	catalog := models(b)
	request := Request{Model: "m/x", Models: []string{"m/y"}, Tools: true, MaxTokens: 100, Now: now}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Build(request, catalog, cooling{}, Options{}); err != nil {
			b.Fatal(err)
		}
	}
}
