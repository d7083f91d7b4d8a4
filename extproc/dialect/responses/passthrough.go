package responses

import (
	"bytes"
	"fmt"
	"strconv"

	"github.com/switchyard/switchyard/extproc/dialect"
	"github.com/switchyard/switchyard/extproc/dialect/rawjson"
	"github.com/switchyard/switchyard/extproc/sse"
)

// Passthrough carries answers from a provider of this API to a client of it. Events pass
// as they are, whatever they hold, and are read besides to tell how far the answer is.
// Edited are those that hold the response object, reasoning that only the provider can
// read, and a sequence that the provider did not count. Where reasoning is hidden the
// items would no longer be where the events say, and the answer is written anew.
func (p Provider) Passthrough(request *dialect.Request, meta dialect.Meta) dialect.Pipe {
	encoder := newEncoder(meta)
	if request.HideReasoning {
		return dialect.NewTranslation(p.Decoder(), encoder, request)
	}
	return &passthrough{Passing: dialect.Passing{Request: request}, encoder: encoder}
}

type passthrough struct {
	dialect.Passing
	// encoder writes what the gateway says itself.
	encoder *encoder
	decoder decoder
	// ending is the last event. It is held back for the cost of the usage.
	ending []byte
}

func (p *passthrough) translate() dialect.Pipe {
	if p.Translation == nil {
		p.Translation = dialect.NewTranslation(&p.decoder, p.encoder, p.Request)
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
	if p.Passed.Steps == steps && p.decoder.last.isStep() {
		p.Passed.Steps++
	}
	if p.Passed.Done {
		p.ending = bytes.Clone(data)
		return dst, nil
	}
	said := &p.decoder.last
	switch string(said.kind) {
	case "":
		return dst, nil
	case "response.created", "response.in_progress", "response.queued":
		p.encoder.begun = p.encoder.begun || string(said.kind) == "response.created"
		dst = p.encoder.begin(dst)
		response := p.response(nil, said.response, state{status: inProgress})
		return p.event(dst, said.kind, data, "response", response), nil
	case "response.output_item.added":
		p.announce(said.object)
		fallthrough
	case "response.output_item.done":
		return p.item(p.encoder.begin(dst), said, data), nil
	}
	return p.pass(p.encoder.begin(dst), said, data), nil
}

// isStep reports whether an event that the decoder made nothing of is about the answer all
// the same: it tells of an item, such as of a search that the provider makes.
func (e *streamEvent) isStep() bool {
	switch string(e.kind) {
	case "response.created", "response.in_progress", "response.queued":
		return false
	}
	return bytes.HasPrefix(e.kind, []byte("response.")) && string(e.delta) != `""`
}

// note follows the answer by what a translation would have made of it.
func (p *passthrough) note(events []dialect.Event) {
	for i := range events {
		if events[i].Kind == dialect.EventTier {
			p.encoder.tier = events[i].Text
		}
		p.Passed.Note(&events[i])
	}
}

// announce notes an item of a kind that only this API has; of the others the decoder
// tells.
func (p *passthrough) announce(item []byte) {
	switch rawjson.Text(rawjson.Get(item, "type")) {
	case "message", "reasoning":
	default:
		p.Passed.Started = true
	}
}

// item appends an event with an item, and keeps one that is whole for a stream that
// breaks off.
func (p *passthrough) item(dst []byte, said *streamEvent, data []byte) []byte {
	item := p.sealed(nil, said.object)
	rawjson.OneLine(item)
	if string(said.kind) == "response.output_item.done" && p.encoder.held+len(item) <= largestAnswer {
		p.encoder.held += len(item)
		p.encoder.passed = append(p.encoder.passed, item)
	}
	return p.event(dst, said.kind, data, "item", item)
}

// sealed appends an item; reasoning that only the provider can read is sealed to it.
func (p *passthrough) sealed(dst, item []byte) []byte {
	blob := rawjson.Text(rawjson.Get(item, "encrypted_content"))
	if blob == "" || rawjson.Text(rawjson.Get(item, "type")) != "reasoning" {
		return append(dst, item...)
	}
	made := seal{
		Endpoint: p.encoder.meta.Endpoint, Type: dialect.ReasoningEncrypted, Format: dialect.FormatResponses,
		ID: rawjson.Text(rawjson.Get(item, "id")),
	}
	dst = append(dst, '{')
	for c := rawjson.Walk(item); c.Next(); {
		if string(c.Name) == "encrypted_content" {
			dst = rawjson.AppendText(dst, "encrypted_content", made.close(blob))
		} else {
			dst = rawjson.AppendRaw(dst, c.Member)
		}
	}
	return append(dst, '}')
}

// pass appends an event as it is, if it is the next one by its number.
func (p *passthrough) pass(dst []byte, said *streamEvent, data []byte) []byte {
	number, counted := rawjson.Int(said.number)
	if !counted || number != p.encoder.sequence || !said.typed {
		return p.event(dst, said.kind, data, "", nil)
	}
	p.encoder.sequence++
	dst = append(dst, "data: "...)
	start := len(dst)
	dst = append(dst, data...)
	rawjson.OneLine(dst[start:])
	return append(dst, "\n\n"...)
}

// event appends an event under the next number, with another value for one member.
func (p *passthrough) event(dst, kind, data []byte, name string, value []byte) []byte {
	start := len(dst)
	dst = rawjson.AppendQuoted(append(dst, `data: {"type":`...), kind)
	dst = strconv.AppendInt(rawjson.AppendName(dst, "sequence_number"), p.encoder.sequence, 10)
	p.encoder.sequence++
	for c := rawjson.Walk(data); c.Next(); {
		switch member := string(c.Name); {
		case member == "type", member == "sequence_number":
		case member == name && value != nil:
			dst = rawjson.AppendMember(dst, name, value)
		default:
			dst = rawjson.AppendRaw(dst, c.Member)
		}
	}
	rawjson.OneLine(dst[start:])
	return append(dst, ended...)
}

// response appends the provider's response object under the gateway's id and model, with
// what usage costs, and with what strict clients demand where the provider leaves it out.
func (p *passthrough) response(dst, own []byte, s state) []byte {
	// As the gateway would have written it; what it knows better comes from there.
	full := p.encoder.response(nil, s)
	seen := map[string]bool{}
	dst = append(dst, '{')
	for c := rawjson.Walk(own); c.Next(); {
		name := string(c.Name)
		seen[name] = true
		switch name {
		case "id", "model", "user", "openrouter_metadata":
			if value := rawjson.Get(full, name); value != nil {
				dst = rawjson.AppendMember(dst, name, value)
			}
			continue
		case "service_tier":
			if s.usage != nil {
				dst = rawjson.AppendMember(dst, name, rawjson.Get(full, name))
				continue
			}
		case "usage":
			if s.usage != nil {
				dst = priced(rawjson.AppendName(dst, name), c.Value, rawjson.Get(full, name))
				continue
			}
		case "output":
			if bytes.Contains(c.Value, []byte("encrypted_content")) {
				dst = p.output(dst, c.Value)
				continue
			}
		}
		dst = rawjson.AppendRaw(dst, c.Member)
	}
	return append(appendUnseen(dst, full, seen), '}')
}

func (p *passthrough) output(dst, items []byte) []byte {
	dst = append(rawjson.AppendName(dst, "output"), '[')
	for c := rawjson.Walk(items); c.Next(); {
		dst = p.sealed(rawjson.Comma(dst), c.Value)
	}
	return append(dst, ']')
}

// priced appends the provider's own counts with what only the gateway's have, their cost
// above all.
func priced(dst, counts, full []byte) []byte {
	seen := map[string]bool{}
	dst = append(dst, '{')
	for c := rawjson.Walk(counts); c.Next(); {
		switch name := string(c.Name); name {
		case "cost", "cost_details", "is_byok":
		default:
			if rawjson.Present(c.Value) {
				seen[name] = true
				dst = rawjson.AppendRaw(dst, c.Member)
			}
		}
	}
	return append(appendUnseen(dst, full, seen), '}')
}

// appendUnseen appends the members of an object whose names are new.
func appendUnseen(dst, object []byte, seen map[string]bool) []byte {
	for c := rawjson.Walk(object); c.Next(); {
		if !seen[string(c.Name)] {
			dst = rawjson.AppendRaw(dst, c.Member)
		}
	}
	return dst
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
	own, err := rawjson.Repair(bytes.TrimSpace(body))
	if err != nil {
		return dst, fmt.Errorf("the provider's answer: %w", err)
	}
	return p.response(dst, own, p.final(own)), nil
}

// final is the state of a response object that is complete.
func (p *passthrough) final(own []byte) state {
	usage := p.Counted().Usage
	s := state{status: completed, usage: &usage}
	if rawjson.Text(rawjson.Get(own, "status")) == incomplete {
		s.status = incomplete
	}
	return s
}

func (p *passthrough) Finish(dst []byte) []byte {
	if p.Translation != nil || !p.Request.Stream {
		return p.translate().Finish(dst)
	}
	p.Passed.Done = true
	dst = p.encoder.begin(dst)
	own := rawjson.Get(p.ending, "response")
	s := p.final(own)
	response := p.response(nil, own, s)
	return append(p.event(dst, []byte("response."+s.status), p.ending, "response", response), done...)
}

func (p *passthrough) Fail(dst []byte, failure *dialect.Error) []byte {
	p.Passed.Done = true
	return p.encoder.Fail(dst, failure)
}
