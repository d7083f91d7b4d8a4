package provider

import (
	"cmp"
	"fmt"
	"net/http"
	"net/url"
	"strings"
)

// bedrock is the dialect of Amazon Bedrock's Converse and ConverseStream.
type bedrock struct {
	jsonOnly
	awsAuth
	awsFraming
}

func (bedrock) locate(target string) (address, bool) {
	return locateModel(target, "converse", "converse-stream")
}

// locateModel reads a path whose model may be an ARN, which is one step of it.
func locateModel(target, whole, stream string) (address, bool) {
	steps := strings.Split(target, "/")
	if len(steps) != 4 || steps[0] != "" || steps[1] != "model" || strings.Contains(steps[2], ":") {
		return address{}, false
	}
	model, err := url.PathUnescape(steps[2])
	return address{model: model, stream: steps[3] == stream}, err == nil && (steps[3] == whole || steps[3] == stream)
}

func (d bedrock) judge(at address, body map[string]any, _ http.Header) (request, *refusal) {
	req := request{model: at.model, stream: at.stream}
	if wrong := bedrockRequest(nil, body); wrong != nil {
		worded := d.mistake(*wrong)
		return req, &worded
	}
	if tier, ok := body["serviceTier"].(map[string]any); ok {
		req.tier, _ = tier["type"].(string)
	}
	for _, rule := range []func(map[string]any) string{bedrockTools, bedrockDocuments, bedrockCache, bedrockFormat, bedrockStrict} {
		if message := rule(body); message != "" {
			return req, &refusal{status: http.StatusBadRequest, message: message}
		}
	}
	if message := bedrockHour(at.model, encode(body)); message != "" {
		return req, &refusal{status: http.StatusBadRequest, message: message}
	}
	messages := bedrockAsMessages(body)
	req.question = questionOf(messages)
	if !strings.Contains(at.model, "anthropic.") {
		return req, nil
	}
	for _, rule := range []func(map[string]any, http.Header) string{
		anthropicTurns, anthropicToolRules, anthropicToolTurns, anthropicThinkingRules, anthropicSignatures,
	} {
		if message := rule(messages, http.Header{}); message != "" {
			return req, &refusal{status: http.StatusBadRequest, message: "The model returned the following errors: " + message}
		}
	}
	return req, nil
}

func (bedrock) mistake(m mistake) refusal {
	at := ""
	for _, step := range m.at {
		switch step := step.(type) {
		case int:
			at += fmt.Sprintf(".%d.member", step+1)
		default:
			at = strings.TrimPrefix(fmt.Sprintf("%s.%v", at, step), ".")
		}
	}
	said := fmt.Sprintf("must satisfy constraint: %s", m.expect)
	switch m.kind {
	case unknownField:
		return refusal{status: http.StatusBadRequest, message: fmt.Sprintf("The request has an unexpected field: %s", at)}
	case missingField:
		said = "must not be null"
	case emptyArray:
		said = "must have length greater than or equal to 1"
	}
	return refusal{status: http.StatusBadRequest, message: fmt.Sprintf("1 validation error detected: Value '%v' at '%s' failed to satisfy constraint: Member %s", m.got, at, said)}
}

func (bedrock) unknownModel(string) refusal {
	return refusal{status: http.StatusBadRequest, message: "The provided model identifier is invalid."}
}

// errorType is the exception of a status, as streams name it.
func (bedrock) errorType(status int) string {
	switch status {
	case http.StatusForbidden:
		return "accessDeniedException"
	case http.StatusNotFound:
		return "resourceNotFoundException"
	case http.StatusTooManyRequests:
		return "throttlingException"
	case http.StatusFailedDependency:
		return "modelStreamErrorException"
	case http.StatusServiceUnavailable, statusOverloaded:
		return "serviceUnavailableException"
	}
	if status >= http.StatusInternalServerError {
		return "internalServerException"
	}
	return "validationException"
}

// errorBody writes the message with a capital where what stands in front of the
// service speaks.
func (bedrock) errorBody(r refusal) []byte {
	name := "message"
	if r.status == http.StatusForbidden {
		name = "Message"
	}
	return []byte(encode(map[string]any{name: r.message}))
}

// errorHeader has the type: a code if there is one, else the status's own.
func (d bedrock) errorHeader(r refusal) http.Header {
	kind := d.errorType(r.status)
	return http.Header{"X-Amzn-Errortype": {cmp.Or(r.code, strings.ToUpper(kind[:1])+kind[1:]) + ":http://internal.amazon.com/coral/com.amazon.bedrock/"}}
}

func (d bedrock) errorEvent(r refusal) event {
	return event{name: exceptionPrefix + d.errorType(r.status), data: encode(map[string]any{"message": r.message})}
}

func (bedrock) headers() http.Header {
	return http.Header{
		"X-Amzn-Requestid":                      {"0e5f1d3c-5b3f-4a51-9c5c-1f0f2c6f3d11"},
		"X-Amzn-Bedrock-Invocation-Latency":     {"812"},
		"X-Amzn-Bedrock-Input-Token-Count":      {"11"},
		"X-Amzn-Bedrock-Output-Token-Count":     {"7"},
		"X-Amzn-Bedrock-Cache-Read-Input-Count": {"0"},
	}
}
