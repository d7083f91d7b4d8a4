package openai

import (
	"fmt"

	"github.com/switchyard/switchyard/extproc/dialect"
	"github.com/switchyard/switchyard/extproc/dialect/rawjson"
)

// Programs that were written for Anthropic's API, or that pass on what an MCP server
// says, put tools, calls and results into requests of Chat Completions in the words of
// those. Parse notices on its way, and the request is then written anew as this API has
// it, for all providers that speak it: what is not foreign stays as the client wrote it.

// native is a request without foreign tools, calls and results. What tools show stays
// in their results if together is set, as the hub has it, and else comes behind them. Its
// error names the client's field.
func native(body []byte, together bool) ([]byte, error) {
	w := writer{dst: make([]byte, 0, len(body)+len(body)/8), together: together}
	w.dst = append(w.dst, '{')
	serial := false
	for c := rawjson.Walk(body); c.Next(); {
		switch string(c.Name) {
		case "messages":
			w.dst = append(rawjson.AppendName(w.dst, "messages"), '[')
			if err := nativeMessages(&w, c.Value); err != nil {
				return nil, err
			}
			w.dst = append(w.dst, ']')
		case "tools":
			w.dst = append(rawjson.AppendName(w.dst, "tools"), '[')
			if err := nativeTools(&w, c.Value); err != nil {
				return nil, err
			}
			w.dst = append(w.dst, ']')
		case "tool_choice":
			choice, err := nativeChoice(c.Value)
			if err != nil {
				return nil, err
			}
			w.dst = rawjson.AppendMember(w.dst, "tool_choice", choice)
			serial = rawjson.True(rawjson.Get(c.Value, "disable_parallel_tool_use"))
		default:
			w.dst = rawjson.AppendRaw(w.dst, c.Member)
		}
	}
	if serial && rawjson.Get(body, "parallel_tool_calls") == nil {
		w.dst = rawjson.AppendMember(w.dst, "parallel_tool_calls", []byte("false"))
	}
	return append(w.dst, '}'), nil
}

func nativeTools(w *writer, tools []byte) error {
	i := 0
	for c := rawjson.Walk(tools); c.Next(); i++ {
		if !dialect.IsForeignTool(c.Value) {
			w.dst = rawjson.AppendRaw(w.dst, c.Value)
			continue
		}
		tool, err := dialect.ReadForeignTool(c.Value)
		if err != nil {
			return dialect.Invalid("'tools.%d%v.", i, err)
		}
		w.tool(&tool)
	}
	return nil
}

func nativeChoice(value []byte) ([]byte, error) {
	if !dialect.IsForeignChoice(value) {
		return value, nil
	}
	switch kind := rawjson.Text(rawjson.Get(value, "type")); kind {
	case "any":
		return []byte(`"required"`), nil
	case "tool":
		name := rawjson.Text(rawjson.Get(value, "name"))
		if name == "" {
			return nil, dialect.Invalid("'tool_choice.name' must be a string.")
		}
		choice := rawjson.AppendText([]byte(`{"type":"function","function":{`), "name", name)
		return append(choice, "}}"...), nil
	default:
		return rawjson.AppendQuoted(nil, kind), nil
	}
}

// nativeMessages writes a conversation. The results of tools that follow each other are
// written together, as what they show has to come behind all of them.
func nativeMessages(w *writer, messages []byte) error {
	var run struct { // of messages that hold results
		results dialect.Message
		raw     [][]byte
		foreign bool
	}
	flush := func() {
		if run.foreign {
			w.message(&run.results)
		} else {
			for _, message := range run.raw {
				w.dst = rawjson.AppendRaw(w.dst, message)
			}
		}
		run.results, run.raw, run.foreign = dialect.Message{Role: dialect.RoleTool}, nil, false
	}
	i := 0
	for c := rawjson.Walk(messages); c.Next(); i++ {
		foreign := isForeignMessage(c.Value)
		tool := rawjson.Text(rawjson.Get(c.Value, "role")) == string(dialect.RoleTool)
		if !foreign && !tool {
			flush()
			w.dst = rawjson.AppendRaw(w.dst, c.Value)
			continue
		}
		message, err := readForeignMessage(c.Value)
		if err != nil {
			return dialect.Invalid("'messages.%d%v.", i, err)
		}
		var others []dialect.Part
		results := 0
		for _, part := range message.Parts {
			if part.Kind == dialect.PartToolResult {
				run.results.Parts = append(run.results.Parts, part)
				results++
			} else {
				others = append(others, part)
			}
		}
		if results > 0 {
			run.raw, run.foreign = append(run.raw, c.Value), run.foreign || foreign
		}
		if results == 0 || len(others) > 0 {
			flush()
			message.Parts = others
			w.message(&message)
		}
	}
	flush()
	return nil
}

