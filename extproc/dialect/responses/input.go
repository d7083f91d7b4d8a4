package responses

import (
	"slices"

	"github.com/switchyard/switchyard/extproc/dialect"
	"github.com/switchyard/switchyard/extproc/dialect/rawjson"
)

// text reads a conversation that is no more than a text of the user's.
func (r *reader) text(value []byte) error {
	if rawjson.Kind(value) != '"' {
		return dialect.Invalid("'input' must be a string or an array of items.")
	}
	r.opening.First.See(value)
	r.request.PromptBytes += rawjson.Size(value)
	r.append(dialect.RoleUser, r.said(value))
	return nil
}

// said is a text as the one part of a message.
func (r *reader) said(value []byte) []dialect.Part {
	if r.light {
		return nil
	}
	return []dialect.Part{{Kind: dialect.PartText, Text: rawjson.Text(value)}}
}

// items reads the conversation. It is most of a request: the ends of its items are
// found on the way.
func (r *reader) items(input *rawjson.Cursor) error {
	r.given = true
	items := input.Walk()
	for i := 0; items.Open(); i++ {
		if rawjson.Kind(items.Value) != '{' {
			return dialect.Invalid("'input.%d' must be an object.", i)
		}
		if err := r.item(r.readItem(&items), i); err != nil {
			return err
		}
	}
	input.CloseAfter(&items)
	return nil
}

// item is what the items of all types have, as the client wrote it.
type item struct {
	kind, role, callID, name []byte
	content                  rawjson.Cursor
	summary                  []byte
	arguments, input         []byte
	output, encrypted        []byte
}

// readItem reads an item whose end is yet to be found, and whether it can be copied as it
// stands.
func (r *reader) readItem(object *rawjson.Cursor) item {
	var it item
	c := object.Walk()
	for c.Next() {
		r.parsed.plain = r.parsed.plain && rawjson.Present(c.Value)
		switch string(c.Name) {
		case "type":
			it.kind = rawjson.Unquote(c.Value)
		case "role":
			it.role = rawjson.Unquote(c.Value)
		case "content":
			it.content = c
		case "summary":
			it.summary = c.Value
		case "call_id":
			it.callID = rawjson.Unquote(c.Value)
		case "name":
			it.name = rawjson.Unquote(c.Value)
		case "cache_control":
			r.parsed.plain = false
		case "arguments":
			it.arguments = c.Value
		case "input":
			it.input = c.Value
		case "output":
			it.output = c.Value
		case "encrypted_content":
			it.encrypted = c.Value
		}
	}
	object.CloseAfter(&c)
	return it
}

func (r *reader) item(it item, i int) error {
	switch string(it.kind) {
	case "", "message":
		return r.message(it, i)
	case "reasoning":
		r.reasoningItem(it)
		return nil
	case "function_call", "custom_tool_call":
		return r.toolCall(it, i)
	case "function_call_output", "custom_tool_call_output":
		return r.toolResult(it, i)
	case "web_search_call", "image_generation_call":
		// What a provider did by its own means: only one that speaks this API can be told.
		return nil
	case "item_reference":
		return dialect.Invalid("'input.%d': item_reference is not supported, as this API keeps no state. Send store: false, with which SDKs send the item itself; of the AI SDK it is providerOptions.openai.store.", i)
	}
	return dialect.Invalid("'input.%d': items of type %q are not supported here.", i, it.kind)
}

func (r *reader) message(it item, i int) error {
	begins := &r.opening.First
	var role dialect.Role
	switch string(it.role) {
	case "user":
		role = dialect.RoleUser
		r.called, r.sealed = false, false // the loop before it is over
	case "system":
		role, begins = dialect.RoleSystem, &r.opening.Instructions
	case "developer":
		role, begins = dialect.RoleDeveloper, &r.opening.Instructions
	case "assistant":
		role = dialect.RoleAssistant
	default:
		return dialect.Invalid("'input.%d.role' must be one of user, assistant, system and developer.", i)
	}
	begins.See(it.content.Value)
	parts, err := r.content(&it.content)
	if err != nil {
		return dialect.Invalid("'input.%d.content%s.", i, err)
	}
	if role == dialect.RoleAssistant {
		r.add(role, parts...)
	} else {
		r.append(role, parts)
	}
	return nil
}

