package main

import (
	"context"
	"fmt"
	"os"
	"time"
)

// run puts every load on every way.
func (s *site) run(ctx context.Context, o options) (*results, error) {
	r := &results{machine: s.machine, options: o, footprints: []*footprint{
		{name: "bare Envoy", pid: s.ways[bare].envoy},
		{name: "gateway's Envoy", pid: s.ways[through].envoy},
		{name: "processor", pid: s.ways[through].processor},
	}}
	for _, w := range s.ways {
		r.ways = append(r.ways, w.name)
	}
	if err := note(r.footprints, func(f *footprint) *memory { return &f.start }); err != nil {
		return nil, err
	}
	if err := s.warmUp(ctx); err != nil {
		return nil, err
	}
	for _, scenario := range plan(o.duration) {
		r.tables = append(r.tables, table{scenario: scenario, rounds: make([][]figures, len(s.ways))})
	}
	began := time.Now()
	before, err := s.cpuOfOthers()
	if err != nil {
		return nil, err
	}
	for round := range o.rounds {
		fmt.Fprintf(os.Stderr, "round %d of %d\n", round+1, o.rounds)
		if err := s.round(ctx, round, r.tables); err != nil {
			return nil, err
		}
	}
	after, err := s.cpuOfOthers()
	if err != nil {
		return nil, err
	}
	r.disturbance = (after - before).Seconds() / time.Since(began).Seconds() / float64(s.machine.cores)
	if err := note(r.footprints, func(f *footprint) *memory { return &f.loaded }); err != nil {
		return nil, err
	}
	for _, held := range []struct {
		way        *way
		footprints []*footprint
	}{{s.ways[bare], r.footprints[:1]}, {s.ways[through], r.footprints[1:]}} {
		if err := holdStreams(ctx, held.way, held.footprints); err != nil {
			return nil, err
		}
	}
	return r, nil
}

// round runs each scenario on each way. Every round starts with another way, so
// that none of them always follows the same one.
func (s *site) round(ctx context.Context, round int, tables []table) error {
	for _, t := range tables {
		for i := range s.ways {
			at := (i + round) % len(s.ways)
			f, err := t.run(ctx, s.ways[at])
			if err != nil {
				return fmt.Errorf("%s: %w", t.title, err)
			}
			t.rounds[at] = append(t.rounds[at], f)
		}
	}
	return nil
}

// warmUp opens connections to the upstream and lets the heaps grow.
func (s *site) warmUp(ctx context.Context) error {
	for _, w := range s.ways {
		for _, kind := range []answerKind{unary, burst} {
			if _, err := closedLoop(ctx, w, kind, manyConnections, 500*time.Millisecond); err != nil {
				return err
			}
		}
	}
	return nil
}

// cpuOfOthers is what processes have used that are no part of the benchmark.
func (s *site) cpuOfOthers() (time.Duration, error) {
	others, err := cpuOfMachine()
	if err != nil {
		return 0, err
	}
	for _, pid := range []int{
		os.Getpid(), s.upstream.command.Process.Pid,
		s.ways[bare].envoy, s.ways[through].envoy, s.ways[through].processor,
	} {
		own, err := cpuOf(pid)
		if err != nil {
			return 0, err
		}
		others -= own
	}
	return others, nil
}
