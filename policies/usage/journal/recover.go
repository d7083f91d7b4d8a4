package journal

import (
	"errors"
	"slices"

	"github.com/switchyard/switchyard/policies/usage"
)

// recover takes up what earlier processes left, and begins a segment. Attempts that
// never ended are settled with what the last note says of them: nobody knows what the
// provider did before its connection broke.
func (j *Journal) recover(left []*directory) (lost int, err error) {
	damaged := 0
	noted, order := make(map[string]*usage.Generation), []string{}
	settled := make(map[string]bool) // directories come in no order
	for _, d := range left {
		segments, err := d.segments()
		if err == nil && len(segments) == 0 {
			err = d.remove()
		}
		if err != nil {
			return 0, err
		}
		for _, s := range segments {
			j.latest++
			s.number = j.latest
			j.segments = append(j.segments, s)
		}
	}
	for _, s := range j.segments {
		status, err := s.file.Stat()
		if err != nil {
			return 0, err
		}
		unreadable := 0
		s.size, unreadable, err = s.lines(0, status.Size(), func(kind byte, written []byte) (bool, error) {
			g, err := decode(written)
			switch {
			case err != nil:
				return true, err
			case kind == kindNote && len(g.Attempts) == 0:
				return true, errors.New("journal: a note of no attempt")
			case kind == kindSettle:
				settled[g.ID] = true
				delete(noted, g.ID)
			case !settled[g.ID]:
				order = note(noted, order, g)
			}
			return true, nil
		})
		if err != nil {
			return 0, err
		}
		j.bytes += s.size
		s.damaged = unreadable > 0
		damaged += unreadable
	}
	first, err := j.create()
	if err != nil {
		return 0, err
	}
	j.segments = append(j.segments, first)
	j.settled = j.end()
	for _, id := range order {
		g := noted[id]
		if g == nil {
			continue
		}
		delete(noted, id) // an id may stand in the order twice
		lost++
		if err := j.Settle(g); err != nil {
			return lost, err
		}
	}
	if damaged > 0 {
		j.damage = &DamageError{Lines: damaged}
	}
	return lost, nil
}

// note adds what is known of an attempt to its generation; the last word counts.
func note(noted map[string]*usage.Generation, order []string, g *usage.Generation) []string {
	known := noted[g.ID]
	if known == nil {
		noted[g.ID] = g
		return append(order, g.ID)
	}
	attempts := slices.DeleteFunc(known.Attempts, func(a usage.Attempt) bool { return a.Number == g.Attempts[0].Number })
	attempts = append(attempts, g.Attempts[0])
	slices.SortFunc(attempts, func(a, b usage.Attempt) int { return a.Number - b.Number })
	if g.FinishReason != "" {
		known.FinishReason, known.NativeFinishReason = g.FinishReason, g.NativeFinishReason
	}
	known.Attempts = attempts
	known.Estimated = slices.ContainsFunc(attempts, func(a usage.Attempt) bool { return a.Estimated })
	return order
}

// Damage is what could not be read of the files that earlier processes left, nil if
// nothing.
func (j *Journal) Damage() error { return j.damage }
