package openai

import (
	"strconv"

	"github.com/switchyard/switchyard/extproc/dialect"
	"github.com/switchyard/switchyard/extproc/dialect/rawjson"
)

// Encoder writes an answer as a text completion.
func (Completions) Encoder(meta dialect.Meta) dialect.Encoder {
	e := &completionsEncoder{envelope: newEnvelope(meta)}
	e.envelope.chunk = e.envelope.open([]byte("data: "), textCompletion)
	return e
}

// textCompletion is the object of whole answers and of chunks alike.
const textCompletion = "text_completion"

type completionsEncoder struct {
	envelope envelope
	// offsets are, by choice, how many characters have come with log probabilities.
	offsets []int
}

// Event appends a chunk for each event that says something in a text. Calls of tools
// have no place in one, and requests offer none.
func (e *completionsEncoder) Event(dst []byte, event dialect.Event) []byte {
	var text, reasoning, finish, native string
	logprobs := null
	switch event.Kind {
	case dialect.EventText, dialect.EventRefusal:
		text = event.Text
	case dialect.EventReasoning:
		if reasoning = event.Reasoning.Text; reasoning == "" {
			return dst
		}
	case dialect.EventLogprobs:
		logprobs = e.logprobs(event.Choice, event.Raw)
	case dialect.EventFinish:
		finish, native = event.FinishReason(), event.Text
	case dialect.EventTier:
		e.envelope.tier = event.Text
		return dst
	case dialect.EventStart, dialect.EventToolCall, dialect.EventToolArguments, dialect.EventAnnotation,
		dialect.EventUsage, dialect.EventDone:
		return dst
	}
	start := len(dst)
	dst = append(rawjson.AppendName(append(dst, e.envelope.chunk...), "choices"), '[')
	dst = appendTextChoice(dst, event.Choice, text, reasoning, logprobs, finish, native)
	return endChunk(append(dst, ']'), start)
}

// appendTextChoice appends one choice.
func appendTextChoice[T ~string | ~[]byte](dst []byte, index int, text, reasoning T, logprobs []byte, finish, native string) []byte {
	dst = strconv.AppendInt(append(rawjson.Comma(dst), `{"index":`...), int64(index), 10)
	dst = rawjson.AppendQuoted(rawjson.AppendName(dst, "text"), text)
	if len(reasoning) > 0 {
		dst = rawjson.AppendQuoted(rawjson.AppendName(dst, "reasoning"), reasoning)
	}
	dst = appendFinish(rawjson.AppendMember(dst, "logprobs", logprobs), finish, native)
	return append(dst, '}')
}

// endChunk ends the chunk that begins at start.
func endChunk(dst []byte, start int) []byte {
	dst = append(dst, '}')
	rawjson.OneLine(dst[start:])
	return append(dst, "\n\n"...)
}

// last appends a chunk that says nothing but what members hold.
func (e *completionsEncoder) last(dst []byte, finish string, members func([]byte) []byte) []byte {
	start := len(dst)
	dst = append(rawjson.AppendName(append(dst, e.envelope.chunk...), "choices"), '[')
	dst = append(appendTextChoice(dst, 0, "", "", null, finish, ""), ']')
	return append(endChunk(members(dst), start), done...)
}

func (e *completionsEncoder) Finish(dst []byte, usage dialect.Usage) []byte {
	return e.last(dst, "", func(dst []byte) []byte { return e.envelope.trailer(dst, usage) })
}

func (e *completionsEncoder) Fail(dst []byte, failure *dialect.Error) []byte {
	return e.last(dst, "error", func(dst []byte) []byte { return appendError(dst, failure) })
}

func (e *completionsEncoder) Whole(dst []byte, events []dialect.Event, usage dialect.Usage) []byte {
	choices := e.envelope.gather(events)
	dst = rawjson.AppendMember(e.envelope.open(dst, textCompletion), "system_fingerprint", null)
	dst = append(rawjson.AppendName(dst, "choices"), '[')
	for i := range choices {
		g := &choices[i]
		logprobs := null
		if len(g.logprobs) > 0 {
			logprobs = e.logprobs(i, appendLogprobs(nil, g.logprobs))
		}
		dst = appendTextChoice(dst, i, append(g.text, g.refusal...), g.reasoning, logprobs, g.finish, g.native)
	}
	return append(e.envelope.trailer(append(dst, ']'), usage), '}')
}
