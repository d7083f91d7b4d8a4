package routing

import (
	"github.com/switchyard/switchyard/policies/catalog"
)

// OwnKey is a customer's own key of a provider, as far as a plan depends on it (spec
// section 10). It is immutable.
type OwnKey struct {
	// ID is the key's, Name what people call it.
	ID, Name string
	// Provider is the provider as it is reached with the key. Its slug says of which
	// endpoints there are copies.
	Provider *catalog.Provider
	// Fallback keys are tried after the shared endpoints.
	Fallback bool
	// Exclusive takes the provider's shared endpoints out of the plan, Required those of
	// models that the key may be used for.
	Exclusive, Required bool
	// Retains: the account may retain data, whatever the provider promises the gateway.
	Retains bool
	// Models are patterns of those that the key may be used for; nil is all.
	Models []string
}

// stepOwnKeys is the last step of the spec's funnel (section 2.5). What earlier steps
// dropped has no copies: a key of one's own is no way around a policy (row 189).
const stepOwnKeys = "Add BYOK Endpoints"

// StatisticsID is what the candidate's statistics are kept under. A key of a customer's
// own has its own: a bad one must not hold against the shared endpoint.
func (c *Candidate) StatisticsID() string { return statisticsID(c.Endpoint, c.OwnKey) }

func statisticsID(endpoint *catalog.Endpoint, own *OwnKey) string {
	if own == nil {
		return endpoint.ID
	}
	return endpoint.ID + "|own:" + own.ID
}

// addOwnKeys puts a copy of each endpoint for each key of its provider before the shared
// endpoints of the model, whatever the request's order, or for fallback keys behind them
// (rows 182 and 183). The copies keep the order of their endpoints. A key that is not to
// be relied on just now stands behind the shared endpoints too, before the fallback keys.
func (s *scope) addOwnKeys(f *funnel) error {
	if len(s.request.OwnKeys) == 0 {
		return nil
	}
	before := len(f.left)
	placed := make([]entry, 0, before+len(s.request.OwnKeys))
	for ranked := f.left; len(ranked) > 0; {
		end := 1
		for end < len(ranked) && ranked[end].group == ranked[0].group {
			end++
		}
		placed = s.placeOwn(f, placed, ranked[:end])
		ranked = ranked[end:]
	}
	if len(placed) == 0 {
		f.stages = append(f.stages, Stage{Step: stepOwnKeys})
		return &NoEndpointError{
			Code: codeConstraint, ExcludedBy: f.excludedBy, Funnel: f.stages, FailedStep: stepOwnKeys, Field: "is_byok_only",
			AffectedProviders: providersOf(f.left), Dropped: f.dropped,
			Hint:    "Let your own key be used for the model, or let the gateway's serve it: is_byok_only or is_required of the key.",
			message: "No endpoints found that your own keys may be used for, and they exclude the gateway's.",
		}
	}
	f.left = placed
	f.count(stepOwnKeys)
	return nil
}

// placeOwn appends the endpoints of one group, with their copies.
func (s *scope) placeOwn(f *funnel, placed, group []entry) []entry {
	var shared, unreliable, fallback []entry
	for i := range group {
		e := &group[i]
		excluded := false
		for _, key := range s.request.OwnKeys {
			if key.Provider.Slug != e.endpoint.Provider.Slug {
				continue
			}
			fits := key.Models == nil || names(key.Models, e.endpoint.Model)
			excluded = excluded || key.Exclusive || key.Required && fits
			if !fits || key.Retains && retentionFilter.active(s) {
				continue
			}
			switch made := s.copyFor(e, key); {
			case key.Fallback:
				fallback = append(fallback, made)
			case made.state == unstable:
				unreliable = append(unreliable, made)
			default:
				placed = append(placed, made)
			}
		}
		if excluded {
			f.drop(e.endpoint, stepOwnKeys, Reason{words: "only your own keys may be used for it"})
		} else {
			shared = append(shared, *e)
		}
	}
	placed = append(placed, shared...)
	placed = append(placed, unreliable...)
	return append(placed, fallback...)
}

func (s *scope) copyFor(e *entry, key *OwnKey) entry {
	made, endpoint := *e, *e.endpoint
	endpoint.Provider = key.Provider
	made.endpoint, made.own = &endpoint, key
	summary := s.health.Summary(statisticsID(&endpoint, key), s.request.Now)
	made.known, made.state = abridge(&summary, s.request), stateOf(&summary, s.request)
	return made
}
