package main

import (
	"fmt"
	"math"
	"strings"
)

// results are all that a run has measured.
type results struct {
	machine    machine
	options    options
	ways       []string
	tables     []table
	footprints []*footprint
	scale      *scale
	limits     *limits
	// disturbance is the share of the machine that other processes took.
	disturbance float64
}

// table is a scenario with its figures: by way, then by round.
type table struct {
	scenario
	rounds [][]figures
}

// Indices of the ways, in the order of their columns.
const (
	direct = iota
	bare
	through
)

// values are a row's figures on one way, round by round.
func (t table) values(way int, of func(figures) float64) []float64 {
	values := make([]float64, len(t.rounds[way]))
	for i, f := range t.rounds[way] {
		values[i] = of(f)
	}
	return values
}

// added is what the gateway costs beyond the bare Envoy.
func (t table) added(of func(figures) float64) spread {
	return spreadOf(each(t.values(through, of), t.values(bare, of), difference))
}

// markdown is the report.
func (r *results) markdown() string {
	var out strings.Builder
	r.preface(&out)
	r.targets(&out)
	for _, t := range r.tables {
		t.markdown(&out, r.ways)
	}
	r.memory(&out)
	r.scale.markdown(&out)
	r.limits.markdown(&out)
	return out.String()
}

func (r *results) preface(out *strings.Builder) {
	fmt.Fprintf(out, `# Benchmark

One run of `+"`make bench`"+`: the same fake upstream reached directly, through a bare Envoy (the gateway's listener with a route straight to the upstream), and through the gateway.

- %s
- Client, Envoy, processor and upstream share these cores, so throughput is of all four together, and the client's own work is part of every latency. Read differences and ratios, not absolute numbers.
- The upstream writes answers that are ready and checks nothing: the strict fakes of the end-to-end suite would cost more than the gateway.
- Request bodies and unary answers have %d bytes; clear-text HTTP/1.1 on loopback, keep-alive.
- %d rounds of %s for each load, the three ways after one another in each round; figures are medians over the rounds, and *added* (gateway minus bare Envoy) is the median of the differences within each round, with the lowest and the highest.
- The gateway runs with its defaults, access log included (bare Envoy writes none), for a key without a limit on requests.
- Other processes of the machine took %.0f %% of it meanwhile.
`, r.machine, bodyBytes, r.options.rounds, r.options.duration, 100*r.disturbance)
}

func (t table) markdown(out *strings.Builder, ways []string) {
	fmt.Fprintf(out, "\n## %s\n\n| | %s | added | gateway ÷ bare Envoy |\n|---|%s---:|---:|\n",
		t.title, strings.Join(ways, " | "), strings.Repeat("---:|", len(ways)))
	for _, row := range t.rows {
		fmt.Fprintf(out, "| %s |", row.name)
		for way := range ways {
			fmt.Fprintf(out, " %s |", number(spreadOf(t.values(way, row.of)).median))
		}
		added := t.added(row.of)
		fmt.Fprintf(out, " %s (%s to %s) |", number(added.median), number(added.low), number(added.high))
		quotient := spreadOf(each(t.values(through, row.of), t.values(bare, row.of), ratio)).median
		fmt.Fprintf(out, " %s |\n", number(quotient))
	}
}

func (r *results) memory(out *strings.Builder) {
	fmt.Fprintf(out, "\n## Memory (resident set, MB)\n\n| | after the start | after the load | with %d open streams | of it anonymous | highest | kB per stream |\n|---|---:|---:|---:|---:|---:|---:|\n", heldCount)
	for _, f := range r.footprints {
		perStream := float64(f.held.now-f.loaded.now) / heldCount / 1e3
		fmt.Fprintf(out, "| %s | %s | %s | %s | %s | %s | %s |\n", f.name, megabytes(f.start.now), megabytes(f.loaded.now),
			megabytes(f.held.now), megabytes(f.held.anonymous), megabytes(f.held.highest), number(perStream))
	}
	out.WriteString("\nWhat is not anonymous is the program's own file, mapped: the kernel can take it back, and maps more or less of it as the file happens to be cached.\n")
}

func megabytes(bytes int64) string { return number(float64(bytes) / 1e6) }

// number has three significant digits, or all of those before the point. What
// is not there is a dash.
func number(value float64) string {
	size := math.Abs(value)
	switch {
	case math.IsNaN(value) || math.IsInf(value, 0) || value == 0:
		return "–"
	case size >= 100:
		return fmt.Sprintf("%.0f", value)
	case size >= 10:
		return fmt.Sprintf("%.1f", value)
	case size >= 1:
		return fmt.Sprintf("%.2f", value)
	default:
		return fmt.Sprintf("%.3f", value)
	}
}
