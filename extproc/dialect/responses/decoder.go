package responses

import (
	"bytes"
	"errors"
	"fmt"

	"github.com/switchyard/switchyard/extproc/dialect"
	"github.com/switchyard/switchyard/extproc/dialect/rawjson"
	"github.com/switchyard/switchyard/extproc/sse"
)

// Decoder reads one answer.
func (Provider) Decoder() dialect.Decoder { return &decoder{} }

// decoder reads an answer: the events of a stream, or a response object. Both say the
// same more than once, as pieces, as a part, as an item and in the last event; whatever
// comes first counts, so that a provider may leave any of it out.
type decoder struct {
	events   []dialect.Event
	last     streamEvent // valid as long as the data that it was read from
	started  bool
	items    map[int64]*decodedItem // by output_index
	calls    int
	images   int
	details  int
	searches int64
}

// mostItems bounds the items of an answer, and the parts of an item.
const mostItems = 4096

var errNoResponse = errors.New("the provider's answer is no response object")

func (d *decoder) emit(event dialect.Event) { d.events = append(d.events, event) }

// Event reads one event.
func (d *decoder) Event(event sse.Event) ([]dialect.Event, error) {
	data, err := dialect.ReadData(event)
	if data == nil {
		return nil, err
	}
	return d.read(event.Name, data)
}

// read reads the data of an event, whose type stands in the data or else is its name.
func (d *decoder) read(name string, data []byte) ([]dialect.Event, error) {
	d.events = d.events[:0]
	said := readEvent(data)
	if said.typed = len(said.kind) > 0; !said.typed {
		said.kind = []byte(name)
	}
	d.last = said
	if err := d.event(&said, data); err != nil {
		return nil, err
	}
	return d.events, nil
}

// streamEvent is what events of all types have.
type streamEvent struct {
	kind                    []byte
	typed                   bool  // the type stands in the data
	item                    int64 // output_index
	part                    int64 // content_index or summary_index
	itemID, number          []byte
	delta, object           []byte
	logprobs, response, err []byte
}

func readEvent(data []byte) streamEvent {
	var e streamEvent
	for c := rawjson.Walk(data); c.Next(); {
		switch string(c.Name) {
		case "type":
			e.kind = rawjson.Unquote(c.Value)
		case "output_index":
			e.item, _ = rawjson.Int(c.Value)
		case "content_index", "summary_index":
			e.part, _ = rawjson.Int(c.Value)
		case "item_id":
			e.itemID = c.Value
		case "sequence_number":
			e.number = c.Value
		case "delta":
			e.delta = c.Value
		case "item", "part", "annotation":
			e.object = c.Value
		case "logprobs":
			e.logprobs = c.Value
		case "response":
			e.response = c.Value
		case "error":
			e.err = c.Value
		}
	}
	return e
}

func (d *decoder) event(e *streamEvent, data []byte) error {
	switch string(e.kind) {
	case "response.created", "response.in_progress", "response.queued":
		d.start(e.response)
		return nil
	case "response.completed", "response.incomplete", "response.failed":
		return d.end(e.response)
	case "error":
		if rawjson.Kind(e.err) == '{' {
			data = e.err
		}
		return streamFailure(data)
	case "":
		if rawjson.Present(e.err) {
			return streamFailure(e.err)
		}
		return nil
	}
	if e.item < 0 || e.item >= mostItems || e.part < 0 || e.part >= mostItems {
		return fmt.Errorf("the provider's stream: item %d, part %d is out of range", e.item, e.part)
	}
	d.itemEvent(e)
	return nil
}

// itemEvent reads an event about an item. Those of the tools that a provider runs by
// itself are not for the neutral form.
func (d *decoder) itemEvent(e *streamEvent) {
	switch string(e.kind) {
	case "response.output_item.added":
		d.item(e.item).begin(d, e.object)
	case "response.output_item.done":
		d.item(e.item).end(d, e.object)
	case "response.output_text.delta":
		d.item(e.item).speak(d, e.part, rawjson.Unquote(e.delta), false)
		d.logprobs(e.logprobs)
	case "response.refusal.delta":
		d.item(e.item).speak(d, e.part, rawjson.Unquote(e.delta), true)
	case "response.output_text.annotation.added":
		d.item(e.item).annotated++
		d.annotate(e.object)
	case "response.function_call_arguments.delta":
		d.item(e.item).argue(d, rawjson.Unquote(e.delta))
	case "response.custom_tool_call_input.delta":
		d.item(e.item).input(d, e.delta)
	case "response.reasoning_summary_text.delta":
		d.item(e.item).think(d, e.itemID, e.part, dialect.ReasoningSummary, rawjson.Unquote(e.delta))
	case "response.reasoning_text.delta":
		d.item(e.item).think(d, e.itemID, e.part, dialect.ReasoningText, rawjson.Unquote(e.delta))
	}
}

