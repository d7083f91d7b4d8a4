package openai

import (
	"bytes"
	"slices"

	"github.com/switchyard/switchyard/extproc/dialect"
	"github.com/switchyard/switchyard/extproc/dialect/rawjson"
)

// readMessages checks the messages as far as the gateway relies on them, and notes
// what they hold. They are most of a request: their ends are found on the way, so
// that each byte is looked at once.
func (p *parser) readMessages(member *rawjson.Cursor) error {
	p.messages = true
	i := 0
	messages := member.Walk()
	for ; messages.Open(); i++ {
		if err := p.readMessage(i, &messages); err != nil {
			return err
		}
	}
	if i == 0 {
		return dialect.Invalid("'messages' must have at least one item.")
	}
	member.CloseAfter(&messages)
	return nil
}

func (p *parser) readMessage(i int, message *rawjson.Cursor) error {
	if rawjson.Kind(message.Value) != '{' {
		return dialect.Invalid("'messages.%d' must be an object.", i)
	}
	var role, content, calls, details, model []byte
	c := message.Walk()
	for c.Next() {
		switch string(c.Name) {
		case "role":
			role = rawjson.Unquote(c.Value)
		case "content":
			content = c.Value
			if err := p.readContent(i, &c); err != nil {
				return err
			}
		case "tool_calls":
			if rawjson.Present(c.Value) && rawjson.Kind(c.Value) != '[' {
				return dialect.Invalid("'messages.%d.tool_calls' must be an array.", i)
			}
			calls = c.Value
			p.request.PromptBytes += int64(len(c.Value))
			p.parsed.plain = false
		case "tool_call_id":
		case "reasoning_details":
			details = c.Value
			p.parsed.plain = false
		case "model":
			model = c.Value
			p.parsed.plain = false
		default:
			p.parsed.plain = false
		}
	}
	message.CloseAfter(&c)
	begins := &p.opening.First
	switch string(role) {
	case "user":
		p.request.BoundReasoning = false // the loop before it is over
	case "assistant":
		p.request.LastModel = rawjson.Text(model)
		p.request.BoundReasoning = p.request.BoundReasoning || len(calls) > 2 && isBound(details)
	case "system", "developer":
		begins = &p.opening.Instructions
	case "tool", "function":
	case "":
		return dialect.Invalid("'messages.%d.role' is missing.", i)
	default:
		return dialect.Invalid("'messages.%d.role' must be one of system, developer, user, assistant and tool.", i)
	}
	begins.See(content)
	return nil
}

func (p *parser) readContent(i int, content *rawjson.Cursor) error {
	switch rawjson.Kind(content.Value) {
	case '"':
		p.request.PromptBytes += rawjson.Size(content.Value)
		return nil
	case 'n':
		return nil
	case '[':
	case '{': // MCP's result of a tool
		p.foreign = true
		return nil
	default:
		return dialect.Invalid("'messages.%d.content' must be a string or an array of parts.", i)
	}
	j := 0
	for c := content.Walk(); c.Next(); j++ {
		if rawjson.Kind(c.Value) != '{' {
			return dialect.Invalid("'messages.%d.content.%d' must be an object.", i, j)
		}
		if err := p.readPart(i, j, &c); err != nil {
			return err
		}
	}
	return nil
}

func (p *parser) readPart(i, j int, part *rawjson.Cursor) error {
	var kind, text, image, audio, file []byte
	for c := part.Walk(); c.Next(); {
		switch string(c.Name) {
		case "type":
			kind = rawjson.Unquote(c.Value)
		case "text":
			text = c.Value
		case "image_url":
			image = c.Value
		case "input_audio":
			audio = c.Value
		case "file":
			file = rawjson.Get(c.Value, "file_data")
		case "cache_control", "prompt_cache_breakpoint":
			p.parsed.plain = false
		case "annotations", "_meta":
			p.foreign = true
		}
	}
	switch string(kind) {
	case "":
		return dialect.Invalid("'messages.%d.content.%d.type' must be a string.", i, j)
	case "text":
		p.request.PromptBytes += rawjson.Size(text)
	case "image_url":
		if url := rawjson.Get(image, "url"); url != nil {
			image = url
		}
		p.request.HoldImage(dialect.InlineSize(image))
	case "input_audio":
		p.modality("audio")
		data := rawjson.Unquote(rawjson.Get(audio, "data"))
		if bytes.HasPrefix(data, []byte("http://")) || bytes.HasPrefix(data, []byte("https://")) {
			return dialect.Invalid("'messages.%d.content.%d.input_audio.data' must be base64; audio by URL is not supported.", i, j)
		}
	case "file":
		p.modality("file")
		if rawjson.Kind(file) == '"' && dialect.IsEmpty(rawjson.Unquote(file)) {
			return dialect.Invalid("'messages.%d.content.%d.file.file_data' holds no data.", i, j)
		}
	case "video_url", "input_video":
		p.modality("video")
	default:
		p.foreign = p.foreign || dialect.IsForeignBlock(string(kind))
	}
	return nil
}

func (p *parser) modality(name string) {
	if !slices.Contains(p.request.InputModalities, name) {
		p.request.InputModalities = append(p.request.InputModalities, name)
	}
}
