package guard

import (
	"fmt"
	"regexp/syntax"
	"strings"
	"unicode"
	"unicode/utf8"
)

// PatternError is a pattern that no rule can be made of. In the terms of the API it is
// of the kind "invalid_regex_pattern" (spec row 179).
type PatternError struct{ reason string }

// Kind is "invalid_regex_pattern".
func (e *PatternError) Kind() string { return "invalid_regex_pattern" }

func (e *PatternError) Error() string { return e.Kind() + ": " + e.reason }

// Each rune of a text may take a step for each instruction of a pattern, and counted
// repetitions multiply: (a{1000}){1000} is short.
//
// A class of characters is one instruction and may be of many ranges, which take memory: \pL
// is more than 600.
const (
	largestProgram  = 2_000  // instructions of one pattern
	largestPrograms = 10_000 // of those of a guardrail together, but for builtins
	mostRanges      = 20_000 // of characters, in one pattern, of 8 bytes each
	mostRangesOfAll = 50_000 // in those of a guardrail together, but for builtins
	// mostClasses is how many classes of Unicode's a pattern may name. What is more is not
	// parsed: 100 KB of them are 100 MB of ranges.
	mostClasses = 300
)

// pattern is a compiled regular expression. Package regexp compiles it to the same, but
// its matching cannot go on where a text that comes in pieces was left.
type pattern struct {
	// name tells the patterns of one rule apart, "" if it has one.
	name    string
	program *syntax.Prog
	// ranges is how many ranges of characters the program has.
	ranges int
	// least is how many bytes a match has at least.
	least int
	// first are the bytes that a match can begin with.
	first byteSet
	// atWord: before its first byte, if that is ASCII, a word must begin.
	atWord bool
	// inside are the bytes that a match consists of, and needed those of which it has one
	// at least: all of it lies in one run of inside.
	inside, needed byteSet
	// confirm tells how much of a match is one, in bytes; 0 is none of it. Nil stands for
	// all of it.
	confirm func(match []byte) int
}

// compile reads a pattern. The error is a [*PatternError].
func compile(text string) (*pattern, error) {
	tooWide := &PatternError{fmt.Sprintf("it comes to more than %d ranges of characters, of which \\pL alone has more than 600; use smaller classes, or say each once and repeat it: \\pL{2,20}", mostRanges)}
	if strings.Count(text, `\p`)+strings.Count(text, `\P`) > mostClasses {
		return nil, tooWide
	}
	tree, err := syntax.Parse(text, syntax.Perl)
	if err != nil {
		// The words of package syntax quote a part of the pattern, which its author reads.
		return nil, &PatternError{err.Error() + "; look-around and back-references are not there in RE2"}
	}
	if nested(tree, false) {
		return nil, &PatternError{"a repetition of unknown length is repeated within another, as in (a+)+; write one of them"}
	}
	least := shortest(tree)
	if least == 0 {
		return nil, &PatternError{"it matches the empty text, which is everywhere; make a part of it mandatory"}
	}
	tooLarge := &PatternError{fmt.Sprintf("it comes to more than %d steps; repeat less", largestProgram)}
	if sizeOf(tree) > largestProgram {
		return nil, tooLarge // before it is written out
	}
	ranges := rangesOf(tree)
	if ranges > mostRanges {
		return nil, tooWide
	}
	program, err := syntax.Compile(tree.Simplify())
	if err != nil {
		return nil, &PatternError{err.Error()}
	}
	if len(program.Inst) > largestProgram {
		return nil, tooLarge
	}
	p := &pattern{program: program, ranges: ranges, least: least, first: firstOf(program)}
	p.inside, p.needed = insideOf(tree), neededOf(tree)
	p.atWord = tree.Op == syntax.OpConcat && tree.Sub[0].Op == syntax.OpWordBoundary
	for b := range utf8.RuneSelf {
		p.atWord = p.atWord && (!p.first[b] || wordBytes[b])
	}
	for b := range p.needed {
		p.needed[b] = p.needed[b] && p.inside[b]
	}
	return p, nil
}

