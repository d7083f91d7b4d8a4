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

func (m Mark) before(other Mark) bool {
	return m.segment < other.segment || m.segment == other.segment && m.offset < other.offset
}

// mostSaid bounds what is read at once of what was said, in bytes.
const mostSaid = 8 << 20

// Read returns up to limit settled generations behind mark, in the order in which they
// were settled, and the mark behind those; fewer where much was said in them, and none
// only if there is none. The zero Mark is the beginning. Lines that cannot be read are
// left out, and the error says how many those are. What is returned is not to be changed.
func (j *Journal) Read(mark Mark, limit int) ([]usage.Generation, Mark, error) {
	b := batch{limit: limit}
	for !b.full() {
		known, next, until := j.recall(mark, limit-len(b.found))
		if mark = next; b.found == nil {
			b.found = known
		} else {
			b.found = append(b.found, known...)
		}
		if !mark.before(until) {
			break
		}
		var err error
		if mark, err = j.readDisk(&b, mark, until); err != nil {
			return b.found, mark, err
		}
	}
	if b.damaged > 0 {
		return b.found, mark, &DamageError{Lines: b.damaged}
	}
	return b.found, mark, nil
}

// batch is what is read at once.
type batch struct {
	limit   int
	found   []usage.Generation
	said    int // bytes of content in it
	damaged int // lines between them that cannot be read
}

func (b *batch) full() bool { return len(b.found) == b.limit || b.said > mostSaid }

// readDisk adds to a batch what was settled between two marks, and returns the mark behind
// what it has read, which is the second one unless the batch is full.
func (j *Journal) readDisk(b *batch, mark, until Mark) (Mark, error) {
	for _, view := range j.view() {
		if view.number < mark.segment {
			continue
		}
		if view.number > until.segment {
			break
		}
		if view.number > mark.segment {
			mark = Mark{segment: view.number}
		}
		end := view.size
		if view.number == until.segment {
			end = until.offset
		}
		stopped, unreadable, err := view.lines(mark.offset, end, func(kind byte, written []byte) (bool, error) {
			if b.full() {
				return false, nil
			}
			if kind != kindSettle {
				return true, nil
			}
			g, err := decode(written)
			if err != nil {
				return true, err
			}
			b.found, b.said = append(b.found, *g), b.said+g.Content.Size()
			return true, nil
		})
		if unreadable > 0 {
			b.damaged += unreadable
			j.markDamaged(view.number)
		}
		mark.offset = stopped
		if err != nil || b.full() {
			return mark, err
		}
	}
	return until, nil
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
	j.forgetRemembered(mark)
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
	for of, note := range j.open {
		if note.segment == s {
			if err := j.keep(of, note.line); err != nil {
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
