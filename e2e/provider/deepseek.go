package provider

import (
	"fmt"
	"net/http"
)

// deepSeek is Chat Completions as DeepSeek serves it: max_tokens alone, no role but
// OpenAI's first four, content as text, and a switch of its own for thinking.
type deepSeek struct{ openAI }

// DeepSeek returns a fake of DeepSeek's API, POST {base}/chat/completions.
func DeepSeek(config Config) *Provider {
	return newProvider(config, deepSeek{})
}

var deepSeekRequest = object(fields{
	"model":             need(text(0)),
	"messages":          need(list(1, deepSeekMessage)),
	"frequency_penalty": may(nullable(number(-2, 2))),
	"logprobs":          may(nullable(boolean)),
	"max_tokens":        may(nullable(integer(1, mostTokens))),
	"presence_penalty":  may(nullable(number(-2, 2))),
	"reasoning_effort":  may(nullable(enum("low", "medium", "high", "xhigh", "max"))),
	"response_format":   may(nullable(object(fields{"type": need(enum("text", "json_object"))}))),
	"stop":              may(nullable(either(text(0), list(1, text(0))))),
	"stream":            may(nullable(boolean)),
	"stream_options":    may(nullable(object(fields{"include_usage": may(boolean)}))),
	"temperature":       may(nullable(number(0, 2))),
	"thinking":          may(nullable(object(fields{"type": need(enum("enabled", "disabled"))}))),
	"tool_choice":       may(openAIToolChoice),
	"tools":             may(list(1, openAITool)),
	"top_logprobs":      may(nullable(integer(0, 20))),
	"top_p":             may(nullable(number(0, 1))),
})

var deepSeekMessage = tagged("role", map[string]check{
	"system": object(deepSeekPlain),
	"user":   object(deepSeekPlain),
	"assistant": object(fields{
		"role":              need(anything),
		"name":              may(openAIName),
		"content":           may(nullable(text(0))),
		"reasoning_content": may(nullable(text(0))),
		"tool_calls":        may(list(1, openAIToolCall)),
	}),
	"tool": object(fields{
		"role":         need(anything),
		"tool_call_id": need(text(0)),
		"content":      need(text(0)),
	}),
})

var deepSeekPlain = fields{"role": need(anything), "name": may(openAIName), "content": need(text(0))}

func (d deepSeek) judge(_ address, body map[string]any, _ http.Header) (request, *refusal) {
	if wrong := deepSeekRequest(nil, body); wrong != nil {
		worded := d.mistake(*wrong)
		return request{}, &worded
	}
	return openAIAsked(body, openAICombinations, openAIConversation)
}

func (d deepSeek) mistake(m mistake) refusal {
	at := d.openAI.mistake(m).param
	r := refusal{status: http.StatusBadRequest, code: "invalid_request_error"}
	switch m.kind {
	case unknownField:
		r.message = fmt.Sprintf("unknown field `%s`", at)
	case missingField:
		r.message = fmt.Sprintf("missing field `%s`", at)
	case badValue:
		r.message = fmt.Sprintf("%s: unknown variant `%v`, expected %s", at, m.got, m.expect)
	default:
		r.message = fmt.Sprintf("%s: invalid type or value: %s, expected %s", at, kindOf(m.got), m.expect)
	}
	r.message = "Failed to deserialize the JSON body into the target type: " + r.message
	return r
}
