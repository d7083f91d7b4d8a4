package rawjson

import (
	"bytes"
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
	if IsOneLine(text) {
		return
	}
	for i, c := range text {
		if c == '\n' || c == '\r' {
			text[i] = ' '
		}
	}
}

// AppendEdited appends an object or an array whose values edit has its way with: it
// appends each member's value, or another in its place. Names and order stay, and so does
// a value that is neither.
func AppendEdited(dst, value []byte, edit func(dst []byte, c *Cursor) []byte) []byte {
	opener := Kind(value)
	if opener != '{' && opener != '[' {
		return append(dst, value...)
	}
	dst = append(dst, opener)
	for c := Walk(value); c.Next(); {
		dst = append(Comma(dst), c.Member[:len(c.Member)-len(c.Value)]...)
		dst = edit(dst, &c)
	}
	return append(dst, opener+2) // in ASCII the closing bracket is the next but one
}

// AppendReplaced appends an object in which replace appends the value of one member, if
// there is one of that name.
func AppendReplaced(dst, object []byte, name string, replace func(dst, value []byte) []byte) []byte {
	return AppendEdited(dst, object, func(dst []byte, c *Cursor) []byte {
		if string(c.Name) != name {
			return append(dst, c.Value...)
		}
		return replace(dst, c.Value)
	})
}

// IsOneLine reports whether text has no line ends.
func IsOneLine(text []byte) bool {
	return bytes.IndexByte(text, '\n') < 0 && bytes.IndexByte(text, '\r') < 0
}
