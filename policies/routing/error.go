package routing

import (
	"errors"
	"fmt"
	"net/http"
)

// ErrNoModel is a request that asks for no model at all: HTTP 400.
var ErrNoModel = errors.New("No models provided") //nolint:staticcheck // spec section 5.4, shown to clients

// UnknownModelError is a request for a model that the gateway does not have:
// HTTP 400, availability "model_not_found" (spec row 10).
type UnknownModelError struct{ ID string }

func (e *UnknownModelError) Error() string {
	return fmt.Sprintf("%.256s is not a valid model ID", e.ID) // which may be all of the request
}

// TooManyModelsError is a request whose `models` is too long: HTTP 400 (spec row 66).
type TooManyModelsError struct{ Limit int }

func (e *TooManyModelsError) Error() string {
	return fmt.Sprintf("'models' array must have %d items or fewer.", e.Limit)
}

// BatchOnlyError is a request for a batch variant: HTTP 404 (spec row 78).
type BatchOnlyError struct{ ID string }

func (e *BatchOnlyError) Error() string {
	return e.ID + " is only available through the Batch API"
}

// FreeEndedError is a request for a free variant that is no more: HTTP 404,
// availability "free_variant_ended" with Paid as fallback model (spec row 77).
type FreeEndedError struct{ ID, Paid string }

func (e *FreeEndedError) Error() string {
	return "This model is unavailable for free. The paid version is available now - use this slug instead: " + e.Paid
}

// RouterError is a router that found no model to choose: HTTP 404, availability
// "constraint_filtered" (spec row 130).
type RouterError struct {
	// ID is the router's, as the client wrote it.
	ID      string
	message string
}

func (e *RouterError) Error() string { return e.message }

// NoEndpointError is a request that no endpoint of its models can serve (spec
// section 2.5).
type NoEndpointError struct {
	// Code is the availability code: "no_endpoints", "constraint_filtered",
	// "privacy_restricted", "model_deprecated" or "wrong_endpoint" (spec section 5.3), or
	// "" if the request itself has to be changed.
	Code string
	// ExcludedBy tells, in the words of that section, which constraints dropped
	// endpoints, in the order of the funnel. It may be nil.
	ExcludedBy []string
	// Funnel tells how many endpoints were left after each step.
	Funnel []Stage
	// FailedStep is the step that left none.
	FailedStep string
	// Field is the request's field that no endpoint satisfies, for
	// availability.constraint; "" if the models have no endpoint at all.
	Field string
	// AffectedProviders are the slugs of the providers that the failed step dropped.
	AffectedProviders []string
	// Dropped says of every endpoint why it cannot serve the request.
	Dropped []Dropped
	// Parameters are those of the request that no endpoint takes, or if each is taken by
	// some but not all by any, those that keep one from serving. They are sorted, and nil
	// unless the request requires its parameters.
	Parameters []string
	// Hint says what would bring endpoints back, "" if nothing would.
	Hint string

	message string
}

// Stage is one step of a funnel (spec row 59).
type Stage struct {
	Step      string `json:"step"`
	Endpoints int    `json:"endpoint_count"`
}

func (e *NoEndpointError) Error() string { return e.message }

// Status is the HTTP status: 400 where another endpoint of the API, or another request,
// such as one with a shorter prompt, is the remedy, and 404 otherwise.
func (e *NoEndpointError) Status() int {
	if e.Code == codeWrongEndpoint || e.Code == codeInvalid {
		return http.StatusBadRequest
	}
	return http.StatusNotFound
}

// ContextExceeded reports whether the prompt and the answer fit no endpoint: the
// error_type is then "context_length_exceeded" (spec row 116).
func (e *NoEndpointError) ContextExceeded() bool { return e.FailedStep == contextFilter.step }
