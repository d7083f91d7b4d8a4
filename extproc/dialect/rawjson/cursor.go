package rawjson

import (
	"bytes"
	"math/bits"
)

// Cursor steps through the members of an object or the elements of an array. Its
// fields are slices of the text that is walked.
type Cursor struct {
	// Name is the member's name without quotes and escapes; nil in an array.
	Name []byte
	// Value is the member's or element's value, without space around it.
	Value []byte
	// Member is the member from its name to the end of its value, with the space
	// between as it was; in an array the same as Value.
	Member []byte

	rest   []byte
	after  []byte // what follows the whole value, once the walk is through
	object bool

	document *Document // whose text is walked, nil if there is none
}

// Walk returns a cursor before the first member. There is none in a value that is
// neither an object nor an array.
func Walk(value []byte) Cursor {
	value = trim(value)
	if kind := Kind(value); kind != '{' && kind != '[' {
		return Cursor{}
	}
	return Cursor{rest: value[1:], object: value[0] == '{'}
}

// Walk returns a cursor before the first member of Value.
func (c *Cursor) Walk() Cursor {
	inner := Walk(c.Value)
	inner.document = c.document
	return inner
}

// Get is the value of a member of Value, an object, and nil if there is none.
func (c *Cursor) Get(name string) []byte {
	for inner := c.Walk(); inner.Next(); {
		if string(inner.Name) == name {
			return inner.Value
		}
	}
	return nil
}

// Next steps to the next member and reports whether there is one.
func (c *Cursor) Next() bool {
	return c.Open() && c.Close()
}

// Open is Next for those who may walk the member's value too: it does not look for
// the value's end, and Value and Member reach too far. Close or [Cursor.CloseAfter]
// has to follow.
func (c *Cursor) Open() bool {
	at, ok := c.step()
	if ok {
		c.Value, c.Member = c.rest[at:], c.rest
	}
	return ok
}

// Close looks for the end of the value that Open has found. It is false if there is
// no value.
func (c *Cursor) Close() bool {
	at := len(c.Member) - len(c.Value)
	end := at + c.document.valueEnd(c.Value)
	if end == 0 {
		c.rest = nil
		return false
	}
	c.end(at, end)
	return true
}

// CloseAfter is Close where inner, a walk over Value, has been through.
func (c *Cursor) CloseAfter(inner *Cursor) {
	c.end(len(c.Member)-len(c.Value), len(c.Member)-len(inner.after))
}

// end sets what the member is: its value is between at and end of the rest.
func (c *Cursor) end(at, end int) {
	c.Value, c.Member, c.rest = c.rest[at:end], c.rest[:end], c.rest[end:]
}

// step steps to the next member, leaves it at the start of the rest, and returns
// where its value starts.
func (c *Cursor) step() (int, bool) {
	rest := trim(c.rest)
	if len(rest) > 0 && rest[0] == ',' {
		rest = trim(rest[1:])
	}
	if len(rest) == 0 || rest[0] == '}' || rest[0] == ']' {
		if len(rest) > 0 {
			c.after = rest[1:]
		}
		c.rest = nil
		return 0, false
	}
	at := 0
	c.Name = nil
	if c.object {
		at = stringEnd(rest)
		c.Name = Unquote(rest[:at])
		at += len(rest[at:]) - len(trim(rest[at:]))
		if at < len(rest) && rest[at] == ':' {
			at++
		}
		at += len(rest[at:]) - len(trim(rest[at:]))
	}
	c.rest = rest
	return at, true
}

func trim(text []byte) []byte {
	for len(text) > 0 && isSpace(text[0]) {
		text = text[1:]
	}
	return text
}

func isSpace(c byte) bool { return c == ' ' || c == '\n' || c == '\r' || c == '\t' }

// valueEnd is where the value at the start of text ends.
func (d *Document) valueEnd(text []byte) int {
	switch Kind(text) {
	case '"':
		return d.stringEnd(text)
	case '{', '[':
		return d.nestEnd(text)
	}
	for i, c := range text {
		switch c {
		case ',', '}', ']', ' ', '\n', '\r', '\t', ':':
			return i
		}
	}
	return len(text)
}

// stringEnd is where the string at the start of text ends, its quote included.
func stringEnd(text []byte) int {
	if len(text) == 0 {
		return 0
	}
	quote := bytes.IndexByte(text[1:], '"')
	if quote < 0 {
		return len(text)
	}
	if text[quote] != '\\' || quote == 0 {
		return quote + 2
	}
	return escapedEnd(text)
}

// escapedEnd is stringEnd for strings that hold an escaped quote, and are then likely
// to hold more: a search for each quote would cost more than a look at each byte.
func escapedEnd(text []byte) int {
	at, pending := 1, false
	for ; at+blockSize <= len(text); at += blockSize {
		quotes, slashes, _, _ := block((*[blockSize]byte)(text[at:]))
		after, next := escapes(slashes, pending)
		if quotes &^= after; quotes != 0 {
			return at + bits.TrailingZeros64(quotes) + 1
		}
		pending = next
	}
	if pending {
		at++
	}
	for ; at < len(text); at++ {
		switch text[at] {
		case '"':
			return at + 1
		case '\\':
			at++
		}
	}
	return len(text)
}

// nestEnd is where the object or array at the start of text ends.
func (d *Document) nestEnd(text []byte) int {
	depth := 0
	for i := 0; i < len(text); i++ {
		switch text[i] {
		case '"':
			i += d.stringEnd(text[i:]) - 1
		case '{', '[':
			depth++
		case '}', ']':
			if depth--; depth == 0 {
				return i + 1
			}
		}
	}
	return len(text)
}
