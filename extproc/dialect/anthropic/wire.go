package anthropic

import "github.com/go-json-experiment/json/jsontext"

// The request of POST /v1/messages. Pointers and absent values are left out;
// nothing is sent that the client did not ask for, but for max_tokens.

type request struct {
	Version       string         `json:"anthropic_version,omitzero"`
	Model         string         `json:"model,omitzero"`
	MaxTokens     int64          `json:"max_tokens"`
	System        []block        `json:"system,omitzero"`
	Messages      []turn         `json:"messages"`
	Tools         []any          `json:"tools,omitzero"` // tool or jsontext.Value
	ToolChoice    *toolChoice    `json:"tool_choice,omitzero"`
	StopSequences []string       `json:"stop_sequences,omitzero"`
	Stream        bool           `json:"stream,omitzero"`
	Temperature   *float64       `json:"temperature,omitzero"`
	TopP          *float64       `json:"top_p,omitzero"`
	TopK          *int64         `json:"top_k,omitzero"`
	Thinking      *thinking      `json:"thinking,omitzero"`
	OutputConfig  *outputConfig  `json:"output_config,omitzero"`
	Metadata      *metadata      `json:"metadata,omitzero"`
	ServiceTier   string         `json:"service_tier,omitzero"`
	CacheControl  jsontext.Value `json:"cache_control,omitzero"`
}

type turn struct {
	Role    string  `json:"role"`
	Content []block `json:"content"`
}

// block is a content block of any type: the fields of the others stay zero.
type block struct {
	Type string `json:"type"`

	Text      string  `json:"text,omitzero"`
	Source    *source `json:"source,omitzero"` // of image and document
	Title     string  `json:"title,omitzero"`
	Thinking  *string `json:"thinking,omitzero"`
	Signature string  `json:"signature,omitzero"`
	Data      string  `json:"data,omitzero"` // of redacted_thinking

	ID    string         `json:"id,omitzero"` // of tool_use
	Name  string         `json:"name,omitzero"`
	Input jsontext.Value `json:"input,omitzero"`

	ToolUseID string  `json:"tool_use_id,omitzero"` // of tool_result
	Content   []block `json:"content,omitzero"`
	IsError   bool    `json:"is_error,omitzero"`

	CacheControl jsontext.Value `json:"cache_control,omitzero"`
}

type source struct {
	Type      string `json:"type"` // "base64", "url", "text" or "file"
	MediaType string `json:"media_type,omitzero"`
	Data      string `json:"data,omitzero"`
	URL       string `json:"url,omitzero"`
	FileID    string `json:"file_id,omitzero"`
}

type tool struct {
	Name         string         `json:"name"`
	Description  string         `json:"description,omitzero"`
	InputSchema  jsontext.Value `json:"input_schema"`
	CacheControl jsontext.Value `json:"cache_control,omitzero"`
}

type toolChoice struct {
	Type                   string `json:"type"`
	Name                   string `json:"name,omitzero"`
	DisableParallelToolUse bool   `json:"disable_parallel_tool_use,omitzero"`
}

type thinking struct {
	Type         string `json:"type"` // "enabled" or "adaptive"
	BudgetTokens int64  `json:"budget_tokens,omitzero"`
}

type outputConfig struct {
	Effort string  `json:"effort,omitzero"`
	Format *format `json:"format,omitzero"`
}

type format struct {
	Type   string         `json:"type"`
	Schema jsontext.Value `json:"schema"`
}

type metadata struct {
	UserID string `json:"user_id"`
}
