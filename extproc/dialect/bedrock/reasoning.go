package bedrock

import (
	"slices"
	"strconv"

	"github.com/switchyard/switchyard/extproc/dialect"
	"github.com/switchyard/switchyard/extproc/dialect/anthropic"
)

// thought gives Claude its own thinking back, which it verifies (row 101). Other
// thinking, and any without proof, would be refused and stays behind (row 102).
func thought(detail *dialect.ReasoningDetail) *reasoningContent {
	own := detail.Format == dialect.FormatAnthropic || detail.Format == ""
	switch {
	case own && detail.Type == dialect.ReasoningText && detail.Signature != "":
		return &reasoningContent{ReasoningText: &reasoningText{Text: detail.Text, Signature: detail.Signature}}
	case own && detail.Type == dialect.ReasoningEncrypted && detail.Data != "":
		return &reasoningContent{RedactedContent: detail.Data}
	}
	return nil
}

// reasoning says how much the model is to think, in the model's own words.
func (b *builder) reasoning() {
	asked := b.chat.Reasoning
	level := asked.Level()
	if asked == nil || level == "none" || level == "" && asked.MaxTokens == 0 {
		return
	}
	takes := b.target.Takes("reasoning") || b.target.Takes("reasoning_effort")
	switch {
	case takes && b.family == claude && b.mayThink():
		b.think(asked)
	case takes && b.family == nova2:
		effort := threeLevels(level)
		if c := b.chat; effort == "high" && (c.MaxTokens > 0 || c.Temperature != nil || c.TopP != nil) {
			effort = "medium" // the highest is refused beside any of these
		}
		b.modelField("reasoningConfig", `{"type":"enabled","maxReasoningEffort":"`+effort+`"}`)
	case takes && b.family == gptOSS:
		b.modelField("reasoning_effort", `"`+threeLevels(level)+`"`)
	default:
		b.drop("reasoning")
	}
}

// threeLevels is an effort for models that know three of them.
func threeLevels(level string) string {
	switch level {
	case "max", "xhigh", "high":
		return "high"
	case "low", "minimal":
		return "low"
	}
	return "medium"
}

// think turns Claude's thinking on.
func (b *builder) think(asked *dialect.Reasoning) {
	if slices.Contains(b.target.Refused, "thinking.budget_tokens") {
		b.modelField("thinking", `{"type":"adaptive"}`)
		b.output().Effort = anthropic.AdaptiveEffort(asked.Level())
		b.thinks = true
		return
	}
	bound := anthropic.Bound(b.chat, b.target)
	budget := anthropic.Budget(asked, bound)
	if budget == 0 {
		b.drop("reasoning")
		return
	}
	b.modelField("thinking", `{"type":"enabled","budget_tokens":`+strconv.FormatInt(budget, 10)+`}`)
	b.request.InferenceConfig.MaxTokens = bound
	b.thinks = true
}

// mayThink reports whether Claude takes thinking with this conversation: not with a
// forced tool, not with a prefilled answer, and between tool calls only if the
// thinking that led to them is there.
func (b *builder) mayThink() bool {
	if config := b.request.ToolConfig; config != nil && config.ToolChoice != nil && config.ToolChoice.Auto == nil {
		return false
	}
	turns := b.request.Messages
	last := len(turns) - 1
	if turns[last].Role == "assistant" {
		return false
	}
	return last == 0 || turns[last].Content[0].ToolResult == nil || turns[last-1].Content[0].Reasoning != nil
}
