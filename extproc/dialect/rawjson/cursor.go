package rawjson

import "bytes"

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
	object bool
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

// Next steps to the next member and reports whether there is one.
func (c *Cursor) Next() bool {
	rest := trim(c.rest)
	if len(rest) > 0 && rest[0] == ',' {
		rest = trim(rest[1:])
	}
	if len(rest) == 0 || rest[0] == '}' || rest[0] == ']' {
		c.rest = nil
		return false
	}
	member, at := rest, 0
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
	end := at + valueEnd(rest[at:])
	if end == 0 {
		c.rest = nil
		return false
	}
	c.Value, c.Member, c.rest = rest[at:end], member[:end], rest[end:]
	return true
}

func trim(text []byte) []byte {
	for len(text) > 0 && (text[0] == ' ' || text[0] == '\n' || text[0] == '\r' || text[0] == '\t') {
		text = text[1:]
	}
	return text
}

// valueEnd is where the value at the start of text ends.
func valueEnd(text []byte) int {
	switch Kind(text) {
	case '"':
		return stringEnd(text)
	case '{', '[':
		return nestEnd(text)
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
	for at := 1; at < len(text); {
		quote := bytes.IndexByte(text[at:], '"')
		if quote < 0 {
			break
		}
		at += quote + 1
		// A quote is part of the string if an odd number of backslashes precede it.
		slashes := 0
		for i := at - 2; i > 0 && text[i] == '\\'; i-- {
			slashes++
		}
		if slashes%2 == 0 {
			return at
		}
	}
	return len(text)
}

// nestEnd is where the object or array at the start of text ends.
func nestEnd(text []byte) int {
	depth := 0
	for i := 0; i < len(text); i++ {
		switch text[i] {
		case '"':
			i += stringEnd(text[i:]) - 1
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
