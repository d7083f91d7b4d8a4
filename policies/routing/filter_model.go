package routing

import (
	"fmt"
	"time"

	"github.com/switchyard/switchyard/policies/catalog"
)

// expirationFilter drops models that are gone: asking for them would only fail later,
// and in the provider's words.
var expirationFilter = filter{
	step: "Filter by Expiration", field: "model", code: codeDeprecated,
	hint:   "Ask for another model.",
	active: func(s *scope) bool { return s.catalog != nil && s.catalog.Expiring() }, // [Admits] has none
	refuse: func(s *scope, e *catalog.Endpoint, _ variant) (Reason, bool) {
		return Reason{words: "expired on %s", text: e.Model.ExpirationDate}, e.Model.Expired(s.request.Now)
	},
	message: func(_ *scope, left []entry) string {
		model := left[0].endpoint.Model
		return fmt.Sprintf("%s expired on %s. Ask for another model.", model.ID, model.Expires.Format(time.DateOnly))
	},
}

// effortNone asks for no thinking at all.
const effortNone = "none"

// reasoningFilter drops models that cannot stop thinking where the client wants them
// to. Behind an alias may be any model, so that there a little thinking is as near as
// this one comes (row 100).
var reasoningFilter = filter{
	step: "Filter by Reasoning", field: "reasoning", code: codeInvalid,
	hint:   "Leave the effort out, ask for a low one, or choose a model that answers without reasoning.",
	active: func(s *scope) bool { return s.request.Effort == effortNone },
	refuse: func(_ *scope, e *catalog.Endpoint, v variant) (Reason, bool) {
		return Reason{words: "cannot be told not to reason"}, !v.alias && e.Model.Reasoning != nil && e.Model.Reasoning.Mandatory
	},
	message: saying("Reasoning is mandatory for this endpoint and cannot be disabled."),
}
