package provider

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
)

// anthropic is the dialect of the Messages API.
type anthropic struct{ jsonOnly }

func (anthropic) locate(target string) (address, bool) { return address{}, target == "/messages" }

// The API's versions. The newer one no longer takes sampling parameters.
const (
	version2023 = "2023-06-01"
	version2026 = "2026-10-21"
)

func (anthropic) admit(header http.Header, key string) *refusal {
	for name := range header {
		if strings.HasPrefix(name, "Openai-") || name == "X-Goog-Api-Key" || name == "Api-Key" {
			return leak("header " + strings.ToLower(name))
		}
	}
	given := header.Get("X-Api-Key")
	if bearer, ok := strings.CutPrefix(header.Get("Authorization"), "Bearer "); ok {
		if given != "" {
			return leak("two credentials in one request")
		}
		given = bearer
	}
	switch version := header.Get("Anthropic-Version"); {
	case given == "":
		return &refusal{status: http.StatusUnauthorized, message: "x-api-key header is required"}
	case given != key:
		return &refusal{status: http.StatusUnauthorized, message: "invalid x-api-key"}
	case version == "":
		return &refusal{status: http.StatusBadRequest, message: "anthropic-version: header is required"}
	case version != version2023 && version != version2026:
		return &refusal{
			status:  http.StatusBadRequest,
			message: fmt.Sprintf("anthropic-version: %q is not a valid version", version),
		}
	}
	return anthropicBetas(header)
}

// betas are some of those that the API knows.
var betas = []string{
	"claude-code-20250219", "context-management-2025-06-27", "fine-grained-tool-streaming-2025-05-14",
	"interleaved-thinking-2025-05-14", "structured-outputs-2025-11-13",
}

func anthropicBetas(header http.Header) *refusal {
	for beta := range strings.SplitSeq(header.Get("Anthropic-Beta"), ",") {
		if beta = strings.TrimSpace(beta); beta != "" && !slices.Contains(betas, beta) {
			return &refusal{
				status: http.StatusBadRequest,
				message: fmt.Sprintf("Unexpected value(s) `%s` for the `anthropic-beta` header. "+
					"Please consult our documentation at docs.claude.com or try again without the header.", beta),
			}
		}
	}
	return nil
}

func (d anthropic) judge(_ address, body map[string]any, header http.Header) (request, *refusal) {
	if wrong := anthropicRequest(nil, body); wrong != nil {
		worded := d.mistake(*wrong)
		return request{}, &worded
	}
	req := request{
		model:    body["model"].(string),
		stream:   body["stream"] == true,
		question: questionOf(body),
	}
	for _, rule := range []func(map[string]any, http.Header) string{
		anthropicVersioned, anthropicToolRules, anthropicThinkingRules, anthropicFormatRules,
		anthropicCacheRules, anthropicTurns, anthropicToolTurns, anthropicSignatures,
	} {
		if message := rule(body, header); message != "" {
			return req, &refusal{status: http.StatusBadRequest, message: message}
		}
	}
	return req, nil
}

func (anthropic) mistake(m mistake) refusal {
	steps := make([]string, len(m.at))
	for i, step := range m.at {
		steps[i] = fmt.Sprint(step)
	}
	said := ""
	switch m.kind {
	case unknownField:
		said = "Extra inputs are not permitted"
	case missingField:
		said = "Field required"
	case wrongType:
		said = fmt.Sprintf("Input should be %s, not %s", m.expect, kindOf(m.got))
	case badValue:
		said = fmt.Sprintf("Input %v is not valid: %s", m.got, m.expect)
	case outOfRange:
		said = fmt.Sprintf("Input should be within %s, got %v", m.expect, m.got)
	case emptyArray:
		said = "at least one element is required"
	case tooLong:
		said = "String is too long"
	}
	return refusal{status: http.StatusBadRequest, message: strings.Join(steps, ".") + ": " + said}
}

func (anthropic) unknownModel(model string) refusal {
	return refusal{status: http.StatusNotFound, message: "model: " + model}
}

func (anthropic) errorType(status int) string {
	switch status {
	case http.StatusUnauthorized:
		return "authentication_error"
	case http.StatusForbidden:
		return "permission_error"
	case http.StatusNotFound:
		return "not_found_error"
	case http.StatusRequestEntityTooLarge:
		return "request_too_large"
	case http.StatusTooManyRequests:
		return "rate_limit_error"
	case http.StatusGatewayTimeout:
		return "timeout_error"
	case statusOverloaded:
		return "overloaded_error"
	}
	if status >= http.StatusInternalServerError {
		return "api_error"
	}
	return "invalid_request_error"
}

// statusOverloaded is Anthropic's own status for an overloaded API.
const statusOverloaded = 529

func (d anthropic) errorBody(r refusal) []byte {
	kind := r.kind
	if kind == "" {
		kind = d.errorType(r.status)
	}
	return []byte(encode(map[string]any{
		"type":       "error",
		"error":      map[string]any{"type": kind, "message": r.message},
		"request_id": "req_011CSHoEeqs5C35K2UUqR7Fy",
	}))
}

func (d anthropic) errorEvent(r refusal) event {
	return event{name: "error", data: string(d.errorBody(r))}
}

func (anthropic) headers() http.Header {
	return http.Header{
		"Request-Id":                             {"req_011CSHoEeqs5C35K2UUqR7Fy"},
		"Anthropic-Organization-Id":              {"00000000-1111-2222-3333-444444444444"},
		"Anthropic-Ratelimit-Requests-Limit":     {"4000"},
		"Anthropic-Ratelimit-Requests-Remaining": {"3999"},
		"Anthropic-Ratelimit-Requests-Reset":     {"2026-11-23T10:00:00Z"},
		"Set-Cookie":                             {"_cfuvid=secret; path=/; HttpOnly"},
		"Cf-Ray":                                 {"8f0000000001-FRA"},
		"Cf-Cache-Status":                        {"DYNAMIC"},
		"Server":                                 {"cloudflare"},
		"Via":                                    {"1.1 google"},
		"X-Robots-Tag":                           {"none"},
		"Strict-Transport-Security":              {"max-age=31536000"},
	}
}
