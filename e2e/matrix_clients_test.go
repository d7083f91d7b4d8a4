package e2e

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
)

// speaker is a client of the matrix: it words requests in its dialect, and reads the
// answers as strictly as its vendor's SDKs do.
type speaker struct {
	paths []string // those of the registry that it stands for
	// ask is a request's path and body.
	ask func(model string, asked asked) (path, body string)
	// whole and stream read an answer.
	whole  func(body any) (heard, error)
	stream func(events []serverEvent) (heard, error)
	// failure is the message of an error's body.
	failure func(body any) string
	// results are those of twoCalls, as turns behind the answer heard.
	results func(answer heard) string
}

// asked is what a scenario asks for, besides an answer to "hi".
type asked struct {
	stream, tools, schema, image, think bool
	history                             string // turns that follow the first, in the client's words
}

// heard is what a client understood of an answer.
type heard struct {
	text, thought, finish string
	calls                 []heardCall
	input, output         float64 // tokens
	turn                  string  // the answer as the client sends it back
	failed                string  // the message of an error in a stream
}

type heardCall struct{ id, name, arguments string }

// serverEvent is one of a stream's.
type serverEvent struct {
	name string
	data any
}

const (
	matrixTool   = `{"type":"object","properties":{"city":{"type":"string"}},"required":["city"]}`
	matrixSchema = `{"type":"object","properties":{"inhabitants":{"type":"integer"}},"required":["inhabitants"],"additionalProperties":false}`
	matrixImage  = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg=="
)

