package rawjson

import (
	"strconv"

	"github.com/go-json-experiment/json/jsontext"
)

// Comma appends a comma unless dst ends with an opening bracket. No value ends
// with one, so that this needs no state.
func Comma(dst []byte) []byte {
	if len(dst) > 0 {
		if last := dst[len(dst)-1]; last == '{' || last == '[' {
			return dst
		}
	}
	return append(dst, ',')
}

// AppendMember appends a member to an object that is open at the end of dst. The
// name must need no escapes.
func AppendMember(dst []byte, name string, value []byte) []byte {
	return append(AppendName(dst, name), value...)
}

// AppendName appends a member's name and colon; its value is to follow. The name
// must need no escapes.
func AppendName(dst []byte, name string) []byte {
	dst = append(Comma(dst), '"')
	dst = append(dst, name...)
	return append(dst, '"', ':')
}

// AppendText appends a member whose value is a string.
func AppendText(dst []byte, name, text string) []byte {
	return AppendQuoted(AppendName(dst, name), text)
}

// AppendInt appends a member whose value is a whole number.
func AppendInt(dst []byte, name string, n int64) []byte {
	return strconv.AppendInt(AppendName(dst, name), n, 10)
}

// AppendRaw appends a member, or an element, as it stands.
func AppendRaw(dst, member []byte) []byte { return append(Comma(dst), member...) }

// AppendQuoted appends text as a JSON string. Bytes that are not UTF-8 become
// U+FFFD.
func AppendQuoted[T ~string | ~[]byte](dst []byte, text T) []byte {
	// The error is of invalid UTF-8 alone, which is replaced all the same.
	dst, _ = jsontext.AppendQuote(dst, text)
	return dst
}

// OneLine turns the line ends in a JSON text into spaces, in place. They are
// insignificant there and would break the text's framing as an event.
func OneLine(text []byte) {
	for i, c := range text {
		if c == '\n' || c == '\r' {
			text[i] = ' '
		}
	}
}
