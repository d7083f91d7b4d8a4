package usage

import "github.com/go-json-experiment/json/jsontext"

// Content is what was said in a request: it is kept only for keys that ask for it. Its
// texts are bounded by who makes it; together they are far smaller than a line of the
// ledger's journal may be.
type Content struct {
	Input  Input  `json:"input"`
	Output Output `json:"output"`
	// Error is an object that says why there is no answer, or not all of one; nil if
	// there is.
	Error jsontext.Value `json:"error,omitempty"`
}

// Size is about how many bytes the content takes; it may be nil.
func (c *Content) Size() int {
	if c == nil {
		return 0
	}
	size := len(c.Input.Messages) + len(c.Output.ToolCalls) + len(c.Error)
	for _, text := range []*string{c.Input.Prompt, c.Output.Completion, c.Output.Reasoning} {
		if text != nil {
			size += len(*text)
		}
	}
	return size
}

// Input is what was asked: Messages, an array in the form of Chat Completions, or Prompt.
type Input struct {
	Messages jsontext.Value `json:"messages,omitempty"`
	Prompt   *string        `json:"prompt,omitzero"`
	// Truncated: the oldest of it is left out, or the end of a text.
	Truncated bool `json:"truncated,omitzero"`
}

// Output is what was answered; members are nil where nothing was.
type Output struct {
	Completion *string `json:"completion"`
	Reasoning  *string `json:"reasoning"`
	// ToolCalls is an array in the form of Chat Completions.
	ToolCalls jsontext.Value `json:"tool_calls,omitempty"`
	// Truncated: the end of a text is left out.
	Truncated bool `json:"truncated,omitzero"`
}
