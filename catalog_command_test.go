package main

import (
	"bytes"
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// switchyard runs a command line and returns what it printed.
func switchyard(t *testing.T, arguments ...string) (stdout, stderr string, err error) {
	t.Helper()
	root := command()
	var out, problems bytes.Buffer
	root.SetOut(&out)
	root.SetErr(&problems)
	root.SetArgs(arguments)
	err = root.ExecuteContext(t.Context())
	return out.String(), problems.String(), err
}

// fileOf writes a file of the test's own and returns its path.
func fileOf(t *testing.T, name, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

const oneModel = `{"groq/openai/gpt-oss-120b": {"litellm_provider": "groq", "mode": "chat", "max_input_tokens": 131072, "input_cost_per_token": PRICE, "output_cost_per_token": 6e-07},
"novel/x": {"litellm_provider": "novel", "mode": "chat"}}`

func TestCatalogImportAndDiff(t *testing.T) {
	var files []string
	for _, price := range []string{"1.5e-07", "2e-07"} {
		output := filepath.Join(t.TempDir(), "catalog.yaml")
		_, problems, err := switchyard(t, "catalog", "import", "litellm", fileOf(t, "map.json", strings.ReplaceAll(oneModel, "PRICE", price)), "--output", output)
		if err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(problems, `1: provider "novel" is unknown`) {
			t.Errorf("nothing is said of the unknown provider: %q", problems)
		}
		files = append(files, output)
	}
	out, _, err := switchyard(t, "catalog", "diff", files[0], files[1])
	if !errors.Is(err, errDifferent) || out != "~ openai/gpt-oss-120b at groq: prices.prompt: 0.15 → 0.2\n" {
		t.Errorf("differences %q, %v", out, err)
	}
	if out, _, err := switchyard(t, "catalog", "diff", files[0], files[0]); err != nil || out != "" {
		t.Errorf("a file differs from itself: %q, %v", out, err)
	}
}

// A provider is asked as its configuration says, and its key stays in the header.
func TestCatalogImportModels(t *testing.T) {
	const bearer = "Authorization: Bearer secret"
	for dialect, test := range map[string]struct{ base, header, list string }{
		"openai":    {"/v1", bearer, `{"data": [{"id": "Qwen/Qwen3-32B"}]}`},
		"anthropic": {"/v1", "X-Api-Key: secret", `{"data": [{"id": "Qwen/Qwen3-32B"}]}`},
		"gemini":    {"/v1", "X-Goog-Api-Key: secret", `{"data": [{"id": "Qwen/Qwen3-32B"}]}`},
		"cohere":    {"/v2", bearer, `{"models": [{"name": "Qwen/Qwen3-32B", "endpoints": ["chat"]}]}`},
		"ollama":    {"/api", bearer, `{"object": "list", "data": [{"id": "Qwen/Qwen3-32B"}]}`},
	} {
		t.Run(dialect, func(t *testing.T) {
			name, want, _ := strings.Cut(test.header, ": ")
			provider := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if r.URL.Path != "/v1/models" || r.Header.Get(name) != want || r.Header.Get("X-Team") != "blue" {
					w.WriteHeader(http.StatusForbidden)
					return
				}
				_, _ = w.Write([]byte(test.list))
			}))
			defer provider.Close()
			path := fileOf(t, "switchyard.yaml", `
providers:
  own: {dialect: `+dialect+`, base_url: "`+provider.URL+test.base+`", credential: {value: secret}, headers: {X-Team: blue}}
`)
			out, _, err := switchyard(t, "catalog", "import", "models", "own", "--config", path)
			if err != nil {
				t.Fatal(err)
			}
			if !strings.Contains(out, "  qwen/qwen3-32b:\n") || !strings.Contains(out, "{provider: own, model: Qwen/Qwen3-32B}") || strings.Contains(out, "secret") {
				t.Errorf("imported %s", out)
			}
			if _, _, err := switchyard(t, "catalog", "import", "models", "stranger", "--config", path); !errors.Is(err, errUsage) {
				t.Errorf("a provider that is not configured: %v", err)
			}
		})
	}
}

