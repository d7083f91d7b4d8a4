package gemini

import (
	"bytes"
	"errors"
	"fmt"
	"net/http"

	"github.com/switchyard/switchyard/extproc/dialect"
	"github.com/switchyard/switchyard/extproc/dialect/rawjson"
	"github.com/switchyard/switchyard/extproc/sse"
)

// decoder reads an answer: chunks of a stream, or a whole one, which has the form of
// a chunk. A stream that was framed as a JSON array is a whole one of several
// (known-failures 29).
type decoder struct {
	events     []dialect.Event
	usage      usage
	started    bool
	id         string // the provider's, of the answer
	generation string // the gateway's, or ""
	candidates []candidate
	ids        map[string]bool // of the calls so far
	version    string          // of the model that answers
	queries    map[string]bool // that the web was searched for
	said       bool            // something has come that a client sees
	counted    bool            // usage has come with the end of the answer, or behind it
}

// mostCandidates bounds the index that a provider may give a candidate.
const mostCandidates = 128

var errNoCandidate = errors.New("the provider's answer has no candidate that can be read")

// NameCalls is of [dialect.CallNamer].
func (d *decoder) NameCalls(generation string) { d.generation = generation }

// emit appends an event; usage does not come through here, which no client sees.
func (d *decoder) emit(event dialect.Event) {
	d.said = d.said || event.Kind != dialect.EventStart
	d.events = append(d.events, event)
}

// Event reads one chunk. The API has no last word but the reason why the candidates
// finished, and usage beside it. Some of its neighbours count in a chunk of its own behind
// that (known-failures 3), others not at all: their answers end with the stream.
func (d *decoder) Event(event sse.Event) ([]dialect.Event, error) {
	data, err := dialect.ReadData(event)
	if data == nil {
		return nil, err
	}
	return d.next(data)
}

// next reads the next chunk, which is valid JSON.
func (d *decoder) next(data []byte) ([]dialect.Event, error) {
	d.events = d.events[:0]
	if err := d.read(data); err != nil {
		return nil, err
	}
	switch {
	case d.finished() && d.counted:
		d.emit(dialect.Event{Kind: dialect.EventDone})
	case d.finished():
		d.events = append(d.events, dialect.Event{Kind: dialect.EventEnding})
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
		d.readEmbeddings(body, vectors)
		return d.events, nil
	}
	if vectors := rawjson.Get(body, "predictions"); vectors != nil {
		d.readPredictions(vectors)
		return d.events, nil
	}
	if err := d.read(body); err != nil {
		return nil, err
	}
	if len(d.candidates) == 0 {
		return nil, errNoCandidate
	}
	d.emit(dialect.Event{Kind: dialect.EventDone})
	return d.events, nil
}

// read reads a chunk or an array of them.
func (d *decoder) read(value []byte) error {
	if rawjson.Kind(value) != '[' {
		return d.chunk(value)
	}
	for c := rawjson.Walk(value); c.Next(); {
		if err := d.chunk(c.Value); err != nil {
			return err
		}
	}
	return nil
}

func (d *decoder) chunk(object []byte) error {
	if rawjson.Kind(object) != '{' {
		return errNoCandidate
	}
	var candidates, feedback, counts, id []byte
	for c := rawjson.Walk(object); c.Next(); {
		switch string(c.Name) {
		case "candidates":
			candidates = c.Value
		case "promptFeedback":
			feedback = c.Value
		case "usageMetadata":
			counts = c.Value
		case "responseId":
			id = c.Value
		case "modelVersion":
			d.version = rawjson.Text(c.Value)
		case "error":
			if rawjson.Present(c.Value) {
				return streamFailure(c.Value)
			}
		}
	}
	if !d.started {
		d.started, d.id = true, rawjson.Text(id)
		d.emit(dialect.Event{Kind: dialect.EventStart, Text: d.id})
	}
	for c := rawjson.Walk(candidates); c.Next(); {
		if err := d.candidate(c.Value); err != nil {
			return err
		}
	}
	d.count(counts)
	if reason := rawjson.Text(rawjson.Get(feedback, "blockReason")); reason != "" && len(d.candidates) == 0 {
		return &dialect.ProviderFailure{
			Status: http.StatusBadRequest, Code: reason, Message: "The provider blocked the prompt: " + reason + ".",
		}
	}
	return nil
}

func (d *decoder) count(object []byte) {
	if rawjson.Kind(object) != '{' {
		return
	}
	d.counted = d.finished()
	d.usage.read(object)
	total := d.usage.total()
	total.WebSearches = d.searches()
	d.events = dialect.AppendUsage(d.events, total, d.usage.tier)
	d.usage.tier = "" // told
}

// finished reports whether every candidate so far has said why it ended.
func (d *decoder) finished() bool {
	for i := range d.candidates {
		if !d.candidates[i].finished {
			return false
		}
	}
	return len(d.candidates) > 0
}
