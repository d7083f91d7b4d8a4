package config

import (
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/testing/protocmp"
	"google.golang.org/protobuf/types/known/durationpb"

	"github.com/switchyard/switchyard/policies/config/configpb"
)

// anySet is an environment in which every variable is set.
func anySet(name string) (string, bool) {
	switch name {
	case "OLLAMA_HOST", "VLLM_BASE_URL", "LM_STUDIO_API_BASE":
		return "127.0.0.1", true
	}
	return "key", true
}

// With every variable set, every preset is a provider without problems, and
// every model of the presets is served by all that it lists.
func TestAllPresetsLoad(t *testing.T) {
	named := &configpb.Config{Providers: FromEnvironment(anySet).GetProviders()}
	for _, slug := range []string{"github", "huggingface", "scaleway", "wandb"} { // never from the environment alone
		if named.Providers[slug] != nil {
			t.Errorf("%s is a provider because a variable of other uses is set", slug)
		}
		named.Providers[slug] = &configpb.Provider{}
	}
	effective, err := Load("", Options{LookupEnv: anySet, Overrides: named})
	if err != nil {
		t.Fatal(err)
	}
	if len(effective.Warnings()) > 0 {
		t.Error(effective.Warnings())
	}
	config, known := effective.Config(), presets()
	if got, want := slices.Sorted(maps.Keys(config.GetProviders())), slices.Sorted(maps.Keys(known.GetProviders())); !slices.Equal(got, want) {
		t.Errorf("providers %v, want %v", got, want)
	}
	for id, model := range known.GetModels() {
		if got, want := len(config.GetModels()[id].GetEndpoints()), len(model.GetEndpoints()); got != want {
			t.Errorf("%s has %d endpoints, want %d: one names a provider that is no preset", id, got, want)
		}
	}
}

// The presets are data that people trust: what an entry must have.
func TestPresetsAreComplete(t *testing.T) {
	parameters := regexp.MustCompile(`^[a-z_]+$`)
	for slug, provider := range presets().GetProviders() {
		if provider.GetName() == "" || provider.GetBaseUrl() == "" || provider.GetDialect() == 0 {
			t.Errorf("provider %s lacks a name, base URL or dialect", slug)
		}
	}
	for id, model := range presets().GetModels() {
		if model.GetName() == "" {
			t.Errorf("%s has no name", id)
		}
		for _, endpoint := range model.GetEndpoints() {
			provider, ok := presets().GetProviders()[endpoint.GetProvider()]
			if !ok {
				t.Errorf("%s: there is no preset %s", id, endpoint.GetProvider())
			}
			prices := endpoint.GetPrices()
			if prices.GetPrompt() == "" || prices.GetCompletion() == "" {
				t.Errorf("%s at %s has no price", id, endpoint.GetProvider())
			}
			modalities := model.GetOutputModalities()
			media := len(modalities) == 1 && slices.Contains([]string{"image", "speech", "transcription"}, modalities[0])
			if endpoint.GetContextLength() == 0 && !media || endpoint.GetModel() == "" {
				t.Errorf("%s at %s has no context length or model", id, endpoint.GetProvider())
			}
			for _, parameter := range endpoint.GetSupportedParameters() {
				if !parameters.MatchString(parameter) {
					t.Errorf("%s at %s: parameter %q", id, endpoint.GetProvider(), parameter)
				}
				if slices.Contains(provider.GetRefusedFields(), parameter) {
					t.Errorf("%s: %s refuses the parameter %s that it is said to take", id, endpoint.GetProvider(), parameter)
				}
			}
		}
	}
}

// An open model fails over between vendors as soon as two have a key.
func TestModelIsServedByEveryVendorWithAKey(t *testing.T) {
	effective, err := Load("", Options{LookupEnv: environment(map[string]string{
		"GROQ_API_KEY": "k", "CEREBRAS_API_KEY": "k", "OPENAI_API_KEY": "",
	})})
	if err != nil {
		t.Fatal(err)
	}
	var providers []string
	for _, endpoint := range effective.Config().GetModels()["openai/gpt-oss-120b"].GetEndpoints() {
		providers = append(providers, endpoint.GetProvider())
	}
	if diff := cmp.Diff([]string{"cerebras", "groq"}, providers); diff != "" {
		t.Error(diff)
	}
	if _, ok := effective.Config().GetModels()["openai/gpt-4o"]; ok {
		t.Error("a model is served that no provider with a key has")
	}
}

