package e2e

import (
	"strings"
	"testing"

	"github.com/switchyard/switchyard/e2e/provider"
)

// deepSeek adds a provider that is no more than a preset at another address.
func (s *stage) deepSeek() *site {
	s.Helper()
	at := s.site("deepseek", "openai", "deepseek-v4-pro", provider.DeepSeek)
	at.config["preset"] = "deepseek"
	at.config["strict"] = false
	return at
}

// What OpenAI's clients send is what a provider with words of its own refuses.
const openAIOnly = `{"model":"m/deepseek","stream":%s,"max_completion_tokens":100,"reasoning":{"effort":"minimal"},"stop":["x"],
	"messages":[{"role":"developer","content":[{"type":"text","text":"Be brief."},{"type":"text","text":"Be kind."}]},
	{"role":"user","content":[{"type":"text","text":"hi"}]},
	{"role":"assistant","content":null,"reasoning":"hm","tool_calls":[{"id":"call_1","type":"function","function":{"name":"f","arguments":"{}"}}]},
	{"role":"tool","tool_call_id":"call_1","content":[{"type":"text","text":"done"}]}],
	"tools":[{"type":"function","function":{"name":"f","parameters":{"type":"object","properties":{}}}}]}`

func TestQuirksOfAPreset(t *testing.T) {
	s := newStage(t)
	at := s.deepSeek()
	s.serve("m/deepseek", at)
	s.start()
	for _, stream := range []string{"false", "true"} {
		answer := s.ask(strings.Replace(openAIOnly, "%s", stream, 1))
		if answer.status != 200 || !strings.Contains(answer.body, said) && stream == "false" {
			t.Errorf("stream %s: %d %s", stream, answer.status, answer.body)
		}
		sent := string(at.last(t).Body)
		for _, want := range []string{
			`"max_tokens":100`, `"thinking":{"type":"enabled"},"reasoning_effort":"low"`, `{"role":"system","content":"Be brief.\n\nBe kind."}`,
			`"role":"tool","tool_call_id":"call_1","content":"done"`, `"reasoning_content":"hm"`,
		} {
			if !strings.Contains(sent, want) {
				t.Errorf("stream %s: %s is not in %s", stream, want, sent)
			}
		}
	}
	// The same fields by clients of other dialects.
	client := startPython(t, "anthropic")
	for _, scenario := range []string{"whole", "stream"} {
		if seen := client.call(t, s, scenario, "m/deepseek"); seen.Error != nil || seen.Text != said {
			t.Errorf("%s: %+v, error %+v", scenario, seen, seen.Error)
		}
	}
}
