package journal

import (
	"slices"

	"github.com/switchyard/switchyard/policies/usage"
)

// What this process settles it also remembers for a while, so that it need not read from
// disk, and decode, what it has just written. Beyond these bounds, as when the database
// takes nothing for long, and of generations with content, the files are read.
const (
	mostRemembered      = 4096
	mostRememberedBytes = 4 << 20 // of their lines
)

// remembered is a generation that was settled. Between from and it, nothing else was.
type remembered struct {
	generation usage.Generation
	size       int
	from, to   Mark
}

// remember keeps what the last line settled, if there is room.
func (j *Journal) remember(g *usage.Generation, size int) {
	from := j.settled
	j.settled = j.end()
	if g.Content == nil && len(j.remembered) < mostRemembered && j.rememberedBytes+size <= mostRememberedBytes {
		j.remembered = append(j.remembered, remembered{g.Clone(), size, from, j.settled})
		j.rememberedBytes += size
	}
}

// recall returns what is remembered of what was settled directly behind mark, up to
// limit, and the mark behind that. From there to until it is on disk alone.
func (j *Journal) recall(mark Mark, limit int) (known []usage.Generation, next, until Mark) {
	j.mu.Lock()
	defer j.mu.Unlock()
	later := j.remembered[j.passedRemembered(mark):]
	known = make([]usage.Generation, 0, min(len(later), limit))
	for len(later) > 0 && len(known) < limit && !mark.before(later[0].from) {
		known, mark = append(known, later[0].generation), later[0].to
		later = later[1:]
	}
	switch {
	case len(later) > 0:
		return known, mark, later[0].from
	case mark.before(j.settled):
		return known, mark, j.settled
	default: // the rest is notes
		end := j.end()
		return known, end, end
	}
}

// passedRemembered is how many of those that are remembered lie before mark.
func (j *Journal) passedRemembered(mark Mark) int {
	n, _ := slices.BinarySearchFunc(j.remembered, mark, func(r remembered, mark Mark) int {
		if mark.before(r.to) {
			return 1
		}
		return -1
	})
	return n
}

func (j *Journal) forgetRemembered(mark Mark) {
	passed := j.passedRemembered(mark)
	for _, r := range j.remembered[:passed] {
		j.rememberedBytes -= r.size
	}
	j.remembered = slices.Delete(j.remembered, 0, passed)
}

// end is the place behind the last line.
func (j *Journal) end() Mark {
	last := j.segments[len(j.segments)-1]
	return Mark{last.number, last.size}
}
