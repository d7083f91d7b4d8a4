package extproc

import (
	"testing"

	"github.com/switchyard/switchyard/policies/identity"
	"github.com/switchyard/switchyard/policies/money"
	"github.com/switchyard/switchyard/policies/quota"
)

// Whoever is told of a spent budget is told where it can be raised.
func TestBudgetIsManagedWhereItWasMade(t *testing.T) {
	limits := identity.Limits{Budget: identity.Budget{Amount: money.Dollar}}
	a := &attempt{policy: &Policy{Guard: &Guard{Budgets: []GuardBudget{
		{Guardrail: "configured", Limits: limits}, {Guardrail: "id", Managed: true, Limits: limits}, {Guardrail: "id", Member: "ada", Managed: true, Limits: limits},
	}}}}
	const configuration, guardrail = "in the gateway's configuration", "with a management key, by PATCH /api/v1/guardrails/id"
	managed, configured := &identity.Key{Hash: "h", Managed: true}, &identity.Key{Hash: "h"}
	for _, test := range []struct {
		name  string
		key   *identity.Key
		scope string
		want  string
	}{
		{"a managed key's", managed, "key:h", "with a management key, by PATCH /api/v1/keys/{hash}"},
		{"that of a key of the configuration", configured, "key:h", configuration},
		{"a guardrail's of the configuration", managed, quota.Guardrail("configured", managed, "", &limits)[0].Scope, configuration},
		{"a managed guardrail's of a key", configured, quota.Guardrail("id", configured, "", &limits)[0].Scope, guardrail},
		{"a managed guardrail's of a member", managed, quota.Guardrail("id", managed, "ada", &limits)[0].Scope, guardrail},
		{"an organisation's", managed, "organization:default", configuration},
	} {
		a.key = test.key
		denial := &quota.Denial{Claim: quota.Claim{Limit: quota.Limit{Scope: test.scope, Measure: quota.Money}}}
		if got := a.managedBy(denial); got != test.want {
			t.Errorf("%s: %s, want %s", test.name, got, test.want)
		}
	}
}
