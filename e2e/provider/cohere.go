package provider

import (
	"fmt"
	"net/http"
	"strings"
)

// cohere is the dialect of Cohere's API, second version.
type cohere struct{ openAI }

func (cohere) locate(target string) (address, bool) {
	switch target {
	case "/chat":
		return address{}, true
	case "/embed", "/rerank":
		return address{task: target[1:]}, true
	}
	return address{}, false
}

func (d cohere) admit(header http.Header, key string) *refusal {
	refused := d.openAI.admit(header, key)
	if refused != nil && refused.status == http.StatusUnauthorized {
		refused.message = "no api key supplied"
		if header.Get("Authorization") != "" {
			refused.message = "invalid api token"
		}
	}
	return refused
}

func (d cohere) judge(at address, body map[string]any, header http.Header) (request, *refusal) {
	switch at.task {
	case "embed":
		return d.judgeEmbed(body)
	case "rerank":
		req, refused := rerank{}.judge(at, body, header)
		req.task = at.task
		return req, refused
	}
	if wrong := cohereRequest(nil, body); wrong != nil {
		worded := d.mistake(*wrong)
		return request{}, &worded
	}
	req := request{
		model:    body["model"].(string),
		stream:   body["stream"] == true,
		logprobs: body["logprobs"] == true,
		question: questionOf(body),
	}
	for _, rule := range []func(map[string]any) string{cohereCombinations, cohereConversation} {
		if message := rule(body); message != "" {
			return req, &refusal{status: http.StatusBadRequest, message: "invalid request: " + message}
		}
	}
	return req, nil
}

func (d cohere) judgeEmbed(body map[string]any) (request, *refusal) {
	req := request{task: "embed"}
	if wrong := cohereEmbedRequest(nil, body); wrong != nil {
		worded := d.mistake(*wrong)
		return req, &worded
	}
	req.model = body["model"].(string)
	given := 0
	for _, name := range []string{"texts", "images", "inputs"} {
		if inputs, ok := body[name].([]any); ok {
			given++
			req.inputs = len(inputs)
		}
	}
	const mostTexts = 96
	switch {
	case given != 1:
		return req, &refusal{status: http.StatusBadRequest, message: "invalid request: exactly one of texts, images or inputs must be provided"}
	case req.inputs > mostTexts:
		return req, &refusal{status: http.StatusBadRequest, message: fmt.Sprintf("invalid request: total number of texts must be at most %d - received %d", mostTexts, req.inputs)}
	case body["output_dimension"] != nil && strings.Contains(req.model, "v3"):
		return req, &refusal{status: http.StatusBadRequest, message: "invalid request: output_dimension is not supported for this model"}
	}
	return req, nil
}

func (cohere) mistake(m mistake) refusal {
	at := m.at.dotted()
	r := refusal{status: http.StatusBadRequest}
	switch m.kind {
	case unknownField:
		r.status = http.StatusUnprocessableEntity
		r.message = fmt.Sprintf("unknown field: parameter '%s' is not a valid field", at)
	case missingField, emptyArray:
		r.message = fmt.Sprintf("invalid request: %s must be provided and not be empty", at)
	default:
		r.message = fmt.Sprintf("invalid request: %s must be %s, got %v", at, m.expect, m.got)
	}
	return r
}

func (cohere) unknownModel(model string) refusal {
	return refusal{
		status:  http.StatusNotFound,
		message: fmt.Sprintf("model '%s' not found, make sure the correct model ID was used and that you have access to the model.", model),
	}
}

func (cohere) headers() http.Header { return rerank{}.headers() }

func (cohere) errorBody(r refusal) []byte { return rerank{}.errorBody(r) }

// errorEvent is the end of a message that failed.
func (cohere) errorEvent(r refusal) event {
	return event{name: "message-end", data: encode(map[string]any{
		"type": "message-end", "id": cohereID, "delta": map[string]any{"finish_reason": "ERROR", "error": r.message},
	})}
}
