package guard

import (
	"cmp"
	"slices"
)

// match is what one pattern of a rule has found.
type match struct {
	span
	rule *Rule
	// order is the rule's place among the others.
	order int
}

// compare orders matches by where they begin, then the longer ones first, then by their
// rules.
func (m *match) compare(other *match) int {
	return cmp.Or(cmp.Compare(m.start, other.start), cmp.Compare(other.end, m.end), cmp.Compare(m.order, other.order))
}

func sortMatches(matches []match) {
	slices.SortFunc(matches, func(a, b match) int { return a.compare(&b) })
}

// cluster tells up to where the first of sorted matches and those that overlap reach,
// and how many they are. All that they cover together has the label of the first.
func cluster(matches []match) (end, count int) {
	end = matches[0].end
	for count = 1; count < len(matches) && matches[count].start < end; count++ {
		end = max(end, matches[count].end)
	}
	return end, count
}

// labels puts labels in the place of what is redacted in one text. Where that of one rule
// goes on without a byte between, the label that it has stands for all of it: one for each
// digit would tell how many there were, and be many times as long.
type labels struct {
	meter Meter
	// latest is what the latest label stands for.
	latest match
	// grown is by how many bytes the text is longer for its labels, or less than 0, and
	// granted the most that it was.
	grown, granted int
	refused        bool // by the meter
}

// put appends the label of a match to the text that comes before it.
func (l *labels) put(dst []byte, at match) []byte {
	goesOn := l.latest.rule == at.rule && l.latest.end == at.start
	l.latest = at
	l.grown -= at.end - at.start
	if goesOn || l.refused {
		return dst
	}
	l.grown += len(at.rule.Label)
	if l.grown > l.granted && l.meter != nil {
		if l.refused = !l.meter.Grow(l.grown - l.granted); l.refused {
			return dst
		}
		l.granted = l.grown
	}
	return append(dst, at.rule.Label...)
}
