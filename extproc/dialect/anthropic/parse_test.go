package anthropic

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/switchyard/switchyard/extproc/dialect"
	"github.com/switchyard/switchyard/extproc/dialect/openai"
)

func parse(t testing.TB, body string) *dialect.Request {
	t.Helper()
	request, err := Client{}.Parse([]byte(body))
	if err != nil {
		t.Fatal(err)
	}
	return request
}

func TestParse(t *testing.T) {
	request := parse(t, `{"model":"m/x","max_tokens":9,"system":"be kind","stream":true,"temperature":0.5,"top_k":3,
		"stop_sequences":["a"],"session_id":"s","metadata":{"user_id":"bob"},"service_tier":"standard_only",
		"fallbacks":[{"model":"m/y"}],"provider":{"order":["A"]},"plugins":[{"id":"web"}],
		"thinking":{"type":"enabled","budget_tokens":2000},"output_config":{"effort":"low","format":{"type":"json_schema","schema":{"type":"object"}}},
		"tools":[{"name":"f","input_schema":{"type":"object"}}],"tool_choice":{"type":"any","disable_parallel_tool_use":true},
		"messages":[{"role":"user","content":[{"type":"text","text":"four"},{"type":"image","source":{"type":"url","url":"https://a/b"}},
			{"type":"document","source":{"type":"url","url":"https://a/c"}}]}]}`)
	want := &dialect.Request{
		Dialect: "anthropic", Model: "m/x", Models: []string{"m/y"}, Stream: true, MaxTokens: 9,
		Parameters: []string{"max_tokens", "parallel_tool_calls", "reasoning", "response_format", "stop", "temperature", "tool_choice", "tools", "top_k", "verbosity"},
		Tools:      true, ToolName: "f", ToolChoice: "required", InputModalities: []string{"file", "image"}, Images: 1, ResponseFormat: "json_schema",
		Provider: []byte(`{"order":["A"]}`), Plugins: []byte(`[{"id":"web"}]`),
		ServiceTier: "default", SessionID: "s", User: "bob", PromptBytes: 7 + 45 + 4, // instructions, tool and text
	}
	ignored := cmpopts.IgnoreFields(dialect.Request{}, "Raw", "Parsed", "Chat", "Conversation")
	if diff := cmp.Diff(want, request, ignored); diff != "" {
		t.Error(diff)
	}
}

func TestParseRefuses(t *testing.T) {
	const hi = `"messages":[{"role":"user","content":"hi"}]`
	for _, test := range []struct{ name, body, want string }{
		{"row 13: malformed JSON", `{"model":"m/x",}`, "not valid JSON"},
		{"row 12: no messages", `{"messages":[]}`, "at least one"},
		{"row 11: no input", `{"model":"m/x"}`, "messages"},
		{"row 141: fallbacks beside models", `{"models":["a"],"fallbacks":[{"model":"b"}],` + hi + `}`, "'fallbacks' and 'models'"},
		{"row 141: four fallbacks", `{"fallbacks":[{"model":"a"},{"model":"b"},{"model":"c"},{"model":"d"}],` + hi + `}`, "3 items"},
		{"row 141: another key", `{"fallbacks":[{"model":"a","x":1}],` + hi + `}`, "'fallbacks.0.x'"},
		{"row 109: a long session", `{"session_id":"` + strings.Repeat("a", 257) + `",` + hi + `}`, "256 characters"},
		{"a role of chats", `{"messages":[{"role":"tool","content":"x"}]}`, "'messages.0.role'"},
		{"content of the wrong type", `{"messages":[{"role":"user","content":1}]}`, "'messages.0.content'"},
		{"a block without a type", `{"messages":[{"role":"user","content":[{}]}]}`, "'messages.0.content.0.type'"},
		{"a result of no call", `{"messages":[{"role":"user","content":[{"type":"tool_result"}]}]}`, "tool_use_id"},
		{"tool choice as a string", `{"tool_choice":"auto",` + hi + `}`, "'tool_choice' must be an object"},
		{"no tokens", `{"max_tokens":0,` + hi + `}`, "'max_tokens' must be at least 1"},
		{"thinking without a budget", `{"thinking":{"type":"enabled"},` + hi + `}`, "budget_tokens"},
		{"instructions of images", `{"system":[{"type":"image"}],` + hi + `}`, "'system.0'"},
	} {
		t.Run(test.name, func(t *testing.T) {
			_, err := Client{}.Parse([]byte(test.body))
			var told *dialect.Error
			if !errors.As(err, &told) || told.Status != 400 || !strings.Contains(told.Message, test.want) {
				t.Errorf("%v, want 400 with %q", err, test.want)
			}
		})
	}
}

