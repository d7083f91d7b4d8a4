package provider

import (
	"cmp"
	"slices"
	"strings"
)

// Answer is a model's answer in words common to all vendors. The zero value is
// a short text. As a [Script] it is sent faultlessly: as events if the request
// asked for a stream, else in one piece.
type Answer struct {
	// Text is split into pieces before each space when streamed.
	Text string
	// Pieces are the streamed pieces of the text; when given, Text is their
	// sequence.
	Pieces []string
	// Empty makes an answer with no content at all.
	Empty bool
	// Reasoning comes before the text: a signed thinking block on Anthropic,
	// reasoning_content (as compatible vendors have it) on OpenAI, a thought on
	// Gemini, which signs the part behind it, an item on Responses, of which the
	// summary and what is encrypted come on request.
	Reasoning string
	// RedactedThinking is the data of an encrypted block, Anthropic only.
	RedactedThinking string
	// Image is the base64 of a picture behind the text, Responses only.
	Image string
	// Refusal is OpenAI's refusal text; on Anthropic it becomes the text of an
	// answer with the stop reason "refusal".
	Refusal string
	// Citations are of the text, Cohere only.
	Citations []Citation
	// ToolCalls follow the text. Several are parallel calls.
	ToolCalls []ToolCall
	// SameIndex streams each call with index 0, as some compatible vendors do.
	SameIndex bool
	// Finish is the vendor's own finish reason; what fits the content when empty.
	Finish string
	// Model is reported instead of the requested one.
	Model string
	// ServiceTier is reported instead of the requested one: "default", "flex" or
	// "priority" on OpenAI, "standard" or "priority" on Anthropic.
	ServiceTier string
	// Usage is computed when zero: 11 input tokens, one output token a piece.
	Usage Usage
	// UsageIn says which events carry it, OpenAI only.
	UsageIn UsagePlace
}

// ToolCall is one call of a tool.
type ToolCall struct {
	ID        string // "call_1", "call_2", … when empty
	Name      string
	Arguments string // a JSON object, "{}" when empty
}

// Citation is a piece of the text and the document that it is from.
type Citation struct {
	Start, End int // characters of the text
	ID         string
	URL        string // "" for a document without one
}

// Usage counts tokens. Input includes cached and cache-writing ones (Anthropic
// reports it without them); Output includes reasoning.
type Usage struct {
	Input          int
	CacheRead      int
	CacheWrite     int // for five minutes
	CacheWriteHour int
	Output         int
	Reasoning      int
}

// UsagePlace is where a stream reports usage.
type UsagePlace int

const (
	// UsageLast is OpenAI's way: a last chunk without choices, on request.
	UsageLast UsagePlace = iota
	// UsageWithChoices puts it, unasked, in the chunk with the finish reason.
	UsageWithChoices
	// UsageEverywhere repeats a running total, unasked, in every chunk.
	UsageEverywhere
	// UsageNowhere leaves it out, also of answers that are not streamed.
	UsageNowhere
)

// defaultText has characters of one to four bytes, so that splits matter.
const defaultText = "Grüße from the fake, 世界 and 🌍."

// complete fills in what was left to the fake.
func (a Answer) complete() Answer {
	if len(a.Pieces) > 0 {
		a.Text = strings.Join(a.Pieces, "")
	} else {
		if a.Text == "" && !a.Empty && a.Refusal == "" && a.Image == "" && len(a.ToolCalls) == 0 {
			a.Text = defaultText
		}
		a.Pieces = pieces(a.Text)
	}
	calls := make([]ToolCall, len(a.ToolCalls))
	for i, call := range a.ToolCalls {
		call.ID = cmp.Or(call.ID, "call_"+string(rune('1'+i)))
		call.Arguments = cmp.Or(call.Arguments, "{}")
		calls[i] = call
	}
	a.ToolCalls = calls
	if a.Usage == (Usage{}) {
		a.Usage.Reasoning = len(pieces(a.Reasoning))
		a.Usage.Input = 11
		a.Usage.Output = len(a.Pieces) + a.Usage.Reasoning + len(pieces(a.Refusal))
		for _, call := range a.ToolCalls {
			a.Usage.Output += 1 + len(fragments(call.Arguments))
		}
	}
	return a
}

// pieces splits a text before each space, so that the pieces join to the text.
func pieces(text string) []string {
	var all []string
	for text != "" {
		end := len(text)
		if next := strings.IndexByte(text[1:], ' '); next >= 0 {
			end = next + 1
		}
		all = append(all, text[:end])
		text = text[end:]
	}
	return all
}

// fragments splits a call's arguments inside its JSON tokens, as models do.
func fragments(arguments string) []string {
	const length = 5 // characters
	var all []string
	for characters := range slices.Chunk([]rune(arguments), length) {
		all = append(all, string(characters))
	}
	return all
}