// speakers are the clients by the names of their dialects.
var speakers = map[string]speaker{
	"chat": {
		paths: []string{"/api/v1/chat/completions", "/v1/chat/completions"},
		ask: func(model string, a asked) (string, string) {
			content := `"hi"`
			if a.image {
				content = `[{"type":"text","text":"hi"},{"type":"image_url","image_url":{"url":"data:image/png;base64,` + matrixImage + `"}}]`
			}
			return "/api/v1/chat/completions", object(
				`"model":"`+model+`","max_tokens":4000`,
				given(a.stream, `"stream":true`),
				given(a.tools, `"tools":[{"type":"function","function":{"name":"weather","parameters":`+matrixTool+`}}]`),
				given(a.schema, `"response_format":{"type":"json_schema","json_schema":{"name":"place","strict":true,"schema":`+matrixSchema+`}}`),
				given(a.think, `"reasoning":{"effort":"low"}`),
				`"messages":[{"role":"user","content":`+content+`}`+a.history+`]`,
			)
		},
		whole: func(body any) (heard, error) {
			message := dig(body, "choices", 0, "message")
			h := heard{
				text: text(message, "content"), thought: text(message, "reasoning"), finish: text(body, "choices", 0, "finish_reason"),
				input: number(body, "usage", "prompt_tokens"), output: number(body, "usage", "completion_tokens"), turn: "," + written(message),
			}
			for _, call := range list(message, "tool_calls") {
				h.calls = append(h.calls, heardCall{text(call, "id"), text(call, "function", "name"), text(call, "function", "arguments")})
			}
			return h, mustBe(text(body, "object"), "chat.completion")
		},
		stream: func(events []serverEvent) (heard, error) {
			h, done := heard{}, false
			for _, event := range events {
				if done {
					return h, fmt.Errorf("%v after [DONE]", event)
				}
				if done = event.data == "[DONE]"; done {
					continue
				}
				if message := text(event.data, "error", "message"); message != "" {
					h.failed = message
				}
				if err := mustBe(text(event.data, "object"), "chat.completion.chunk"); err != nil {
					return h, err
				}
				h.text += text(event.data, "choices", 0, "delta", "content")
				h.thought += text(event.data, "choices", 0, "delta", "reasoning")
				h.finish += text(event.data, "choices", 0, "finish_reason")
				h.input, h.output = h.input+number(event.data, "usage", "prompt_tokens"), h.output+number(event.data, "usage", "completion_tokens")
				for _, piece := range list(event.data, "choices", 0, "delta", "tool_calls") {
					at := int(number(piece, "index"))
					for len(h.calls) <= at {
						h.calls = append(h.calls, heardCall{})
					}
					h.calls[at].id += text(piece, "id")
					h.calls[at].name += text(piece, "function", "name")
					h.calls[at].arguments += text(piece, "function", "arguments")
				}
			}
			if !done {
				return h, errors.New("no [DONE]")
			}
			return h, nil
		},
		failure: func(body any) string { return text(body, "error", "message") },
		results: func(h heard) string {
			return `,{"role":"tool","tool_call_id":"` + h.calls[0].id + `","content":"sunny in Köln"},{"role":"tool","tool_call_id":"` + h.calls[1].id + `","content":"wet in Oslo"}`
		},
	},
	"completions": {
		paths: []string{"/api/v1/completions", "/v1/completions"},
		ask: func(model string, a asked) (string, string) {
			return "/v1/completions", object(`"model":"`+model+`","prompt":"hi"`, given(a.stream, `"stream":true`))
		},
		whole: func(body any) (heard, error) {
			return heard{
				text: text(body, "choices", 0, "text"), finish: text(body, "choices", 0, "finish_reason"),
				input: number(body, "usage", "prompt_tokens"), output: number(body, "usage", "completion_tokens"),
			}, mustBe(text(body, "object"), "text_completion")
		},
		stream: func(events []serverEvent) (heard, error) {
			h := heard{}
			for i, event := range events {
				if event.data == "[DONE]" && i == len(events)-1 {
					return h, nil
				}
				if message := text(event.data, "error", "message"); message != "" {
					h.failed = message
				} else if err := mustBe(text(event.data, "object"), "text_completion"); err != nil {
					return h, err
				}
				h.text += text(event.data, "choices", 0, "text")
				h.finish += text(event.data, "choices", 0, "finish_reason")
				h.input, h.output = h.input+number(event.data, "usage", "prompt_tokens"), h.output+number(event.data, "usage", "completion_tokens")
			}
			return h, errors.New("no [DONE]")
		},
		failure: func(body any) string { return text(body, "error", "message") },
	},
	"messages": {
		paths: []string{"/api/v1/messages", "/v1/messages"},
		ask: func(model string, a asked) (string, string) {
			image := ""
			if a.image {
				image = `,{"type":"image","source":{"type":"base64","media_type":"image/png","data":"` + matrixImage + `"}}`
			}
			return "/v1/messages", object(
				`"model":"`+model+`","max_tokens":4000`,
				given(a.stream, `"stream":true`),
				given(a.tools, `"tools":[{"name":"weather","input_schema":`+matrixTool+`}]`),
				given(a.schema, `"output_config":{"format":{"type":"json_schema","schema":`+matrixSchema+`}}`),
				given(a.think, `"thinking":{"type":"enabled","budget_tokens":1024}`),
				`"messages":[{"role":"user","content":[{"type":"text","text":"hi"}`+image+`]}`+a.history+`]`,
			)
		},
		whole: func(body any) (heard, error) {
			h := heard{finish: text(body, "stop_reason"), input: number(body, "usage", "input_tokens"), output: number(body, "usage", "output_tokens")}
			for _, block := range list(body, "content") {
				switch text(block, "type") {
				case "text":
					h.text += text(block, "text")
				case "thinking":
					h.thought += text(block, "thinking")
				case "tool_use":
					h.calls = append(h.calls, heardCall{text(block, "id"), text(block, "name"), written(dig(block, "input"))})
				}
			}
			h.turn = `,{"role":"assistant","content":` + written(dig(body, "content")) + `}`
			return h, mustBe(text(body, "type"), "message")
		},
		stream:  hearMessages,
		failure: func(body any) string { return text(body, "error", "message") },
		results: func(h heard) string {
			return `,{"role":"user","content":[{"type":"tool_result","tool_use_id":"` + h.calls[0].id + `","content":"sunny in Köln"},` +
				`{"type":"tool_result","tool_use_id":"` + h.calls[1].id + `","content":[{"type":"text","text":"wet in Oslo"}]}]}`
		},
	},
	"responses": {
		paths: []string{"/api/v1/responses", "/v1/responses"},
		ask: func(model string, a asked) (string, string) {
			image := ""
			if a.image {
				image = `,{"type":"input_image","detail":"auto","image_url":"data:image/png;base64,` + matrixImage + `"}`
			}
			return "/v1/responses", object(
				`"model":"`+model+`","store":false,"max_output_tokens":4000`,
				given(a.stream, `"stream":true`),
				given(a.tools, `"tools":[{"type":"function","name":"weather","strict":false,"parameters":`+matrixTool+`}]`),
				given(a.schema, `"text":{"format":{"type":"json_schema","name":"place","strict":true,"schema":`+matrixSchema+`}}`),
				given(a.think, `"reasoning":{"effort":"low","summary":"auto"},"include":["reasoning.encrypted_content"]`),
				`"input":[{"type":"message","role":"user","content":[{"type":"input_text","text":"hi"}`+image+`]}`+a.history+`]`,
			)
		},
		whole:   wholeResponse,
		stream:  hearResponses,
		failure: func(body any) string { return text(body, "error", "message") },
		results: func(h heard) string {
			return `,{"type":"function_call_output","call_id":"` + h.calls[0].id + `","output":"sunny in Köln"},{"type":"function_call_output","call_id":"` + h.calls[1].id + `","output":"wet in Oslo"}`
		},
	},
	"gemini": {
		paths: []string{"/api/v1beta/models/", "/api/v1/models/", "/v1beta/models/", "/v1/models/"},
		ask: func(model string, a asked) (string, string) {
			image, path := "", "/api/v1beta/models/"+model+":generateContent"
			if a.image {
				image = `,{"inlineData":{"mimeType":"image/png","data":"` + matrixImage + `"}}`
			}
			if a.stream {
				path = "/v1beta/models/" + model + ":streamGenerateContent?alt=sse"
			}
			return path, object(
				`"generationConfig":`+object(
					`"maxOutputTokens":4000`,
					given(a.schema, `"responseMimeType":"application/json","responseJsonSchema":`+matrixSchema),
					given(a.think, `"thinkingConfig":{"includeThoughts":true,"thinkingBudget":1024}`),
				),
				given(a.tools, `"tools":[{"functionDeclarations":[{"name":"weather","parametersJsonSchema":`+matrixTool+`}]}]`),
				`"contents":[{"role":"user","parts":[{"text":"hi"}`+image+`]}`+a.history+`]`,
			)
		},
		whole: func(body any) (heard, error) {
			h := heard{turn: "," + written(dig(body, "candidates", 0, "content"))}
			h.hearCandidate(body)
			return h, mustBe(text(body, "candidates", 0, "content", "role"), "model")
		},
		stream: func(events []serverEvent) (heard, error) {
			h := heard{}
			for _, event := range events {
				if message := text(event.data, "error", "message"); message != "" {
					h.failed = message
					continue
				}
				h.hearCandidate(event.data)
			}
			return h, nil
		},
		failure: func(body any) string { return text(body, "error", "message") },
		results: func(h heard) string {
			return `,{"role":"user","parts":[{"functionResponse":{"id":"` + h.calls[0].id + `","name":"weather","response":{"output":"sunny in Köln"}}},` +
				`{"functionResponse":{"id":"` + h.calls[1].id + `","name":"weather","response":{"output":"wet in Oslo"}}}]}`
		},
	},
}

