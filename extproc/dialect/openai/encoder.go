package openai

import (
	"strconv"

	"github.com/switchyard/switchyard/extproc/dialect"
	"github.com/switchyard/switchyard/extproc/dialect/rawjson"
)

// Encoder writes an answer that some other dialect's decoder reads.
func (Client) Encoder(meta dialect.Meta) dialect.Encoder {
	return &encoder{envelope: newEnvelope(meta)}
}

type encoder struct {
	envelope  envelope
	annotated bool // the client knows of the files that were read
}

// Event appends a chunk for each event that a client sees, and before the first one of
// the files that were read.
func (e *encoder) Event(dst []byte, event dialect.Event) []byte {
	switch event.Kind {
	case dialect.EventTier:
		e.envelope.tier = event.Text
		return dst
	case dialect.EventStart, dialect.EventUsage, dialect.EventDone:
		return dst
	}
	if !e.annotated {
		e.annotated = true
		for _, annotation := range e.envelope.files() {
			dst = e.Event(dst, dialect.Event{Kind: dialect.EventAnnotation, Raw: annotation})
		}
	}
	start := len(dst)
	dst = append(dst, e.envelope.chunk...)
	dst = e.envelope.appendTier(dst)
	dst = strconv.AppendInt(append(dst, `,"choices":[{"index":`...), int64(event.Choice), 10)
	dst = append(dst, `,"delta":{"role":"assistant","content":`...)
	finish, logprobs := `,"finish_reason":null,"native_finish_reason":null`, null
	if event.Kind == dialect.EventText {
		dst = rawjson.AppendQuoted(dst, event.Text)
	} else {
		dst = append(dst, `""`...)
	}
	switch event.Kind {
	case dialect.EventRefusal:
		dst = rawjson.AppendText(dst, "refusal", event.Text)
	case dialect.EventReasoning:
		if event.Reasoning.Text != "" {
			dst = rawjson.AppendText(dst, "reasoning", event.Reasoning.Text)
		}
		dst = append(rawjson.AppendName(dst, "reasoning_details"), '[')
		dst = append(appendDetail(dst, event.Reasoning), ']')
	case dialect.EventToolCall:
		dst = strconv.AppendInt(append(dst, `,"tool_calls":[{"index":`...), int64(event.Index), 10)
		dst = rawjson.AppendText(dst, "id", event.ID)
		dst = append(dst, `,"type":"function","function":{"name":`...)
		dst = append(rawjson.AppendQuoted(dst, event.Text), `,"arguments":""}}]`...)
	case dialect.EventToolArguments:
		dst = strconv.AppendInt(append(dst, `,"tool_calls":[{"index":`...), int64(event.Index), 10)
		dst = append(dst, `,"function":{"arguments":`...)
		dst = append(rawjson.AppendQuoted(dst, event.Text), `}}]`...)
	case dialect.EventImage:
		dst = append(rawjson.AppendName(dst, "images"), '[')
		dst = append(appendImage(dst, event.Index, event.Text), ']')
	case dialect.EventAnnotation:
		dst = append(rawjson.AppendName(dst, "annotations"), '[')
		dst = append(append(dst, event.Raw...), ']')
	case dialect.EventLogprobs:
		logprobs = event.Raw
	case dialect.EventFinish:
		finish = string(appendFinish(nil, event.FinishReason(), event.Text))
	case dialect.EventText, dialect.EventStart, dialect.EventUsage, dialect.EventTier, dialect.EventDone:
	}
	dst = append(append(dst, '}'), finish...)
	dst = append(rawjson.AppendMember(dst, "logprobs", logprobs), `}]}`...)
	rawjson.OneLine(dst[start:])
	return append(dst, "\n\n"...)
}

// appendImage appends an image of the answer to the list that is open at the end of
// dst (spec section 1.1.8).
func appendImage(dst []byte, index int, url string) []byte {
	dst = strconv.AppendInt(append(rawjson.Comma(dst), `{"index":`...), int64(index), 10)
	dst = append(dst, `,"type":"image_url","image_url":{`...)
	return append(rawjson.AppendText(dst, "url", url), "}}"...)
}

// appendFinish appends why a choice ended, in the API's words and in the provider's;
// "" is for one that goes on.
func appendFinish(dst []byte, reason, native string) []byte {
	if reason == "" {
		return append(dst, `,"finish_reason":null,"native_finish_reason":null`...)
	}
	dst = rawjson.AppendText(dst, "finish_reason", reason)
	return rawjson.AppendText(dst, "native_finish_reason", native)
}

func (e *encoder) Finish(dst []byte, usage dialect.Usage) []byte {
	return e.envelope.finish(dst, usage)
}

func (e *encoder) Fail(dst []byte, failure *dialect.Error) []byte {
	return e.envelope.fail(dst, failure)
}
