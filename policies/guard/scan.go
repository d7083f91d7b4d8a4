package guard

import (
	"bytes"
	"container/heap"
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

// Scan looks for all rules in a whole text, adds what it finds to found, and returns
// the text as it may pass: text itself if nothing is redacted in it. Where one rule
// blocks nothing may pass, and what is returned has no meaning.
//
// Beside the text and what is returned it takes memory for each rule, and none for each
// match.
func Scan(meter Meter, rules []*Rule, role Role, text []byte, found *Findings) []byte {
	var redacting sources
	if !goOn(meter) {
		return text
	}
	for i, rule := range rules {
		if !rule.searches(role) {
			continue
		}
		for _, p := range rule.patterns {
			if len(text) > longestPiece && !goOn(meter) {
				return text
			}
			next := hits{pattern: p, meter: meter, text: text}
			for at, ok := next.next(); ok; at, ok = next.next() {
				found.add(rule, p)
				if rule.Action == Redact {
					redacting = append(redacting, &source{match{at, rule, i}, next})
					break
				}
			}
		}
	}
	if len(redacting) == 0 {
		return text
	}
	var dst []byte
	if found.Blocked() == nil {
		dst = make([]byte, 0, len(text)+64)
	}
	heap.Init(&redacting)
	labels := labels{meter: meter}
	passed, under := 0, match{} // up to where text is in dst, and what comes next
	for len(redacting) > 0 {
		first := redacting[0]
		switch {
		case dst == nil: // they are only counted
		case under.rule != nil && first.start < under.end:
			under.end = max(under.end, first.end)
		default:
			if under.rule != nil {
				dst = labels.put(append(dst, text[passed:under.start]...), under)
				passed = under.end
			}
			under = first.match
		}
		if labels.refused {
			return text
		}
		if at, ok := first.hits.next(); ok {
			found.add(first.rule, first.pattern)
			first.span = at
			heap.Fix(&redacting, 0)
		} else {
			heap.Pop(&redacting)
		}
	}
	if dst == nil {
		return text
	}
	dst = labels.put(append(dst, text[passed:under.start]...), under)
	return append(dst, text[under.end:]...)
}

// source is the next match of a pattern in a whole text, and where those behind it are.
type source struct {
	match
	hits
}

// sources is a heap of them, for package heap.
type sources []*source

func (s sources) Len() int           { return len(s) }
func (s sources) Less(i, j int) bool { return s[i].match.compare(&s[j].match) < 0 }
func (s sources) Swap(i, j int)      { s[i], s[j] = s[j], s[i] }
func (s *sources) Push(each any)     { *s = append(*s, each.(*source)) }

func (s *sources) Pop() any {
	last := len(*s) - 1
	popped := (*s)[last]
	*s = (*s)[:last]
	return popped
}

// hits are the matches of a pattern in a whole text, sought as they are asked for.
type hits struct {
	*pattern
	meter  Meter
	text   []byte
	search *search
	from   int // where the next run is to be sought
	// within is where the run under way ends, and with it a rune that tells whether a word,
	// or a line, ends there; 0 is none.
	within int
	found  []span
	taken  int // of found
}

// next is the next match.
func (h *hits) next() (at span, ok bool) {
	for h.taken == len(h.found) {
		if !h.seek() {
			return span{}, false
		}
	}
	h.taken++
	return h.found[h.taken-1], true
}

// seek goes on to the next few matches, or finds that there is none in one run. It tells
// whether there is more to look through.
func (h *hits) seek() bool {
	h.found, h.taken = h.found[:0], 0
	for h.within == 0 {
		start, end, ok := h.run(h.text, h.from)
		if !ok {
			return false
		}
		h.from = end
		if end-start < h.least {
			continue
		}
		if h.search == nil {
			h.search = newSearch(h.pattern, h.meter)
			h.search.whole = true
		}
		h.search.restart(h.text, 0, start)
		_, after := utf8.DecodeRune(h.text[end:])
		h.within = end + after
	}
	h.found = h.search.advance(h.found, h.text[:h.within], 0, true)
	if len(h.found) < hitsAtOnce {
		h.within = 0
	}
	return !h.search.ended
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
