package openai

import (
	"github.com/go-json-experiment/json/jsontext"

	"github.com/switchyard/switchyard/extproc/dialect"
	"github.com/switchyard/switchyard/extproc/dialect/rawjson"
)

// readChat reads the whole of a request that Parse accepted.
func readChat(body []byte) (*dialect.Chat, error) {
	chat := &dialect.Chat{}
	for c := rawjson.Walk(body); c.Next(); {
		if !rawjson.Present(c.Value) {
			continue
		}
		if string(c.Name) == "messages" {
			if err := readConversation(chat, c.Value); err != nil {
				return nil, err
			}
			continue
		}
		readSetting(chat, string(c.Name), c.Value)
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
		chat.Temperature = number(value)
	case "top_p":
		chat.TopP = number(value)
	case "top_k":
		chat.TopK = whole(value)
	case "frequency_penalty":
		chat.FrequencyPenalty = number(value)
	case "presence_penalty":
		chat.PresencePenalty = number(value)
	case "seed":
		chat.Seed = whole(value)
	case "logprobs":
		chat.Logprobs = rawjson.True(value)
	case "top_logprobs":
		chat.TopLogprobs = whole(value)
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

func number(value []byte) *float64 {
	n, ok := rawjson.Float(value)
	if !ok {
		return nil
	}
	return &n
}

func whole(value []byte) *int64 {
	n, ok := rawjson.Int(value)
	if !ok {
		return nil
	}
	return &n
}

func readTool(value []byte) dialect.Tool {
	function := rawjson.Get(value, "function")
	if kind := rawjson.Text(rawjson.Get(value, "type")); kind != "" && kind != "function" || rawjson.Kind(function) != '{' {
		return dialect.Tool{Other: value}
	}
	tool := dialect.Tool{}
	for c := rawjson.Walk(function); c.Next(); {
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
		}
	}
	tool.CacheControl = readCache(value)
	return tool
}

// readCache finds a cache marker by either of its names (spec section 4.6).
func readCache(object []byte) jsontext.Value {
	if marker := rawjson.Get(object, "cache_control"); rawjson.Kind(marker) == '{' {
		return marker
	}
	if rawjson.Present(rawjson.Get(object, "prompt_cache_breakpoint")) {
		return jsontext.Value(`{"type":"ephemeral"}`)
	}
	return nil
}

func readToolChoice(value []byte) dialect.ToolChoice {
	if rawjson.Kind(value) == '"' {
		return dialect.ToolChoice{Mode: rawjson.Text(value)}
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
	format := &dialect.Format{Type: rawjson.Text(rawjson.Get(value, "type"))}
	for c := rawjson.Walk(rawjson.Get(value, "json_schema")); c.Next(); {
		switch string(c.Name) {
		case "name":
			format.Name = rawjson.Text(c.Value)
		case "description":
			format.Description = rawjson.Text(c.Value)
		case "schema":
			format.Schema = c.Value
		case "strict":
			if rawjson.Present(c.Value) {
				strict := rawjson.True(c.Value)
				format.Strict = &strict
			}
		}
	}
	return format
}
