package provider

import (
	"encoding/base64"
	"fmt"
	"slices"
	"strings"
)

// The rules below span several fields of a request, or several items.

// responsesState refuses what would need a memory of earlier requests.
func responsesState(body map[string]any) *refusal {
	if body["store"] != false {
		// The API stores unless told not to; nobody here is to let it.
		return &refusal{message: "This organization has zero data retention: 'store' must be false.", param: "store"}
	}
	if id, ok := body["previous_response_id"].(string); ok {
		return &refusal{
			message: fmt.Sprintf("Previous response with id '%s' not found.", id),
			param:   "previous_response_id", code: "previous_response_not_found",
		}
	}
	if body["stream_options"] != nil && body["stream"] != true {
		return &refusal{message: "'stream_options' is only allowed when 'stream' is true.", param: "stream_options"}
	}
	return nil
}

// responsesModel refuses what models that do not reason, or do, have no use for.
func responsesModel(body map[string]any) *refusal {
	includes, _ := body["include"].([]any)
	if openAIReasoningName.MatchString(body["model"].(string)) {
		for _, sampling := range []string{"temperature", "top_p", "top_logprobs"} {
			if body[sampling] != nil {
				return unsupported(sampling, "")
			}
		}
		return nil
	}
	switch {
	case body["reasoning"] != nil:
		return unsupported("reasoning", "")
	case slices.Contains(includes, any(encryptedReasoning)):
		return &refusal{message: "Encrypted content is not supported with this model.", param: "include"}
	}
	return nil
}

func responsesTools(body map[string]any) *refusal {
	tools, _ := body["tools"].([]any)
	if len(tools) == 0 && body["tool_choice"] != nil && body["tool_choice"] != "auto" {
		return &refusal{message: "Tool choice 'required' must be specified with 'tools' parameter.", param: "tool_choice"}
	}
	names := map[any]bool{}
	for i, element := range tools {
		tool := element.(map[string]any)
		names[tool["name"]] = true
		if tool["type"] != "function" {
			continue
		}
		// One that does not say is made strict if it can be.
		if parameters, _ := tool["parameters"].(map[string]any); tool["strict"] == true {
			if fault := openAIStrictSchema(parameters); fault != "" {
				return &refusal{
					message: fmt.Sprintf("Invalid schema for function '%s': %s", tool["name"], fault),
					param:   fmt.Sprintf("tools[%d].parameters", i), code: "invalid_function_parameters",
				}
			}
		}
	}
	if choice, ok := body["tool_choice"].(map[string]any); ok && choice["name"] != nil && !names[choice["name"]] {
		return &refusal{message: fmt.Sprintf("Tool choice '%s' not found in 'tools' parameter.", choice["name"]), param: "tool_choice"}
	}
	return nil
}

func responsesFormatRules(body map[string]any) *refusal {
	said, _ := body["text"].(map[string]any)
	format, _ := said["format"].(map[string]any)
	switch {
	case format["type"] == "json_object" && !strings.Contains(strings.ToLower(encode(body["input"])), "json"):
		return &refusal{
			message: "Response input messages must contain the word 'json' in some form to use 'text.format' of type 'json_object'.",
			param:   "input",
		}
	case format["type"] == "json_schema" && format["strict"] == true:
		if fault := openAIStrictSchema(format["schema"].(map[string]any)); fault != "" {
			return &refusal{
				message: fmt.Sprintf("Invalid schema for response_format '%s': %s", format["name"], fault),
				param:   "text.format.schema", code: "invalid_json_schema",
			}
		}
	}
	return nil
}

// responsesConversation checks that outputs follow their calls, that all calls are
// answered, and that reasoning is this model's own and led to something.
func responsesConversation(body map[string]any) *refusal {
	items, _ := body["input"].([]any)
	calls, answered := map[any]bool{}, map[any]bool{}
	for i, element := range items {
		item := element.(map[string]any)
		switch item["type"] {
		case "function_call", "custom_tool_call":
			calls[item["call_id"]] = true
		case "function_call_output", "custom_tool_call_output":
			if !calls[item["call_id"]] {
				return &refusal{message: fmt.Sprintf("No tool call found for function call output with call_id %s.", item["call_id"]), param: "input"}
			}
			answered[item["call_id"]] = true
		case "reasoning":
			if refused := responsesReasoning(body["model"].(string), item, items[i+1:]); refused != nil {
				return refused
			}
		}
	}
	for id := range calls {
		if !answered[id] {
			return &refusal{message: fmt.Sprintf("No tool output found for function call %s.", id), param: "input"}
		}
	}
	return nil
}

func responsesReasoning(model string, item map[string]any, rest []any) *refusal {
	id, _ := item["id"].(string)
	blob, _ := item["encrypted_content"].(string)
	switch {
	case blob == "":
		return &refusal{
			message: fmt.Sprintf("Item with id '%s' not found. Items are not persisted when `store` is set to false. "+
				"Try again with `store` set to true, or remove this item from your input.", id),
			param: "input",
		}
	case blob != Encrypted(model):
		return &refusal{
			message: fmt.Sprintf("The encrypted content for item %s could not be verified.", id), code: "invalid_encrypted_content",
		}
	}
	if len(rest) > 0 {
		next := rest[0].(map[string]any)
		switch next["type"] {
		case "reasoning", "function_call", "custom_tool_call", "web_search_call", imageCall:
			return nil
		case nil, "message":
			if next["role"] == "assistant" {
				return nil
			}
		}
	}
	return &refusal{message: fmt.Sprintf("Item '%s' of type 'reasoning' was provided without its required following item.", id), param: "input"}
}

// Encrypted is the reasoning that the Responses fake encrypts for a model, and the only
// such that it takes back for it.
func Encrypted(model string) string {
	return "gAAAAAB" + base64.RawURLEncoding.EncodeToString([]byte(Signature("encrypted for "+model)))
}
