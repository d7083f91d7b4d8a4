package dialect

import (
	"encoding/base64"
	"fmt"
	"strings"

	"github.com/switchyard/switchyard/extproc/dialect/rawjson"
)

// IsForeignBlock reports whether a part's type is one of Anthropic's blocks or of the
// Model Context Protocol's, and none of Chat Completions'.
func IsForeignBlock(kind string) bool {
	switch kind {
	case "tool_use", "tool_result", "thinking", "redacted_thinking", "image", "document", "audio", "resource", "resource_link":
		return true
	}
	return false
}

// deepestBlocks bounds how far blocks hold blocks: a result in a turn, and a block in it.
const deepestBlocks = 3

// ForeignBlocks reads contents whose parts may be Anthropic's or MCP's; others are
// Native's to read. The errors continue the name of the field that holds the content.
type ForeignBlocks struct {
	Native func(part []byte) (Part, error)
}

// Content reads a string or a list.
func (f ForeignBlocks) Content(content []byte) ([]Part, error) { return f.content(content, 0) }

func (f ForeignBlocks) content(content []byte, depth int) ([]Part, error) {
	switch kind := rawjson.Kind(content); {
	case !rawjson.Present(content):
		return nil, nil
	case kind == '"':
		return []Part{{Kind: PartText, Text: rawjson.Text(content)}}, nil
	case kind != '[':
		return nil, fmt.Errorf("' must be a string or an array of parts")
	case depth == deepestBlocks:
		return nil, fmt.Errorf("' is nested too deep")
	}
	var parts []Part
	i := 0
	for c := rawjson.Walk(content); c.Next(); i++ {
		part, err := f.block(c.Value, depth)
		if err != nil {
			return nil, fmt.Errorf(".%d%w", i, err)
		}
		parts = append(parts, part)
	}
	return parts, nil
}

func (f ForeignBlocks) block(block []byte, depth int) (Part, error) {
	get := func(name string) string { return rawjson.Text(rawjson.Get(block, name)) }
	part := Part{CacheControl: CacheMarker(block)}
	switch kind := get("type"); kind {
	case "tool_use":
		part.Kind = PartToolCall
		part.Call = &ToolCall{ID: get("id"), Name: get("name"), Arguments: "{}"}
		if input := rawjson.Get(block, "input"); rawjson.Kind(input) == '{' {
			part.Call.Arguments = string(input)
		} else if rawjson.Present(input) {
			return part, fmt.Errorf(".input' must be an object")
		}
		if part.Call.ID == "" || part.Call.Name == "" {
			return part, fmt.Errorf("' needs 'id' and 'name'")
		}
	case "tool_result":
		result, err := f.result(rawjson.Get(block, "content"), depth+1)
		if err != nil {
			return part, fmt.Errorf(".content%w", err)
		}
		result.CallID, result.Failed = get("tool_use_id"), result.Failed || rawjson.True(rawjson.Get(block, "is_error"))
		part.Kind, part.Result = PartToolResult, &result
	case "thinking":
		part.Kind = PartReasoning
		part.Reasoning = &ReasoningDetail{Type: ReasoningText, Text: get("thinking"), Signature: get("signature"), Format: FormatAnthropic}
	case "redacted_thinking":
		part.Kind = PartReasoning
		part.Reasoning = &ReasoningDetail{Type: ReasoningEncrypted, Data: get("data"), Format: FormatAnthropic}
	case "image", "audio":
		return foreignMedia(block, part, kind)
	case "document":
		return foreignDocument(block, part)
	case "resource":
		return foreignResource(rawjson.Get(block, "resource"), part)
	case "resource_link":
		part.Text = strings.TrimSpace(get("name") + " " + get("uri") + "\n" + get("description"))
	case "text":
		part.Text = get("text")
	default:
		native, err := f.Native(block)
		if err != nil {
			return part, fmt.Errorf("': %w", err)
		}
		return native, nil
	}
	return part, nil
}

// Result reads what a tool answered: a content, or the CallToolResult of MCP around one.
// The call's id is left to the caller.
func (f ForeignBlocks) Result(content []byte) (ToolResult, error) { return f.result(content, 0) }