func (h *heard) hearCandidate(body any) {
	for _, part := range list(body, "candidates", 0, "content", "parts") {
		if dig(part, "thought") == true {
			h.thought += text(part, "text")
		} else {
			h.text += text(part, "text")
		}
		if call := dig(part, "functionCall"); call != nil {
			h.calls = append(h.calls, heardCall{text(call, "id"), text(call, "name"), written(dig(call, "args"))})
		}
	}
	h.finish += text(body, "candidates", 0, "finishReason")
	if dig(body, "usageMetadata") != nil {
		h.input, h.output = number(body, "usageMetadata", "promptTokenCount"), number(body, "usageMetadata", "candidatesTokenCount")
	}
}

// hearMessages holds a stream to the order of its events: a message, in it blocks one
// after the other, and the end.
func hearMessages(events []serverEvent) (heard, error) {
	h, open, next, stopped := heard{}, false, 0.0, false
	for i, event := range events {
		kind := text(event.data, "type")
		block, delta := dig(event.data, "content_block"), dig(event.data, "delta")
		switch {
		case event.name != kind:
			return h, fmt.Errorf("event %q has data of type %q", event.name, kind)
		case stopped || h.failed != "":
			return h, fmt.Errorf("%s after the end", kind)
		case (kind == "message_start") != (i == 0):
			return h, fmt.Errorf("event %d is %s", i, kind)
		case strings.HasPrefix(kind, "content_block") && (number(event.data, "index") != next || open == (kind == "content_block_start")):
			return h, fmt.Errorf("%s of block %v, when block %v is open: %t", kind, number(event.data, "index"), next, open)
		}
		switch kind {
		case "message_start":
			h.input = number(event.data, "message", "usage", "input_tokens")
		case "content_block_start":
			open = true
			h.text += text(block, "text")
			h.thought += text(block, "thinking")
			if text(block, "type") == "tool_use" {
				h.calls = append(h.calls, heardCall{id: text(block, "id"), name: text(block, "name")})
			}
		case "content_block_delta":
			h.text += text(delta, "text")
			h.thought += text(delta, "thinking")
			if text(delta, "type") == "input_json_delta" {
				h.calls[len(h.calls)-1].arguments += text(delta, "partial_json")
			}
		case "content_block_stop":
			open, next = false, next+1
		case "message_delta":
			h.finish = text(delta, "stop_reason")
			h.output = number(event.data, "usage", "output_tokens")
			if input := number(event.data, "usage", "input_tokens"); input > 0 {
				h.input = input
			}
		case "message_stop":
			stopped = true
		case "error":
			h.failed = text(event.data, "error", "message")
		case "ping":
		default:
			return h, fmt.Errorf("unknown event %s", kind)
		}
	}
	if !stopped && h.failed == "" {
		return h, errors.New("no message_stop")
	}
	return h, nil
}

