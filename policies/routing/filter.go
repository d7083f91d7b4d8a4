package routing

import (
	"github.com/switchyard/switchyard/policies/catalog"
)

// The names of steps that are none of the filters (spec section 2.5).
const (
	stepInitial  = "Initial Endpoints"
	stepTier     = "Filter by Service Tier"
	stepFallback = "Filter by Fallback"
	stepAttempts = "Limit Attempts"
)

// filter is one step that drops endpoints which cannot serve a request.
type filter struct {
	// step is its name in the funnel.
	step string
	// field of the request that the filter is about.
	field string
	// code is the availability code if none is left, codeInvalid if the request itself
	// is at fault; excludedBy is what it tells of endpoints that were dropped, "" for
	// nothing (spec section 5.3).
	code       string
	excludedBy string
	// hint tells what would bring endpoints back.
	hint string
	// soft: a model of which no endpoint is left keeps all of them, and the
	// provider does not get to see the parameter (spec section 2.3).
	soft bool
	// spare, if there is one, looks at all endpoints that are left and tells which of them
	// a model keeps that would be left without any.
	spare func(s *scope, left []entry) func(*catalog.Endpoint) bool
	// active tells whether a request asks for anything here.
	active func(*scope) bool
	// refuse says why an endpoint cannot serve the request, if it cannot. The variant
	// is what the model's id asks for besides.
	refuse func(s *scope, e *catalog.Endpoint, v variant) (Reason, bool)
	// message tells a client that none of these endpoints can.
	message func(*scope, []entry) string
}

// filters are the steps in the order of the spec's funnel; those that it does not
// have stand beside their like.
var filters = [...]filter{
	expirationFilter,
	outputFilter,
	modelFilter,
	tierRowFilter,
	providerFilter,
	toolLoopFilter,
	trainingFilter,
	retentionFilter,
	distillableFilter,
	regionFilter,
	jurisdictionFilter,
	quantizationFilter,
	guardrailFilter,
	toolFilter,
	toolChoiceFilter,
	webSearchFilter,
	reasoningFilter,
	inputFilter("image", "Filter by Image Support"),
	inputFilter("audio", "Filter by Audio Support"),
	inputFilter("file", "Filter by File Support"),
	inputFilter("video", "Filter by Video Support"),
	maxTokensFilter,
	contextFilter,
	responseFormatFilter,
	verbosityFilter,
	parameterFilter,
	priceFilter,
}

// saying is a message that is the same for every request.
func saying(words string) func(*scope, []entry) string {
	return func(*scope, []entry) string { return words }
}

// The availability codes of spec section 5.3 that a plan can end with. It has none for
// a request that has to be changed, which is answered 400.
const (
	codeInvalid       = ""
	codeNoEndpoints   = "no_endpoints"
	codeDeprecated    = "model_deprecated"
	codeConstraint    = "constraint_filtered"
	codePrivacy       = "privacy_restricted"
	codeWrongEndpoint = "wrong_endpoint"
)
