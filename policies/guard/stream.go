package guard

import "unicode/utf8"

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
	// redacted: a label stands in the place of some of it.
	redacted bool
}

type scanning struct {
	rule  *Rule
	order int
	*search
}

// NewStream returns a stream that adds what it finds to found. It stops once done is
// closed, as [Scan] does.
func NewStream(done <-chan struct{}, rules []*Rule, found *Findings) *Stream {
	s := &Stream{found: found}
	for i, rule := range rules {
		if !rule.searches(Other) {
			continue
		}
		for _, p := range rule.patterns {
			s.scanning = append(s.scanning, scanning{rule, i, newSearch(p, done)})
		}
	}
	return s
}

// Next takes the next piece of the text and appends to dst what may pass by now. Once
// one of the findings blocks nothing more may.
func (s *Stream) Next(dst []byte, piece string) []byte {
	s.text = append(s.text, piece...)
	return s.pass(dst, false)
}

// End appends the rest of the text.
func (s *Stream) End(dst []byte) []byte { return s.pass(dst, true) }

// Redacted reports whether what has passed is not all of the text as it was.
func (s *Stream) Redacted() bool { return s.redacted }

// Held is how much of the text is held back, in bytes.
func (s *Stream) Held() int { return s.base + len(s.text) - s.passed }

func (s *Stream) pass(dst []byte, ended bool) []byte {
	limit := s.base + len(s.text)
	news := false
	for i := range s.scanning {
		scan := &s.scanning[i]
		s.spans = scan.advance(s.spans[:0], s.text, s.base, ended)
		for _, at := range s.spans {
			s.found.add(scan.rule, scan.pattern)
			if scan.rule.Action == Redact {
				s.matches, news = append(s.matches, match{at, scan.rule, scan.order}), true
			}
		}
		if !ended {
			limit = min(limit, scan.undecided())
		}
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
	dst = redact(dst, s.text[s.passed-s.base:limit-s.base], s.passed, s.matches[:certain])
	s.matches = append(s.matches[:0], s.matches[certain:]...)
	s.passed = limit
	if spare := limit - s.base - utf8.UTFMax; spare > 0 {
		s.text = append(s.text[:0], s.text[spare:]...)
		s.base += spare
	}
	return dst
}
