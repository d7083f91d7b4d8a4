package provider

import "fmt"

// The request of /chat as Cohere's reference has it.

var cohereRequest = object(fields{
	"model":        need(allOf(text(0), present)),
	"messages":     need(list(1, cohereMessage)),
	"stream":       may(boolean),
	"tools":        may(list(1, cohereTool)),
	"strict_tools": may(boolean),
	"tool_choice":  may(enum("REQUIRED", "NONE")),
	"documents":    may(list(0, either(text(0), cohereDocument))),
	"citation_options": may(object(fields{
		"mode": may(enum("ENABLED", "DISABLED", "FAST", "ACCURATE", "OFF")),
	})),
	"response_format": may(tagged("type", map[string]check{
		"text":        object(fields{"type": need(anything)}),
		"json_object": object(fields{"type": need(anything), "json_schema": may(mapOf(anything))}),
	})),
	"safety_mode":       may(enum("CONTEXTUAL", "STRICT", "OFF")),
	"max_tokens":        may(integer(1, mostTokens)),
	"stop_sequences":    may(cohereStops),
	"temperature":       may(number(0, 1)),
	"seed":              may(integer(0, 1<<53)),
	"frequency_penalty": may(number(0, 1)),
	"presence_penalty":  may(number(0, 1)),
	"k":                 may(integer(0, 500)),
	"p":                 may(number(0.01, 0.99)),
	"logprobs":          may(boolean),
	"thinking": may(tagged("type", map[string]check{
		"enabled":  object(fields{"type": need(anything), "token_budget": may(integer(1, mostTokens))}),
		"disabled": object(fields{"type": need(anything)}),
	})),
	"priority": may(integer(0, 999)),
})

var cohereWords = allOf(text(0), present)

var (
	cohereTextPart     = object(fields{"type": need(anything), "text": need(cohereWords)})
	cohereThinkingPart = object(fields{"type": need(anything), "thinking": need(cohereWords)})
	cohereImagePart    = object(fields{"type": need(anything), "image_url": need(object(fields{
		"url": need(matching(`^(https?://|data:image/(png|jpeg|webp|gif);base64,)`)), "detail": may(enum("auto", "low", "high")),
	}))})
	cohereDocument     = object(fields{"id": may(text(0)), "data": need(mapOf(anything))})
	cohereDocumentPart = object(fields{"type": need(anything), "document": need(cohereDocument)})
)

// cohereContent is a text, or parts of some kinds.
func cohereContent(kinds map[string]check) check {
	return either(cohereWords, list(1, tagged("type", kinds)))
}

var cohereMessage = tagged("role", map[string]check{
	"system": object(fields{"role": need(anything), "content": need(cohereContent(map[string]check{"text": cohereTextPart}))}),
	"user": object(fields{"role": need(anything), "content": need(cohereContent(map[string]check{
		"text": cohereTextPart, "image_url": cohereImagePart,
	}))}),
	"assistant": object(fields{
		"role": need(anything),
		"content": may(cohereContent(map[string]check{
			"text": cohereTextPart, "thinking": cohereThinkingPart,
		})),
		"tool_plan":  may(cohereWords),
		"tool_calls": may(list(1, cohereToolCall)),
		"citations":  may(list(0, mapOf(anything))),
	}),
	"tool": object(fields{
		"role": need(anything), "tool_call_id": need(cohereWords),
		"content": need(cohereContent(map[string]check{"text": cohereTextPart, "document": cohereDocumentPart})),
	}),
})

var cohereToolName = matching(`^[a-zA-Z0-9_-]+$`)

var cohereToolCall = object(fields{
	"id": need(cohereWords), "type": need(enum("function")),
	"function": need(object(fields{"name": need(cohereToolName), "arguments": need(matching(`^\{`))})),
})

var cohereTool = object(fields{
	"type": need(enum("function")),
	"function": need(object(fields{
		"name": need(cohereToolName), "description": may(text(0)), "parameters": need(mapOf(anything)),
	})),
})

func cohereStops(at path, value any) *mistake {
	if wrong := list(0, cohereWords)(at, value); wrong != nil {
		return wrong
	}
	if len(value.([]any)) > 5 {
		return &mistake{at, badValue, "at most 5 strings", value}
	}
	return nil
}

// cohereCombinations checks what holds between fields.
func cohereCombinations(body map[string]any) string {
	tools, _ := body["tools"].([]any)
	names := map[any]bool{}
	for _, element := range tools {
		name := element.(map[string]any)["function"].(map[string]any)["name"]
		if names[name] {
			return fmt.Sprintf("tool name %v is not unique", name)
		}
		names[name] = true
	}
	format, _ := body["response_format"].(map[string]any)
	switch {
	case len(tools) == 0 && (body["tool_choice"] != nil || body["strict_tools"] == true):
		return "tool_choice and strict_tools need tools"
	case format["type"] == "json_object" && (len(tools) > 0 || body["documents"] != nil):
		return "cannot specify response_format with tools or documents"
	case body["safety_mode"] != nil && (len(tools) > 0 || body["documents"] != nil):
		return "safety_mode is not supported with tools or documents"
	}
	return ""
}

// cohereConversation checks that each call is answered, right behind it and once.
func cohereConversation(body map[string]any) string {
	open := map[any]bool{}
	for i, element := range body["messages"].([]any) {
		message := element.(map[string]any)
		if message["role"] == "tool" {
			if id := message["tool_call_id"]; !open[id] {
				return fmt.Sprintf("messages[%d]: tool_call_id %v is of no call of the turn before", i, id)
			}
			delete(open, message["tool_call_id"])
			continue
		}
		if len(open) > 0 {
			return fmt.Sprintf("messages[%d]: tool calls of the turn before have no results", i)
		}
		calls, _ := message["tool_calls"].([]any)
		for _, call := range calls {
			open[call.(map[string]any)["id"]] = true
		}
		switch {
		case len(open) != len(calls):
			return fmt.Sprintf("messages[%d]: ids of tool calls must be unique", i)
		case message["role"] == "assistant" && message["content"] == nil && len(calls) == 0:
			return fmt.Sprintf("messages[%d]: message must be at least 1 token long or have tool calls", i)
		case message["tool_plan"] != nil && len(calls) == 0:
			return fmt.Sprintf("messages[%d]: tool_plan needs tool_calls", i)
		}
	}
	if len(open) > 0 {
		return "tool calls of the last turn have no results"
	}
	return ""
}

// cohereEmbedRequest is that of /embed, which demands to know what for.
var cohereEmbedRequest = object(fields{
	"model":      need(text(0)),
	"input_type": need(enum("search_document", "search_query", "classification", "clustering", "image")),
	"texts":      may(list(1, text(0))),
	"images":     may(list(1, matching(`^data:image/`))),
	"inputs": may(list(1, object(fields{"content": need(list(1, tagged("type", map[string]check{
		"text": cohereTextPart,
		"image_url": object(fields{
			"type": need(anything), "image_url": need(object(fields{"url": need(matching(`^data:image/`))})),
		}),
	})))}))),
	"max_tokens":       may(integer(1, mostTokens)),
	"output_dimension": may(integer(1, 1536)),
	"embedding_types":  may(list(1, enum("float", "int8", "uint8", "binary", "ubinary", "base64"))),
	"truncate":         may(enum("NONE", "START", "END")),
	"priority":         may(integer(0, 999)),
})
