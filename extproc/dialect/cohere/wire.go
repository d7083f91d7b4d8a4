package cohere

import "github.com/go-json-experiment/json/jsontext"

// The request of POST /chat. Pointers and absent values are left out; nothing is sent
// that the client did not ask for.

type request struct {
	Model            string          `json:"model"`
	Messages         []message       `json:"messages"`
	Stream           bool            `json:"stream,omitzero"`
	Tools            []tool          `json:"tools,omitzero"`
	StrictTools      bool            `json:"strict_tools,omitzero"`
	ToolChoice       string          `json:"tool_choice,omitzero"` // "REQUIRED" or "NONE"
	ResponseFormat   *responseFormat `json:"response_format,omitzero"`
	MaxTokens        int64           `json:"max_tokens,omitzero"`
	StopSequences    []string        `json:"stop_sequences,omitzero"`
	Temperature      *float64        `json:"temperature,omitzero"`
	P                *float64        `json:"p,omitzero"`
	K                *int64          `json:"k,omitzero"`
	Seed             *int64          `json:"seed,omitzero"`
	FrequencyPenalty *float64        `json:"frequency_penalty,omitzero"`
	PresencePenalty  *float64        `json:"presence_penalty,omitzero"`
	Logprobs         bool            `json:"logprobs,omitzero"`
	Thinking         *thinking       `json:"thinking,omitzero"`
	Documents        jsontext.Value  `json:"documents,omitzero"`
	CitationOptions  jsontext.Value  `json:"citation_options,omitzero"`
	SafetyMode       jsontext.Value  `json:"safety_mode,omitzero"`
	Priority         jsontext.Value  `json:"priority,omitzero"`
}

type message struct {
	Role       string     `json:"role"` // "system", "user", "assistant" or "tool"
	Content    []part     `json:"content,omitzero"`
	ToolPlan   string     `json:"tool_plan,omitzero"`
	ToolCalls  []toolCall `json:"tool_calls,omitzero"`
	ToolCallID string     `json:"tool_call_id,omitzero"`
}

// part is a piece of a message: the fields of other kinds stay zero.
type part struct {
	Type     string    `json:"type"` // "text", "thinking", "image_url" or "document"
	Text     *string   `json:"text,omitzero"`
	Thinking string    `json:"thinking,omitzero"`
	ImageURL *imageURL `json:"image_url,omitzero"`
	Document *document `json:"document,omitzero"`
}

type imageURL struct {
	URL    string `json:"url"`
	Detail string `json:"detail,omitzero"`
}

type document struct {
	Data jsontext.Value `json:"data"` // an object
}

type toolCall struct {
	ID       string   `json:"id"`
	Type     string   `json:"type"` // "function"
	Function function `json:"function"`
}

type function struct {
	Name      string `json:"name"`
	Arguments string `json:"arguments"` // JSON
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

type responseFormat struct {
	Type       string         `json:"type"` // "json_object"
	JSONSchema jsontext.Value `json:"json_schema,omitzero"`
}

type thinking struct {
	Type        string `json:"type"` // "enabled" or "disabled"
	TokenBudget int64  `json:"token_budget,omitzero"`
}
