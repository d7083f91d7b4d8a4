package openai

import (
	"net/http"

	"github.com/go-json-experiment/json"

	"github.com/switchyard/switchyard/extproc/dialect"
	"github.com/switchyard/switchyard/extproc/dialect/rawjson"
)

// wireError is the spec's error object (section 5.1).
type wireError struct {
	Code         int                   `json:"code"`
	Message      string                `json:"message"`
	Metadata     map[string]any        `json:"metadata,omitempty"`
	Availability *dialect.Availability `json:"availability,omitempty"`
}

// Error renders a failure as {"error":{...}}, with the router's metadata beside it.
func (Client) Error(failure *dialect.Error) []byte {
	return append(appendError([]byte{'{'}, failure), '}')
}

// appendError appends the members that tell of a failure to an object that is open
// at the end of dst.
func appendError(dst []byte, failure *dialect.Error) []byte {
	wire := wireError{Code: failure.Status, Message: failure.Message, Availability: failure.Availability}
	wire.Metadata = map[string]any{}
	for name, value := range failure.Metadata {
		wire.Metadata[name] = value
	}
	if failure.Type != "" {
		wire.Metadata["error_type"] = failure.Type
	}
	text, err := json.Marshal(wire, json.Deterministic(true))
	if err != nil {
		// Metadata that cannot be marshalled must not cost the client the message.
		wire.Metadata = map[string]any{"error_type": failure.Type}
		text, _ = json.Marshal(wire)
	}
	dst = rawjson.AppendMember(dst, "error", text)
	if failure.RouterMetadata != nil {
		dst = rawjson.AppendMember(dst, "openrouter_metadata", failure.RouterMetadata)
	}
	return dst
}

// invalid is an error about the client's request.
func invalid(message string) *dialect.Error {
	return &dialect.Error{Status: http.StatusBadRequest, Type: "invalid_request", Message: message}
}
