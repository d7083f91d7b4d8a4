// Package routing turns a request into a plan: which endpoints may serve it, and
// in which order they are tried.
//
// [Build] is a pure function. The same request, catalog and state of health give
// the same plan in every replica, at any time, and in a test.
package routing

import (
	"time"

	"github.com/switchyard/switchyard/policies/catalog"
)

// Request is what the plan depends on.
type Request struct {
	// Model is the id that the client asks for first, or "".
	Model string
	// Models are the ids in `models`: tried in their order, after Model.
	Models []string
	// InputModalities are what the messages carry besides text.
	InputModalities []string
	// Tools: the request offers tools.
	Tools bool
	// MaxTokens bounds the answer; zero if the client set no bound.
	MaxTokens int64
	// Now is when the request came in.
	Now time.Time
}

// Options are the gateway's own bounds. Zero means the default.
type Options struct {
	// MaxFallbackModels is how many entries `models` may have. Default 3.
	MaxFallbackModels int
	// MaxCandidates is how many endpoints are tried at most. Default 8.
	MaxCandidates int
}

// View is what a plan reads of the endpoints' health.
type View interface {
	// CoolingUntil returns until when an endpoint that failed should be tried
	// last, or a time not after now.
	CoolingUntil(endpointID string, now time.Time) time.Time
}

// Candidate is one attempt to be made.
type Candidate struct {
	Model    *catalog.Model
	Endpoint *catalog.Endpoint
}

// Plan is the attempts to be made, in order, and why there are no others.
type Plan struct {
	// Candidates has at least one entry.
	Candidates []Candidate
	Dropped    []Dropped
}

// Dropped is an endpoint that is not tried.
type Dropped struct {
	Endpoint *catalog.Endpoint
	// Step is the name of the step that dropped it.
	Step string
	// Reason is for people.
	Reason string
}
