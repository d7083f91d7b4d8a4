// Package routing turns a request into a plan: which endpoints may serve it, and
// in which order they are tried.
//
// [Build] is a pure function. The same request, catalog, statistics and seed give
// the same plan in every replica, at any time, and in a test.
package routing

import (
	"time"

	"github.com/switchyard/switchyard/policies/catalog"
	"github.com/switchyard/switchyard/policies/health"
)

// Request is what the plan depends on.
type Request struct {
	// Model is the id that the client asks for first, or "". It may carry variants
	// ("m/x:nitro"), or name an alias or a router ("openrouter/auto").
	Model string
	// Models are the ids in `models`: tried in their order, after Model.
	Models []string
	// Preferences are the request's `provider` and `plugins`.
	Preferences Preferences
	// Policies are those of the gateway and of the key. All of them hold, besides the
	// request's own constraints. Nil entries are none.
	Policies []*Constraints
	// Guardrails are what guardrails say of endpoints. All of them hold too, in a step of
	// their own. Nil entries are none.
	Guardrails []*Constraints
	// OwnKeys are the caller's own keys of providers, in the order in which those of one
	// provider are tried.
	OwnKeys []*OwnKey
	// Parameters are the request parameters given (spec section 7), sorted.
	Parameters []string
	// InputModalities are what the messages carry besides text.
	InputModalities []string
	// FilesAsText reports whether the gateway reads the files for models that do not; nil
	// for no.
	FilesAsText func() bool
	// OutputModality is what the request's endpoint makes; "" is "text".
	OutputModality string
	// Tools: the request offers tools. ToolName is the name of the first one, and
	// ToolChoice "auto", "none", "required", "function" or "".
	Tools                bool
	ToolName, ToolChoice string
	// ResponseFormat is "json_object", "json_schema", or "" for text.
	ResponseFormat string
	// ServiceTier is "flex", "priority" ("fast" is another word for it), or any other
	// for the default.
	ServiceTier string
	// Effort is how much the model is to think, "none" for not at all, or "" if the
	// model is to decide (spec section 4.5).
	Effort string
	// MaxTokens bounds the answer; zero if the client set no bound.
	MaxTokens int64
	// PromptTokens is an estimate of the prompt, zero if unknown.
	PromptTokens int64
	// LastModel is the model of the latest assistant message, for pin_model.
	LastModel string
	// Pin is where the conversation went before, nil if nowhere.
	Pin *Pin
	// Seed decides what is left to chance: requests of different seeds are spread.
	Seed uint64
	// Now is when the request came in.
	Now time.Time
}

// Pin ties a conversation to an endpoint (spec section 4.7).
type Pin struct {
	// Model is the id of the model, EndpointID that of the endpoint, Provider the
	// slug of its provider.
	Model, EndpointID, Provider string
	// Session: the client named the session itself.
	Session bool
	// Bound: the conversation is in a tool loop with reasoning that only this
	// provider can read. No other provider may go on with it.
	Bound bool
}

// Options are the gateway's own bounds. Zero means the default.
type Options struct {
	// MaxFallbackModels is how many entries `models` may have. Default 3.
	MaxFallbackModels int
	// MaxCandidates is how many endpoints are tried at most. Default 8.
	MaxCandidates int
	// DefaultModel is the model of requests that name none, "" if there is none.
	DefaultModel string
	// Sort is the order of requests that ask for none.
	Sort Sort
	// AutoModels are the patterns of models that openrouter/auto chooses from; nil
	// means all.
	AutoModels []string
}

// View is what a plan reads of the endpoints' statistics. [health.Tracker] is one.
type View interface {
	Summary(endpointID string, now time.Time) health.Summary
}

// Candidate is one attempt to be made.
type Candidate struct {
	Model *catalog.Model
	// Endpoint is the catalog's, or with an own key a copy of it whose provider is reached
	// with that.
	Endpoint *catalog.Endpoint
	// OwnKey is the caller's own key of the provider, nil for the gateway's.
	OwnKey *OwnKey
	// WebSearch: the provider is to search the web (":online", plugin "web").
	WebSearch bool
	// Compress: what of the prompt does not fit the endpoint is left out of its middle.
	Compress bool
	// Reason says to people why it stands where it stands.
	Reason Reason
}

// Plan is the attempts to be made, in order, and why there are no others.
type Plan struct {
	// Requested is the id that the client asked for, Strategy how it was resolved:
	// "direct", "alias", "latest", "fallback", "auto" or "free" (spec section 4.13).
	Requested, Strategy string
	// Candidates has at least one entry.
	Candidates []Candidate
	Dropped    []Dropped
	// Funnel tells how many endpoints were left after each step.
	Funnel []Stage
	// Pinned: the first candidate is where the conversation went before.
	Pinned bool
	// RequireParameters: no parameter of the request may be left out.
	RequireParameters bool
	// Healing: an answer that shall be JSON and nearly is gets repaired.
	Healing bool
}

// Dropped is an endpoint that is not tried.
type Dropped struct {
	Endpoint *catalog.Endpoint
	// Step is the name of the step that dropped it.
	Step string
	// Reason is for people.
	Reason Reason
}
