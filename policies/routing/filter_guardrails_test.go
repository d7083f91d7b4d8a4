package routing

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/switchyard/switchyard/policies/config/configpb"
)

func TestGuardrailsTightenWhatPoliciesSay(t *testing.T) {
	guarded := func(provider string, guardrails ...*Constraints) Request {
		request := of(t, provider)
		request.Guardrails = guardrails
		return request
	}
	only := func(names ...string) *Constraints { return &Constraints{Only: names} }
	serving(t, guarded(`{}`, nil, &Constraints{}), abc(t), "a", "b", "c")
	serving(t, guarded(`{}`, only("a", "b"), only("b", "c")), abc(t), "b")
	serving(t, guarded(`{"ignore":["a"]}`, &Constraints{Ignore: []string{"b"}}), abc(t), "c") // row 29
	serving(t, guarded(`{}`, &Constraints{MaxPrice: MaxPrice{Prompt: usd(2_000_000)}}), abc(t), "a", "b")
	serving(t, guarded(`{}`, &Constraints{AllowedModels: []string{"m/*"}, IgnoredModels: []string{"m/y"}}), abc(t), "a", "b", "c")

	// Row 27.
	none := refused(t, guarded(`{"only":["c"]}`, only("secret", "b")), abc(t),
		"0 endpoints out of 1 requested are available matching your guardrail restrictions and data policy.")
	if none.FailedStep != "Filter by Guardrails" || none.Status() != 404 || none.Code != "constraint_filtered" {
		t.Errorf("%+v", none)
	}
	none = refused(t, guarded(`{}`, only("secret"), &Constraints{IgnoredModels: []string{"m/x"}}), abc(t), "0 endpoints out of 3 requested")
	count, reasons := none.Guarded()
	if diff := cmp.Diff([]Ineligible{{"a policy does not allow the model", 3}}, reasons); count != 3 || diff != "" {
		t.Errorf("%d endpoints\n%s", count, diff)
	}
	if told := none.Error() + none.Hint; strings.Contains(told, "secret") {
		t.Errorf("the client is told of %q", told)
	}
	if count, _ := refused(t, of(t, `{"only":["none"]}`), abc(t), "No allowed providers").Guarded(); count != 0 {
		t.Errorf("%d endpoints are guardrails' doing", count)
	}
}

func TestRow52GuardrailsCannotBeRelaxed(t *testing.T) {
	models := yard(t, map[string]*configpb.Model{"m/x": {Endpoints: []*configpb.Endpoint{priced("open", "1"), priced("keeps", "2"), priced("strict", "3")}}},
		map[string]*configpb.Provider{"keeps": {DataPolicy: &configpb.DataPolicy{NoTraining: true}}, "strict": {DataPolicy: &configpb.DataPolicy{NoTraining: true, NoRetention: true}}})
	request := of(t, `{"zdr":false,"data_collection":"allow"}`)
	request.Guardrails = []*Constraints{{ZDR: true}}
	serving(t, request, models, "strict")
	request.Guardrails = []*Constraints{{NoFreeTraining: true, NoPaidTraining: true}}
	serving(t, request, models, "keeps", "strict")
	request.Guardrails = []*Constraints{{NoPaidTraining: true}, {DenyDataCollection: true}}
	serving(t, request, models, "strict")
	plan, err := Build(request, models, statistics{}, Options{})
	if err != nil || !slices.ContainsFunc(plan.Funnel, func(s Stage) bool { return s == Stage{"Filter by Guardrails", 1} }) {
		t.Errorf("funnel %+v, %v", plan.Funnel, err)
	}
}
