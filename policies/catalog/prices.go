package catalog

import (
	"cmp"
	"errors"
	"fmt"

	"github.com/switchyard/switchyard/policies/config/configpb"
	"github.com/switchyard/switchyard/policies/money"
)

// Prices are what an endpoint charges: for one token of each class, for one
// request, for one input image. The zero value is free.
type Prices struct {
	// Prompt is the price of a prompt token that came from no cache.
	Prompt money.USD
	// Completion is the price of a token of the answer.
	Completion money.USD
	// CacheRead is the price of a prompt token found in the provider's cache.
	CacheRead money.USD
	// CacheWrite is the price of a prompt token put there for some minutes, and
	// CacheWrite1h of one that is kept for an hour.
	CacheWrite, CacheWrite1h money.USD
	// Reasoning is the price of a token that the model thought.
	Reasoning money.USD
	Request   money.USD
	Image     money.USD
}

// newPrices reads prices and fills in the defaults. Empty and "0" differ: cached
// tokens of no stated price cost what other prompt tokens cost.
func newPrices(path string, from *configpb.Prices) (Prices, error) {
	var failures []error
	read := func(field, text string, parse func(string) (money.USD, error), fallback money.USD) money.USD {
		if text == "" {
			return fallback
		}
		price, err := parse(text)
		if err == nil && price < 0 {
			err = errors.New("a price is not negative")
		}
		if err != nil {
			failures = append(failures, fmt.Errorf("%s.%s: %w", path, field, err))
		}
		return price
	}
	var p Prices
	p.Prompt = read("prompt", from.GetPrompt(), money.ParsePerMillion, 0)
	p.Completion = read("completion", from.GetCompletion(), money.ParsePerMillion, 0)
	p.CacheRead = read("cache_read", from.GetCacheRead(), money.ParsePerMillion, p.Prompt)
	p.CacheWrite = read("cache_write", from.GetCacheWrite(), money.ParsePerMillion, p.Prompt)
	p.CacheWrite1h = read("cache_write_1h", from.GetCacheWrite_1H(), money.ParsePerMillion, p.CacheWrite)
	p.Reasoning = read("reasoning", from.GetReasoning(), money.ParsePerMillion, p.Completion)
	p.Request = read("request", from.GetRequest(), money.Parse, 0)
	p.Image = read("image", from.GetImage(), money.Parse, 0)
	return p, errors.Join(failures...)
}

// Free reports whether nothing that the endpoint does costs anything.
func (p Prices) Free() bool {
	return cmp.Or(p.Prompt, p.Completion, p.CacheRead, p.CacheWrite, p.CacheWrite1h, p.Reasoning, p.Request, p.Image) == 0
}
