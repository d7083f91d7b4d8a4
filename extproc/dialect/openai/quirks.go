package openai

import (
	"strconv"
	"strings"

	"github.com/switchyard/switchyard/extproc/dialect"
	"github.com/switchyard/switchyard/extproc/dialect/rawjson"
)

// own writes a member as the target has it: by its name, and no more than it takes.
func (e *editor) own(dst []byte, m member) []byte {
	quirks := e.target.Quirks
	if quirks == nil {
		return rawjson.AppendRaw(dst, m.raw)
	}
	name, value := quirks.Name(m.name), m.value
	changed := name != m.name
	if changed && find(e.members, name) != nil {
		return dst // the client knows the target's own name
	}
	if most, capped := quirks.Cap[m.name]; capped {
		if less, cut := atMost(value, most); cut {
			value, changed = less, true
			e.drop(m.name)
		}
	}
	if m.name == "tool_choice" && quirks.RequiredToolChoice != "" && rawjson.Text(value) == "required" {
		value, changed = rawjson.AppendQuoted(nil, quirks.RequiredToolChoice), true
	}
	if !changed {
		return rawjson.AppendRaw(dst, m.raw)
	}
	return rawjson.AppendMember(dst, name, value)
}

// atMost cuts a number to most, or a list to as many elements, and reports whether it
// had to.
func atMost(value []byte, most float64) ([]byte, bool) {
	if number, ok := rawjson.Float(value); ok && number > most {
		return strconv.AppendFloat(nil, most, 'g', -1, 64), true
	}
	short := []byte{'['}
	for c, i := rawjson.Walk(value), 0; c.Next(); i++ {
		if float64(i) >= most {
			return append(short, ']'), true
		}
		short = rawjson.AppendRaw(short, c.Value)
	}
	return value, false
}

// reasoning writes how much to think, once, in the target's form. What the client says
// in that form itself stays.
func (e *editor) reasoning(dst []byte, m member) []byte {
	quirks := e.target.Quirks
	if quirks != nil && quirks.Reasoning == dialect.ReasoningObject && e.takes("reasoning") {
		return rawjson.AppendRaw(dst, m.raw)
	}
	if e.effort == "" || e.reasoned {
		return dst
	}
	if !e.takes("reasoning_effort") || e.target.Strict && !e.target.Thinks() {
		e.drop(m.name)
		return dst
	}
	e.reasoned = true
	written := false
	if quirks != nil && quirks.Reasoning != dialect.ReasoningEffortField {
		dst, written = e.toggle(dst, quirks.Reasoning), true
		if e.effort == "none" || quirks.Efforts == nil {
			return dst
		}
	}
	effort := quirks.Effort(e.effort)
	if effort == "" {
		if !written {
			e.drop(m.name)
		}
		return dst
	}
	return rawjson.AppendText(dst, quirks.Name("reasoning_effort"), effort)
}

// toggle writes the switch of a form.
func (e *editor) toggle(dst []byte, form dialect.ReasoningForm) []byte {
	thinks := e.effort != "none"
	word := strconv.AppendBool(nil, thinks)
	switch form {
	case dialect.ReasoningThinking:
		if find(e.members, "thinking") != nil {
			return dst
		}
		kind := "disabled"
		if thinks {
			kind = "enabled"
		}
		dst = rawjson.AppendText(append(rawjson.AppendName(dst, "thinking"), '{'), "type", kind)
		return append(dst, '}')
	case dialect.ReasoningEnableThinking:
		if find(e.members, "enable_thinking") == nil {
			dst = rawjson.AppendMember(dst, "enable_thinking", word)
		}
		if budget := rawjson.Get(find(e.members, "reasoning"), "max_tokens"); rawjson.Present(budget) && find(e.members, "thinking_budget") == nil {
			dst = rawjson.AppendMember(dst, "thinking_budget", budget)
		}
		return dst
	case dialect.ReasoningChatTemplate:
		if find(e.members, "chat_template_kwargs") != nil {
			return dst
		}
		dst = append(rawjson.AppendName(dst, "chat_template_kwargs"), '{')
		return append(rawjson.AppendMember(dst, "enable_thinking", word), '}')
	case dialect.ReasoningEnabled:
		dst = append(rawjson.AppendName(dst, "reasoning"), '{')
		return append(rawjson.AppendMember(dst, "enabled", word), '}')
	}
	return dst
}

// ownContent writes a message's content as the target wants it, and reports whether it
// wants it otherwise than it is. A nil value is a message without content.
func (e *editor) ownContent(dst, value []byte) ([]byte, bool) {
	if quirks := e.target.Quirks; quirks != nil && quirks.NoNullContent && !rawjson.Present(value) {
		return rawjson.AppendText(dst, "content", ""), true
	}
	if text, plain := e.plainText(value); plain {
		return rawjson.AppendText(dst, "content", text), true
	}
	return dst, false
}

// plainText joins parts of a message that are nothing but text, for targets that take
// no parts then.
func (e *editor) plainText(parts []byte) (string, bool) {
	if e.target.Quirks == nil || !e.target.Quirks.TextContent || rawjson.Kind(parts) != '[' {
		return "", false
	}
	var text strings.Builder
	for c := rawjson.Walk(parts); c.Next(); {
		if string(rawjson.Unquote(rawjson.Get(c.Value, "type"))) != "text" {
			return "", false
		}
		if text.Len() > 0 {
			text.WriteString("\n\n")
		}
		text.Write(rawjson.Unquote(rawjson.Get(c.Value, "text")))
	}
	return text.String(), true
}
