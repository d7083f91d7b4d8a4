package health

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"
)

// rank is the exact percentile by the definition of the sketch: the value at the
// rank, rounded down.
func rank(sorted []float64, quantile float64) float64 {
	return sorted[int(quantile*float64(len(sorted)-1))]
}

// near reports whether a percentile is as close to the exact one as promised; the
// hair on top is for rounding.
func near(got, want float64) bool {
	return math.Abs(got-want) <= want*relativeAccuracy*1.0001
}

func TestRow48PercentilesAreWithinTheirAccuracy(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	tests := []struct {
		name string
		next func() float64
	}{
		{"latencies with a long tail", func() float64 { return math.Exp(random.NormFloat64()*0.8 - 1) }},
		{"all the same", func() float64 { return 0.123 }},
		{"two providers behind one name", func() float64 {
			if random.IntN(10) == 0 {
				return 9 + random.Float64()
			}
			return 0.1 + random.Float64()/100
		}},
		{"from a millisecond to half a minute", func() float64 { return 0.001 * math.Pow(28_000, random.Float64()) }},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			tracker := New(options)
			var exact []float64
			for i := range 5000 {
				took := time.Duration(test.next() * float64(time.Second))
				exact = append(exact, took.Seconds())
				tracker.Record(Sample{EndpointID: "e", FirstToken: took, Now: after(time.Duration(i) * 50 * time.Millisecond)})
			}
			slices.Sort(exact)
			s := tracker.Snapshot("e", after(250*time.Second))
			for _, p := range []struct {
				quantile        float64
				last5m, last30m float64
			}{
				{0.50, s.Latency.P50, s.Latency30m.P50}, {0.75, s.Latency.P75, s.Latency30m.P75},
				{0.90, s.Latency.P90, s.Latency30m.P90}, {0.99, s.Latency.P99, s.Latency30m.P99},
			} {
				want := rank(exact, p.quantile)
				for _, got := range []float64{p.last5m, p.last30m} {
					if !near(got, want) {
						t.Errorf("p%v is %v, exactly %v", 100*p.quantile, got, want)
					}
				}
			}
		})
	}
}

func TestRow49ThroughputCountsTheWholeTime(t *testing.T) {
	tests := []struct {
		name   string
		sample Sample
		want   float64 // tokens per second; zero is unknown
	}{
		{"waiting included", Sample{CompletionTokens: 100, FirstToken: time.Second, Duration: 2 * time.Second}, 50},
		{"no answer of known size", Sample{Duration: time.Second}, 0},
		{"no known time", Sample{CompletionTokens: 100}, 0},
		{"broken off", Sample{Class: BadAnswer, CompletionTokens: 100, Duration: time.Second}, 0},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			tracker := New(options)
			test.sample.EndpointID, test.sample.Now = "e", start
			tracker.Record(test.sample)
			got := tracker.Summary("e", start).Throughput
			if got.Known() != (test.want > 0) || !near(got.P50, test.want) {
				t.Errorf("p50 is %v tokens per second, want %v", got.P50, test.want)
			}
		})
	}
}

func TestWindowsOfPercentiles(t *testing.T) {
	tracker := New(options)
	tracker.Record(Sample{EndpointID: "e", FirstToken: time.Second, Now: start})
	for _, test := range []struct {
		after           time.Duration
		last5m, last30m bool
	}{
		{5 * time.Minute, true, true},
		{6 * time.Minute, false, true},
		{30 * time.Minute, false, true},
		{35 * time.Minute, false, false},
	} {
		s := tracker.Snapshot("e", after(test.after))
		if s.Latency.Known() != test.last5m || s.Latency30m.Known() != test.last30m {
			t.Errorf("after %v: known over 5 minutes %t, 30 minutes %t", test.after, s.Latency.Known(), s.Latency30m.Known())
		}
	}
}

// Values too far apart for the bins cost accuracy at the low end alone.
func TestTheLowestBinsRunTogether(t *testing.T) {
	tracker := New(options)
	for _, took := range []time.Duration{time.Nanosecond, time.Millisecond, time.Second, time.Hour} {
		tracker.Record(Sample{EndpointID: "e", FirstToken: took, Now: start})
	}
	s := tracker.Summary("e", start)
	if !near(s.Latency.P75, 1) {
		t.Errorf("p75 is %v, want 1", s.Latency.P75)
	}
	if s.Latency.P50 < 0.001 || s.Latency.P50 > 1 {
		t.Errorf("p50 is %v", s.Latency.P50)
	}
}
