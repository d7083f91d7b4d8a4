package catalog

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/switchyard/switchyard/policies/config/configpb"
)

// build makes a catalog of two providers and the given models.
func build(t *testing.T, models map[string]*configpb.Model) *Catalog {
	t.Helper()
	c, err := New(&configpb.Config{
		Providers: map[string]*configpb.Provider{
			"alpha": {Dialect: configpb.Dialect_DIALECT_OPENAI, BaseUrl: "https://alpha.example/v1"},
			"local": {Dialect: configpb.Dialect_DIALECT_OPENAI, BaseUrl: "http://localhost:11434/v1", AnyModel: new(true)},
		},
		Models: models,
	}, noSecrets)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func noSecrets(string) (string, bool) { return "", false }

func served(by ...string) []*configpb.Endpoint {
	var endpoints []*configpb.Endpoint
	for _, provider := range by {
		endpoints = append(endpoints, &configpb.Endpoint{Provider: provider})
	}
	return endpoints
}

func TestModelIsFoundBy(t *testing.T) {
	c := build(t, map[string]*configpb.Model{
		"m/x":      {CanonicalSlug: "m/x-2026", Endpoints: served("alpha")},
		"m/x:free": {CanonicalSlug: "m/x-2026", Endpoints: served("alpha")},
		"local/x":  {Endpoints: served("alpha")},
	})
	tests := []struct{ name, id, want string }{
		{"id", "m/x", "m/x"},
		{"id of a variant", "m/x:free", "m/x:free"},
		{"canonical slug, which means the base and not its variant", "m/x-2026", "m/x"},
		{"id before a provider of any model", "local/x", "local/x"},
		{"provider of any model", "local/llama3:8b", "local/llama3:8b"},
		{"provider of any model, slashes included", "local/org/llama", "local/org/llama"},
		{"nothing: unknown", "m/y", ""},
		{"nothing: another case", "M/X", ""},
		{"nothing: empty", "", ""},
		{"nothing: provider of configured models only", "alpha/gpt", ""},
		{"nothing: no name", "local/", ""},
		{"nothing: only a slug", "local", ""},
		{"nothing: space in a made-up name", "local/a b", ""},
		{"nothing: control character in a made-up name", "local/a\x00b", ""},
		{"nothing: line separator in a made-up name", "local/a\u2028b", ""},
		{"nothing: invalid UTF-8 in a made-up name", "local/a\xff", ""},
		{"nothing: endless made-up name", "local/" + strings.Repeat("a", 257), ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			model, ok := c.Model(test.id)
			if ok != (test.want != "") {
				t.Fatalf("Model(%q) found: %t", test.id, ok)
			}
			if ok && model.ID != test.want {
				t.Errorf("Model(%q) is %q, want %q", test.id, model.ID, test.want)
			}
		})
	}
}

func TestModelOnDemandClaimsNothing(t *testing.T) {
	model, _ := build(t, nil).Model("local/llama3:8b")
	if !model.OnDemand {
		t.Error("not marked as made up")
	}
	endpoint := model.Endpoints[0]
	if endpoint.ProviderModel != "llama3:8b" || endpoint.ID != "local/llama3:8b|local" || endpoint.Model != model {
		t.Errorf("endpoint %q of %q is called %q at its provider", endpoint.ID, endpoint.Model.ID, endpoint.ProviderModel)
	}
	if !endpoint.Prices.Free() || endpoint.MaxCompletionTokens != 0 {
		t.Error("prices or limits were made up too")
	}
	if diff := cmp.Diff([]string{"text", "image", "file", "audio", "video"}, model.InputModalities); diff != "" {
		t.Errorf("an input is refused although nothing is known (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"text", "embeddings", "rerank", "image", "speech", "transcription"}, model.OutputModalities); diff != "" {
		t.Errorf("an output is refused although nothing is known (-want +got):\n%s", diff)
	}
}

func TestModelsAndProvidersAreSorted(t *testing.T) {
	c := build(t, map[string]*configpb.Model{
		"m/z": {Endpoints: served("alpha")}, "m/a": {Endpoints: served("alpha")}, "b/k": {Endpoints: served("alpha")},
	})
	var ids, slugs []string
	for _, model := range c.Models() {
		ids = append(ids, model.ID)
	}
	for _, provider := range c.Providers() {
		slugs = append(slugs, provider.Slug)
	}
	if diff := cmp.Diff([]string{"b/k", "m/a", "m/z"}, ids); diff != "" {
		t.Errorf("models (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"alpha", "local"}, slugs); diff != "" {
		t.Errorf("providers (-want +got):\n%s", diff)
	}
}

// One pass over a configuration must be enough to mend it.
func TestEveryMistakeIsReportedWithItsField(t *testing.T) {
	_, err := New(&configpb.Config{
		Providers: map[string]*configpb.Provider{
			"mute":  {BaseUrl: "https://mute.example"},
			"lost":  {Dialect: configpb.Dialect_DIALECT_OPENAI},
			"alpha": {Dialect: configpb.Dialect_DIALECT_OPENAI, BaseUrl: "https://alpha.example"},
		},
		Models: map[string]*configpb.Model{
			"m/none":  {},
			"m/stray": {Endpoints: served("nobody")},
			"m/twice": {Endpoints: served("alpha", "alpha")},
			"m/price": {Endpoints: []*configpb.Endpoint{{Provider: "alpha", Prices: &configpb.Prices{Prompt: "0.0000001", Request: "-1"}}}},
		},
	}, noSecrets)
	if err == nil {
		t.Fatal("no error")
	}
	for _, want := range []string{
		`providers["mute"].dialect`,
		`providers["lost"].base_url`,
		`models["m/none"].endpoints`,
		`models["m/stray"].endpoints[0].provider: no provider "nobody"`,
		`models["m/twice"].endpoints[1].tag: "alpha" is the tag of endpoints[0] too`,
		`models["m/price"].endpoints[0].prices.prompt`,
		`models["m/price"].endpoints[0].prices.request`,
	} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("nothing is said of %s in:\n%v", want, err)
		}
	}
}