func wholeResponse(body any) (heard, error) {
	h := heard{finish: text(body, "status"), input: number(body, "usage", "input_tokens"), output: number(body, "usage", "output_tokens")}
	for _, item := range list(body, "output") {
		h.turn += "," + written(item)
		switch text(item, "type") {
		case "message":
			for _, part := range list(item, "content") {
				h.text += text(part, "text")
			}
		case "reasoning":
			for _, part := range append(list(item, "summary"), list(item, "content")...) {
				h.thought += text(part, "text")
			}
		case "function_call":
			h.calls = append(h.calls, heardCall{text(item, "call_id"), text(item, "name"), text(item, "arguments")})
		}
	}
	return h, mustBe(text(body, "object"), "response")
}

// hearResponses holds a stream to its numbers, and its last event to the pieces before.
func hearResponses(events []serverEvent) (heard, error) {
	pieces := heard{}
	// OpenRouter ends these streams like all others (row 136).
	if last := len(events) - 1; last < 0 || events[last].data != "[DONE]" {
		return pieces, errors.New("no [DONE]")
	}
	events = events[:len(events)-1]
	for i, event := range events {
		kind := text(event.data, "type")
		switch {
		case event.name != "" && event.name != kind:
			return pieces, fmt.Errorf("event %q has data of type %q", event.name, kind)
		case number(event.data, "sequence_number") != float64(i):
			return pieces, fmt.Errorf("event %d has the number %v", i, number(event.data, "sequence_number"))
		case (kind == "response.created") != (i == 0):
			return pieces, fmt.Errorf("event %d is %s", i, kind)
		}
		switch kind {
		case "response.output_text.delta":
			pieces.text += text(event.data, "delta")
		case "response.completed":
			whole, err := wholeResponse(dig(event.data, "response"))
			if err == nil {
				err = mustBe(whole.text, pieces.text)
			}
			if err == nil && i != len(events)-1 {
				err = fmt.Errorf("%d events after the last", len(events)-1-i)
			}
			return whole, err
		case "response.failed":
			pieces.failed = text(event.data, "response", "error", "message")
		case "error":
			pieces.failed = text(event.data, "message") + text(event.data, "error", "message")
		}
	}
	if pieces.failed == "" {
		return pieces, errors.New("no end")
	}
	return pieces, nil
}

// readEvents reads a stream of server-sent events, comments left out.
func readEvents(body string) ([]serverEvent, error) {
	var events []serverEvent
	for block := range strings.SplitSeq(strings.TrimSuffix(body, "\n\n"), "\n\n") {
		event := serverEvent{}
		for line := range strings.SplitSeq(block, "\n") {
			field, value, found := strings.Cut(line, ": ")
			switch {
			case strings.HasPrefix(line, ":"):
			case found && field == "event":
				event.name = value
			case found && field == "data" && value == "[DONE]":
				event.data = value
			case found && field == "data":
				if err := json.Unmarshal([]byte(value), &event.data); err != nil {
					return nil, fmt.Errorf("%w in %s", err, value)
				}
			default:
				return nil, fmt.Errorf("no line of a stream: %q", line)
			}
		}
		if event.data != nil {
			events = append(events, event)
		}
	}
	return events, nil
}

func object(members ...string) string {
	var there []string
	for _, member := range members {
		if member != "" {
			there = append(there, member)
		}
	}
	return "{" + strings.Join(there, ",") + "}"
}

func given(is bool, member string) string {
	if is {
		return member
	}
	return ""
}

// dig is what stands in a value of JSON under names and numbers, nil for nothing.
func dig(value any, path ...any) any {
	for _, step := range path {
		switch step := step.(type) {
		case string:
			members, _ := value.(map[string]any)
			value = members[step]
		case int:
			elements, _ := value.([]any)
			if step >= len(elements) {
				return nil
			}
			value = elements[step]
		}
	}
	return value
}

func text(value any, path ...any) string {
	found, _ := dig(value, path...).(string)
	return found
}

func number(value any, path ...any) float64 {
	found, _ := dig(value, path...).(float64)
	return found
}

func list(value any, path ...any) []any {
	found, _ := dig(value, path...).([]any)
	return found
}

// written is a value as JSON.
func written(value any) string {
	out, _ := json.Marshal(value)
	return string(out)
}

func mustBe(got, want string) error {
	if got != want {
		return fmt.Errorf("%q, want %q", got, want)
	}
	return nil
}
