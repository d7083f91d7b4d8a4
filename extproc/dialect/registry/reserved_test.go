package registry

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/switchyard/switchyard/extproc/dialect"
)

// read parses a body as it comes to a path.
func read(t *testing.T, path, body string) *dialect.Request {
	t.Helper()
	client, known := Clients().At(path)
	if !known {
		t.Fatalf("no client at %s", path)
	}
	if reader, ok := client.(dialect.HeadReader); ok {
		var err error
		if client, err = reader.ReadHead(dialect.Head{Path: path, Header: func(string) string { return "" }}); err != nil {
			t.Fatal(err)
		}
	}
	request, err := client.Parse([]byte(body))
	if err != nil {
		t.Fatalf("%s %s: %v", path, body, err)
	}
	return request
}

// What is reserved is for as many answers as the provider is asked for, in whichever
// words.
func TestEveryClientTellsHowManyAnswersItWants(t *testing.T) {
	for _, test := range []struct {
		path, body string
		want       int64
	}{
		{"/v1/chat/completions", `{"model":"m","n":8,"max_tokens":100,"messages":[{"role":"user","content":"a"}]}`, 8},
		{"/v1/chat/completions", `{"model":"m","n":8.0,"messages":[{"role":"user","content":"a"}]}`, 8},
		{"/v1/chat/completions", `{"model":"m","n":null,"messages":[{"role":"user","content":"a"}]}`, 0},
		{"/v1/completions", `{"model":"m","n":8,"max_tokens":100,"prompt":"a"}`, 8},
		{"/v1beta/models/m:generateContent", `{"contents":[{"parts":[{"text":"a"}]}],"generationConfig":{"candidateCount":8,"maxOutputTokens":100}}`, 8},
		{"/v1beta/models/m:generateContent", `{"contents":[{"parts":[{"text":"a"}]}],"generation_config":{"candidate_count":8.0}}`, 8},
		{"/v1/messages", `{"model":"m","max_tokens":100,"messages":[{"role":"user","content":"a"}]}`, 0},
		{"/v1/responses", `{"model":"m","max_output_tokens":100,"input":"a"}`, 0},
	} {
		request := read(t, test.path, test.body)
		if request.Choices != test.want {
			t.Errorf("%s %s: %d choices, want %d", test.path, test.body, request.Choices, test.want)
		}
		if chat, err := request.Chat(); err != nil || max(1, chat.Choices) != max(1, test.want) {
			t.Errorf("%s %s: other dialects are told of %d, %v", test.path, test.body, chat.Choices, err)
		}
	}
}

// What a tool of the provider's own finds is read like a prompt, and a search has a price
// of its own: none may go unseen in any client's words.
func TestEveryClientTellsWhatItsProviderRuns(t *testing.T) {
	const (
		chat      = `{"model":"m","messages":[{"role":"user","content":"a"}],`
		messages  = `{"model":"m","max_tokens":9,"messages":[{"role":"user","content":"a"}],`
		contents  = `{"contents":[{"parts":[{"text":"a"}]}],`
		responses = `{"model":"m","input":"a",`
	)
	for _, test := range []struct {
		path, body string
		more       bool
		searches   int64
	}{
		{"/v1/chat/completions", chat + `"web_search_options":{}}`, true, 10},
		{"/v1/chat/completions", chat + `"web_search_options":null}`, false, 0},
		{"/v1/chat/completions", chat + `"search_parameters":{"mode":"auto"}}`, true, 10},
		{"/v1/chat/completions", chat + `"search_parameters":{"mode":"off"}}`, false, 0},
		{"/v1/chat/completions", chat + `"tools":[{"type":"openrouter:web_search"}]}`, true, 10},
		{"/v1/chat/completions", chat + `"tools":[{"type":"web_search_20250305","name":"web_search","max_uses":50}]}`, true, 50},
		{"/v1/chat/completions", chat + `"tools":[{"type":"function","function":{"name":"web_search"}},{"name":"f","input_schema":{"type":"object"}}]}`, false, 0},
		{"/v1/messages", messages + `"tools":[{"type":"web_search_20250305","name":"web_search","max_uses":50}]}`, true, 50},
		{"/v1/messages", messages + `"tools":[{"type":"web_search_20250305","name":"web_search","max_uses":2},{"type":"web_search_20260209","name":"again"}]}`, true, 12},
		{"/v1/messages", messages + `"tools":[{"type":"web_search_20250305","name":"web_search","max_uses":9223372036854775807},{"type":"web_search_20250305","name":"again","max_uses":9223372036854775807}]}`, true, 2 << 20},
		{"/v1/messages", messages + `"tools":[{"type":"web_fetch_20250910","name":"web_fetch"}]}`, true, 0},
		{"/v1/messages", messages + `"tools":[{"type":"code_execution_20250825","name":"code_execution"}]}`, true, 0},
		{"/v1/messages", messages + `"tools":[{"type":"mcp_toolset","mcp_server_name":"s"}],"mcp_servers":[{"type":"url","url":"https://example.com","name":"s"}]}`, true, 0},
		{"/v1/messages", messages + `"mcp_servers":[{"type":"url","url":"https://example.com","name":"s"}]}`, true, 0},
		{"/v1/messages", messages + `"container":"c","mcp_servers":[]}`, true, 0},
		{"/v1/messages", messages + `"mcp_servers":[],"container":null}`, false, 0},
		{"/v1/messages", messages + `"tools":[{"type":"bash_20250124","name":"bash"},{"type":"custom","name":"f","input_schema":{"type":"object"}},{"name":"web_search","input_schema":{"type":"object"}}]}`, false, 0},
		{"/v1beta/models/m:generateContent", contents + `"tools":[{"google_search":{}}]}`, true, 10},
		{"/v1beta/models/m:generateContent", contents + `"tools":[{"urlContext":{}}]}`, true, 0},
		{"/v1beta/models/m:generateContent", contents + `"tools":[{"codeExecution":{}}]}`, true, 0},
		{"/v1beta/models/m:generateContent", contents + `"cachedContent":"cachedContents/x"}`, true, 0},
		{"/v1beta/models/m:generateContent", contents + `"tools":[{"functionDeclarations":[{"name":"googleSearch"}]},{"codeExecution":null}]}`, false, 0},
		{"/v1/responses", responses + `"tools":[{"type":"function","name":"web_search","parameters":{}}]}`, false, 0},
	} {
		request := read(t, test.path, test.body)
		if request.ReadsMore != test.more || request.Searches != test.searches {
			t.Errorf("%s %s: more %v and %d searches, want %v and %d", test.path, test.body, request.ReadsMore, request.Searches, test.more, test.searches)
		}
	}
	// Responses has a word for the search alone, which counts as the plugin.
	searching := read(t, "/v1/responses", responses+`"tools":[{"type":"web_search"}]}`)
	if string(searching.Plugins) != `[{"id":"web"}]` {
		t.Errorf("a search of Responses is %s", searching.Plugins)
	}
}

