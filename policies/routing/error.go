package routing

import (
	"errors"
	"fmt"
)

// ErrNoModel is a request that asks for no model at all: HTTP 400.
var ErrNoModel = errors.New("No models provided") //nolint:staticcheck // spec section 5.4, shown to clients

// UnknownModelError is a request for a model that the gateway does not have:
// HTTP 400, availability "model_not_found" (spec row 10).
type UnknownModelError struct{ ID string }

func (e *UnknownModelError) Error() string {
	return e.ID + " is not a valid model ID"
}

// TooManyModelsError is a request whose `models` is too long: HTTP 400 (spec row 66).
type TooManyModelsError struct{ Limit int }

func (e *TooManyModelsError) Error() string {
	return fmt.Sprintf("'models' array must have %d items or fewer.", e.Limit)
}

// NoEndpointError is a request that no endpoint of its models can serve: HTTP
// 404, availability "constraint_filtered" or "no_endpoints" (spec section 2.5).
type NoEndpointError struct {
	// Funnel tells how many endpoints were left after each step.
	Funnel []Stage
	// FailedStep is the step that left none.
	FailedStep string
	// Field is the request's field that no endpoint satisfies, for
	// availability.constraint.
	Field string
	// Dropped says of every endpoint why it cannot serve the request.
	Dropped []Dropped

	message string
}

// Stage is one step of a funnel (spec row 59).
type Stage struct {
	Step      string `json:"step"`
	Endpoints int    `json:"endpoint_count"`
}

func (e *NoEndpointError) Error() string { return e.message }
