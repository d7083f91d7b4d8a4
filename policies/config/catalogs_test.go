package config

import (
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/testing/protocmp"

	"github.com/switchyard/switchyard/policies/config/configpb"
)

// withFiles reads a configuration next to other files.
func withFiles(t *testing.T, text string, files map[string]string) (*Effective, error) {
	t.Helper()
	options := world()
	options.ReadFile = func(name string) ([]byte, error) {
		if data, ok := files[filepath.Base(name)]; ok && filepath.Dir(name) == "/etc/switchyard" {
			return []byte(data), nil
		}
		return nil, fs.ErrNotExist
	}
	return Parse("/etc/switchyard/gateway.yaml", []byte(text), options)
}

// The order of the layers: presets, catalog files in their order, models.
func TestCatalogFilesLieOverEachOther(t *testing.T) {
	effective, err := withFiles(t, `
catalog_files: [one.yaml, two.json]
models_from_presets: none
providers: {acme: {credential: {env: OPENAI_API_KEY}}, openai: }
models:
  acme/m: {description: own}
  openai/gpt-4o: {}
`, map[string]string{
		"one.yaml": `
providers: {acme: {name: One, dialect: openai, base_url: https://one.example}}
models:
  acme/m:
    name: One
    description: One
    context_length: 1000
    endpoints: [{provider: acme, model: one, prices: {prompt: 1, completion: 2}}, {provider: nobody}]
  openai/gpt-4o:
    endpoints: [{provider: openai, prices: {completion: 77}}]
`,
		"two.json": `{
	"providers": {"acme": {"base_url": "https://two.example"}},
	"models": {"acme/m": {"context_length": 2000, "description": "Two", "endpoints": [{"provider": "acme", "prices": {"prompt": 3}}]}}
}`,
	})
	if err != nil {
		t.Fatal(err)
	}
	config := effective.Config()
	if got := config.GetProviders()["acme"]; got.GetName() != "One" || got.GetBaseUrl() != "https://two.example" {
		t.Errorf("provider %v", got)
	}
	want := &configpb.Model{
		Name: "One", Description: "own", ContextLength: 2000, CanonicalSlug: "acme/m",
		InputModalities: []string{"text"}, OutputModalities: []string{"text"},
		Endpoints: []*configpb.Endpoint{{
			Provider: "acme", Model: "one", Tag: "acme", ContextLength: 2000, Quantization: "unknown",
			Prices: &configpb.Prices{Prompt: "3", Completion: "2"},
		}},
	}
	if diff := cmp.Diff(want, config.GetModels()["acme/m"], protocmp.Transform()); diff != "" {
		t.Error(diff)
	}
	of := func(provider string) func(*configpb.Endpoint) bool {
		return func(e *configpb.Endpoint) bool { return e.GetProvider() == provider }
	}
	known := presets().GetModels()["openai/gpt-4o"].GetEndpoints()
	preset := known[slices.IndexFunc(known, of("openai"))]
	got := config.GetModels()["openai/gpt-4o"].GetEndpoints()[0]
	if got.GetPrices().GetCompletion() != "77" || got.GetPrices().GetPrompt() != preset.GetPrices().GetPrompt() || got.GetModel() != preset.GetModel() {
		t.Errorf("endpoint %v, over the preset %v", got, preset)
	}
	if diff := cmp.Diff([]string{"/etc/switchyard/one.yaml", "/etc/switchyard/two.json"}, effective.Files()); diff != "" {
		t.Error(diff)
	}
}

// The models of a catalog file are served without being listed, as presets are.
func TestModelsOfCatalogFilesAreServed(t *testing.T) {
	files := map[string]string{"c.yaml": `
models:
  acme/served: {endpoints: [{provider: openai}]}
  acme/not: {endpoints: [{provider: anthropic}]}
  openai/gpt-4o: {name: Renamed}
`}
	effective, err := withFiles(t, "catalog_files: [c.yaml]\nproviders: {openai: }\n", files)
	if err != nil {
		t.Fatal(err)
	}
	models := effective.Config().GetModels()
	if models["acme/served"] == nil || models["acme/not"] != nil {
		t.Errorf("served %v, not %v", models["acme/served"], models["acme/not"])
	}
	if model := models["openai/gpt-4o"]; model.GetName() != "Renamed" || len(model.GetEndpoints()) == 0 {
		t.Errorf("a model whose endpoints are not given lost the preset's: %v", model)
	}
}

// All that is wrong with several files is told at once, in the words of each.
func TestProblemsOfCatalogFilesNameTheFile(t *testing.T) {
	_, err := withFiles(t, "catalog_files: [a.yaml, b.json, c.yaml]\n", map[string]string{
		"a.yaml": "models: {x/y: {endpoints: [{provider: p, quantization: q8}]}}\n",
		"b.json": "{\"models\": {\"x/y\": {\n  \"endpoints\": [{}]}}}\n",
		"c.yaml": "models: {x/y: {name: fine, endpoints: [{provider: p}]}}\nproviders: {p: {preset: openai}}\n",
	})
	want := strings.Join([]string{
		`/etc/switchyard/a.yaml:1:56: models["x/y"].endpoints[0].quantization: must be int4, int8, fp4, mxfp4, nvfp4, fp6, fp8, mxfp8, fp16, bf16, fp32 or unknown, not "q8"`,
		`/etc/switchyard/b.json:2:17: models["x/y"].endpoints[0].provider: must not be empty`,
		`/etc/switchyard/c.yaml:2:25: providers.p.preset: does not belong in a catalog file, whose providers are presets themselves; remove it`,
	}, "\n")
	if err == nil {
		t.Fatal("loads")
	}
	if diff := cmp.Diff(want, err.Error()); diff != "" {
		t.Error(diff)
	}
}

// A catalog that changes is taken up, and the presets in memory stay as they are.
func TestWatchCatalogFile(t *testing.T) {
	before := proto.CloneOf(presets())
	directory := t.TempDir()
	path, catalog := filepath.Join(directory, "gateway.yaml"), filepath.Join(t.TempDir(), "catalog.yaml")
	named := func(name string) string {
		return "models: {openai/gpt-4o: {name: " + name + ", endpoints: [{provider: ollama}]}}\n"
	}
	write(t, catalog, named("first"))
	write(t, path, "providers: {ollama: }\ncatalog_files: ["+catalog+"]\n")
	store, log := open(t, path, nil)
	watch(t, store)
	for _, want := range []string{"second", "third"} {
		write(t, catalog, named(want))
		log.expect(t, "configuration reloaded")
		if got := store.Current().Config().GetModels()["openai/gpt-4o"].GetName(); got != want {
			t.Errorf("the name is still %q, want %q", got, want)
		}
	}
	if err := os.Remove(catalog); err != nil {
		t.Fatal(err)
	}
	log.expect(t, "cannot be read")
	if !proto.Equal(before, presets()) {
		t.Error("the presets were changed")
	}
}
