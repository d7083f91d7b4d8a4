package provider

import (
	"fmt"
	"net/http"
	"strings"
)

// openAI is the dialect of the Chat Completions API.
type openAI struct{ jsonOnly }

func (openAI) locate(target string) (address, bool) { return address{}, target == "/chat/completions" }

func (openAI) admit(header http.Header, key string) *refusal {
	for _, foreign := range []string{"X-Api-Key", "Api-Key", "X-Goog-Api-Key", "Anthropic-Version", "Anthropic-Beta"} {
		if header.Get(foreign) != "" {
			return leak("header " + strings.ToLower(foreign))
		}
	}
	given, bearer := strings.CutPrefix(header.Get("Authorization"), "Bearer ")
	switch {
	case !bearer:
		return &refusal{
			status: http.StatusUnauthorized,
			message: "You didn't provide an API key. You need to provide your API key in an " +
				"Authorization header using Bearer auth (i.e. Authorization: Bearer YOUR_KEY).",
		}
	case given != key:
		return &refusal{
			status:  http.StatusUnauthorized,
			message: "Incorrect API key provided: " + masked(given) + ".",
			code:    "invalid_api_key",
		}
	}
	return nil
}

func (d openAI) judge(_ address, body map[string]any, _ http.Header) (request, *refusal) {
	if wrong := openAIRequest(nil, body); wrong != nil {
		worded := d.mistake(*wrong)
		return request{}, &worded
	}
	return openAIAsked(body, openAICombinations, openAIReasoningModel, openAIFormatRules, openAIConversation)
}

// openAIAsked reads a request whose fields are right, unless it breaks one of the rules.
func openAIAsked(body map[string]any, rules ...func(map[string]any) *refusal) (request, *refusal) {
	req := request{
		model:    body["model"].(string),
		stream:   body["stream"] == true,
		logprobs: body["logprobs"] == true,
		question: questionOf(body),
	}
	req.tier, _ = body["service_tier"].(string)
	if options, ok := body["stream_options"].(map[string]any); ok {
		req.includeUsage = options["include_usage"] == true
	}
	for _, rule := range rules {
		if refused := rule(body); refused != nil {
			refused.status = http.StatusBadRequest
			return req, refused
		}
	}
	return req, nil
}

func (openAI) mistake(m mistake) refusal {
	param := ""
	for _, step := range m.at {
		switch step := step.(type) {
		case int:
			param += fmt.Sprintf("[%d]", step)
		case string:
			param += "." + step
		}
	}
	param = strings.TrimPrefix(param, ".")
	r := refusal{status: http.StatusBadRequest, param: param}
	switch m.kind {
	case unknownField:
		r.code, r.message = "unknown_parameter", fmt.Sprintf("Unknown parameter: '%s'.", param)
	case missingField:
		r.code, r.message = "missing_required_parameter", fmt.Sprintf("Missing required parameter: '%s'.", param)
	case wrongType:
		r.code = "invalid_type"
		r.message = fmt.Sprintf("Invalid type for '%s': expected %s, but got %s instead.", param, m.expect, kindOf(m.got))
	case badValue:
		r.code = "invalid_value"
		r.message = fmt.Sprintf("Invalid value: '%v'. Expected %s at '%s'.", m.got, m.expect, param)
	case outOfRange:
		r.code = "decimal_out_of_range"
		r.message = fmt.Sprintf("Invalid '%s': %v is not within %s.", param, m.got, m.expect)
	case emptyArray:
		r.code = "empty_array"
		r.message = fmt.Sprintf("Invalid '%s': empty array. Expected an array with minimum length 1, "+
			"but got an empty array instead.", param)
	case tooLong:
		r.code, r.message = "string_above_max_length", fmt.Sprintf("Invalid '%s': string too long.", param)
	}
	return r
}

func (openAI) unknownModel(model string) refusal {
	return refusal{
		status:  http.StatusNotFound,
		message: fmt.Sprintf("The model `%s` does not exist or you do not have access to it.", model),
		code:    "model_not_found",
	}
}

func (openAI) errorType(status int) string {
	switch {
	case status == http.StatusTooManyRequests:
		return "requests"
	case status >= http.StatusInternalServerError:
		return "server_error"
	default:
		return "invalid_request_error"
	}
}

func (d openAI) errorBody(r refusal) []byte {
	return []byte(encode(map[string]any{"error": d.errorObject(r)}))
}

func (d openAI) errorEvent(r refusal) event {
	return event{data: string(d.errorBody(r))}
}

func (d openAI) errorObject(r refusal) map[string]any {
	object := map[string]any{"message": r.message, "type": r.kind, "param": nil, "code": nil}
	if r.kind == "" {
		object["type"] = d.errorType(r.status)
	}
	if r.param != "" {
		object["param"] = r.param
	}
	if r.code != "" {
		object["code"] = r.code
	}
	return object
}

func (openAI) headers() http.Header {
	return http.Header{
		"X-Request-Id":                   {"req_0123456789abcdef"},
		"Openai-Organization":            {"acme-internal"},
		"Openai-Processing-Ms":           {"12"},
		"Openai-Version":                 {"2020-10-01"},
		"X-Ratelimit-Limit-Requests":     {"10000"},
		"X-Ratelimit-Remaining-Requests": {"9999"},
		"X-Ratelimit-Reset-Requests":     {"6ms"},
		"Set-Cookie":                     {"__cf_bm=secret; path=/; HttpOnly"},
		"Cf-Ray":                         {"8f0000000000-FRA"},
		"Cf-Cache-Status":                {"DYNAMIC"},
		"Server":                         {"cloudflare"},
		"Alt-Svc":                        {`h3=":443"; ma=86400`},
	}
}

// masked shows a key as OpenAI's own error does: enough to recognise it.
func masked(key string) string {
	if len(key) < 12 {
		return strings.Repeat("*", len(key))
	}
	return key[:3] + strings.Repeat("*", len(key)-7) + key[len(key)-4:]
}
