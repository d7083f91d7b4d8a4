package dialect

import (
	"bytes"
	"errors"

	"github.com/switchyard/switchyard/extproc/dialect/rawjson"
)

// PromptEdit returns a text of a request as it is to stand there, which is the text
// itself if nothing is to change. The role is that of the message that it stands in, and
// RoleUser for what stands in none. It must not write to the text.
type PromptEdit func(role Role, text []byte) []byte

// ErrTooLong: what an edit has made of texts would come to more than it may.
var ErrTooLong = errors.New("dialect: what the edit comes to is too long")

// PromptEditor is a client dialect whose requests are not JSON.
type PromptEditor interface {
	// EditPrompt is as the function of this name.
	EditPrompt(body []byte, edit PromptEdit) ([]byte, error)
}

// EditPrompt hands every text of a request that models read to edit, and returns the
// body with what that made of them: the body itself if nothing has changed, and else the
// body but for these texts, of up to most bytes. Texts are unescaped before, so that \u0040
// is an @, and escaped behind: a quote in JSON in a string in JSON takes four bytes.
//
// It knows the places in which all client dialects have texts, and takes within messages
// for a text whatever is not known to be none, as at the top of a request: what vendors add
// to their dialects, or read in other cases, is then read too. Arguments and results of
// tools are read value by value, with the names of their members, also where they are JSON
// within a string. Reasoning that its maker has signed is read, and stays as it is whatever
// edit makes of it. Not read are data in base64, URLs, definitions of tools, forms of
// answers, names of tools and ids.
//
// The body must have been parsed. The error is [ErrTooLong] or that of a [PromptEditor], an
// *Error.
func EditPrompt(client Client, body []byte, most int, edit PromptEdit) ([]byte, error) {
	if own, ok := client.(PromptEditor); ok {
		edited, err := own.EditPrompt(body, edit)
		if err == nil && len(edited) > most {
			err = ErrTooLong
		}
		return edited, err
	}
	e := textEdit{edit: edit, most: most, source: body}
	e.request(body)
	return e.result()
}

// EditTexts hands every text in a JSON value, whatever it is of, to edit, with the names
// of members and the digits of numbers. The value must be valid. The error is [ErrTooLong]:
// as changed it would have more than most bytes.
func EditTexts(value []byte, most int, edit func(text []byte) []byte) ([]byte, error) {
	e := textEdit{edit: func(_ Role, text []byte) []byte { return edit(text) }, most: most, source: value}
	e.anything(value, "")
	return e.result()
}

// EditArguments is EditTexts for the arguments of a call, which may be no JSON: they are
// then one text.
func EditArguments(arguments []byte, most int, edit func(text []byte) []byte) ([]byte, error) {
	if rawjson.Validate(arguments) != nil {
		edited := edit(arguments)
		if len(edited) > max(most, len(arguments)) {
			return nil, ErrTooLong
		}
		return edited, nil
	}
	return EditTexts(arguments, most, edit)
}

// textEdit is one pass over a JSON text.
type textEdit struct {
	edit PromptEdit
	// most is how many bytes there may be of what has changed. tooLong says that there were
	// to be more: nothing is edited any more.
	most    int
	tooLong bool
	source  []byte
	// changed is the source up to copied, with what has changed in it; nil if nothing has.
	changed []byte
	copied  int
	// signed: what is being read is of use only as it is.
	signed bool
}

func (e *textEdit) result() ([]byte, error) {
	switch {
	case e.tooLong:
		return nil, ErrTooLong
	case e.changed == nil:
		return e.source, nil
	}
	return append(e.changed, e.source[e.copied:]...), nil
}

// replace puts text in the place of value, which is a part of the source.
func (e *textEdit) replace(value, text []byte) {
	// Both slices end where the source's array does.
	start := cap(e.source) - cap(value)
	if e.changed == nil {
		e.changed = make([]byte, 0, len(e.source)+64)
	}
	if len(e.changed)-e.copied+len(e.source)-len(value)+quotedSize(text) > e.most {
		e.tooLong, e.changed = true, nil
		return
	}
	e.changed = rawjson.AppendQuoted(append(e.changed, e.source[e.copied:start]...), text)
	e.copied = start + len(value)
}

// quotedSize is how many bytes a text has as a JSON string, if it is valid UTF-8.
func quotedSize(text []byte) int {
	size := len(text) + 2
	for _, c := range text {
		switch {
		case c == '"' || c == '\\':
			size++
		case c < ' ':
			size += 5 // as in \u0000, at most
		}
	}
	return size
}

// request reads a request's body, or one of several in it.
func (e *textEdit) request(body []byte) {
	for c := rawjson.Walk(body); c.Next(); {
		switch string(c.Name) {
		case "system", "systemInstruction", "system_instruction", "instructions":
			e.parts(c.Value, RoleSystem)
		case "requests":
			for each := rawjson.Walk(c.Value); each.Next(); {
				e.request(each.Value)
			}
		case "generateContentRequest":
			e.request(c.Value)
		case "text": // the Responses API's has the form of the answer
			if rawjson.Kind(c.Value) == '"' {
				e.text(c.Value, RoleUser)
			}
		default:
			if !IsSetting(string(c.Name)) {
				e.parts(c.Value, RoleUser)
			}
		}
	}
}

