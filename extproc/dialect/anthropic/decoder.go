package anthropic

import (
	"errors"
	"fmt"

	"github.com/switchyard/switchyard/extproc/dialect"
	"github.com/switchyard/switchyard/extproc/dialect/rawjson"
	"github.com/switchyard/switchyard/extproc/sse"
)

// decoder reads the events of a message, or a whole one. It takes what compatible
// providers get wrong: a second message_start, a block that never stops, events it
// does not know.
type decoder struct {
	events  []dialect.Event
	usage   usage
	started bool
	id      string         // the provider's, of the message
	blocks  []contentBlock // by the provider's index, with gaps
	calls   int            // tool calls so far
	details int            // reasoning details so far
	written int            // characters of text so far, for citations
}

// mostBlocks bounds the index that a provider may give a content block.
const mostBlocks = 10000

func (d *decoder) emit(event dialect.Event) { d.events = append(d.events, event) }

// Event reads one event. Its type is in the data; the event's name only says it
// again.
func (d *decoder) Event(event sse.Event) ([]dialect.Event, error) {
	data, err := dialect.ReadData(event)
	if data == nil {
		return nil, err
	}
	return d.read(event.Name, data)
}

// read reads the data of one event, valid JSON.
func (d *decoder) read(name string, data []byte) ([]dialect.Event, error) {
	d.events = d.events[:0]
	var kind, block, delta, message, counts, failed []byte
	index := int64(0)
	for c := rawjson.Walk(data); c.Next(); {
		switch string(c.Name) {
		case "type":
			kind = rawjson.Unquote(c.Value)
		case "index":
			index, _ = rawjson.Int(c.Value)
		case "content_block":
			block = c.Value
		case "delta":
			delta = c.Value
		case "message":
			message = c.Value
		case "usage":
			counts = c.Value
		case "error":
			failed = c.Value
		}
	}
	if kind == nil {
		kind = []byte(name)
	}
	if index < 0 || index >= mostBlocks {
		return nil, fmt.Errorf("event of the provider's stream: block index %d is out of range", index)
	}
	switch string(kind) {
	case "message_start":
		d.start(message)
	case "content_block_start":
		d.startBlock(int(index), block)
	case "content_block_delta":
		d.deltaBlock(int(index), delta)
	case "content_block_stop":
		d.stopBlock(int(index))
	case "message_delta":
		d.end(delta, counts)
	case "message_stop":
		d.stopBlocks()
		d.emit(dialect.Event{Kind: dialect.EventDone})
	case "error":
		if failed == nil {
			failed = data
		}
		return nil, dialect.ReadStreamFailure(failed)
	}
	return d.events, nil
}

// Whole reads a message as the events that it would have been streamed in.
func (d *decoder) Whole(body []byte) ([]dialect.Event, error) {
	d.events = nil
	message, err := rawjson.Repair(body)
	if err != nil {
		return nil, fmt.Errorf("the provider's answer: %w", err)
	}
	if failed := rawjson.Get(message, "error"); rawjson.Kind(failed) == '{' || rawjson.Kind(failed) == '"' {
		return nil, dialect.ReadStreamFailure(failed)
	}
	content := rawjson.Get(message, "content")
	if rawjson.Kind(content) != '[' {
		return nil, errNoContent
	}
	d.start(message)
	index := 0
	for c := rawjson.Walk(content); c.Next(); index++ {
		if index == mostBlocks {
			return nil, errNoContent
		}
		d.startBlock(index, c.Value)
		d.stopBlock(index)
	}
	d.end(message, nil)
	d.emit(dialect.Event{Kind: dialect.EventDone})
	return d.events, nil
}

var errNoContent = errors.New("the provider's answer has no content that can be read")

func (d *decoder) start(message []byte) {
	if d.started {
		return
	}
	d.started = true
	d.id = rawjson.Text(rawjson.Get(message, "id"))
	d.emit(dialect.Event{Kind: dialect.EventStart, Text: d.id})
	d.count(rawjson.Get(message, "usage"))
}

// end reads why the message ended and what it cost; both may come more than once.
func (d *decoder) end(delta, counts []byte) {
	d.stopBlocks()
	if reason := rawjson.Text(rawjson.Get(delta, "stop_reason")); reason != "" {
		d.emit(dialect.Event{Kind: dialect.EventFinish, Text: reason})
	}
	d.count(counts)
}

func (d *decoder) count(object []byte) {
	if rawjson.Kind(object) != '{' {
		return
	}
	d.usage.read(object)
	d.events = dialect.AppendUsage(d.events, d.usage.total(), d.usage.tier)
	d.usage.tier = "" // told
}
