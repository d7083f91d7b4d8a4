package cohere

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"net/http"

	"github.com/switchyard/switchyard/extproc/dialect"
	"github.com/switchyard/switchyard/extproc/dialect/rawjson"
	"github.com/switchyard/switchyard/extproc/sse"
)

// decoder reads an answer: the events of a stream, or a whole one, which is a
// conversation's, vectors or ranks.
type decoder struct {
	events []dialect.Event
	id     string // the provider's, of the answer

	text  int64           // characters so far
	bases map[int64]int64 // where the text of a content block begins, in characters

	details  int  // of reasoning, begun
	planning bool // the last detail is the plan

	calls    []begunCall
	ids      dialect.CallIDs
	finished bool
}

// begunCall is a tool call so far.
type begunCall struct {
	number int64 // the provider's
	argued bool  // some of its arguments have come
}

const (
	// mostCalls bounds what is kept to tell the calls of an answer apart.
	mostCalls = 1 << 10
	// mostBlocks does so for its content blocks.
	mostBlocks = 1 << 10
)

var errNoMessage = errors.New("the provider's answer has no message that can be read")

// NameCalls is of [dialect.CallNamer].
func (d *decoder) NameCalls(generation string) { d.ids.Generation = generation }

func (d *decoder) emit(event dialect.Event) { d.events = append(d.events, event) }

// Event reads one event, whose type is in its data.
func (d *decoder) Event(event sse.Event) ([]dialect.Event, error) {
	d.events = d.events[:0]
	data, err := dialect.ReadData(event)
	if data == nil {
		return nil, err
	}
	var kind, delta, id, logprobs []byte
	index := int64(0)
	for c := rawjson.Walk(data); c.Next(); {
		switch string(c.Name) {
		case "type":
			kind = rawjson.Unquote(c.Value)
		case "delta":
			delta = c.Value
		case "id":
			id = c.Value
		case "index":
			index, _ = rawjson.Int(c.Value)
		case "logprobs":
			logprobs = c.Value
		}
	}
	message := rawjson.Get(delta, "message")
	switch string(kind) {
	case "message-start":
		d.start(id)
	case "content-start":
		if _, known := d.bases[index]; !known && len(d.bases) < mostBlocks {
			d.begin(index)
		}
		d.content(rawjson.Get(message, "content"))
	case "content-delta":
		d.content(rawjson.Get(message, "content"))
		d.logprobs(logprobs)
	case "tool-plan-delta":
		d.plan(rawjson.Text(rawjson.Get(message, "tool_plan")))
	case "tool-call-start":
		return d.events, d.call(index, one(rawjson.Get(message, "tool_calls")))
	case "tool-call-delta":
		d.arguments(index, one(rawjson.Get(message, "tool_calls")))
	case "tool-call-end":
		if at, known := d.latest(index); known {
			d.endCall(at)
		}
	case "citation-start":
		d.cite(one(rawjson.Get(message, "citations")))
	case "message-end":
		if err := d.finish(delta); err != nil {
			return nil, err
		}
		d.emit(dialect.Event{Kind: dialect.EventDone})
	case "", "error", "stream-error":
		return nil, dialect.ReadStreamFailure(data)
	}
	return d.events, nil
}

// one is the element of a list that has one, or what stands in the list's place: the
// API's reference and its servers disagree.
func one(value []byte) []byte {
	if rawjson.Kind(value) != '[' {
		return value
	}
	c := rawjson.Walk(value)
	c.Next()
	return c.Value
}

// Whole reads an answer as the events that it would have been streamed in.
func (d *decoder) Whole(body []byte) ([]dialect.Event, error) {
	d.events = nil
	body, err := rawjson.Repair(bytes.TrimSpace(body))
	if err != nil {
		return nil, fmt.Errorf("the provider's answer: %w", err)
	}
	var message, embeddings, results, meta, id []byte
	for c := rawjson.Walk(body); c.Next(); {
		switch string(c.Name) {
		case "id":
			id = c.Value
		case "message":
			message = c.Value
		case "embeddings":
			embeddings = c.Value
		case "results":
			results = c.Value
		case "meta":
			meta = c.Value
		}
	}
	d.start(id)
	switch {
	case rawjson.Kind(message) == '{':
		err = d.message(body, message)
	case embeddings != nil:
		d.vectors(embeddings)
		d.billed(meta)
	case results != nil:
		d.ranks(results)
		d.billed(meta)
	case rawjson.Kind(message) == '"':
		err = dialect.ReadStreamFailure(body) // an error's is a text
	default:
		err = errNoMessage
	}
	if err != nil {
		return nil, err
	}
	d.emit(dialect.Event{Kind: dialect.EventDone})
	return d.events, nil
}

func (d *decoder) message(body, message []byte) error {
	var contents, calls, citations, plan []byte
	for c := rawjson.Walk(message); c.Next(); {
		switch string(c.Name) {
		case "content":
			contents = c.Value
		case "tool_calls":
			calls = c.Value
		case "tool_plan":
			plan = c.Value
		case "citations":
			citations = c.Value
		}
	}
	index := int64(0)
	for c := rawjson.Walk(contents); c.Next() && index < mostBlocks; index++ {
		d.begin(index)
		d.content(c.Value)
	}
	for c := rawjson.Walk(rawjson.Get(body, "logprobs")); c.Next(); {
		d.logprobs(c.Value)
	}
	d.plan(rawjson.Text(plan))
	number := int64(0)
	for c := rawjson.Walk(calls); c.Next(); number++ {
		if err := d.call(number, c.Value); err != nil {
			return err
		}
		d.endCall(len(d.calls) - 1)
	}
	for c := rawjson.Walk(citations); c.Next(); {
		d.cite(c.Value)
	}
	return d.finish(body)
}

func (d *decoder) start(id []byte) {
	d.id = rawjson.Text(id)
	d.emit(dialect.Event{Kind: dialect.EventStart, Text: d.id})
}

// finish reads why an answer ended, and what it cost. One that failed is no answer:
// where nothing has been sent yet, another provider may give one.
func (d *decoder) finish(object []byte) error {
	reason, said := "", ""
	for c := rawjson.Walk(object); c.Next(); {
		switch string(c.Name) {
		case "finish_reason":
			reason = rawjson.Text(c.Value)
		case "error":
			said = rawjson.Text(c.Value)
		case "usage":
			if usage, counted := readUsage(c.Value); counted {
				d.emit(dialect.Event{Kind: dialect.EventUsage, Usage: usage})
			}
		}
	}
	event := dialect.Event{Kind: dialect.EventFinish, Text: reason}
	switch reason {
	case "":
		event.Text = "COMPLETE"
	case "TOOL_CALL":
		event.Reason = "tool_calls"
		for at := range d.calls {
			d.endCall(at)
		}
	case "ERROR", "ERROR_TOXIC", "ERROR_LIMIT":
		return &dialect.ProviderFailure{Status: http.StatusBadGateway, Code: reason, Message: cmp.Or(said, "The model's answer failed: "+reason+".")}
	case "TIMEOUT":
		return &dialect.ProviderFailure{Status: http.StatusGatewayTimeout, Code: reason, Message: cmp.Or(said, "The provider ran out of time.")}
	}
	if !d.finished {
		d.finished = true
		d.emit(event)
	}
	return nil
}
