package guard

import "unicode/utf8"

// longestPiece is how much of the text is taken at once, in bytes: there may be a match at
// every byte of it for each pattern.
const longestPiece = 4 << 10

// Stream applies rules to one text of a model's that comes in pieces: what it lets pass is the same
// however the text is cut, and the same as [Scan] makes of the whole. It holds back only
// what may turn out to be the beginning of a match, at most 8 KiB: matches of up to
// 4 KiB are always found, and longer ones may be missed.
type Stream struct {
	found    *Findings
	scanning []scanning
	// text is what is held, behind a rune or two that tell whether a word begins; it
	// starts at offset base of the whole.
	text []byte
	base int
	// passed is the offset up to which the text has passed.
	passed int
	// matches are to be redacted behind it, sorted.
	matches []match
	spans   []span
	labels  labels
	// redacted: a label stands in the place of some of it.
	redacted bool
}

type scanning struct {
	rule  *Rule
	order int
	*search
	// since is what was undecided before the text was taken to end.
	since int
}

// NewStream returns a stream that adds what it finds to found.
func NewStream(meter Meter, rules []*Rule, found *Findings) *Stream {
	s := &Stream{found: found, labels: labels{meter: meter}}
	for i, rule := range rules {
		if !rule.searches(Other) {
			continue
		}
		for _, p := range rule.patterns {
			s.scanning = append(s.scanning, scanning{rule: rule, order: i, search: newSearch(p, meter)})
		}
	}
	return s
}

// Next takes the next piece of the text and appends to dst what may pass by now. Once
// one of the findings blocks nothing more may.
func (s *Stream) Next(dst []byte, piece string) []byte {
	for len(piece) > longestPiece && !s.labels.refused {
		s.text = append(s.text, piece[:longestPiece]...)
		dst = s.pass(dst, false)
		piece = piece[longestPiece:]
	}
	s.text = append(s.text, piece...)
	return s.pass(dst, false)
}

// Flush appends the rest of the text, as if it ended here. It may go on all the same, and
// what has passed is then remembered as far as a match may have begun in it: the match is
// found, and the rest of it redacted.
func (s *Stream) Flush(dst []byte) []byte {
	for i := range s.scanning {
		s.scanning[i].since = s.scanning[i].undecided()
	}
	dst = s.pass(dst, true)
	for i := range s.scanning {
		s.scanning[i].restart(s.text, s.base, s.scanning[i].since)
	}
	return dst
}

// Redacted reports whether what has passed since it was last asked is not all of the text
// as it was.
func (s *Stream) Redacted() bool {
	was := s.redacted
	s.redacted = false
	return was
}

// Held is how much of the text is held back, in bytes.
func (s *Stream) Held() int { return s.base + len(s.text) - s.passed }

func (s *Stream) pass(dst []byte, ended bool) []byte {
	limit := s.base + len(s.text)
	kept := limit
	news := false
	for i := range s.scanning {
		scan := &s.scanning[i]
		s.spans = scan.advance(s.spans[:0], s.text, s.base, ended)
		for _, at := range s.spans {
			if at.end <= s.passed {
				continue // it was found when it passed
			}
			s.found.add(scan.rule, scan.pattern)
			if scan.rule.Action == Redact {
				at.start = max(at.start, s.passed)
				s.matches, news = append(s.matches, match{at, scan.rule, scan.order}), true
			}
		}
		if !ended {
			scan.since = scan.undecided()
			limit = min(limit, scan.since)
		}
		kept = min(kept, scan.since)
	}
	if news {
		sortMatches(s.matches)
	}
	// A match passes only as a whole, with all that overlaps it.
	certain := 0
	for certain < len(s.matches) {
		end, count := cluster(s.matches[certain:])
		if end > limit {
			limit = min(limit, s.matches[certain].start)
			break
		}
		certain += count
	}
	limit = max(limit, s.passed)
	s.redacted = s.redacted || certain > 0
	dst = s.redact(dst, s.text[s.passed-s.base:limit-s.base], s.matches[:certain])
	s.matches = append(s.matches[:0], s.matches[certain:]...)
	s.passed = limit
	if spare := min(limit, kept) - s.base - utf8.UTFMax; spare > 0 {
		s.text = append(s.text[:0], s.text[spare:]...)
		s.base += spare
	}
	return dst
}

// redact appends the next of the text with labels in the place of matches, which are
// sorted.
func (s *Stream) redact(dst, text []byte, matches []match) []byte {
	passed := s.passed
	for len(matches) > 0 && !s.labels.refused {
		first := matches[0]
		end, covered := cluster(matches)
		matches = matches[covered:]
		dst = append(dst, text[passed-s.passed:first.start-s.passed]...)
		first.end = end
		dst = s.labels.put(dst, first)
		passed = end
	}
	if s.labels.refused {
		return dst
	}
	return append(dst, text[passed-s.passed:]...)
}
