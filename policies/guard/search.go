package guard

import (
	"regexp/syntax"
	"unicode/utf8"
)

const (
	// longestMatch is up to which length, in bytes, every match in a text that comes in
	// pieces is found. Longer ones may be missed.
	longestMatch = 4 << 10
	// longestHeld bounds what is held of such a text because a match has begun in it.
	longestHeld = 2 * longestMatch
	// checkEvery is after how many steps, of each rune those of all places, a search asks
	// whether it may go on: some 100 µs.
	checkEvery = 1 << 12
	// hitsAtOnce is how many matches of a whole text a search returns before it goes on.
	hitsAtOnce = 32
)

// span is a match: from one offset of a text to another.
type span struct{ start, end int }

// search looks for a pattern in a text that comes in pieces. It finds what package
// regexp finds in the whole text, leftmost first, but sees each rune once: it is Pike's
// virtual machine, which keeps all the places of the program that a match may have
// come to, in the order of their preference. While it keeps none, nothing of the text
// is undecided.
//
// Offsets count from the start of the text.
type search struct {
	*pattern
	meter Meter
	// ended: the meter has said no.
	ended bool
	// whole: all of the text is at hand, so that a match may be as long as it is.
	whole    bool
	at       int  // of the next rune
	previous rune // -1 at the text's start
	// begun are the places behind the latest rune, each with where its match began.
	begun []thread
	// places and their marks are the same at the next rune, without steps that read none.
	places []thread
	marks  []uint32 // of the instructions in places, by the turn in which they came there
	turn   uint32
	steps  int // since the meter was asked
	stack  []uint32
	best   span // the match found, while a better one is possible; empty if none
}

type thread struct {
	pc    uint32
	start int
}

func newSearch(p *pattern, meter Meter) *search {
	return &search{pattern: p, meter: meter, previous: -1, marks: make([]uint32, len(p.program.Inst))}
}

// undecided is the offset up to which nothing can become part of a match any more.
func (s *search) undecided() int {
	least := s.at
	if s.best.end > 0 {
		least = min(least, s.best.start)
	}
	for i := range s.begun {
		least = min(least, s.begun[i].start)
	}
	return least
}

// advance reads on in text, which starts at offset base and ends what there is so far,
// and appends the matches that are certain. ended says that no more comes. Of a whole text
// it returns before its end once there are [hitsAtOnce].
func (s *search) advance(found []span, text []byte, base int, ended bool) []span {
	for {
		rest := text[s.at-base:]
		if len(s.begun) == 0 && s.best.end == 0 {
			rest = s.skip(rest)
		}
		next, width := rune(-1), 0
		if len(rest) > 0 {
			if !ended && !utf8.FullRune(rest) {
				return found
			}
			next, width = utf8.DecodeRune(rest)
		} else if !ended {
			return found
		}
		s.step(next, width)
		if s.steps += 1 + len(s.places); s.steps >= checkEvery {
			if s.steps = 0; s.stopped() {
				return found
			}
		}
		switch {
		case s.best.end > 0 && (len(s.begun) == 0 || next < 0 || s.exhausted(s.best.end)):
			if found = s.settle(found, text, base); s.whole && len(found) == hitsAtOnce {
				return found
			}
		case len(s.begun) > 0 && !s.whole && s.exhausted(s.begun[0].start):
			at := max(s.begun[0].start+1, s.at-longestMatch)
			for at < s.at && !utf8.RuneStart(text[at-base]) {
				at++
			}
			s.restart(text, base, at)
		}
		if next < 0 && s.at-base == len(text) {
			return found
		}
	}
}

// exhausted reports whether no more of the text is to be read for the sake of what has
// begun, or for a match that is longer than the one that ends at an offset of the whole
// text: many short ones, each of which might be the beginning of a long one, would else
// take the square of its length.
func (s *search) exhausted(end int) bool {
	if !s.whole && len(s.begun) > 0 {
		end = s.begun[0].start
	}
	return s.at-end > longestHeld
}

func (s *search) stopped() bool {
	s.ended = s.ended || !goOn(s.meter)
	return s.ended
}

// skip passes over runes that no match begins with.
func (s *search) skip(rest []byte) []byte {
	n := 0
	inWord := s.atWord && syntax.IsWordChar(s.previous)
	for n < len(rest) && rest[n] < utf8.RuneSelf && (inWord || !s.first[rest[n]]) {
		inWord = s.atWord && wordBytes[rest[n]]
		n++
	}
	if n > 0 {
		s.previous = rune(rest[n-1])
		s.at += n
	}
	return rest[n:]
}

// step reads a rune, or the end of the text as -1.
func (s *search) step(next rune, width int) {
	context := syntax.EmptyOpContext(s.previous, next)
	s.turn++
	s.places = s.places[:0]
	for _, t := range s.begun {
		s.follow(t.pc, t.start, context)
	}
	if s.best.end == 0 {
		s.follow(uint32(s.program.Start), s.at, context)
	}
	s.begun = s.begun[:0]
	for _, t := range s.places {
		inst := &s.program.Inst[t.pc]
		if inst.Op == syntax.InstMatch {
			s.best = span{t.start, s.at} // what follows is less preferred
			break
		}
		if next >= 0 && reads(inst, next) {
			s.begun = append(s.begun, thread{inst.Out, t.start})
		}
	}
	if next >= 0 {
		s.previous = next
		s.at += width
	}
}

func reads(inst *syntax.Inst, r rune) bool {
	switch inst.Op {
	case syntax.InstRune1:
		return r == inst.Rune[0]
	case syntax.InstRuneAny:
		return true
	case syntax.InstRuneAnyNotNL:
		return r != '\n'
	}
	return inst.MatchRune(r)
}

// follow goes from an instruction to all that read a rune or end a match, in the order
// of preference.
func (s *search) follow(pc uint32, start int, context syntax.EmptyOp) {
	s.stack = append(s.stack[:0], pc)
	for len(s.stack) > 0 {
		pc := s.stack[len(s.stack)-1]
		s.stack = s.stack[:len(s.stack)-1]
		if s.marks[pc] == s.turn {
			continue
		}
		s.marks[pc] = s.turn
		inst := &s.program.Inst[pc]
		switch inst.Op {
		case syntax.InstFail:
		case syntax.InstAlt, syntax.InstAltMatch:
			s.stack = append(s.stack, inst.Arg, inst.Out)
		case syntax.InstCapture, syntax.InstNop:
			s.stack = append(s.stack, inst.Out)
		case syntax.InstEmptyWidth:
			if syntax.EmptyOp(inst.Arg)&^context == 0 {
				s.stack = append(s.stack, inst.Out)
			}
		default:
			s.places = append(s.places, thread{pc, start})
		}
	}
}

// settle ends the search for the best match at hand and goes on behind it.
func (s *search) settle(found []span, text []byte, base int) []span {
	match := s.best
	if s.confirm != nil {
		n := s.confirm(text[match.start-base : match.end-base])
		if n == 0 {
			_, width := utf8.DecodeRune(text[match.start-base:])
			s.restart(text, base, match.start+width)
			return found
		}
		match.end = match.start + n
	}
	s.restart(text, base, match.end)
	return append(found, match)
}

// restart begins anew at a rune.
func (s *search) restart(text []byte, base, at int) {
	s.begun, s.best, s.at = s.begun[:0], span{}, at
	s.previous = -1
	if at > 0 {
		s.previous, _ = utf8.DecodeLastRune(text[:at-base])
	}
}
