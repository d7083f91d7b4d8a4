package api

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/switchyard/switchyard/policies/config/configpb"
	"github.com/switchyard/switchyard/policies/identity"
	"github.com/switchyard/switchyard/policies/money"
)

// Row 159: limit and limit_remaining are the key's own; budgets are all that hold, and
// effective_budget the one that refuses first. Of what others spend too, who may not read
// usage is told whether anything is left.
func TestRow159KeyTellsOfAllBudgets(t *testing.T) {
	const cent = money.Dollar / 100
	own := KeyBudget{Scope: ScopeKey, Budget: identity.Budget{Amount: 5 * money.Dollar, Reset: identity.ResetDaily, IncludeBYOK: true}, Spent: money.Dollar + 1}
	workspace := KeyBudget{Scope: ScopeWorkspace, ID: "b", Budget: identity.Budget{Amount: 2 * money.Dollar}, Spent: money.Dollar}
	guardrail := KeyBudget{Scope: ScopeMemberGuardrail, GuardrailID: "g", Budget: identity.Budget{Amount: cent, Reset: identity.ResetMonthly}}
	beyond := KeyBudget{Scope: ScopeCredits, Budget: identity.Budget{Amount: cent}, Spent: 3 * cent}
	for _, test := range []struct {
		name    string
		budgets []KeyBudget
		want    []string
	}{
		{"none", nil, []string{`"limit":null,"limit_remaining":null`, `"budgets":[],"effective_budget":null`}},
		{"its own", []KeyBudget{own}, []string{`"limit":5,"limit_remaining":3.999999999999,"limit_reset":"daily"`, `"effective_budget":{"scope":"key_limit","budget_id":null,"guardrail_id":null,"limit_usd":5,"spend_usd":1.000000000001,"remaining_usd":3.999999999999,"reset_interval":"daily"`}},
		{"the least that is left", []KeyBudget{own, workspace, guardrail}, []string{`"limit":5,"limit_remaining":3.999999999999,"limit_reset":"daily"`,
			`"budgets":[{"scope":"key_limit"`, `{"scope":"workspace","budget_id":"b","guardrail_id":null,"limit_usd":null,"spend_usd":null,"remaining_usd":null,"reset_interval":null,"resets_at":null`,
			`"effective_budget":{"scope":"member","budget_id":null,"guardrail_id":"g","limit_usd":0.01`}},
		{"the first that is spent", []KeyBudget{workspace, beyond, guardrail}, []string{`"limit":null`, `"effective_budget":{"scope":"credits","budget_id":null,"guardrail_id":null,"limit_usd":null,"spend_usd":null,"remaining_usd":0,`}},
	} {
		options := withKey(t, &configpb.Key{Name: "k"})
		options.KeyLimits = func(context.Context, *identity.Key, time.Time) (KeyLimits, error) {
			return KeyLimits{Requests: identity.Limit{Requests: 3, Window: time.Minute}, Shared: true, Budgets: test.budgets}, nil
		}
		got := ask(options, "GET", "/api/v1/key", "Authorization", "Bearer "+goodKey).Body.String()
		for _, part := range append(test.want, `"rate_limit":{"requests":3,"interval":"1m0s","note":"Requests in any interval of this length, of all keys of the organization together."}`) {
			if !strings.Contains(got, part) {
				t.Errorf("%s: no %s in %s", test.name, part, got)
			}
		}
	}
	options := withKey(t, &configpb.Key{Name: "k", Management: true})
	options.KeyLimits = func(context.Context, *identity.Key, time.Time) (KeyLimits, error) {
		return KeyLimits{Budgets: []KeyBudget{workspace}}, nil
	}
	if got := ask(options, "GET", "/api/v1/key", "Authorization", "Bearer "+goodKey).Body.String(); !strings.Contains(got, `"limit_usd":2,"spend_usd":1,"remaining_usd":1,`) {
		t.Errorf("who may read usage is not told what a workspace has spent: %s", got)
	}
	options = withKey(t, &configpb.Key{Name: "k"})
	options.KeyLimits = func(context.Context, *identity.Key, time.Time) (KeyLimits, error) {
		return KeyLimits{}, errors.New("Redis is down")
	}
	wantError(t, ask(options, "GET", "/api/v1/key", "Authorization", "Bearer "+goodKey), 503, "provider_overloaded")
}