// Whole reads an answer as the events that it would have been streamed in.
func (d *decoder) Whole(body []byte) ([]dialect.Event, error) {
	d.events = nil
	body, err := rawjson.Repair(bytes.TrimSpace(body))
	if err != nil {
		return nil, fmt.Errorf("the provider's answer: %w", err)
	}
	if rawjson.Kind(body) != '{' {
		return nil, errNoResponse
	}
	if err := d.end(body); err != nil {
		return nil, err
	}
	return d.events, nil
}

func (d *decoder) start(response []byte) {
	if d.started {
		return
	}
	d.started = true
	d.emit(dialect.Event{Kind: dialect.EventStart, Text: rawjson.Text(rawjson.Get(response, "id"))})
}

// end reads a response object that is complete, and all of it that was not said before.
func (d *decoder) end(response []byte) error {
	var output, counts, details, failed []byte
	var status, tier string
	for c := rawjson.Walk(response); c.Next(); {
		switch string(c.Name) {
		case "output":
			output = c.Value
		case "usage":
			counts = c.Value
		case "incomplete_details":
			details = c.Value
		case "error":
			failed = c.Value
		case "status":
			status = rawjson.Text(c.Value)
		case "service_tier":
			tier = rawjson.Text(c.Value)
		}
	}
	switch {
	case status == "failed", rawjson.Present(failed):
		return streamFailure(failed)
	case status == "cancelled":
		return &dialect.ProviderFailure{Status: 502, Code: status, Message: "The provider cancelled its answer."}
	case rawjson.Kind(output) != '[' && status == "", status == "queued", status == inProgress:
		return errNoResponse
	}
	d.start(response)
	index := int64(0)
	for c := rawjson.Walk(output); c.Next(); index++ {
		if index == mostItems {
			return fmt.Errorf("the provider's answer has more than %d items", mostItems)
		}
		d.item(index).end(d, c.Value)
	}
	d.finish(status, rawjson.Text(rawjson.Get(details, "reason")))
	if rawjson.Kind(counts) == '{' {
		usage := readUsage(counts)
		usage.WebSearches = d.searches
		d.events = dialect.AppendUsage(d.events, usage, tier)
	} else if served := dialect.ServedTier(tier); served != "" {
		d.emit(dialect.Event{Kind: dialect.EventTier, Text: served})
	}
	d.emit(dialect.Event{Kind: dialect.EventDone})
	return nil
}

// finish says why the answer ended: in the provider's word, which is the reason of one
// that is incomplete.
func (d *decoder) finish(status, reason string) {
	event := dialect.Event{Kind: dialect.EventFinish, Text: completed, Reason: "stop"}
	switch {
	case status == incomplete && reason == "max_messages":
		event.Text, event.Reason = reason, "length"
	case status == incomplete && reason != "":
		event.Text, event.Reason = reason, ""
	case status == incomplete:
		event.Text, event.Reason = status, "length"
	case d.calls > 0:
		event.Reason = "tool_calls"
	}
	d.emit(event)
}

func (d *decoder) item(index int64) *decodedItem {
	at := d.items[index]
	if at == nil {
		if d.items == nil {
			d.items = map[int64]*decodedItem{}
		}
		at = &decodedItem{index: index}
		d.items[index] = at
	}
	return at
}

// readUsage reads what an answer took. Unlike in Chat Completions the API's counts go by
// input and output, and include what they are detailed by.
func readUsage(object []byte) dialect.Usage {
	var u dialect.Usage
	for c := rawjson.Walk(object); c.Next(); {
		switch string(c.Name) {
		case "input_tokens":
			dialect.ReadCount(&u.Prompt, c.Value)
		case "output_tokens":
			dialect.ReadCount(&u.Completion, c.Value)
		case "input_tokens_details":
			dialect.ReadCount(&u.CacheRead, rawjson.Get(c.Value, "cached_tokens"))
			dialect.ReadCount(&u.CacheWrite, rawjson.Get(c.Value, "cache_write_tokens"))
			dialect.ReadCount(&u.AudioPrompt, rawjson.Get(c.Value, "audio_tokens"))
		case "output_tokens_details":
			dialect.ReadCount(&u.Reasoning, rawjson.Get(c.Value, "reasoning_tokens"))
			dialect.ReadCount(&u.AudioCompletion, rawjson.Get(c.Value, "audio_tokens"))
			dialect.ReadCount(&u.Images, rawjson.Get(c.Value, "image_tokens"))
		}
	}
	u.CacheRead = min(u.CacheRead, u.Prompt)
	u.CacheWrite = min(u.CacheWrite, u.Prompt-u.CacheRead)
	u.Reasoning = min(u.Reasoning, u.Completion)
	return u
}
