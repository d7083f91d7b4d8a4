package bedrock

import "github.com/go-json-experiment/json/jsontext"

// The request of POST /model/{modelId}/converse. Pointers and absent values are left
// out; nothing is sent that the client did not ask for. Bytes are base64.

type request struct {
	Messages        []turn          `json:"messages"`
	System          []block         `json:"system,omitzero"`
	InferenceConfig inferenceConfig `json:"inferenceConfig,omitzero"`
	ToolConfig      *toolConfig     `json:"toolConfig,omitzero"`
	OutputConfig    *outputConfig   `json:"outputConfig,omitzero"`
	ServiceTier     *serviceTier    `json:"serviceTier,omitzero"`
	Guardrail       jsontext.Value  `json:"guardrailConfig,omitzero"`
	Performance     jsontext.Value  `json:"performanceConfig,omitzero"`
	ModelFields     jsontext.Value  `json:"additionalModelRequestFields,omitzero"`
}

type turn struct {
	Role    string  `json:"role"` // "user" or "assistant"
	Content []block `json:"content"`
}

// block is a piece of a turn, of the instructions or of a tool's result: one field is
// set.
type block struct {
	Text       string            `json:"text,omitzero"`
	Image      *media            `json:"image,omitzero"`
	Audio      *media            `json:"audio,omitzero"`
	Video      *media            `json:"video,omitzero"`
	Document   *media            `json:"document,omitzero"`
	ToolUse    *toolUse          `json:"toolUse,omitzero"`
	ToolResult *toolResult       `json:"toolResult,omitzero"`
	Reasoning  *reasoningContent `json:"reasoningContent,omitzero"`
	CachePoint *cachePoint       `json:"cachePoint,omitzero"`

	// marker is the client's cache marker: a cache point is to follow.
	marker jsontext.Value
}

type media struct {
	Format string `json:"format"`
	Name   string `json:"name,omitzero"` // of documents
	Source source `json:"source"`
}

type source struct {
	Bytes string `json:"bytes"`
}

type toolUse struct {
	ToolUseID string         `json:"toolUseId"`
	Name      string         `json:"name"`
	Input     jsontext.Value `json:"input"` // an object
}

type toolResult struct {
	ToolUseID string  `json:"toolUseId"`
	Content   []block `json:"content"`
	Status    string  `json:"status,omitzero"` // "error", or none
}

type reasoningContent struct {
	ReasoningText   *reasoningText `json:"reasoningText,omitzero"`
	RedactedContent string         `json:"redactedContent,omitzero"`
}

type reasoningText struct {
	Text      string `json:"text"`
	Signature string `json:"signature,omitzero"`
}

type cachePoint struct {
	Type string `json:"type"` // "default"
	TTL  string `json:"ttl,omitzero"`
}

type inferenceConfig struct {
	MaxTokens     int64    `json:"maxTokens,omitzero"`
	Temperature   *float64 `json:"temperature,omitzero"`
	TopP          *float64 `json:"topP,omitzero"`
	StopSequences []string `json:"stopSequences,omitzero"`
}

type toolConfig struct {
	Tools      []tool      `json:"tools"`
	ToolChoice *toolChoice `json:"toolChoice,omitzero"`
}

type tool struct {
	ToolSpec   *toolSpec   `json:"toolSpec,omitzero"`
	CachePoint *cachePoint `json:"cachePoint,omitzero"`
}

type toolSpec struct {
	Name        string      `json:"name"`
	Description string      `json:"description,omitzero"`
	InputSchema inputSchema `json:"inputSchema"`
	Strict      bool        `json:"strict,omitzero"`
}

type inputSchema struct {
	JSON jsontext.Value `json:"json"`
}

// toolChoice has one field set.
type toolChoice struct {
	Auto *struct{}   `json:"auto,omitzero"`
	Any  *struct{}   `json:"any,omitzero"`
	Tool *chosenTool `json:"tool,omitzero"`
}

type chosenTool struct {
	Name string `json:"name"`
}

type outputConfig struct {
	Effort     string      `json:"effort,omitzero"`
	TextFormat *textFormat `json:"textFormat,omitzero"`
}

type textFormat struct {
	Type      string          `json:"type"` // "json_schema"
	Structure formatStructure `json:"structure"`
}

type formatStructure struct {
	JSONSchema jsonSchema `json:"jsonSchema"`
}

type jsonSchema struct {
	Schema      string `json:"schema"` // JSON in a string
	Name        string `json:"name,omitzero"`
	Description string `json:"description,omitzero"`
}

type serviceTier struct {
	Type string `json:"type"`
}
