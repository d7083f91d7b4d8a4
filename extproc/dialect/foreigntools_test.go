package dialect_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/switchyard/switchyard/extproc/dialect"
	"github.com/switchyard/switchyard/extproc/dialect/anthropic"
	"github.com/switchyard/switchyard/extproc/dialect/bedrock"
	"github.com/switchyard/switchyard/extproc/dialect/cohere"
	"github.com/switchyard/switchyard/extproc/dialect/gemini"
	"github.com/switchyard/switchyard/extproc/dialect/ollama"
	"github.com/switchyard/switchyard/extproc/dialect/openai"
	"github.com/switchyard/switchyard/extproc/dialect/responses"
)

func messagesWith(tools string) string {
	return `{"model":"m/x","max_tokens":99,"tools":[` + tools + `],"messages":[{"role":"user","content":"hi"}]}`
}

// The Messages API's search of the web is that of every provider which has one, and
// named as dropped where there is none.
func TestAnthropicsWebSearch(t *testing.T) {
	const located = `{"type":"web_search_20250305","name":"web_search","max_uses":8,"user_location":{"type":"approximate","city":"Oslo","country":"NO"}}`
	for _, test := range []struct {
		name     string
		provider dialect.Provider
		want     string
		dropped  bool
	}{
		{"anthropic", anthropic.Provider{}, `"tools":[` + located + `]`, false},
		{"openai", openai.Provider{}, `"web_search_options":{"user_location":{"type":"approximate","approximate":{"city":"Oslo","country":"NO"}}}`, false},
		{"responses", responses.Provider{}, `"tools":[{"type":"web_search","user_location":{"type":"approximate","city":"Oslo","country":"NO"}}]`, false},
		{"gemini", gemini.Provider{}, `"tools":[{"googleSearch":{}}]`, false},
		{"bedrock", bedrock.Provider{}, ``, true},
		{"cohere", cohere.Provider{}, ``, true},
		{"ollama", ollama.Provider{}, ``, true},
	} {
		t.Run(test.name, func(t *testing.T) {
			upstream := written(t, anthropic.Client{}, test.provider, dialect.Target{Model: claudeOnBedrock}, messagesWith(located))
			if !strings.Contains(string(upstream.Body), test.want) {
				t.Errorf("got  %s\nwant %s", upstream.Body, test.want)
			}
			if test.name != "anthropic" && strings.Contains(string(upstream.Body), "web_search_2025") {
				t.Errorf("passed as it is: %s", upstream.Body)
			}
			if slices.Contains(upstream.Dropped, "web_search_options") != test.dropped {
				t.Errorf("dropped %q", upstream.Dropped)
			}
		})
	}
}

// A choice of the search is no choice of a function, and functions stay beside it.
func TestAnthropicsWebSearchBesideFunctions(t *testing.T) {
	body := strings.Replace(messagesWith(`{"name":"f","input_schema":{"type":"object"}},{"type":"web_search_20260209","name":"web_search"},{"name":"g","input_schema":{"type":"object"}}`),
		`"tools"`, `"tool_choice":{"type":"tool","name":"web_search"},"tools"`, 1)
	got := string(written(t, anthropic.Client{}, openai.Provider{}, dialect.Target{}, body).Body)
	if !strings.Contains(got, `"name":"f"`) || !strings.Contains(got, `"name":"g"`) || !strings.Contains(got, `"web_search_options":{}`) || strings.Contains(got, "tool_choice") {
		t.Error(got)
	}
}

// What only Anthropic's API defines or runs is refused where another one is spoken.
func TestAnthropicsToolsAreRefusedElsewhere(t *testing.T) {
	for tool, field := range map[string]string{
		`{"type":"bash_20250124","name":"bash"}`:                                                            "'tools.1.type'",
		`{"type":"text_editor_20250728","name":"str_replace_based_edit_tool"}`:                              "'tools.1.type'",
		`{"type":"computer_20250124","name":"computer","display_width_px":1,"display_height_px":1}`:         "'tools.1.type'",
		`{"type":"web_fetch_20250910","name":"web_fetch"}`:                                                  "'tools.1.type'",
		`{"type":"mcp_toolset","mcp_server_name":"x"}`:                                                      "'tools.1.type'",
		`{"type":"openrouter:datetime"}`:                                                                    "'tools.1.type'",
		`{"type":"web_search_20250305","name":"web_search","allowed_domains":["a.test"]}`:                   "'tools.1.allowed_domains'",
		`{"type":"web_search_20250305","name":"web_search","allowed_domains":[],"blocked_domains":["a.b"]}`: "'tools.1.blocked_domains'",
	} {
		request, err := anthropic.Client{}.Parse([]byte(messagesWith(`{"name":"f","input_schema":{"type":"object"}},` + tool)))
		if err != nil {
			t.Fatal(err)
		}
		for _, provider := range []dialect.Provider{bedrock.Provider{}, cohere.Provider{}, gemini.Provider{}, ollama.Provider{}, openai.Provider{}, responses.Provider{}} {
			_, err := provider.Request(request, dialect.Target{Model: claudeOnBedrock})
			var told *dialect.Error
			if !errors.As(err, &told) || told.Status != 400 || !strings.Contains(told.Message, field) {
				t.Errorf("%s at %T: %v", tool, provider, err)
			}
		}
		if _, err := (anthropic.Provider{}).Request(request, dialect.Target{}); err != nil {
			t.Errorf("%s at Anthropic: %v", tool, err)
		}
	}
}
