package dialect

import (
	"bytes"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/switchyard/switchyard/extproc/dialect/rawjson"
)

// Chat is a conversation and what is asked about it: the superset of what the
// dialects can say. Fields at their zero value were not given. What no field
// holds is kept in Extra, so that a provider dialect can pass it on or name it as
// dropped.
type Chat struct {
	Messages          []Message
	Tools             []Tool
	ToolChoice        ToolChoice
	ParallelToolCalls *bool

	MaxTokens        int64
	Stop             []string
	Temperature      *float64
	TopP             *float64
	TopK             *int64
	FrequencyPenalty *float64
	PresencePenalty  *float64
	Seed             *int64
	Logprobs         bool
	TopLogprobs      *int64
	Choices          int64 // how many answers; zero means one

	Reasoning    *Reasoning
	Format       *Format
	Verbosity    string
	ServiceTier  string
	User         string
	CacheControl jsontext.Value

	Extra []Field

	// Unsaid names what the client said that is not held here, in its dialect's words.
	// Whatever is written of the conversation lacks it.
	Unsaid []string
	// Unsayable is an *Error where the conversation holds what would be another one
	// without it, and only the client's own dialect can say that.
	Unsayable error
}

// CannotSay notes what keeps the conversation from being said in another dialect. The
// first is told.
func (c *Chat) CannotSay(format string, args ...any) {
	if c.Unsayable == nil {
		c.Unsayable = Invalid(format, args...)
	}
}

// Field is a member that has no place of its own, as the client wrote it.
type Field struct {
	Name  string
	Value jsontext.Value
}

// Role says who speaks.
type Role string

// The roles. A tool's results are parts of a message of RoleTool.
const (
	RoleSystem    Role = "system"
	RoleDeveloper Role = "developer"
	RoleUser      Role = "user"
	RoleAssistant Role = "assistant"
	RoleTool      Role = "tool"
)

// Message is one turn, or one of several in a row by the same speaker.
type Message struct {
	Role  Role
	Name  string
	Parts []Part
}

// PartKind tells the parts of a message apart.
type PartKind uint8

// The kinds of parts, with the field of [Part] that holds each.
const (
	PartText       PartKind = iota // Text
	PartRefusal                    // Text
	PartReasoning                  // Reasoning
	PartImage                      // Media
	PartAudio                      // Media
	PartVideo                      // Media
	PartFile                       // Media
	PartToolCall                   // Call
	PartToolResult                 // Result
)

// Part is a piece of a message.
type Part struct {
	Kind      PartKind
	Text      string
	Media     *Media
	Call      *ToolCall
	Result    *ToolResult
	Reasoning *ReasoningDetail
	// CacheControl marks the end of a prefix to cache, as the client wrote it.
	CacheControl jsontext.Value
}

// Media is an image, a sound, a film or a file, by one of URL, Data and FileID.
type Media struct {
	URL    string
	Data   string // base64
	FileID string
	// Type is the media type of Data, or for audio the client's name of the
	// format, such as "wav".
	Type   string
	Name   string
	Detail string
}

// ToolCall is a call that the assistant made.
type ToolCall struct {
	ID   string
	Name string
	// Arguments is what the assistant wrote, which is JSON only if it did well.
	Arguments string
}

// Input is the arguments as an object. What a model wrote badly becomes an empty
// one, since providers that take no text refuse a conversation with anything else
// in it.
func (c *ToolCall) Input() jsontext.Value {
	if input, ok := ToolInput(c.Arguments); ok {
		return input
	}
	return jsontext.Value(`{}`)
}

// ToolInput is the arguments of a call as an object, which is empty where there are
// none. It reports false where they are something else, such as JSON that was cut.
func ToolInput[T ~string | ~[]byte](arguments T) (jsontext.Value, bool) {
	text := bytes.TrimSpace([]byte(arguments))
	if len(text) == 0 || string(text) == "null" {
		return jsontext.Value(`{}`), true
	}
	if rawjson.Kind(text) != '{' || rawjson.Validate(text) != nil {
		return nil, false
	}
	return text, true
}

// ToolResult answers a call.
type ToolResult struct {
	CallID string
	Parts  []Part
	Failed bool
}

// Tool is a function that the assistant may call.
type Tool struct {
	Name, Description string
	Parameters        jsontext.Value
	Strict            *bool
	CacheControl      jsontext.Value
	// Other is the whole of a tool that is not a function; nothing else is set.
	Other jsontext.Value
}

// ToolChoice says whether tools must be called. Name is set for one tool only.
type ToolChoice struct {
	Mode string // "auto", "none", "required", "tool", or "" if not given
	Name string
}

// Reasoning is how much the model is to think first (spec section 4.5).
type Reasoning struct {
	// Effort is "max", "xhigh", "high", "medium", "low", "minimal", "none" or "".
	Effort string
	// MaxTokens is a budget; it is zero where Effort is set.
	MaxTokens int64
	// Enabled is the client's switch, nil if not given.
	Enabled *bool
	Exclude bool
	Summary string
}

// Level is the effort asked for, with the switch taken into account: "none" for
// off, "" if the model is to decide.
func (r *Reasoning) Level() string {
	switch {
	case r == nil:
		return ""
	case r.Effort != "":
		return r.Effort
	case r.Enabled != nil && !*r.Enabled:
		return "none"
	case r.MaxTokens == 0 && r.Enabled != nil:
		return "medium"
	}
	return ""
}

// NearestEffort is the effort to ask for where a budget of tokens, if that is what the
// client gave, cannot be said; "" if the model is to decide.
func (r *Reasoning) NearestEffort() string {
	if level := r.Level(); level != "" || r == nil || r.MaxTokens == 0 {
		return level
	}
	switch budget := r.MaxTokens; {
	case budget <= 2048:
		return "low"
	case budget <= 8192:
		return "medium"
	}
	return "high"
}

// Format is the form of the answer: "text", "json_object" or "json_schema".
type Format struct {
	Type        string
	Name        string
	Description string
	Schema      jsontext.Value
	Strict      *bool
}

// ReasoningDetail is a piece of reasoning (spec section 4.5). Clients send it back
// unchanged, and the provider that made it verifies it.
type ReasoningDetail struct {
	// Type is "reasoning.text", "reasoning.summary" or "reasoning.encrypted".
	Type string
	// Text is the text or the summary.
	Text string
	// Signature proves Text; Data is what only the provider can read.
	Signature string
	Data      string
	ID        string
	// Format names the maker, for example "anthropic-claude-v1".
	Format string
	// Index tells the pieces of one detail from those of the next.
	Index int
	// Endpoint is the only one that can read Data, by the name of [Meta.Endpoint]; ""
	// where the client's dialect does not keep it.
	Endpoint string
}

// The types and formats of reasoning details.
const (
	ReasoningText      = "reasoning.text"
	ReasoningSummary   = "reasoning.summary"
	ReasoningEncrypted = "reasoning.encrypted"

	FormatUnknown   = "unknown"
	FormatAnthropic = "anthropic-claude-v1"
	FormatGemini    = "google-gemini-v1"
	FormatResponses = "openai-responses-v1"
)
