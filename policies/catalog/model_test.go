package catalog

import (
	"reflect"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/switchyard/switchyard/policies/config/configpb"
	"github.com/switchyard/switchyard/policies/money"
)

func TestDefaultsAreFilledIn(t *testing.T) {
	c := build(t, map[string]*configpb.Model{"m/x": {Endpoints: []*configpb.Endpoint{
		{Provider: "alpha", ContextLength: 8000},
		{Provider: "local", ContextLength: 32000},
		{Provider: "alpha", Tag: "alpha/turbo"},
	}}})
	model, _ := c.Model("m/x")
	if model.CanonicalSlug != "m/x" || model.Name != "m/x" || model.ContextLength != 32000 {
		t.Errorf("canonical slug %q, name %q, context %d", model.CanonicalSlug, model.Name, model.ContextLength)
	}
	if diff := cmp.Diff([][]string{{"text"}, {"text"}}, [][]string{model.InputModalities, model.OutputModalities}); diff != "" {
		t.Errorf("modalities (-want +got):\n%s", diff)
	}
	plain, tagged := model.Endpoints[0], model.Endpoints[2]
	if plain.ID != "m/x|alpha" || plain.ProviderModel != "x" || plain.Tag != "alpha" || plain.Quantization != "unknown" || plain.ContextLength != 8000 {
		t.Errorf("endpoint %+v", plain)
	}
	if tagged.ID != "m/x|alpha/turbo" || tagged.ContextLength != 32000 {
		t.Errorf("endpoint %q has context %d", tagged.ID, tagged.ContextLength)
	}
}

func TestWhatIsConfiguredWins(t *testing.T) {
	c := build(t, map[string]*configpb.Model{"m/x": {
		Name: "X", Description: "d", CanonicalSlug: "m/x-1", Created: 7, ContextLength: 100,
		InputModalities: []string{"text", "image"}, OutputModalities: []string{"embeddings"},
		Endpoints: []*configpb.Endpoint{{
			Provider: "alpha", Model: "their-x", ContextLength: 50, MaxCompletionTokens: 10,
			Quantization: "fp8", SupportedParameters: []string{"tools"},
		}},
	}})
	model, _ := c.Model("m/x")
	if model.Name != "X" || model.Description != "d" || model.CanonicalSlug != "m/x-1" || model.Created != 7 || model.ContextLength != 100 {
		t.Errorf("model %+v", model)
	}
	if diff := cmp.Diff([][]string{{"text", "image"}, {"embeddings"}}, [][]string{model.InputModalities, model.OutputModalities}); diff != "" {
		t.Errorf("modalities (-want +got):\n%s", diff)
	}
	e := model.Endpoints[0]
	if e.ProviderModel != "their-x" || e.ContextLength != 50 || e.MaxCompletionTokens != 10 || e.Quantization != "fp8" {
		t.Errorf("endpoint %+v", e)
	}
	if diff := cmp.Diff([]string{"tools"}, e.Parameters()); diff != "" {
		t.Errorf("parameters (-want +got):\n%s", diff)
	}
}

func TestParametersDefaultToTheDialect(t *testing.T) {
	openAI := (&Endpoint{Provider: &Provider{Dialect: "openai"}}).Parameters()
	anthropic := (&Endpoint{Provider: &Provider{Dialect: "anthropic"}}).Parameters()
	if !slices.Contains(openAI, "logprobs") || slices.Contains(anthropic, "logprobs") {
		t.Error("logprobs: OpenAI's dialect can say it, Anthropic's cannot")
	}
	gemini := (&Endpoint{Provider: &Provider{Dialect: "gemini"}}).Parameters()
	if !slices.Contains(gemini, "seed") || slices.Contains(anthropic, "seed") {
		t.Error("seed: Gemini's dialect can say it, Anthropic's cannot")
	}
	for _, parameters := range [][]string{openAI, anthropic, gemini} {
		if !slices.Contains(parameters, "tools") || !slices.IsSorted(parameters) {
			t.Errorf("tools: every dialect can say it, and in order: %v", parameters)
		}
	}
}

