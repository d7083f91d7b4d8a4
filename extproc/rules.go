package extproc

import (
	"cmp"
	"slices"
	"time"

	"github.com/switchyard/switchyard/policies/health"
	"github.com/switchyard/switchyard/policies/routing"
)

// Route is the rules for retries and hedges of some models, instead of the
// policy's own.
type Route struct {
	// Models are patterns of the ids that clients ask for; * stands for any text.
	Models []string
	// MaxAttempts is zero, and StopOn nil, where the policy's own hold.
	MaxAttempts int
	StopOn      map[health.Class]bool
	// HedgeAfter is nil where the policy's own holds, and zero for never.
	HedgeAfter *time.Duration
}

// rules are what holds for one request.
type rules struct {
	maxAttempts int
	stopOn      map[health.Class]bool
	hedgeAfter  time.Duration
}

// rulesFor are those of the model that a client asks for first, whatever it calls it:
// by an alias, with a suffix, or not at all.
func (p *Policy) rulesFor(asked string) rules {
	r := rules{maxAttempts: p.Routing.MaxCandidates, stopOn: p.StopOn, hedgeAfter: p.HedgeAfter}
	if len(p.Routes) == 0 {
		return r
	}
	id := routing.BaseModel(cmp.Or(asked, p.Routing.DefaultModel))
	if model, ok := p.Catalog.Alias(id); ok {
		id = model.ID
	} else if model, ok := p.Catalog.Configured(id); ok {
		id = model.ID
	}
	for _, route := range p.Routes {
		if !slices.ContainsFunc(route.Models, func(pattern string) bool {
			return routing.MatchModel(pattern, id) || routing.MatchModel(pattern, asked)
		}) {
			continue
		}
		if route.MaxAttempts > 0 {
			r.maxAttempts = route.MaxAttempts
		}
		if route.StopOn != nil {
			r.stopOn = route.StopOn
		}
		if route.HedgeAfter != nil {
			r.hedgeAfter = *route.HedgeAfter
		}
		break
	}
	return r
}
