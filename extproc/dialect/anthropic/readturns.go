package anthropic

import (
	"strings"

	"github.com/switchyard/switchyard/extproc/dialect"
	"github.com/switchyard/switchyard/extproc/dialect/rawjson"
)

// readTurn reads a message. The results of tools, which are the user's here, become
// a message of their own before the rest of the turn.
func readTurn(chat *dialect.Chat, message []byte) {
	role := dialect.Role(rawjson.Text(rawjson.Get(message, "role")))
	parts := readParts(rawjson.Get(message, "content"), 0)
	var results, others []dialect.Part
	for _, part := range parts {
		if part.Kind == dialect.PartToolResult {
			results = append(results, part)
		} else {
			others = append(others, part)
		}
	}
	if len(results) > 0 {
		chat.Messages = append(chat.Messages, dialect.Message{Role: dialect.RoleTool, Parts: results})
	}
	if len(others) > 0 || len(results) == 0 {
		chat.Messages = append(chat.Messages, dialect.Message{Role: role, Parts: others})
	}
}

// deepest bounds how far blocks hold blocks: a document in the result of a tool in a
// turn. Each level is walked anew.
const deepest = 3

// readParts reads a content, a string or blocks, that is so many levels deep.
func readParts(content []byte, depth int) []dialect.Part {
	if depth == deepest {
		return nil
	}
	if rawjson.Kind(content) == '"' {
		return []dialect.Part{{Kind: dialect.PartText, Text: rawjson.Text(content)}}
	}
	var parts []dialect.Part
	thoughts := 0
	for c := rawjson.Walk(content); c.Next(); {
		before := len(parts)
		parts = appendParts(parts, c.Value, depth)
		for i := before; i < len(parts); i++ {
			if parts[i].Kind == dialect.PartReasoning {
				// Each block is a detail of its own, however many follow each other.
				parts[i].Reasoning.Index = thoughts
				thoughts++
			}
		}
	}
	return parts
}

// appendParts reads a block. What only the vendor's own tools say has no place in
// other dialects and is left out.
func appendParts(parts []dialect.Part, block []byte, depth int) []dialect.Part {
	get := func(name string) []byte { return rawjson.Get(block, name) }
	part := dialect.Part{CacheControl: dialect.CacheMarker(block)}
	switch kind := rawjson.Text(get("type")); kind {
	case "text":
		part.Kind, part.Text = dialect.PartText, rawjson.Text(get("text"))
	case "image":
		part.Kind, part.Media = dialect.PartImage, readMedia(get("source"))
	case "document":
		return appendDocument(parts, part, block, depth)
	case "search_result":
		from := len(parts)
		parts = append(parts, readParts(get("content"), depth+1)...)
		if title := rawjson.Text(get("title")); title != "" && len(parts) > from {
			parts[from].Text = title + "\n" + parts[from].Text
		}
		return parts
	case "thinking", "redacted_thinking":
		thought := readThought(kind, block)
		part.Kind, part.Reasoning = dialect.PartReasoning, &thought
	case "tool_use":
		part.Kind = dialect.PartToolCall
		part.Call = &dialect.ToolCall{ID: rawjson.Text(get("id")), Name: rawjson.Text(get("name")), Arguments: "{}"}
		if input := get("input"); rawjson.Kind(input) == '{' {
			part.Call.Arguments = string(input)
		}
	case "tool_result":
		part.Kind = dialect.PartToolResult
		part.Result = &dialect.ToolResult{
			CallID: rawjson.Text(get("tool_use_id")), Failed: rawjson.True(get("is_error")), Parts: readParts(get("content"), depth+1),
		}
	default:
		return parts
	}
	return append(parts, part)
}

// appendDocument reads a document. Plain text is text to any model; other files are
// for models that read them.
func appendDocument(parts []dialect.Part, part dialect.Part, block []byte, depth int) []dialect.Part {
	source := rawjson.Get(block, "source")
	title := rawjson.Text(rawjson.Get(block, "title"))
	switch rawjson.Text(rawjson.Get(source, "type")) {
	case "text":
		part.Kind, part.Text = dialect.PartText, strings.TrimSpace(title+"\n"+rawjson.Text(rawjson.Get(source, "data")))
	case "content":
		return append(parts, readParts(rawjson.Get(source, "content"), depth+1)...)
	default:
		part.Kind, part.Media = dialect.PartFile, readMedia(source)
		part.Media.Name = title
		if title == "" {
			part.Media.Name = "document.pdf" // Chat Completions demands a name
		}
	}
	return append(parts, part)
}

func readMedia(source []byte) *dialect.Media {
	get := func(name string) string { return rawjson.Text(rawjson.Get(source, name)) }
	return &dialect.Media{URL: get("url"), Data: get("data"), FileID: get("file_id"), Type: get("media_type")}
}
