package provider

import (
	"fmt"
	"net/http"
)

// Bounds are what a fake's model takes at most. Zero is any.
type Bounds struct {
	// Context is in tokens, prompt and answer together. A token is four bytes of text, so
	// that the fake counts as what it tests does.
	Context int
	// Messages is how many messages there may be.
	Messages int
}

// Bound sets the bounds of the requests to come.
func (p *Provider) Bound(bounds Bounds) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.bounds = bounds
}

// judge refuses what is too long, in OpenAI's words or, of messages, in Anthropic's.
func (b Bounds) judge(body map[string]any) *refusal {
	prompt, answer := 0, 0
	for _, name := range []string{"messages", "input", "contents", "system", "instructions", "systemInstruction", "prompt"} {
		prompt += textBytes(body[name])
	}
	for _, at := range []any{body, body["inferenceConfig"], body["generationConfig"], body["options"]} {
		settings, _ := at.(map[string]any)
		for _, name := range []string{"max_tokens", "max_completion_tokens", "max_output_tokens", "maxTokens", "maxOutputTokens", "num_predict"} {
			if bound, ok := settings[name].(float64); ok {
				answer = int(bound)
			}
		}
	}
	prompt /= 4
	if b.Context > 0 && prompt+answer > b.Context {
		return &refusal{
			status: http.StatusBadRequest, code: "context_length_exceeded", param: "messages",
			message: fmt.Sprintf("This model's maximum context length is %d tokens. However, you requested %d tokens (%d in the messages, %d in the completion). "+
				"Please reduce the length of the messages or completion.", b.Context, prompt+answer, prompt, answer),
		}
	}
	if messages, _ := body["messages"].([]any); b.Messages > 0 && len(messages) > b.Messages {
		return &refusal{
			status:  http.StatusBadRequest,
			message: fmt.Sprintf("messages: List should have at most %d items after validation, not %d", b.Messages, len(messages)),
		}
	}
	return nil
}

// textBytes is the size of all strings in a value.
func textBytes(value any) int {
	sum := 0
	switch value := value.(type) {
	case string:
		return len(value)
	case []any:
		for _, element := range value {
			sum += textBytes(element)
		}
	case map[string]any:
		for _, member := range value {
			sum += textBytes(member)
		}
	}
	return sum
}
