package provider

import (
	"net/http"
	"slices"
	"strings"
)

// judgeHeaders refuses framing that real APIs refuse and headers that a gateway
// has no business sending.
func judgeHeaders(r *http.Request, secrets []string) *refusal {
	for name, values := range r.Header {
		if !allowedHeader(name) {
			return leak("header " + strings.ToLower(name))
		}
		if len(values) != 1 {
			return &refusal{
				status:  http.StatusBadRequest,
				message: "Duplicate header: " + strings.ToLower(name),
			}
		}
		for _, secret := range secrets {
			if strings.Contains(values[0], secret) {
				return leak("a secret in header " + strings.ToLower(name))
			}
		}
	}
	if r.ContentLength < 0 || len(r.TransferEncoding) > 0 {
		return &refusal{
			status:  http.StatusLengthRequired,
			message: "Content-Length is required; chunked uploads are not accepted.",
		}
	}
	return nil
}

// allowedHeader is an allow-list, for a deny-list would miss the next internal
// header somebody invents. Lengths and hosts are not in Go's header map.
func allowedHeader(name string) bool {
	name = strings.ToLower(name)
	return slices.Contains([]string{
		"accept",
		"api-key",
		"authorization",
		"content-type",
		"content-length",
		"idempotency-key",
		"traceparent",
		"tracestate",
		"user-agent",
		"x-amz-date",
		"x-amz-security-token",
		"x-amzn-bedrock-service-tier",
		"x-api-key",
		"x-client-request-id",
		"x-goog-api-key",
		"x-vertex-ai-llm-shared-request-type",
	}, name) || strings.HasPrefix(name, "openai-") || strings.HasPrefix(name, "anthropic-")
}

func leak(what string) *refusal {
	return &refusal{status: http.StatusBadRequest, message: "Leaked to the provider: " + what}
}
