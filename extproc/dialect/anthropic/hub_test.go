package anthropic

import (
	"encoding/base64"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/switchyard/switchyard/extproc/dialect"
	"github.com/switchyard/switchyard/extproc/dialect/openai"
)

// TestToChat writes requests for a provider of Chat Completions (spec section 9.3,
// from right to left).
func TestToChat(t *testing.T) {
	const hi = `"messages":[{"role":"user","content":"hi"}]`
	for _, test := range []struct{ name, body, want string }{
		{"instructions first, wherever they stand", `{"messages":[{"role":"user","content":"hi"}],"system":"s"}`,
			`{"model":"up","messages":[{"role":"system","content":"s"},{"role":"user","content":"hi"}]}`},
		{"settings", `{"max_tokens":9,"temperature":0.5,"top_p":0.9,"top_k":3,"stop_sequences":["a"],"stream":true,` + hi + `}`,
			`{"model":"up","messages":[{"role":"user","content":"hi"}],"stream":true,"max_tokens":9,"stop":["a"],"temperature":0.5,"top_p":0.9,"top_k":3,"stream_options":{"include_usage":true}}`},
		{"row 142: a tool turn", `{"tools":[{"name":"f","description":"d","input_schema":{"type":"object"}}],"tool_choice":{"type":"tool","name":"f","disable_parallel_tool_use":true},
			"messages":[{"role":"user","content":"hi"},
			{"role":"assistant","content":[{"type":"text","text":"so"},{"type":"tool_use","id":"a","name":"f","input":{"x":1}},{"type":"tool_use","id":"b","name":"f","input":{}}]},
			{"role":"user","content":[{"type":"tool_result","tool_use_id":"a","content":"one"},{"type":"tool_result","tool_use_id":"b","is_error":true,"content":[{"type":"text","text":"bad"}]},{"type":"text","text":"and?"}]}]}`,
			`{"model":"up","messages":[{"role":"user","content":"hi"},` +
				`{"role":"assistant","content":"so","tool_calls":[{"id":"a","type":"function","function":{"name":"f","arguments":"{\"x\":1}"}},{"id":"b","type":"function","function":{"name":"f","arguments":"{}"}}]},` +
				`{"role":"tool","tool_call_id":"a","content":"one"},{"role":"tool","tool_call_id":"b","content":"Error: bad"},{"role":"user","content":"and?"}],` +
				`"tools":[{"type":"function","function":{"name":"f","description":"d","parameters":{"type":"object"}}}],"tool_choice":{"type":"function","function":{"name":"f"}},"parallel_tool_calls":false}`},
		{"images and documents", `{"messages":[{"role":"user","content":[{"type":"image","source":{"type":"base64","media_type":"image/png","data":"iVBO"}},
			{"type":"document","title":"a.pdf","source":{"type":"base64","media_type":"application/pdf","data":"JVBE"}},
			{"type":"document","title":"notes","source":{"type":"text","media_type":"text/plain","data":"plain"}}]}]}`,
			`{"model":"up","messages":[{"role":"user","content":[{"type":"image_url","image_url":{"url":"data:image/png;base64,iVBO"}},` +
				`{"type":"file","file":{"filename":"a.pdf","file_data":"data:application/pdf;base64,JVBE"}},{"type":"text","text":"notes\nplain"}]}]}`},
		{"an image from a tool", `{"messages":[{"role":"user","content":"hi"},{"role":"assistant","content":[{"type":"tool_use","id":"a","name":"f","input":{}}]},
			{"role":"user","content":[{"type":"tool_result","tool_use_id":"a","content":[{"type":"text","text":"see"},{"type":"image","source":{"type":"url","url":"https://a/b"}}]}]}]}`,
			`{"model":"up","messages":[{"role":"user","content":"hi"},{"role":"assistant","content":null,"tool_calls":[{"id":"a","type":"function","function":{"name":"f","arguments":"{}"}}]},` +
				`{"role":"tool","tool_call_id":"a","content":"see"},{"role":"user","content":[{"type":"image_url","image_url":{"url":"https://a/b"}}]}]}`},
		{"a budget to think", `{"thinking":{"type":"enabled","budget_tokens":2000},` + hi + `}`,
			`{"model":"up","messages":[{"role":"user","content":"hi"}],"reasoning_effort":"low"}`},
		{"as much thought as the effort", `{"thinking":{"type":"adaptive"},"output_config":{"effort":"high"},` + hi + `}`,
			`{"model":"up","messages":[{"role":"user","content":"hi"}],"reasoning_effort":"high"}`},
		{"no thought", `{"thinking":{"type":"disabled"},` + hi + `}`,
			`{"model":"up","messages":[{"role":"user","content":"hi"}],"reasoning_effort":"none"}`},
		{"a schema", `{"output_config":{"format":{"type":"json_schema","schema":{"type":"object"}}},` + hi + `}`,
			`{"model":"up","messages":[{"role":"user","content":"hi"}],"response_format":{"type":"json_schema","json_schema":{"name":"output","schema":{"type":"object"},"strict":true}}}`},
		{"what other APIs have no word for", `{"context_management":{"edits":[]},"speed":"standard","user":"",` + hi + `}`,
			`{"model":"up","messages":[{"role":"user","content":"hi"}]}`},
	} {
		t.Run(test.name, func(t *testing.T) {
			upstream, err := openai.Provider{}.Request(parse(t, test.body), dialect.Target{Model: "up"})
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(test.want, string(upstream.Body)); diff != "" {
				t.Errorf("%s\n%s", diff, upstream.Body)
			}
		})
	}
}

