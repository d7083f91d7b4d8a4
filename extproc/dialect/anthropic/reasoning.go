package anthropic

import (
	"slices"

	"github.com/switchyard/switchyard/extproc/dialect"
)

// What the API allows as a budget for thinking, in tokens.
const (
	leastBudget = 1024
	mostBudget  = 128000
)

// reasoning turns thinking on if the client asks for it and the API allows it in
// this conversation. Where it does not, thinking gives way: what it excludes, such
// as a forced tool, changes what the answer is, and not only how good.
func (b *builder) reasoning() {
	asked := b.chat.Reasoning
	level := asked.Level()
	if asked == nil || level == "none" || level == "" && asked.MaxTokens == 0 {
		return
	}
	if !b.takes("reasoning") && !b.takes("reasoning_effort") || !b.mayThink() {
		b.drop("reasoning")
		return
	}
	if slices.Contains(b.target.Refused, "thinking.budget_tokens") {
		b.request.Thinking = &thinking{Type: "adaptive"}
		b.request.OutputConfig = &outputConfig{Effort: AdaptiveEffort(level)}
		return
	}
	budget := Budget(asked, b.request.MaxTokens)
	if budget == 0 {
		b.drop("reasoning")
		return
	}
	b.request.Thinking = &thinking{Type: "enabled", BudgetTokens: budget}
}

// Budget is how many tokens of an answer of at most bound may go into thinking, as
// asked for. It is zero where bound leaves no room for it.
func Budget(asked *dialect.Reasoning, bound int64) int64 {
	budget := asked.MaxTokens
	if level := asked.Level(); level != "" {
		budget = int64(float64(bound) * dialect.EffortShare(level))
	}
	// The budget must leave room for an answer.
	budget = min(max(min(budget, mostBudget), leastBudget), bound-1)
	if budget < leastBudget {
		return 0
	}
	return budget
}

// AdaptiveEffort is the effort of a model that finds its budget itself.
func AdaptiveEffort(level string) string {
	switch level {
	case "minimal":
		return "low"
	case "":
		return "medium"
	}
	return level
}

// mayThink reports whether the API takes thinking with this conversation: not with
// a forced tool, not with a prefilled answer, and between tool calls only if the
// thinking that led to them is there.
func (b *builder) mayThink() bool {
	if choice := b.request.ToolChoice; choice != nil && (choice.Type == "any" || choice.Type == "tool") {
		return false
	}
	turns := b.request.Messages
	last := len(turns) - 1
	if turns[last].Role == "assistant" {
		return false
	}
	if last == 0 || turns[last].Content[0].Type != "tool_result" {
		return true
	}
	first := turns[last-1].Content[0].Type
	return first == "thinking" || first == "redacted_thinking"
}
