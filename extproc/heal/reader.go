package heal

import (
	"strings"

	"github.com/go-json-experiment/json/jsontext"
)

// deepest is how far values may hold values.
const deepest = 256

// reader reads a value leniently and writes it strictly. Its methods report false where
// the text cannot be understood.
type reader struct {
	text string
	at   int
	out  []byte
	// open are the brackets that are still to be closed.
	open []byte
}

func (r *reader) value() bool {
	r.skip()
	if r.at == len(r.text) {
		return false
	}
	switch c := r.text[r.at]; {
	case c == '{':
		return r.nested('}', r.member)
	case c == '[':
		return r.nested(']', r.value)
	case r.quote() != "":
		return r.quoted(false)
	case c == '-' || c >= '0' && c <= '9':
		return r.number()
	}
	return r.literal()
}

// nested reads an object or an array, whose elements commas may part.
func (r *reader) nested(closer byte, element func() bool) bool {
	if len(r.open) == deepest {
		return false
	}
	r.open = append(r.open, closer)
	r.out = append(r.out, r.text[r.at])
	r.at++
	for first := true; ; first = false {
		r.skipCommas()
		if r.at == len(r.text) {
			break
		}
		if c := r.text[r.at]; c == '}' || c == ']' {
			if c == closer {
				r.at++
			} else if !r.opened(c) {
				return false
			}
			break // else an outer one is closed, and this one with it
		}
		if !first {
			r.out = append(r.out, ',')
		}
		if !element() {
			return false
		}
	}
	r.open = r.open[:len(r.open)-1]
	r.out = append(r.out, closer)
	return true
}

// opened reports whether an outer bracket waits to be closed by c.
func (r *reader) opened(c byte) bool { return strings.IndexByte(string(r.open), c) >= 0 }

func (r *reader) member() bool {
	if r.quote() != "" {
		if !r.quoted(true) {
			return false
		}
	} else {
		word := r.word()
		if word == "" {
			return false
		}
		r.out = append(append(append(r.out, '"'), word...), '"')
	}
	r.skip()
	if r.at == len(r.text) || r.text[r.at] != ':' {
		return false
	}
	r.at++
	r.out = append(r.out, ':')
	return r.value()
}

// word takes a name that has no quotes.
func (r *reader) word() string {
	begin := r.at
	for r.at < len(r.text) && isWord(r.text[r.at]) {
		r.at++
	}
	return r.text[begin:r.at]
}

func isWord(c byte) bool {
	return c == '_' || c == '$' || c == '-' || c >= '0' && c <= '9' || c >= 'A' && c <= 'Z' || c >= 'a' && c <= 'z'
}

func (r *reader) literal() bool {
	switch r.word() {
	case "true", "True", "TRUE":
		r.out = append(r.out, "true"...)
	case "false", "False", "FALSE":
		r.out = append(r.out, "false"...)
	case "null", "None", "NULL", "undefined", "NaN":
		r.out = append(r.out, "null"...)
	default:
		return false
	}
	return true
}

func (r *reader) number() bool {
	begin := r.at
	for r.at < len(r.text) && strings.IndexByte("+-.0123456789eE", r.text[r.at]) >= 0 {
		r.at++
	}
	number := r.text[begin:r.at]
	r.out = append(r.out, number...)
	return jsontext.Value(number).IsValid()
}

// skip passes over space and comments.
func (r *reader) skip() {
	for r.at < len(r.text) {
		rest := r.text[r.at:]
		switch {
		case strings.IndexByte(space, rest[0]) >= 0:
			r.at++
		case strings.HasPrefix(rest, "\u00a0"):
			r.at += len("\u00a0")
		case strings.HasPrefix(rest, "//"):
			r.pass("\n")
		case strings.HasPrefix(rest, "/*"):
			r.pass("*/")
		default:
			return
		}
	}
}

// pass goes behind the next end, or to the end of the text.
func (r *reader) pass(end string) {
	_, rest, _ := strings.Cut(r.text[r.at:], end)
	r.at = len(r.text) - len(rest)
}

func (r *reader) skipCommas() {
	for r.skip(); r.at < len(r.text) && r.text[r.at] == ','; r.skip() {
		r.at++
	}
}
