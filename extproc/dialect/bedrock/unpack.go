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
	return &unpackedDecoder{Decoder: anthropic.Provider{}.Decoder()}
}

// Passthrough carries answers to a client of the Messages API.
func (Claude) Passthrough(request *dialect.Request, meta dialect.Meta) dialect.Pipe {
	return &unpackedPipe{Pipe: anthropic.Provider{}.Passthrough(request, meta)}
}

// unpackedDecoder reads the events within the events.
type unpackedDecoder struct {
	dialect.Decoder
	unpacker
}

func (d *unpackedDecoder) Event(event sse.Event) ([]dialect.Event, error) {
	inner, err := d.unpack(event)
	if err != nil {
		return nil, err
	}
	return d.Decoder.Event(inner)
}

// unpackedPipe passes the events within the events on.
type unpackedPipe struct {
	dialect.Pipe
	unpacker
}

func (p *unpackedPipe) Event(dst []byte, event sse.Event) ([]byte, error) {
	inner, err := p.unpack(event)
	if err != nil {
		return dst, err
	}
	return p.Pipe.Event(dst, inner)
}

// unpacker takes events out of events. Its buffer serves one after the other.
type unpacker struct{ buffer []byte }

// unpack returns the event of the Messages API that a chunk of InvokeModel's stream
// holds, valid until the next call. Anything else but an exception is an event without
// data, which says nothing.
func (u *unpacker) unpack(event sse.Event) (sse.Event, error) {
	if failure := streamFailure(event); failure != nil {
		return sse.Event{}, failure
	}
	data, err := dialect.ReadData(event)
	if err != nil || event.Name != "chunk" {
		return sse.Event{}, err
	}
	u.buffer, err = base64.StdEncoding.AppendDecode(u.buffer[:0], rawjson.Unquote(rawjson.Get(data, "bytes")))
	if err != nil {
		return sse.Event{}, fmt.Errorf("event of the provider's stream: %w", err)
	}
	return sse.Event{Data: u.buffer}, nil
}
