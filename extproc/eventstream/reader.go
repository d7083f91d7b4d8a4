// Package eventstream reads the framing application/vnd.amazon.eventstream, in which
// AWS streams answers: messages of a length, headers and a payload, with a checksum
// for the lengths and one for the whole.
//
// Messages are decoded by the AWS SDK. What is added here is that they may come in
// pieces, and that no length makes the reader hold more than its bound.
package eventstream

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"

	"github.com/aws/aws-sdk-go-v2/aws/protocol/eventstream"

	"github.com/switchyard/switchyard/extproc/dialect/rawjson"
	"github.com/switchyard/switchyard/extproc/sse"
)

// ContentType is the media type of the framing.
const ContentType = "application/vnd.amazon.eventstream"

// FailurePrefix begins the name of an event that is an exception of the service's, or
// another error: "error:throttlingException". Its data says what is wrong, in JSON.
const FailurePrefix = "error:"

// DefaultMaxMessage bounds one message unless [Reader.MaxMessage] says otherwise.
const DefaultMaxMessage = 16 << 20

// The parts of a message that are always there, in bytes. The two lengths and their
// checksum are its prelude.
const (
	lengthsSize   = 8
	preludeSize   = lengthsSize + 4
	leastMessage  = preludeSize + 4
	largestHeader = 128 << 10 // as in the SDK
)

// TooLargeError says that a message exceeds the reader's bound.
type TooLargeError struct{ Limit int }

func (e *TooLargeError) Error() string {
	return fmt.Sprintf("message of the event stream is larger than %d bytes", e.Limit)
}

var (
	errPrelude = errors.New("event stream: the lengths of a message are corrupt")
	errNoType  = errors.New("event stream: a message has no type")
)

// Reader cuts chunks of a stream into events. The zero value is ready. It is not safe
// for concurrent use.
type Reader struct {
	// MaxMessage bounds one message in bytes; zero means [DefaultMaxMessage].
	MaxMessage int

	buffer  []byte // fed and not yet consumed from next on
	next    int    // where the next message starts
	decoder eventstream.Decoder
	source  bytes.Reader
	failed  error
}

// Feed gives the reader what came. It copies chunk.
func (r *Reader) Feed(chunk []byte) {
	if r.next > 0 {
		r.buffer = r.buffer[:copy(r.buffer, r.buffer[r.next:])]
		r.next = 0
	}
	if r.failed == nil {
		r.buffer = append(r.buffer, chunk...)
	}
}

// End says that nothing more comes. A message that is not whole is none: whether the
// answer is, its dialect knows.
func (r *Reader) End() {}

// Next returns the next event, or false if there is none until the next Feed. Its
// name is the message's event type, or [FailurePrefix] and the type of the failure.
// An error is final.
func (r *Reader) Next() (sse.Event, bool, error) {
	if r.failed != nil {
		return sse.Event{}, false, r.failed
	}
	size, err := r.size()
	if err == nil && (size == 0 || len(r.buffer)-r.next < size) {
		return sse.Event{}, false, nil
	}
	var event sse.Event
	if err == nil {
		event, err = r.decode(r.buffer[r.next : r.next+size])
	}
	if err != nil {
		r.failed, r.buffer, r.next = err, nil, 0
		return sse.Event{}, false, err
	}
	r.next += size
	return event, true, nil
}

// size is that of the next message, zero if its prelude has not come yet. Its checksum
// is looked at first, so that no wrong length is waited for.
func (r *Reader) size() (int, error) {
	prelude := r.buffer[r.next:]
	if len(prelude) < preludeSize {
		return 0, nil
	}
	if crc32.ChecksumIEEE(prelude[:lengthsSize]) != binary.BigEndian.Uint32(prelude[lengthsSize:]) {
		return 0, errPrelude
	}
	size, headers := uint64(binary.BigEndian.Uint32(prelude)), uint64(binary.BigEndian.Uint32(prelude[4:]))
	limit := DefaultMaxMessage
	if r.MaxMessage > 0 {
		limit = r.MaxMessage
	}
	switch {
	case size > uint64(limit) || headers > largestHeader:
		return 0, &TooLargeError{Limit: limit}
	case size < leastMessage+headers:
		return 0, errPrelude
	}
	return int(size), nil
}

func (r *Reader) decode(text []byte) (sse.Event, error) {
	r.source.Reset(text)
	// Nil, as what an event holds is valid until the next Feed.
	message, err := r.decoder.Decode(&r.source, nil)
	if err != nil {
		return sse.Event{}, fmt.Errorf("event stream: %w", err)
	}
	header := func(name string) string {
		if value := message.Headers.Get(name); value != nil {
			return value.String()
		}
		return ""
	}
	switch header(":message-type") {
	case "event":
		return sse.Event{Name: header(":event-type"), Data: message.Payload}, nil
	case "exception":
		return sse.Event{Name: FailurePrefix + header(":exception-type"), Data: message.Payload}, nil
	case "error":
		said := rawjson.AppendText([]byte{'{'}, "message", header(":error-message"))
		return sse.Event{Name: FailurePrefix + header(":error-code"), Data: append(said, '}')}, nil
	}
	return sse.Event{}, errNoType
}