func (f ForeignBlocks) result(content []byte, depth int) (ToolResult, error) {
	if rawjson.Kind(content) != '{' {
		parts, err := f.content(content, depth)
		return ToolResult{Parts: parts}, err
	}
	result := ToolResult{Failed: rawjson.True(rawjson.Get(content, "isError")) || rawjson.True(rawjson.Get(content, "is_error"))}
	inner, structured := rawjson.Get(content, "content"), rawjson.Get(content, "structuredContent")
	if structured == nil {
		structured = rawjson.Get(content, "structured_content") // as the Python SDK's objects name it
	}
	if inner == nil && structured == nil {
		return result, fmt.Errorf("' must be a string, an array of parts, or MCP's object with 'content'")
	}
	var err error
	if result.Parts, err = f.content(inner, depth); err != nil {
		return result, fmt.Errorf(".content%w", err)
	}
	if len(result.Parts) == 0 && rawjson.Kind(structured) == '{' {
		// Servers say the same in words; this one does not.
		result.Parts = []Part{{Kind: PartText, Text: string(structured)}}
	}
	return result, nil
}

// foreignMedia reads an image or a sound: Anthropic's have a source, MCP's data and its
// type beside each other.
func foreignMedia(block []byte, part Part, kind string) (Part, error) {
	source := rawjson.Get(block, "source")
	if rawjson.Kind(source) != '{' {
		source = block
	}
	get := func(names ...string) string {
		for _, name := range names {
			if text := rawjson.Text(rawjson.Get(source, name)); text != "" {
				return text
			}
		}
		return ""
	}
	media := Media{URL: get("url"), Data: get("data"), FileID: get("file_id"), Type: strings.ToLower(get("media_type", "mimeType", "mime_type"))}
	switch {
	case media.URL == "" && media.Data == "" && media.FileID == "":
		return part, fmt.Errorf("' holds neither a URL nor data")
	case media.Data != "" && !strings.HasPrefix(media.Type, kind+"/"):
		return part, fmt.Errorf("' needs the media type of its data, such as %s/%s", kind, map[string]string{"image": "png", "audio": "wav"}[kind])
	}
	part.Kind, part.Media = PartImage, &media
	if kind == "audio" {
		part.Kind = PartAudio
		part.Media.Type = soundFormat(media.Type)
	}
	return part, nil
}

// soundFormat is a sound's format in the words of Chat Completions.
func soundFormat(mediaType string) string {
	switch format := strings.TrimPrefix(strings.TrimPrefix(mediaType, "audio/"), "x-"); format {
	case "mpeg":
		return "mp3"
	case "wave":
		return "wav"
	default:
		return format
	}
}

func foreignDocument(block []byte, part Part) (Part, error) {
	source := rawjson.Get(block, "source")
	get := func(name string) string { return rawjson.Text(rawjson.Get(source, name)) }
	title := rawjson.Text(rawjson.Get(block, "title"))
	switch kind := get("type"); kind {
	case "text":
		part.Text = strings.TrimSpace(title + "\n" + get("data"))
		return part, nil
	case "base64", "url", "file":
		part.Kind = PartFile
		part.Media = &Media{URL: get("url"), Data: get("data"), FileID: get("file_id"), Type: get("media_type"), Name: title}
		if title == "" {
			part.Media.Name = "document.pdf" // Chat Completions demands a name
		}
		if part.Media.URL == "" && part.Media.Data == "" && part.Media.FileID == "" {
			return part, fmt.Errorf(".source' holds neither a URL nor data")
		}
		return part, nil
	default:
		return part, fmt.Errorf(".source.type' %q is not supported here; send base64, url, file or text", kind)
	}
}

// foreignResource reads what MCP embeds: text, or data of some type. Data that no model
// reads is named, so that the model knows of it.
func foreignResource(resource []byte, part Part) (Part, error) {
	get := func(name string) string { return rawjson.Text(rawjson.Get(resource, name)) }
	blob, kind := get("blob"), strings.ToLower(get("mimeType"))
	if kind == "" {
		kind = strings.ToLower(get("mime_type"))
	}
	switch {
	case rawjson.Kind(resource) != '{':
		return part, fmt.Errorf(".resource' must be an object")
	case blob == "":
		part.Text = get("text")
	case strings.HasPrefix(kind, "image/"):
		part.Kind, part.Media = PartImage, &Media{Data: blob, Type: kind}
	case strings.HasPrefix(kind, "audio/"):
		part.Kind, part.Media = PartAudio, &Media{Data: blob, Type: soundFormat(kind)}
	case kind == "application/pdf":
		part.Kind, part.Media = PartFile, &Media{Data: blob, Type: kind, Name: "document.pdf"}
	case strings.HasPrefix(kind, "text/"), kind == "application/json":
		text, err := base64.StdEncoding.DecodeString(blob)
		if err != nil {
			return part, fmt.Errorf(".resource.blob' is not valid base64")
		}
		part.Text = string(text)
	default:
		part.Text = fmt.Sprintf("%s (%s, %d bytes)", get("uri"), kind, base64.StdEncoding.DecodedLen(len(blob)))
	}
	return part, nil
}
