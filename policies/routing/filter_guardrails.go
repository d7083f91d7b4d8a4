package routing

import (
	"fmt"

	"github.com/switchyard/switchyard/policies/catalog"
)

// policyFilters are the filters that constraints alone can call for.
var policyFilters = [...]*filter{
	&modelFilter, &providerFilter, &trainingFilter, &retentionFilter, &distillableFilter,
	&regionFilter, &jurisdictionFilter, &quantizationFilter, &priceFilter,
}

// guardrailFilter holds the request to what guardrails say of endpoints. They tighten
// what the request and the policies say, and a request cannot relax them (row 52).
var guardrailFilter = filter{
	step: stepGuardrails, field: "model", code: codeConstraint,
	hint:   "Ask for a model that the guardrails of the key allow, or have them changed.",
	active: func(s *scope) bool { return s.guarded != nil },
	refuse: func(s *scope, e *catalog.Endpoint, v variant) (Reason, bool) {
		for _, filter := range s.guarded.filters {
			if reason, refused := filter.refuse(s.guarded, e, v); refused {
				return reason, true
			}
		}
		return Reason{}, false
	},
	message: func(_ *scope, left []entry) string {
		return fmt.Sprintf("0 endpoints out of %d requested are available matching your guardrail restrictions and data policy.", len(left))
	},
}

const stepGuardrails = "Filter by Guardrails"

// newGuarded is the scope in which guardrails alone hold, nil if there are none. What
// they list is, like that of policies, not for clients to know.
func newGuarded(of *scope, guardrails []*Constraints) *scope {
	s := &scope{request: of.request, catalog: of.catalog, health: of.health, options: of.options}
	s.constraints = append(s.constraints, newConstraint(&Constraints{})) // a request's, of which there is none
	for _, from := range guardrails {
		if from != nil {
			s.constraints = append(s.constraints, newConstraint(from))
		}
	}
	for _, filter := range policyFilters {
		if filter.active(s) {
			s.filters = append(s.filters, filter)
		}
	}
	if len(s.filters) == 0 {
		return nil
	}
	return s
}

// Ineligible are the reasons for which a step dropped endpoints.
type Ineligible struct {
	Reason    string `json:"reason"`
	Endpoints int    `json:"endpoint_count"`
}

// Guarded tells of endpoints that guardrails left none of: how many there were, and for
// which reasons they were dropped. It is 0 where another step failed.
func (e *NoEndpointError) Guarded() (endpoints int, reasons []Ineligible) {
	if e.FailedStep != stepGuardrails {
		return 0, nil
	}
	places := map[string]int{}
	for _, dropped := range e.Dropped {
		if dropped.Step != stepGuardrails {
			continue
		}
		endpoints++
		reason := dropped.Reason.String()
		at, known := places[reason]
		if !known {
			at = len(reasons)
			places[reason], reasons = at, append(reasons, Ineligible{Reason: reason})
		}
		reasons[at].Endpoints++
	}
	return endpoints, reasons
}
