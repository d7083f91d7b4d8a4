package catalog

import (
	"fmt"
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"

	"github.com/switchyard/switchyard/policies/config/configpb"
)

// alone is a configuration of one provider that serves m/x as the endpoint says.
func alone(provider *configpb.Provider, endpoint *configpb.Endpoint) *configpb.Config {
	provider.Dialect, provider.BaseUrl = configpb.Dialect_DIALECT_OPENAI, "https://alpha.example/v1"
	endpoint.Provider = "alpha"
	return &configpb.Config{
		Providers: map[string]*configpb.Provider{"alpha": provider},
		Models:    map[string]*configpb.Model{"m/x": {Endpoints: []*configpb.Endpoint{endpoint}}},
	}
}

func TestRow79Aliases(t *testing.T) {
	cfg := alone(&configpb.Provider{}, &configpb.Endpoint{})
	cfg.Models["m/x"].CanonicalSlug = "m/x-2026"
	cfg.Aliases = map[string]string{"~m/x-latest": "m/x", "favourite": "m/x-2026"}
	c, err := New(cfg, noSecrets)
	if err != nil {
		t.Fatal(err)
	}
	for name, found := range map[string]bool{"~m/x-latest": true, "favourite": true, "m/x": false, "~m/y-latest": false} {
		model, ok := c.Alias(name)
		if ok != found || ok && model.ID != "m/x" {
			t.Errorf("%s is an alias: %t, of %v", name, ok, model)
		}
	}
	if _, ok := c.Model("~m/x-latest"); ok {
		t.Error("an alias is found as a model; the answer would carry its name")
	}
}

func TestWrongAliasesAreNamed(t *testing.T) {
	cfg := alone(&configpb.Provider{}, &configpb.Endpoint{})
	cfg.Aliases = map[string]string{"~m/y": "m/y", "m/x": "m/x", "~twice": "~m/y"}
	_, err := New(cfg, noSecrets)
	if err == nil {
		t.Fatal("no error")
	}
	for _, want := range []string{`aliases["~m/y"]: there is no model "m/y"`, `aliases["m/x"]: a model has this id`, `aliases["~twice"]`} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("nothing is said of %s in:\n%v", want, err)
		}
	}
}

func TestListed(t *testing.T) {
	const unset, price, listed = configpb.Balance_BALANCE_UNSPECIFIED, configpb.Balance_BALANCE_PRICE, configpb.Balance_BALANCE_LISTED
	for _, test := range []struct {
		name           string
		general, model configpb.Balance
		want           bool
	}{
		{"by price unless told", unset, unset, false},
		{"as in general", listed, unset, true},
		{"the model wins: listed", price, listed, true},
		{"the model wins: by price", listed, price, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			cfg := alone(&configpb.Provider{}, &configpb.Endpoint{})
			cfg.Routing = &configpb.Routing{Balance: test.general}
			cfg.Models["m/x"].Balance = test.model
			c, err := New(cfg, noSecrets)
			if err != nil {
				t.Fatal(err)
			}
			if got := c.Models()[0].Listed; got != test.want {
				t.Errorf("listed: %t", got)
			}
		})
	}
}

func TestEndpointInheritsFromItsProvider(t *testing.T) {
	promise := &configpb.DataPolicy{NoTraining: true, NoRetention: true}
	for _, test := range []struct {
		name     string
		provider *configpb.Provider
		endpoint *configpb.Endpoint
		want     Endpoint
	}{
		{"nothing: no canary, lowest tier", &configpb.Provider{}, &configpb.Endpoint{}, Endpoint{Tag: "alpha", CanaryPercent: -1}},
		{"a canary of no percent is a canary", &configpb.Provider{}, &configpb.Endpoint{CanaryPercent: proto.Uint32(0)}, Endpoint{Tag: "alpha", CanaryPercent: 0}},
		{"a canary", &configpb.Provider{}, &configpb.Endpoint{CanaryPercent: proto.Uint32(5)}, Endpoint{Tag: "alpha", CanaryPercent: 5}},
		{"the provider's tier", &configpb.Provider{Tier: 2}, &configpb.Endpoint{}, Endpoint{Tag: "alpha", CanaryPercent: -1, Tier: 2}},
		{"its own tier, though zero", &configpb.Provider{Tier: 2}, &configpb.Endpoint{Tier: proto.Uint32(0)}, Endpoint{Tag: "alpha", CanaryPercent: -1}},
		{"the provider's promises and region", &configpb.Provider{DataPolicy: promise, Region: "eu"}, &configpb.Endpoint{}, Endpoint{Tag: "alpha", CanaryPercent: -1, NoTraining: true, NoRetention: true, Region: "eu"}},
		{"its own promises, though none", &configpb.Provider{DataPolicy: promise}, &configpb.Endpoint{DataPolicy: &configpb.DataPolicy{}}, Endpoint{Tag: "alpha", CanaryPercent: -1}},
		{"row 131: the tag of a service tier", &configpb.Provider{}, &configpb.Endpoint{ServiceTier: "flex"}, Endpoint{Tag: "alpha/flex", CanaryPercent: -1, ServiceTier: "flex"}},
		{"a tag of its own", &configpb.Provider{}, &configpb.Endpoint{ServiceTier: "flex", Tag: "alpha/slow"}, Endpoint{Tag: "alpha/slow", CanaryPercent: -1, ServiceTier: "flex"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			c, err := New(alone(test.provider, test.endpoint), noSecrets)
			if err != nil {
				t.Fatal(err)
			}
			e := c.Models()[0].Endpoints[0]
			got := Endpoint{Tag: e.Tag, CanaryPercent: e.CanaryPercent, Tier: e.Tier, NoTraining: e.NoTraining, NoRetention: e.NoRetention, Region: e.Region, ServiceTier: e.ServiceTier}
			if fmt.Sprintf("%+v", got) != fmt.Sprintf("%+v", test.want) {
				t.Errorf("got  %+v\nwant %+v", got, test.want)
			}
		})
	}
}

// BenchmarkNew is the time that a reload spends here: 1,000 models of five
// endpoints at 60 providers. The target is well under 200 ms.
func BenchmarkNew(b *testing.B) {
	cfg := &configpb.Config{Providers: map[string]*configpb.Provider{}, Models: map[string]*configpb.Model{}}
	for i := range 60 {
		cfg.Providers[fmt.Sprintf("provider-%d", i)] = &configpb.Provider{Dialect: configpb.Dialect_DIALECT_OPENAI, BaseUrl: fmt.Sprintf("https://p%d.example/v1", i)}
	}
	for i := range 1000 {
		model := &configpb.Model{Name: "Model", ContextLength: 128_000}
		for j := range 5 {
			model.Endpoints = append(model.Endpoints, &configpb.Endpoint{
				Provider: fmt.Sprintf("provider-%d", (i+j)%60), SupportedParameters: []string{"temperature", "tools", "tool_choice"},
				Prices: &configpb.Prices{Prompt: "1.25", Completion: "10", CacheRead: "0.125", Overrides: []*configpb.PriceOverride{over(200_000, &configpb.Prices{Prompt: "2.5", Completion: "15"})}},
			})
		}
		cfg.Models[fmt.Sprintf("author/model-%d", i)] = model
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := New(cfg, noSecrets); err != nil {
			b.Fatal(err)
		}
	}
}