// mustCompile is for patterns that are built in.
func mustCompile(text string) *pattern {
	p, err := compile(text)
	if err != nil {
		panic(err)
	}
	return p
}

// nested reports whether something repeated without a bound holds another such thing.
func nested(tree *syntax.Regexp, within bool) bool {
	unbounded := tree.Op == syntax.OpStar || tree.Op == syntax.OpPlus || tree.Op == syntax.OpRepeat && tree.Max == -1
	if unbounded && within {
		return true
	}
	for _, sub := range tree.Sub {
		if nested(sub, within || unbounded) {
			return true
		}
	}
	return false
}

// shortest is the least number of runes in a match, and with that of bytes: a rune of
// one byte may stand for one of three in another case.
func shortest(tree *syntax.Regexp) int {
	switch tree.Op {
	case syntax.OpLiteral:
		return len(tree.Rune)
	case syntax.OpCharClass, syntax.OpAnyChar, syntax.OpAnyCharNotNL, syntax.OpNoMatch:
		return 1
	case syntax.OpCapture, syntax.OpPlus:
		return shortest(tree.Sub[0])
	case syntax.OpRepeat:
		return tree.Min * shortest(tree.Sub[0])
	case syntax.OpConcat:
		sum := 0
		for _, sub := range tree.Sub {
			sum += shortest(sub)
		}
		return sum
	case syntax.OpAlternate:
		least := shortest(tree.Sub[0])
		for _, sub := range tree.Sub[1:] {
			least = min(least, shortest(sub))
		}
		return least
	}
	return 0
}

// sizeOf is about how many instructions a pattern comes to, and never more.
func sizeOf(tree *syntax.Regexp) int {
	sum := 0
	for _, sub := range tree.Sub {
		sum += sizeOf(sub)
	}
	switch tree.Op {
	case syntax.OpLiteral:
		return len(tree.Rune)
	case syntax.OpCharClass, syntax.OpAnyChar, syntax.OpAnyCharNotNL:
		return 1
	case syntax.OpRepeat:
		return min(largestProgram+1, max(tree.Min, tree.Max)*sum)
	}
	return sum
}

// rangesOf is how many ranges of characters a pattern has. What repeats a class shares them.
func rangesOf(tree *syntax.Regexp) int {
	sum := 0
	if tree.Op == syntax.OpCharClass {
		sum = len(tree.Rune) / 2
	}
	for _, sub := range tree.Sub {
		sum += rangesOf(sub)
	}
	return sum
}

// byteSet is a set of bytes. What is not ASCII is in it as all such bytes or as none.
type byteSet [256]bool

func (s *byteSet) add(low, high rune) {
	for r := low; r <= high && r < utf8.RuneSelf; r++ {
		s[r] = true
	}
	if high >= utf8.RuneSelf {
		for b := utf8.RuneSelf; b < len(s); b++ {
			s[b] = true
		}
	}
}

func (s *byteSet) unite(other byteSet) {
	for b, in := range other {
		s[b] = s[b] || in
	}
}

// byFrequency are the letters of English text, the most frequent first.
const byFrequency = "etaoinshrdlcumwfgypbvkjxqz"

// weight guesses how often a byte of the set is met in a text.
func (s *byteSet) weight() int {
	sum := 0
	for b, in := range s {
		place := strings.IndexByte(byFrequency, byte(b))
		switch {
		case !in:
		case b == ' ':
			sum += 200
		case place >= 0:
			sum += 2*(len(byFrequency)-place) + 2
		case 'A' <= b && b <= 'Z', '0' <= b && b <= '9', b == '.', b == ',', b == '\n':
			sum += 10
		default:
			sum++
		}
	}
	return sum
}

// single is the set's only byte.
func (s *byteSet) single() (byte, bool) {
	found := -1
	for b, in := range s {
		if in && found >= 0 {
			return 0, false
		}
		if in {
			found = b
		}
	}
	return byte(max(found, 0)), found >= 0
}

