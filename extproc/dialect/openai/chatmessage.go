package openai

import (
	"fmt"

	"github.com/switchyard/switchyard/extproc/dialect"
	"github.com/switchyard/switchyard/extproc/dialect/rawjson"
)

func readConversation(chat *dialect.Chat, messages []byte) error {
	i := 0
	for c := rawjson.Walk(messages); c.Next(); i++ {
		message, err := readChatMessage(c.Value)
		if err != nil {
			return dialect.Invalid("'messages.%d': %s.", i, err)
		}
		chat.Messages = append(chat.Messages, message)
	}
	return nil
}

func readChatMessage(value []byte) (dialect.Message, error) {
	var content, calls, details, reasoning, refusal []byte
	var callID string
	failed := false
	message := dialect.Message{}
	for c := rawjson.Walk(value); c.Next(); {
		switch string(c.Name) {
		case "role":
			message.Role = dialect.Role(rawjson.Text(c.Value))
		case "name":
			message.Name = rawjson.Text(c.Value)
		case "content":
			content = c.Value
		case "tool_calls":
			calls = c.Value
		case "tool_call_id":
			callID = rawjson.Text(c.Value)
		case "is_error":
			failed = rawjson.True(c.Value)
		case "reasoning_details":
			details = c.Value
		case "reasoning", "reasoning_content":
			if rawjson.Kind(c.Value) == '"' {
				reasoning = c.Value
			}
		case "refusal":
			refusal = c.Value
		}
	}
	message.Parts = readThoughts(details, reasoning)
	said, err := readParts(content)
	if err != nil {
		return message, err
	}
	if message.Role == dialect.RoleTool {
		if callID == "" {
			return message, fmt.Errorf("a message of role tool needs 'tool_call_id'")
		}
		result := &dialect.ToolResult{CallID: callID, Parts: said, Failed: failed}
		message.Parts = []dialect.Part{{Kind: dialect.PartToolResult, Result: result, CacheControl: readCache(value)}}
		return message, nil
	}
	message.Parts = append(message.Parts, said...)
	if text := rawjson.Text(refusal); text != "" {
		message.Parts = append(message.Parts, dialect.Part{Kind: dialect.PartRefusal, Text: text})
	}
	for c := rawjson.Walk(calls); c.Next(); {
		call := readToolDelta(c.Value)
		arguments := append(append([]byte{'"'}, argumentsText(call.arguments)...), '"')
		message.Parts = append(message.Parts, dialect.Part{Kind: dialect.PartToolCall, Call: &dialect.ToolCall{
			ID: string(call.id), Name: rawjson.Text(call.name), Arguments: rawjson.Text(arguments),
		}})
	}
	return message, nil
}

// readThoughts prefers details, which can be proven to their maker, to the plain
// string beside them.
func readThoughts(details, reasoning []byte) []dialect.Part {
	var parts []dialect.Part
	add := func(detail dialect.ReasoningDetail) {
		parts = append(parts, dialect.Part{Kind: dialect.PartReasoning, Reasoning: &detail})
	}
	for c := rawjson.Walk(details); c.Next(); {
		add(readDetail(c.Value))
	}
	if text := rawjson.Text(reasoning); text != "" && len(parts) == 0 {
		add(dialect.ReasoningDetail{Type: dialect.ReasoningText, Text: text, Format: dialect.FormatUnknown})
	}
	return parts
}

func readParts(content []byte) ([]dialect.Part, error) {
	if rawjson.Kind(content) == '"' {
		return []dialect.Part{{Kind: dialect.PartText, Text: rawjson.Text(content)}}, nil
	}
	var parts []dialect.Part
	for c := rawjson.Walk(content); c.Next(); {
		part, err := readPart(c.Value)
		if err != nil {
			return nil, fmt.Errorf("content.%d: %w", len(parts), err)
		}
		part.CacheControl = readCache(c.Value)
		parts = append(parts, part)
	}
	return parts, nil
}

func readPart(value []byte) (dialect.Part, error) {
	get := func(object []byte, name string) string { return rawjson.Text(rawjson.Get(object, name)) }
	media := func(kind dialect.PartKind, m dialect.Media) (dialect.Part, error) {
		if m.URL == "" && m.Data == "" && m.FileID == "" {
			return dialect.Part{}, fmt.Errorf("it holds neither a URL nor data")
		}
		return dialect.Part{Kind: kind, Media: &m}, nil
	}
	switch kind := get(value, "type"); kind {
	case "text":
		return dialect.Part{Kind: dialect.PartText, Text: get(value, "text")}, nil
	case "refusal":
		return dialect.Part{Kind: dialect.PartRefusal, Text: get(value, "refusal")}, nil
	case "image_url", "video_url", "input_video":
		object := rawjson.Get(value, kind)
		if kind == "input_video" && object == nil {
			object = rawjson.Get(value, "video_url")
		}
		url := get(object, "url")
		if rawjson.Kind(object) == '"' { // the shorthand some clients send
			url = rawjson.Text(object)
		}
		m := dialect.MediaAt(url)
		m.Detail = get(object, "detail")
		if kind == "image_url" {
			return media(dialect.PartImage, m)
		}
		return media(dialect.PartVideo, m)
	case "input_audio":
		audio := rawjson.Get(value, kind)
		return media(dialect.PartAudio, dialect.Media{Data: get(audio, "data"), Type: get(audio, "format")})
	case "file":
		file := rawjson.Get(value, kind)
		m := dialect.MediaAt(get(file, "file_data"))
		m.Name, m.FileID = get(file, "filename"), get(file, "file_id")
		return media(dialect.PartFile, m)
	default:
		return dialect.Part{}, fmt.Errorf("unknown type %q", kind)
	}
}
