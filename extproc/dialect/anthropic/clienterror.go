package anthropic

import (
	"net/http"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/switchyard/switchyard/extproc/dialect"
	"github.com/switchyard/switchyard/extproc/dialect/rawjson"
)

var allowInvalidUTF8 = jsontext.AllowInvalidUTF8(true)

// wireError is the API's error with the gateway's own words on it (spec section
// 5.2).
type wireError struct {
	Type         string                `json:"type"`
	Message      string                `json:"message"`
	ErrorType    string                `json:"error_type,omitzero"`
	Availability *dialect.Availability `json:"availability,omitempty"`
}

// Error renders a failure as {"type":"error","error":{...}}. The SDKs know it by its
// type. The request's id is null before it is routed (row 140).
func (Client) Error(failure *dialect.Error) []byte {
	return appendError(nil, failure, failure.GenerationID)
}

// appendError appends the object of a failure; requestID is the generation's, or "".
func appendError(dst []byte, failure *dialect.Error, requestID string) []byte {
	// What is marshalled is text and numbers, which cannot fail: text that is not
	// UTF-8 is replaced.
	text, _ := json.Marshal(wireError{
		Type: errorType(failure), Message: failure.Message, ErrorType: failure.Type, Availability: failure.Availability,
	}, allowInvalidUTF8)
	dst = rawjson.AppendMember(append(dst, `{"type":"error"`...), "error", text)
	if requestID == "" {
		dst = append(dst, `,"request_id":null`...)
	} else {
		dst = rawjson.AppendText(dst, "request_id", requestID)
	}
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

// errorType is the API's word for a failure.
func errorType(failure *dialect.Error) string {
	switch failure.Status {
	case http.StatusUnauthorized:
		return "authentication_error"
	case http.StatusPaymentRequired:
		return "billing_error"
	case http.StatusForbidden:
		return "permission_error"
	case http.StatusNotFound:
		return "not_found_error"
	case http.StatusRequestEntityTooLarge:
		return "request_too_large"
	case http.StatusTooManyRequests:
		return "rate_limit_error"
	case http.StatusServiceUnavailable, 529:
		return "overloaded_error"
	case http.StatusRequestTimeout, http.StatusGatewayTimeout, 524:
		return "timeout_error"
	}
	if failure.Status < http.StatusInternalServerError {
		return "invalid_request_error"
	}
	return "api_error"
}
