package journal

import (
	"errors"
	"fmt"

	"github.com/switchyard/switchyard/policies/usage"
)

// Mark is a place in a journal: everything before it is the ledger's.
type Mark struct {
	segment int
	offset  int64
}

// mostSaid bounds what is read at once of what was said, in bytes.
const mostSaid = 8 << 20

// Read returns up to limit settled generations behind mark, in the order in which they
// were settled, and the mark behind those; fewer where much was said in them, and none
// only if there is none. The zero Mark is the beginning. Lines that cannot be read are
// left out, and the error says how many those are.
func (j *Journal) Read(mark Mark, limit int) ([]usage.Generation, Mark, error) {
	var found []usage.Generation
	damaged, said := 0, 0
	full := func() bool { return len(found) == limit || said > mostSaid }
	for _, view := range j.view() {
		if view.number < mark.segment {
			continue
		}
		if view.number > mark.segment {
			mark = Mark{segment: view.number}
		}
		stopped, unreadable, err := view.lines(mark.offset, view.size, func(kind byte, g *usage.Generation) bool {
			if full() {
				return false
			}
			if kind == kindSettle {
				found, said = append(found, *g), said+g.Content.Size()
			}
			return true
		})
		if err != nil {
			return found, mark, err
		}
		if unreadable > 0 {
			damaged += unreadable
			j.markDamaged(view.number)
		}
		mark.offset = stopped
		if full() {
			break
		}
	}
	if damaged > 0 {
		return found, mark, &DamageError{Lines: damaged}
	}
	return found, mark, nil
}

// DamageError says that lines of the journal cannot be read. The files that hold them
// are kept.
type DamageError struct{ Lines int }

func (e *DamageError) Error() string {
	return fmt.Sprintf("journal: %d lines cannot be read; the files that hold them are kept beside the journal, as damaged-*", e.Lines)
}

func (j *Journal) markDamaged(number int) {
	j.mu.Lock()
	defer j.mu.Unlock()
	for _, s := range j.segments {
		if s.number == number {
			s.damaged = true
		}
	}
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

// liveShare is the part of a segment, one in so many, below which what is under way in
// it is noted again in the last one so that the segment can go. Larger parts would be
// written again and again.
const liveShare = 4

// Forget deletes segments before mark, the oldest first: a note must not outlive what
// settled it. It stops at one of which many attempts are still under way, unless the
// journal is half full. It must not be called while another goroutine reads.
func (j *Journal) Forget(mark Mark) error {
	j.mu.Lock()
	defer j.mu.Unlock()
	last := j.segments[len(j.segments)-1]
	for first := j.segments[0]; first != last && j.passed(first, mark); first = j.segments[0] {
		if first.live > first.size/liveShare && !j.crowded() {
			return nil
		}
		if err := errors.Join(j.move(first), j.drop()); err != nil {
			return err
		}
	}
	return nil
}

// crowded: most of the journal is of no use any more.
func (j *Journal) crowded() bool {
	live := int64(0)
	for _, s := range j.segments {
		live += s.live
	}
	return j.bytes > j.options.MaxBytes/2 && live < j.bytes/2
}

// move notes again, in the last segment, what is under way in s.
func (j *Journal) move(s *segment) error {
	if s.live == 0 {
		return nil
	}
	for attempt, note := range j.open {
		if note.segment == s {
			if err := j.keep(attempt, note.line); err != nil {
				return err
			}
		}
	}
	return nil
}

// drop deletes the first segment, and its directory with the last one of an ended
// process.
func (j *Journal) drop() error {
	first := j.segments[0]
	j.segments = j.segments[1:]
	j.bytes -= first.size
	err := first.remove()
	if first.directory != j.own && j.segments[0].directory != first.directory {
		err = errors.Join(err, first.directory.remove())
	}
	return err
}

func (j *Journal) passed(s *segment, mark Mark) bool {
	return s.number < mark.segment || s.number == mark.segment && mark.offset >= s.size
}
