package anthropic

import (
	"github.com/switchyard/switchyard/extproc/dialect"
	"github.com/switchyard/switchyard/extproc/dialect/rawjson"
)

// system reads the instructions: a string or blocks of text.
func (p *parser) system(value []byte) error {
	p.opening.Instructions.See(value)
	if kind := rawjson.Kind(value); kind != '"' && kind != '[' {
		return dialect.Invalid("'system' must be a string or an array of text blocks.")
	}
	p.size(value)
	i := 0
	for c := rawjson.Walk(value); rawjson.Kind(value) == '[' && c.Next(); i++ {
		if rawjson.Text(rawjson.Get(c.Value, "type")) != "text" {
			return dialect.Invalid("'system.%d' must be a text block.", i)
		}
	}
	return nil
}

// size adds the text of a content, a string or blocks, to the prompt's size.
func (p *parser) size(content []byte) {
	if rawjson.Kind(content) == '"' {
		p.request.PromptBytes += rawjson.Size(content)
		return
	}
	for c := rawjson.Walk(content); c.Next(); {
		if text := rawjson.Get(c.Value, "text"); len(text) > 2 {
			p.request.PromptBytes += rawjson.Size(text)
		}
	}
}

// readMessages checks the messages as far as the gateway relies on them, and notes
// what they hold.
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
	var role, content []byte
	var held holding
	c := message.Walk()
	for c.Open() {
		if string(c.Name) == "content" && rawjson.Kind(c.Value) == '[' {
			if err := p.readBlocks(i, &c, &held); err != nil {
				return err
			}
			content = c.Value
			continue
		}
		c.Close()
		switch string(c.Name) {
		case "role":
			role = rawjson.Unquote(c.Value)
		case "content":
			content = c.Value
		}
	}
	message.CloseAfter(&c)
	switch rawjson.Kind(content) {
	case '[':
	case '"':
		p.size(content)
	default:
		return dialect.Invalid("'messages.%d.content' must be a string or an array of blocks.", i)
	}
	begins := &p.opening.First
	switch string(role) {
	case "user":
		// What goes on with a tool loop answers its calls.
		p.request.BoundReasoning = p.request.BoundReasoning && held.result
	case "assistant":
		p.request.BoundReasoning = p.request.BoundReasoning || held.call && held.bound
	case "system":
		begins = &p.opening.Instructions
		p.parsed.plain = false
	default:
		return dialect.Invalid("'messages.%d.role' must be one of user, assistant and system.", i)
	}
	begins.See(content)
	return nil
}

// holding is what the blocks of one message are.
type holding struct{ call, result, bound bool }

func (p *parser) readBlocks(i int, content *rawjson.Cursor, held *holding) error {
	blocks := content.Walk()
	for j := 0; blocks.Open(); j++ {
		if rawjson.Kind(blocks.Value) != '{' {
			return dialect.Invalid("'messages.%d.content.%d' must be an object.", i, j)
		}
		var kind, text []byte
		c := blocks.Walk()
		for c.Next() {
			switch string(c.Name) {
			case "type":
				kind = rawjson.Unquote(c.Value)
			case "text":
				text = c.Value
			}
		}
		blocks.CloseAfter(&c)
		if err := p.readBlock(i, j, string(kind), text, blocks.Value, held); err != nil {
			return err
		}
	}
	content.CloseAfter(&blocks)
	return nil
}

func (p *parser) readBlock(i, j int, kind string, text, block []byte, held *holding) error {
	switch kind {
	case "":
		return dialect.Invalid("'messages.%d.content.%d.type' must be a string.", i, j)
	case "text":
		if rawjson.Kind(text) != '"' {
			return dialect.Invalid("'messages.%d.content.%d.text' must be a string.", i, j)
		}
		p.request.PromptBytes += rawjson.Size(text)
	case "image":
		p.request.HoldImage(inlineSize(block))
		return checkSource(i, j, block)
	case "document":
		p.request.Hold("file")
		return checkSource(i, j, block)
	case "tool_use":
		held.call = true
		p.request.PromptBytes += int64(len(rawjson.Get(block, "input")))
		if rawjson.Text(rawjson.Get(block, "id")) == "" || rawjson.Text(rawjson.Get(block, "name")) == "" {
			return dialect.Invalid("'messages.%d.content.%d' must have an id and a name.", i, j)
		}
	case "tool_result":
		held.result = true
		if rawjson.Text(rawjson.Get(block, "tool_use_id")) == "" {
			return dialect.Invalid("'messages.%d.content.%d.tool_use_id' is missing.", i, j)
		}
		return p.readResult(i, j, rawjson.Get(block, "content"))
	case "thinking", "redacted_thinking":
		if detail := readThought(kind, block); detail.Format != dialect.FormatAnthropic {
			// Another maker's, which the API would refuse.
			p.parsed.plain = false
		}
		held.bound = held.bound || len(rawjson.Text(rawjson.Get(block, "signature")))+len(rawjson.Text(rawjson.Get(block, "data"))) > 0
	}
	return nil
}

// readResult reads what a tool gave: a string, or blocks, of which there is one
// level.
func (p *parser) readResult(i, j int, content []byte) error {
	switch rawjson.Kind(content) {
	case 0, 'n':
		return nil
	case '"', '[':
	default:
		return dialect.Invalid("'messages.%d.content.%d.content' must be a string or an array of blocks.", i, j)
	}
	p.size(content)
	for c := rawjson.Walk(content); c.Next(); {
		switch rawjson.Text(rawjson.Get(c.Value, "type")) {
		case "image":
			p.request.HoldImage(inlineSize(c.Value))
		case "document":
			p.request.Hold("file")
		}
	}
	return nil
}

// inlineSize is how many bytes of the request are an image's data.
func inlineSize(block []byte) int64 {
	source := rawjson.Get(block, "source")
	if rawjson.Text(rawjson.Get(source, "type")) != "base64" {
		return 0
	}
	return int64(len(rawjson.Get(source, "data")))
}

func checkSource(i, j int, block []byte) error {
	source := rawjson.Get(block, "source")
	if rawjson.Kind(source) != '{' {
		return dialect.Invalid("'messages.%d.content.%d.source' must be an object.", i, j)
	}
	if rawjson.Text(rawjson.Get(source, "type")) == "base64" && dialect.IsEmpty(rawjson.Unquote(rawjson.Get(source, "data"))) {
		return dialect.Invalid("'messages.%d.content.%d.source.data' holds no data.", i, j)
	}
	return nil
}
