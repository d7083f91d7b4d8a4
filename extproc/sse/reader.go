// Package sse reads and writes server-sent events, as the HTML standard defines
// them (section 9.2), and as providers send them: with any line ending, any
// split over chunks, and sometimes without the last blank line.
package sse

import (
	"bytes"
	"fmt"
)

// DefaultMaxEvent bounds one event unless [Reader.MaxEvent] says otherwise.
const DefaultMaxEvent = 16 << 20

// Event is one server-sent event. Ids, retry times and comments carry nothing
// that an answer consists of and are skipped.
type Event struct {
	// Name is the event's type, empty if it has none.
	Name string
	// Data is the event's data lines, joined by newlines. It is valid until the
	// next [Reader.Feed].
	Data []byte
}

// TooLargeError says that an event exceeds the reader's bound.
type TooLargeError struct{ Limit int }

func (e *TooLargeError) Error() string {
	return fmt.Sprintf("server-sent event is larger than %d bytes", e.Limit)
}

// Reader cuts chunks of a stream into events. The zero value is ready. It is not
// safe for concurrent use.
type Reader struct {
	// MaxEvent bounds one event in bytes; zero means [DefaultMaxEvent].
	MaxEvent int

	buffer  []byte // fed and not yet consumed from position on
	next    int    // where the next line starts
	scanned int    // no line ends before it

	data    []byte // the data of all events since the last Feed
	start   int    // where the current event's data starts
	hasData bool
	name    string
	names   map[string]string

	afterCR bool // the last line ended in CR: a LF that follows belongs to it
	began   bool
	ended   bool
	failed  error
}

// Feed gives the reader what came. It copies chunk.
func (r *Reader) Feed(chunk []byte) {
	r.data = r.data[:copy(r.data, r.data[r.start:])]
	r.start = 0
	if r.next > 0 {
		r.buffer = r.buffer[:copy(r.buffer, r.buffer[r.next:])]
		r.scanned -= r.next
		r.next = 0
	}
	r.buffer = append(r.buffer, chunk...)
}

// End says that nothing more comes. Next then yields an event that lacks its
// blank line too: the standard would drop it, and with it some provider's last.
func (r *Reader) End() { r.ended = true }

// Next returns the next event, or false if there is none until the next Feed.
// An error, always a *[TooLargeError], is final.
func (r *Reader) Next() (Event, bool, error) {
	for r.failed == nil {
		line, ok := r.line()
		if !ok {
			break
		}
		if len(line) > 0 {
			r.field(line)
		} else if event, ok := r.dispatch(); ok {
			return event, true, nil
		}
	}
	if limit := r.limit(); r.failed == nil && len(r.data)-r.start+len(r.buffer)-r.next > limit {
		r.failed = &TooLargeError{Limit: limit}
		r.buffer, r.data, r.next, r.scanned, r.start = nil, nil, 0, 0, 0
	}
	if r.failed == nil && r.ended {
		if event, ok := r.dispatch(); ok {
			return event, true, nil
		}
	}
	return Event{}, false, r.failed
}

func (r *Reader) limit() int {
	if r.MaxEvent > 0 {
		return r.MaxEvent
	}
	return DefaultMaxEvent
}

// line returns the next line without its end, if the whole of it is there.
func (r *Reader) line() ([]byte, bool) {
	if r.afterCR && r.next < len(r.buffer) {
		r.afterCR = false
		if r.buffer[r.next] == '\n' {
			r.next++
		}
	}
	r.scanned = max(r.scanned, r.next)
	rest := r.buffer[r.scanned:]
	end := bytes.IndexByte(rest, '\n')
	// Only the part before the LF is searched for a CR, so that each byte is
	// looked at twice at most however many lines a chunk holds.
	if end >= 0 {
		rest = rest[:end]
	}
	if cr := bytes.IndexByte(rest, '\r'); cr >= 0 {
		end, r.afterCR = cr, true
	}
	if end < 0 {
		r.scanned = len(r.buffer)
		if !r.ended || r.next == len(r.buffer) {
			return nil, false
		}
		end = len(r.buffer) - r.scanned
	}
	line := r.buffer[r.next : r.scanned+end]
	r.next = min(r.scanned+end+1, len(r.buffer))
	r.scanned = r.next
	if !r.began {
		r.began = true
		line = bytes.TrimPrefix(line, []byte("\uFEFF"))
	}
	return line, true
}

func (r *Reader) field(line []byte) {
	name, value, _ := bytes.Cut(line, []byte(":"))
	value = bytes.TrimPrefix(value, []byte(" "))
	switch string(name) {
	case "data":
		if len(r.data)-r.start+len(value) > r.limit() {
			r.failed = &TooLargeError{Limit: r.limit()}
			return
		}
		if r.hasData {
			r.data = append(r.data, '\n')
		}
		r.data = append(r.data, value...)
		r.hasData = true
	case "event":
		r.name = r.intern(value)
	}
}

// intern keeps the few names a stream repeats from being allocated each time.
func (r *Reader) intern(name []byte) string {
	if known, ok := r.names[string(name)]; ok {
		return known
	}
	if r.names == nil || len(r.names) >= 32 {
		r.names = map[string]string{}
	}
	fresh := string(name)
	r.names[fresh] = fresh
	return fresh
}

// dispatch completes the current event. One without data is none.
func (r *Reader) dispatch() (Event, bool) {
	event := Event{Name: r.name, Data: r.data[r.start:len(r.data):len(r.data)]}
	complete := r.hasData
	r.name, r.hasData, r.start = "", false, len(r.data)
	return event, complete
}
