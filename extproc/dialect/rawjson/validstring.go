package rawjson

import (
	"encoding/binary"
	"math/bits"
	"slices"
	"unicode/utf8"
)

// string takes a string: eight bytes at a time up to its first escape, then in blocks.
func (s *scan) string(at int) int {
	text := s.text
	for at++; at < len(text); {
		if at+8 <= len(text) {
			word := binary.LittleEndian.Uint64(text[at:])
			quotes, slashes := word^(ones*'"'), word^(ones*'\\')
			// A byte that became zero, or is a control, has its high bit set here. So may
			// one above it, which is behind it in the text and is not looked at.
			found := ((quotes-ones)|(slashes-ones)|(word-ones*' '))&^word&highs | word&s.wide
			if found == 0 {
				at += 8
				continue
			}
			at += bits.TrailingZeros64(found) / 8
		}
		switch c := text[at]; {
		case c == '"':
			return at + 1
		case c == '\\':
			closed := false
			if at, closed = s.escaped(at); closed || at < 0 {
				return at
			}
		case c < ' ':
			return -1
		case c >= utf8.RuneSelf && !s.lenient:
			if at = s.runes(at); at < 0 {
				return -1
			}
		default:
			at++
		}
	}
	return -1
}

// escaped takes some of a string from an escape on, in blocks where there are any left
// and as long as its escapes are one letter long. It reports whether the string ends there.
func (s *scan) escaped(start int) (int, bool) {
	if start+blockSize > len(s.text) || !oneLetter[s.text[start+1]] {
		return s.escape(start), false
	}
	s.escapes = true
	at, pending, wide, closed := start, false, false, false
	for ; at+blockSize <= len(s.text); at += blockSize {
		text := (*[blockSize]byte)(s.text[at:])
		quotes, slashes, control, others := block(text)
		after, next := escapes(slashes, pending)
		quotes &^= after
		end := bits.TrailingZeros64(quotes) // or that of the block
		if control && slices.ContainsFunc(text[:end], isControl) {
			return -1, false
		}
		wide = wide || others
		if letter := longEscape(text, after&(1<<end-1)); letter >= 0 {
			at, pending = at+letter-1, false
			break
		}
		if quotes != 0 {
			at, pending, closed = at+end, false, true
			break
		}
		pending = next
	}
	if pending {
		at--
	}
	if wide && !s.lenient {
		for n := 1; n < utf8.UTFMax && at < len(s.text) && !utf8.RuneStart(s.text[at]); n++ {
			at-- // the last block ends within a rune
		}
		if !s.runesWithin(start, at) {
			return -1, false
		}
	}
	if closed {
		at++
	}
	return at, closed
}

func isControl(c byte) bool { return c < ' ' }

// longEscape is the first of a block's escaped bytes that is no escape of one letter, or
// -1.
func longEscape(text *[blockSize]byte, escaped uint64) int {
	for ; escaped != 0; escaped &= escaped - 1 {
		if letter := bits.TrailingZeros64(escaped) % blockSize; !oneLetter[text[letter]] {
			return letter
		}
	}
	return -1
}

// runesWithin reports whether a text is UTF-8, between two places that are not within a
// rune.
func (s *scan) runesWithin(at, end int) bool {
	for at >= 0 && at < end {
		if at+8 <= end {
			wide := binary.LittleEndian.Uint64(s.text[at:]) & highs
			at += bits.TrailingZeros64(wide) / 8
			if wide == 0 {
				continue
			}
		} else if s.text[at] < utf8.RuneSelf {
			at++
			continue
		}
		at = s.runes(at)
	}
	return at >= 0
}

// runes takes a run of what is not ASCII, of which most is two or three bytes long.
func (s *scan) runes(at int) int {
	text := s.text
	for at < len(text) && text[at] >= utf8.RuneSelf {
		if at+4 <= len(text) {
			word := binary.LittleEndian.Uint32(text[at:])
			switch first := text[at]; {
			case word&0xC0C0F0 == 0x8080E0 && first != 0xE0 && first != 0xED:
				at += 3
				continue
			case word&0xC0E0 == 0x80C0 && first >= 0xC2:
				at += 2
				continue
			}
		}
		r, size := utf8.DecodeRune(text[at:])
		if r == utf8.RuneError && size == 1 {
			return -1
		}
		at += size
	}
	return at
}

// oneLetter are the escapes that are one letter long. A table, as which of them it is
// cannot be foreseen by a processor that has to guess branches.
var oneLetter = [256]bool{'"': true, '\\': true, '/': true, 'b': true, 'f': true, 'n': true, 'r': true, 't': true}

// escape takes an escape. Two halves of a surrogate pair are one.
func (s *scan) escape(at int) int {
	switch {
	case at+1 >= len(s.text):
		return -1
	case oneLetter[s.text[at+1]]:
		return at + 2
	case s.text[at+1] != 'u':
		return -1
	}
	unit := s.hex(at + 2)
	switch {
	case unit < 0:
		return -1
	case s.lenient || unit < 0xD800 || unit > 0xDFFF:
		return at + 6
	case unit > 0xDBFF || at+8 > len(s.text) || s.text[at+6] != '\\' || s.text[at+7] != 'u':
		return -1
	}
	if low := s.hex(at + 8); low < 0xDC00 || low > 0xDFFF {
		return -1
	}
	return at + 12
}

// hex is the number that four hexadecimal digits say, or -1.
func (s *scan) hex(at int) int {
	if at+4 > len(s.text) {
		return -1
	}
	n := 0
	for _, c := range s.text[at : at+4] {
		switch {
		case '0' <= c && c <= '9':
			n = n<<4 | int(c-'0')
		case 'a' <= c|0x20 && c|0x20 <= 'f':
			n = n<<4 | int(c|0x20-'a'+10)
		default:
			return -1
		}
	}
	return n
}
