package anthropic

import (
	"fmt"
	"slices"

	"github.com/switchyard/switchyard/extproc/dialect"
	"github.com/switchyard/switchyard/extproc/dialect/rawjson"
	"github.com/switchyard/switchyard/extproc/sse"
)

// Passthrough carries answers from a provider of the Messages API to a client of it.
// Events pass as they are, whatever they hold, and are read besides to tell how far
// the answer is; only the first and the last are edited.
func (Provider) Passthrough(request *dialect.Request, meta dialect.Meta) dialect.Pipe {
	return &passthrough{Passing: dialect.Passing{Request: request}, envelope: newEnvelope(meta)}
}

type passthrough struct {
	dialect.Passing
	envelope envelope
	decoder  decoder
	started  bool
	// ending is the latest message_delta. It is held back for the cost of the usage.
	ending []byte
}

func (p *passthrough) translate() dialect.Pipe {
	if p.Translation == nil {
		p.Translation = dialect.NewTranslation(&p.decoder, Client{}.Encoder(p.envelope.meta), p.Request)
	}
	return p.Translation
}

func (p *passthrough) Event(dst []byte, event sse.Event) ([]byte, error) {
	if !p.Request.Stream {
		return p.translate().Event(dst, event)
	}
	if p.Passed.Done {
		return dst, nil
	}
	data, err := dialect.ReadData(event)
	if data == nil {
		return dst, err
	}
	events, err := p.decoder.read(event.Name, data)
	if err != nil {
		return dst, err
	}
	steps := p.Passed.Steps
	p.note(events)
	kind := event.Name // as a rule the type's, which is not copied then
	if own := rawjson.Unquote(rawjson.Get(data, "type")); len(own) > 0 && string(own) != kind {
		kind = string(own)
	}
	if kind == "message_start" && p.started {
		return dst, nil // some providers repeat it
	}
	if !p.started && kind != "ping" {
		p.started = true
		dst = sse.AppendEvent(dst, "message_start", p.begin(rawjson.Get(data, "message")))
	}
	switch kind {
	case "message_start", "message_stop", "":
		return dst, nil
	case "message_delta":
		dst = p.release(dst)
		p.ending = oneLine(slices.Clone(data)) // the next event overwrites it
		return dst, nil
	case "content_block_start":
		// Blocks that only this dialect has; of the others the decoder tells.
		switch rawjson.Text(rawjson.Get(rawjson.Get(data, "content_block"), "type")) {
		case "text", "thinking":
		default:
			p.Passed.Started = true
			p.Passed.Steps++
		}
	case "content_block_delta":
		// Deltas that only this dialect has, or of a block that it alone has.
		if p.Passed.Steps == steps && says(rawjson.Get(data, "delta")) {
			p.Passed.Steps++
		}
	}
	return sse.AppendEvent(dst, kind, oneLine(data)), nil
}

// says reports whether a delta adds anything.
func says(delta []byte) bool {
	for c := rawjson.Walk(delta); c.Next(); {
		if string(c.Name) != "type" && rawjson.Present(c.Value) && string(c.Value) != `""` {
			return true
		}
	}
	return false
}

// note follows the answer by what a translation would have made of it.
func (p *passthrough) note(events []dialect.Event) {
	for i := range events {
		if events[i].Kind == dialect.EventTier {
			p.envelope.tier = events[i].Text
		}
		p.Passed.Note(&events[i])
	}
}

// oneLine is an event's data without line ends.
func oneLine(data []byte) []byte {
	if rawjson.IsOneLine(data) {
		return data
	}
	data = slices.Clone(data)
	rawjson.OneLine(data)
	return data
}

