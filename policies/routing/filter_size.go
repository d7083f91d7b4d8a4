package routing

import (
	"cmp"
	"fmt"

	"github.com/switchyard/switchyard/policies/catalog"
	"github.com/switchyard/switchyard/policies/money"
)

// maxTokensFilter drops endpoints whose answers are shorter than asked for (row 57).
var maxTokensFilter = filter{
	step: "Filter by Max Tokens", field: "max_tokens", code: codeConstraint,
	hint:   "Ask for a smaller max_tokens.",
	active: func(s *scope) bool { return s.request.MaxTokens > 0 },
	refuse: func(s *scope, e *catalog.Endpoint, _ variant) (Reason, bool) {
		return Reason{words: "answers with at most %.0f tokens", number: float64(e.MaxCompletionTokens)},
			e.MaxCompletionTokens > 0 && s.request.MaxTokens > e.MaxCompletionTokens
	},
	message: func(s *scope, left []entry) string {
		most := int64(0)
		for i := range left {
			most = max(most, left[i].endpoint.MaxCompletionTokens)
		}
		return fmt.Sprintf("No endpoints found that allow max_tokens of %d. Ask for at most %d.", s.request.MaxTokens, most)
	},
}

// contextFilter drops endpoints that the prompt and the answer do not fit (rows 67
// and 116). If it leaves none the status is 400, see [NoEndpointError.Status].
var contextFilter = filter{
	step: "Filter by Context Length", field: "messages", code: codeInvalid, excludedBy: "context_length",
	hint:   "Shorten messages, or ask for a smaller max_tokens.",
	active: func(s *scope) bool { return s.request.PromptTokens > 0 || s.request.MaxTokens > 0 },
	refuse: func(s *scope, e *catalog.Endpoint, _ variant) (Reason, bool) { return s.overflows(e) },
	spare:  (*scope).compressible,
	message: func(s *scope, left []entry) string {
		most := int64(0)
		for i := range left {
			limit := left[i].endpoint.ContextLength
			if bound := left[i].endpoint.MaxPromptTokens; bound > 0 && s.request.PromptTokens > bound {
				limit = bound
			}
			most = max(most, limit)
		}
		return fmt.Sprintf("This endpoint's maximum context length is %d tokens. However, you requested about %d tokens (%d of text input, %d in the output). "+
			"Please reduce the length of either one, or use the context-compression plugin to compress your prompt automatically.",
			most, s.request.PromptTokens+s.request.MaxTokens, s.request.PromptTokens, s.request.MaxTokens)
	},
}

// overflows says why the prompt and the answer do not fit an endpoint, if they do not.
func (s *scope) overflows(e *catalog.Endpoint) (Reason, bool) {
	if e.MaxPromptTokens > 0 && s.request.PromptTokens > e.MaxPromptTokens {
		return Reason{words: "takes prompts of at most %.0f tokens", number: float64(e.MaxPromptTokens)}, true
	}
	return Reason{words: "has a context of %.0f tokens", number: float64(e.ContextLength)},
		e.ContextLength > 0 && s.request.PromptTokens+s.request.MaxTokens > e.ContextLength
}

// smallContext is the largest context, in tokens, whose prompts are compressed unless
// the request says otherwise (row 117).
const smallContext = 8192

// compresses reports whether a prompt that does not fit an endpoint loses its middle.
// What is embedded or ranked is compared whole.
func (s *scope) compresses(e *catalog.Endpoint) bool {
	if s.request.OutputModality != "" || s.request.Preferences.Compression == Off {
		return false
	}
	return s.request.Preferences.Compression == On || e.ContextLength > 0 && e.ContextLength <= smallContext
}

// compressible tells which endpoints may get the prompt without its middle: those that
// take at least half of what was asked for, and where none at all does, whether whole or
// half, those that take the most (spec section 4.9). A model none of whose endpoints
// has to compress compresses at none. It is nil if all endpoints have room for the prompt.
func (s *scope) compressible(left []entry) func(*catalog.Endpoint) bool {
	fits, largest := 0, int64(0)
	for i := range left {
		if _, overflows := s.overflows(left[i].endpoint); !overflows {
			fits++
		}
		largest = max(largest, s.compressedTo(left[i].endpoint))
	}
	if fits == len(left) {
		return nil
	}
	least := (s.request.PromptTokens + s.request.MaxTokens + 1) / 2
	if fits == 0 {
		least = max(1, min(least, largest))
	}
	return func(e *catalog.Endpoint) bool { return s.compressedTo(e) >= least }
}

// compressedTo is how much an endpoint takes of prompt and answer together where it
// compresses the prompt, zero where it does not or the answer leaves no room for one.
func (s *scope) compressedTo(e *catalog.Endpoint) int64 {
	if !s.compresses(e) || e.ContextLength > 0 && s.request.MaxTokens >= e.ContextLength {
		return 0
	}
	return cmp.Or(e.ContextLength, e.MaxPromptTokens)
}

// priceFilter compares what holds for a prompt of this size at this time (rows 45
// and 46).
var priceFilter = filter{
	step: "Filter by Max Price", field: "max_price", code: codeConstraint, excludedBy: "max_price",
	hint:   "Raise provider.max_price.",
	active: func(s *scope) bool { return s.any(func(c *constraint) bool { return c.MaxPrice != MaxPrice{} }) },
	refuse: func(s *scope, e *catalog.Endpoint, _ variant) (Reason, bool) {
		prices := s.prices(e)
		return Reason{words: "costs more than max_price"}, s.any(func(c *constraint) bool {
			bound := &c.MaxPrice
			return above(prices.Prompt, bound.Prompt) || above(prices.Completion, bound.Completion) ||
				above(prices.Request, bound.Request) || above(prices.Image, bound.Image) || above(prices.GeneratedImage, bound.Image) || above(prices.Audio, bound.Audio)
		})
	},
	message: saying("No endpoints found that satisfy the max price for this request"),
}

func above(price money.USD, bound *money.USD) bool { return bound != nil && price > *bound }

// prices are those that hold for the request. Most endpoints have no others.
func (s *scope) prices(e *catalog.Endpoint) *catalog.Prices {
	if len(e.Prices.Overrides) == 0 {
		return &e.Prices
	}
	prices := e.Prices.At(s.request.PromptTokens, s.request.Now)
	return &prices
}
