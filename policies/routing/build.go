package routing

import (
	"cmp"
	"slices"

	"github.com/switchyard/switchyard/policies/catalog"
)

// Build plans a request: for each model in the order asked for, its endpoints in
// the order configured, and of these the ones that cool down behind the others.
// All endpoints of a model come before those of the next (spec section 3.2).
//
// The error is [ErrNoModel], an [*UnknownModelError], a [*TooManyModelsError] or
// a [*NoEndpointError].
func Build(request Request, models *catalog.Catalog, health View, options Options) (Plan, error) {
	asked, err := resolve(request, models, cmp.Or(options.MaxFallbackModels, 3))
	if err != nil {
		return Plan{}, err
	}
	var endpoints []*catalog.Endpoint
	for _, model := range asked {
		endpoints = append(endpoints, order(model.Endpoints, request, health)...)
	}
	plan := Plan{}
	endpoints, plan.Dropped, err = narrow(endpoints, request, asked)
	if err != nil {
		return Plan{}, err
	}
	for i, endpoint := range endpoints {
		if i >= cmp.Or(options.MaxCandidates, 8) {
			plan.Dropped = append(plan.Dropped, Dropped{endpoint, stepAttempts, "enough others come first"})
			continue
		}
		plan.Candidates = append(plan.Candidates, Candidate{Model: endpoint.Model, Endpoint: endpoint})
	}
	return plan, nil
}

// resolve finds the models asked for, each of them once.
func resolve(request Request, models *catalog.Catalog, limit int) ([]*catalog.Model, error) {
	if len(request.Models) > limit {
		return nil, &TooManyModelsError{Limit: limit}
	}
	ids := request.Models
	if request.Model != "" {
		ids = append([]string{request.Model}, ids...)
	}
	if len(ids) == 0 {
		return nil, ErrNoModel
	}
	var found []*catalog.Model
	for _, id := range ids {
		model, ok := models.Model(id)
		if !ok {
			return nil, &UnknownModelError{ID: id}
		}
		// By id: models on demand are made anew each time.
		if !slices.ContainsFunc(found, func(m *catalog.Model) bool { return m.ID == model.ID }) {
			found = append(found, model)
		}
	}
	return found, nil
}

// order puts endpoints that cool down behind the others.
func order(endpoints []*catalog.Endpoint, request Request, health View) []*catalog.Endpoint {
	ordered := make([]*catalog.Endpoint, 0, len(endpoints))
	var cooling []*catalog.Endpoint
	for _, endpoint := range endpoints {
		if health.Summary(endpoint.ID, request.Now).CoolingUntil.After(request.Now) {
			cooling = append(cooling, endpoint)
		} else {
			ordered = append(ordered, endpoint)
		}
	}
	return append(ordered, cooling...)
}

// narrow applies the filters that the request calls for. Endpoints keep their
// order, and at least one is left if there is no error.
func narrow(endpoints []*catalog.Endpoint, request Request, asked []*catalog.Model) ([]*catalog.Endpoint, []Dropped, error) {
	funnel := []Stage{{Step: stepInitial, Endpoints: len(endpoints)}}
	if len(endpoints) == 0 {
		return nil, nil, &NoEndpointError{Funnel: funnel, FailedStep: stepInitial, message: "No endpoints found for " + asked[0].ID + "."}
	}
	var dropped []Dropped
	for _, filter := range filters {
		if !filter.active(request) {
			continue
		}
		var left []*catalog.Endpoint
		for _, endpoint := range endpoints {
			if reason := filter.refuse(request, endpoint); reason != "" {
				dropped = append(dropped, Dropped{endpoint, filter.step, reason})
			} else {
				left = append(left, endpoint)
			}
		}
		funnel = append(funnel, Stage{Step: filter.step, Endpoints: len(left)})
		if len(left) == 0 {
			return nil, nil, &NoEndpointError{
				Funnel: funnel, FailedStep: filter.step, Field: filter.field,
				Dropped: dropped, message: filter.message(request, endpoints),
			}
		}
		endpoints = left
	}
	return endpoints, dropped, nil
}
