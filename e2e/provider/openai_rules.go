package provider

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
)

// The rules below span several fields of a request, or several messages.

// openAICombinations refuses fields that need, or exclude, another one.
func openAICombinations(body map[string]any) *refusal {
	for _, dependent := range []struct{ field, needs string }{
		{"tool_choice", "tools"},
		{"parallel_tool_calls", "tools"},
		{"top_logprobs", "logprobs"},
		{"stream_options", "stream"},
	} {
		_, given := body[dependent.field]
		required := body[dependent.needs]
		if given && body[dependent.field] != nil && (required == nil || required == false) {
			return &refusal{
				message: fmt.Sprintf("'%s' is only allowed when '%s' is specified.", dependent.field, dependent.needs),
				param:   dependent.field,
			}
		}
	}
	if body["max_tokens"] != nil && body["max_completion_tokens"] != nil {
		return &refusal{
			message: "Setting 'max_tokens' and 'max_completion_tokens' at the same time is not supported.",
			param:   "max_tokens",
		}
	}
	if stop, ok := body["stop"].([]any); ok && len(stop) > 4 {
		return &refusal{
			message: "Invalid 'stop': array too long. Expected an array with maximum length 4.",
			param:   "stop",
			code:    "array_above_max_length",
		}
	}
	return nil
}

var openAIReasoningName = regexp.MustCompile(`^(o\d|gpt-5)`)

// openAIReasoningModel refuses what the reasoning models do not support.
func openAIReasoningModel(body map[string]any) *refusal {
	if !openAIReasoningName.MatchString(body["model"].(string)) {
		if body["reasoning_effort"] != nil {
			return unsupported("reasoning_effort", "")
		}
		return nil
	}
	if body["max_tokens"] != nil {
		return unsupported("max_tokens", " Use 'max_completion_tokens' instead.")
	}
	for _, sampling := range []string{"temperature", "top_p"} {
		if value := body[sampling]; value != nil && value != 1.0 {
			return &refusal{
				message: fmt.Sprintf("Unsupported value: '%s' does not support %v with this model. "+
					"Only the default (1) value is supported.", sampling, value),
				param: sampling,
				code:  "unsupported_value",
			}
		}
	}
	for _, field := range []string{"logprobs", "logit_bias", "presence_penalty", "frequency_penalty"} {
		if body[field] != nil && body[field] != false {
			return unsupported(field, "")
		}
	}
	return nil
}

func unsupported(field, remedy string) *refusal {
	return &refusal{
		message: fmt.Sprintf("Unsupported parameter: '%s' is not supported with this model.%s", field, remedy),
		param:   field,
		code:    "unsupported_parameter",
	}
}

// openAIFormatRules holds JSON modes to what they demand of the rest.
func openAIFormatRules(body map[string]any) *refusal {
	format, _ := body["response_format"].(map[string]any)
	switch format["type"] {
	case "json_object":
		if !strings.Contains(strings.ToLower(encode(body["messages"])), "json") {
			return &refusal{
				message: "'messages' must contain the word 'json' in some form, to use 'response_format' of type 'json_object'.",
				param:   "messages",
			}
		}
	case "json_schema":
		wanted := format["json_schema"].(map[string]any)
		schema, given := wanted["schema"].(map[string]any)
		if !given {
			return &refusal{
				message: "Missing required parameter: 'response_format.json_schema.schema'.",
				param:   "response_format.json_schema.schema",
				code:    "missing_required_parameter",
			}
		}
		if wanted["strict"] == true {
			if fault := openAIStrictSchema(schema); fault != "" {
				return &refusal{
					message: fmt.Sprintf("Invalid schema for response_format '%s': %s", wanted["name"], fault),
					param:   "response_format",
				}
			}
		}
	}
	return nil
}

// openAIStrictSchema says what keeps a schema from strict mode: every object
// must be closed and require all of its properties.
func openAIStrictSchema(schema map[string]any) string {
	properties, _ := schema["properties"].(map[string]any)
	if schema["type"] == "object" {
		if schema["additionalProperties"] != false {
			return "'additionalProperties' is required to be supplied and to be false."
		}
		required, _ := schema["required"].([]any)
		for _, name := range slices.Sorted(maps.Keys(properties)) {
			if !slices.Contains(required, any(name)) {
				return "'required' is required to be supplied and to be an array including every key in properties. Missing '" + name + "'."
			}
		}
	}
	for _, name := range slices.Sorted(maps.Keys(properties)) {
		if nested, ok := properties[name].(map[string]any); ok {
			if fault := openAIStrictSchema(nested); fault != "" {
				return fault
			}
		}
	}
	if items, ok := schema["items"].(map[string]any); ok {
		return openAIStrictSchema(items)
	}
	return ""
}

// openAIConversation checks that tool messages answer the calls before them,
// all of them and nothing else, before the conversation goes on.
func openAIConversation(body map[string]any) *refusal {
	open := map[string]bool{}
	for i, element := range body["messages"].([]any) {
		message := element.(map[string]any)
		if message["role"] == "tool" {
			id := message["tool_call_id"].(string)
			if !open[id] {
				return &refusal{
					message: "Invalid parameter: messages with role 'tool' must be a response to a preceeding message with 'tool_calls'.",
					param:   fmt.Sprintf("messages.[%d].role", i),
				}
			}
			delete(open, id)
			continue
		}
		if len(open) > 0 {
			return unanswered(open)
		}
		calls, _ := message["tool_calls"].([]any)
		if message["role"] == "assistant" && len(calls) == 0 && message["content"] == nil &&
			message["refusal"] == nil && message["audio"] == nil {
			return &refusal{
				message: "Invalid value for 'content': expected a string, got null.",
				param:   fmt.Sprintf("messages.[%d].content", i),
			}
		}
		for _, call := range calls {
			open[call.(map[string]any)["id"].(string)] = true
		}
	}
	if len(open) > 0 {
		return unanswered(open)
	}
	return nil
}

func unanswered(open map[string]bool) *refusal {
	return &refusal{
		message: "An assistant message with 'tool_calls' must be followed by tool messages responding to each 'tool_call_id'. " +
			"The following tool_call_ids did not have response messages: " +
			strings.Join(slices.Sorted(maps.Keys(open)), ", "),
		param: "messages",
	}
}
