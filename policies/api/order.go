package api

import (
	"cmp"
	"maps"
	"math"
	"slices"
	"strings"

	"github.com/switchyard/switchyard/policies/catalog"
)

// order is one value of `sort`. The zero value is by id.
type order struct {
	// rank is what models are ordered by, the lowest first; NaN is unknown, and comes
	// last. Models of the same rank stay in the order of their ids.
	rank func(s *server, e *entry) float64
	// live: the rank changes without the catalog.
	live bool
}

// orders are those of spec section 1.2. What the gateway has no figures for, how
// popular a model is and how it does in benchmarks, is by age.
var orders = map[string]order{
	"newest":                       {rank: newest},
	"most-popular":                 {rank: newest},
	"top-weekly":                   {rank: newest},
	"intelligence-high-to-low":     {rank: newest},
	"coding-high-to-low":           {rank: newest},
	"agentic-high-to-low":          {rank: newest},
	"design-arena-elo-high-to-low": {rank: newest},
	"context-high-to-low":          {rank: func(_ *server, e *entry) float64 { return -float64(e.context) }},
	"pricing-low-to-high":          {rank: price},
	"pricing-high-to-low":          {rank: func(s *server, e *entry) float64 { return -price(s, e) }},
	"throughput-high-to-low":       {rank: throughput, live: true},
	"latency-low-to-high":          {rank: latency, live: true},
}

var orderNames = slices.Sorted(maps.Keys(orders))

// sort orders entries that are sorted by id.
func (s *server) sort(entries []*entry, by order) {
	if by.rank == nil {
		return
	}
	ranks := make(map[*entry]float64, len(entries))
	for _, e := range entries {
		ranks[e] = by.rank(s, e)
		if math.IsNaN(ranks[e]) {
			ranks[e] = math.Inf(1)
		}
	}
	slices.SortFunc(entries, func(a, b *entry) int {
		return cmp.Or(cmp.Compare(ranks[a], ranks[b]), strings.Compare(a.shown.ID, b.shown.ID))
	})
}

func newest(_ *server, e *entry) float64 { return -float64(e.shown.Created) }

// price is that of a prompt token at the cheapest endpoint.
func price(_ *server, e *entry) float64 {
	if e.model == nil {
		return math.NaN()
	}
	return e.model.Cheapest().Prices.Prompt.Float64()
}

func throughput(s *server, e *entry) float64 {
	return s.best(e, func(known Statistics) float64 {
		if known.Throughput == nil {
			return math.NaN()
		}
		return -known.Throughput.P50
	})
}

func latency(s *server, e *entry) float64 {
	return s.best(e, func(known Statistics) float64 {
		if known.Latency == nil {
			return math.NaN()
		}
		return known.Latency.P50
	})
}

// best is the lowest figure of an entry's endpoints, NaN if none is known.
func (s *server) best(e *entry, figure func(Statistics) float64) float64 {
	lowest := math.NaN()
	for _, endpoint := range e.endpoints() {
		if f := figure(s.Statistics(endpoint.ID)); f < lowest || math.IsNaN(lowest) {
			lowest = f
		}
	}
	return lowest
}

// endpoints are none for a router.
func (e *entry) endpoints() []*catalog.Endpoint {
	if e.model == nil {
		return nil
	}
	return e.model.Endpoints
}
