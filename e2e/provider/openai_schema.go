package provider

import "strings"

// The request of POST /chat/completions as OpenAI's own API accepts it. Fields
// of compatible vendors (top_k, reasoning_content, …) are unknown here on
// purpose: a gateway must not send them to OpenAI.

// mostTokens bounds the integers for which the API states no maximum.
const mostTokens = 1 << 31

var openAIRequest = object(fields{
	"model":                 need(text(0)),
	"messages":              need(list(1, openAIMessage)),
	"audio":                 may(nullable(object(fields{"voice": need(text(0)), "format": need(text(0))}))),
	"frequency_penalty":     may(nullable(number(-2, 2))),
	"logit_bias":            may(nullable(mapOf(number(-100, 100)))),
	"logprobs":              may(nullable(boolean)),
	"max_completion_tokens": may(nullable(integer(1, mostTokens))),
	"max_tokens":            may(nullable(integer(1, mostTokens))),
	"metadata":              may(nullable(mapOf(text(512)))),
	"modalities":            may(nullable(list(1, enum("text", "audio")))),
	"n":                     may(nullable(integer(1, 128))),
	"parallel_tool_calls":   may(boolean),
	"prediction":            may(nullable(object(fields{"type": need(enum("content")), "content": need(openAIText)}))),
	"presence_penalty":      may(nullable(number(-2, 2))),
	"prompt_cache_key":      may(text(0)),
	"reasoning_effort":      may(nullable(enum("none", "minimal", "low", "medium", "high", "xhigh"))),
	"response_format":       may(openAIFormat),
	"safety_identifier":     may(text(0)),
	"seed":                  may(nullable(integer(-1<<62, 1<<62))),
	"service_tier":          may(nullable(enum("auto", "default", "flex", "scale", "priority"))),
	"stop":                  may(nullable(either(text(0), list(1, text(0))))),
	"store":                 may(nullable(boolean)),
	"stream":                may(nullable(boolean)),
	"stream_options": may(nullable(object(fields{
		"include_usage":       may(boolean),
		"include_obfuscation": may(boolean),
	}))),
	"temperature":  may(nullable(number(0, 2))),
	"tool_choice":  may(openAIToolChoice),
	"tools":        may(list(1, openAITool)),
	"top_logprobs": may(nullable(integer(0, 20))),
	"top_p":        may(nullable(number(0, 1))),
	"user":         may(text(0)),
	"verbosity":    may(nullable(enum("low", "medium", "high"))),
	"web_search_options": may(object(fields{
		"search_context_size": may(enum("low", "medium", "high")),
		"user_location":       may(nullable(anything)),
	})),
})

var openAIMessage = tagged("role", map[string]check{
	"developer": object(openAIPlain),
	"system":    object(openAIPlain),
	"user": object(fields{
		"role":    need(anything),
		"name":    may(openAIName),
		"content": need(either(text(0), list(1, openAIUserPart))),
	}),
	"assistant": object(fields{
		"role":       need(anything),
		"name":       may(openAIName),
		"content":    may(nullable(either(text(0), list(1, openAIAssistantPart)))),
		"refusal":    may(nullable(text(0))),
		"audio":      may(nullable(object(fields{"id": need(text(0))}))),
		"tool_calls": may(list(1, openAIToolCall)),
	}),
	"tool": object(fields{
		"role":         need(anything),
		"tool_call_id": need(text(0)),
		"content":      need(openAIText),
	}),
})

var openAIPlain = fields{
	"role":    need(anything),
	"name":    may(openAIName),
	"content": need(openAIText),
}

var openAIName = matching(`^[^\s<|\\/>]+$`)

var openAITextPart = object(fields{"type": need(anything), "text": need(text(0))})

var openAIText = either(text(0), list(1, tagged("type", map[string]check{"text": openAITextPart})))

var openAIAssistantPart = tagged("type", map[string]check{
	"text":    openAITextPart,
	"refusal": object(fields{"type": need(anything), "refusal": need(text(0))}),
})

var openAIUserPart = tagged("type", map[string]check{
	"text": openAITextPart,
	"image_url": object(fields{
		"type": need(anything),
		"image_url": need(object(fields{
			"url":    need(openAIImage),
			"detail": may(enum("auto", "low", "high")),
		})),
	}),
	"input_audio": object(fields{
		"type": need(anything),
		"input_audio": need(object(fields{
			"data":   need(text(0)),
			"format": need(enum("wav", "mp3")),
		})),
	}),
	"file": object(fields{
		"type": need(anything),
		"file": need(object(fields{
			"filename":  may(text(0)),
			"file_data": may(text(0)),
			"file_id":   may(text(0)),
		})),
	}),
})

func openAIImage(at path, value any) *mistake {
	url, _ := value.(string)
	for _, prefix := range []string{
		"http://", "https://",
		"data:image/png;base64,", "data:image/jpeg;base64,",
		"data:image/gif;base64,", "data:image/webp;base64,",
	} {
		if strings.HasPrefix(url, prefix) {
			return nil
		}
	}
	return &mistake{at, badValue, "an http(s) or image data URL", value}
}

var openAIToolCall = tagged("type", map[string]check{
	"function": object(fields{
		"id":   need(text(0)),
		"type": need(anything),
		"function": need(object(fields{
			"name":      need(openAIFunctionName),
			"arguments": need(text(0)),
		})),
	}),
	"custom": object(fields{
		"id":     need(text(0)),
		"type":   need(anything),
		"custom": need(object(fields{"name": need(text(0)), "input": need(text(0))})),
	}),
})

var openAIFunctionName = matching(`^[a-zA-Z0-9_-]{1,64}$`)

var openAITool = tagged("type", map[string]check{
	"function": object(fields{
		"type": need(anything),
		"function": need(object(fields{
			"name":        need(openAIFunctionName),
			"description": may(text(0)),
			"parameters":  may(mapOf(anything)),
			"strict":      may(nullable(boolean)),
		})),
	}),
	"custom": object(fields{
		"type": need(anything),
		"custom": need(object(fields{
			"name":        need(openAIFunctionName),
			"description": may(text(0)),
			"format":      may(anything),
		})),
	}),
})

var openAIToolChoice = either(
	enum("none", "auto", "required"),
	tagged("type", map[string]check{
		"function": object(fields{
			"type":     need(anything),
			"function": need(object(fields{"name": need(text(0))})),
		}),
		"custom": object(fields{
			"type":   need(anything),
			"custom": need(object(fields{"name": need(text(0))})),
		}),
	}),
)

var openAIFormat = tagged("type", map[string]check{
	"text":        object(fields{"type": need(anything)}),
	"json_object": object(fields{"type": need(anything)}),
	"json_schema": object(fields{
		"type": need(anything),
		"json_schema": need(object(fields{
			"name":        need(openAIFunctionName),
			"description": may(text(0)),
			"schema":      may(mapOf(anything)),
			"strict":      may(nullable(boolean)),
		})),
	}),
})
