package dialect_test

import (
	"strings"
	"testing"

	"github.com/switchyard/switchyard/extproc/dialect"
	"github.com/switchyard/switchyard/extproc/dialect/anthropic"
	"github.com/switchyard/switchyard/extproc/dialect/gemini"
	"github.com/switchyard/switchyard/extproc/dialect/openai"
	"github.com/switchyard/switchyard/extproc/dialect/responses"
)

// What the model said changes, and not a byte else; unless a bound cut it, or it is in
// pieces.
func TestEditText(t *testing.T) {
	for _, test := range []struct {
		name         string
		client       dialect.TextEditor
		answer, want string // "" for no change
	}{
		{"chat", openai.Client{}, `{"id": "x","choices":[{"index":0,"finish_reason":"stop","message":{"role":"assistant","content":"a\n","reasoning":"a","x":[1]}},{"index":1,"finish_reason":"length","message":{"content":"a"}},{"index":2,"finish_reason":"stop","message":{"content":null}}],"usage":{}}`,
			`{"id": "x","choices":[{"index":0,"finish_reason":"stop","message":{"role":"assistant","content":"A\n","reasoning":"a","x":[1]}},{"index":1,"finish_reason":"length","message":{"content":"a"}},{"index":2,"finish_reason":"stop","message":{"content":null}}],"usage":{}}`},
		{"chat, calls", openai.Client{}, `{"choices":[{"finish_reason":"tool_calls","message":{"content":"a"}}]}`, ""},
		{"messages", anthropic.Client{}, `{"content":[{"type":"thinking","thinking":"a","text":"a"},{"type":"text","text":"a"}],"stop_reason":"end_turn"}`,
			`{"content":[{"type":"thinking","thinking":"a","text":"a"},{"type":"text","text":"A"}],"stop_reason":"end_turn"}`},
		{"messages, in pieces", anthropic.Client{}, `{"content":[{"type":"text","text":"a"},{"type":"text","text":"a"}],"stop_reason":"end_turn"}`, ""},
		{"messages, cut", anthropic.Client{}, `{"content":[{"type":"text","text":"a"}],"stop_reason":"max_tokens"}`, ""},
		{"responses", responses.Client{}, `{"status":"completed","output":[{"type":"reasoning","summary":[{"type":"summary_text","text":"a"}]},{"type":"message","content":[{"type":"output_text","text":"a","annotations":[]}]}]}`,
			`{"status":"completed","output":[{"type":"reasoning","summary":[{"type":"summary_text","text":"a"}]},{"type":"message","content":[{"type":"output_text","text":"A","annotations":[]}]}]}`},
		{"responses, cut", responses.Client{}, `{"status":"incomplete","output":[{"type":"message","content":[{"type":"output_text","text":"a"}]}]}`, ""},
		{"gemini", gemini.Client{}, `{"candidates":[{"content":{"parts":[{"text":"a","thought":true},{"text":"a"}],"role":"model"},"finishReason":"STOP"},{"content":{"parts":[{"text":"a"}]},"finishReason":"MAX_TOKENS"}]}`,
			`{"candidates":[{"content":{"parts":[{"text":"a","thought":true},{"text":"A"}],"role":"model"},"finishReason":"STOP"},{"content":{"parts":[{"text":"a"}]},"finishReason":"MAX_TOKENS"}]}`},
		{"an error", openai.Client{}, `{"error":{"message":"a"}}`, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			if test.want == "" {
				test.want = test.answer
			}
			if got := string(test.client.EditText([]byte("~"), []byte(test.answer), strings.ToUpper)); got != "~"+test.want {
				t.Errorf("got  %s\nwant ~%s", got, test.want)
			}
			if got := string(test.client.EditText(nil, []byte(test.answer), func(text string) string { return text })); got != test.answer {
				t.Errorf("unchanged: got %s", got)
			}
		})
	}
}
