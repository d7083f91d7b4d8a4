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
		var err error
		switch name := string(c.Name); name {
		case "messages":
			err = readConversation(chat, c.Value)
		case "tools":
			err = readTools(chat, c.Value)
		case "tool_choice":
			allowed = allowedTools(c.Value)
			chat.ToolChoice, err = readToolChoice(c.Value)
		case "response_format":
			chat.Format, err = readFormat(c.Value)
		default:
			readSetting(chat, name, c.Value)
		}
		if err != nil {
			return nil, err
		}
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

// What is beyond Parse is the provider's to judge if it speaks this API. Another one gets
// it in other words, so that here nothing may be left that has none.

func readTools(chat *dialect.Chat, list []byte) error {
	i := 0
	for c := rawjson.Walk(list); c.Next(); i++ {
		function := rawjson.Get(c.Value, "function")
		if kind := rawjson.Text(rawjson.Get(c.Value, "type")); kind != "" && kind != "function" {
			chat.Tools = append(chat.Tools, dialect.Tool{Other: c.Value})
			continue
		}
		if rawjson.Kind(function) != '{' {
			return dialect.Invalid("'tools.%d.function' must be an object.", i)
		}
		tool := dialect.ReadFunction(function)
		if tool.Name == "" {
			return dialect.Invalid("'tools.%d.function.name' must be a string.", i)
		}
		tool.CacheControl = readCache(c.Value)
		chat.Tools = append(chat.Tools, tool)
	}
	return nil
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

func readToolChoice(value []byte) (dialect.ToolChoice, error) {
	if rawjson.Kind(value) != '{' {
		switch mode := rawjson.Text(value); mode {
		case "auto", "none", "required":
			return dialect.ToolChoice{Mode: mode}, nil
		}
		return dialect.ToolChoice{}, dialect.Invalid("'tool_choice' must be auto, none, required, or an object that names a function.")
	}
	if isAllowedTools(value) {
		return dialect.ToolChoice{Mode: rawjson.Text(rawjson.Get(rawjson.Get(value, "allowed_tools"), "mode"))}, nil
	}
	if kind := rawjson.Text(rawjson.Get(value, "type")); kind != "function" {
		return dialect.ToolChoice{}, dialect.Invalid("'tool_choice.type': this model's provider has no choice of type %.64q; choose auto, none, required, or a function.", kind)
	}
	name := rawjson.Text(rawjson.Get(rawjson.Get(value, "function"), "name"))
	if name == "" {
		return dialect.ToolChoice{}, dialect.Invalid("'tool_choice.function.name' must be a string.")
	}
	return dialect.ToolChoice{Mode: "tool", Name: name}, nil
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

func readFormat(value []byte) (*dialect.Format, error) {
	format := dialect.ReadSchemaFormat(rawjson.Get(value, "json_schema"))
	switch format.Type = rawjson.Text(rawjson.Get(value, "type")); format.Type {
	case "text", "json_object":
	case "json_schema":
		if rawjson.Kind(format.Schema) != '{' {
			return nil, dialect.Invalid("'response_format.json_schema.schema' must be an object.")
		}
	default:
		return nil, dialect.Invalid("'response_format.type' must be one of text, json_object and json_schema.")
	}
	return format, nil
}
