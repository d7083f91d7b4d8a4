package dialect

import (
	"bytes"
	"slices"
	"strconv"
	"time"

	"github.com/switchyard/switchyard/extproc/dialect/rawjson"
	"github.com/switchyard/switchyard/extproc/sse"
)

// Replayer is a client dialect whose answers can be given once more, to a request that
// is the same (spec section 4.8).
type Replayer interface {
	Marks() Marks
}

// Marks are the members by which an answer tells of the one generation that made it. They
// stand in the object of an answer, or of an event in a stream.
type Marks struct {
	// ID is the answer's id, Usage what it took.
	ID, Usage string
	// Times are when it was made: Unix seconds as a number, or RFC 3339 as text.
	Times []string
	// Holders are members of an event with an object in which these stand too.
	Holders []string
}

// Again is the generation that gives an answer once more.
type Again struct {
	// ID and SourceID are the ids of this generation and of the first one.
	ID, SourceID string
	Now          time.Time
}

// Replay appends an answer that a client got, a whole one or a stream of events, as
// another generation's: under its id and at its time, with nothing used and without
// router metadata. All else is as it was, but for comments in a stream: they were there
// for a wait that is over.
//
// What the client got is kept, and not what the provider said or the neutral form of
// it: so it can be given again after its provider is gone, and it is the same answer
// whatever its dialect has no neutral form for.
func Replay(dst []byte, marks Marks, again Again, answer []byte, stream bool) []byte {
	r := replay{marks, again}
	if !stream {
		return r.object(dst, answer, false)
	}
	reader := sse.Reader{MaxEvent: len(answer) + 1}
	reader.Feed(answer)
	reader.End()
	var object []byte
	for {
		event, ok, err := reader.Next()
		if !ok || err != nil { // no event is larger than all of them
			return dst
		}
		object = r.object(object[:0], event.Data, true)
		if event.Name != "" {
			dst = sse.AppendEvent(dst, event.Name, object)
		} else {
			dst = sse.AppendData(dst, object)
		}
	}
}

type replay struct {
	marks Marks
	again Again
}

// object appends an object whose marks are the new generation's. What is no object, such
// as the last word of a stream, is appended as it is.
func (r *replay) object(dst, from []byte, event bool) []byte {
	if from = bytes.TrimSpace(from); rawjson.Kind(from) != '{' {
		return append(dst, from...)
	}
	dst = append(dst, '{')
	for c := rawjson.Walk(from); c.Next(); {
		switch name := string(c.Name); {
		case name == "openrouter_metadata":
		case name == r.marks.ID && rawjson.Text(c.Value) == r.again.SourceID:
			dst = rawjson.AppendText(dst, name, r.again.ID)
		case name == r.marks.Usage:
			dst = zeroed(rawjson.AppendName(dst, name), c.Value)
		case slices.Contains(r.marks.Times, name):
			dst = r.time(rawjson.AppendName(dst, name), c.Value)
		case event && slices.Contains(r.marks.Holders, name):
			dst = r.object(rawjson.AppendName(dst, name), c.Value, false)
		default:
			dst = rawjson.AppendRaw(dst, c.Member)
		}
	}
	return append(dst, '}')
}

// time appends when the new generation is, in the form that value has. No time stays none.
func (r *replay) time(dst, value []byte) []byte {
	switch rawjson.Kind(value) {
	case '0':
		return strconv.AppendInt(dst, r.again.Now.Unix(), 10)
	case '"':
		return rawjson.AppendQuoted(dst, r.again.Now.UTC().Format(time.RFC3339Nano))
	}
	return append(dst, value...)
}

// zeroed appends a value in which every number is zero.
func zeroed(dst, value []byte) []byte {
	switch rawjson.Kind(value) {
	case '0':
		return append(dst, '0')
	case '{':
		dst = append(dst, '{')
		for c := rawjson.Walk(value); c.Next(); {
			dst = append(rawjson.AppendQuoted(rawjson.Comma(dst), c.Name), ':')
			dst = zeroed(dst, c.Value)
		}
		return append(dst, '}')
	case '[':
		dst = append(dst, '[')
		for c := rawjson.Walk(value); c.Next(); {
			dst = zeroed(rawjson.Comma(dst), c.Value)
		}
		return append(dst, ']')
	}
	return append(dst, value...)
}
