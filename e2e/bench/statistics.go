package main

import (
	"math"
	"slices"
	"time"
)

// distribution summarises the durations of one phase.
type distribution struct{ p50, p90, p99 time.Duration }

// distributionOf sorts its samples. Without samples all is zero.
func distributionOf(samples []time.Duration) distribution {
	slices.Sort(samples)
	return distribution{
		p50: percentile(samples, 0.50),
		p90: percentile(samples, 0.90),
		p99: percentile(samples, 0.99),
	}
}

// percentile is the nearest rank: the smallest sample that at least the given
// share of all samples does not exceed. It never invents a value in between, as
// interpolation does. The share is above 0 and at most 1.
func percentile(sorted []time.Duration, share float64) time.Duration {
	if len(sorted) == 0 {
		return 0
	}
	rank := int(math.Ceil(share * float64(len(sorted))))
	return sorted[max(rank, 1)-1]
}

// spread is one figure over all rounds. The median is what is reported: a round
// that something else on the machine disturbed does not move it.
type spread struct{ median, low, high float64 }

// spreadOf leaves the values as they are. Without values all is zero.
func spreadOf(values []float64) spread {
	if len(values) == 0 {
		return spread{}
	}
	sorted := slices.Sorted(slices.Values(values))
	middle := len(sorted) / 2
	median := sorted[middle]
	if len(sorted)%2 == 0 {
		median = (sorted[middle-1] + sorted[middle]) / 2
	}
	return spread{median: median, low: sorted[0], high: sorted[len(sorted)-1]}
}

// each combines two figures round by round. What drifts from round to round then
// cancels out, which it would not between two medians.
func each(a, b []float64, combine func(a, b float64) float64) []float64 {
	combined := make([]float64, min(len(a), len(b)))
	for i := range combined {
		combined[i] = combine(a[i], b[i])
	}
	return combined
}

func difference(a, b float64) float64 { return a - b }

// ratio is NaN when there is nothing to compare with.
func ratio(a, b float64) float64 {
	if b == 0 {
		return math.NaN()
	}
	return a / b
}