// Row 19: nothing is promised that the dialect has no words for.
func TestRow19ParametersThatADialectCannotSay(t *testing.T) {
	cfg := &configpb.Config{
		Providers: map[string]*configpb.Provider{
			"claude": {Dialect: configpb.Dialect_DIALECT_ANTHROPIC, BaseUrl: "https://a.example/v1"},
			"gpt":    {Dialect: configpb.Dialect_DIALECT_OPENAI, BaseUrl: "https://o.example/v1", Strict: new(true)},
			"vllm":   {Dialect: configpb.Dialect_DIALECT_OPENAI, BaseUrl: "https://v.example/v1"},
		},
		Models: map[string]*configpb.Model{"m/x": {Endpoints: []*configpb.Endpoint{
			{Provider: "claude", SupportedParameters: []string{"response_format", "seed", "structured_outputs", "verbosity", "web_search_options"}},
			{Provider: "gpt"}, {Provider: "vllm", SupportedParameters: []string{"own_idea", "response_format"}},
		}}},
	}
	c, err := New(cfg, noSecrets)
	if err != nil {
		t.Fatal(err)
	}
	model, _ := c.Model("m/x")
	claude, gpt, vllm := model.Endpoints[0], model.Endpoints[1], model.Endpoints[2]
	if diff := cmp.Diff([]string{"response_format", "structured_outputs", "verbosity"}, claude.Parameters()); diff != "" {
		t.Errorf("Claude (-want +got):\n%s", diff)
	}
	if slices.Contains(gpt.Parameters(), "top_k") || !slices.Contains(gpt.Parameters(), "seed") {
		t.Errorf("a strict provider takes %v", gpt.Parameters())
	}
	if diff := cmp.Diff([]string{"own_idea", "response_format"}, vllm.Parameters()); diff != "" {
		t.Errorf("a compatible provider (-want +got):\n%s", diff)
	}
	for form, want := range map[string][]bool{"json_object": {false, true, true}, "json_schema": {true, true, false}, "": {true, true, true}} {
		if got := []bool{claude.Formats(form), gpt.Formats(form), vllm.Formats(form)}; !slices.Equal(got, want) {
			t.Errorf("%q: %v, want %v", form, got, want)
		}
	}
}

func TestParametersAreOfConversations(t *testing.T) {
	c := build(t, map[string]*configpb.Model{"e/x": {OutputModalities: []string{"embeddings"}, Endpoints: served("alpha")}})
	model, _ := c.Model("e/x")
	if got := model.Endpoints[0].Parameters(); len(got) > 0 {
		t.Errorf("an embedding model takes %v", got)
	}
}

func TestTasksNeedADialectThatHasThem(t *testing.T) {
	anthropic := &Provider{Slug: "claude", Dialect: "anthropic"}
	for _, test := range []struct {
		makes    string
		provider *Provider
		want     string
	}{
		{"text", anthropic, ""},
		{"embeddings", &Provider{Slug: "local", Dialect: "openai"}, ""},
		{"embeddings", &Provider{Slug: "faulty"}, ""},
		{"speech", anthropic, `models["m/x"].endpoints[0].provider: "claude" speaks anthropic, which has no speech; serve the model at a provider whose dialect is openai`},
		{"image", anthropic, `models["m/x"].endpoints[0].provider: "claude" speaks anthropic, which has no image; serve the model at a provider whose dialect is openai`},
		{"embeddings", &Provider{Slug: "google", Dialect: "gemini"}, ""},
		{"embeddings", anthropic, `models["m/x"].endpoints[0].provider: "claude" speaks anthropic, which has no embeddings; serve the model at a provider whose dialect is azure or cohere or gemini or ollama or openai`},
		{"rerank", anthropic, `models["m/x"].endpoints[0].provider: "claude" speaks anthropic, which has no rerank; serve the model at a provider whose dialect is cohere or openai`},
	} {
		_, err := newModel("m/x", &configpb.Model{
			OutputModalities: []string{test.makes}, Endpoints: []*configpb.Endpoint{{Provider: test.provider.Slug}},
		}, map[string]*Provider{test.provider.Slug: test.provider}, false)
		if (err == nil) != (test.want == "") || err != nil && err.Error() != test.want {
			t.Errorf("%s at %s: %v", test.makes, test.provider.Slug, err)
		}
	}
}

