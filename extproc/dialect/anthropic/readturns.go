package anthropic

import (
	"strings"

	"github.com/switchyard/switchyard/extproc/dialect"
	"github.com/switchyard/switchyard/extproc/dialect/rawjson"
)

// reader reads the conversation of one request.
type reader struct {
	chat  *dialect.Chat
	turns int // before the one that is read
}

// unsaid names what the conversation does not hold.
func (r *reader) unsaid(name string) { r.chat.Unsaid = append(r.chat.Unsaid, name) }

// turn reads a message. The results of tools, which are the user's here, become
// a message of their own before the rest of the turn.
func (r *reader) turn(message []byte) {
	chat := r.chat
	role := dialect.Role(rawjson.Text(rawjson.Get(message, "role")))
	parts := r.parts(rawjson.Get(message, "content"), 0)
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

// parts reads a content, a string or blocks, that is so many levels deep.
func (r *reader) parts(content []byte, depth int) []dialect.Part {
	if depth == deepest {
		if rawjson.Present(content) {
			r.unsaid("messages.content")
		}
		return nil
	}
	if rawjson.Kind(content) == '"' {
		return []dialect.Part{{Kind: dialect.PartText, Text: rawjson.Text(content)}}
	}
	var parts []dialect.Part
	thoughts := 0
	for c := rawjson.Walk(content); c.Next(); {
		before := len(parts)
		parts = r.append(parts, c.Value, depth)
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

// append reads a block. Of the vendor's own tools, other dialects have a place for what
// the results say, as text. A block that is not known is not left out: nobody can tell
// what the conversation is without it.
func (r *reader) append(parts []dialect.Part, block []byte, depth int) []dialect.Part {
	get := func(name string) []byte { return rawjson.Get(block, name) }
	part := dialect.Part{CacheControl: dialect.CacheMarker(block)}
	switch kind := rawjson.Text(get("type")); kind {
	case "text":
		part.Kind, part.Text = dialect.PartText, rawjson.Text(get("text"))
	case "image":
		part.Kind, part.Media = dialect.PartImage, readMedia(get("source"))
	case "document":
		return r.appendDocument(parts, part, block, depth)
	case "search_result":
		r.cited(block)
		from := len(parts)
		parts = append(parts, r.parts(get("content"), depth+1)...)
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
			CallID: rawjson.Text(get("tool_use_id")), Failed: rawjson.True(get("is_error")), Parts: r.parts(get("content"), depth+1),
		}
	case "server_tool_use", "mcp_tool_use", "tool_reference":
		r.unsaid("messages." + kind)
		return parts
	case "compaction": // which stands for all before it
		part.Kind, part.Text = dialect.PartText, rawjson.Text(get("content"))
	default:
		if !strings.HasSuffix(kind, "_tool_result") {
			r.chat.CannotSay("'messages.%d.content': this model's provider has no blocks of type %.64q. Leave them out, or choose a model whose provider speaks the Messages API.", r.turns, kind)
			return parts
		}
		r.unsaid("messages." + kind)
		part.Kind, part.Text = dialect.PartText, strings.Join(words(nil, get("content"), 0), "\n")
		if part.Text == "" {
			return parts
		}
	}
	return append(parts, part)
}

// mostNested bounds how deep words looks.
const mostNested = 5

// words appends what the result of one of the vendor's own tools has to read. Data that
// is for the vendor alone is not.
func words(lines []string, value []byte, depth int) []string {
	if depth == mostNested {
		return lines
	}
	for c := rawjson.Walk(value); c.Next(); {
		switch string(c.Name) {
		case "": // an element
			lines = words(lines, c.Value, depth+1)
		case "content", "source":
			if rawjson.Kind(c.Value) != '"' {
				lines = words(lines, c.Value, depth+1)
			} else {
				lines = append(lines, rawjson.Text(c.Value))
			}
		case "data":
			if rawjson.Text(rawjson.Get(value, "type")) == "text" {
				lines = append(lines, rawjson.Text(c.Value))
			}
		case "title", "url", "text", "stdout", "stderr", "error_code":
			if text := rawjson.Text(c.Value); text != "" {
				lines = append(lines, text)
			}
		}
	}
	return lines
}

// cited names that the answer is to cite a block.
func (r *reader) cited(block []byte) {
	if rawjson.True(rawjson.Get(rawjson.Get(block, "citations"), "enabled")) {
		r.unsaid("messages.citations")
	}
}

// appendDocument reads a document. Plain text is text to any model; other files are
// for models that read them.
func (r *reader) appendDocument(parts []dialect.Part, part dialect.Part, block []byte, depth int) []dialect.Part {
	source := rawjson.Get(block, "source")
	title := rawjson.Text(rawjson.Get(block, "title"))
	r.cited(block)
	if rawjson.Text(rawjson.Get(block, "context")) != "" {
		r.unsaid("messages.document.context")
	}
	switch rawjson.Text(rawjson.Get(source, "type")) {
	case "text":
		part.Kind, part.Text = dialect.PartText, strings.TrimSpace(title+"\n"+rawjson.Text(rawjson.Get(source, "data")))
	case "content":
		return append(parts, r.parts(rawjson.Get(source, "content"), depth+1)...)
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