// TestRow105SameConversation holds the two client dialects to one idea of a
// conversation.
func TestRow105SameConversation(t *testing.T) {
	chat, err := openai.Client{}.Parse([]byte(`{"messages":[{"role":"system","content":"s"},{"role":"user","content":"hi"}]}`))
	if err != nil {
		t.Fatal(err)
	}
	messages := parse(t, `{"system":[{"type":"text","text":"s","cache_control":{"type":"ephemeral"}}],
		"messages":[{"role":"user","content":"hi"},{"role":"assistant","content":"hey"}]}`)
	if chat.Conversation != messages.Conversation {
		t.Error("the same conversation has two hashes")
	}
	other := parse(t, `{"system":"z","messages":[{"role":"user","content":"hi"}]}`)
	if other.Conversation == messages.Conversation {
		t.Error("two conversations have one hash")
	}
}

func TestRow103BoundReasoning(t *testing.T) {
	const (
		called   = `{"role":"user","content":"hi"},{"role":"assistant","content":[{"type":"thinking","thinking":"hm","signature":"c2ln"},{"type":"tool_use","id":"a","name":"f","input":{}}]}`
		answered = called + `,{"role":"user","content":[{"type":"tool_result","tool_use_id":"a","content":"ok"}]}`
	)
	for _, test := range []struct {
		name, messages string
		want           bool
	}{
		{"in the loop", answered, true},
		{"after it", answered + `,{"role":"assistant","content":"done"},{"role":"user","content":"thanks"}`, false},
		{"nothing signed", strings.ReplaceAll(answered, "c2ln", ""), false},
	} {
		if got := parse(t, `{"messages":[`+test.messages+`]}`).BoundReasoning; got != test.want {
			t.Errorf("%s: %t", test.name, got)
		}
	}
}

// bytewise takes each byte for a token.
type bytewise struct{}

func (bytewise) Count(text string) int64 { return int64(len(text)) }

func TestRow143CountTokens(t *testing.T) {
	asked := ""
	of := func(model string) dialect.Tokenizer { asked = model; return bytewise{} }
	body := `{"model":"m/x","system":"1234","messages":[{"role":"user","content":"12345"}]}`
	if n, err := CountTokens([]byte(body), of); n != 5+1+4+1+2*3+3 || err != nil || asked != "m/x" {
		t.Errorf("%d tokens of %q, %v", n, asked, err)
	}
	if _, err := CountTokens([]byte(`{}`), of); err == nil {
		t.Error("no messages were counted")
	}
}

func TestRow140Error(t *testing.T) {
	for status, want := range map[int]string{
		401: `{"type":"error","error":{"type":"authentication_error","message":"m","error_type":"t"},"request_id":null}`,
		402: `{"type":"error","error":{"type":"billing_error","message":"m","error_type":"t"},"request_id":null}`,
		404: `{"type":"error","error":{"type":"not_found_error","message":"m","error_type":"t"},"request_id":null}`,
		422: `{"type":"error","error":{"type":"invalid_request_error","message":"m","error_type":"t"},"request_id":null}`,
		429: `{"type":"error","error":{"type":"rate_limit_error","message":"m","error_type":"t"},"request_id":null}`,
		502: `{"type":"error","error":{"type":"api_error","message":"m","error_type":"t"},"request_id":null}`,
		503: `{"type":"error","error":{"type":"overloaded_error","message":"m","error_type":"t"},"request_id":null}`,
		504: `{"type":"error","error":{"type":"timeout_error","message":"m","error_type":"t"},"request_id":null}`,
	} {
		got := string(Client{}.Error(&dialect.Error{Status: status, Type: "t", Message: "m"}))
		if got != want {
			t.Errorf("%d: %s", status, got)
		}
	}
	routed := string(Client{}.Error(&dialect.Error{Status: 500, Message: "m", GenerationID: "gen-1"}))
	if !strings.Contains(routed, `"request_id":"gen-1"`) {
		t.Errorf("a routed request's: %s", routed)
	}
	unmarshallable := &dialect.Error{Status: 500, Message: "m\xff", Metadata: map[string]any{"a": func() {}}}
	if got, want := string(Client{}.Error(unmarshallable)), `{"type":"error","error":{"type":"api_error","message":"m�"},"request_id":null}`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}
