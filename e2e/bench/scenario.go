package main

import (
	"context"
	"fmt"
	"time"
)

// scenario is one kind of load, put on every way in every round.
type scenario struct {
	title string
	run   func(context.Context, *way) (figures, error)
	rows  []row
}

// row is one line of a scenario's table.
type row struct {
	name string
	of   func(figures) float64
}

const (
	fewConnections  = 1
	manyConnections = 32
	pacedCount      = 200 // streams at 50 events/s each: a part of what two cores can carry
)

// plan is the scenarios in the order in which they run and are reported.
func plan(duration time.Duration) []scenario {
	loop := func(kind answerKind, connections int) func(context.Context, *way) (figures, error) {
		return func(ctx context.Context, w *way) (figures, error) {
			return closedLoop(ctx, w, kind, connections, duration)
		}
	}
	connections := map[int]string{fewConnections: "1 connection", manyConnections: fmt.Sprintf("%d connections", manyConnections)}
	var all []scenario
	for _, count := range []int{fewConnections, manyConnections} {
		all = append(all, scenario{title: "Unary, " + connections[count], run: loop(unary, count), rows: unaryRows})
	}
	for _, count := range []int{fewConnections, manyConnections} {
		all = append(all, scenario{
			title: fmt.Sprintf("Streams of %d events sent at once, %s", burstEvents, connections[count]),
			run:   loop(burst, count), rows: burstRows,
		})
	}
	return append(all, scenario{
		title: fmt.Sprintf("%d open streams, an event every %s on each", pacedCount, pace),
		run: func(ctx context.Context, w *way) (figures, error) {
			return pacedStreams(ctx, w, pacedCount, 2*duration)
		},
		rows: pacedRows,
	})
}

var (
	unaryRows = []row{
		{"latency p50, ms", func(f figures) float64 { return milliseconds(f.whole.p50) }},
		{"latency p90, ms", func(f figures) float64 { return milliseconds(f.whole.p90) }},
		{"latency p99, ms", func(f figures) float64 { return milliseconds(f.whole.p99) }},
		{"requests/s", answersPerSecond},
		{"Envoy CPU, µs/request", func(f figures) float64 { return microsecondsEach(f.used.envoy, f.answers) }},
		{"processor CPU, µs/request", func(f figures) float64 { return microsecondsEach(f.used.processor, f.answers) }},
	}
	burstRows = []row{
		{"first event p50, ms", firstEvent},
		{"first event p90, ms", func(f figures) float64 { return milliseconds(f.first.p90) }},
		{"first event p99, ms", func(f figures) float64 { return milliseconds(f.first.p99) }},
		{"whole stream p50, ms", func(f figures) float64 { return milliseconds(f.whole.p50) }},
		{"streams/s", answersPerSecond},
		{"Envoy CPU, µs/stream", func(f figures) float64 { return microsecondsEach(f.used.envoy, f.answers) }},
		{"processor CPU, µs/stream", func(f figures) float64 { return microsecondsEach(f.used.processor, f.answers) }},
	}
	pacedRows = []row{
		{"event delay p50, ms", func(f figures) float64 { return milliseconds(f.delay.p50) }},
		{"event delay p90, ms", func(f figures) float64 { return milliseconds(f.delay.p90) }},
		{"event delay p99, ms", func(f figures) float64 { return milliseconds(f.delay.p99) }},
		{"events/s", func(f figures) float64 { return float64(f.events) / f.elapsed.Seconds() }},
		{"Envoy CPU, µs/event", func(f figures) float64 { return microsecondsEach(f.used.envoy, f.events) }},
		{"processor CPU, µs/event", func(f figures) float64 { return microsecondsEach(f.used.processor, f.events) }},
		{"CPU of both, µs/event", func(f figures) float64 { return microsecondsEach(f.used.envoy+f.used.processor, f.events) }},
	}
)

func firstEvent(f figures) float64       { return milliseconds(f.first.p50) }
func answersPerSecond(f figures) float64 { return float64(f.answers) / f.elapsed.Seconds() }

func milliseconds(d time.Duration) float64 { return d.Seconds() * 1e3 }

func microsecondsEach(d time.Duration, count int) float64 {
	return ratio(d.Seconds()*1e6, float64(count))
}
