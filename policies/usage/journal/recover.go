package journal

import (
	"errors"
	"fmt"
	"slices"

	"github.com/switchyard/switchyard/policies/usage"
)

// recover takes up what earlier processes left, and begins a segment. Attempts that
// began and never ended are settled with what their beginning says of them: nobody
// knows what the provider did before its connection broke.
func (j *Journal) recover() (lost int, err error) {
	left, err := j.left()
	j.segments = left
	if err != nil {
		return 0, err
	}
	begun, order := make(map[string]*usage.Generation), []string{}
	var damage []error
	for _, s := range left {
		status, err := s.file.Stat()
		if err != nil {
			return 0, err
		}
		s.size, err = s.lines(0, status.Size(), func(kind byte, g *usage.Generation) bool {
			switch kind {
			case kindBegin:
				order = note(begun, order, g)
			case kindSettle:
				delete(begun, g.ID)
			}
			return true
		})
		if err != nil {
			damage = append(damage, fmt.Errorf("%s, from byte %d: %w", s.file.Name(), s.size, err))
		}
	}
	first, err := j.create()
	if err != nil {
		return 0, err
	}
	j.segments = append(j.segments, first)
	for _, id := range order {
		if g := begun[id]; g != nil {
			lost++
			if err := j.Settle(g); err != nil {
				return lost, err
			}
		}
	}
	j.damage = errors.Join(damage...)
	return lost, nil
}

// note adds an attempt that began to its generation. A segment repeats what began in
// an earlier one.
func note(begun map[string]*usage.Generation, order []string, g *usage.Generation) []string {
	known := begun[g.ID]
	if known == nil {
		begun[g.ID] = g
		return append(order, g.ID)
	}
	if !slices.ContainsFunc(known.Attempts, func(a usage.Attempt) bool { return a.Number == g.Attempts[0].Number }) {
		known.Attempts = append(known.Attempts, g.Attempts...)
		slices.SortFunc(known.Attempts, func(a, b usage.Attempt) int { return a.Number - b.Number })
	}
	return order
}

// Damage is what could not be read of the files that earlier processes left, nil if
// nothing.
func (j *Journal) Damage() error { return j.damage }
