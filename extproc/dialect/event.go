package dialect

import (
	"bytes"
	"fmt"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/switchyard/switchyard/extproc/dialect/rawjson"
	"github.com/switchyard/switchyard/extproc/sse"
)

// EventKind tells the events of an answer apart.
type EventKind uint8

// The kinds of events, with the fields of [Event] that each uses besides Choice.
const (
	EventStart         EventKind = iota // Text: the provider's own id
	EventText                           // Text
	EventRefusal                        // Text
	EventReasoning                      // Reasoning: a piece of a detail
	EventToolCall                       // Index, ID, Text: the tool's name
	EventToolArguments                  // Index, Text
	EventImage                          // Index, Text: a data URL
	EventAnnotation                     // Raw: an annotation of Chat Completions
	EventLogprobs                       // Raw: logprobs of Chat Completions
	EventFinish                         // Text: the provider's reason; Reason
	EventUsage                          // Usage: all so far, replaces what came before
	EventTier                           // Text: the service tier that served
	EventVector                         // Index: the input; Raw: an array of numbers
	EventRank                           // Index: the document; Raw: its score, a number
	EventEnding                         // nothing is left to come but, perhaps, usage
	EventDone                           // the dialect's last word
)

// Event is a piece of an answer. A whole answer is the same events as a stream
// has, only in larger pieces, so that either can become the other.
type Event struct {
	Kind EventKind
	// Choice is the answer's number where several were asked for.
	Choice int
	// Index numbers the tool calls, or the images, of a choice, from zero, in order
	// and without gaps.
	Index     int
	ID        string
	Text      string
	Reason    string // what Text means where [FinishReason] alone cannot tell
	Reasoning ReasoningDetail
	Raw       jsontext.Value
	Usage     Usage
}

// FinishReason is why the choice ended, in the terms of Chat Completions.
func (e *Event) FinishReason() string {
	if e.Reason != "" {
		return e.Reason
	}
	return FinishReason(e.Text)
}

// Decoder reads one provider's answer. It belongs to one attempt.
type Decoder interface {
	// Event reads one event of a stream. An error inside the stream is a
	// *ProviderFailure, any other means that the event cannot be read. What it
	// returns is valid until the next call.
	Event(sse.Event) ([]Event, error)
	// Whole reads an answer that is not a stream, with the same errors.
	Whole(body []byte) ([]Event, error)
}

// ReadData validates the data of an event of a stream as JSON. It is nil where there is
// nothing to read: no data, or the "[DONE]" that compatible providers add to dialects
// which end otherwise.
func ReadData(event sse.Event) ([]byte, error) {
	data := bytes.TrimSpace(event.Data)
	if len(data) == 0 || string(data) == "[DONE]" {
		return nil, nil
	}
	data, err := rawjson.Repair(data)
	if err != nil {
		return nil, fmt.Errorf("event of the provider's stream: %w", err)
	}
	return data, nil
}

// Encoder writes one client's answer. It belongs to one attempt.
type Encoder interface {
	// Event appends one event of a stream to dst. Usage and the last word are not
	// for it.
	Event(dst []byte, event Event) []byte
	// Finish appends usage, with its cost, and the dialect's last event.
	Finish(dst []byte, usage Usage) []byte
	// Fail appends an error that ends a stream.
	Fail(dst []byte, failure *Error) []byte
	// Whole appends an answer that is not a stream.
	Whole(dst []byte, events []Event, usage Usage) []byte
}

// Commenter is an encoder of a dialect whose clients do not read comments in a stream,
// although the standard has them.
type Commenter interface {
	// Comment appends what keeps a stream alive instead of one.
	Comment(dst []byte, text string) []byte
}

// ObjectEncoder is an encoder of a dialect in which a call's arguments are an object,
// and not a text that may be a broken one. An answer with a call that a bound on its
// length cut has none of it, or only its beginning; any other call whose arguments are
// no object makes the answer a failure of its provider.
type ObjectEncoder interface {
	Encoder
	// ObjectArguments only tells such encoders from others.
	ObjectArguments()
}

// AppendVectors appends the vectors of a list, each an array of numbers.
func AppendVectors(events []Event, list []byte) []Event {
	index := 0
	for c := rawjson.Walk(list); c.Next(); index++ {
		events = append(events, Event{Kind: EventVector, Index: index, Raw: c.Value})
	}
	return events
}