func TestOverrideReplacesFieldByField(t *testing.T) {
	preset := &configpb.Provider{
		Name: "Preset", BaseUrl: "https://preset.example",
		Headers:       map[string]string{"a": "1", "b": "2"},
		DataPolicy:    &configpb.DataPolicy{NoTraining: true, NoRetention: true},
		RefusedFields: []string{"seed", "user"},
	}
	before := proto.CloneOf(preset)
	got := override(preset, &configpb.Provider{
		Name:          "Own",
		Headers:       map[string]string{"b": "3"},
		DataPolicy:    &configpb.DataPolicy{NoTraining: true},
		RefusedFields: []string{"n"},
	})
	want := &configpb.Provider{
		Name: "Own", BaseUrl: "https://preset.example",
		Headers:       map[string]string{"a": "1", "b": "3"},
		DataPolicy:    &configpb.DataPolicy{NoTraining: true},
		RefusedFields: []string{"n"},
	}
	if !proto.Equal(got, want) {
		t.Errorf("got %v\nwant %v", got, want)
	}
	if !proto.Equal(preset, before) {
		t.Error("the preset itself was changed")
	}
}

// A provider that signs has no use for the key of the preset that it starts from, nor
// has anyone else to give one.
func TestSignedProviderNeedsNoKeyOfThePreset(t *testing.T) {
	const signed = "providers: {bedrock: {authentication: aws%s}}\n"
	for own, want := range map[string]bool{"": false, ", credential: {env: OWN}": true} {
		effective, err := Parse("a.yaml", []byte(strings.Replace(signed, "%s", own, 1)), Options{LookupEnv: environment(map[string]string{
			"AWS_BEARER_TOKEN_BEDROCK": "token", "OWN": "id:secret",
		})})
		if err != nil {
			t.Fatal(err)
		}
		if _, has := effective.Secret("bedrock"); has != want {
			t.Errorf("%q: has a secret: %t", own, has)
		}
	}
	if presets().GetProviders()["bedrock"].GetCredential() == nil {
		t.Error("the preset itself was changed")
	}
}

// An own endpoint takes what it leaves open from the preset's of its provider; the
// list is the model's own.
func TestEndpointInheritsFieldByField(t *testing.T) {
	preset := &configpb.Model{Endpoints: []*configpb.Endpoint{
		{Provider: "openai", Model: "m", ContextLength: 1000, Prices: &configpb.Prices{Prompt: "1", Completion: "2", Overrides: []*configpb.PriceOverride{{MinPromptTokens: 5}}}},
		{Provider: "openai", Model: "m", ServiceTier: "flex", ContextLength: 2000},
		{Provider: "deepinfra", Model: "d", Tag: "deepinfra/turbo", Quantization: "fp4"},
		{Provider: "groq", Model: "g"},
	}}
	serving := map[string][]string{"openai": {"openai", "openai-eu"}, "deepinfra": {"deepinfra", "di2"}}
	for name, test := range map[string]struct{ own, want *configpb.Endpoint }{
		"all of it": {
			&configpb.Endpoint{Provider: "openai"},
			preset.Endpoints[0],
		},
		"prices one by one": {
			&configpb.Endpoint{Provider: "openai", Prices: &configpb.Prices{Completion: "3", CacheRead: "0.1"}},
			&configpb.Endpoint{Provider: "openai", Model: "m", ContextLength: 1000, Prices: &configpb.Prices{Prompt: "1", Completion: "3", CacheRead: "0.1"}},
		},
		"a price of another class leaves the overrides": {
			&configpb.Endpoint{Provider: "openai", Prices: &configpb.Prices{CacheRead: "0.1"}},
			&configpb.Endpoint{Provider: "openai", Model: "m", ContextLength: 1000, Prices: &configpb.Prices{Prompt: "1", Completion: "2", CacheRead: "0.1", Overrides: []*configpb.PriceOverride{{MinPromptTokens: 5}}}},
		},
		"own prices and own overrides": {
			&configpb.Endpoint{Provider: "openai", Prices: &configpb.Prices{Prompt: "3", Overrides: []*configpb.PriceOverride{{MinPromptTokens: 7}}}},
			&configpb.Endpoint{Provider: "openai", Model: "m", ContextLength: 1000, Prices: &configpb.Prices{Prompt: "3", Completion: "2", Overrides: []*configpb.PriceOverride{{MinPromptTokens: 7}}}},
		},
		"overrides of prices as a whole": {
			&configpb.Endpoint{Provider: "openai", Prices: &configpb.Prices{Overrides: []*configpb.PriceOverride{{MinPromptTokens: 7}}}},
			&configpb.Endpoint{Provider: "openai", Model: "m", ContextLength: 1000, Prices: &configpb.Prices{Prompt: "1", Completion: "2", Overrides: []*configpb.PriceOverride{{MinPromptTokens: 7}}}},
		},
		"by service tier": {
			&configpb.Endpoint{Provider: "openai", ServiceTier: "flex", Weight: proto.Uint32(2)},
			&configpb.Endpoint{Provider: "openai", Model: "m", ServiceTier: "flex", ContextLength: 2000, Weight: proto.Uint32(2)},
		},
		"by the default tag of a tier": {
			&configpb.Endpoint{Provider: "openai", Tag: "openai/flex"},
			&configpb.Endpoint{Provider: "openai", Tag: "openai/flex", Model: "m", ServiceTier: "flex", ContextLength: 2000},
		},
		"no such tier": {
			&configpb.Endpoint{Provider: "openai", ServiceTier: "priority"},
			&configpb.Endpoint{Provider: "openai", ServiceTier: "priority"},
		},
		"no such tag": {
			&configpb.Endpoint{Provider: "openai", Tag: "openai/mine"},
			&configpb.Endpoint{Provider: "openai", Tag: "openai/mine"},
		},
		"another account": {
			&configpb.Endpoint{Provider: "openai-eu", ContextLength: 9},
			&configpb.Endpoint{Provider: "openai-eu", Model: "m", ContextLength: 9, Prices: preset.Endpoints[0].Prices},
		},
		"the tag of another account": {
			&configpb.Endpoint{Provider: "di2", Tag: "di2/turbo"},
			&configpb.Endpoint{Provider: "di2", Tag: "di2/turbo", Model: "d", Quantization: "fp4"},
		},
		"the only one, whatever its tag": {
			&configpb.Endpoint{Provider: "deepinfra"},
			&configpb.Endpoint{Provider: "deepinfra", Tag: "deepinfra/turbo", Model: "d", Quantization: "fp4"},
		},
		"taken away": {
			&configpb.Endpoint{Provider: "openai", Disabled: true},
			override(preset.Endpoints[0], &configpb.Endpoint{Disabled: true}),
		},
		"a provider that the preset does not name": {
			&configpb.Endpoint{Provider: "vllm"},
			&configpb.Endpoint{Provider: "vllm"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			before := proto.CloneOf(preset)
			merged := overrideModel(preset, &configpb.Model{Endpoints: []*configpb.Endpoint{test.own}}, enabledEndpoints(preset.GetEndpoints(), serving))
			if diff := cmp.Diff([]*configpb.Endpoint{test.want}, merged.GetEndpoints(), protocmp.Transform()); diff != "" {
				t.Error(diff)
			}
			if !proto.Equal(before, preset) {
				t.Error("the preset itself was changed")
			}
		})
	}
}

