package dialect_test

import (
	"regexp"
	"testing"

	"github.com/switchyard/switchyard/extproc/dialect"
	"github.com/switchyard/switchyard/extproc/dialect/anthropic"
	"github.com/switchyard/switchyard/extproc/dialect/cohere"
	"github.com/switchyard/switchyard/extproc/dialect/gemini"
	"github.com/switchyard/switchyard/extproc/dialect/ollama"
	"github.com/switchyard/switchyard/extproc/dialect/openai"
	"github.com/switchyard/switchyard/extproc/dialect/responses"
)

// A conversation holds calls of several answers, and some providers give none an id and
// every answer the same: the ids that the gateway makes are of the generation
// (known-failures 34).
func TestMadeCallIDsAreOfTheGeneration(t *testing.T) {
	answers := map[dialect.Provider]string{
		openai.Provider{}: `{"id":"x","choices":[{"message":{"tool_calls":[{"id":"","function":{"name":"f","arguments":"{}"}}]},"finish_reason":"tool_calls"}]}`,
		gemini.Provider{}: `{"responseId":"x","candidates":[{"content":{"parts":[{"functionCall":{"name":"f","args":{}}}]},"finishReason":"STOP"}]}`,
		cohere.Provider{}: `{"id":"x","message":{"role":"assistant","tool_calls":[{"function":{"name":"f","arguments":"{}"}}]},"finish_reason":"TOOL_CALL"}`,
		ollama.Provider{}: `{"created_at":"x","message":{"role":"assistant","content":"","tool_calls":[{"function":{"name":"f","arguments":{}}}]},"done":true,"done_reason":"stop"}`,
	}
	id := regexp.MustCompile(`"(?:id|call_id)":"(call_[^"]+)"`)
	for provider, answer := range answers {
		for _, client := range []dialect.Client{anthropic.Client{}, gemini.Client{}, openai.Client{}, responses.Client{}} {
			if client.Name() == provider.Name() && client.Name() == gemini.Name {
				continue // passes as it is, and the API has no ids
			}
			var ids []string
			for _, generation := range []string{"gen-1-first", "gen-2-second", "gen-2-second"} {
				meta := dialect.Meta{ID: generation, Price: func(dialect.Usage) dialect.Cost { return dialect.Cost{Total: "0", Prompt: "0", Completion: "0"} }}
				out, err := dialect.NewPipe(client, provider, &dialect.Request{Raw: []byte(`{}`)}, meta).Whole(nil, []byte(answer))
				if err != nil {
					t.Fatal(err)
				}
				found := id.FindSubmatch(out)
				if found == nil {
					t.Fatalf("%T to %T: no id in %s", provider, client, out)
				}
				ids = append(ids, string(found[1]))
			}
			if ids[0] == ids[1] || ids[1] != ids[2] {
				t.Errorf("%T to %T: %q", provider, client, ids)
			}
		}
	}
}
