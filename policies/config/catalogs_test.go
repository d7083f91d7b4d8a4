package config

import (
	"fmt"
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

// A catalog of a provider of one's own names it by its slug, also when the provider
// starts from a preset; what it says there lies over what the preset's catalog says.
func TestCatalogOfAnOwnProviderIsServed(t *testing.T) {
	const catalog = `
models:
  n/one: {endpoints: [{provider: my-vllm, model: one}]}
  openai/gpt-4o: {endpoints: [{provider: openai-eu, model: europes, prices: {prompt: 77}}]}
`
	for name, text := range map[string]string{
		"as a preset":      "",
		"listed":           "models: {n/one: {}, openai/gpt-4o: {}}",
		"with an endpoint": "models: {n/one: {endpoints: [{provider: my-vllm}]}, openai/gpt-4o: {endpoints: [{provider: openai-eu}]}}",
	} {
		t.Run(name, func(t *testing.T) {
			effective, err := withFiles(t, `
catalog_files: [c.yaml]
providers:
  my-vllm: {dialect: openai, base_url: "http://10.0.0.5:8000/v1"}
  openai-eu: {preset: openai, credential: {env: OPENAI_EU_KEY}}
`+text, map[string]string{"c.yaml": catalog})
			if err != nil {
				t.Fatal(err)
			}
			models := effective.Config().GetModels()
			if one := models["n/one"].GetEndpoints(); len(one) != 1 || one[0].GetModel() != "one" {
				t.Errorf("n/one is served by %v", one)
			}
			europes := models["openai/gpt-4o"].GetEndpoints()[0]
			if europes.GetModel() != "europes" || europes.GetPrices().GetPrompt() != "77" || europes.GetPrices().GetCompletion() == "" {
				t.Errorf("openai/gpt-4o is served by %v", europes)
			}
			if warnings := effective.Warnings(); len(warnings) > 0 && strings.Contains(warnings.Error(), "catalog_files") {
				t.Error(warnings)
			}
		})
	}
}

// A provider called as a preset that it does not start from has other models.
func TestCatalogMeansThePresetByItsName(t *testing.T) {
	_, err := withFiles(t, `
providers: {groq: {preset: openai, credential: {env: OPENAI_API_KEY}}}
models: {acme/m: {}}
catalog_files: [c.yaml]
`, map[string]string{"c.yaml": "models: {acme/m: {endpoints: [{provider: groq}]}}\n"})
	if err == nil || !strings.Contains(err.Error(), `models["acme/m"].endpoints: there are none; name at least one provider`) {
		t.Errorf("%v", err)
	}
}

func TestCatalogFileThatContributesNothing(t *testing.T) {
	for name, test := range map[string]struct{ config, catalog, want string }{
		"a provider that is not configured": {
			"", "models: {n/one: {endpoints: [{provider: my-vlm}]}}", "contributes nothing to what is served; its endpoints are at my-vlm",
		},
		"of many": {
			"", "models: {n/one: {endpoints: [{provider: f}, {provider: e}, {provider: d}, {provider: c}, {provider: b}, {provider: a}]}}",
			"contributes nothing to what is served; its endpoints are at a, b, c, d, e and others",
		},
		"only a comment":             {"", "# nothing\n", "contributes nothing to what is served"},
		"not listed":                 {"models_from_presets: none\n", "models: {n/one: {endpoints: [{provider: openai}]}}", "contributes nothing to what is served; its endpoints are at openai"},
		"a name for what is served":  {"", "models: {openai/gpt-4o: {name: Omni}}", ""},
		"a name for what is not":     {"", "models: {anthropic/claude-opus-4.1: {name: Opus}}", "contributes nothing to what is served"},
		"one endpoint of two":        {"", "models: {n/one: {endpoints: [{provider: openai}, {provider: nobody}]}}", ""},
		"a provider that is started": {"", "providers: {openai: {name: Open}}", ""},
	} {
		t.Run(name, func(t *testing.T) {
			effective, err := withFiles(t, "catalog_files: [c.yaml]\nproviders: {openai: }\n"+test.config, map[string]string{"c.yaml": test.catalog})
			if err != nil {
				t.Fatal(err)
			}
			got := ""
			for _, warning := range effective.Warnings() {
				if warning.Field == "catalog_files[0]" {
					got = warning.Text
				}
			}
			if got != test.want {
				t.Errorf("warns %q, want %q", got, test.want)
			}
		})
	}
}

// Programs write catalogs, of more than anybody would write into a configuration.
func TestCatalogFilesMayBeLarge(t *testing.T) {
	var text strings.Builder
	text.WriteString(strings.Repeat("# filler\n", configurationBounds.bytes/9+1) + "models:\n  a/0: &m\n    endpoints:\n")
	for i := range 1000 {
		fmt.Fprintf(&text, "      - {provider: p, tag: p/%d}\n", i)
	}
	for i := range 99 {
		fmt.Fprintf(&text, "  a/%d: *m\n", i+1)
	}
	catalog, err := ParseCatalog("catalog.yaml", []byte(text.String()))
	if err != nil || len(catalog.GetModels()) != 100 {
		t.Errorf("%d models, %v", len(catalog.GetModels()), err)
	}
	if _, err := ParseCatalog("catalog.yaml", []byte(text.String()+"\t- x: [")); err == nil || !strings.Contains(err.Error(), "not YAML") && !strings.Contains(err.Error(), "tabs") {
		t.Errorf("a broken one: %v", err)
	}
}
