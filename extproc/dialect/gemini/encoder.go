package gemini

import (
	"slices"
	"strconv"

	"github.com/switchyard/switchyard/extproc/dialect"
	"github.com/switchyard/switchyard/extproc/dialect/rawjson"
)

// Encoder writes an answer that some other dialect's decoder reads.
func (Client) Encoder(meta dialect.Meta) dialect.Encoder {
	if meta.Request != nil {
		if work, vectors := meta.Request.Parsed.(*embedding); vectors {
			return &embeddingEncoder{envelope: newEnvelope(meta), single: work.single}
		}
	}
	return &encoder{envelope: newEnvelope(meta)}
}

var _ dialect.ObjectEncoder = (*encoder)(nil)

// encoder writes a stream as chunks that each have the form of an answer. Calls of
// functions are whole in theirs, as the API has no pieces of arguments; the last chunk
// tells why the answer ended, its sources and its usage.
type encoder struct {
	envelope envelope
	answers  []*speech
	held     int // bytes that a stream's client does not get at once
}

// largestHeld bounds what is held of a stream, in bytes.
const largestHeld = 64 << 20

// ObjectArguments is of [dialect.ObjectEncoder].
func (*encoder) ObjectArguments() {}

// Event appends the chunk that a piece of an answer makes, if it makes one.
func (e *encoder) Event(dst []byte, event dialect.Event) []byte {
	switch event.Kind {
	case dialect.EventTier:
		e.envelope.tier = event.Text
		return dst
	case dialect.EventStart, dialect.EventUsage, dialect.EventDone:
		return dst
	case dialect.EventText:
		if event.Text == "" {
			return alive(dst)
		}
	}
	if event.Choice < 0 || event.Choice >= mostCandidates {
		return dst
	}
	said := e.answer(event.Choice)
	if !e.fits(&event) {
		said.cut()
		return dst
	}
	said.add(&event)
	said.speak()
	if len(said.parts) == 0 {
		return dst
	}
	start := len(dst)
	dst = append(dst, `data: {"candidates":[`...)
	dst = said.append(dst, "")
	dst = e.envelope.identity(append(dst, ']'))
	dst = append(dst, "}\n\n"...)
	rawjson.OneLine(dst[start : len(dst)-2])
	return dst
}

// fits counts what an event adds to what is held until later.
func (e *encoder) fits(event *dialect.Event) bool {
	e.held += len(event.ID) + len(event.Raw) + len(event.Reasoning.Data) + len(event.Reasoning.Signature)
	if event.Kind == dialect.EventToolCall || event.Kind == dialect.EventToolArguments {
		e.held += len(event.Text)
	}
	return e.held <= largestHeld
}

func (e *encoder) answer(choice int) *speech {
	for len(e.answers) <= choice {
		e.answers = append(e.answers, &speech{index: len(e.answers)})
	}
	return e.answers[choice]
}

// Finish appends the last chunk.
func (e *encoder) Finish(dst []byte, usage dialect.Usage) []byte {
	start := len(dst)
	dst = append(e.last(append(dst, "data: "...), usage), "\n\n"...)
	rawjson.OneLine(dst[start : len(dst)-2])
	return dst
}

// last appends what is left of the candidates, and what is known at an answer's end.
func (e *encoder) last(dst []byte, usage dialect.Usage) []byte {
	e.answer(0) // there is one, even if it said nothing
	dst = append(dst, `{"candidates":[`...)
	for _, said := range e.answers {
		said.end()
		dst = said.append(rawjson.Comma(dst), said.finishReason())
	}
	dst = e.envelope.usage(append(dst, ']'), usage)
	dst = e.envelope.routed(e.envelope.identity(dst))
	return append(dst, '}')
}

// Fail appends the error.
func (e *encoder) Fail(dst []byte, failure *dialect.Error) []byte {
	return e.envelope.fail(dst, failure)
}

// Comment keeps a stream alive.
func (e *encoder) Comment(dst []byte, _ string) []byte { return alive(dst) }

// Whole appends an answer that is not a stream. It holds what the same events would
// have streamed, in larger parts.
func (e *encoder) Whole(dst []byte, events []dialect.Event, usage dialect.Usage) []byte {
	for i := range events {
		event := &events[i]
		switch {
		case event.Kind == dialect.EventTier:
			e.envelope.tier = event.Text
		case event.Choice >= 0 && event.Choice < mostCandidates:
			e.answer(event.Choice).add(event)
		}
	}
	return e.last(dst, usage)
}

// append appends a candidate with the parts that it has not told yet. finish is why it
// ended, "" for one that goes on.
func (s *speech) append(dst []byte, finish string) []byte {
	dst = append(dst, `{"content":{"parts":[`...)
	if len(s.parts) == 0 {
		// The SDKs' chats forget a turn in which a chunk has no part.
		dst = append(dst, `{"text":""}`...)
	} else {
		dst = append(dst, s.parts[1:]...)
	}
	dst = append(dst, `],"role":"model"}`...)
	s.parts = s.parts[:0]
	if finish != "" {
		dst = rawjson.AppendText(dst, "finishReason", finish)
	}
	dst = strconv.AppendInt(rawjson.AppendName(dst, "index"), int64(s.index), 10)
	dst = s.logprobs(dst)
	if finish != "" && len(s.sources) > 0 {
		dst = s.grounding(dst)
	}
	return append(dst, '}')
}

// finishReason is the API's word for why an answer ended. A provider's own word stays
// where it is one of the API's.
func (s *speech) finishReason() string {
	if s.torn && s.finish != "length" {
		return "MALFORMED_FUNCTION_CALL"
	}
	if slices.Contains(finishReasons, s.native) {
		return s.native
	}
	if s.refused {
		return "SAFETY"
	}
	switch s.finish {
	case "length":
		return "MAX_TOKENS"
	case "content_filter":
		return "SAFETY"
	case "error":
		return "OTHER"
	}
	return "STOP" // with calls of functions, too
}

// finishReasons are the API's.
var finishReasons = []string{
	"STOP", "MAX_TOKENS", "SAFETY", "RECITATION", "LANGUAGE", "OTHER", "BLOCKLIST", "PROHIBITED_CONTENT", "SPII",
	"MALFORMED_FUNCTION_CALL", "IMAGE_SAFETY", "IMAGE_PROHIBITED_CONTENT", "IMAGE_OTHER", "NO_IMAGE", "IMAGE_RECITATION",
	"UNEXPECTED_TOOL_CALL", "TOO_MANY_TOOL_CALLS", "MISSING_THOUGHT_SIGNATURE", "MALFORMED_RESPONSE",
}
