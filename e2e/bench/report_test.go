package main

import (
	"math"
	"strings"
	"testing"
	"time"
)

func TestNumbersKeepThreeDigits(t *testing.T) {
	for value, want := range map[float64]string{
		0.04567: "0.046", 1.2345: "1.23", -0.7: "-0.700", 45.678: "45.7", 12345.6: "12346",
		0: "–", math.Inf(1): "–", math.NaN(): "–",
	} {
		if got := number(value); got != want {
			t.Errorf("number(%v) = %s, want %s", value, got, want)
		}
	}
}

func TestTargetSaysWhetherItIsMet(t *testing.T) {
	for name, test := range map[string]struct {
		target target
		want   string
	}{
		"at most, below":  {target{limit: 0.5, measured: 0.4}, "| met |"},
		"at most, at it":  {target{limit: 0.5, measured: 0.5}, "| met |"},
		"at most, above":  {target{limit: 0.5, measured: 0.6}, "| missed |"},
		"at least, below": {target{limit: 5000, measured: 4999, atLeast: true}, "| missed |"},
		"at least, above": {target{limit: 5000, measured: 5001, atLeast: true}, "| met |"},
	} {
		t.Run(name, func(t *testing.T) {
			if got := test.target.String(); !strings.HasSuffix(got, test.want) {
				t.Errorf("%s, want it to end with %s", got, test.want)
			}
		})
	}
}

func TestReportComparesWithinRounds(t *testing.T) {
	r := results{
		machine: machine{cpu: "Some CPU", cores: 2},
		options: options{rounds: 2, duration: time.Second},
		ways:    []string{"direct", "bare Envoy", "gateway"},
		scale:   &scale{reload: 150 * time.Millisecond, plans: []planCost{{name: "a model", large: testing.BenchmarkResult{N: 10, T: 50 * time.Microsecond}}}},
		limits: &limits{
			memory:    3 * time.Microsecond,
			redis:     90 * time.Microsecond,
			roundTrip: 30 * time.Microsecond,
		},
		footprints: []*footprint{
			{name: "bare Envoy"}, {name: "gateway's Envoy"},
			{name: "processor", loaded: memory{now: 50e6}, held: memory{now: 80e6, highest: 90e6, anonymous: 60e6}},
		},
	}
	for _, scenario := range plan(time.Second) {
		r.tables = append(r.tables, table{scenario: scenario, rounds: [][]figures{
			direct:  {took(100), took(200)},
			bare:    {took(1000), took(4000)},
			through: {took(1400), took(4300)},
		}})
	}
	got := r.markdown()
	for _, line := range []string{
		"| added latency, p50, unary, 1 connection | ≤ 0.500 ms | 0.350 ms | met |",
		"| unary requests, 32 connections | ≥ 5000 1/s | 100 1/s | missed |",
		"| planning, 1000 models × 5 endpoints | ≤ 20.0 µs | 5.00 µs | met |",
		"| reload, 1000 models × 5 endpoints | ≤ 200 ms | 150 ms | met |",
		"| limits in memory | ≤ 20.0 µs | 3.00 µs | met |",
		"| limits in Redis, beyond one local round trip | ≤ 50.0 µs | 60.0 µs | missed |",
		"| processor's memory at 1000 open streams | ≤ 100 MB | 80.0 MB | met |",
		"| latency p50, ms | 0.150 | 2.50 | 2.85 | 0.350 (0.300 to 0.400) | 1.24 |",
		"| processor | – | 50.0 | 80.0 | 60.0 | 90.0 | 30.0 |",
		"- Some CPU, 2 cores",
	} {
		if !strings.Contains(got, line) {
			t.Errorf("the report lacks %q:\n%s", line, got)
		}
	}
}

// took is a second of 100 answers, each of which took a number of microseconds.
func took(microseconds int) figures {
	whole := time.Duration(microseconds) * time.Microsecond
	return figures{
		first: distribution{p50: whole}, whole: distribution{p50: whole},
		elapsed: time.Second, answers: 100, events: 100,
	}
}

func TestBareEnvoyIsRenderedWithItsAddresses(t *testing.T) {
	got, err := renderBare("127.0.0.1:1000", "127.0.0.1:2000")
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{`address: "127.0.0.1", port_value: 1000`, `address: "127.0.0.1", port_value: 2000`} {
		if !strings.Contains(string(got), want) {
			t.Errorf("no %s in\n%s", want, got)
		}
	}
	if _, err := renderBare("no address", "127.0.0.1:2000"); err == nil {
		t.Error("an address without a port is rendered")
	}
}
