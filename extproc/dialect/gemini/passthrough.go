package gemini

import (
	"bytes"

	"github.com/switchyard/switchyard/extproc/dialect"
	"github.com/switchyard/switchyard/extproc/dialect/rawjson"
	"github.com/switchyard/switchyard/extproc/sse"
)

// Passthrough carries answers from a provider of generateContent to a client of it.
// Chunks pass as they are, whatever they hold, but for who answers, and for the usage
// of the last; they are read besides to tell how far the answer is. Vectors come as a
// batch, whichever way the client asked for them.
func (Provider) Passthrough(request *dialect.Request, meta dialect.Meta) dialect.Pipe {
	if work, vectors := request.Parsed.(*embedding); vectors {
		counted := *request // what other dialects cannot say is no matter here
		counted.Task = work.count
		return dialect.NewTranslation(&decoder{}, Client{}.Encoder(meta), &counted)
	}
	return &passthrough{Passing: dialect.Passing{Request: request}, envelope: newEnvelope(meta), decoder: decoder{generation: meta.ID}}
}

type passthrough struct {
	dialect.Passing
	envelope envelope
	decoder  decoder
	// last is the chunk that ends the answer, so far as is known. It is held back for the
	// cost of the usage.
	last []byte
}

func (p *passthrough) translate() dialect.Pipe {
	if p.Translation == nil {
		p.Translation = dialect.NewTranslation(&p.decoder, Client{}.Encoder(p.envelope.meta), p.Request)
	}
	return p.Translation
}

func (p *passthrough) Event(dst []byte, event sse.Event) ([]byte, error) {
	if p.Translation != nil || !p.Request.Stream {
		return p.translate().Event(dst, event)
	}
	if p.Passed.Done {
		return dst, nil
	}
	data, err := dialect.ReadData(event)
	if data == nil {
		return dst, err
	}
	if rawjson.Kind(data) == '[' { // chunks in an array, which a client of events does not read
		return p.translate().Event(dst, event)
	}
	events, err := p.decoder.next(data)
	if err != nil {
		return dst, err
	}
	steps := p.Passed.Steps
	p.note(events)
	if p.Passed.Steps == steps {
		p.look(data)
	}
	if p.last != nil {
		dst = p.pass(dst, p.last)
		p.last = nil
	}
	if p.decoder.finished() {
		p.last = bytes.Clone(data)
		return dst, nil
	}
	return p.pass(dst, data), nil
}

// pass appends a chunk that does not end the answer.
func (p *passthrough) pass(dst, chunk []byte) []byte {
	start := len(dst)
	dst = append(p.chunk(append(dst, "data: "...), chunk), '}')
	rawjson.OneLine(dst[start:])
	return append(dst, "\n\n"...)
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

// look notes parts that only this dialect has; of the others the decoder tells.
func (p *passthrough) look(chunk []byte) {
	for c := rawjson.Walk(rawjson.Get(chunk, "candidates")); c.Next(); {
		for part := rawjson.Walk(rawjson.Get(rawjson.Get(c.Value, "content"), "parts")); part.Next(); {
			for m := rawjson.Walk(part.Value); m.Next(); {
				switch string(m.Name) {
				case "text", "thought", "thoughtSignature", "functionCall":
				default:
					p.Passed.Started = true
					p.Passed.Steps++
				}
			}
		}
	}
}

// chunk appends a chunk, left open, under the gateway's id and model.
func (p *passthrough) chunk(dst, chunk []byte, without ...string) []byte {
	dst = append(dst, '{')
members:
	for c := rawjson.Walk(chunk); c.Next(); {
		name := string(c.Name)
		for _, left := range without {
			if name == left {
				continue members
			}
		}
		switch name {
		case "responseId", "modelVersion", "provider", "openrouter_metadata":
		default:
			dst = rawjson.AppendRaw(dst, c.Member)
		}
	}
	return p.envelope.identity(dst)
}

// ending appends a chunk that ends an answer: the provider's own counts, and the
// gateway's where there are none, with their cost.
func (p *passthrough) ending(dst, chunk []byte) []byte {
	dst = p.chunk(dst, chunk, "usageMetadata")
	usage := p.Counted().Usage
	if counts := rawjson.Get(chunk, "usageMetadata"); rawjson.Kind(counts) == '{' {
		dst = append(rawjson.AppendName(dst, "usageMetadata"), '{')
		for c := rawjson.Walk(counts); c.Next(); {
			switch string(c.Name) {
			case "cost", "cost_details", "is_byok":
			default:
				dst = rawjson.AppendRaw(dst, c.Member)
			}
		}
		dst = append(dialect.AppendCost(dst, &p.envelope.meta, usage), '}')
	} else {
		dst = p.envelope.usage(dst, usage)
	}
	return append(p.envelope.routed(dst), '}')
}

func (p *passthrough) Whole(dst, body []byte) ([]byte, error) {
	trimmed := bytes.TrimSpace(body)
	if p.Request.Stream || rawjson.Kind(trimmed) != '{' {
		return p.translate().Whole(dst, body)
	}
	events, err := p.decoder.Whole(trimmed)
	if err != nil {
		return dst, err
	}
	p.note(events)
	whole, err := rawjson.Repair(trimmed)
	if err != nil {
		return dst, err // cannot be: the decoder has read it
	}
	p.look(whole)
	return p.ending(dst, whole), nil
}

func (p *passthrough) Finish(dst []byte) []byte {
	if p.Translation != nil || !p.Request.Stream {
		return p.translate().Finish(dst)
	}
	p.Passed.Done = true
	last := p.last
	if last == nil {
		last = []byte(`{"candidates":[]}`)
	}
	start := len(dst)
	dst = p.ending(append(dst, "data: "...), last)
	rawjson.OneLine(dst[start:])
	return append(dst, "\n\n"...)
}

func (p *passthrough) Fail(dst []byte, failure *dialect.Error) []byte {
	p.Passed.Done = true
	return p.envelope.fail(dst, failure)
}

// Comment keeps a stream alive.
func (p *passthrough) Comment(dst []byte, _ string) []byte {
	if !p.Request.Stream {
		return dst
	}
	return alive(dst)
}
