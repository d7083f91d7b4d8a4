package openai

import (
	"strconv"

	"github.com/switchyard/switchyard/extproc/dialect/rawjson"
)

// spoken is what a delta or a message says, by the names that providers give it.
// Values are absent where they are null.
type spoken struct {
	content, refusal, calls, details []byte
	reasoning                        []byte
	extra                            bool
}

func readSpoken(object []byte) spoken {
	var s spoken
	for c := rawjson.Walk(object); c.Next(); {
		if !rawjson.Present(c.Value) {
			continue
		}
		switch string(c.Name) {
		case "content":
			s.content = c.Value
		case "reasoning":
			s.reasoning = c.Value
		case "reasoning_content":
			if s.reasoning == nil {
				s.reasoning = c.Value
			}
		case "reasoning_details":
			if rawjson.Kind(c.Value) == '[' {
				s.details = c.Value
			}
		case "refusal":
			s.refusal = c.Value
		case "tool_calls":
			if rawjson.Kind(c.Value) == '[' {
				s.calls = c.Value
			}
		case "role":
		default:
			s.extra = true
		}
	}
	if rawjson.Kind(s.content) == '[' {
		text, thought := flatten(s.content)
		s.content = rawjson.AppendQuoted(nil, text)
		if len(thought) > 0 && s.reasoning == nil {
			s.reasoning = rawjson.AppendQuoted(nil, thought)
		}
	}
	if rawjson.Kind(s.reasoning) != '"' {
		s.reasoning = nil
	}
	return s
}

// spokenNames are the members that [spoken] has places for.
var spokenNames = []string{
	"role", "content", "reasoning", "reasoning_content", "reasoning_details", "refusal", "tool_calls",
}

// flatten joins content that is a list of parts, as Mistral's reasoning models
// send it, into text and thinking.
func flatten(parts []byte) (text, thought []byte) {
	for part := rawjson.Walk(parts); part.Next(); {
		if rawjson.Kind(part.Value) == '"' {
			text = append(text, rawjson.Unquote(part.Value)...)
			continue
		}
		text = append(text, rawjson.Unquote(rawjson.Get(part.Value, "text"))...)
		switch thinking := rawjson.Get(part.Value, "thinking"); rawjson.Kind(thinking) {
		case '"':
			thought = append(thought, rawjson.Unquote(thinking)...)
		case '[':
			inner, _ := flatten(thinking)
			thought = append(thought, inner...)
		}
	}
	return text, thought
}

// delta appends the members of a delta. Silent is as for choice.
func (p *passthrough) delta(dst, delta []byte, calls *toolCalls) (out []byte, silent bool) {
	s := readSpoken(delta)
	content := s.content
	if rawjson.Kind(content) != '"' {
		content = []byte(`""`)
	}
	dst = rawjson.AppendMember(append(dst, `"role":"assistant"`...), "content", content)
	silent = !p.says(calls.choice, content)
	if s.refusal != nil {
		dst = rawjson.AppendMember(dst, "refusal", s.refusal)
		silent = !p.says(calls.choice, s.refusal) && silent
	}
	if s.reasoning != nil || s.details != nil {
		var thinks bool
		dst, thinks = p.reasoning(dst, s, calls.choice)
		// Where it is hidden, an empty delta remains as a sign of life.
		silent = silent && !thinks
	}
	if s.calls != nil {
		before := len(dst)
		dst = append(rawjson.AppendName(dst, "tool_calls"), '[')
		opened := len(dst)
		for element := rawjson.Walk(s.calls); element.Next(); {
			dst = p.toolCall(dst, element.Value, calls)
		}
		if len(dst) == opened {
			dst = dst[:before]
		} else {
			dst, silent = append(dst, ']'), false
		}
	}
	if s.extra {
		before := len(dst)
		dst = appendExtra(dst, delta, spokenNames...)
		silent = silent && len(dst) == before
		p.Passed.Started = p.Passed.Started || hasMedia(dst[before:])
	}
	return dst, silent
}

// says notes a string value as text of a choice, and reports whether there is any.
func (p *passthrough) says(choice int, value []byte) bool {
	text := rawjson.Unquote(value)
	p.Passed.Started = p.Passed.Started || len(text) > 0
	p.Passed.Say(choice, text)
	return len(text) > 0
}

// reasoning appends reasoning if the client is to see it, and reports whether there
// is any.
func (p *passthrough) reasoning(dst []byte, s spoken, choice int) (out []byte, thinks bool) {
	text := rawjson.Unquote(s.reasoning)
	p.Passed.SayReasoning(choice, text)
	thinks = len(text) > 0 || len(s.details) > 2
	p.Passed.Started = p.Passed.Started || thinks
	if !thinks || p.Request.HideReasoning {
		return dst, thinks
	}
	p.Passed.BoundReasoning = p.Passed.BoundReasoning || isBound(s.details)
	return appendReasoning(dst, s), true
}

// appendReasoning appends reasoning both as a string and as details, whichever of
// them the provider sent (spec section 4.5).
func appendReasoning(dst []byte, s spoken) []byte {
	if s.reasoning != nil {
		dst = rawjson.AppendMember(dst, "reasoning", s.reasoning)
	}
	if s.details != nil {
		return appendDetails(dst, s.details)
	}
	dst = append(rawjson.AppendName(dst, "reasoning_details"), `[{"type":"reasoning.text","text":`...)
	dst = append(dst, s.reasoning...)
	return append(dst, `,"format":"unknown","index":0}]`...)
}

// toolCall appends one fragment of a tool call, in the form that clients expect
// whatever the provider's is: the first has id, type and name, and none repeats
// them, since clients join repeated strings.
func (p *passthrough) toolCall(dst, element []byte, calls *toolCalls) []byte {
	delta := readToolDelta(element)
	call, number := calls.find(delta)
	arguments := argumentsText(delta.arguments)
	p.Passed.Started = true

	begins := !call.begun
	if begins && delta.name == nil && (delta.function || !delta.extra) {
		// The name is still to come, and clients refuse a call without one.
		call.pending = append(call.pending, arguments...)
		p.Passed.Steps += min(int64(len(arguments)), 1)
		if call.given == "" {
			call.given = string(delta.id)
		}
		return dst
	}
	dst = strconv.AppendInt(append(rawjson.Comma(dst), `{"index":`...), int64(number), 10)
	if begins {
		dst = rawjson.AppendText(dst, "id", calls.begin(number, delta.id))
		kind := delta.kind
		if len(kind) == 0 {
			kind = []byte("function")
		}
		dst = rawjson.AppendQuoted(rawjson.AppendName(dst, "type"), kind)
	}
	if delta.function {
		dst = append(rawjson.AppendName(dst, "function"), '{')
		if begins && delta.name != nil {
			dst = rawjson.AppendMember(dst, "name", delta.name)
			p.Passed.BeginToolCall(calls.choice, number, rawjson.Text(delta.name))
		}
		dst = rawjson.AppendName(dst, "arguments")
		value := len(dst)
		dst = append(append(dst, '"'), call.pending...)
		dst = append(append(dst, arguments...), '"')
		p.Passed.AddToolArguments(calls.choice, number, rawjson.Text(dst[value:]))
		dst = append(dst, '}')
		call.pending = nil
	}
	if delta.extra {
		dst = appendExtra(dst, element, "index", "id", "type", "function")
	}
	return append(dst, '}')
}