// What is reserved is the bound that the provider is told of, not the one that the client
// wrote: some is left out, some raised, and some given by another name.
func TestBoundIsWhatIsSent(t *testing.T) {
	clients := map[string]string{
		"/v1/chat/completions":              `{"model":"m","max_tokens":%d,"messages":[{"role":"user","content":"a"}]}`,
		"/v1/completions":                   `{"model":"m","max_tokens":%d,"prompt":"a"}`,
		"/v1/messages":                      `{"model":"m","max_tokens":%d,"messages":[{"role":"user","content":"a"}]}`,
		"/v1/responses":                     `{"model":"m","max_output_tokens":%d,"input":"a"}`,
		"/v1beta/models/m:generateContent":  `{"contents":[{"parts":[{"text":"a"}]}],"generationConfig":{"maxOutputTokens":%d}}`,
		"/api/v1/models/m:generateContent":  `{"contents":[{"parts":[{"text":"a"}]}],"generation_config":{"max_output_tokens":%d},"options":{"num_predict":500}}`,
		"/api/v1/chat/completions":          `{"model":"m","max_tokens":3,"max_completion_tokens":%d,"messages":[{"role":"user","content":"a"}]}`,
		"/api/v1/chat/completions#options":  `{"model":"m","max_tokens":%d,"options":{"num_predict":500},"messages":[{"role":"user","content":"a"}]}`,
		"/api/v1/chat/completions#endless":  `{"model":"m","max_tokens":%d,"options":{"num_predict":-1},"messages":[{"role":"user","content":"a"}]}`,
		"/api/v1/chat/completions#thinking": `{"model":"m","max_tokens":%d,"reasoning":{"effort":"high"},"messages":[{"role":"user","content":"a"}]}`,
	}
	targets := map[string]dialect.Target{
		"plain":              {},
		"strict":             {Strict: true},
		"without the fields": {Refused: []string{"max_tokens", "max_completion_tokens", "max_output_tokens", "generationConfig.maxOutputTokens"}},
		"without one":        {Refused: []string{"max_tokens"}},
		"another list":       {Supported: []string{"temperature"}},
		"a list":             {Supported: []string{"max_completion_tokens", "reasoning"}},
		"renamed":            {Quirks: &dialect.Quirks{Rename: map[string]string{"max_tokens": "max_completion_tokens"}}},
		"bounded":            {MaxCompletionTokens: 9000},
	}
	for at, format := range clients {
		path, _, _ := strings.Cut(at, "#")
		for _, most := range []int64{1, 100, 50_000} {
			request := read(t, path, fmt.Sprintf(format, most))
			for name, provider := range Providers() {
				for of, target := range targets {
					target.Model = "anthropic.claude-sonnet-4-5"
					made, err := provider.Request(request, target)
					if err != nil {
						t.Fatalf("%s at %s: %v", at, name, err)
					}
					if got, sent := provider.Bound(request, target), sentBound(t, name, made.Body); got != sent {
						t.Errorf("%s, %d at %s, %s: %d is said to be sent, and %d is: %s", at, most, name, of, got, sent, made.Body)
					}
				}
			}
		}
	}
}

// sentBound is the bound on tokens in a provider's request; zero is none.
func sentBound(t *testing.T, dialect string, body []byte) int64 {
	t.Helper()
	type bounds struct {
		MaxTokens           int64 `json:"max_tokens"`
		MaxCompletionTokens int64 `json:"max_completion_tokens"`
		MaxOutputTokens     int64 `json:"max_output_tokens"`
	}
	var sent struct {
		bounds
		GenerationConfig struct{ MaxOutputTokens int64 } `json:"generationConfig"`
		SnakeConfig      bounds                          `json:"generation_config"`
		InferenceConfig  struct{ MaxTokens int64 }       `json:"inferenceConfig"`
		Options          struct {
			NumPredict int64 `json:"num_predict"`
		} `json:"options"`
	}
	if err := json.Unmarshal(body, &sent); err != nil {
		t.Fatal(err)
	}
	if dialect != "ollama" {
		sent.Options.NumPredict = 0 // others know no such option
	}
	return max(sent.MaxTokens, sent.MaxCompletionTokens, sent.bounds.MaxOutputTokens, sent.GenerationConfig.MaxOutputTokens,
		sent.SnakeConfig.MaxOutputTokens, sent.InferenceConfig.MaxTokens, sent.Options.NumPredict)
}
