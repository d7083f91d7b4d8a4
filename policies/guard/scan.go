package guard

import (
	"bytes"
	"cmp"
	"slices"
	"unicode/utf8"
)

// Finding is how often a rule has found something. It never holds what that was.
type Finding struct {
	*Rule
	Count int
	// Patterns are the names of those of the rule's patterns that were found, sorted, for
	// rules that have several.
	Patterns []string
}

// Findings are what was found, each rule once, in the order in which they came up.
type Findings []Finding

func (f *Findings) add(rule *Rule, p *pattern) {
	at := slices.IndexFunc(*f, func(have Finding) bool { return have.Rule == rule })
	if at < 0 {
		at = len(*f)
		*f = append(*f, Finding{Rule: rule})
	}
	finding := &(*f)[at]
	finding.Count++
	if i, known := slices.BinarySearch(finding.Patterns, p.name); p.name != "" && !known {
		finding.Patterns = slices.Insert(finding.Patterns, i, p.name)
	}
}

// Blocked is the first finding that blocks, nil if there is none.
func (f Findings) Blocked() *Finding {
	for i := range f {
		if f[i].Action == Block {
			return &f[i]
		}
	}
	return nil
}

// match is what one pattern of a rule has found.
type match struct {
	span
	rule *Rule
	// order is the rule's place among the others.
	order int
}

// Scan looks for all rules in a whole text, adds what it finds to found, and returns
// the text as it may pass: text itself if nothing is redacted in it. Where one rule
// blocks nothing may pass, and what is returned has no meaning. It has none either once
// done is closed, which ends a search that takes long; nil never is.
func Scan(done <-chan struct{}, rules []*Rule, role Role, text []byte, found *Findings) []byte {
	var matches []match
	var spans []span
	for i, rule := range rules {
		if !rule.searches(role) {
			continue
		}
		for _, p := range rule.patterns {
			spans = p.all(spans[:0], text, done)
			for _, at := range spans {
				found.add(rule, p)
				if rule.Action == Redact {
					matches = append(matches, match{at, rule, i})
				}
			}
		}
	}
	if len(matches) == 0 {
		return text
	}
	sortMatches(matches)
	return redact(make([]byte, 0, len(text)+64), text, 0, matches)
}

// redact appends text, which starts at offset base, with the labels of matches in
// their place. Of matches that overlap, all that they cover together has the label of
// the one that begins first, or else the longest, or else that of the first rule. The
// matches are sorted.
func redact(dst, text []byte, base int, matches []match) []byte {
	done := base
	for len(matches) > 0 {
		first := matches[0]
		end, covered := cluster(matches)
		matches = matches[covered:]
		dst = append(dst, text[done-base:first.start-base]...)
		dst = append(dst, first.rule.Label...)
		done = end
	}
	return append(dst, text[done-base:]...)
}

// cluster tells up to where the first of sorted matches and those that overlap reach,
// and how many they are.
func cluster(matches []match) (end, count int) {
	end = matches[0].end
	for count = 1; count < len(matches) && matches[count].start < end; count++ {
		end = max(end, matches[count].end)
	}
	return end, count
}

func sortMatches(matches []match) {
	slices.SortFunc(matches, func(a, b match) int {
		return cmp.Or(cmp.Compare(a.start, b.start), cmp.Compare(b.end, a.end), cmp.Compare(a.order, b.order))
	})
}

// all appends the matches in a whole text.
func (p *pattern) all(found []span, text []byte, done <-chan struct{}) []span {
	var s *search
	for from := 0; from < len(text); {
		start, end, ok := p.run(text, from)
		if !ok {
			return found
		}
		from = end
		if end-start < p.least {
			continue
		}
		if s == nil {
			s = newSearch(p, done)
			s.whole = true
		}
		if s.stopped() {
			return found
		}
		s.restart(text, 0, start)
		// The rune behind it tells whether a word, or a line, ends there.
		_, after := utf8.DecodeRune(text[end:])
		found = s.advance(found, text[:end+after], 0, true)
	}
	return found
}

// run finds the next run of bytes in which a match may be, from an offset on that no
// such run reaches across.
func (p *pattern) run(text []byte, from int) (start, end int, ok bool) {
	at := -1
	if b, single := p.needed.single(); single {
		at = bytes.IndexByte(text[from:], b)
	} else {
		at = slices.IndexFunc(text[from:], func(b byte) bool { return p.needed[b] })
	}
	if at < 0 {
		return 0, 0, false
	}
	start = from + at
	end = start
	for start > from && p.inside[text[start-1]] {
		start--
	}
	for end < len(text) && p.inside[text[end]] {
		end++
	}
	return start, end, true
}
