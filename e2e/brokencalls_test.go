package e2e

import (
	"strings"
	"testing"

	"github.com/switchyard/switchyard/e2e/provider"
)

// A call whose arguments are cut is no call without arguments: the Messages API has an
// object for them, and another provider gets its turn, or an error ends the stream.
func TestBrokenCallsThroughMessages(t *testing.T) {
	s := newStage(t)
	first, second := s.openAI("first"), s.openAI("second")
	s.serve("m/one", first, second)
	s.start()
	const tools = `"max_tokens":99,"tools":[{"name":"f","input_schema":{"type":"object"}}],"messages":[{"role":"user","content":"go"}],"provider":{"order":["first","second"]}}`
	broken := provider.Answer{ToolCalls: []provider.ToolCall{{ID: "call_a", Name: "f", Arguments: `{"city": "Pa`}}}

	first.Enqueue(broken)
	second.Enqueue(provider.Answer{ToolCalls: []provider.ToolCall{{ID: "call_b", Name: "f", Arguments: `{"city":"Paris"}`}}})
	got := s.messages(`{"model":"m/one",` + tools)
	if got.status != 200 || !strings.Contains(got.body, `"input":{"city":"Paris"}`) || !strings.Contains(got.body, `"stop_reason":"tool_use"`) || second.calls() != 1 {
		t.Errorf("%d after %d calls: %s", got.status, second.calls(), got.body)
	}

	// Whether the first byte is out before the call breaks is up to the network.
	first.Enqueue(broken)
	got = s.messages(`{"model":"m/one","stream":true,` + tools)
	told, moved := strings.Contains(got.body, "event: error"), second.calls() == 2
	if told == moved || told && strings.Contains(got.body, "message_stop") || moved && !strings.Contains(got.body, "message_stop") {
		t.Errorf("an error: %v, another provider: %v: %s", told, moved, got.body)
	}
}

// The Messages API's search of the web is the provider's own where it speaks another
// dialect; what Anthropic alone defines is refused.
func TestAnthropicsToolsElsewhere(t *testing.T) {
	s := newStage(t)
	google := s.gemini("google")
	s.serve("m/gemini", google)
	s.start()
	ask := func(tool string) answer {
		return s.messages(`{"model":"m/gemini","max_tokens":99,"tools":[` + tool + `],"messages":[{"role":"user","content":"go"}]}`)
	}
	if got := ask(`{"type":"web_search_20250305","name":"web_search","max_uses":8}`); got.status != 200 || !strings.Contains(string(google.last(t).Body), `"googleSearch":{}`) {
		t.Errorf("%d %s\n%s", got.status, got.body, google.last(t).Body)
	}
	if got := ask(`{"type":"bash_20250124","name":"bash"}`); got.status != 400 || !strings.Contains(got.body, "'tools.0.type'") {
		t.Errorf("%d %s", got.status, got.body)
	}
}
