package preset

import (
	"errors"
	"fmt"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// members are the parts of a request that a preset can hold, of all dialects, by
// name: what is asked of whom, but not what is said, nor who says it (spec sections
// 1.1.1, 1.1.4 and 9.1).
var members = []string{
	"audio", "cache_control", "cache_enabled", "cache_ttl_seconds", "context_management", "fallbacks",
	"frequency_penalty", "image_config", "include", "include_reasoning", "logit_bias", "logprobs",
	"max_completion_tokens", "max_output_tokens", "max_tokens", "max_tool_calls", "min_p", "modalities",
	"model", "models", "output_config", "parallel_tool_calls", "plugins", "prediction",
	"presence_penalty", "prompt_cache_options", "provider", "reasoning", "reasoning_effort",
	"repetition_penalty", "response_format", "route", "seed", "service_tier", "speed", "stop",
	"stop_sequences", "stop_server_tools_when", "structured_outputs", "temperature", "text", "thinking",
	"tool_choice", "tools", "top_a", "top_k", "top_logprobs", "top_p", "transforms", "truncation",
	"verbosity", "web_search_options", "x_search_filter",
}

// FromRequest makes a preset of the body of an inference request of any dialect
// (spec section 3.6, row 129). config has the body's members that a preset can
// hold, by name; null says nothing and is dropped, and so is a preset that the
// model names. systemPrompt is the text of `system` and `instructions`, then of
// system and developer messages, with empty lines between them. The error is for
// the client.
func FromRequest(body []byte) (config jsontext.Value, systemPrompt string, err error) {
	var request map[string]jsontext.Value
	if err := json.Unmarshal(body, &request); err != nil || request == nil {
		return nil, "", errors.New("the request body must be a JSON object")
	}
	if request["model"], err = withoutPreset(request["model"]); err != nil {
		return nil, "", err
	}
	config = jsontext.Value("{")
	for _, name := range members {
		value := request[name]
		if value == nil || value.Kind() == 'n' {
			continue
		}
		if len(config) > 1 {
			config = append(config, ',')
		}
		config = append(append(append(config, '"'), name...), '"', ':')
		config = append(config, value...)
	}
	config = append(config, '}')
	if err := config.Compact(); err != nil {
		return nil, "", errors.New("the request body must be JSON in UTF-8")
	}
	systemPrompt, err = systemPromptOf(request)
	return config, systemPrompt, err
}

// withoutPreset is the model alone: a preset does not start from another.
func withoutPreset(model jsontext.Value) (jsontext.Value, error) {
	if model == nil || model.Kind() == 'n' {
		return nil, nil
	}
	var id string
	if err := json.Unmarshal(model, &id); err != nil {
		return nil, errors.New("model: must be text")
	}
	if id, _, _ = strings.Cut(id, "@preset/"); id == "" {
		return nil, nil
	}
	return json.Marshal(id)
}

func systemPromptOf(request map[string]jsontext.Value) (string, error) {
	var prompts []string
	for _, name := range []string{"system", "instructions"} {
		text, err := texts(request[name])
		if err != nil {
			return "", fmt.Errorf("%s: %w", name, err)
		}
		prompts = append(prompts, text...)
	}
	for _, name := range []string{"messages", "input"} {
		if kind := request[name].Kind(); kind == '"' || kind == 'n' || kind == 0 {
			continue // an input that is text is the user's
		}
		var messages []struct {
			Role    string         `json:"role"`
			Content jsontext.Value `json:"content"`
		}
		if err := json.Unmarshal(request[name], &messages); err != nil {
			return "", fmt.Errorf("%s: must be a list of messages", name)
		}
		for i, message := range messages {
			if message.Role != "system" && message.Role != "developer" {
				continue
			}
			text, err := texts(message.Content)
			if err != nil {
				return "", fmt.Errorf("%s[%d].content: %w", name, i, err)
			}
			prompts = append(prompts, text...)
		}
	}
	return strings.Join(prompts, "\n\n"), nil
}

// texts reads text, or a list of parts that are text.
func texts(content jsontext.Value) ([]string, error) {
	var parts []struct {
		Text *string `json:"text"`
	}
	switch content.Kind() {
	case 0, 'n':
		return nil, nil
	case '"':
		var text string
		err := json.Unmarshal(content, &text)
		return []string{text}, err
	}
	malformed := errors.New("must be text or a list of text parts")
	if err := json.Unmarshal(content, &parts); err != nil {
		return nil, malformed
	}
	var all []string
	for _, part := range parts {
		if part.Text == nil {
			return nil, malformed
		}
		all = append(all, *part.Text)
	}
	return all, nil
}
