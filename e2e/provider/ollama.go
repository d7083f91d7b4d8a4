package provider

import (
	"fmt"
	"net/http"
)

// ollama is the dialect of Ollama's own API. The real one passes over fields that it
// does not know; this one refuses them, as nobody should send any.
type ollama struct{ openAI }

func (ollama) locate(target string) (address, bool) {
	switch target {
	case "/chat":
		return address{}, true
	case "/embed":
		return address{task: "embed"}, true
	}
	return address{}, false
}

func (ollama) streamType() string { return "application/x-ndjson" }

func (ollama) frame(e event) []byte { return []byte(e.data + "\n") }

func (d ollama) judge(at address, body map[string]any, _ http.Header) (request, *refusal) {
	schema := ollamaRequest
	if at.task != "" {
		schema = ollamaEmbedRequest
	}
	if wrong := schema(nil, body); wrong != nil {
		worded := d.mistake(*wrong)
		return request{}, &worded
	}
	req := request{model: body["model"].(string), task: at.task}
	if at.task != "" {
		req.inputs = 1
		if inputs, several := body["input"].([]any); several {
			req.inputs = len(inputs)
		}
		return req, nil
	}
	req.stream = body["stream"] != false // which is the default
	req.logprobs = body["logprobs"] == true
	req.question = questionOf(body)
	if message := ollamaConversation(body); message != "" {
		return req, &refusal{status: http.StatusBadRequest, message: message}
	}
	return req, nil
}

func (ollama) mistake(m mistake) refusal {
	at := m.at.dotted()
	r := refusal{status: http.StatusBadRequest}
	switch m.kind {
	case unknownField:
		r.message = fmt.Sprintf("json: unknown field %q", at)
	case missingField, emptyArray:
		r.message = fmt.Sprintf("%s is required", at)
	case wrongType:
		r.message = fmt.Sprintf("json: cannot unmarshal %s into Go struct field %s of type %s", kindOf(m.got), at, m.expect)
	default:
		r.message = fmt.Sprintf("invalid %s value: %v (must be %s)", at, m.got, m.expect)
	}
	return r
}

func (ollama) unknownModel(model string) refusal {
	return refusal{status: http.StatusNotFound, message: fmt.Sprintf("model '%s' not found", model)}
}

func (ollama) headers() http.Header {
	return http.Header{"Date": {"Tue, 04 Aug 2026 08:52:19 GMT"}, "Set-Cookie": {"proxy=secret"}}
}

func (ollama) errorBody(r refusal) []byte {
	return []byte(encode(map[string]any{"error": r.message}))
}

func (d ollama) errorEvent(r refusal) event { return event{data: string(d.errorBody(r))} }
