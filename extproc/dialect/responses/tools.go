package responses

import (
	"github.com/switchyard/switchyard/extproc/dialect"
	"github.com/switchyard/switchyard/extproc/dialect/rawjson"
)

// tools reads what the assistant may call. Tools that somebody other than the client
// would have to run are refused, not left out: an answer without its search is
// another answer.
func (r *reader) tools(value []byte) error {
	if rawjson.Kind(value) != '[' {
		return dialect.Invalid("'tools' must be an array.")
	}
	i := 0
	for c := rawjson.Walk(value); c.Next(); i++ {
		if kind := rawjson.Text(rawjson.Get(c.Value, "type")); kind != "function" {
			return dialect.Invalid("'tools.%d': type %q is not supported here; offer a tool of type \"function\".", i, kind)
		}
		tool := readTool(c.Value)
		if tool.Name == "" {
			return dialect.Invalid("'tools.%d.name' must be a string.", i)
		}
		r.chat.Tools = append(r.chat.Tools, tool)
		r.request.PromptBytes += int64(len(c.Value))
	}
	if i > 0 {
		r.parameter("tools")
	}
	return nil
}

func readTool(value []byte) dialect.Tool {
	tool := dialect.Tool{}
	for c := rawjson.Walk(value); c.Next(); {
		switch string(c.Name) {
		case "name":
			tool.Name = rawjson.Text(c.Value)
		case "description":
			tool.Description = rawjson.Text(c.Value)
		case "parameters":
			if rawjson.Kind(c.Value) == '{' {
				tool.Parameters = c.Value
			}
		case "strict":
			if rawjson.Present(c.Value) {
				strict := rawjson.True(c.Value)
				tool.Strict = &strict
			}
		case "cache_control":
			if rawjson.Kind(c.Value) == '{' {
				tool.CacheControl = c.Value
			}
		}
	}
	return tool
}

// toolChoice reads a mode, one function, or the list of those that are allowed.
func (r *reader) toolChoice(value []byte) error {
	choice := &r.chat.ToolChoice
	r.parameter("tool_choice")
	mode := rawjson.Text(value)
	if rawjson.Kind(value) == '{' {
		switch kind := rawjson.Text(rawjson.Get(value, "type")); kind {
		case "function":
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
