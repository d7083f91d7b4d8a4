package main

import (
	"fmt"
	"strings"
)

// target is what the project wants of one figure.
type target struct {
	name     string
	unit     string
	limit    float64
	atLeast  bool // the limit is a lower one
	measured float64
}

func (t target) met() bool {
	if t.atLeast {
		return t.measured >= t.limit
	}
	return t.measured <= t.limit
}

func (t target) String() string {
	sign, verdict := "≤", "missed"
	if t.atLeast {
		sign = "≥"
	}
	if t.met() {
		verdict = "met"
	}
	return fmt.Sprintf("| %s | %s %s %s | %s %s | %s |", t.name, sign, number(t.limit), t.unit, number(t.measured), t.unit, verdict)
}

// targets judges the figures that are promised. The indices are those of plan.
func (r *results) targets(out *strings.Builder) {
	latency, throughput, stream := r.tables[0], r.tables[1], r.tables[2]
	processor := r.footprints[len(r.footprints)-1]
	fmt.Fprint(out, "\n## Targets\n\n| | target | measured | |\n|---|---:|---:|---|\n")
	for _, t := range []target{
		{
			name: "added latency, p50, unary, 1 connection", unit: "ms", limit: 0.5,
			measured: latency.added(func(f figures) float64 { return milliseconds(f.whole.p50) }).median,
		},
		{
			name: "added time to the first event, p50, 1 connection", unit: "ms", limit: 0.5,
			measured: stream.added(firstEvent).median,
		},
		{
			name: fmt.Sprintf("unary requests, %d connections", manyConnections), unit: "1/s", limit: 5000, atLeast: true,
			measured: spreadOf(throughput.values(through, answersPerSecond)).median,
		},
		{
			name: fmt.Sprintf("processor's memory at %d open streams", heldCount), unit: "MB", limit: 100,
			measured: float64(processor.held.now) / 1e6,
		},
		{
			name: fmt.Sprintf("planning, %d models × %d endpoints", scaleModels, scaleEndpoints), unit: "µs", limit: 20,
			measured: r.scale.slowestPlan(),
		},
		{
			name: fmt.Sprintf("reload, %d models × %d endpoints", scaleModels, scaleEndpoints), unit: "ms", limit: 200,
			measured: milliseconds(r.scale.reload),
		},
		{name: "limits in memory", unit: "µs", limit: 20, measured: 1e6 * r.limits.memory.Seconds()},
		{name: "limits in Redis, beyond one local round trip", unit: "µs", limit: 50, measured: r.limits.added()},
	} {
		fmt.Fprintln(out, t)
	}
}
