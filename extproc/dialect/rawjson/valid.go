package rawjson

import "bytes"

// deepest bounds the nesting that surely follows; what is deeper is jsontext's to judge.
const deepest = 500

// surely reports whether text is what [Validate] or, if lenient, [Repair] accepts. It
// is jsontext's verdict in a fraction of its time, where that is yes; no means that
// text is not valid or is of a rare form, and jsontext has to be asked.
//
// Most of a request is text within strings. This looks at eight bytes of it at a time.
func surely(text []byte, lenient bool) bool {
	s := scan{text: text, lenient: lenient, wide: highs}
	if lenient {
		s.wide = 0
	} else {
		s.names = make([][]byte, 0, fewNames)
	}
	return s.all()
}

// scan is one walk over a text. Its methods take where something is to start and
// return where it ends, or -1 if it is not valid, or not surely so.
type scan struct {
	text    []byte
	lenient bool
	wide    uint64 // has the high bits of eight bytes if what is not ASCII is to be looked at
	depth   int
	// names are those of all objects that are open, the innermost object's last.
	names [][]byte

	// noting asks for ends, the notes of a [Document]; escapes says that there were any.
	noting, escapes bool
	ends            []span
}

// all reports whether the text is one value.
func (s *scan) all() bool {
	end := s.value(s.space(0))
	return end >= 0 && s.space(end) == len(s.text)
}

func (s *scan) space(at int) int {
	for at < len(s.text) && (s.text[at] == ' ' || s.text[at] == '\n' || s.text[at] == '\r' || s.text[at] == '\t') {
		at++
	}
	return at
}

func (s *scan) value(at int) int {
	if at >= len(s.text) {
		return -1
	}
	switch c := s.text[at]; c {
	case '"':
		end := s.string(at)
		if s.noting && s.escapes && end-at >= stretch {
			s.note(at, end)
		}
		return end
	case '{', '[':
		if s.depth++; s.depth > deepest {
			return -1
		}
		end := 0
		if c == '{' {
			open := len(s.names)
			end = s.object(s.space(at+1), open)
			s.names = s.names[:open]
		} else {
			end = s.array(s.space(at + 1))
		}
		s.depth--
		return end
	case 't':
		return s.literal(at, "true")
	case 'f':
		return s.literal(at, "false")
	case 'n':
		return s.literal(at, "null")
	}
	return s.number(at)
}

func (s *scan) literal(at int, word string) int {
	if end := at + len(word); end <= len(s.text) && string(s.text[at:end]) == word {
		return end
	}
	return -1
}

func (s *scan) array(at int) int {
	if at < len(s.text) && s.text[at] == ']' {
		return at + 1
	}
	for {
		end := s.value(at)
		if end < 0 {
			return -1
		}
		at = s.space(end)
		switch {
		case at >= len(s.text):
			return -1
		case s.text[at] == ']':
			return at + 1
		case s.text[at] != ',':
			return -1
		}
		at = s.space(at + 1)
	}
}

// object takes its members from at on; open is how many names there were before them.
func (s *scan) object(at, open int) int {
	if at < len(s.text) && s.text[at] == '}' {
		return at + 1
	}
	var many map[string]bool
	for {
		end := s.name(at, open, &many)
		if end < 0 {
			return -1
		}
		at = s.space(end)
		if at >= len(s.text) || s.text[at] != ':' {
			return -1
		}
		if end = s.value(s.space(at + 1)); end < 0 {
			return -1
		}
		at = s.space(end)
		switch {
		case at >= len(s.text):
			return -1
		case s.text[at] == '}':
			return at + 1
		case s.text[at] != ',':
			return -1
		}
		at = s.space(at + 1)
	}
}

// fewNames is how many names of one object are compared one by one.
const fewNames = 16

// name takes a member's name, which no other of its object may have. Beyond a few they
// go into many.
func (s *scan) name(at, open int, many *map[string]bool) int {
	if at >= len(s.text) || s.text[at] != '"' {
		return -1
	}
	end := s.string(at)
	if end < 0 || s.lenient {
		return end
	}
	name := Unquote(s.text[at:end])
	if others := s.names[open:]; len(others) < fewNames {
		for _, other := range others {
			if bytes.Equal(other, name) {
				return -1
			}
		}
		s.names = append(s.names, name)
		return end
	}
	if *many == nil {
		*many = make(map[string]bool, 2*fewNames)
		for _, other := range s.names[open:] {
			(*many)[string(other)] = true
		}
	}
	before := len(*many)
	if (*many)[string(name)] = true; len(*many) == before {
		return -1
	}
	return end
}

func (s *scan) number(at int) int {
	if s.text[at] == '-' {
		at++
	}
	whole := s.digits(at)
	if whole == at || whole > at+1 && s.text[at] == '0' {
		return -1
	}
	at = whole
	if at < len(s.text) && s.text[at] == '.' {
		if at = s.digits(whole + 1); at == whole+1 {
			return -1
		}
	}
	if at < len(s.text) && s.text[at]|0x20 == 'e' {
		start := at + 1
		if start < len(s.text) && (s.text[start] == '+' || s.text[start] == '-') {
			start++
		}
		if at = s.digits(start); at == start {
			return -1
		}
	}
	return at
}

// digits is where a run of decimal digits, perhaps none, ends.
func (s *scan) digits(at int) int {
	for at < len(s.text) && '0' <= s.text[at] && s.text[at] <= '9' {
		at++
	}
	return at
}
