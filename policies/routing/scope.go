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
	constraints []*Constraints
	// filters are those that the request calls for.
	filters []*filter
	// targets are the models asked for, each of them once.
	targets []target
}

func newScope(request *Request, models *catalog.Catalog, health View, options Options) *scope {
	s := &scope{request: request, catalog: models, health: health, options: options}
	s.constraints = make([]*Constraints, 0, 1+len(request.Policies))
	s.constraints = append(s.constraints, &request.Preferences.Constraints)
	for _, policy := range request.Policies {
		if policy != nil {
			s.constraints = append(s.constraints, policy)
		}
	}
	s.filters = make([]*filter, 0, len(filters))
	for i := range filters {
		if filters[i].active(s) {
			s.filters = append(s.filters, &filters[i])
		}
	}
	return s
}

// serves reports whether the model has an endpoint that no filter refuses. What the
// endpoints of a named model may ignore, such as a response's format, is a need here:
// a router has others to choose from.
func (s *scope) serves(model *catalog.Model) bool {
	return slices.ContainsFunc(model.Endpoints, func(e *catalog.Endpoint) bool {
		for _, filter := range s.filters {
			if _, refused := filter.refuse(s, e, ""); refused {
				return false
			}
		}
		return true
	})
}

// any reports whether something is true of one of the constraints.
func (s *scope) any(is func(*Constraints) bool) bool {
	return slices.ContainsFunc(s.constraints, is)
}
