package openai

import (
	"errors"
	"fmt"
	"slices"
	"strconv"

	"github.com/switchyard/switchyard/extproc/dialect"
	"github.com/switchyard/switchyard/extproc/dialect/rawjson"
)

// Whole patches an answer that is not a stream, or makes a stream of it.
func (p *passthrough) Whole(dst []byte, body []byte) ([]byte, error) {
	if p.Request.Stream {
		return p.translate().Whole(dst, body)
	}
	answer, err := readAnswer(body)
	if err != nil {
		return dst, err
	}
	start := len(dst)
	dst = p.envelope.open(dst, "chat.completion")
	choices, fingerprint := false, false
	for c := rawjson.Walk(answer); c.Next(); {
		switch string(c.Name) {
		case "choices":
			dst = append(rawjson.AppendName(dst, "choices"), '[')
			for element := rawjson.Walk(c.Value); element.Next(); {
				if dst, err = p.wholeChoice(dst, element.Value); err != nil {
					return dst[:start], err
				}
				choices = true
			}
			dst = append(dst, ']')
		case "usage":
			p.usage(c.Value)
		case "id":
			p.Passed.UpstreamID = rawjson.Text(c.Value)
		case "service_tier":
			if p.envelope.served(c.Value) {
				p.Passed.ServiceTier = p.envelope.tier
			}
		case "object", "created", "model", "provider", "error", "openrouter_metadata":
		default:
			fingerprint = fingerprint || string(c.Name) == "system_fingerprint"
			dst = rawjson.AppendRaw(dst, c.Member)
		}
	}
	if !choices {
		return dst[:start], errNoChoices
	}
	p.Passed.Done = true
	if !fingerprint {
		dst = rawjson.AppendMember(dst, "system_fingerprint", null)
	}
	return append(p.envelope.trailer(dst, p.Counted().Usage), '}'), nil
}

var errNoChoices = errors.New("the provider's answer has no choices")

// readAnswer validates a whole answer and finds the error that stands in its place. One
// without choices it returns all the same, with errNoChoices.
func readAnswer(body []byte) ([]byte, error) {
	answer, err := rawjson.Repair(body)
	if err != nil {
		return nil, fmt.Errorf("the provider's answer: %w", err)
	}
	if failed := rawjson.Get(answer, "error"); isError(failed) {
		return nil, dialect.ReadStreamFailure(failed)
	}
	if first := rawjson.Walk(rawjson.Get(answer, "choices")); first.Next() {
		if failed := rawjson.Get(first.Value, "error"); isError(failed) {
			return nil, dialect.ReadStreamFailure(failed)
		}
		return answer, nil
	}
	if rawjson.Kind(answer) == '{' && isError(rawjson.Get(answer, "detail")) {
		return nil, dialect.ReadStreamFailure(answer)
	}
	return answer, errNoChoices
}

func (p *passthrough) wholeChoice(dst, object []byte) ([]byte, error) {
	c, err := readChoice(object, "message")
	if err != nil {
		return dst, err
	}
	dst = strconv.AppendInt(append(rawjson.Comma(dst), `{"index":`...), c.index, 10)
	dst = rawjson.AppendMember(dst, "logprobs", c.logprobs)
	dst = p.finishReason(dst, c)
	dst = append(rawjson.AppendName(dst, "message"), '{')
	dst = append(p.message(dst, c.said, int(c.index)), '}')
	if c.extra {
		dst = appendExtra(dst, object, choiceNames...)
	}
	return append(dst, '}'), nil
}

// message appends the members of a whole message (spec section 1.1.2).
func (p *passthrough) message(dst, message []byte, choice int) []byte {
	s := readSpoken(message)
	dst = append(dst, `"role":"assistant"`...)
	for _, member := range []struct {
		name  string
		value []byte
	}{{"content", s.content}, {"refusal", s.refusal}} {
		p.says(choice, member.value)
		if member.value == nil {
			member.value = null
		}
		dst = rawjson.AppendMember(dst, member.name, member.value)
	}
	before := len(dst)
	if dst, _ = p.reasoning(dst, s, choice); len(dst) == before {
		dst = rawjson.AppendMember(dst, "reasoning", null)
	}
	if calls := rawjson.Walk(s.calls); calls.Next() {
		dst = append(rawjson.AppendName(dst, "tool_calls"), '[')
		ids := toolCalls{generation: p.envelope.meta.ID, choice: choice}
		for element := rawjson.Walk(s.calls); element.Next(); {
			dst = p.wholeCall(dst, element.Value, &ids)
		}
		dst = append(dst, ']')
	}
	names := spokenNames
	if files := p.envelope.files(); len(files) > 0 && choice == 0 {
		dst = append(rawjson.AppendName(dst, "annotations"), '[')
		for _, annotation := range files {
			dst = rawjson.AppendRaw(dst, annotation)
		}
		for c := rawjson.Walk(rawjson.Get(message, "annotations")); c.Next(); {
			dst = rawjson.AppendRaw(dst, c.Value)
		}
		dst = append(dst, ']')
		names = append(slices.Clone(names), "annotations")
	}
	if s.extra {
		before = len(dst)
		dst = appendExtra(dst, message, names...)
		p.Passed.Started = p.Passed.Started || hasMedia(dst[before:])
	}
	return dst
}

// hasMedia reports whether the members that a message has beside text hold
// anything to see or hear; annotations alone are no answer.
func hasMedia(members []byte) bool {
	for c := rawjson.Walk(append([]byte{'{'}, members...)); c.Next(); {
		switch string(c.Name) {
		case "audio", "images", "function_call":
			if len(c.Value) > 2 {
				return true
			}
		}
	}
	return false
}

func (p *passthrough) wholeCall(dst, element []byte, ids *toolCalls) []byte {
	call := readToolDelta(element)
	ids.calls = append(ids.calls, toolCall{index: -1})
	p.Passed.Started = true
	dst = append(rawjson.Comma(dst), '{')
	number := len(ids.calls) - 1
	dst = rawjson.AppendText(dst, "id", ids.begin(number, call.id))
	kind := call.kind
	if len(kind) == 0 {
		kind = []byte("function")
	}
	dst = rawjson.AppendQuoted(rawjson.AppendName(dst, "type"), kind)
	if call.function {
		arguments := argumentsText(call.arguments)
		name := call.name
		if name == nil {
			name = []byte(`""`)
		}
		dst = append(rawjson.AppendName(dst, "function"), '{')
		dst = rawjson.AppendMember(dst, "name", name)
		dst = rawjson.AppendName(dst, "arguments")
		value := len(dst)
		dst = append(append(append(dst, '"'), arguments...), '"')
		p.Passed.BeginToolCall(ids.choice, number, rawjson.Text(name))
		p.Passed.AddToolArguments(ids.choice, number, rawjson.Text(dst[value:]))
		dst = append(dst, '}')
	}
	if call.extra {
		dst = appendExtra(dst, element, "index", "id", "type", "function")
	}
	return append(dst, '}')
}