func TestCatalogImportTellsOfTheStatus(t *testing.T) {
	server := httptest.NewServer(http.NotFoundHandler())
	defer server.Close()
	if _, _, err := switchyard(t, "catalog", "import", "openrouter", server.URL); err == nil || !strings.Contains(err.Error(), "status 404") {
		t.Errorf("error %v", err)
	}
}

// What is served is compared with what would be: the configuration's own models win,
// and what the new file does not have stays.
func TestCatalogDiffWithWhatIsServed(t *testing.T) {
	const old = `
models:
  m/x: {name: Old, endpoints: [{provider: own, model: w, prices: {prompt: 1}}]}
  m/z: {endpoints: [{provider: own, model: z, prices: {prompt: 1}}, {provider: own, tag: own/fast, model: zf}]}
`
	path := fileOf(t, "switchyard.yaml", `
catalog_files: ["`+fileOf(t, "old.yaml", old)+`"]
providers: {own: {dialect: openai, base_url: "http://127.0.0.1:1/v1"}}
models: {m/x: {endpoints: [{provider: own, model: x}]}}
`)
	for name, test := range map[string]struct {
		catalog string
		want    []string
	}{
		"the same": {old, nil},
		"changes": {`
models:
  m/x: {endpoints: [{provider: own, model: y, prices: {prompt: 2}}, {provider: stranger}]}
  m/y: {endpoints: [{provider: stranger}]}
  m/z: {endpoints: [{provider: own, prices: {prompt: 3}}]}
  m/n: {endpoints: [{provider: own}]}
`, []string{
			"+ m/n (1 endpoints)",
			"~ m/x at own: prices.prompt: 1 → 2",
			"~ m/z at own: prices.prompt: 1 → 3",
		}},
	} {
		t.Run(name, func(t *testing.T) {
			out, _, err := switchyard(t, "catalog", "diff", "--config", path, fileOf(t, "new.yaml", test.catalog))
			if want := strings.Join(append(test.want, ""), "\n"); out != want || errors.Is(err, errDifferent) != (test.want != nil) {
				t.Errorf("differences %q, %v, want %q", out, err, want)
			}
		})
	}
}

// A file that is served already is laid over nothing a second time.
func TestCatalogDiffWithAFileThatIsServed(t *testing.T) {
	first := fileOf(t, "first.yaml", "models: {m/x: {name: First, endpoints: [{provider: own}]}}")
	second := fileOf(t, "second.yaml", "models: {m/x: {name: Second}}")
	path := fileOf(t, "switchyard.yaml", `
catalog_files: ["`+first+`", "`+second+`"]
providers: {own: {dialect: openai, base_url: "http://127.0.0.1:1/v1"}}
`)
	if out, _, err := switchyard(t, "catalog", "diff", "--config", path, first); err != nil || out != "" {
		t.Errorf("differences %q, %v", out, err)
	}
}

func TestCatalogImportThatFindsNoModel(t *testing.T) {
	configuration := fileOf(t, "switchyard.yaml", "providers: {own: {dialect: openai, base_url: \"http://127.0.0.1:1/v1\"}}\nmodels: {m/x: {endpoints: [{provider: own}]}}\n")
	for _, test := range []struct {
		text      string
		arguments []string
	}{
		{"null", []string{"litellm"}},
		{"{}", []string{"litellm"}},
		{`{"data": []}`, []string{"litellm"}},
		{`{"data": []}`, []string{"openrouter"}},
		{`{"data": {}}`, []string{"openrouter"}},
		{`{"data": []}`, []string{"models", "own", "--config", configuration, "--file"}},
	} {
		output := filepath.Join(t.TempDir(), "catalog.yaml")
		arguments := append([]string{"catalog", "import"}, test.arguments...)
		arguments = append(arguments, fileOf(t, "input.json", test.text))
		if out, _, err := switchyard(t, arguments...); err == nil || errors.Is(err, errUsage) || out != "" {
			t.Errorf("%s of %s: %v, and wrote %q", test.arguments[0], test.text, err, out)
		}
		if _, _, err := switchyard(t, append(arguments, "--output", output)...); err == nil {
			t.Errorf("%s of %s is taken", test.arguments[0], test.text)
		}
		if _, err := os.Stat(output); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("%s of %s wrote a file: %v", test.arguments[0], test.text, err)
		}
	}
}
