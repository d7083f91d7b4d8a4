package openai

import (
	"github.com/go-json-experiment/json/jsontext"

	"github.com/switchyard/switchyard/extproc/dialect"
	"github.com/switchyard/switchyard/extproc/dialect/rawjson"
)

// readChat reads the whole of a request that Parse accepted.
func readChat(body []byte) (*dialect.Chat, error) {
	chat := &dialect.Chat{}
	var allowed map[string]bool
	for c := rawjson.Walk(body); c.Next(); {
		if !rawjson.Present(c.Value) {
			continue
		}
		switch string(c.Name) {
		case "messages":
			if err := readConversation(chat, c.Value); err != nil {
				return nil, err
			}
			continue
		case "tool_choice":
			allowed = allowedTools(c.Value)
		}
		readSetting(chat, string(c.Name), c.Value)
	}
	if allowed != nil {
		chat.Allow(allowed)
	}
	return chat, nil
}

func readSetting(chat *dialect.Chat, name string, value []byte) {
	switch name {
	case "model", "stream", "stream_options":
	case "max_completion_tokens":
		chat.MaxTokens, _ = rawjson.Int(value)
	case "max_tokens":
		if chat.MaxTokens == 0 {
			chat.MaxTokens, _ = rawjson.Int(value)
		}
	case "temperature":
		chat.Temperature = rawjson.Optional(rawjson.Float(value))
	case "top_p":
		chat.TopP = rawjson.Optional(rawjson.Float(value))
	case "top_k":
		chat.TopK = rawjson.Optional(rawjson.Int(value))
	case "frequency_penalty":
		chat.FrequencyPenalty = rawjson.Optional(rawjson.Float(value))
	case "presence_penalty":
		chat.PresencePenalty = rawjson.Optional(rawjson.Float(value))
	case "seed":
		chat.Seed = rawjson.Optional(rawjson.Int(value))
	case "logprobs":
		chat.Logprobs = rawjson.True(value)
	case "top_logprobs":
		chat.TopLogprobs = rawjson.Optional(rawjson.Int(value))
	case "n":
		chat.Choices, _ = rawjson.Int(value)
	case "stop":
		if rawjson.Kind(value) == '"' {
			chat.Stop = []string{rawjson.Text(value)}
		}
		for c := rawjson.Walk(value); c.Next(); {
			chat.Stop = append(chat.Stop, rawjson.Text(c.Value))
		}
	case "tools":
		for c := rawjson.Walk(value); c.Next(); {
			chat.Tools = append(chat.Tools, readTool(c.Value))
		}
	case "tool_choice":
		chat.ToolChoice = readToolChoice(value)
	case "parallel_tool_calls":
		parallel := rawjson.True(value)
		chat.ParallelToolCalls = &parallel
	case "reasoning":
		reasoning := readReasoning(value)
		if chat.Reasoning != nil && reasoning.Effort == "" {
			reasoning.Effort = chat.Reasoning.Effort
		}
		chat.Reasoning = reasoning
	case "reasoning_effort":
		if chat.Reasoning == nil {
			chat.Reasoning = &dialect.Reasoning{}
		}
		if chat.Reasoning.MaxTokens == 0 {
			chat.Reasoning.Effort = rawjson.Text(value)
		}
	case "response_format":
		chat.Format = readFormat(value)
	case "verbosity":
		chat.Verbosity = rawjson.Text(value)
	case "service_tier":
		chat.ServiceTier = rawjson.Text(value)
	case "user":
		chat.User = rawjson.Text(value)
	case "cache_control":
		chat.CacheControl = jsontext.Value(value)
	default:
		if !forGateway(name) {
			chat.Extra = append(chat.Extra, dialect.Field{Name: name, Value: value})
		}
	}
}

func readTool(value []byte) dialect.Tool {
	function := rawjson.Get(value, "function")
	if kind := rawjson.Text(rawjson.Get(value, "type")); kind != "" && kind != "function" || rawjson.Kind(function) != '{' {
		return dialect.Tool{Other: value}
	}
	tool := dialect.ReadFunction(function)
	tool.CacheControl = readCache(value)
	return tool
}

// readCache finds a cache marker by either of its names (spec section 4.6).
func readCache(object []byte) jsontext.Value {
	if marker := dialect.CacheMarker(object); marker != nil {
		return marker
	}
	if rawjson.Present(rawjson.Get(object, "prompt_cache_breakpoint")) {
		return jsontext.Value(`{"type":"ephemeral"}`)
	}
	return nil
}

// allowedTools are the names of the functions that a choice leaves, nil for all.
func allowedTools(choice []byte) map[string]bool {
	if !isAllowedTools(choice) {
		return nil
	}
	allowed := map[string]bool{}
	for c := rawjson.Walk(rawjson.Get(rawjson.Get(choice, "allowed_tools"), "tools")); c.Next(); {
		allowed[rawjson.Text(rawjson.Get(rawjson.Get(c.Value, "function"), "name"))] = true
	}
	return allowed
}

func isAllowedTools(choice []byte) bool {
	return string(rawjson.Unquote(rawjson.Get(choice, "type"))) == "allowed_tools"
}

func readToolChoice(value []byte) dialect.ToolChoice {
	if rawjson.Kind(value) == '"' {
		return dialect.ToolChoice{Mode: rawjson.Text(value)}
	}
	if isAllowedTools(value) {
		return dialect.ToolChoice{Mode: rawjson.Text(rawjson.Get(rawjson.Get(value, "allowed_tools"), "mode"))}
	}
	return dialect.ToolChoice{Mode: "tool", Name: rawjson.Text(rawjson.Get(rawjson.Get(value, "function"), "name"))}
}

func readReasoning(value []byte) *dialect.Reasoning {
	r := &dialect.Reasoning{}
	for c := rawjson.Walk(value); c.Next(); {
		if !rawjson.Present(c.Value) {
			continue
		}
		switch string(c.Name) {
		case "effort":
			r.Effort = rawjson.Text(c.Value)
		case "max_tokens":
			r.MaxTokens, _ = rawjson.Int(c.Value)
		case "enabled":
			enabled := rawjson.True(c.Value)
			r.Enabled = &enabled
		case "exclude":
			r.Exclude = rawjson.True(c.Value)
		case "summary":
			r.Summary = rawjson.Text(c.Value)
		}
	}
	return r
}

func readFormat(value []byte) *dialect.Format {
	format := dialect.ReadSchemaFormat(rawjson.Get(value, "json_schema"))
	format.Type = rawjson.Text(rawjson.Get(value, "type"))
	return format
}
