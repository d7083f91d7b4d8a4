package ollama

import "github.com/go-json-experiment/json/jsontext"

// The request of POST /api/chat. Absent values are left out; nothing is sent that the
// client did not ask for, but the wish for no stream: streams are the API's default.

type request struct {
	Model       string         `json:"model"`
	Messages    []message      `json:"messages"`
	Stream      bool           `json:"stream"`
	Tools       []tool         `json:"tools,omitzero"`
	Format      jsontext.Value `json:"format,omitzero"` // "json" or a schema
	Think       jsontext.Value `json:"think,omitzero"`  // a boolean or a level
	Logprobs    bool           `json:"logprobs,omitzero"`
	TopLogprobs int64          `json:"top_logprobs,omitzero"`
	Options     jsontext.Value `json:"options,omitzero"`
	KeepAlive   jsontext.Value `json:"keep_alive,omitzero"`
	Truncate    jsontext.Value `json:"truncate,omitzero"`
	Shift       jsontext.Value `json:"shift,omitzero"`
}

type message struct {
	Role       string     `json:"role"` // "system", "user", "assistant" or "tool"
	Content    string     `json:"content"`
	Thinking   string     `json:"thinking,omitzero"`
	Images     []string   `json:"images,omitzero"` // base64
	ToolCalls  []toolCall `json:"tool_calls,omitzero"`
	ToolName   string     `json:"tool_name,omitzero"`
	ToolCallID string     `json:"tool_call_id,omitzero"`
}

type toolCall struct {
	ID       string   `json:"id,omitzero"`
	Function function `json:"function"`
}

type function struct {
	Name      string         `json:"name"`
	Arguments jsontext.Value `json:"arguments"` // an object
}

type tool struct {
	Type     string      `json:"type"` // "function"
	Function declaration `json:"function"`
}

type declaration struct {
	Name        string         `json:"name"`
	Description string         `json:"description,omitzero"`
	Parameters  jsontext.Value `json:"parameters"`
}
