package heal

import (
	"strings"

	"github.com/go-json-experiment/json/jsontext"
)

// quotes are those that a string may begin with, by what ends it.
var quotes = map[string]string{`"`: `"`, `'`: `'`, "`": "`", "“": "”", "‘": "’"}

// longestName bounds how far is looked for the end of a name, in bytes.
const longestName = 128

// quote is the quotation mark that stands here, "" if none does.
func (r *reader) quote() string {
	rest := r.text[r.at:]
	for mark := range quotes {
		if strings.HasPrefix(rest, mark) {
			return mark
		}
	}
	return ""
}

// quoted reads a string. A mark within it that ends nothing is part of the text.
func (r *reader) quoted(name bool) bool {
	opener := r.quote()
	closer := quotes[opener]
	r.at += len(opener)
	r.out = append(r.out, '"')
	inner := false // a mark was taken for a part of the text
	for r.at < len(r.text) {
		rest := r.text[r.at:]
		switch {
		case strings.HasPrefix(rest, closer):
			if r.ends(r.at+len(closer), name) {
				r.at += len(closer)
				r.out = append(r.out, '"')
				return true
			}
			inner = true
			r.copy(len(closer))
		case rest[0] == '\\':
			r.escape()
		default:
			r.copy(1)
		}
	}
	if name || inner {
		return false // where it should have ended is anybody's guess
	}
	r.giveBack()
	r.out = append(r.out, '"')
	return true
}

// copy writes the next bytes as part of a string.
func (r *reader) copy(length int) {
	for _, c := range []byte(r.text[r.at : r.at+length]) {
		if c < ' ' || c == '"' {
			quoted, _ := jsontext.AppendQuote(nil, string(rune(c)))
			r.out = append(r.out, quoted[1:len(quoted)-1]...)
		} else {
			r.out = append(r.out, c)
		}
	}
	r.at += length
}

// escape writes an escape, or the backslash of what is none.
func (r *reader) escape() {
	rest := r.text[r.at:]
	length := 2
	if len(rest) > 5 && rest[1] == 'u' {
		length = 6
	}
	switch {
	case len(rest) == 1: // cut off
		r.at++
	case jsontext.Value(`"` + rest[:length] + `"`).IsValid(lenient...):
		r.out = append(r.out, rest[:length]...)
		r.at += length
	case rest[1] == '\'', rest[1] == '`':
		r.at++
		r.copy(1)
	default:
		r.out = append(r.out, `\\`...)
		r.at++
	}
}

// giveBack leaves the brackets at the end of the text to what they close, where a string
// that does not end has taken them all: {"a": "b}.
func (r *reader) giveBack() {
	at, out := r.at, len(r.out)
	for _, closer := range r.open {
		for at > 0 && strings.IndexByte(space, r.text[at-1]) >= 0 {
			at--
		}
		if at == 0 || r.text[at-1] != closer {
			return
		}
		at--
	}
	// Line ends take two bytes as escapes, and nothing else that is given back does.
	for _, c := range []byte(r.text[at:r.at]) {
		out--
		if c < ' ' {
			out--
		}
	}
	r.at, r.out = at, r.out[:out]
}

// ends reports whether a mark that ends at the place given ends its string. It does if
// what follows makes sense behind a string.
func (r *reader) ends(at int, name bool) bool {
	rest := r.text[at:]
	next := strings.TrimLeft(rest, space)
	if name {
		return strings.HasPrefix(next, ":")
	}
	if next == "" {
		return true
	}
	switch next[0] {
	case '}', ']', '/':
		return true
	case ',':
		return r.goesOn(strings.TrimLeft(next[1:], space))
	}
	// A comma is missing: the next line begins with a string, or a name follows.
	newLine := strings.ContainsAny(rest[:len(rest)-len(next)], "\r\n")
	return startsString(next) && (newLine || r.within() == '}' && startsName(next))
}

// within is the bracket that closes the innermost value.
func (r *reader) within() byte {
	if len(r.open) == 0 {
		return 0
	}
	return r.open[len(r.open)-1]
}

// goesOn reports whether an object or an array can go on with text, behind a comma.
func (r *reader) goesOn(text string) bool {
	if text == "" || startsString(text) || text[0] == '}' || text[0] == ']' || text[0] == '/' {
		return true
	}
	if r.within() == '}' {
		return startsName(text)
	}
	return strings.IndexByte("{[-0123456789", text[0]) >= 0
}

func startsString(text string) bool {
	return text != "" && strings.IndexByte("\"'`", text[0]) >= 0 || strings.HasPrefix(text, "“")
}

// startsName reports whether text begins with the name of a member.
func startsName(text string) bool {
	text = text[:min(len(text), longestName)]
	name, _, found := strings.Cut(text, ":")
	name = strings.TrimSpace(name)
	if !found || name == "" {
		return false
	}
	if startsString(name) {
		return len(name) > 1 && strings.HasSuffix(name, name[:1]) && strings.Count(name, name[:1]) == 2
	}
	for i := range len(name) {
		if !isWord(name[i]) {
			return false
		}
	}
	return true
}
