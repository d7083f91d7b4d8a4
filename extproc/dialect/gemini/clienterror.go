package gemini

import (
	"net/http"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/switchyard/switchyard/extproc/dialect"
	"github.com/switchyard/switchyard/extproc/dialect/rawjson"
)

// wireError is google.rpc.Status with the gateway's own words on it (spec section 5.2).
type wireError struct {
	Code         int                   `json:"code"`
	Message      string                `json:"message"`
	Status       string                `json:"status"`
	Details      []any                 `json:"details,omitempty"`
	Availability *dialect.Availability `json:"availability,omitempty"`
}

type errorInfo struct {
	Type     string            `json:"@type"`
	Reason   string            `json:"reason"`
	Domain   string            `json:"domain"`
	Metadata map[string]string `json:"metadata,omitempty"`
}

type retryInfo struct {
	Type  string `json:"@type"`
	Delay string `json:"retryDelay"`
}

// Error renders a failure as {"error":{...}}, in the API's words and with the
// gateway's beside them.
func (Client) Error(failure *dialect.Error) []byte { return appendError(nil, failure) }

func appendError(dst []byte, failure *dialect.Error) []byte {
	said := wireError{
		Code: failure.Status, Message: failure.Message, Status: rpcStatus(failure.Status), Availability: failure.Availability,
	}
	info := errorInfo{
		Type: "type.googleapis.com/google.rpc.ErrorInfo", Reason: strings.ToUpper(failure.Type), Domain: "switchyard",
	}
	if failure.GenerationID != "" {
		info.Metadata = map[string]string{"generation_id": failure.GenerationID}
	}
	said.Details = append(said.Details, info)
	if wait := retryDelay(failure); wait != "" {
		said.Details = append(said.Details, retryInfo{Type: "type.googleapis.com/google.rpc.RetryInfo", Delay: wait + "s"})
	}
	// What is marshalled is text and numbers, which cannot fail: text that is not UTF-8
	// is replaced.
	allowInvalidUTF8 := jsontext.AllowInvalidUTF8(true)
	text, _ := json.Marshal(said, allowInvalidUTF8)
	dst = append(append(dst, `{"error":`...), text...)
	if len(failure.Metadata) > 0 {
		// Metadata that cannot be marshalled must not cost the client the message.
		if metadata, err := json.Marshal(failure.Metadata, json.Deterministic(true), allowInvalidUTF8); err == nil {
			dst = rawjson.AppendMember(dst, "metadata", metadata)
		}
	}
	if failure.RouterMetadata != nil {
		dst = rawjson.AppendMember(dst, "openrouter_metadata", failure.RouterMetadata)
	}
	return append(dst, '}')
}

// retryDelay is how many seconds to wait, or "".
func retryDelay(failure *dialect.Error) string {
	if headers, ok := failure.Metadata["headers"].(map[string]string); ok {
		return headers["Retry-After"]
	}
	if failure.Availability != nil && failure.Availability.RetryAfter > 0 {
		return strconv.FormatInt(failure.Availability.RetryAfter, 10)
	}
	return ""
}

// rpcStatus is the name of the gRPC code that Google's APIs have for an HTTP status.
func rpcStatus(status int) string {
	switch status {
	case http.StatusUnauthorized:
		return "UNAUTHENTICATED"
	case http.StatusForbidden:
		return "PERMISSION_DENIED"
	case http.StatusNotFound:
		return "NOT_FOUND"
	case http.StatusConflict:
		return "ABORTED"
	case http.StatusPaymentRequired, http.StatusTooManyRequests:
		return "RESOURCE_EXHAUSTED"
	case http.StatusNotImplemented:
		return "UNIMPLEMENTED"
	case http.StatusBadGateway, http.StatusServiceUnavailable, 529:
		return "UNAVAILABLE"
	case http.StatusRequestTimeout, http.StatusGatewayTimeout, 524:
		return "DEADLINE_EXCEEDED"
	}
	if status < http.StatusInternalServerError {
		return "INVALID_ARGUMENT"
	}
	return "INTERNAL"
}
