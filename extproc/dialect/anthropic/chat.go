package anthropic

import (
	"github.com/switchyard/switchyard/extproc/dialect"
	"github.com/switchyard/switchyard/extproc/dialect/rawjson"
)

// readChat reads the whole of a request that Parse accepted into the neutral form
// (spec section 9.3, from right to left).
func readChat(body []byte) *dialect.Chat {
	chat := &dialect.Chat{}
	r := reader{chat: chat}
	var messages []byte
	for c := rawjson.Walk(body); c.Next(); {
		if !rawjson.Present(c.Value) {
			continue
		}
		switch string(c.Name) {
		case "messages":
			messages = c.Value // behind the instructions, wherever those stand
		case "system":
			chat.Messages = append(chat.Messages, dialect.Message{Role: dialect.RoleSystem, Parts: r.parts(c.Value, 0)})
		default:
			readSetting(chat, string(c.Name), c.Value)
		}
	}
	adapt(chat)
	for c := rawjson.Walk(messages); c.Next(); r.turns++ {
		r.turn(c.Value)
	}
	return chat
}

func readSetting(chat *dialect.Chat, name string, value []byte) {
	switch name {
	case "max_tokens":
		chat.MaxTokens, _ = rawjson.Int(value)
	case "temperature":
		chat.Temperature = rawjson.Optional(rawjson.Float(value))
	case "top_p":
		chat.TopP = rawjson.Optional(rawjson.Float(value))
	case "top_k":
		chat.TopK = rawjson.Optional(rawjson.Int(value))
	case "stop_sequences":
		for c := rawjson.Walk(value); c.Next(); {
			chat.Stop = append(chat.Stop, rawjson.Text(c.Value))
		}
	case "tools":
		for c := rawjson.Walk(value); c.Next(); {
			chat.Tools = append(chat.Tools, readTool(chat, c.Value))
		}
	case "tool_choice":
		readToolChoice(chat, value)
	case "thinking":
		readThinking(chat, value)
	case "output_config":
		readOutputConfig(chat, value)
	case "metadata":
		if chat.User == "" {
			chat.User = rawjson.Text(rawjson.Get(value, "user_id"))
		}
	case "user":
		chat.User = rawjson.Text(value)
	case "service_tier":
		chat.ServiceTier = tierOf(rawjson.Text(value))
	case "speed":
		if rawjson.Text(value) == "fast" && chat.ServiceTier == "" {
			chat.ServiceTier = "priority"
		}
	case "cache_control":
		chat.CacheControl = value
	case "model", "stream":
	case "mcp_servers", "inference_geo":
		// Tools, and where the data may go: without them it is another request.
		if rawjson.Text(value) != "global" && string(value) != "[]" {
			chat.CannotSay("'%s': this model's provider has no such thing. Leave it out, or choose a model whose provider speaks the Messages API.", name)
		}
	case "context_management", "container":
		chat.Unsaid = append(chat.Unsaid, name)
	default:
		if !forGateway(name) {
			chat.Extra = append(chat.Extra, dialect.Field{Name: name, Value: value})
		}
	}
}

// forGateway reports whether a field speaks to the gateway and not to the model.
func forGateway(name string) bool {
	switch name {
	case "provider", "models", "fallbacks", "route", "preset", "plugins", "session_id", "user", "trace",
		"stop_server_tools_when", "usage", "transforms", "debug":
		return true
	}
	return false
}

// readTool reads a tool of the client's own; the vendor's have a type and no schema.
func readTool(chat *dialect.Chat, value []byte) dialect.Tool {
	schema := rawjson.Get(value, "input_schema")
	if kind := rawjson.Text(rawjson.Get(value, "type")); kind != "" && kind != "custom" {
		return dialect.Tool{Other: value}
	}
	tool := dialect.Tool{
		Name:         rawjson.Text(rawjson.Get(value, "name")),
		Description:  rawjson.Text(rawjson.Get(value, "description")),
		CacheControl: dialect.CacheMarker(value),
	}
	if rawjson.Kind(schema) == '{' {
		tool.Parameters = schema
	}
	strict := rawjson.Get(value, "strict")
	tool.Strict = rawjson.Optional(rawjson.True(strict), rawjson.Present(strict))
	for c := rawjson.Walk(value); c.Next(); {
		switch name := string(c.Name); name {
		case "type", "name", "description", "input_schema", "strict", "cache_control":
		default:
			switch string(c.Value) {
			case "null", "false", "[]", `["direct"]`: // as without it
			default:
				chat.Unsaid = append(chat.Unsaid, "tools."+name)
			}
		}
	}
	return tool
}

func readToolChoice(chat *dialect.Chat, value []byte) {
	switch mode := rawjson.Text(rawjson.Get(value, "type")); mode {
	case "auto", "none", "tool":
		chat.ToolChoice.Mode = mode
	case "any":
		chat.ToolChoice.Mode = "required"
	}
	chat.ToolChoice.Name = rawjson.Text(rawjson.Get(value, "name"))
	if serial := rawjson.Get(value, "disable_parallel_tool_use"); rawjson.Present(serial) {
		parallel := !rawjson.True(serial)
		chat.ParallelToolCalls = &parallel
	}
}

// readThinking reads how much the model is to think.
func readThinking(chat *dialect.Chat, value []byte) {
	on := rawjson.Text(rawjson.Get(value, "type")) != "disabled"
	chat.Reasoning = &dialect.Reasoning{Enabled: &on}
	chat.Reasoning.MaxTokens, _ = rawjson.Int(rawjson.Get(value, "budget_tokens"))
}

// adapt gives the effort to thinking that has no bound of its own: the API calls it
// adaptive, others know it by the effort.
func adapt(chat *dialect.Chat) {
	r := chat.Reasoning
	if r != nil && *r.Enabled && r.MaxTokens == 0 && chat.Verbosity != "" {
		r.Effort, chat.Verbosity = chat.Verbosity, ""
	}
}

func readOutputConfig(chat *dialect.Chat, value []byte) {
	if effort := rawjson.Text(rawjson.Get(value, "effort")); effort != "" {
		chat.Verbosity = effort
	}
	if format := rawjson.Get(value, "format"); rawjson.Kind(format) == '{' {
		strict := true
		chat.Format = &dialect.Format{
			Type: "json_schema", Name: "output", Schema: rawjson.Get(format, "schema"), Strict: &strict,
		}
	}
}
