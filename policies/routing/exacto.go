package routing

import (
	"math"
	"slices"
)

// quality is how well an endpoint calls tools, compared with the others of its model.
type quality uint8

const (
	good quality = iota
	insufficient
	deprioritised
)

// What it takes to compare at all, and how many standard deviations below the median
// an endpoint may be (spec section 2.4).
const (
	minProviders          = 4
	minToolCalls          = 200
	throughputDeviations  = 1.5
	toolSuccessDeviations = 2
	// normalScale makes a median absolute deviation a standard one.
	normalScale = 1.4826
	// leastDeviation is a share of the median: below that all are alike.
	leastDeviation = 0.01
)

// judge sets the quality of the endpoints of each group where it bears on the order:
// where it was asked for, and for requests with tools that are balanced by price. A
// group with too few data is left as it is.
func (s *scope) judge(entries []entry) {
	for i := 0; i < len(entries); {
		end := i + 1
		for end < len(entries) && entries[end].group == entries[i].group {
			end++
		}
		e := &entries[i]
		if e.sort == SortExacto || s.request.Tools && e.balanced {
			judgeGroup(entries[i:end])
		}
		i = end
	}
}

func judgeGroup(group []entry) {
	var throughput, success []float64
	var providers []string
	for i := range group {
		e := &group[i]
		if !e.known.measured {
			continue
		}
		throughput = append(throughput, e.known.throughput)
		success = append(success, e.known.toolSuccess)
		if slug := e.endpoint.Provider.Slug; !slices.Contains(providers, slug) {
			providers = append(providers, slug)
		}
	}
	if len(providers) < minProviders {
		return
	}
	slowest := floor(throughput, throughputDeviations)
	worst := floor(success, toolSuccessDeviations)
	for i := range group {
		e := &group[i]
		switch {
		case !e.known.measured:
			e.quality = insufficient
		case e.known.throughput < slowest || e.known.toolSuccess < worst:
			e.quality = deprioritised
		}
	}
}

// floor is so many deviations below the median. It sorts the values.
func floor(values []float64, deviations float64) float64 {
	middle := median(values)
	distances := make([]float64, len(values))
	for i, value := range values {
		distances[i] = math.Abs(value - middle)
	}
	deviation := max(normalScale*median(distances), leastDeviation*middle)
	return middle - deviations*deviation
}

func median(values []float64) float64 {
	slices.Sort(values)
	half := len(values) / 2
	if len(values)%2 == 1 {
		return values[half]
	}
	return (values[half-1] + values[half]) / 2
}
