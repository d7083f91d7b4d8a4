// Package rawjson walks and edits JSON as bytes. A gateway changes a few members
// of a body and passes the rest on; decoding all of it would cost more than
// everything else the gateway does, and would lose what it has no field for.
//
// [Validate] checks a text once and strictly. Everything else takes text that
// passed, and on other text returns nonsense, but neither panics nor loops.
package rawjson

import (
	"bytes"
	"math"
	"strconv"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"
)

// Validate reports whether text is one JSON value and nothing else, with unique
// names, valid UTF-8 and at most 10,000 levels of nesting. The error is a
// *[jsontext.SyntacticError] where it has an offset.
func Validate(text []byte) error {
	if surely(text, false) {
		return nil
	}
	return validate(text)
}

// Repair validates what a provider sent, which is read as leniently as clients
// read it: repeated names pass, and bytes that are not UTF-8 become U+FFFD.
func Repair(text []byte) ([]byte, error) {
	if !utf8.Valid(text) {
		text = bytes.ToValidUTF8(text, []byte("\uFFFD"))
	}
	// Halves of a surrogate pair are allowed as escapes: some providers split a
	// pair over two chunks, and clients that join the pieces join the pair.
	if surely(text, true) {
		return text, nil
	}
	return text, validate(text, jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true))
}

func validate(text []byte, options ...jsontext.Options) error {
	if jsontext.Value(text).IsValid(options...) {
		return nil
	}
	// Once more, token by token, to say where it is not. A bytes.Buffer is read in
	// place, other readers are copied.
	decoder := jsontext.NewDecoder(bytes.NewBuffer(text), options...)
	if err := decoder.SkipValue(); err != nil {
		return err
	}
	rest := bytes.TrimLeft(text[decoder.InputOffset():], " \t\r\n")
	if len(rest) > 0 {
		return &jsontext.SyntacticError{ByteOffset: int64(len(text) - len(rest)), Err: errTrailing}
	}
	return nil
}

type constant string

func (c constant) Error() string { return string(c) }

const errTrailing = constant("unexpected text after the value")

// Kind is the first byte of a value, with all numbers told as '0' and no value
// as 0: '{', '[', '"', '0', 't', 'f' or 'n'.
func Kind(value []byte) byte {
	if len(value) == 0 {
		return 0
	}
	if c := value[0]; c != '-' && (c < '0' || c > '9') {
		return c
	}
	return '0'
}

// Present reports whether value is there and is not null.
func Present(value []byte) bool { return len(value) > 0 && value[0] != 'n' }

// Text is the content of a string value, and empty for any other.
func Text(value []byte) string { return string(Unquote(value)) }

// Unquote is the content of a string value, and nil for any other. It is part of
// value where nothing is escaped.
func Unquote(value []byte) []byte {
	if Kind(value) != '"' || len(value) < 2 {
		return nil
	}
	inner := value[1 : len(value)-1]
	if bytes.IndexByte(inner, '\\') < 0 {
		return inner
	}
	// The error, if any, is of half a surrogate pair, which reads as U+FFFD.
	unquoted, _ := jsontext.AppendUnquote(nil, value)
	return unquoted
}

// Size is the length of the content of a string value in bytes, as [Unquote] would have
// it, and 0 for any other. It copies nothing: where nothing is escaped it costs a search
// for a backslash.
func Size(value []byte) int64 {
	if Kind(value) != '"' || len(value) < 2 {
		return 0
	}
	rest := value[1 : len(value)-1]
	size := len(rest)
	for {
		at := bytes.IndexByte(rest, '\\')
		if at < 0 || at+1 == len(rest) {
			return int64(size)
		}
		escape := rest[at:min(len(rest), at+6)]
		if escape[1] != 'u' || len(escape) < 6 {
			size, rest = size-1, rest[at+2:] // two bytes for one
			continue
		}
		code, _ := strconv.ParseUint(string(escape[2:]), 16, 16)
		switch length := utf8.RuneLen(rune(code)); {
		case length > 0:
			size += length - len(escape)
		case paired(rest[at:]):
			size += utf8.UTFMax - 2*len(escape)
			at += len(escape)
		default: // half a pair reads as U+FFFD
			size += utf8.RuneLen(utf8.RuneError) - len(escape)
		}
		rest = rest[at+len(escape):]
	}
}

// paired tells whether text begins with the escapes of both halves of a surrogate pair.
func paired(text []byte) bool {
	if len(text) < 12 || text[6] != '\\' || text[7] != 'u' {
		return false
	}
	high, _ := strconv.ParseUint(string(text[2:6]), 16, 16)
	low, _ := strconv.ParseUint(string(text[8:12]), 16, 16)
	return utf16.DecodeRune(rune(high), rune(low)) != utf8.RuneError
}

// Int is a number as a whole one, and false for what is none or does not fit.
// Some providers write 12.0 where they mean 12.
func Int(value []byte) (int64, bool) {
	if Kind(value) != '0' {
		return 0, false
	}
	if n, err := strconv.ParseInt(string(value), 10, 64); err == nil {
		return n, true
	}
	f, err := strconv.ParseFloat(string(value), 64)
	if err != nil || f != math.Trunc(f) || math.Abs(f) >= 1<<63 {
		return 0, false
	}
	return int64(f), true
}

// Float is a number, and false for what is none.
func Float(value []byte) (float64, bool) {
	if Kind(value) != '0' {
		return 0, false
	}
	f, err := strconv.ParseFloat(string(value), 64)
	return f, err == nil
}

// Optional points at what was read, and is nil if that is not ok: Optional(Int(value))
// for a member that need not be there.
func Optional[T any](read T, ok bool) *T {
	if !ok {
		return nil
	}
	return &read
}

// True reports whether value is the literal true.
func True(value []byte) bool { return Kind(value) == 't' }

// Get is the value of an object's member, and nil if there is none.
func Get(object []byte, name string) []byte {
	return (&Cursor{Value: object}).Get(name)
}
