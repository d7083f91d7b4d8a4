package openai

import (
	"bytes"
	"fmt"

	"github.com/switchyard/switchyard/extproc/dialect"
	"github.com/switchyard/switchyard/extproc/dialect/rawjson"
	"github.com/switchyard/switchyard/extproc/sse"
)

// Passthrough carries answers from a provider to a client that speaks the same by
// patching their bytes.
func (Provider) Passthrough(request *dialect.Request, meta dialect.Meta) dialect.Pipe {
	if work, ok := request.Parsed.(task); ok {
		return work.pipe(request, meta)
	}
	return &passthrough{Passing: dialect.Passing{Request: request}, envelope: newEnvelope(meta)}
}

type passthrough struct {
	dialect.Passing
	envelope  envelope
	choices   []choiceState
	annotated bool // the client knows of the files that were read
}

// choiceState is what one choice of a stream has said.
type choiceState struct {
	finished bool
	calls    toolCalls
}

func (p *passthrough) translate() dialect.Pipe {
	if p.Translation == nil {
		p.Translation = dialect.NewTranslation(&decoder{generation: p.envelope.meta.ID}, Client{}.Encoder(p.envelope.meta), p.Request)
	}
	return p.Translation
}

func (p *passthrough) Event(dst []byte, event sse.Event) ([]byte, error) {
	if !p.Request.Stream {
		return p.translate().Event(dst, event)
	}
	data := bytes.TrimSpace(event.Data)
	switch {
	case p.Passed.Done || len(data) == 0:
		return dst, nil
	case string(data) == "[DONE]":
		p.Passed.Done = true
		return dst, nil
	}
	chunk, err := readChunk(event.Name, data)
	if err != nil {
		return dst, err
	}
	return p.chunk(dst, chunk)
}

// readChunk validates a chunk and finds the error that stands in its place.
func readChunk(name string, data []byte) ([]byte, error) {
	chunk, err := rawjson.Repair(data)
	if err != nil {
		return nil, fmt.Errorf("chunk of the provider's stream: %w", err)
	}
	if name == "error" {
		return nil, dialect.ReadStreamFailure(chunk)
	}
	if rawjson.Kind(chunk) != '{' {
		return nil, fmt.Errorf("chunk of the provider's stream is not an object")
	}
	return chunk, nil
}

// chunk appends what the client gets of a chunk, which may be nothing: usage is
// held back for the end, and a choice that says nothing new is left out with it.
func (p *passthrough) chunk(dst, chunk []byte) ([]byte, error) {
	start := len(dst)
	if !p.annotated {
		for _, annotation := range p.envelope.files() {
			dst = (&encoder{envelope: p.envelope, annotated: true}).Event(dst, dialect.Event{Kind: dialect.EventAnnotation, Raw: annotation})
		}
	}
	begins := len(dst)
	dst = append(dst, p.envelope.chunk...)
	choices, empty := false, true
	bookkeeping := false
	for c := rawjson.Walk(chunk); c.Next(); {
		switch string(c.Name) {
		case "choices":
			if rawjson.Kind(c.Value) != '[' {
				continue
			}
			dst = append(rawjson.AppendName(dst, "choices"), '[')
			for element := rawjson.Walk(c.Value); element.Next(); {
				silent, repeated, err := false, false, error(nil)
				dst, silent, repeated, err = p.choice(dst, element.Value)
				if err != nil {
					return dst[:start], err
				}
				choices, empty, bookkeeping = true, empty && silent, bookkeeping || repeated
			}
			dst = append(dst, ']')
		case "error":
			if isError(c.Value) {
				return dst[:start], dialect.ReadStreamFailure(c.Value)
			}
		case "usage":
			bookkeeping = p.usage(c.Value) || bookkeeping
		case "x_groq":
			p.usage(rawjson.Get(c.Value, "usage"))
		case "id":
			if p.Passed.UpstreamID == "" {
				p.Passed.UpstreamID = rawjson.Text(c.Value)
			}
		case "service_tier":
			if p.envelope.served(c.Value) {
				p.Passed.ServiceTier = p.envelope.tier
				dst = p.envelope.appendTier(dst)
			}
		case "object", "created", "model", "provider", "obfuscation", "openrouter_metadata":
		default:
			if rawjson.Present(c.Value) {
				dst = rawjson.AppendRaw(dst, c.Member)
			}
		}
	}
	if !choices || empty && bookkeeping {
		return dst[:start], nil
	}
	p.annotated = true
	dst = append(dst, '}')
	rawjson.OneLine(dst[begins:])
	return append(dst, "\n\n"...), nil
}

// isError reports whether the value of an error member is one.
func isError(value []byte) bool {
	switch rawjson.Kind(value) {
	case '{', '[', '"':
		return len(value) > 2
	}
	return false
}

func (p *passthrough) usage(object []byte) bool {
	if rawjson.Kind(object) != '{' {
		return false
	}
	if usage, counted := readUsage(object); counted || !p.Passed.HasUsage {
		p.Passed.Usage, p.Passed.HasUsage = usage, true
	}
	return true
}

func (p *passthrough) Finish(dst []byte) []byte {
	if p.Translation != nil || !p.Request.Stream {
		return p.translate().Finish(dst)
	}
	p.Passed.Done = true
	return p.envelope.finish(dst, p.Counted().Usage)
}

func (p *passthrough) Fail(dst []byte, failure *dialect.Error) []byte {
	p.Passed.Done = true
	return p.envelope.fail(dst, failure)
}