// A model that draws in conversations is not asked to at the endpoint for images unless
// its provider has one.
func TestMakesIsOfTheModelAndItsProvider(t *testing.T) {
	for _, test := range []struct {
		dialect, asked string
		makes          []string
		want           bool
	}{
		{"gemini", "text", []string{"text", "image"}, true},
		{"gemini", "image", []string{"text", "image"}, false},
		{"openai", "image", []string{"text", "image"}, true},
		{"openai", "image", []string{"text"}, false},
		{"openai", "speech", []string{"speech"}, true},
		{"openai", "text", []string{"speech"}, false},
		{"openai", "video", []string{"video"}, true},
	} {
		provider := &Provider{Slug: "p", Dialect: test.dialect}
		model, err := newModel("m/x", &configpb.Model{
			OutputModalities: test.makes, Endpoints: []*configpb.Endpoint{{Provider: "p"}},
		}, map[string]*Provider{"p": provider}, false)
		if err != nil {
			t.Errorf("%v at %s: %v", test.makes, test.dialect, err)
			continue
		}
		if got := Makes(model, provider, test.asked); got != test.want {
			t.Errorf("%v at %s makes %s: %v", test.makes, test.dialect, test.asked, got)
		}
	}
}

func TestPrices(t *testing.T) {
	const million = 1_000_000 // picodollars per token for one dollar per million
	tests := []struct {
		name string
		from *configpb.Prices
		want Prices
	}{
		{"none is free", nil, Prices{}},
		{
			"cached tokens cost what others do, thoughts what the answer does",
			&configpb.Prices{Prompt: "3", Completion: "15"},
			Prices{
				Prompt: 3 * million, CacheRead: 3 * million, CacheWrite: 3 * million, CacheWrite1h: 3 * million,
				Completion: 15 * million, Reasoning: 15 * million,
				Audio: 3 * million, AudioOutput: 15 * million, ImageOutput: 15 * million, ImageToken: 3 * million,
			},
		},
		{
			"zero is not empty",
			&configpb.Prices{Prompt: "3", CacheRead: "0", Completion: "15", Reasoning: "0", Audio: "0"},
			Prices{
				Prompt: 3 * million, CacheWrite: 3 * million, CacheWrite1h: 3 * million,
				Completion: 15 * million, AudioOutput: 15 * million, ImageOutput: 15 * million, ImageToken: 3 * million,
			},
		},
		{
			"everything stated",
			&configpb.Prices{
				Prompt: "3", Completion: "15", CacheRead: "0.3", CacheWrite: "3.75", CacheWrite_1H: "6",
				Reasoning: "10", Request: "0.005", Image: "0.0048", Audio: "32", AudioOutput: "64", ImageOutput: "40", WebSearch: "0.01",
				ImageToken: "5", GeneratedImage: "0.04", Character: "15", Second: "0.0001",
			},
			Prices{
				Prompt: 3 * million, Completion: 15 * million, CacheRead: 300_000, CacheWrite: 3_750_000, CacheWrite1h: 6 * million,
				Reasoning: 10 * million, Request: money.Dollar / 200, Image: 48 * money.Dollar / 10_000,
				Audio: 32 * million, AudioOutput: 64 * million, ImageOutput: 40 * million, WebSearch: money.Dollar / 100,
				ImageToken: 5 * million, GeneratedImage: money.Dollar / 25, Character: 15 * million, Second: money.Dollar / 10_000,
			},
		},
		{
			"writes for an hour cost what writes do",
			&configpb.Prices{CacheWrite: "3.75"},
			Prices{CacheWrite: 3_750_000, CacheWrite1h: 3_750_000},
		},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got, err := newPrices("prices", test.from)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			if got.Free() != reflect.ValueOf(test.want).IsZero() {
				t.Errorf("free: %t", got.Free())
			}
		})
	}
}
