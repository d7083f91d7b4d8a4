package routing

import (
	"cmp"

	"github.com/switchyard/switchyard/policies/catalog"
)

// Build plans a request: it resolves the models, drops the endpoints that cannot or
// must not serve, and ranks the others. All endpoints of a model come before those of
// the next unless the request has them sorted together (spec sections 2 and 3).
//
// It costs time by the models asked for, not by the size of the catalog, but for the
// routers: those look at models until they have found enough.
//
// The error is [ErrNoModel], an [*UnknownModelError], a [*TooManyModelsError], a
// [*BatchOnlyError], a [*FreeEndedError], a [*RouterError] or a [*NoEndpointError].
func Build(request Request, models *catalog.Catalog, health View, options Options) (Plan, error) {
	options.MaxFallbackModels = cmp.Or(options.MaxFallbackModels, 3)
	options.MaxCandidates = cmp.Or(options.MaxCandidates, 8)
	s := newScope(&request, models, health, options)
	requested, err := s.resolve()
	if err != nil {
		return Plan{}, err
	}
	f, err := s.narrow()
	if err != nil {
		return Plan{}, err
	}
	s.rank(f.left)
	if err := s.limitFallbacks(f); err != nil {
		return Plan{}, err
	}
	if err := s.addOwnKeys(f); err != nil {
		return Plan{}, err
	}
	for i := options.MaxCandidates; i < len(f.left); i++ {
		f.drop(f.left[i].endpoint, stepAttempts, Reason{words: "enough others come first"})
	}
	if len(f.left) > options.MaxCandidates {
		f.left = f.left[:options.MaxCandidates]
		f.count(stepAttempts)
	}
	plan := Plan{
		Requested: requested, Strategy: s.strategy(),
		Candidates: make([]Candidate, len(f.left)), Dropped: f.dropped, Funnel: f.stages,
		Pinned:            f.left[0].pinned,
		RequireParameters: request.Preferences.RequireParameters,
		Healing:           request.Preferences.Healing,
	}
	for i := range f.left {
		e := &f.left[i]
		plan.Candidates[i] = Candidate{
			Model: e.endpoint.Model, Endpoint: e.endpoint, OwnKey: e.own,
			WebSearch: s.searches(s.targets[e.target].variant), Compress: s.compresses(e.endpoint), Reason: s.why(e),
		}
	}
	return plan, nil
}

// limitFallbacks leaves one endpoint to a request that wants no fallbacks, or those
// that its order names (rows 23 and 24).
func (s *scope) limitFallbacks(f *funnel) error {
	preferences := &s.request.Preferences
	if !preferences.NoFallbacks {
		return nil
	}
	kept := 1
	if len(preferences.Order) > 0 {
		// In a plan of several models each has its own part of the order.
		kept = 0
		for i := range f.left {
			if f.left[i].order < len(preferences.Order) {
				f.left[kept], f.left[i] = f.left[i], f.left[kept]
				kept++
			}
		}
	}
	for i := kept; i < len(f.left); i++ {
		f.drop(f.left[i].endpoint, stepFallback, Reason{words: "the request allows no fallbacks"})
	}
	if kept == 0 {
		f.stages = append(f.stages, Stage{Step: stepFallback})
		return &NoEndpointError{
			Code: codeConstraint, ExcludedBy: append(f.excludedBy, "allowed_providers"), Funnel: f.stages,
			FailedStep: stepFallback, Field: "provider.order", AffectedProviders: providersOf(f.left), Dropped: f.dropped,
			Hint:    "Name other providers in provider.order, or allow fallbacks.",
			message: "No endpoints found among the providers in provider.order, and the request allows no fallbacks.",
		}
	}
	f.left = f.left[:kept]
	f.count(stepFallback)
	return nil
}

// strategy is how the models were come by: the first one's way, or as fallbacks if
// more than one was asked for by name.
func (s *scope) strategy() string {
	if s.targets[0].strategy == strategyDirect && len(s.targets) > 1 {
		return strategyFallback
	}
	return s.targets[0].strategy
}

// why says what put an endpoint where it stands. What is most telling comes first.
func (s *scope) why(e *entry) Reason {
	switch {
	case e.own != nil:
		return Reason{words: "own key %q", text: e.own.Name}
	case e.pinned:
		return Reason{words: "pinned"}
	case e.order < len(s.request.Preferences.Order):
		return Reason{words: "order[%.0f]", number: float64(e.order)}
	case e.canary != 0:
		return Reason{words: "canary for %.0f%% of requests", number: float64(e.endpoint.CanaryPercent)}
	case e.known.cooling:
		return Reason{words: "cooling down"}
	case e.known.outage:
		return Reason{words: "in an outage"}
	case e.state != stable:
		return Reason{words: "uptime of %.0f%%", number: e.known.uptime}
	case e.missed:
		return Reason{words: "misses a preferred threshold"}
	case e.quality == deprioritised:
		return Reason{words: "calls tools worse than others"}
	case e.reason != Reason{}:
		return e.reason
	case e.sort != "":
		return Reason{words: "sorted by %s", text: string(e.sort)}
	case e.endpoint.Model.Listed:
		return Reason{words: "as listed"}
	}
	return Reason{words: "by price"}
}
