package openai

import (
	"slices"

	"github.com/switchyard/switchyard/extproc/dialect/rawjson"
)

// messages copies the conversation without what only the gateway and its clients
// know. SDKs send an answer's whole message back as history, so that whatever the
// gateway adds to answers returns here.
func (e *editor) messages(dst, value []byte) []byte {
	dst = append(rawjson.AppendName(dst, "messages"), '[')
	for c := rawjson.Walk(value); c.Next(); {
		dst = append(rawjson.Comma(dst), '{')
		role := string(rawjson.Unquote(rawjson.Get(c.Value, "role")))
		speaker := e.speaker(role, c.Value)
		content := false
		said := c.Value
		if role == "tool" && rawjson.True(rawjson.Get(c.Value, "is_error")) {
			// There is no field for a call that failed, which the model has to be told.
			speaker = "Error"
		}
		for member := rawjson.Walk(c.Value); member.Next(); {
			content = content || string(member.Name) == "content"
			if speaker != "" && string(member.Name) == "content" {
				dst = e.spokenContent(dst, &member, speaker)
				continue
			}
			dst = e.messageMember(dst, role, &member, said)
		}
		if !content {
			dst, _ = e.ownContent(dst, nil)
		}
		dst = append(dst, '}')
	}
	return append(dst, ']')
}

func (e *editor) messageMember(dst []byte, role string, c *rawjson.Cursor, said []byte) []byte {
	name := string(c.Name)
	if name == "content" {
		return e.content(dst, c)
	}
	if !rawjson.Present(c.Value) {
		return dst
	}
	switch name {
	case "role":
		if quirks := e.target.Quirks; quirks != nil && quirks.Roles[role] != "" {
			return rawjson.AppendText(dst, name, quirks.Roles[role])
		}
		return rawjson.AppendRaw(dst, c.Member)
	case "tool_calls":
		if first := rawjson.Walk(c.Value); !first.Next() {
			return dst
		}
		if e.target.Strict {
			return appendToolCalls(dst, c.Value)
		}
		return rawjson.AppendRaw(dst, c.Member)
	case "annotations", "images", "model":
		return dst
	case "is_error": // which is said in the content
		return dst
	case "reasoning_details":
		return e.thoughts(dst, role, c.Value, said)
	case "reasoning", "reasoning_content":
		return e.thought(dst, role, c.Value)
	case "audio":
		if id := rawjson.Get(c.Value, "id"); id != nil && e.target.Strict {
			dst = rawjson.AppendMember(append(rawjson.AppendName(dst, name), '{'), "id", id)
			return append(dst, '}')
		}
	}
	if e.target.Strict && !messageDefines(role, name) || slices.Contains(e.target.Refused, name) {
		return dst
	}
	return rawjson.AppendRaw(dst, c.Member)
}

// reasoningField is the target's field for what an assistant has thought.
func (e *editor) reasoningField() string {
	if quirks := e.target.Quirks; quirks != nil && quirks.ReasoningField != "" {
		return quirks.ReasoningField
	}
	return "reasoning_content"
}

// thought writes plain reasoning where it is taken: some models demand theirs back
// between tool calls.
func (e *editor) thought(dst []byte, role string, text []byte) []byte {
	switch {
	case role != "assistant" || rawjson.Kind(text) != '"':
		return dst
	case !e.takesThoughts():
		if len(text) > len(`""`) {
			e.drop("messages.reasoning")
		}
		return dst
	}
	return rawjson.AppendMember(dst, e.reasoningField(), text)
}

// thoughts writes what is plain of details, unless the message says it beside them.
// What is encrypted or signed is for its maker alone (row 102).
func (e *editor) thoughts(dst []byte, role string, details, message []byte) []byte {
	plain := []byte{}
	bound := false
	for c := rawjson.Walk(details); c.Next(); {
		detail := readDetail(c.Value)
		plain = append(plain, detail.Text...)
		bound = bound || detail.Data != "" || detail.Signature != ""
	}
	if bound || len(plain) > 0 && !e.takesThoughts() {
		e.drop("messages.reasoning_details")
	}
	beside := rawjson.Kind(rawjson.Get(message, "reasoning")) == '"' || rawjson.Kind(rawjson.Get(message, "reasoning_content")) == '"'
	if beside || len(plain) == 0 || !e.takesThoughts() {
		return dst
	}
	return e.thought(dst, role, rawjson.AppendQuoted(nil, plain))
}