// wordBytes are what words consist of, to \b.
var wordBytes = func() (s byteSet) {
	for b := range s {
		s[b] = syntax.IsWordChar(rune(b))
	}
	return s
}()

func everything() (s byteSet) {
	s.add(0, utf8.MaxRune)
	return s
}

// addLiteral adds a rune that stands for itself, in either case where that does
// not matter.
func (s *byteSet) addLiteral(r rune, fold bool) {
	s.add(r, r)
	if fold {
		for f := unicode.SimpleFold(r); f != r; f = unicode.SimpleFold(f) {
			s.add(f, f)
		}
	}
}

// insideOf is the bytes that any match can consist of.
func insideOf(tree *syntax.Regexp) byteSet {
	var s byteSet
	switch tree.Op {
	case syntax.OpLiteral:
		for _, r := range tree.Rune {
			s.addLiteral(r, tree.Flags&syntax.FoldCase != 0)
		}
	case syntax.OpCharClass:
		for i := 0; i+1 < len(tree.Rune); i += 2 {
			s.add(tree.Rune[i], tree.Rune[i+1])
		}
	case syntax.OpAnyChar:
		return everything()
	case syntax.OpAnyCharNotNL:
		s = everything()
		s['\n'] = false
	}
	for _, sub := range tree.Sub {
		s.unite(insideOf(sub))
	}
	return s
}

// neededOf is a set of bytes of which any match has one at least, the rarest such set
// that is easily found.
func neededOf(tree *syntax.Regexp) byteSet {
	switch tree.Op {
	case syntax.OpLiteral:
		best := everything()
		for _, r := range tree.Rune {
			var s byteSet
			s.addLiteral(r, tree.Flags&syntax.FoldCase != 0)
			best = rarer(best, s)
		}
		return best
	case syntax.OpCharClass, syntax.OpAnyCharNotNL:
		return insideOf(tree)
	case syntax.OpCapture, syntax.OpPlus:
		return neededOf(tree.Sub[0])
	case syntax.OpRepeat:
		if tree.Min > 0 {
			return neededOf(tree.Sub[0])
		}
	case syntax.OpConcat:
		best := everything()
		for _, sub := range tree.Sub {
			best = rarer(best, neededOf(sub))
		}
		return best
	case syntax.OpAlternate:
		var all byteSet
		for _, sub := range tree.Sub {
			all.unite(neededOf(sub))
		}
		return all
	}
	return everything()
}

func rarer(a, b byteSet) byteSet {
	if b.weight() < a.weight() {
		return b
	}
	return a
}

// firstOf is the bytes that a match of a program can begin with.
func firstOf(program *syntax.Prog) byteSet {
	var s byteSet
	seen := make([]bool, len(program.Inst))
	var visit func(pc uint32)
	visit = func(pc uint32) {
		if seen[pc] {
			return
		}
		seen[pc] = true
		inst := &program.Inst[pc]
		switch inst.Op {
		case syntax.InstAlt, syntax.InstAltMatch:
			visit(inst.Out)
			visit(inst.Arg)
		case syntax.InstCapture, syntax.InstNop, syntax.InstEmptyWidth:
			visit(inst.Out)
		case syntax.InstRune1, syntax.InstRune:
			if len(inst.Rune) == 1 {
				s.addLiteral(inst.Rune[0], syntax.Flags(inst.Arg)&syntax.FoldCase != 0)
				return
			}
			for i := 0; i+1 < len(inst.Rune); i += 2 {
				s.add(inst.Rune[i], inst.Rune[i+1])
			}
		case syntax.InstRuneAny:
			s.add(0, utf8.MaxRune)
		case syntax.InstRuneAnyNotNL:
			s.add(0, '\n'-1)
			s.add('\n'+1, utf8.MaxRune)
		}
	}
	visit(uint32(program.Start))
	return s
}
