package ollama

import (
	"bytes"
	"errors"
	"fmt"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/switchyard/switchyard/extproc/dialect"
	"github.com/switchyard/switchyard/extproc/dialect/rawjson"
	"github.com/switchyard/switchyard/extproc/sse"
)

// decoder reads an answer: the lines of a stream, or a whole one, which has the form of
// the last line.
type decoder struct {
	events  []dialect.Event
	started bool
	id      string // when the answer began: the API has no ids
	calls   int
	ids     dialect.CallIDs
	thought int // details of reasoning, begun
	musing  bool
}

// mostCalls bounds what is kept to tell the calls of an answer apart.
const mostCalls = 1 << 10

var errNoMessage = errors.New("the provider's answer has no message that can be read")

// NameCalls is of [dialect.CallNamer].
func (d *decoder) NameCalls(generation string) { d.ids.Generation = generation }

func (d *decoder) emit(event dialect.Event) { d.events = append(d.events, event) }

// Event reads one line.
func (d *decoder) Event(event sse.Event) ([]dialect.Event, error) {
	d.events = d.events[:0]
	data, err := dialect.ReadData(event)
	if data == nil {
		return nil, err
	}
	if err := d.line(data); err != nil {
		return nil, err
	}
	return d.events, nil
}

// Whole reads an answer as the events that it would have been streamed in.
func (d *decoder) Whole(body []byte) ([]dialect.Event, error) {
	d.events = nil
	body, err := rawjson.Repair(bytes.TrimSpace(body))
	if err != nil {
		return nil, fmt.Errorf("the provider's answer: %w", err)
	}
	if vectors := rawjson.Get(body, "embeddings"); vectors != nil {
		d.events = dialect.AppendVectors(d.events, vectors)
		d.count(rawjson.Get(body, "prompt_eval_count"), nil)
		d.emit(dialect.Event{Kind: dialect.EventDone})
		return d.events, nil
	}
	if err := d.line(body); err != nil {
		return nil, err
	}
	return d.events, nil
}

// line reads one object. The last says why the answer ended, and counts its tokens.
func (d *decoder) line(object []byte) error {
	var message, logprobs, created, reason, prompt, answer []byte
	done := false
	for c := rawjson.Walk(object); c.Next(); {
		switch string(c.Name) {
		case "error":
			if rawjson.Present(c.Value) {
				return dialect.ReadStreamFailure(object)
			}
		case "created_at":
			created = c.Value
		case "message":
			message = c.Value
		case "logprobs":
			logprobs = c.Value
		case "done":
			done = rawjson.True(c.Value)
		case "done_reason":
			reason = c.Value
		case "prompt_eval_count":
			prompt = c.Value
		case "eval_count":
			answer = c.Value
		}
	}
	if rawjson.Kind(message) != '{' && !done {
		return errNoMessage
	}
	if !d.started {
		d.started, d.id = true, rawjson.Text(created)
		d.emit(dialect.Event{Kind: dialect.EventStart, Text: d.id})
	}
	if err := d.message(message); err != nil {
		return err
	}
	if first := rawjson.Walk(logprobs); first.Next() {
		raw := rawjson.AppendMember([]byte{'{'}, "content", logprobs)
		d.emit(dialect.Event{Kind: dialect.EventLogprobs, Raw: append(raw, `,"refusal":null}`...)})
	}
	if !done {
		return nil
	}
	d.count(prompt, answer)
	finish := dialect.Event{Kind: dialect.EventFinish, Text: rawjson.Text(reason)}
	if finish.Text == "" {
		finish.Text = "stop" // older servers do not say
	}
	if d.calls > 0 && finish.FinishReason() == "stop" {
		finish.Reason = "tool_calls"
	}
	d.emit(finish)
	d.emit(dialect.Event{Kind: dialect.EventDone})
	return nil
}

func (d *decoder) message(object []byte) error {
	var thinking, content, calls []byte
	for c := rawjson.Walk(object); c.Next(); {
		switch string(c.Name) {
		case "thinking":
			thinking = c.Value
		case "content":
			content = c.Value
		case "tool_calls":
			calls = c.Value
		}
	}
	d.think(rawjson.Text(thinking)) // which comes first, wherever it stands
	if words := rawjson.Text(content); words != "" {
		d.musing = false
		d.emit(dialect.Event{Kind: dialect.EventText, Text: words})
	}
	for call := rawjson.Walk(calls); call.Next(); {
		function := rawjson.Get(call.Value, "function")
		name := rawjson.Text(rawjson.Get(function, "name"))
		if d.calls >= mostCalls || name == "" {
			return errNoMessage
		}
		d.call(call.Value, name, rawjson.Get(function, "arguments"))
	}
	return nil
}

func (d *decoder) think(words string) {
	if words == "" {
		return
	}
	if !d.musing {
		d.musing = true
		d.thought++
	}
	d.emit(dialect.Event{Kind: dialect.EventReasoning, Reasoning: dialect.ReasoningDetail{
		Type: dialect.ReasoningText, Text: words, Format: dialect.FormatUnknown, Index: d.thought - 1,
	}})
}

// call reads a call, which comes whole, in newer servers with an id.
func (d *decoder) call(object []byte, name string, given []byte) {
	arguments := jsontext.Value("{}")
	if rawjson.Kind(given) == '{' {
		arguments = jsontext.Value(given).Clone()
		_ = arguments.Compact() // what is valid cannot fail
	}
	d.emit(dialect.Event{
		Kind: dialect.EventToolCall, Index: d.calls, Text: name,
		ID: d.ids.ID(rawjson.Text(rawjson.Get(object, "id")), d.id, d.calls, name, string(arguments)),
	})
	d.emit(dialect.Event{Kind: dialect.EventToolArguments, Index: d.calls, Text: string(arguments)})
	d.calls++
	d.musing = false
}

func (d *decoder) count(prompt, answer []byte) {
	var usage dialect.Usage
	dialect.ReadCount(&usage.Prompt, prompt)
	dialect.ReadCount(&usage.Completion, answer)
	if usage.Prompt+usage.Completion > 0 {
		d.emit(dialect.Event{Kind: dialect.EventUsage, Usage: usage})
	}
}