// Two accounts with one vendor keep the tags of its endpoints apart.
func TestTagsMoveWithTheSlug(t *testing.T) {
	got := enabledEndpoints([]*configpb.Endpoint{
		{Provider: "deepinfra", Tag: "deepinfra/turbo"}, {Provider: "deepinfra", Tag: "deepinfrared"}, {Provider: "deepinfra"},
	}, map[string][]string{"deepinfra": {"di2"}})
	want := []*configpb.Endpoint{{Provider: "di2", Tag: "di2/turbo"}, {Provider: "di2", Tag: "deepinfrared"}, {Provider: "di2"}}
	if diff := cmp.Diff(want, got, protocmp.Transform()); diff != "" {
		t.Error(diff)
	}
}

// A time limit that is overridden is replaced, not added to.
func TestTimeLimitsAreReplacedOneByOne(t *testing.T) {
	limits := func(connect, firstToken time.Duration) *configpb.Provider {
		own := &configpb.Timeouts{Connect: durationpb.New(connect)}
		if firstToken > 0 {
			own.FirstToken = durationpb.New(firstToken)
		}
		return &configpb.Provider{Timeouts: own}
	}
	got := override(limits(1500*time.Millisecond, time.Minute), limits(2*time.Second, 0))
	if !proto.Equal(got, limits(2*time.Second, time.Minute)) {
		t.Errorf("got %v", got)
	}
}

func TestPresetsCarryNoSecrets(t *testing.T) {
	for _, name := range []string{"presets/providers.yaml", "presets/catalog.yaml", "presets/models.yaml"} {
		data, err := presetFiles.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(string(data), "value:") {
			t.Errorf("%s holds a credential", name)
		}
	}
}

// What the built-in catalog is for: most models that people ask for, at most
// providers that sell them.
func TestBuiltInCatalogIsLarge(t *testing.T) {
	providers := map[string]bool{}
	for _, model := range presets().GetModels() {
		for _, endpoint := range model.GetEndpoints() {
			providers[endpoint.GetProvider()] = true
		}
	}
	if len(presets().GetModels()) < 400 || len(providers) < 40 {
		t.Errorf("%d models at %d providers, want 400 at 40", len(presets().GetModels()), len(providers))
	}
}

// BenchmarkPresets is the part of every start that the catalog costs. The target
// is 150 ms.
func BenchmarkPresets(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		readPresets()
	}
}

// BenchmarkLoadAll is a start, or a reload, with a key for every provider.
func BenchmarkLoadAll(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Load("", Options{LookupEnv: anySet}); err != nil {
			b.Fatal(err)
		}
	}
}
