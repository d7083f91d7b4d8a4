package provider

// The request of POST /responses as OpenAI's own API accepts it
// (openai/types/responses/response_create_params.py). What OpenRouter adds to it
// (provider, plugins, reasoning.max_tokens, …) is unknown here on purpose.

// leastOutput is the least value of max_output_tokens.
const leastOutput = 16

var responsesRequest = object(fields{
	"model":                need(text(0)),
	"input":                need(either(text(0), list(1, responsesItem))),
	"background":           may(nullable(boolean)),
	"include":              may(nullable(list(0, enum(responsesIncludable...)))),
	"instructions":         may(nullable(text(0))),
	"max_output_tokens":    may(nullable(integer(leastOutput, mostTokens))),
	"max_tool_calls":       may(nullable(integer(1, mostTokens))),
	"metadata":             may(nullable(mapOf(text(512)))),
	"parallel_tool_calls":  may(nullable(boolean)),
	"previous_response_id": may(nullable(text(0))),
	"prompt_cache_key":     may(nullable(text(0))),
	"reasoning": may(nullable(object(fields{
		"effort":  may(nullable(enum("none", "minimal", "low", "medium", "high", "xhigh", "max"))),
		"summary": may(nullable(enum("auto", "concise", "detailed"))),
	}))),
	"safety_identifier": may(nullable(text(64))),
	"service_tier":      may(nullable(enum("auto", "default", "flex", "scale", "priority"))),
	"store":             may(nullable(boolean)),
	"stream":            may(nullable(boolean)),
	"stream_options":    may(nullable(object(fields{"include_obfuscation": may(boolean)}))),
	"temperature":       may(nullable(number(0, 2))),
	"text": may(object(fields{
		"format":    may(responsesFormat),
		"verbosity": may(nullable(enum("low", "medium", "high"))),
	})),
	"tool_choice":  may(responsesToolChoice),
	"tools":        may(list(0, responsesTool)),
	"top_logprobs": may(nullable(integer(0, 20))),
	"top_p":        may(nullable(number(0, 1))),
	"truncation":   may(nullable(enum("auto", "disabled"))),
	"user":         may(text(0)),
})

const (
	encryptedReasoning = "reasoning.encrypted_content"
	tokenLogprobs      = "message.output_text.logprobs"
)

var responsesIncludable = []string{
	encryptedReasoning, tokenLogprobs, "web_search_call.action.sources", "file_search_call.results",
	"message.input_image.image_url", "computer_call_output.output.image_url", "code_interpreter_call.outputs",
}

var responsesStatus = may(enum("in_progress", "completed", "incomplete"))

// responsesItem is an item, of which a message need not say that it is one.
func responsesItem(at path, value any) *mistake {
	if members, ok := value.(map[string]any); ok && members["type"] == nil && members["role"] != nil {
		return responsesMessage(at, value)
	}
	return tagged("type", map[string]check{
		"message": responsesMessage,
		"reasoning": object(fields{
			"type": need(anything), "id": may(matching(`^rs_`)), "status": responsesStatus,
			"summary":           need(list(0, object(fields{"type": need(enum("summary_text")), "text": need(text(0))}))),
			"content":           may(list(0, object(fields{"type": need(enum("reasoning_text")), "text": need(text(0))}))),
			"encrypted_content": may(nullable(text(0))),
		}),
		"function_call": object(fields{
			"type": need(anything), "id": may(matching(`^fc_`)), "status": responsesStatus,
			"call_id": need(text(64)), "name": need(openAIFunctionName), "arguments": need(text(0)),
		}),
		"function_call_output": object(fields{
			"type": need(anything), "id": may(nullable(text(64))), "status": responsesStatus,
			"call_id": need(text(64)), "output": need(either(text(0), list(1, responsesInputPart))),
		}),
		"custom_tool_call": object(fields{
			"type": need(anything), "id": may(matching(`^ctc_`)), "status": responsesStatus,
			"call_id": need(text(64)), "name": need(openAIFunctionName), "input": need(text(0)),
		}),
		"custom_tool_call_output": object(fields{
			"type": need(anything), "id": may(text(64)), "call_id": need(text(64)),
			"output": need(either(text(0), list(1, responsesInputPart))),
		}),
		"web_search_call": object(fields{
			"type": need(anything), "id": need(matching(`^ws_`)), "status": need(text(0)), "action": may(anything),
		}),
		imageCall: object(fields{
			"type": need(anything), "id": need(matching(`^ig_`)), "status": need(text(0)), "result": need(nullable(base64Text)),
			"output_format": may(enum("png", "webp", "jpeg")),
		}),
	})(at, value)
}

const imageCall = "image_generation_call"

var responsesMessage = tagged("role", map[string]check{
	"user":      object(responsesSaid(responsesInputPart)),
	"system":    object(responsesSaid(responsesInputPart)),
	"developer": object(responsesSaid(responsesInputPart)),
	"assistant": object(responsesSaid(tagged("type", map[string]check{
		"output_text": object(fields{
			"type": need(anything), "text": need(text(0)), "annotations": may(list(0, anything)), "logprobs": may(list(0, anything)),
		}),
		"refusal": object(fields{"type": need(anything), "refusal": need(text(0))}),
	}))),
})

func responsesSaid(part check) fields {
	return fields{
		"type": may(enum("message")), "role": need(anything), "id": may(matching(`^msg_`)), "status": responsesStatus,
		"phase": may(nullable(enum("commentary", "final_answer"))), "content": need(either(text(0), list(1, part))),
	}
}

var responsesInputPart = tagged("type", map[string]check{
	"input_text": object(fields{"type": need(anything), "text": need(text(0))}),
	"input_image": object(fields{
		"type": need(anything), "image_url": may(openAIImage), "file_id": may(text(0)),
		"detail": may(enum("low", "high", "auto", "original")),
	}),
	"input_file": object(fields{
		"type": need(anything), "filename": may(text(0)), "file_data": may(matching(`^data:`)), "file_id": may(text(0)),
		"file_url": may(matching(`^https?://`)),
	}),
})

var responsesTool = tagged("type", map[string]check{
	"function": object(fields{
		"type": need(anything), "name": need(openAIFunctionName), "description": may(nullable(text(0))),
		"parameters": need(nullable(mapOf(anything))), "strict": may(nullable(boolean)),
	}),
	"custom": object(fields{
		"type": need(anything), "name": need(openAIFunctionName), "description": may(text(0)), "format": may(anything),
	}),
	"web_search": object(fields{
		"type": need(anything), "filters": may(nullable(anything)), "search_context_size": may(enum("low", "medium", "high")),
		"user_location": may(nullable(object(fields{
			"type": need(enum("approximate")), "city": may(text(0)), "country": may(text(0)), "region": may(text(0)), "timezone": may(text(0)),
		}))),
	}),
})

var responsesToolChoice = either(
	enum("none", "auto", "required"),
	tagged("type", map[string]check{
		"function": object(fields{"type": need(anything), "name": need(text(0))}),
		"custom":   object(fields{"type": need(anything), "name": need(text(0))}),
		"allowed_tools": object(fields{
			"type": need(anything), "mode": need(enum("auto", "required")), "tools": need(list(1, anything)),
		}),
	}),
)

var responsesFormat = tagged("type", map[string]check{
	"text":        object(fields{"type": need(anything)}),
	"json_object": object(fields{"type": need(anything)}),
	"json_schema": object(fields{
		"type": need(anything), "name": need(openAIFunctionName), "description": may(text(0)),
		"schema": need(mapOf(anything)), "strict": may(nullable(boolean)),
	}),
})
