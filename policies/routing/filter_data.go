package routing

import (
	"strings"

	"github.com/switchyard/switchyard/policies/catalog"
)

// trainingFilter leaves endpoints that do not train, and where data collection is denied
// those of them that do not store either (row 50).
var trainingFilter = filter{
	step: "Filter by Data Policy", field: "provider.data_collection", code: codePrivacy, excludedBy: "data_policy:training",
	hint: "Allow data collection, or choose a model whose providers promise none.",
	active: func(s *scope) bool {
		return s.any(func(c *constraint) bool { return c.DenyDataCollection || c.NoFreeTraining || c.NoPaidTraining })
	},
	refuse: func(s *scope, e *catalog.Endpoint, _ variant) (Reason, bool) {
		if s.deniesCollection() {
			return Reason{words: "may store data or train on it"}, !e.NoTraining || !e.NoRetention
		}
		return Reason{words: "may train on data"}, !e.NoTraining && s.any(func(c *constraint) bool { return c.noTraining(e) })
	},
	message: func(s *scope, _ []entry) string {
		if s.deniesCollection() {
			return "No endpoints found matching your data policy (data_collection: deny)."
		}
		return "No endpoints found matching your data policy (No training)."
	},
}

func (s *scope) deniesCollection() bool {
	return s.any(func(c *constraint) bool { return c.DenyDataCollection })
}

// retentionFilter leaves endpoints that keep nothing. One constraint that asks for it
// is enough (rows 51 and 52).
var retentionFilter = filter{
	step: "Filter by Zero Data Retention", field: "provider.zdr", code: codePrivacy, excludedBy: "data_policy:zdr",
	hint: "Leave provider.zdr out, or choose a model that has endpoints of zero data retention.",
	active: func(s *scope) bool {
		return s.any(func(c *constraint) bool { return c.ZDR || len(c.ZDRAuthors) > 0 })
	},
	refuse: func(s *scope, e *catalog.Endpoint, _ variant) (Reason, bool) {
		return Reason{words: "may retain data"}, !e.NoRetention && s.any(func(c *constraint) bool { return c.ZDR || c.zdrOf(e.Model) })
	},
	message: saying("No endpoints found matching your data policy (Zero data retention)."),
}

// noTraining reports whether an endpoint must not train on what it is sent.
func (c *constraint) noTraining(e *catalog.Endpoint) bool {
	if e.Prices.Free() {
		return c.NoFreeTraining
	}
	return c.NoPaidTraining
}

// zdrOf reports whether only endpoints that keep nothing may serve the model, for its
// author's sake.
func (c *constraint) zdrOf(model *catalog.Model) bool {
	if len(c.ZDRAuthors) == 0 {
		return false
	}
	author, _, _ := strings.Cut(model.ID, "/")
	enforced, named := c.ZDRAuthors[author]
	if !named {
		enforced = c.ZDRAuthors["other"]
	}
	return enforced
}

// distillableFilter is about what the model's author allows (row 53).
var distillableFilter = filter{
	step: "Filter by Distillable Text", field: "provider.enforce_distillable_text", code: codeConstraint,
	hint:   "Choose a model whose author allows that its answers train other models.",
	active: func(s *scope) bool { return s.any(func(c *constraint) bool { return c.Distillable }) },
	refuse: func(_ *scope, e *catalog.Endpoint, _ variant) (Reason, bool) {
		return Reason{words: "the author does not allow distillation"}, !e.Model.Distillable
	},
	message: saying("No endpoints found of models that allow distillation."),
}

// regionFilter knows "eu" for "eu-west-1" too; what states no region is nowhere.
var regionFilter = filter{
	step: "Filter by Regions", field: "provider.regions", code: codeConstraint, excludedBy: "data_region",
	hint:   "Admit more regions in provider.regions.",
	active: func(s *scope) bool { return s.any(func(c *constraint) bool { return c.Regions != nil }) },
	refuse: func(s *scope, e *catalog.Endpoint, _ variant) (Reason, bool) {
		return Reason{words: "the data would go to region %q", text: stated(e.Region)}, s.any(func(c *constraint) bool {
			return c.Regions != nil && (e.Region == "" || c.regions.placeOfPart(e.Region, '-') == len(c.Regions))
		})
	},
	message: saying("No endpoints found in the requested regions."),
}

// jurisdictionFilter is about where the provider has its headquarters.
var jurisdictionFilter = filter{
	step: "Filter by Jurisdictions", field: "provider.jurisdictions", code: codeConstraint, excludedBy: "geo",
	hint:   "Admit more countries in provider.jurisdictions.",
	active: func(s *scope) bool { return s.any(func(c *constraint) bool { return c.Jurisdictions != nil }) },
	refuse: func(s *scope, e *catalog.Endpoint, _ variant) (Reason, bool) {
		home := e.Provider.Headquarters
		return Reason{words: "the provider is under the law of %q", text: stated(home)}, s.any(func(c *constraint) bool {
			return c.Jurisdictions != nil && (home == "" || !c.jurisdictions.has(home))
		})
	},
	message: saying("No endpoints found in the requested jurisdictions."),
}

func stated(name string) string {
	if name == "" {
		return "unknown"
	}
	return name
}
