package openai

import (
	"bytes"
	"cmp"
	"errors"

	"github.com/switchyard/switchyard/extproc/dialect"
	"github.com/switchyard/switchyard/extproc/dialect/rawjson"
	"github.com/switchyard/switchyard/extproc/sse"
)

// Decoder reads an answer for a client of another dialect, or for one that wants
// a stream and got none, or the reverse.
func (Provider) Decoder() dialect.Decoder { return &decoder{} }

type decoder struct {
	events     []dialect.Event
	choices    []decoderChoice
	whole      bool
	id         string // the provider's, of the answer
	generation string // the gateway's, or ""
}

// NameCalls is of [dialect.CallNamer].
func (d *decoder) NameCalls(generation string) { d.generation = generation }

type decoderChoice struct {
	calls    toolCalls
	finished bool
	images   int
}

func (d *decoder) emit(event dialect.Event) { d.events = append(d.events, event) }

func (d *decoder) Event(event sse.Event) ([]dialect.Event, error) {
	d.events = d.events[:0]
	data := bytes.TrimSpace(event.Data)
	switch {
	case len(data) == 0:
		return nil, nil
	case string(data) == "[DONE]":
		d.emit(dialect.Event{Kind: dialect.EventDone})
		return d.events, nil
	}
	chunk, err := readChunk(event.Name, data)
	if err != nil {
		return nil, err
	}
	return d.read(chunk, "delta")
}

func (d *decoder) Whole(body []byte) ([]dialect.Event, error) {
	d.events, d.whole = nil, true
	answer, err := readAnswer(body)
	if errors.Is(err, errNoChoices) && rawjson.Kind(rawjson.Get(answer, "data")) == '[' {
		return d.vectors(answer)
	}
	if err != nil {
		return nil, err
	}
	if _, err := d.read(answer, "message"); err != nil {
		return nil, err
	}
	d.emit(dialect.Event{Kind: dialect.EventDone})
	return d.events, nil
}

// read emits the events of a chunk or of a whole answer, which differ in the name
// of the member that speaks.
func (d *decoder) read(answer []byte, speaker string) ([]dialect.Event, error) {
	for c := rawjson.Walk(answer); c.Next(); {
		switch string(c.Name) {
		case "id":
			d.id = rawjson.Text(c.Value)
			d.emit(dialect.Event{Kind: dialect.EventStart, Text: d.id})
		case "error":
			if isError(c.Value) {
				return nil, dialect.ReadStreamFailure(c.Value)
			}
		case "service_tier":
			if tier := dialect.ServedTier(rawjson.Text(c.Value)); tier != "" {
				d.emit(dialect.Event{Kind: dialect.EventTier, Text: tier})
			}
		case "choices":
			for element := rawjson.Walk(c.Value); element.Next(); {
				if err := d.choice(element.Value, speaker); err != nil {
					return nil, err
				}
			}
		case "usage":
			d.usage(c.Value)
		case "x_groq":
			d.usage(rawjson.Get(c.Value, "usage"))
		}
	}
	return d.events, nil
}

func (d *decoder) usage(object []byte) {
	if usage, counted := readUsage(object); counted {
		d.emit(dialect.Event{Kind: dialect.EventUsage, Usage: usage})
	}
}

func (d *decoder) choice(object []byte, speaker string) error {
	c, err := readChoice(object, speaker)
	if err != nil {
		return err
	}
	for int64(len(d.choices)) <= c.index {
		d.choices = append(d.choices, decoderChoice{calls: toolCalls{generation: cmp.Or(d.generation, d.id), choice: len(d.choices)}})
	}
	state := &d.choices[c.index]
	d.spoken(c.said, int(c.index), &state.calls)
	if rawjson.Present(c.logprobs) {
		d.emit(dialect.Event{Kind: dialect.EventLogprobs, Choice: int(c.index), Raw: c.logprobs})
	}
	if c.finish != "" && !state.finished {
		state.finished = true
		event := dialect.Event{Kind: dialect.EventFinish, Choice: int(c.index), Text: c.native}
		if meaning := dialect.FinishReason(c.finish); meaning != event.FinishReason() {
			event.Reason = meaning
		}
		d.emit(event)
	}
	return nil
}

func (d *decoder) spoken(object []byte, choice int, calls *toolCalls) {
	s := readSpoken(object)
	text := func(kind dialect.EventKind, value []byte) {
		if content := rawjson.Text(value); content != "" {
			d.emit(dialect.Event{Kind: kind, Choice: choice, Text: content})
		}
	}
	if s.details != nil && len(s.details) > 2 {
		for element := rawjson.Walk(s.details); element.Next(); {
			d.emit(dialect.Event{Kind: dialect.EventReasoning, Choice: choice, Reasoning: readDetail(element.Value)})
		}
	} else if thought := rawjson.Text(s.reasoning); thought != "" {
		d.emit(dialect.Event{Kind: dialect.EventReasoning, Choice: choice, Reasoning: dialect.ReasoningDetail{
			Type: dialect.ReasoningText, Text: thought, Format: dialect.FormatUnknown,
		}})
	}
	text(dialect.EventText, s.content)
	text(dialect.EventRefusal, s.refusal)
	for element := rawjson.Walk(s.calls); element.Next(); {
		d.toolCall(element.Value, choice, calls)
	}
	if !s.extra {
		return
	}
	state := &d.choices[choice]
	for image := rawjson.Walk(rawjson.Get(object, "images")); image.Next(); state.images++ {
		url := rawjson.Text(rawjson.Get(rawjson.Get(image.Value, "image_url"), "url"))
		d.emit(dialect.Event{Kind: dialect.EventImage, Choice: choice, Index: state.images, Text: url})
	}
	for annotation := rawjson.Walk(rawjson.Get(object, "annotations")); annotation.Next(); {
		d.emit(dialect.Event{Kind: dialect.EventAnnotation, Choice: choice, Raw: annotation.Value})
	}
}

func (d *decoder) toolCall(element []byte, choice int, calls *toolCalls) {
	delta := readToolDelta(element)
	if d.whole {
		// Each element is a call of its own, whatever its id and index.
		delta.index = int64(len(calls.calls))
	}
	call, number := calls.find(delta)
	arguments := rawjson.AppendQuoted(nil, "")
	arguments = append(arguments[:1], call.pending...)
	arguments = append(append(arguments, argumentsText(delta.arguments)...), '"')
	if !call.begun {
		if delta.name == nil && !d.whole {
			call.pending = append(call.pending, argumentsText(delta.arguments)...)
			if call.given == "" {
				call.given = string(delta.id)
			}
			return
		}
		call.pending = nil
		d.emit(dialect.Event{
			Kind: dialect.EventToolCall, Choice: choice, Index: number,
			ID: calls.begin(number, delta.id), Text: rawjson.Text(delta.name),
		})
	}
	if text := rawjson.Text(arguments); text != "" {
		d.emit(dialect.Event{Kind: dialect.EventToolArguments, Choice: choice, Index: number, Text: text})
	}
}
