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

type encoder struct{ envelope envelope }

// Event appends a chunk for each event that a client sees.
func (e *encoder) Event(dst []byte, event dialect.Event) []byte {
	switch event.Kind {
	case dialect.EventTier:
		e.envelope.tier = event.Text
		return dst
	case dialect.EventStart, dialect.EventUsage, dialect.EventDone:
		return dst
	}
	start := len(dst)
	dst = append(dst, e.envelope.chunk...)
	if e.envelope.tier != "" {
		dst = rawjson.AppendText(dst, "service_tier", e.envelope.tier)
	}
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
	case dialect.EventAnnotation:
		dst = append(rawjson.AppendName(dst, "annotations"), '[')
		dst = append(append(dst, event.Raw...), ']')
	case dialect.EventLogprobs:
		logprobs = event.Raw
	case dialect.EventFinish:
		finish = string(appendFinish(nil, dialect.FinishReason(event.Text), event.Text))
	case dialect.EventText, dialect.EventStart, dialect.EventUsage, dialect.EventTier, dialect.EventDone:
	}
	dst = append(append(dst, '}'), finish...)
	dst = append(rawjson.AppendMember(dst, "logprobs", logprobs), `}]}`...)
	rawjson.OneLine(dst[start:])
	return append(dst, "\n\n"...)
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

func appendDetail(dst []byte, detail dialect.ReasoningDetail) []byte {
	dst = rawjson.AppendText(append(rawjson.Comma(dst), '{'), "type", detail.Type)
	switch detail.Type {
	case dialect.ReasoningEncrypted:
		dst = rawjson.AppendText(dst, "data", detail.Data)
	case dialect.ReasoningSummary:
		dst = rawjson.AppendText(dst, "summary", detail.Text)
	default:
		dst = rawjson.AppendText(dst, "text", detail.Text)
		if detail.Signature != "" {
			dst = rawjson.AppendText(dst, "signature", detail.Signature)
		}
	}
	if detail.ID != "" {
		dst = rawjson.AppendText(dst, "id", detail.ID)
	}
	if detail.Format == "" {
		detail.Format = dialect.FormatUnknown
	}
	dst = rawjson.AppendText(dst, "format", detail.Format)
	return append(strconv.AppendInt(rawjson.AppendName(dst, "index"), int64(detail.Index), 10), '}')
}

func (e *encoder) Finish(dst []byte, usage dialect.Usage) []byte {
	return e.envelope.finish(dst, usage)
}

func (e *encoder) Fail(dst []byte, failure *dialect.Error) []byte {
	return e.envelope.fail(dst, failure)
}
