package routing

import (
	"slices"

	"github.com/switchyard/switchyard/policies/catalog"
)

// scope is a request on its way to a plan, with all that the plan is made of.
type scope struct {
	request *Request
	catalog *catalog.Catalog
	health  View
	options Options
	// constraints are those of the request, then those of the policies.
	constraints []constraint
	// guarded is where the request's guardrails hold, nil if it has none.
	guarded *scope
	// order is the request's.
	order words
	// filters are those that the request calls for.
	filters []*filter
	// targets are the models asked for, each of them once.
	targets []target
}

// constraint is constraints whose lists are ready to be looked up in.
type constraint struct {
	*Constraints
	only, ignore, regions, jurisdictions words
}

func newConstraint(from *Constraints) constraint {
	return constraint{
		Constraints: from, only: newWords(from.Only), ignore: newWords(from.Ignore),
		regions: newWords(from.Regions), jurisdictions: newWords(from.Jurisdictions),
	}
}

func newScope(request *Request, models *catalog.Catalog, health View, options Options) *scope {
	s := &scope{request: request, catalog: models, health: health, options: options}
	s.order = newWords(request.Preferences.Order)
	s.constraints = make([]constraint, 0, 1+len(request.Policies))
	s.constraints = append(s.constraints, newConstraint(&request.Preferences.Constraints))
	for _, policy := range request.Policies {
		if policy != nil {
			s.constraints = append(s.constraints, newConstraint(policy))
		}
	}
	if len(request.Guardrails) > 0 {
		s.guarded = newGuarded(s, request.Guardrails)
	}
	s.filters = make([]*filter, 0, len(filters))
	for i := range filters {
		if filters[i].active(s) {
			s.filters = append(s.filters, &filters[i])
		}
	}
	return s
}

// serves reports whether the model in a variant has an endpoint that no filter refuses. What the
// endpoints of a named model may ignore, such as a response's format, is a need here:
// a router has others to choose from.
func (s *scope) serves(model *catalog.Model, v variant) bool {
	return slices.ContainsFunc(model.Endpoints, func(e *catalog.Endpoint) bool {
		for _, filter := range s.filters {
			if _, refused := filter.refuse(s, e, v); refused {
				return false
			}
		}
		return true
	})
}

// any reports whether something is true of one of the constraints.
func (s *scope) any(is func(*constraint) bool) bool {
	for i := range s.constraints {
		if is(&s.constraints[i]) {
			return true
		}
	}
	return false
}
