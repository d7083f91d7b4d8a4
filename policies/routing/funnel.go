package routing

import (
	"slices"

	"github.com/switchyard/switchyard/policies/catalog"
)

// funnel narrows the endpoints of the models asked for, and keeps account.
type funnel struct {
	// left are the endpoints that may still serve, those of one model together.
	left       []entry
	stages     []Stage
	dropped    []Dropped
	excludedBy []string
}

// serviceTierFilter leaves a model's flex endpoints alone to requests that ask for
// flex, if it has any: such a request would rather fail than pay in full (row 131).
var serviceTierFilter = filter{
	step: stepTier, field: "service_tier", soft: true,
	active: func(s *scope) bool { return s.serviceTier() == tierFlex },
	refuse: func(_ *scope, e *catalog.Endpoint, _ variant) (Reason, bool) {
		return Reason{words: "is not of the flex tier"}, e.ServiceTier != tierFlex
	},
}

// narrow applies the filters that the request calls for. If there is no error at
// least one endpoint is left.
func (s *scope) narrow() (*funnel, error) {
	f := &funnel{stages: make([]Stage, 0, len(s.filters)+3)}
	total := 0
	for i := range s.targets {
		total += len(s.targets[i].model.Endpoints)
	}
	f.left = make([]entry, 0, total)
	for i := range s.targets {
		for _, endpoint := range s.targets[i].model.Endpoints {
			f.left = append(f.left, entry{endpoint: endpoint, target: i})
		}
	}
	f.count(stepInitial)
	if total == 0 {
		return nil, &NoEndpointError{
			Code: codeNoEndpoints, Funnel: f.stages, FailedStep: stepInitial,
			Hint:    "Ask for another model.",
			message: "No endpoints found for " + s.targets[0].model.ID + ".",
		}
	}
	for _, filter := range s.filters {
		if err := f.apply(s, filter); err != nil {
			return nil, err
		}
	}
	if serviceTierFilter.active(s) {
		return f, f.apply(s, &serviceTierFilter)
	}
	return f, nil
}

// apply drops what a filter refuses, model by model.
func (f *funnel) apply(s *scope, filter *filter) error {
	before := f.left
	left := f.left[:0]
	var spared func(*catalog.Endpoint) bool
	switch {
	case filter.soft:
		spared = func(*catalog.Endpoint) bool { return true }
	case filter.spare != nil:
		spared = filter.spare(s, f.left)
	}
	for len(before) > 0 {
		end := 1
		for end < len(before) && before[end].target == before[0].target {
			end++
		}
		model := before[:end]
		before = before[end:]
		variant := s.targets[model[0].target].variant
		some := spared == nil || slices.ContainsFunc(model, func(e entry) bool {
			_, refused := filter.refuse(s, e.endpoint, variant)
			return !refused
		})
		for i := range model {
			if reason, refused := filter.refuse(s, model[i].endpoint, variant); refused && (some || !spared(model[i].endpoint)) {
				f.drop(model[i].endpoint, filter.step, reason)
			} else {
				left = append(left, model[i])
			}
		}
	}
	if filter.excludedBy != "" && len(left) < len(f.left) {
		f.excludedBy = append(f.excludedBy, filter.excludedBy)
	}
	if len(left) > 0 {
		f.left = left
		f.count(filter.step)
		return nil
	}
	// Nothing was kept, so nothing of f.left has been written over.
	f.stages = append(f.stages, Stage{Step: filter.step})
	var parameters []string
	if filter.step == parameterFilter.step {
		parameters = s.unhandled(f.left)
	}
	return &NoEndpointError{
		Parameters: parameters,
		Code:       filter.code, ExcludedBy: f.excludedBy, Funnel: f.stages, FailedStep: filter.step, Field: filter.field,
		AffectedProviders: providersOf(f.left), Dropped: f.dropped, Hint: filter.hint,
		message: filter.message(s, f.left),
	}
}

func (f *funnel) count(step string) {
	f.stages = append(f.stages, Stage{Step: step, Endpoints: len(f.left)})
}

func (f *funnel) drop(endpoint *catalog.Endpoint, step string, reason Reason) {
	f.dropped = append(f.dropped, Dropped{Endpoint: endpoint, Step: step, Reason: reason})
}
