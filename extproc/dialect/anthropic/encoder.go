package anthropic

import (
	"cmp"
	"github.com/switchyard/switchyard/extproc/dialect"
	"github.com/switchyard/switchyard/extproc/dialect/rawjson"
	"github.com/switchyard/switchyard/extproc/sse"
)

// Encoder writes an answer that some other dialect's decoder reads. The API has no
// place for more than one choice, nor for the probabilities of tokens; both are left
// out.
func (Client) Encoder(meta dialect.Meta) dialect.Encoder {
	return &encoder{envelope: newEnvelope(meta)}
}

var _ dialect.ObjectEncoder = (*encoder)(nil)

// encoder writes a stream as the events that the SDKs demand in this order:
// message_start, for each block content_block_start, deltas and content_block_stop,
// message_delta, message_stop.
type encoder struct {
	envelope envelope
	started  bool
	blocks   int // that have begun
	speech   openBlock
	calls    []openCall
	refused  bool
	finish   string
	data     []byte // of the event that is being written, kept for its memory
}

// ObjectArguments is of [dialect.ObjectEncoder].
func (*encoder) ObjectArguments() {}

// Event appends the events that a piece of an answer is for a client of this
// dialect, possibly none.
func (e *encoder) Event(dst []byte, event dialect.Event) []byte {
	if event.Choice != 0 {
		return dst
	}
	switch event.Kind {
	case dialect.EventTier:
		e.envelope.tier = event.Text
		return dst
	case dialect.EventFinish:
		if e.finish == "" {
			e.finish = cmp.Or(event.Reason, event.Text)
		}
		return dst
	case dialect.EventStart, dialect.EventUsage, dialect.EventDone, dialect.EventLogprobs:
		return dst
	}
	dst = e.start(dst)
	switch event.Kind {
	case dialect.EventText, dialect.EventRefusal:
		e.refused = e.refused || event.Kind == dialect.EventRefusal && event.Text != ""
		if event.Text == "" {
			// A sign of life, and no content.
			return append(dst, "event: ping\ndata: {\"type\":\"ping\"}\n\n"...)
		}
		dst = e.speak(dst, textBlock, 0)
		return e.delta(dst, e.speech.index, "text_delta", "text", event.Text)
	case dialect.EventReasoning:
		return e.think(dst, &event.Reasoning)
	case dialect.EventToolCall:
		return e.call(dst, &event)
	case dialect.EventToolArguments:
		return e.argue(dst, &event)
	case dialect.EventAnnotation:
		return e.cite(dst, event.Raw)
	}
	return dst
}

// noUsage is what message_start says of usage where nothing is known yet.
const noUsage = `{"input_tokens":0,"cache_creation_input_tokens":0,"cache_read_input_tokens":0,"output_tokens":0}`

// start appends message_start once. What the prompt took is not known before the
// end, and told there: the counts are cumulative.
func (e *encoder) start(dst []byte) []byte {
	if e.started {
		return dst
	}
	e.started = true
	data := e.envelope.head([]byte(`{"type":"message_start","message":`))
	data = append(data, `,"content":[],"stop_reason":null,"stop_sequence":null,"usage":`+noUsage+`}}`...)
	dst = sse.AppendEvent(dst, "message_start", data)
	return append(dst, "event: ping\ndata: {\"type\":\"ping\"}\n\n"...)
}

// Finish closes what is open and appends why the answer ended, its usage with the
// cost, and the last event.
func (e *encoder) Finish(dst []byte, usage dialect.Usage) []byte {
	dst = e.closeCalls(e.quiet(e.start(dst)))
	data := append([]byte(`{"type":"message_delta","delta":{`), `"stop_reason":`...)
	data = rawjson.AppendQuoted(data, e.reason())
	data = append(data, `,"stop_sequence":null}`...)
	data = append(e.envelope.usage(data, usage), '}')
	dst = sse.AppendEvent(dst, "message_delta", data)
	return e.envelope.stop(dst)
}

func (e *encoder) reason() string {
	if e.refused {
		return "refusal"
	}
	return stopReason(e.finish, len(e.calls) > 0)
}

// Fail appends the error; what is open stays open, which tells clients that it is
// not whole.
func (e *encoder) Fail(dst []byte, failure *dialect.Error) []byte {
	return e.envelope.fail(dst, failure)
}