// TestPassedRequest writes requests for a provider of the same API.
func TestPassedRequest(t *testing.T) {
	const hi = `"messages":[ {"role":"user","content":"hi"} ]`
	for _, test := range []struct {
		name, body string
		target     dialect.Target
		want       string
		dropped    []string
	}{
		{name: "bytes are kept", body: `{"model":"m/x","max_tokens": 9,"new_field":{ "a":1 },` + hi + `}`,
			want: `{"model":"up","max_tokens": 9,"new_field":{ "a":1 },` + hi + `}`},
		{name: "a bound is demanded", body: `{"model":"m/x",` + hi + `}`, target: dialect.Target{MaxCompletionTokens: 7},
			want: `{"model":"up",` + hi + `,"max_tokens":7}`},
		{name: "what is the gateway's", body: `{"model":"m/x","max_tokens":9,"models":["a"],"provider":{},"plugins":[],"transforms":[],"debug":{},"route":"fallback","session_id":"s","trace":{},"metadata":{"user_id":"bob"},` + hi + `}`,
			want: `{"model":"up","max_tokens":9,"metadata":{"user_id":"` + dialect.EndUser("bob") + `"},` + hi + `}`},
		{name: "order is kept", body: `{"max_tokens":9,"service_tier":"auto","metadata":{"user_id":"bob"},` + hi + `,"model":"m/x","stream":true}`,
			want: `{"max_tokens":9,"service_tier":"auto","metadata":{"user_id":"` + dialect.EndUser("bob") + `"},` + hi + `,"model":"up","stream":true}`},
		{name: "no model", body: `{"max_tokens":9,` + hi + `}`, want: `{"model":"up","max_tokens":9,` + hi + `}`},
		{name: "row 18: what the endpoint does not take", body: `{"model":"m/x","max_tokens":9,"top_k":5,"thinking":{"type":"adaptive"},"output_config":{"effort":"high","task_budget":{"tokens":1}},` + hi + `}`,
			target: dialect.Target{Supported: []string{"max_tokens"}},
			want:   `{"model":"up","max_tokens":9,"output_config":{"task_budget":{"tokens":1}},` + hi + `}`, dropped: []string{"output_config.effort", "thinking", "top_k"}},
		{name: "a strict provider", body: `{"model":"m/x","max_tokens":9,"new_field":1,` + hi + `}`, target: dialect.Target{Strict: true},
			want: `{"model":"up","max_tokens":9,` + hi + `}`, dropped: []string{"new_field"}},
		{name: "a model without budgets", body: `{"model":"m/x","max_tokens":9,"thinking":{"type":"enabled","budget_tokens":2000},` + hi + `}`,
			target: dialect.Target{Refused: []string{"thinking.budget_tokens"}},
			want:   `{"model":"up","max_tokens":9,"thinking":{"type":"adaptive"},` + hi + `}`, dropped: []string{"thinking.budget_tokens"}},
		{name: "row 102: another maker's thought", body: `{"model":"m/x","max_tokens":9,"messages":[{"role":"user","content":"hi"},{"role":"assistant","content":[{"type":"thinking","thinking":"hm","signature":""},{"type":"text","text":"hey"}]},{"role":"user","content":"so?"}]}`,
			want: `{"model":"up","max_tokens":9,"messages":[{"role":"user","content":[{"type":"text","text":"hi"}]},{"role":"assistant","content":[{"type":"text","text":"hey"}]},{"role":"user","content":[{"type":"text","text":"so?"}]}]}`, dropped: []string{"messages.reasoning_details"}},
		{name: "row 101: its own thought", body: `{"model":"m/x","max_tokens":9,"messages":[{"role":"user","content":"hi"},{"role":"assistant","content":[{"type":"thinking","thinking":"hm","signature":"c2ln"},{"type":"text","text":"hey"}]},{"role":"user","content":"so?"}]}`,
			want: `{"model":"up","max_tokens":9,"messages":[{"role":"user","content":"hi"},{"role":"assistant","content":[{"type":"thinking","thinking":"hm","signature":"c2ln"},{"type":"text","text":"hey"}]},{"role":"user","content":"so?"}]}`},
	} {
		t.Run(test.name, func(t *testing.T) {
			test.target.Model = "up"
			upstream, err := Provider{}.Request(parse(t, test.body), test.target)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(test.want, string(upstream.Body)); diff != "" {
				t.Error(diff)
			}
			if diff := cmp.Diff(test.dropped, upstream.Dropped); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// TestContextManagementIsAnnounced: the API refuses the field without its beta header.
func TestContextManagementIsAnnounced(t *testing.T) {
	for body, want := range map[string]bool{
		`{"context_management":{"edits":[]},"messages":[{"role":"user","content":"hi"}]}`: true,
		`{"messages":[{"role":"user","content":"hi"}]}`:                                   false,
	} {
		upstream, err := Provider{}.Request(parse(t, body), dialect.Target{Model: "up"})
		if err != nil {
			t.Fatal(err)
		}
		if got := slices.Contains(upstream.Headers, dialect.Header{Name: "anthropic-beta", Value: contextBeta}); got != want {
			t.Errorf("%s: announced is %t", body, got)
		}
	}
}

// TestNestedResultsAreBounded: blocks within blocks cost a walk each.
func TestNestedResultsAreBounded(t *testing.T) {
	const open, shut = `[{"type":"tool_result","tool_use_id":"a","content":`, `}]`
	const levels = 2000
	request := parse(t, `{"messages":[{"role":"user","content":`+strings.Repeat(open, levels)+`"x"`+strings.Repeat(shut, levels)+`}]}`)
	chat, err := request.Chat()
	if err != nil {
		t.Fatal(err)
	}
	depth := 0
	for parts := chat.Messages[0].Parts; len(parts) > 0; parts = parts[0].Result.Parts {
		depth++
	}
	if depth != deepest {
		t.Errorf("read %d levels, want %d", depth, deepest)
	}
}

// TestForgedSeals: nothing that a client seals passes for Anthropic's own.
func TestForgedSeals(t *testing.T) {
	for _, forged := range []string{`{"type":"reasoning.text","format":"anthropic-claude-v1","signature":"s"}`, `{"type":"weird"}`, `{`, ``} {
		block := `{"type":"thinking","thinking":"hm","signature":"` + sealPrefix + base64.RawURLEncoding.EncodeToString([]byte(forged)) + `"}`
		want := dialect.ReasoningDetail{Type: dialect.ReasoningText, Text: "hm", Format: dialect.FormatUnknown}
		if diff := cmp.Diff(want, readThought("thinking", []byte(block))); diff != "" {
			t.Errorf("%s: %s", forged, diff)
		}
	}
}
