package routing

import (
	"cmp"
	"math/rand/v2"
	"slices"

	"github.com/switchyard/switchyard/policies/catalog"
)

// Streams of chance, so that one decision of a plan does not sway another.
const (
	streamFree   = 1
	streamCanary = 2
	streamWeight = 3
)

// balance draws, in every run of endpoints that stand equal, the one to be tried
// first; the others follow by price. A draw is weighted by the inverse square of the
// price of a nominal request, see [catalog.Prices.Nominal], without a cut-off: what
// costs three times as much comes first a ninth as often. Free endpoints come before
// others, and share evenly. If a model sets weights these count instead.
func (s *scope) balance(entries []entry) {
	var source rand.PCG
	source.Seed(s.request.Seed, streamWeight)
	for len(entries) > 0 {
		end := 1
		for end < len(entries) && standing(&entries[0], &entries[end]) == 0 {
			end++
		}
		run := entries[:end]
		entries = entries[end:]
		if !slices.ContainsFunc(run, func(e entry) bool { return !e.balanced }) {
			draw(run, unit(&source))
		}
	}
}

// unit draws a number from 0 up to, but not including, 1.
func unit(source *rand.PCG) float64 { return float64(source.Uint64()>>11) / (1 << 53) }

// draw moves one entry to the front of a run. chance is from 0 to 1.
func draw(run []entry, chance float64) {
	words := "share %.2g by price"
	weigh := func(e *entry) float64 {
		// Priced against the cheapest, which comes first, so that nothing overflows.
		relative := float64(run[0].price) / float64(e.price)
		return relative * relative
	}
	switch {
	case slices.ContainsFunc(run, func(e entry) bool { return weighted(e.endpoint.Model) }):
		words = "share %.2g by weight"
		weigh = func(e *entry) float64 {
			if e.endpoint.Weight < 0 {
				return 1
			}
			return float64(e.endpoint.Weight)
		}
	case run[0].price <= 0:
		words = "share %.2g of what is free"
		weigh = func(e *entry) float64 {
			if e.price > 0 {
				return 0
			}
			return 1
		}
	}
	total := 0.0
	for i := range run {
		total += weigh(&run[i])
	}
	if total == 0 { // of weights: nobody is to be first
		return
	}
	chosen, passed := 0, chance*total
	for i := range run {
		share := weigh(&run[i])
		run[i].reason = Reason{words: words, number: share / total}
		if passed >= share && chosen == i && i < len(run)-1 {
			passed -= share
			chosen++
		}
	}
	front := run[chosen]
	copy(run[1:chosen+1], run[:chosen])
	run[0] = front
}

// weighted reports whether any endpoint of the model has a weight; those without
// then count as one.
func weighted(model *catalog.Model) bool {
	return slices.ContainsFunc(model.Endpoints, func(e *catalog.Endpoint) bool { return e.Weight >= 0 })
}

// drawCanaries decides for each canary whether this request is among its percentage.
// One that cannot be relied on gets no requests but for what all others failed at. A
// request that names a sort is not balanced, and meets no canary.
func (s *scope) drawCanaries(entries []entry) {
	var source rand.PCG
	source.Seed(s.request.Seed, streamCanary)
	for i := range entries {
		e := &entries[i]
		if e.endpoint.CanaryPercent < 0 || cmp.Or(s.targets[e.group].sort, s.request.Preferences.Sort) != "" {
			continue
		}
		e.canary = 1
		if unit(&source)*100 < float64(e.endpoint.CanaryPercent) && e.state < down {
			e.canary = -1
		}
	}
}
