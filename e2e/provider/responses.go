package provider

import (
	"net/http"
	"slices"
)

// responses is the dialect of OpenAI's Responses API, which shares its headers and
// errors with Chat Completions.
type responses struct{ openAI }

func (responses) locate(target string) (address, bool) { return address{}, target == "/responses" }

func (d responses) judge(_ address, body map[string]any, _ http.Header) (request, *refusal) {
	if wrong := responsesRequest(nil, body); wrong != nil {
		worded := d.mistake(*wrong)
		return request{}, &worded
	}
	includes, _ := body["include"].([]any)
	req := request{
		model:     body["model"].(string),
		stream:    body["stream"] == true,
		logprobs:  slices.Contains(includes, any(tokenLogprobs)),
		encrypted: slices.Contains(includes, any(encryptedReasoning)),
		question:  responsesQuestion(body),
	}
	req.tier, _ = body["service_tier"].(string)
	if reasoning, ok := body["reasoning"].(map[string]any); ok {
		req.summary = reasoning["summary"] != nil
	}
	for _, rule := range []func(map[string]any) *refusal{
		responsesState, responsesModel, responsesTools, responsesFormatRules, responsesConversation,
	} {
		if refused := rule(body); refused != nil {
			refused.status = http.StatusBadRequest
			return req, refused
		}
	}
	return req, nil
}

// errorEvent is flat, unlike the body of an answer that is an error.
func (d responses) errorEvent(r refusal) event {
	said := d.errorObject(r)
	if said["code"] == nil {
		said["code"] = said["type"]
	}
	return event{name: "error", data: encode(map[string]any{
		"type": "error", "code": said["code"], "message": said["message"], "param": said["param"], "sequence_number": 99,
	})}
}

// responsesQuestion is the text of the last item.
func responsesQuestion(body map[string]any) string {
	if text, ok := body["input"].(string); ok {
		return text
	}
	items := body["input"].([]any)
	return lastText(items[len(items)-1].(map[string]any)["content"])
}
