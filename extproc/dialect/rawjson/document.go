package rawjson

import "bytes"

// Document is a valid text, with notes on where its long strings end. Walks that start
// from it find these ends there, and do not look at each string once more. It may be
// shared among goroutines.
type Document struct {
	// Text is the value without the space around it. It must not change.
	Text []byte
	// ends has a place for each stretch of the text, for the one string that may begin in
	// it and be as long; nil if no string is long and has escapes.
	ends []span
}

// stretch is in bytes. Shorter strings are found as fast as their notes.
const stretch = 256

// span is from a string's opening quote to behind its closing quote.
type span struct{ start, end int }

// Read validates text as [Validate] does.
func Read(text []byte) (*Document, error) {
	document := &Document{Text: bytes.Trim(text, " \n\r\t")}
	s := scan{text: document.Text, wide: highs, names: make([][]byte, 0, fewNames), noting: true}
	if s.all() {
		document.ends = s.ends
		return document, nil
	}
	return document, validate(text)
}

// Walk returns a cursor before the first member of the document.
func (d *Document) Walk() Cursor {
	c := Walk(d.Text)
	c.document = d
	return c
}

// note keeps the end of a string, of which there is one scan at a time.
func (s *scan) note(start, end int) {
	if s.ends == nil {
		s.ends = make([]span, len(s.text)/stretch+1)
	}
	s.ends[start/stretch] = span{start, end}
}

// stringEnd is where the string at the start of text ends, its quote included. A nil
// document has no notes.
func (d *Document) stringEnd(text []byte) int {
	if d == nil || d.ends == nil || len(text) < stretch {
		return stringEnd(text)
	}
	// A slice of the document's text reaches as far as its text does.
	start := cap(d.Text) - cap(text)
	if start < 0 || start >= len(d.Text) || &d.Text[start] != &text[0] {
		return stringEnd(text)
	}
	if noted := d.ends[start/stretch]; noted.end > 0 && noted.start == start && noted.end-start <= len(text) {
		return noted.end - start
	}
	return stringEnd(text)
}
