package rawjson

import (
	"encoding/binary"
	"math/bits"
)

// Texts with many escapes are looked at in blocks, as simdjson does: what each byte is
// becomes a bit, and which of them are escaped is arithmetic. A branch for each escape
// would be guessed wrong too often.
const blockSize = 64

// Eight of a byte each: one, the lower seven bits, and the highest.
const (
	ones  = 0x0101010101010101
	lows  = 0x7F7F7F7F7F7F7F7F
	highs = 0x8080808080808080
)

// block tells of 64 bytes which are quotes and which backslashes, the first byte by the
// lowest bit; and whether any is a control character, and whether any is not ASCII.
func block(text *[blockSize]byte) (quotes, slashes uint64, control, wide bool) {
	// Written out: a loop would load the constants anew for each eight bytes.
	q0, s0, p0, w0 := eight(text[0:8])
	q1, s1, p1, w1 := eight(text[8:16])
	q2, s2, p2, w2 := eight(text[16:24])
	q3, s3, p3, w3 := eight(text[24:32])
	q4, s4, p4, w4 := eight(text[32:40])
	q5, s5, p5, w5 := eight(text[40:48])
	q6, s6, p6, w6 := eight(text[48:56])
	q7, s7, p7, w7 := eight(text[56:64])
	others := q0 | q1<<8 | q2<<16 | q3<<24 | q4<<32 | q5<<40 | q6<<48 | q7<<56
	rest := s0 | s1<<8 | s2<<16 | s3<<24 | s4<<32 | s5<<40 | s6<<48 | s7<<56
	printable := p0 & p1 & p2 & p3 & p4 & p5 & p6 & p7
	word := w0 | w1 | w2 | w3 | w4 | w5 | w6 | w7
	return ^others, ^rest, printable&highs != highs, word&highs != 0
}

// eight tells of eight bytes which are no quotes and which no backslashes, by the lowest
// eight bits; by its high bit of each whether it is no control character; and the bytes.
func eight(text []byte) (others, rest, printable, word uint64) {
	// gather times eight high bits has these in its highest byte.
	const gather = 0x0002040810204081
	word = binary.LittleEndian.Uint64(text)
	// No sum of seven bits and of seven carries into the next byte.
	low := word & lows
	others = (((low ^ '"'*ones) + lows) | word) & highs
	rest = (((low ^ '\\'*ones) + lows) | word) & highs
	printable = (low + (0x80-' ')*ones) | word
	return others * gather >> 56, rest * gather >> 56, printable, word
}

// escapes are the bytes of a block that a backslash escapes. first says whether its
// first byte is one of them, and the second result whether the next block's is.
func escapes(slashes uint64, first bool) (uint64, bool) {
	const even = 0x5555555555555555
	var carry uint64
	if first {
		carry = 1
	}
	slashes &^= carry
	follow := slashes<<1 | carry
	// In a run of backslashes every other one is escaped. Added to the runs, the starts of
	// those that begin at an odd place turn these over.
	turned, over := bits.Add64(slashes&^even&^follow, slashes, 0)
	return (even ^ turned<<1) & follow, over != 0
}
