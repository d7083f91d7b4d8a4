package bedrock

import (
	"encoding/base64"
	"fmt"

	"github.com/switchyard/switchyard/extproc/dialect"
	"github.com/switchyard/switchyard/extproc/dialect/anthropic"
	"github.com/switchyard/switchyard/extproc/dialect/rawjson"
	"github.com/switchyard/switchyard/extproc/sse"
)

// Decoder reads one answer.
func (Claude) Decoder() dialect.Decoder {
	return unpackedDecoder{Decoder: anthropic.Provider{}.Decoder()}
}

// Passthrough carries answers to a client of the Messages API.
func (Claude) Passthrough(request *dialect.Request, meta dialect.Meta) dialect.Pipe {
	return &unpackedPipe{Pipe: anthropic.Provider{}.Passthrough(request, meta)}
}

// unpackedDecoder reads the events within the events.
type unpackedDecoder struct{ dialect.Decoder }

func (d unpackedDecoder) Event(event sse.Event) ([]dialect.Event, error) {
	inner, err := unpack(event)
	if err != nil {
		return nil, err
	}
	return d.Decoder.Event(inner)
}

// unpackedPipe passes the events within the events on.
type unpackedPipe struct{ dialect.Pipe }

func (p *unpackedPipe) Event(dst []byte, event sse.Event) ([]byte, error) {
	inner, err := unpack(event)
	if err != nil {
		return dst, err
	}
	return p.Pipe.Event(dst, inner)
}

// unpack returns the event of the Messages API that a chunk of InvokeModel's stream
// holds. Anything else but an exception is an event without data, which says nothing.
func unpack(event sse.Event) (sse.Event, error) {
	if failure := streamFailure(event); failure != nil {
		return sse.Event{}, failure
	}
	data, err := dialect.ReadData(event)
	if err != nil || event.Name != "chunk" {
		return sse.Event{}, err
	}
	packed := rawjson.Unquote(rawjson.Get(data, "bytes"))
	inner := make([]byte, base64.StdEncoding.DecodedLen(len(packed)))
	n, err := base64.StdEncoding.Decode(inner, packed)
	if err != nil {
		return sse.Event{}, fmt.Errorf("event of the provider's stream: %w", err)
	}
	return sse.Event{Data: inner[:n]}, nil
}
