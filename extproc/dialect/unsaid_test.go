package dialect_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/switchyard/switchyard/extproc/dialect"
	"github.com/switchyard/switchyard/extproc/dialect/anthropic"
	"github.com/switchyard/switchyard/extproc/dialect/gemini"
	"github.com/switchyard/switchyard/extproc/dialect/openai"
)

// clientAt is a Gemini client of a path, or one of the Messages API.
func clientAt(t *testing.T, body string) dialect.Client {
	t.Helper()
	if !strings.Contains(body, `"contents"`) {
		return anthropic.Client{}
	}
	client, err := gemini.Client{}.ReadHead(dialect.Head{Path: "/v1beta/models/m:generateContent", Header: func(string) string { return "" }})
	if err != nil {
		t.Fatal(err)
	}
	return client
}

// What a client's own API alone has is named where another one is spoken, whichever.
func TestWhatOneAPIAloneHasIsNamed(t *testing.T) {
	const hi = `"messages":[{"role":"user","content":"hi"}]`
	for _, test := range []struct {
		name, body string
		dropped    []string
		says       string // the provider's request, somewhere
	}{
		{"edits of the context", `{"context_management":{"edits":[]},"container":"c",` + hi + `}`, []string{"container", "context_management"}, `"hi"`},
		{"what a tool says of itself", `{"tools":[{"name":"f","input_schema":{"type":"object"},"input_examples":[{}],"allowed_callers":["direct"],"defer_loading":true}],` + hi + `}`,
			[]string{"tools.defer_loading", "tools.input_examples"}, `"f"`},
		{"a document to cite", `{"messages":[{"role":"user","content":[{"type":"document","context":"c","citations":{"enabled":true},"source":{"type":"text","media_type":"text/plain","data":"words"}}]}]}`,
			[]string{"messages.citations", "messages.document.context"}, `words`},
		{"a search by the vendor", `{"messages":[{"role":"user","content":"hi"},{"role":"assistant","content":[{"type":"server_tool_use","id":"s","name":"web_search","input":{"query":"q"}},
			{"type":"web_search_tool_result","tool_use_id":"s","content":[{"type":"web_search_result","title":"A title","url":"https://a/b","encrypted_content":"secret"}]},{"type":"text","text":"so"}]},{"role":"user","content":"and?"}]}`,
			[]string{"messages.server_tool_use", "messages.web_search_tool_result"}, `A title\nhttps://a/b`},
		{"a tool of a server", `{"messages":[{"role":"user","content":"hi"},{"role":"assistant","content":[{"type":"mcp_tool_use","id":"s","name":"n","server_name":"x","input":{}},
			{"type":"mcp_tool_result","tool_use_id":"s","is_error":false,"content":[{"type":"text","text":"it rains"}]}]},{"role":"user","content":"and?"}]}`,
			[]string{"messages.mcp_tool_result", "messages.mcp_tool_use"}, `it rains`},
		{"a film's pieces", `{"contents":[{"role":"user","parts":[{"text":"hi"},{"videoMetadata":{"fps":1},"inlineData":{"mimeType":"image/png","data":"iVBO"}}]}],"labels":{"a":"b"}}`,
			[]string{"contents.parts.videoMetadata", "labels"}, `iVBO`},
	} {
		t.Run(test.name, func(t *testing.T) {
			request, err := clientAt(t, test.body).Parse([]byte(test.body))
			if err != nil {
				t.Fatal(err)
			}
			upstream, err := openai.Provider{}.Request(request, dialect.Target{Model: "up"})
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(test.dropped, upstream.Dropped); diff != "" {
				t.Error(diff)
			}
			if body := string(upstream.Body); !strings.Contains(body, test.says) || strings.Contains(body, "secret") {
				t.Errorf("it says %s, want %s in it", body, test.says)
			}
		})
	}
}

// What would be another request without it is refused by name, and still passed on to
// its own API.
func TestWhatOneAPIAloneCanSayIsRefusedElsewhere(t *testing.T) {
	const hi = `"messages":[{"role":"user","content":"hi"}]`
	for _, test := range []struct{ name, body, want string }{
		{"tools of a server", `{"max_tokens":9,"mcp_servers":[{"type":"url","url":"https://a","name":"x"}],` + hi + `}`, "'mcp_servers'"},
		{"where the data may go", `{"max_tokens":9,"inference_geo":"us",` + hi + `}`, "'inference_geo'"},
		{"a block that nobody knows", `{"max_tokens":9,"messages":[{"role":"user","content":"a"},{"role":"user","content":[{"type":"hologram","data":"x"}]}]}`, `'messages.1.content': this model's provider has no blocks of type "hologram"`},
		{"a file for the vendor's tool", `{"max_tokens":9,"messages":[{"role":"user","content":[{"type":"container_upload","file_id":"f"}]}]}`, `"container_upload"`},
		{"a part that nobody knows", `{"contents":[{"role":"user","parts":[{"text":"hi"},{"hologram":{"x":1}}]}]}`, "'contents.0.parts.1.hologram'"},
		{"no part that anybody knows", `{"contents":[{"role":"user","parts":[{"hologram":{"x":1}}]}]}`, "'contents.0.parts.0.hologram'"},
		{"an answer's part that nobody knows", `{"contents":[{"role":"user","parts":[{"text":"hi"}]},{"role":"model","parts":[{"hologram":{"x":1}}]},{"role":"user","parts":[{"text":"so"}]}]}`, "'contents.1.parts.0.hologram'"},
	} {
		t.Run(test.name, func(t *testing.T) {
			request, err := clientAt(t, test.body).Parse([]byte(test.body))
			if err != nil {
				t.Fatal(err)
			}
			if _, err = (openai.Provider{}).Request(request, dialect.Target{Model: "up"}); err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("%v, want %s", err, test.want)
			}
			var own dialect.Provider = anthropic.Provider{}
			if strings.Contains(test.body, `"contents"`) {
				own = gemini.Provider{}
			}
			if upstream, err := own.Request(request, dialect.Target{Model: "up"}); err != nil || len(upstream.Dropped) > 0 {
				t.Errorf("its own API: %v, without %v", err, upstream.Dropped)
			}
		})
	}
}
