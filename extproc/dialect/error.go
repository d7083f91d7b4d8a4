package dialect

import (
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// Error is a failure in words that a client may read. The client's dialect
// renders it; nothing internal and nothing secret is ever in it.
type Error struct {
	// Status is the HTTP status, 400 to 599.
	Status int
	// Type is the spec's error_type (section 5.2), for example "invalid_request".
	Type    string
	Message string
	// GenerationID is that of the request once it was routed, else "". Dialects
	// without a place for it leave it out.
	GenerationID string
	// Metadata goes into error.metadata: values must marshal to JSON. It may be nil.
	Metadata map[string]any
	// Availability goes into error.availability (spec section 5.3); may be nil.
	Availability *Availability
	// RouterMetadata goes beside the error as `openrouter_metadata`, an object; nil
	// if the client did not ask for it.
	RouterMetadata jsontext.Value
}

func (e *Error) Error() string { return e.Message }

// Object is the spec's error object (section 5.1) with metadata in it. Metadata that
// cannot be marshalled must not cost the client the message: without goes in instead,
// which must marshal.
func (e *Error) Object(metadata, without map[string]any) []byte {
	wire := struct {
		Code         int            `json:"code"`
		Message      string         `json:"message"`
		Metadata     map[string]any `json:"metadata,omitempty"`
		Availability *Availability  `json:"availability,omitempty"`
	}{e.Status, e.Message, metadata, e.Availability}
	// A provider's words may be no valid UTF-8; what is not is replaced.
	text, err := json.Marshal(wire, json.Deterministic(true), jsontext.AllowInvalidUTF8(true))
	if err != nil {
		wire.Metadata = without
		text, _ = json.Marshal(wire, jsontext.AllowInvalidUTF8(true))
	}
	return text
}

// TypeOf is the spec's error_type for a status of 400 or more (section 5.2).
func TypeOf(status int) string {
	switch status {
	case 401:
		return "authentication"
	case 402:
		return "payment_required"
	case 403:
		return "permission_denied"
	case 404:
		return "not_found"
	case 408, 504:
		return "timeout"
	case 413:
		return "payload_too_large"
	case 422:
		return "unprocessable"
	case 429:
		return "rate_limit_exceeded"
	case 502:
		return "provider_unavailable"
	case 503, 529:
		return "provider_overloaded"
	}
	if status >= 500 {
		return "server"
	}
	return "invalid_request"
}

// Availability tells a program whether and when to try again.
type Availability struct {
	Code              string      `json:"code"`
	Retryable         bool        `json:"retryable"`
	RetryAfter        int64       `json:"retry_after,omitzero"` // seconds
	RequestedModels   []string    `json:"requested_models"`
	AffectedProviders []string    `json:"affected_providers,omitzero"`
	ExcludedBy        []string    `json:"excluded_by,omitzero"`
	FallbackModels    []string    `json:"fallback_models,omitzero"`
	Constraint        *Constraint `json:"constraint,omitzero"`
}

// Constraint is the part of a request that no endpoint satisfies.
type Constraint struct {
	Field  string `json:"field"`
	Detail string `json:"detail"`
}

// ProviderFailure is what a provider said went wrong, read out of its dialect.
type ProviderFailure struct {
	// Status is the HTTP status, or the nearest one for an error inside a stream.
	Status int
	// Message is the provider's own sentence, never empty.
	Message string
	// Code is the provider's own code or type, possibly empty.
	Code string
	// RetryAfter is how long the body asks to wait; zero if it does not say. Most
	// providers say it in a header, which is not the dialect's to read.
	RetryAfter time.Duration
}

func (f *ProviderFailure) Error() string { return f.Message }
