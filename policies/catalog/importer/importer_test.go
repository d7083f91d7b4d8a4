package importer

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/proto"

	"github.com/switchyard/switchyard/policies/config"
	"github.com/switchyard/switchyard/policies/config/configpb"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// imported reads testdata/<name>.json by the given importer.
func imported(t *testing.T, name string, importer func([]byte) (*configpb.Config, *Report, error)) (*configpb.Config, *Report) {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("testdata", name+".json"))
	if err != nil {
		t.Fatal(err)
	}
	catalog, report, err := importer(data)
	if err != nil {
		t.Fatal(err)
	}
	return catalog, report
}

func liteLLM(data []byte) (*configpb.Config, *Report, error) { return LiteLLM(data, "2026-01-01") }

func ownModels(data []byte) (*configpb.Config, *Report, error) {
	return Models(data, "my-fireworks", "fireworks")
}

func googleModels(data []byte) (*configpb.Config, *Report, error) {
	return Models(data, "gemini", "gemini")
}

// TestGolden compares what is made of a file, and what is said of the rest.
func TestGolden(t *testing.T) {
	for name, importer := range map[string]func([]byte) (*configpb.Config, *Report, error){
		"litellm": liteLLM, "openrouter": OpenRouter, "openrouter_endpoints": OpenRouter, "models": ownModels, "models_bare": ownModels, "models_google": googleModels,
	} {
		t.Run(name, func(t *testing.T) {
			catalog, report := imported(t, name, importer)
			got := bytes.NewBuffer(YAML(catalog, "From "+name+"."))
			got.WriteString("---\n")
			if err := report.Write(got, true); err != nil {
				t.Fatal(err)
			}
			golden := filepath.Join("testdata", name+".golden")
			if *update {
				if err := os.WriteFile(golden, got.Bytes(), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(want), got.String()); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// What is written is read again by the configuration's own rules, and means the
// same; and it is the same every time.
func TestYAMLIsReadAgain(t *testing.T) {
	catalog, _ := imported(t, "litellm", liteLLM)
	text := YAML(catalog, "")
	read, err := config.ParseCatalog("catalog.yaml", text)
	if err != nil {
		t.Fatal(err)
	}
	if !proto.Equal(catalog, read) {
		t.Errorf("read %v\nwant %v", read, catalog)
	}
	for range 10 {
		again, _ := imported(t, "litellm", liteLLM)
		if !bytes.Equal(YAML(again, ""), text) {
			t.Fatal("the same file gave another catalog")
		}
	}
}

func TestYAMLQuotes(t *testing.T) {
	for text, want := range map[string]string{
		"gpt-4o": "gpt-4o", "2.50": "2.50", "OpenAI: GPT": `"OpenAI: GPT"`, "no": `"no"`, "": `""`, "a, b": `"a, b"`,
		"x #y": `"x #y"`, "a\nb": `"a\nb"`, "*x": `"*x"`, "@cf/x": `"@cf/x"`, "llama3:8b": "llama3:8b", "null": `"null"`, "del\x7f": `"del\x7f"`, "\xff": `"�"`,
	} {
		if got := scalarText(text); got != want {
			t.Errorf("%q is written %s, want %s", text, got, want)
		}
	}
}

func TestNoMap(t *testing.T) {
	for _, data := range []string{"", "[]", "7", `{"a": {}} x`, `{"a": {}, "a": {}}`} {
		if _, _, err := liteLLM([]byte(data)); err == nil {
			t.Errorf("%q is taken for LiteLLM's map", data)
		}
	}
	for _, data := range []string{"", "[]", "{}", `{"data": 7}`} {
		if _, _, err := OpenRouter([]byte(data)); err == nil {
			t.Errorf("%q is taken for OpenRouter's answer", data)
		}
	}
	if _, _, err := ownModels([]byte("<html>")); err == nil {
		t.Error("a web page is taken for a list of models")
	}
}

func TestDiff(t *testing.T) {
	from := &configpb.Config{Models: map[string]*configpb.Model{
		"m/gone": {Endpoints: []*configpb.Endpoint{{Provider: "a"}}},
		"m/same": {InputModalities: []string{"text", "image"}, Endpoints: []*configpb.Endpoint{{Provider: "a"}}},
		"m/x": {Name: "X", Endpoints: []*configpb.Endpoint{
			{Provider: "a", Prices: &configpb.Prices{Prompt: "1", Overrides: []*configpb.PriceOverride{{MinPromptTokens: 5, Prices: &configpb.Prices{Prompt: "2"}}}}},
			{Provider: "b"},
		}},
	}}
	to := &configpb.Config{Models: map[string]*configpb.Model{
		"m/new":  {Endpoints: []*configpb.Endpoint{{Provider: "a"}, {Provider: "b"}}},
		"m/same": {InputModalities: []string{"image", "text"}, Endpoints: []*configpb.Endpoint{{Provider: "a"}}},
		"m/x": {Name: "Y", Endpoints: []*configpb.Endpoint{
			{Provider: "a", ServiceTier: "flex"},
			{Provider: "a", ContextLength: 8, Prices: &configpb.Prices{Prompt: "1", Overrides: []*configpb.PriceOverride{{MinPromptTokens: 5, Prices: &configpb.Prices{Prompt: "3"}}}}},
		}},
	}}
	want := []string{
		"- m/gone (1 endpoints)",
		"+ m/new (2 endpoints)",
		"~ m/x: name: X → Y",
		"~ m/x at a: context_length: (none) → 8",
		"~ m/x at a: prices.overrides[0].prices.prompt: 2 → 3",
		"+ m/x at a/flex",
		"- m/x at b",
	}
	if diff := cmp.Diff(want, Diff(from, to)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if lines := Diff(to, to); len(lines) > 0 {
		t.Errorf("a catalog differs from itself: %v", lines)
	}
}

// Whatever the network sends: no panic, and what comes out is a catalog that the
// configuration takes.
func fuzzImporter(f *testing.F, importer func([]byte) (*configpb.Config, *Report, error), seeds ...string) {
	for _, name := range seeds {
		data, err := os.ReadFile(filepath.Join("testdata", name+".json"))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		catalog, report, err := importer(data)
		if err != nil {
			return
		}
		if err := report.Write(&strings.Builder{}, true); err != nil {
			t.Error(err)
		}
		if len(catalog.GetModels()) == 0 {
			return
		}
		if _, err := config.ParseCatalog("catalog.yaml", YAML(catalog, "")); err != nil {
			t.Errorf("not taken: %v", err)
		}
	})
}

func FuzzLiteLLM(f *testing.F)    { fuzzImporter(f, liteLLM, "litellm") }
func FuzzOpenRouter(f *testing.F) { fuzzImporter(f, OpenRouter, "openrouter", "openrouter_endpoints") }
func FuzzModels(f *testing.F)     { fuzzImporter(f, ownModels, "models", "models_bare") }