func (e *editor) takesThoughts() bool {
	return !e.target.Strict && !slices.Contains(e.target.Refused, "reasoning_content")
}

// messageDefines reports whether OpenAI's own API has a field by this name in
// messages of a role.
func messageDefines(role, name string) bool {
	switch name {
	case "name":
		return role != "tool"
	case "tool_call_id":
		return role == "tool"
	case "refusal", "audio", "function_call":
		return role == "assistant"
	}
	return false
}

// speaker is the name of who speaks where the target has no field for it and it is
// to be said in the content (row 125).
func (e *editor) speaker(role string, message []byte) string {
	if !slices.Contains(e.target.Refused, "name") || role == "tool" || role == "function" {
		return ""
	}
	return rawjson.Text(rawjson.Get(message, "name"))
}

func (e *editor) spokenContent(dst []byte, c *rawjson.Cursor, speaker string) []byte {
	switch rawjson.Kind(c.Value) {
	case '"':
		return rawjson.AppendText(dst, "content", speaker+": "+rawjson.Text(c.Value))
	case '[':
		if text, plain := e.plainText(c.Value); plain {
			return rawjson.AppendText(dst, "content", speaker+": "+text)
		}
		dst = append(rawjson.AppendName(dst, "content"), '[')
		dst = append(rawjson.AppendText(append(dst, `{"type":"text"`...), "text", speaker+":"), '}')
		return append(e.parts(dst, c.Value), ']')
	}
	return e.content(dst, c)
}

// content copies a message's content; parts lose cache markers that the target
// would refuse.
func (e *editor) content(dst []byte, c *rawjson.Cursor) []byte {
	if dst, written := e.ownContent(dst, c.Value); written {
		return dst
	}
	if rawjson.Kind(c.Value) != '[' || !e.stripsCache() {
		return rawjson.AppendRaw(dst, c.Member)
	}
	dst = append(rawjson.AppendName(dst, "content"), '[')
	return append(e.parts(dst, c.Value), ']')
}

func (e *editor) toolList(dst, tools []byte) []byte {
	dst = append(rawjson.AppendName(dst, "tools"), '[')
	return append(e.parts(dst, tools), ']')
}

// parts copies the elements of a list, any of which may carry a cache marker.
func (e *editor) parts(dst, list []byte) []byte {
	for c := rawjson.Walk(list); c.Next(); {
		if e.stripsCache() {
			dst = e.withoutCache(dst, c.Value)
		} else {
			dst = rawjson.AppendRaw(dst, c.Value)
		}
	}
	return dst
}

func (e *editor) stripsCache() bool {
	return e.target.Strict || slices.Contains(e.target.Refused, "cache_control")
}

func (e *editor) withoutCache(dst, object []byte) []byte {
	dst = append(rawjson.Comma(dst), '{')
	for c := rawjson.Walk(object); c.Next(); {
		switch string(c.Name) {
		case "cache_control", "prompt_cache_breakpoint":
			e.drop("cache_control")
		default:
			dst = rawjson.AppendRaw(dst, c.Member)
		}
	}
	return append(dst, '}')
}

// appendToolCalls copies calls without what SDKs add to them, such as the index
// of a stream.
func appendToolCalls(dst, calls []byte) []byte {
	dst = append(rawjson.AppendName(dst, "tool_calls"), '[')
	for call := rawjson.Walk(calls); call.Next(); {
		dst = append(rawjson.Comma(dst), '{')
		for c := rawjson.Walk(call.Value); c.Next(); {
			name := string(c.Name)
			switch name {
			case "id", "type":
				dst = rawjson.AppendRaw(dst, c.Member)
			case "function", "custom":
				dst = append(rawjson.AppendName(dst, name), '{')
				for f := rawjson.Walk(c.Value); f.Next(); {
					switch string(f.Name) {
					case "name", "arguments", "input":
						dst = rawjson.AppendRaw(dst, f.Member)
					}
				}
				dst = append(dst, '}')
			}
		}
		dst = append(dst, '}')
	}
	return append(dst, ']')
}
