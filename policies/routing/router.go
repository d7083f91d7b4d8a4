package routing

import (
	"math/rand/v2"
	"strings"

	"github.com/switchyard/switchyard/policies/catalog"
)

// maxRouted is how many models a router names: one, and two to fall back to.
const maxRouted = 3

// costTiers are a fifth of the catalog each, from the cheapest on.
var costTiers = [...]string{"low", "medium", "high", "xhigh", "max"}

// router chooses models for a request that names none.
// The variant is what the id asks for besides.
type router func(s *scope, id string, v variant) ([]target, error)

// Routers are the ids under which the catalog lists the routers; each goes by
// "switchyard/" as well.
func Routers() []string {
	return []string{"openrouter/auto", "openrouter/free"}
}

// routerOf finds a router by its id, which may begin with "openrouter/" or
// "switchyard/"; nil is none.
func routerOf(id string) router {
	name, ok := strings.CutPrefix(id, "openrouter/")
	if !ok {
		if name, ok = strings.CutPrefix(id, "switchyard/"); !ok {
			return nil
		}
	}
	switch name {
	case "auto", "auto-beta":
		return (*scope).auto
	case "free":
		return (*scope).free
	case "pareto-code":
		return (*scope).pareto
	}
	return nil
}

// auto chooses by this rule, which is the same for everyone and at any time. Of the
// models that
//
//   - have an endpoint which can serve the request,
//   - match the gateway's and the request's patterns, excluded ones left out,
//   - lie in the cost tier if the request names one, which is a fifth of the
//     catalog by the price of the cheapest endpoint,
//
// the newest comes first, among those of one age the cheapest; the next two are its
// fallbacks. Free variants are not among them. The model that the conversation went
// to before comes first if the client pins it, or if the conversation is tied to an
// endpoint (spec section 4.7).
//
// It looks at models only until it has three.
func (s *scope) auto(id string, v variant) ([]target, error) {
	var chosen []target
	take := func(model *catalog.Model) {
		for i := range chosen {
			if chosen[i].model == model {
				return
			}
		}
		chosen = append(chosen, target{model: model, variant: v, strategy: strategyAuto})
	}
	permits := s.permitted()
	if model, ok := s.pinned(); ok && permits(model) && s.serves(model, v) {
		take(model)
	}
	low, high := band(s.request.Preferences.Auto.CostTier)
	for _, ranked := range s.catalog.Ranked() {
		if len(chosen) == maxRouted {
			break
		}
		if ranked.Percentile >= low && ranked.Percentile < high && permits(ranked.Model) && s.serves(ranked.Model, v) {
			take(ranked.Model)
		}
	}
	if len(chosen) == 0 {
		return nil, &RouterError{ID: id, message: "No models match your request and model restrictions"}
	}
	return chosen, nil
}

// pinned is the model that the conversation went to before.
func (s *scope) pinned() (*catalog.Model, bool) {
	if s.request.Preferences.Auto.PinModel && s.request.LastModel != "" {
		return s.catalog.Configured(s.request.LastModel)
	}
	if s.request.Pin != nil {
		return s.catalog.Configured(s.request.Pin.Model)
	}
	return nil, false
}

// permitted tells whether the auto router may choose a model.
func (s *scope) permitted() func(*catalog.Model) bool {
	auto := &s.request.Preferences.Auto
	allowed, excluded := newPatternSet(auto.Allowed), newPatternSet(auto.Excluded)
	return func(model *catalog.Model) bool {
		return (s.options.AutoModels == nil || names(s.options.AutoModels, model)) &&
			(auto.Allowed == nil || allowed.names(model)) && !excluded.names(model)
	}
}

// band returns the percentiles of a cost tier, half-open.
func band(tier string) (low, high int) {
	for i, name := range costTiers {
		if name == tier {
			return i * 20, (i + 1) * 20
		}
	}
	return 0, 100
}

// free chooses by chance among the models that cost nothing at any endpoint and can
// serve the request, two more of them as fallbacks (spec section 3.5).
func (s *scope) free(id string, v variant) ([]target, error) {
	var source rand.PCG
	source.Seed(s.request.Seed, streamFree)
	draw := rand.New(&source)
	// A shuffle from the inside out, of which only the front is kept.
	var front [maxRouted]*catalog.Model
	seen := 0
	for _, model := range s.catalog.Free() {
		if !s.serves(model, v) {
			continue
		}
		at := draw.IntN(seen + 1)
		if seen < maxRouted {
			front[seen] = front[min(at, maxRouted-1)]
		}
		if at < maxRouted {
			front[at] = model
		}
		seen++
	}
	if seen == 0 {
		return nil, &RouterError{ID: id, message: "No models match your request and model restrictions"}
	}
	chosen := make([]target, min(seen, maxRouted))
	for i := range chosen {
		chosen[i] = target{model: front[i], variant: v, strategy: strategyFree}
	}
	return chosen, nil
}

// pareto has nothing to choose by: it compares scores of coding benchmarks, and the
// catalog holds none.
func (*scope) pareto(id string, _ variant) ([]target, error) {
	return nil, &RouterError{ID: id, message: id + " chooses by coding scores, which this gateway has none of. Ask for openrouter/auto, or for a model by its id."}
}
