package responses

import (
	"fmt"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/switchyard/switchyard/extproc/dialect"
	"github.com/switchyard/switchyard/extproc/dialect/rawjson"
)

// tools reads what the assistant may call. A search of the web is asked for like
// that of the plugin. Other tools that somebody else than the client would have to
// run are refused, not left out: an answer without them is another answer.
func (r *reader) tools(value []byte) error {
	if rawjson.Kind(value) != '[' {
		return dialect.Invalid("'tools' must be an array.")
	}
	i := 0
	for c := rawjson.Walk(value); c.Next(); i++ {
		if dialect.IsForeignTool(c.Value) {
			r.foreign = true
			tool, err := dialect.ReadForeignTool(c.Value)
			if err != nil {
				return dialect.Invalid("'tools.%d%v.", i, err)
			}
			r.chat.Tools = append(r.chat.Tools, tool)
			r.request.PromptBytes += int64(len(c.Value))
			continue
		}
		tool := dialect.ReadFunction(c.Value)
		tool.CacheControl = dialect.CacheMarker(c.Value)
		switch kind := rawjson.Text(rawjson.Get(c.Value, "type")); {
		case kind == "function":
		case isWebSearch(kind):
			r.web = true
			continue
		case kind == "custom":
			customize(&tool, rawjson.Get(c.Value, "format"))
		default:
			return dialect.Invalid("'tools.%d': type %q is not supported here; offer a tool of type \"function\" or \"custom\".", i, kind)
		}
		if tool.Name == "" {
			return dialect.Invalid("'tools.%d.name' must be a string.", i)
		}
		r.chat.Tools = append(r.chat.Tools, tool)
		r.request.PromptBytes += int64(len(c.Value))
	}
	if len(r.chat.Tools) > 0 {
		r.parameter("tools")
	}
	return nil
}

// isWebSearch reports whether a tool of a type searches the web.
func isWebSearch(kind string) bool {
	switch kind {
	case "web_search", "web_search_2025_08_26", "web_search_preview", "web_search_preview_2025_03_11", "openrouter:web_search":
		return true
	}
	return false
}

// customize makes a function of a tool that takes plain text, as a function is what
// all providers have: one with a single text, and the grammar in its description.
func customize(tool *dialect.Tool, format []byte) {
	tool.Parameters = jsontext.Value(`{"type":"object","properties":{"input":{"type":"string"}},"required":["input"],"additionalProperties":false}`)
	if grammar := rawjson.Text(rawjson.Get(format, "definition")); grammar != "" {
		tool.Description += fmt.Sprintf("\n\nThe input keeps to this %s grammar:\n%s", rawjson.Text(rawjson.Get(format, "syntax")), grammar)
	}
}

// customTools names the tools of a request whose calls are given back as plain text.
func customTools(request []byte) map[string]bool {
	var names map[string]bool
	for c := rawjson.Walk(rawjson.Get(request, "tools")); c.Next(); {
		if rawjson.Text(rawjson.Get(c.Value, "type")) == "custom" {
			if names == nil {
				names = map[string]bool{}
			}
			names[rawjson.Text(rawjson.Get(c.Value, "name"))] = true
		}
	}
	return names
}

// customInput takes the text out of a call's arguments. What a model wrote badly is
// the text itself.
func customInput(arguments []byte) string {
	if input := rawjson.Get(arguments, "input"); rawjson.Kind(input) == '"' && rawjson.Validate(arguments) == nil {
		return rawjson.Text(input)
	}
	return string(arguments)
}

// toolChoice reads a mode, one function, or the list of those that are allowed.
func (r *reader) toolChoice(value []byte) error {
	choice := &r.chat.ToolChoice
	r.parameter("tool_choice")
	mode := rawjson.Text(value)
	r.foreign = r.foreign || dialect.IsForeignChoice(value)
	if isSerial(value) && r.chat.ParallelToolCalls == nil {
		r.chat.ParallelToolCalls = new(bool)
		r.parameter("parallel_tool_calls")
	}
	if rawjson.Kind(value) == '{' {
		switch kind := rawjson.Text(rawjson.Get(value, "type")); kind {
		case "any": // Anthropic's word
			mode = "required"
		case "auto", "none":
			mode = kind
		case "function", "custom", "tool":
			choice.Mode, choice.Name = "tool", rawjson.Text(rawjson.Get(value, "name"))
			if choice.Name == "" {
				return dialect.Invalid("'tool_choice.name' must be a string.")
			}
			r.request.ToolChoice = "function"
			return nil
		case "allowed_tools":
			r.allowed = map[string]bool{}
			for c := rawjson.Walk(rawjson.Get(value, "tools")); c.Next(); {
				r.allowed[rawjson.Text(rawjson.Get(c.Value, "name"))] = true
			}
			mode = rawjson.Text(rawjson.Get(value, "mode"))
		default:
			return dialect.Invalid("'tool_choice': type %q is not supported here; name a tool of type \"function\".", kind)
		}
	}
	switch mode {
	case "auto", "none", "required":
		choice.Mode, r.request.ToolChoice = mode, mode
		return nil
	}
	return dialect.Invalid("'tool_choice' must be auto, none, required, or an object.")
}