// IsSetting reports whether a member of a request, or a field of a form, is known to have
// no text for a model in any dialect: parameters, what speaks to the gateway, names of the
// client's, definitions of tools, forms of answers, and data.
func IsSetting(name string) bool {
	switch name {
	case "model", "models", "user", "metadata", "labels", "safety_identifier", "session_id", "trace", "provider", "route", "preset", "plugins", "transforms",
		"usage", "debug", "fallbacks", "cache_control", "prompt_cache_key", "prompt_cache_retention", "previous_response_id", "conversation", "cachedContent", "container",
		"tools", "tool_choice", "toolConfig", "tool_config", "functions", "function_call", "mcp_servers", "web_search_options", "stop_server_tools_when",
		"response_format", "output_config", "output_format", "output_schema", "generationConfig", "generation_config", "structured_outputs",
		"stop", "stop_sequences", "logit_bias", "reasoning", "reasoning_effort", "thinking", "verbosity", "service_tier", "serviceTier", "speed", "truncation", "include",
		"betas", "anthropic_beta", "anthropic_version", "context_management", "safetySettings", "safety_settings", "stream_options", "stream_format", "modalities",
		"encoding_format", "input_type", "taskType", "task_type", "image_config", "size", "quality", "style", "background", "moderation", "aspect_ratio", "resolution",
		"input_fidelity", "voice", "language", "languages", "timestamp_granularities", "chunking_strategy", "known_speaker_references",
		"audio", "input_audio", "file", "image", "images", "mask", "video":
		return true
	}
	return false
}

// roleOf is the role of a message or of one of the Responses API's items.
func roleOf(object []byte, otherwise Role) Role {
	role := rawjson.Unquote(rawjson.Get(object, "role"))
	switch string(role) {
	case "":
		if kind := rawjson.Unquote(rawjson.Get(object, "type")); bytes.HasSuffix(kind, []byte("_output")) || string(kind) == "tool_result" {
			return RoleTool
		}
		return otherwise
	case "model":
		return RoleAssistant
	case "function":
		return RoleTool
	}
	return Role(role)
}

// parts reads a message, its content, or a part of that.
func (e *textEdit) parts(value []byte, role Role) {
	switch rawjson.Kind(value) {
	case '"':
		if role == RoleTool {
			e.json(value, role)
			return
		}
		e.text(value, role)
	case '[':
		for c := rawjson.Walk(value); c.Next(); {
			e.parts(c.Value, role)
		}
	case '{':
		within := role
		role = roleOf(value, role)
		signed := e.signed
		e.signed = signed || within == RoleAssistant && isSigned(value)
		for c := rawjson.Walk(value); c.Next(); {
			e.member(value, &c, role)
		}
		e.signed = signed
	}
}

// isSigned tells of reasoning that its maker refuses in any other words. No message is:
// what has a role or a content is read as one, whatever else it says of itself.
func isSigned(object []byte) bool {
	if len(rawjson.Unquote(rawjson.Get(object, "signature"))) == 0 || rawjson.Get(object, "role") != nil || rawjson.Get(object, "content") != nil {
		return false
	}
	kind := rawjson.Unquote(rawjson.Get(object, "type"))
	return string(kind) == "thinking" || bytes.HasPrefix(kind, []byte("reasoning."))
}

func (e *textEdit) member(object []byte, c *rawjson.Cursor, role Role) {
	switch string(c.Name) {
	case "type", "role", "id", "call_id", "callId", "tool_call_id", "tool_use_id", "toolUseId", "server_name", "status", "model", "phase",
		"detail", "format", "media_type", "mimeType", "mime_type", "cache_control", "finish_reason", "native_finish_reason",
		"url", "uri", "image_url", "video_url", "file_url", "fileUri", "file_uri", "file_id", "file_data", "input_audio", "audio",
		"blob", "b64_json", "signature", "thought_signature", "thoughtSignature", "encrypted_content", "encrypted_index":
		return
	case "name": // of a participant; else of a tool
		if role != RoleTool && rawjson.Get(object, "role") != nil {
			e.parts(c.Value, role)
		}
	case "data": // base64, but for a source that is a text
		if string(rawjson.Unquote(rawjson.Get(object, "type"))) == "text" {
			e.parts(c.Value, role)
		}
	case "functionResponse", "function_response":
		e.parts(c.Value, RoleTool)
	case "arguments", "args", "input", "response", "structuredContent":
		e.anything(c.Value, role)
	default:
		e.parts(c.Value, role)
	}
}

// anything reads a value whose members nobody knows.
func (e *textEdit) anything(value []byte, role Role) {
	switch rawjson.Kind(value) {
	case '"':
		e.json(value, role)
	case '0':
		e.put(value, value, role)
	case '[', '{':
		for c := rawjson.Walk(value); c.Next(); {
			if c.Name != nil {
				e.text(nameOf(&c), role)
			}
			e.anything(c.Value, role)
		}
	}
}

// nameOf is a member's name as it stands, in its quotes.
func nameOf(c *rawjson.Cursor) []byte {
	name := c.Member[:len(c.Member)-len(c.Value)]
	return name[:bytes.LastIndexByte(name, '"')+1]
}

// json reads a string that may hold JSON.
func (e *textEdit) json(value []byte, role Role) {
	inner := rawjson.Unquote(value)
	if kind := rawjson.Kind(inner); kind != '{' && kind != '[' || rawjson.Validate(inner) != nil {
		e.text(value, role)
		return
	}
	within := textEdit{edit: e.edit, most: e.most, source: inner, signed: e.signed}
	within.anything(inner, role)
	edited, err := within.result()
	switch {
	case err != nil:
		e.tooLong = true
	case within.changed != nil:
		e.replace(value, edited)
	}
}

func (e *textEdit) text(value []byte, role Role) {
	if text := rawjson.Unquote(value); len(text) > 0 {
		e.put(value, text, role)
	}
}

// put has a text edited, and puts what comes of it in the place of the value.
func (e *textEdit) put(value, text []byte, role Role) {
	if e.tooLong {
		return
	}
	if edited := e.edit(role, text); !e.signed && !bytes.Equal(edited, text) {
		e.replace(value, edited)
	}
}