// append appends a message.
func (r *reader) append(role dialect.Role, parts []dialect.Part) {
	r.spoken = true
	if !r.light {
		r.chat.Messages = append(r.chat.Messages, dialect.Message{Role: role, Parts: parts})
	}
}

// add appends to the turn of a role, which goes on if it is the last. The items of
// one turn come one by one.
func (r *reader) add(role dialect.Role, parts ...dialect.Part) {
	last := len(r.chat.Messages) - 1
	if last < 0 || r.chat.Messages[last].Role != role {
		r.append(role, parts)
		return
	}
	message := &r.chat.Messages[last]
	message.Parts = append(message.Parts, parts...)
}

func (r *reader) toolCall(it item, i int) error {
	if len(it.callID) == 0 || len(it.name) == 0 {
		return dialect.Invalid("'input.%d': a %s needs 'call_id' and 'name'.", i, it.kind)
	}
	custom := string(it.kind) == "custom_tool_call"
	given := it.arguments
	if custom {
		given = it.input
	}
	r.request.PromptBytes += rawjson.Size(given)
	r.called, r.spoken = true, true
	if r.light {
		return nil
	}
	arguments := rawjson.Text(given)
	if custom {
		text := rawjson.AppendText([]byte{'{'}, "input", arguments)
		arguments = string(append(text, '}'))
	}
	r.add(dialect.RoleAssistant, dialect.Part{Kind: dialect.PartToolCall, Call: &dialect.ToolCall{
		ID: string(it.callID), Name: string(it.name), Arguments: arguments,
	}})
	return nil
}

func (r *reader) toolResult(it item, i int) error {
	if len(it.callID) == 0 {
		return dialect.Invalid("'input.%d': a %s needs 'call_id'.", i, it.kind)
	}
	r.foreign = r.foreign || isForeignOutput(it.output)
	result, err := r.output(it.output)
	if err != nil {
		return dialect.Invalid("'input.%d.output%s.", i, err)
	}
	result.CallID = string(it.callID)
	r.add(dialect.RoleTool, dialect.Part{Kind: dialect.PartToolResult, Result: &result})
	return nil
}

// reasoningItem gives reasoning back to its maker. What was sealed says who that
// is; what was not is of no endpoint of this gateway, and only its text goes on (row
// 102).
func (r *reader) reasoningItem(it item) {
	r.parsed.plain = false
	blob, seal, sealed := unseal(rawjson.Text(it.encrypted))
	format, signature := dialect.FormatUnknown, ""
	if sealed {
		r.sealed = true
		r.request.LastModel = seal.model()
		format = seal.Format
		if seal.Type == dialect.ReasoningText {
			signature = blob
		}
	}
	if r.light {
		r.spoken = r.spoken || sealed || hasText(it.summary) || hasText(it.content.Value)
		return
	}
	add := func(detail dialect.ReasoningDetail) {
		detail.Format, detail.ID, detail.Endpoint = format, seal.ID, seal.Endpoint
		detail.Index = r.thoughts
		r.add(dialect.RoleAssistant, dialect.Part{Kind: dialect.PartReasoning, Reasoning: &detail})
	}
	r.thoughts++
	if summary := joinTexts(it.summary); summary != "" {
		add(dialect.ReasoningDetail{Type: dialect.ReasoningSummary, Text: summary})
	}
	if thought := joinTexts(it.content.Value); thought != "" || signature != "" {
		add(dialect.ReasoningDetail{Type: dialect.ReasoningText, Text: thought, Signature: signature})
	}
	if sealed && seal.Type != dialect.ReasoningText {
		add(dialect.ReasoningDetail{Type: dialect.ReasoningEncrypted, Data: blob})
	}
}

// hasText reports whether [joinTexts] finds any.
func hasText(parts []byte) bool {
	for c := rawjson.Walk(parts); c.Next(); {
		if rawjson.Size(rawjson.Get(c.Value, "text")) > 0 {
			return true
		}
	}
	return false
}

func joinTexts(parts []byte) string {
	var joined []byte
	for c := rawjson.Walk(parts); c.Next(); {
		joined = append(joined, rawjson.Text(rawjson.Get(c.Value, "text"))...)
	}
	return string(joined)
}

func (r *reader) modality(name string) {
	if !slices.Contains(r.request.InputModalities, name) {
		r.request.InputModalities = append(r.request.InputModalities, name)
	}
}
