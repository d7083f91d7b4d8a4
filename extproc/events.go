package extproc

import (
	"strings"

	"github.com/switchyard/switchyard/extproc/eventstream"
	"github.com/switchyard/switchyard/extproc/ndjson"
	"github.com/switchyard/switchyard/extproc/sse"
)

// events cuts the chunks of a provider's stream into events, whatever the framing.
// What a framing calls an event's type is its Name. See [sse.Reader] for the methods.
type events interface {
	Feed(chunk []byte)
	End()
	Next() (sse.Event, bool, error)
}

// eventReader returns a reader for a content type, nil if that is no stream.
func eventReader(contentType string) events {
	kind, _, _ := strings.Cut(contentType, ";")
	switch strings.ToLower(strings.TrimSpace(kind)) {
	case eventStream:
		return &sse.Reader{}
	case "application/x-ndjson":
		return &ndjson.Reader{}
	case eventstream.ContentType:
		return &eventstream.Reader{}
	}
	return nil
}
