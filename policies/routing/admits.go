package routing

import "github.com/switchyard/switchyard/policies/catalog"

// Admits reports whether constraints alone let an endpoint answer, whatever is asked
// of it. Nil entries are none.
func Admits(constraints []*Constraints, endpoint *catalog.Endpoint) bool {
	s := newScope(&Request{Policies: constraints}, nil, nil, Options{})
	for _, filter := range policyFilters {
		if !filter.active(s) {
			continue
		}
		if _, refused := filter.refuse(s, endpoint, variant{}); refused {
			return false
		}
	}
	return true
}
