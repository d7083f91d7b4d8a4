// Package ndjson reads streams of JSON values, one a line, as Ollama's API sends them
// (application/x-ndjson).
package ndjson

import (
	"bytes"
	"fmt"

	"github.com/switchyard/switchyard/extproc/sse"
)

// DefaultMaxLine bounds one line unless [Reader.MaxLine] says otherwise.
const DefaultMaxLine = 16 << 20

// TooLargeError says that a line exceeds the reader's bound.
type TooLargeError struct{ Limit int }

func (e *TooLargeError) Error() string {
	return fmt.Sprintf("line of JSON is larger than %d bytes", e.Limit)
}

// Reader cuts chunks of a stream into lines. Each is an event without a name; that it
// is JSON is not checked. The zero value is ready. It is not safe for concurrent use.
type Reader struct {
	// MaxLine bounds one line in bytes, without its end; zero means [DefaultMaxLine].
	MaxLine int

	buffer  []byte // fed and not yet consumed from position next on
	next    int    // where the next line starts
	scanned int    // no line ends before it
	ended   bool
	failed  error
}

// Feed gives the reader what came. It copies chunk.
func (r *Reader) Feed(chunk []byte) {
	if r.next > 0 {
		r.buffer = r.buffer[:copy(r.buffer, r.buffer[r.next:])]
		r.scanned -= r.next
		r.next = 0
	}
	if r.failed == nil {
		r.buffer = append(r.buffer, chunk...)
	}
}

// End says that nothing more comes. Next then yields a line that lacks its end too.
func (r *Reader) End() { r.ended = true }

// Next returns the next line that is not blank, or false if there is none until the next
// Feed. Its data is valid until then. An error, always a *[TooLargeError], is final.
func (r *Reader) Next() (sse.Event, bool, error) {
	for r.failed == nil {
		line, ok := r.line()
		if !ok {
			break
		}
		if line = bytes.TrimSpace(line); len(line) > 0 {
			return sse.Event{Data: line}, true, nil
		}
	}
	return sse.Event{}, false, r.failed
}

// line returns the next line without its end, if the whole of it is there.
func (r *Reader) line() ([]byte, bool) {
	limit := r.MaxLine
	if limit == 0 {
		limit = DefaultMaxLine
	}
	end := bytes.IndexByte(r.buffer[r.scanned:], '\n')
	whole := end >= 0
	if end += r.scanned; !whole {
		end = len(r.buffer)
	}
	r.scanned = end
	if end-r.next > limit {
		r.failed = &TooLargeError{Limit: limit}
		r.buffer, r.next, r.scanned = nil, 0, 0
		return nil, false
	}
	if !whole && (!r.ended || r.next == len(r.buffer)) {
		return nil, false
	}
	line := r.buffer[r.next:end:end]
	r.next = min(end+1, len(r.buffer))
	r.scanned = r.next
	return line, true
}
