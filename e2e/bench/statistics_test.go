package main

import (
	"math"
	"slices"
	"testing"
	"time"
)

func TestPercentileIsTheNearestRank(t *testing.T) {
	hundred := make([]time.Duration, 100)
	for i := range hundred {
		hundred[i] = time.Duration(i + 1)
	}
	for name, test := range map[string]struct {
		sorted []time.Duration
		share  float64
		want   time.Duration
	}{
		"none":              {nil, 0.5, 0},
		"one sample is all": {[]time.Duration{7}, 0.99, 7},
		"lower of two":      {[]time.Duration{1, 9}, 0.5, 1},
		"middle of three":   {[]time.Duration{1, 2, 9}, 0.5, 2},
		"half":              {hundred, 0.50, 50},
		"nine tenths":       {hundred, 0.90, 90},
		"all but one":       {hundred, 0.99, 99},
		"all":               {hundred, 1, 100},
		"rounds up":         {hundred[:10], 0.91, 10},
	} {
		t.Run(name, func(t *testing.T) {
			if got := percentile(test.sorted, test.share); got != test.want {
				t.Errorf("percentile(%v) = %d, want %d", test.share, got, test.want)
			}
		})
	}
}

func TestDistributionSortsItsSamples(t *testing.T) {
	got := distributionOf([]time.Duration{9, 1, 5, 3, 7})
	if want := (distribution{p50: 5, p90: 9, p99: 9}); got != want {
		t.Errorf("distributionOf = %v, want %v", got, want)
	}
}

func TestSpreadIsTheMedianWithItsRange(t *testing.T) {
	for name, test := range map[string]struct {
		values []float64
		want   spread
	}{
		"none":                           {nil, spread{}},
		"one":                            {[]float64{4}, spread{4, 4, 4}},
		"odd":                            {[]float64{9, 1, 2}, spread{2, 1, 9}},
		"even":                           {[]float64{8, 1, 2, 4}, spread{3, 1, 8}},
		"one disturbed round counts not": {[]float64{2, 2, 900, 2, 2}, spread{2, 2, 900}},
	} {
		t.Run(name, func(t *testing.T) {
			before := slices.Clone(test.values)
			if got := spreadOf(test.values); got != test.want {
				t.Errorf("spreadOf = %v, want %v", got, test.want)
			}
			if !slices.Equal(before, test.values) {
				t.Errorf("the rounds are now in the order %v, want %v", test.values, before)
			}
		})
	}
}

func TestRoundsAreComparedBeforeTheMedianIsTaken(t *testing.T) {
	// The machine becomes slower from round to round; the added cost is 1 in each.
	gateway, bare := []float64{2, 6, 21}, []float64{1, 5, 20}
	if got := spreadOf(each(gateway, bare, difference)); got != (spread{1, 1, 1}) {
		t.Errorf("difference = %v, want 1 in every round", got)
	}
	if got := each(gateway, bare[:2], ratio); !slices.Equal(got, []float64{2, 1.2}) {
		t.Errorf("ratio = %v, want [2 1.2]", got)
	}
	if got := ratio(1, 0); !math.IsNaN(got) {
		t.Errorf("ratio to nothing = %v, want NaN", got)
	}
}
