package routing

import (
	"slices"
	"strings"

	"github.com/switchyard/switchyard/policies/catalog"
)

// modelFilter drops the models that a policy does not allow.
var modelFilter = filter{
	step: "Filter by Allowed Models", field: "model", code: codeConstraint,
	hint: "Ask for a model that the policy of the gateway and of the key allows.",
	active: func(s *scope) bool {
		return s.any(func(c *constraint) bool { return c.AllowedModels != nil || c.IgnoredModels != nil })
	},
	refuse: func(s *scope, e *catalog.Endpoint, _ variant) (Reason, bool) {
		return Reason{words: "a policy does not allow the model"}, s.any(func(c *constraint) bool {
			return c.AllowedModels != nil && !names(c.AllowedModels, e.Model) || names(c.IgnoredModels, e.Model)
		})
	},
	message: func(_ *scope, left []entry) string {
		return "No endpoints found: the policy of this gateway or key does not allow " + left[0].endpoint.Model.ID + "."
	},
}

// tierRowFilter hides endpoints of a service tier from requests that do not ask for
// it: by service_tier, by variant, or by the endpoint's tag (rows 32, 71, 72).
var tierRowFilter = filter{
	step: "Filter by Tier Endpoint Rows", field: "service_tier", code: codeConstraint,
	hint:   "Ask for the service tier in `service_tier`.",
	active: func(*scope) bool { return true },
	refuse: func(s *scope, e *catalog.Endpoint, v variant) (Reason, bool) {
		if e.ServiceTier == "" || e.ServiceTier == v.tier || e.ServiceTier == s.serviceTier() {
			return Reason{}, false
		}
		return Reason{words: "serves the tier %s only", text: e.ServiceTier},
			!s.order.has(e.Tag) && !s.constraints[0].only.has(e.Tag)
	},
	message: func(_ *scope, left []entry) string {
		return "No endpoints found that serve " + left[0].endpoint.Model.ID + " in the default service tier. Ask for another with `service_tier`."
	},
}

// serviceTier is the tier that the request asks for, "" for the default one (row 133).
func (s *scope) serviceTier() string {
	switch s.request.ServiceTier {
	case tierFlex:
		return tierFlex
	case tierPriority, "fast":
		return tierPriority
	}
	return ""
}

// providerFilter takes all allow lists together, and all lists of ignored providers
// (rows 25 to 33). An ignored provider is ignored in each of its tiers.
var providerFilter = filter{
	step: "Filter by Allowed Providers", field: "provider.only", code: codeConstraint, excludedBy: "allowed_providers",
	hint: "Name other providers in provider.only and provider.ignore, or leave them out.",
	active: func(s *scope) bool {
		return s.any(func(c *constraint) bool { return c.Only != nil || len(c.Ignore) > 0 })
	},
	refuse: func(s *scope, e *catalog.Endpoint, _ variant) (Reason, bool) {
		for i := range s.constraints {
			c := &s.constraints[i]
			ignored, excluded := c.ignore.identify(e), c.Only != nil && !c.only.identify(e)
			switch {
			case !ignored && !excluded:
			case i > 0: // what a policy lists is not for clients to know
				return Reason{words: "a policy does not allow it"}, true
			case ignored:
				return Reason{words: "the provider is ignored"}, true
			default:
				return Reason{words: "the provider is not among those allowed"}, true
			}
		}
		return Reason{}, false
	},
	message: func(s *scope, left []entry) string {
		why := "all of which are ignored."
		if own := s.constraints[0].Only; own != nil {
			why = "but your request's provider.only preference permits only: " + strings.Join(own, ", ") + "."
		} else if at := slices.IndexFunc(s.constraints, func(c constraint) bool { return c.Only != nil }); at > 0 {
			why = "but the policy of this gateway or key permits " + s.constraints[at].permitted(left) + "."
		}
		return "No allowed providers are available for the selected model. Providers serving " + left[0].endpoint.Model.ID +
			": " + strings.Join(providersOf(left), ", ") + ", " + why
	},
}

// permitted says which of the endpoints' providers the constraint's allow list
// names. A policy may name others, which are none of the client's business.
func (c *constraint) permitted(entries []entry) string {
	named := slices.DeleteFunc(slices.Clone(entries), func(e entry) bool { return !c.only.identify(e.endpoint) })
	if len(named) == 0 {
		return "none of them"
	}
	return "only: " + strings.Join(providersOf(named), ", ")
}

// providersOf are the slugs of the endpoints' providers, each of them once.
func providersOf(entries []entry) []string {
	var slugs []string
	for i := range entries {
		if slug := entries[i].endpoint.Provider.Slug; !slices.Contains(slugs, slug) {
			slugs = append(slugs, slug)
		}
	}
	return slugs
}

// toolLoopFilter keeps a conversation with the provider whose sealed reasoning it
// carries: any other would refuse it (spec section 4.7).
var toolLoopFilter = filter{
	step: "Keep Provider of Tool Loop", field: "messages", code: codeConstraint,
	hint:   "Leave the reasoning of earlier turns out of messages.",
	active: func(s *scope) bool { return s.request.Pin != nil && s.request.Pin.Bound },
	refuse: func(s *scope, e *catalog.Endpoint, _ variant) (Reason, bool) {
		return Reason{words: "only %s can read the reasoning of this tool loop", text: s.request.Pin.Provider},
			e.Provider.Slug != s.request.Pin.Provider
	},
	message: func(s *scope, _ []entry) string {
		return "No endpoints found that can go on with this tool loop: only " + s.request.Pin.Provider + " can read the reasoning in it. Leave the reasoning out of messages."
	},
}
