package bedrock

import (
	"errors"
	"fmt"

	"github.com/switchyard/switchyard/extproc/dialect"
	"github.com/switchyard/switchyard/extproc/dialect/rawjson"
	"github.com/switchyard/switchyard/extproc/sse"
)

// decoder reads the events of ConverseStream, or the whole answer of Converse. What an
// event is only its name says. An answer has no id of its own.
type decoder struct {
	events  []dialect.Event
	started bool
	blocks  []contentBlock // by the provider's index, with gaps
	calls   int            // tool calls so far
	details int            // reasoning details so far
	written int            // characters of text so far, for citations
}

// mostBlocks bounds the index that a provider may give a content block.
const mostBlocks = 10000

var errNoContent = errors.New("the provider's answer has no content that can be read")

func (d *decoder) emit(event dialect.Event) { d.events = append(d.events, event) }

// Event reads one event.
func (d *decoder) Event(event sse.Event) ([]dialect.Event, error) {
	if failure := streamFailure(event); failure != nil {
		return nil, failure
	}
	data, err := dialect.ReadData(event)
	if data == nil {
		return nil, err
	}
	d.events = d.events[:0]
	var start, delta []byte
	index := int64(0)
	for c := rawjson.Walk(data); c.Next(); {
		switch string(c.Name) {
		case "contentBlockIndex":
			index, _ = rawjson.Int(c.Value)
		case "start":
			start = c.Value
		case "delta":
			delta = c.Value
		}
	}
	if index < 0 || index >= mostBlocks {
		return nil, fmt.Errorf("event of the provider's stream: block index %d is out of range", index)
	}
	switch event.Name {
	case "messageStart":
		d.start()
	case "contentBlockStart":
		d.startBlock(int(index), start)
	case "contentBlockDelta":
		d.delta(int(index), delta)
	case "contentBlockStop":
		d.stopBlock(int(index))
	case "messageStop":
		d.finish(data)
	case "metadata":
		d.count(data)
		d.emit(dialect.Event{Kind: dialect.EventDone})
	}
	return d.events, nil
}

// Whole reads an answer as the events that it would have been streamed in.
func (d *decoder) Whole(body []byte) ([]dialect.Event, error) {
	d.events = nil
	answer, err := rawjson.Repair(body)
	if err != nil {
		return nil, fmt.Errorf("the provider's answer: %w", err)
	}
	content := rawjson.Get(rawjson.Get(rawjson.Get(answer, "output"), "message"), "content")
	if rawjson.Kind(content) != '[' {
		return nil, errNoContent
	}
	d.start()
	index := 0
	for c := rawjson.Walk(content); c.Next(); index++ {
		if index == mostBlocks {
			return nil, errNoContent
		}
		d.wholeBlock(index, c.Value)
	}
	d.finish(answer)
	d.count(answer)
	d.emit(dialect.Event{Kind: dialect.EventDone})
	return d.events, nil
}

func (d *decoder) start() {
	if !d.started {
		d.started = true
		d.emit(dialect.Event{Kind: dialect.EventStart})
	}
}

func (d *decoder) finish(object []byte) {
	for index := range d.blocks {
		d.stopBlock(index)
	}
	if reason := rawjson.Text(rawjson.Get(object, "stopReason")); reason != "" {
		d.emit(dialect.Event{Kind: dialect.EventFinish, Text: reason})
	}
}

func (d *decoder) count(object []byte) {
	counts := rawjson.Get(object, "usage")
	if rawjson.Kind(counts) != '{' {
		return
	}
	var u usage
	u.read(counts)
	tier := rawjson.Text(rawjson.Get(rawjson.Get(object, "serviceTier"), "type"))
	d.events = dialect.AppendUsage(d.events, u.total(), tier)
}
