package provider

import (
	"fmt"
	"net/http"
	"strings"
)

// gemini is the dialect of Google's generateContent, as AI Studio serves it.
type gemini struct{ jsonOnly }

func (gemini) locate(target string) (address, bool) {
	rest, found := strings.CutPrefix(target, "/models/")
	model, method, _ := strings.Cut(rest, ":")
	switch method {
	case "generateContent":
		return address{model: model}, found
	case "batchEmbedContents":
		return address{model: model, task: method}, found
	case "streamGenerateContent?alt=sse":
		return address{model: model, stream: true}, found
	}
	return address{}, false
}

func (gemini) admit(header http.Header, key string) *refusal {
	for name := range header {
		if strings.HasPrefix(name, "Openai-") || strings.HasPrefix(name, "Anthropic-") || name == "X-Api-Key" || name == "Api-Key" || name == "Authorization" {
			return leak("header " + strings.ToLower(name))
		}
	}
	switch given := header.Get("X-Goog-Api-Key"); given {
	case "":
		return &refusal{status: http.StatusForbidden, message: "Method doesn't allow unregistered callers (callers without established identity)."}
	case key:
		return nil
	}
	// The API does not call it a 401.
	return &refusal{status: http.StatusBadRequest, code: "API_KEY_INVALID", message: "API key not valid. Please pass a valid API key."}
}

func (d gemini) judge(at address, body map[string]any, _ http.Header) (request, *refusal) {
	if at.task != "" {
		return d.judgeEmbeddings(at, body)
	}
	req := request{model: at.model, stream: at.stream}
	body = protobufNames(body).(map[string]any)
	if wrong := geminiRequest(nil, body); wrong != nil {
		worded := d.mistake(*wrong)
		return req, &worded
	}
	req.tier, _ = body["serviceTier"].(string)
	req.question = geminiQuestion(body)
	for _, rule := range []func(string, map[string]any) string{
		geminiTurns, geminiToolRules, geminiThinkingRules, geminiFormatRules, geminiSamplingRules, geminiSignatures,
	} {
		if message := rule(at.model, body); message != "" {
			return req, &refusal{status: http.StatusBadRequest, message: message}
		}
	}
	return req, nil
}

// geminiQuestion is the text of the last turn.
func geminiQuestion(body map[string]any) string {
	turns := geminiContents(body)
	parts := turns[len(turns)-1].parts
	text, _ := parts[len(parts)-1]["text"].(string)
	return text
}

func (gemini) mistake(m mistake) refusal {
	at, name := "", ""
	for i, step := range m.at {
		switch step := step.(type) {
		case int:
			at += fmt.Sprintf("[%d]", step)
		case string:
			if i == len(m.at)-1 && m.kind == unknownField {
				name = step
				continue
			}
			at = strings.TrimPrefix(at+"."+step, ".")
		}
	}
	r := refusal{status: http.StatusBadRequest}
	switch m.kind {
	case unknownField:
		r.message = fmt.Sprintf("Invalid JSON payload received. Unknown name %q", name)
		if at != "" {
			r.message += fmt.Sprintf(" at '%s'", at)
		}
		r.message += ": Cannot find field."
	case missingField, emptyArray:
		r.message = fmt.Sprintf("* GenerateContentRequest.%s: %s is not specified", at, at)
	case outOfRange:
		r.message = fmt.Sprintf("* GenerateContentRequest.%s: must be in the range of %s.", at, m.expect)
	default:
		r.message = fmt.Sprintf("Invalid value at '%s' (%s), %v", at, m.expect, m.got)
	}
	return r
}

func (gemini) unknownModel(model string) refusal {
	return refusal{
		status: http.StatusNotFound,
		message: "models/" + model + " is not found for API version v1beta, or is not supported for generateContent. " +
			"Call ListModels to see the list of available models and their supported methods.",
	}
}

// errorType is the canonical name of the gRPC code behind a status.
func (gemini) errorType(status int) string {
	switch status {
	case http.StatusUnauthorized:
		return "UNAUTHENTICATED"
	case http.StatusForbidden:
		return "PERMISSION_DENIED"
	case http.StatusNotFound:
		return "NOT_FOUND"
	case http.StatusTooManyRequests:
		return "RESOURCE_EXHAUSTED"
	case http.StatusServiceUnavailable:
		return "UNAVAILABLE"
	case http.StatusGatewayTimeout:
		return "DEADLINE_EXCEEDED"
	}
	if status >= http.StatusInternalServerError {
		return "INTERNAL"
	}
	return "INVALID_ARGUMENT"
}

func (d gemini) errorBody(r refusal) []byte {
	status := r.status
	if status == statusOverloaded {
		status = http.StatusServiceUnavailable // Google has no status of its own
	}
	said := map[string]any{"code": status, "message": r.message, "status": d.errorType(status)}
	var details []any
	if r.code != "" {
		details = append(details, map[string]any{
			"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": r.code, "domain": "googleapis.com",
		})
	}
	if r.wait != "" {
		details = append(details, map[string]any{
			"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": r.wait + "s",
		})
	}
	if details != nil {
		said["details"] = details
	}
	return []byte(encode(map[string]any{"error": said}))
}

func (d gemini) errorEvent(r refusal) event { return event{data: string(d.errorBody(r))} }

func (gemini) headers() http.Header {
	return http.Header{
		"Server":                   {"scaffolding on HTTPServer2"},
		"Server-Timing":            {"gfet4t7; dur=412"},
		"Alt-Svc":                  {`h3=":443"; ma=2592000`},
		"Vary":                     {"Origin, X-Origin, Referer"},
		"X-Xss-Protection":         {"0"},
		"X-Frame-Options":          {"SAMEORIGIN"},
		"X-Content-Type-Options":   {"nosniff"},
		"X-Gemini-Service-Tier":    {"standard"},
		"X-Goog-Ext-525005358-Bin": {"secret"},
	}
}
