package registry

import (
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
