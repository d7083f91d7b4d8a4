package usage

import (
	"time"

	"github.com/switchyard/switchyard/policies/catalog"
	"github.com/switchyard/switchyard/policies/money"
)

// Ceiling is the most that an answer can cost, by what is not known before it: how large
// the prompt and the answer will turn out, and which classes of tokens they will be of.
type Ceiling struct {
	// Fixed is what does not depend on tokens, Prompt and Completion the dearest prices
	// that a token of either side may have.
	Fixed, Prompt, Completion money.USD
}

// CeilingOf is the ceiling for answers of up to so many tokens, of which none of audio
// or images are expected where most counts none. No [Cost] of what stays within most
// is above it.
func CeilingOf(prices catalog.Prices, most Tokens, now time.Time) Ceiling {
	var c Ceiling
	take := func(tokens int64) {
		p := prices.At(tokens, now)
		prompt, completion := max(p.Prompt, p.CacheRead, p.CacheWrite, p.CacheWrite1h), max(p.Completion, p.Reasoning)
		if most.AudioPrompt > 0 {
			prompt = max(prompt, p.Audio)
		}
		if most.ImagePrompt > 0 {
			prompt = max(prompt, p.ImageToken)
		}
		if most.AudioCompletion > 0 {
			completion = max(completion, p.AudioOutput)
		}
		if most.ImageCompletion > 0 {
			completion = max(completion, p.ImageOutput)
		}
		fixed := p.Request.Mul(max(1, most.SearchUnits)).Add(p.Image.Mul(most.Images)).Add(p.WebSearch.Mul(most.WebSearches))
		c = Ceiling{max(c.Fixed, fixed), max(c.Prompt, prompt), max(c.Completion, completion)}
	}
	take(0)
	take(most.Prompt)
	for i := range prices.Overrides {
		if above := prices.Overrides[i].MinPromptTokens; above < most.Prompt {
			take(above + 1)
		}
	}
	return c
}

// Cost is the ceiling for so many tokens.
func (c Ceiling) Cost(prompt, completion int64) money.USD {
	return c.Fixed.Add(c.Prompt.Mul(prompt)).Add(c.Completion.Mul(completion))
}

// Each is the ceiling of what something makes of each price, such as a fee.
func (c Ceiling) Each(of func(money.USD) money.USD) Ceiling {
	return Ceiling{of(c.Fixed), of(c.Prompt), of(c.Completion)}
}

// Affords is how many tokens of an answer to such a prompt an amount pays for, -1 if it
// does not pay for the prompt. They are more than anyone asks for where they are free.
func (c Ceiling) Affords(amount money.USD, prompt int64) int64 {
	left := amount.Add(-c.Cost(prompt, 0))
	switch {
	case left < 0:
		return -1
	case c.Completion == 0:
		return int64(money.Max)
	}
	return int64(left / c.Completion)
}
