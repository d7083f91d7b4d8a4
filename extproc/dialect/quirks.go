package dialect

import "slices"

// Quirks are how one provider's Chat Completions differ from OpenAI's, in the words of
// the configuration (message Quirks of config.proto). A nil one is a provider that has
// none. It is read-only, and shared by all requests.
type Quirks struct {
	// Rename has the provider's names of fields by OpenAI's.
	Rename map[string]string
	// Cap is the most that is taken of a number, or how many sequences of stop.
	Cap map[string]float64
	// Roles has the provider's words for roles by OpenAI's.
	Roles map[string]string
	// RequiredToolChoice is the word for a tool_choice of "required", "" for that word.
	RequiredToolChoice string
	// Reasoning is how the provider is told to think.
	Reasoning ReasoningForm
	// Efforts are the efforts that reasoning_effort takes; nil means all. Forms other than
	// that field send it besides only where there are some.
	Efforts []string
	// ReasoningField is the field of messages for reasoning, "" for reasoning_content.
	ReasoningField string
	// TextContent: content that is nothing but text goes as a string, never as parts.
	TextContent bool
	// NoNullContent: content that is null or missing goes as an empty string.
	NoNullContent bool
}

// ReasoningForm is a way to tell a provider how much to think.
type ReasoningForm uint8

// The forms, each with what it sends.
const (
	ReasoningEffortField    ReasoningForm = iota // reasoning_effort: high
	ReasoningThinking                            // thinking: {type: enabled}
	ReasoningEnableThinking                      // enable_thinking: true, thinking_budget: 1024
	ReasoningChatTemplate                        // chat_template_kwargs: {enable_thinking: true}
	ReasoningEnabled                             // reasoning: {enabled: true}
	ReasoningObject                              // reasoning, as OpenRouter has it
)

// Name is the provider's name of a field.
func (q *Quirks) Name(field string) string {
	if q == nil {
		return field
	}
	if own, renamed := q.Rename[field]; renamed {
		return own
	}
	return field
}

// EditsMessages reports whether anything in messages may have to change.
func (q *Quirks) EditsMessages() bool {
	return q != nil && (len(q.Roles) > 0 || q.TextContent || q.NoNullContent)
}

// ranked are the efforts from the least.
var ranked = []string{"none", "minimal", "low", "medium", "high", "xhigh", "max"}

// Effort is the effort next to a wish that the provider takes, of two the higher. None
// at all stands for itself alone: it is "" where the provider has no word for it.
func (q *Quirks) Effort(wish string) string {
	if q == nil || q.Efforts == nil || slices.Contains(q.Efforts, wish) {
		return wish
	}
	nearest, least := "", len(ranked)
	for rank, effort := range ranked[1:] {
		distance := rank + 1 - slices.Index(ranked, wish)
		if distance < 0 {
			distance = -distance
		}
		if wish != "none" && distance <= least && slices.Contains(q.Efforts, effort) {
			nearest, least = effort, distance
		}
	}
	return nearest
}
