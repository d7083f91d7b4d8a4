// Package usage turns what an answer used into what it costs.
package usage

import (
	"time"

	"github.com/switchyard/switchyard/policies/catalog"
	"github.com/switchyard/switchyard/policies/money"
)

// Tokens counts what one answer used, the way Chat Completions counts: each
// total includes its parts. Providers that report the parts beside the total
// (Anthropic's input_tokens leaves out cached tokens) must be added up first;
// charging the one reading by the rules of the other is the classic way to bill
// cached tokens twice, or not at all.
type Tokens struct {
	// Prompt includes CacheRead, CacheWrite, CacheWrite1h and AudioPrompt.
	Prompt int64 `json:",omitzero"`
	// Completion includes Reasoning, AudioCompletion and ImageCompletion.
	Completion int64 `json:",omitzero"`
	Reasoning  int64 `json:",omitzero"`
	// CacheRead is the part of the prompt that the provider found in its cache.
	CacheRead int64 `json:",omitzero"`
	// CacheWrite is the part of the prompt that was put into the cache for some
	// minutes, CacheWrite1h the part that was put there for an hour. They do not
	// overlap.
	CacheWrite, CacheWrite1h int64 `json:",omitzero"`
	// Images is the number of images in the prompt, not of image tokens.
	Images int64 `json:",omitzero"`
	// AudioPrompt and AudioCompletion are the parts that were heard and spoken. How
	// many audio tokens came from the cache is not counted here. It is an assumption
	// that what the cache parts leave over was audio as far as it can be: a cached
	// prompt with audio in it may have cost less.
	AudioPrompt, AudioCompletion int64 `json:",omitzero"`
	// ImagePrompt and ImageCompletion count the tokens of images in the prompt and in
	// the answer. Which of those of the prompt came from the cache is not counted: the
	// assumption is that of audio.
	ImagePrompt, ImageCompletion int64 `json:",omitzero"`
	// GeneratedImages is the number of images in the answer.
	GeneratedImages int64 `json:",omitzero"`
	// Characters is how much text was spoken, and Seconds how much sound transcribed.
	Characters, Seconds int64 `json:",omitzero"`
	// SearchUnits is how often the price of a request is charged; zero is once.
	// Rerankers count a long list of documents as several requests.
	SearchUnits int64 `json:",omitzero"`
	// WebSearches is how many searches the provider made.
	WebSearches int64 `json:",omitzero"`
}

// Charge is what one answer costs, exactly.
type Charge struct {
	// Total is Prompt, Completion, and the prices of the request itself and of the
	// searches that it took.
	Total money.USD `json:",omitzero"`
	// Prompt is everything that went in, images and sound included; Completion everything
	// that came out.
	Prompt, Completion money.USD `json:",omitzero"`
	// Upstream is what the provider bills a key of the client's own for, by the list price;
	// Total is then the gateway's fee alone. It is zero with the gateway's key.
	Upstream money.USD `json:",omitzero"`
}

// Own is the charge for an answer that the provider bills a key of the client's own for,
// at a fee.
func (c Charge) Own(fee func(list money.USD) money.USD) Charge {
	c.Total, c.Upstream = fee(c.Total), c.Total
	return c
}

// Cost charges tokens at the prices that hold for a prompt of their size at the
// given time. It is pure, and total: a count that cannot be true (negative, or a
// part larger than what it is a part of) never lowers the charge for the rest.
func Cost(prices catalog.Prices, t Tokens, now time.Time) Charge {
	prices = prices.At(t.Prompt, now)
	cacheRead, cacheWrite, cacheWrite1h := max(0, t.CacheRead), max(0, t.CacheWrite), max(0, t.CacheWrite1h)
	fresh := max(0, t.Prompt-cacheRead-cacheWrite-cacheWrite1h)
	heard := within(t.AudioPrompt, fresh)
	seen := within(t.ImagePrompt, fresh-heard)
	prompt := prices.Prompt.Mul(fresh - heard - seen).
		Add(prices.CacheRead.Mul(cacheRead)).
		Add(prices.CacheWrite.Mul(cacheWrite)).
		Add(prices.CacheWrite1h.Mul(cacheWrite1h)).
		Add(prices.Audio.Mul(heard)).
		Add(prices.ImageToken.Mul(seen)).
		Add(prices.Character.Mul(max(0, t.Characters))).
		Add(prices.Second.Mul(max(0, t.Seconds))).
		Add(prices.Image.Mul(max(0, t.Images)))

	reasoning := max(0, t.Reasoning)
	answer := max(0, t.Completion-reasoning)
	spoken := within(t.AudioCompletion, answer)
	drawn := within(t.ImageCompletion, answer-spoken)
	completion := prices.Completion.Mul(answer - spoken - drawn).
		Add(prices.Reasoning.Mul(reasoning)).
		Add(prices.AudioOutput.Mul(spoken)).
		Add(prices.ImageOutput.Mul(drawn)).
		Add(prices.GeneratedImage.Mul(max(0, t.GeneratedImages)))
	return Charge{
		Total:      prompt.Add(completion).Add(prices.Request.Mul(max(1, t.SearchUnits))).Add(prices.WebSearch.Mul(max(0, t.WebSearches))),
		Prompt:     prompt,
		Completion: completion,
	}
}

// within is a count of tokens as far as it can be true of a part of whole.
func within(count, whole int64) int64 { return min(max(0, count), whole) }
