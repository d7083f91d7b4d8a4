package journal

import (
	"errors"

	"github.com/switchyard/switchyard/policies/usage"
)

// Mark is a place in a journal: everything before it is the ledger's.
type Mark struct {
	segment int
	offset  int64
}

// Read returns up to limit settled generations behind mark, in the order in which
// they were settled, and the mark behind those. The zero Mark is the beginning. Where
// a file is damaged, what follows in it is left out, and the error says so; the mark
// then leads past it.
func (j *Journal) Read(mark Mark, limit int) ([]usage.Generation, Mark, error) {
	var found []usage.Generation
	for _, view := range j.view() {
		if view.number < mark.segment {
			continue
		}
		if view.number > mark.segment {
			mark = Mark{segment: view.number}
		}
		stopped, err := view.lines(mark.offset, view.size, func(kind byte, g *usage.Generation) bool {
			if len(found) == limit {
				return false
			}
			if kind == kindSettle {
				found = append(found, *g)
			}
			return true
		})
		if err != nil {
			return found, Mark{segment: view.number, offset: view.size}, err
		}
		mark.offset = stopped
		if len(found) == limit {
			break
		}
	}
	return found, mark, nil
}

// view is the segments as they are now. Their files may be read at the same time as
// the last one is written to.
func (j *Journal) view() []segment {
	j.mu.Lock()
	defer j.mu.Unlock()
	view := make([]segment, len(j.segments))
	for i, s := range j.segments {
		view[i] = *s
	}
	return view
}

// Forget deletes the segments before mark. It must not be called while another
// goroutine reads.
func (j *Journal) Forget(mark Mark) error {
	j.mu.Lock()
	defer j.mu.Unlock()
	var errs []error
	for len(j.segments) > 1 && j.passed(j.segments[0], mark) {
		first := j.segments[0]
		errs = append(errs, first.remove())
		j.segments = j.segments[1:]
		if first.directory != j.own && j.segments[0].directory != first.directory {
			errs = append(errs, first.directory.remove())
		}
	}
	return errors.Join(errs...)
}

func (j *Journal) passed(s *segment, mark Mark) bool {
	return s.number < mark.segment || s.number == mark.segment && mark.offset >= s.size
}
