package routing

import (
	"fmt"
	"slices"

	"github.com/switchyard/switchyard/policies/catalog"
)

// The names of steps that are none of the filters (spec section 2.5).
const (
	stepInitial  = "Initial Endpoints"
	stepAttempts = "Limit Attempts"
)

// filter is one step that drops endpoints which cannot serve a request.
type filter struct {
	// step is its name in the funnel.
	step string
	// field of the request that the filter is about.
	field string
	// active tells whether a request asks for anything here.
	active func(Request) bool
	// refuse says why an endpoint cannot serve the request, or "" if it can.
	refuse func(Request, *catalog.Endpoint) string
	// message tells a client that none of these endpoints can.
	message func(Request, []*catalog.Endpoint) string
}

// filters are the steps in the order of the spec's funnel.
var filters = [...]filter{
	{
		step:   "Filter by Tool Compatibility",
		field:  "tools",
		active: func(r Request) bool { return r.Tools },
		refuse: func(_ Request, e *catalog.Endpoint) string {
			if slices.Contains(e.Parameters(), "tools") {
				return ""
			}
			return "takes no tools"
		},
		message: func(Request, []*catalog.Endpoint) string {
			return "No endpoints found that support tool use. Leave out `tools`, or choose another model."
		},
	},
	inputFilter("image", "Filter by Image Support"),
	inputFilter("audio", "Filter by Audio Support"),
	inputFilter("file", "Filter by File Support"),
	inputFilter("video", "Filter by Video Support"),
	{
		step:   "Filter by Max Tokens",
		field:  "max_tokens",
		active: func(r Request) bool { return r.MaxTokens > 0 },
		refuse: func(r Request, e *catalog.Endpoint) string {
			if e.MaxCompletionTokens == 0 || r.MaxTokens <= e.MaxCompletionTokens {
				return ""
			}
			return fmt.Sprintf("answers with at most %d tokens", e.MaxCompletionTokens)
		},
		message: func(r Request, refused []*catalog.Endpoint) string {
			most := int64(0)
			for _, e := range refused {
				most = max(most, e.MaxCompletionTokens)
			}
			return fmt.Sprintf("No endpoints found that allow max_tokens of %d. Ask for at most %d.", r.MaxTokens, most)
		},
	},
}

// inputFilter drops endpoints of models that cannot read one kind of input.
func inputFilter(modality, step string) filter {
	return filter{
		step:   step,
		field:  "messages",
		active: func(r Request) bool { return slices.Contains(r.InputModalities, modality) },
		refuse: func(_ Request, e *catalog.Endpoint) string {
			if slices.Contains(e.Model.InputModalities, modality) {
				return ""
			}
			return "takes no " + modality + " input"
		},
		message: func(Request, []*catalog.Endpoint) string {
			return "No endpoints found that support " + modality + " input"
		},
	}
}
