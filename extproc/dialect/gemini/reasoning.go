package gemini

import (
	"slices"
	"strings"

	"github.com/switchyard/switchyard/extproc/dialect"
)

// reasoning says how much to think, and whether to tell of it (spec section 4.5).
// Without a word from the client the model decides, and thinks in silence.
func (b *builder) reasoning() {
	asked := b.chat.Reasoning
	tell := (asked != nil || slices.Contains(b.client.Parameters, "include_reasoning")) && !b.client.HideReasoning
	if asked == nil && !tell {
		return
	}
	if !b.target.Takes("reasoning") && !b.target.Takes("reasoning_effort") {
		if asked != nil {
			b.drop("reasoning")
		}
		return
	}
	level := asked.Level()
	config := thinkingConfig{IncludeThoughts: tell && level != "none"}
	switch {
	case asked != nil && asked.MaxTokens > 0:
		budget := b.bounded(asked.MaxTokens)
		config.ThinkingBudget = &budget
	case level == "":
	case b.generation >= 3:
		config.ThinkingLevel = thinkingLevel(b.target.Model, level)
	default:
		budget := b.budget(level)
		config.ThinkingBudget = &budget
	}
	if config != (thinkingConfig{}) {
		b.request.GenerationConfig.ThinkingConfig = &config
	}
}

// thinkingLevel puts an effort into the levels of the third generation, which cannot
// stop thinking.
func thinkingLevel(model, effort string) string {
	switch effort {
	case "max", "xhigh":
		return "high"
	case "none", "minimal":
		if strings.Contains(model, "-pro") {
			return "low" // its least
		}
		return "minimal"
	}
	return effort
}

// budget is the part of the answer's tokens that an effort is worth.
func (b *builder) budget(effort string) int64 {
	if effort == "none" && !strings.Contains(b.target.Model, "-pro") {
		return 0
	}
	room := b.chat.MaxTokens
	if room == 0 {
		room = b.target.MaxCompletionTokens
	}
	if effort == "none" {
		room = 0
	} else if room == 0 {
		_, room = budgets(b.target.Model)
	}
	return b.bounded(int64(float64(room) * dialect.EffortShare(effort)))
}

// bounded keeps a budget within what the model takes.
func (b *builder) bounded(budget int64) int64 {
	least, most := budgets(b.target.Model)
	return max(least, min(budget, most))
}

// budgets are the least and the most tokens that a model lets be set for thinking.
func budgets(model string) (least, most int64) {
	switch {
	case strings.Contains(model, "-pro"):
		return 128, 32768
	case strings.Contains(model, "-lite"):
		return 512, 24576
	}
	return 1, 24576
}