func isForeignMessage(message []byte) bool {
	content := rawjson.Get(message, "content")
	if rawjson.Kind(content) == '{' {
		return true
	}
	if rawjson.Kind(content) != '[' {
		return false
	}
	for c := rawjson.Walk(content); c.Next(); {
		if isForeignPart(c.Value) {
			return true
		}
	}
	return false
}

// isForeignPart reports whether a part is none of this API's. A text is, if it carries
// what MCP's texts do and OpenAI refuses.
func isForeignPart(part []byte) bool {
	text, noted := false, false
	for c := rawjson.Walk(part); c.Next(); {
		switch string(c.Name) {
		case "type":
			kind := rawjson.Text(c.Value)
			if dialect.IsForeignBlock(kind) {
				return true
			}
			text = kind == "text"
		case "annotations", "_meta":
			noted = true
		}
	}
	return text && noted
}

var foreignBlocks = dialect.ForeignBlocks{Native: func(value []byte) (dialect.Part, error) {
	part, err := readPart(value)
	part.CacheControl = readCache(value)
	return part, err
}}

// readForeignMessage reads a message whose content is foreign, or that stands beside
// such a one. The error continues the message's name.
func readForeignMessage(value []byte) (dialect.Message, error) {
	content := rawjson.Get(value, "content")
	if rawjson.Text(rawjson.Get(value, "role")) == string(dialect.RoleTool) {
		return readForeignResult(value, content)
	}
	rest := []byte{'{'}
	for c := rawjson.Walk(value); c.Next(); {
		if string(c.Name) != "content" {
			rest = rawjson.AppendRaw(rest, c.Member)
		}
	}
	message, err := readChatMessage(append(rest, '}'))
	if err != nil {
		return message, fmt.Errorf("': %w", err)
	}
	said, err := foreignBlocks.Content(content)
	if err != nil {
		return message, fmt.Errorf(".content%w", err)
	}
	for i := range said {
		switch said[i].Kind {
		case dialect.PartToolCall:
			if message.Role != dialect.RoleAssistant {
				return message, fmt.Errorf(".content.%d': a tool_use belongs into a message of role assistant", i)
			}
		case dialect.PartToolResult:
			if message.Role != dialect.RoleUser {
				return message, fmt.Errorf(".content.%d': a tool_result belongs into a message of role user", i)
			}
			if said[i].Result.CallID == "" {
				return message, fmt.Errorf(".content.%d.tool_use_id' must be a string", i)
			}
		case dialect.PartReasoning:
			said[i].Reasoning.Index = i
		}
	}
	message.Parts = append(message.Parts, said...)
	return message, nil
}

// readForeignResult reads a message of role tool: what the tool answered, or the block
// of Anthropic's that holds it.
func readForeignResult(value, content []byte) (dialect.Message, error) {
	message := dialect.Message{Role: dialect.RoleTool}
	id := rawjson.Text(rawjson.Get(value, "tool_call_id"))
	result, err := foreignBlocks.Result(content)
	if err != nil {
		return message, fmt.Errorf(".content%w", err)
	}
	result.CallID, result.Failed = id, result.Failed || rawjson.True(rawjson.Get(value, "is_error"))
	if len(result.Parts) > 0 && result.Parts[0].Kind == dialect.PartToolResult {
		for _, part := range result.Parts {
			if part.Kind != dialect.PartToolResult {
				return message, fmt.Errorf(".content' holds a tool_result and something else")
			}
			if part.Result.CallID == "" {
				part.Result.CallID = id
			}
			message.Parts = append(message.Parts, part)
		}
	} else {
		message.Parts = []dialect.Part{{Kind: dialect.PartToolResult, Result: &result, CacheControl: readCache(value)}}
	}
	for _, part := range message.Parts {
		if part.Result.CallID == "" {
			return message, fmt.Errorf("': a message of role tool needs 'tool_call_id'")
		}
	}
	return message, nil
}
