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

// statistics is a View of what is known of endpoints by their ids.
type statistics map[string]health.Summary

func (k statistics) Summary(endpointID string, _ time.Time) health.Summary { return k[endpointID] }

// yard builds a catalog of the models, with a provider for each that their endpoints
// name. Slugs are lower-case, display names upper-case.
func yard(t testing.TB, models map[string]*configpb.Model, providers map[string]*configpb.Provider) *catalog.Catalog {
	t.Helper()
	cfg := &configpb.Config{Models: models, Providers: map[string]*configpb.Provider{}, Aliases: map[string]string{}}
	if _, ok := models["m/x"]; ok {
		cfg.Aliases["~m/x-latest"], cfg.Aliases["house"] = "m/x", "m/x"
	}
	for slug, provider := range providers {
		cfg.Providers[slug] = provider
	}
	for _, model := range models {
		for _, endpoint := range model.GetEndpoints() {
			if cfg.Providers[endpoint.GetProvider()] == nil {
				cfg.Providers[endpoint.GetProvider()] = &configpb.Provider{}
			}
		}
	}
	for slug, provider := range cfg.Providers {
		provider.Dialect, provider.BaseUrl = configpb.Dialect_DIALECT_OPENAI, "https://provider.example"
		if provider.Name == "" {
			provider.Name = strings.ToUpper(slug)
		}
	}
	built, err := catalog.New(cfg, func(string) (string, bool) { return "", false })
	if err != nil {
		t.Fatal(err)
	}
	return built
}

// priced is an endpoint at a provider, by the price of prompt and answer.
func priced(provider, price string) *configpb.Endpoint {
	return &configpb.Endpoint{Provider: provider, Prices: &configpb.Prices{Prompt: price, Completion: price}}
}

// with changes an endpoint.
func with(endpoint *configpb.Endpoint, change func(*configpb.Endpoint)) *configpb.Endpoint {
	change(endpoint)
	return endpoint
}

// abc is the spec's yard: m/x at a for 1, b for 2 and c for 3 dollars.
func abc(t testing.TB) *catalog.Catalog {
	return yard(t, map[string]*configpb.Model{
		"m/x": {Endpoints: []*configpb.Endpoint{priced("a", "1"), priced("b", "2"), priced("c", "3")}},
		"m/y": {Endpoints: []*configpb.Endpoint{priced("b", "0.5")}},
	}, nil)
}

// of is a request for m/x with a provider object.
func of(t testing.TB, provider string) Request {
	t.Helper()
	preferences, err := ParsePreferences([]byte(provider), nil, nil, "")
	if err != nil {
		t.Fatal(err)
	}
	return Request{Model: "m/x", Preferences: preferences, Now: now}
}

// always checks that the plan is the same for 50 seeds: tags in order, with the
// model's id in front where it is not m/x.
func always(t *testing.T, request Request, models *catalog.Catalog, view View, want ...string) Plan {
	t.Helper()
	var plan Plan
	for seed := range uint64(50) {
		request.Seed, request.Now = seed, now
		var err error
		if plan, err = Build(request, models, view, Options{}); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, tags(plan)); diff != "" {
			t.Fatalf("seed %d (-want +got):\n%s", seed, diff)
		}
	}
	return plan
}

func tags(plan Plan) []string {
	ids := plan.order()
	for i := range ids {
		ids[i] = strings.TrimPrefix(ids[i], "m/x|")
	}
	return ids
}

// serving checks which endpoints may serve, in any order.
func serving(t *testing.T, request Request, models *catalog.Catalog, want ...string) {
	t.Helper()
	request.Preferences.Sort = SortPrice
	always(t, request, models, statistics{}, want...)
}

// refused builds a plan that must fail for want of endpoints.
func refused(t *testing.T, request Request, models *catalog.Catalog, message string) *NoEndpointError {
	t.Helper()
	request.Now = now
	plan, err := Build(request, models, statistics{}, Options{})
	var none *NoEndpointError
	if !errors.As(err, &none) {
		t.Fatalf("plan %v, error %v", plan.order(), err)
	}
	if !strings.HasPrefix(none.Error(), message) {
		t.Errorf("message %q, want %q", none, message)
	}
	last := none.Funnel[len(none.Funnel)-1]
	if last.Endpoints != 0 || last.Step != none.FailedStep {
		t.Errorf("the funnel ends with %+v, the failed step is %q", last, none.FailedStep)
	}
	return none
}