// begin is a message_start under the gateway's id and model. What the SDKs rely on is
// added where the provider leaves it out.
func (p *passthrough) begin(message []byte) []byte {
	dst := []byte(`{"type":"message_start","message":`)
	dst = p.message(dst, message, "")
	if rawjson.Get(message, "content") == nil {
		dst = append(dst, `,"content":[]`...)
	}
	if !rawjson.Present(rawjson.Get(message, "usage")) {
		dst = append(dst, `,"usage":`+noUsage...)
	}
	dst = append(dst, "}}"...)
	rawjson.OneLine(dst)
	return dst
}

// message appends a message, left open, without the member that is written anew.
func (p *passthrough) message(dst, message []byte, without string) []byte {
	dst = p.envelope.head(dst)
	for c := rawjson.Walk(message); c.Next(); {
		switch string(c.Name) {
		case "id", "type", "role", "model", "provider", "openrouter_metadata", without:
		default:
			if string(c.Name) == "usage" && !rawjson.Present(c.Value) {
				continue
			}
			dst = rawjson.AppendRaw(dst, c.Member)
		}
	}
	return dst
}

// release appends a message_delta that proved not to be the last.
func (p *passthrough) release(dst []byte) []byte {
	if p.ending == nil {
		return dst
	}
	return sse.AppendEvent(dst, "message_delta", p.ending)
}

func (p *passthrough) Whole(dst, body []byte) ([]byte, error) {
	if p.Request.Stream {
		return p.translate().Whole(dst, body)
	}
	events, err := p.decoder.Whole(body)
	if err != nil {
		return dst, err
	}
	p.note(events)
	message, err := rawjson.Repair(body)
	if err != nil {
		return dst, fmt.Errorf("the provider's answer: %w", err)
	}
	dst = p.priced(p.message(dst, message, "usage"), rawjson.Get(message, "usage"))
	return append(p.envelope.routed(dst), '}'), nil
}

// priced appends the member usage: the provider's own counts, and the gateway's
// where there are none, with their cost. The last event of a stream sums up what came
// before it, and some clients read no other: what it leaves out of the prompt is added.
func (p *passthrough) priced(dst, counts []byte) []byte {
	usage := p.Counted().Usage
	if rawjson.Kind(counts) != '{' {
		return p.envelope.usage(dst, usage)
	}
	dst = append(rawjson.AppendName(dst, "usage"), '{')
	for c := rawjson.Walk(counts); c.Next(); {
		switch string(c.Name) {
		case "cost", "cost_details", "is_byok":
		case "input_tokens", "cache_creation_input_tokens", "cache_read_input_tokens":
			if !rawjson.Present(c.Value) {
				continue
			}
			fallthrough
		default:
			dst = rawjson.AppendRaw(dst, c.Member)
		}
	}
	for _, part := range promptCounts(usage) {
		if !rawjson.Present(rawjson.Get(counts, part.name)) {
			dst = appendCount(dst, part.name, part.tokens)
		}
	}
	return append(p.envelope.price(dst, usage), '}')
}

func (p *passthrough) Finish(dst []byte) []byte {
	if p.Translation != nil || !p.Request.Stream {
		return p.translate().Finish(dst)
	}
	p.Passed.Done = true
	data := []byte(`{"type":"message_delta"`)
	delta := rawjson.Get(p.ending, "delta")
	if rawjson.Kind(delta) != '{' {
		delta = []byte(`{"stop_reason":"end_turn","stop_sequence":null}`)
	}
	data = rawjson.AppendMember(data, "delta", delta)
	for c := rawjson.Walk(p.ending); c.Next(); {
		switch string(c.Name) {
		case "type", "delta", "usage", "openrouter_metadata":
		default:
			data = rawjson.AppendRaw(data, c.Member)
		}
	}
	data = append(p.priced(data, rawjson.Get(p.ending, "usage")), '}')
	rawjson.OneLine(data)
	return p.envelope.stop(sse.AppendEvent(dst, "message_delta", data))
}

func (p *passthrough) Fail(dst []byte, failure *dialect.Error) []byte {
	p.Passed.Done = true
	return p.envelope.fail(dst, failure)
}
