package main

import (
	"cmp"
	"context"
	"strings"
	"time"

	"github.com/switchyard/switchyard/extproc"
	"github.com/switchyard/switchyard/policies/api"
	"github.com/switchyard/switchyard/policies/identity"
	keystore "github.com/switchyard/switchyard/policies/identity/store"
	"github.com/switchyard/switchyard/policies/money"
	"github.com/switchyard/switchyard/policies/quota"
)

// keyLimits tells what bounds a key, for GET /key: what a request with it is held to, but
// not what the gateway's total limits bound, which is no tenant's to know.
func (g *gateway) keyLimits(limiter *quota.Limiter) func(context.Context, *identity.Key, time.Time) (api.KeyLimits, error) {
	return func(ctx context.Context, key *identity.Key, now time.Time) (api.KeyLimits, error) {
		policy := g.policy.Load()
		told := api.KeyLimits{}
		for _, limit := range policy.Limits.Request(key, "") {
			kind, _, _ := strings.Cut(limit.Scope, ":")
			scope, known := budgetScopes[kind]
			switch {
			case !known:
			case limit.Measure == quota.Requests:
				if asked := (identity.Limit{Requests: int(limit.Most), Window: limit.Window}); told.Requests.Requests == 0 || tighter(asked, told.Requests) {
					told.Requests, told.Shared = asked, kind != quota.KindKey
				}
			case limit.Measure == quota.Money:
				budget := api.KeyBudget{Scope: scope}
				if scope == api.ScopeWorkspace {
					budget.ID = g.workspaceBudget(key.Workspace, limit.Reset)
				}
				if err := g.addBudget(ctx, limiter, &told, budget, limit, now); err != nil {
					return api.KeyLimits{}, err
				}
			}
		}
		for _, held := range policy.GuardOf(key).Budgets {
			budget := api.KeyBudget{Scope: g.guardrailScope(key, &held), GuardrailID: held.Guardrail}
			for _, limit := range quota.Guardrail(held.Guardrail, key, held.Member, &held.Limits) {
				if err := g.addBudget(ctx, limiter, &told, budget, limit, now); err != nil {
					return api.KeyLimits{}, err
				}
			}
		}
		return told, nil
	}
}

// budgetScopes are the scopes of limits that a key's holder may know of.
var budgetScopes = map[string]api.BudgetScope{
	quota.KindKey: api.ScopeKey, quota.KindWorkspace: api.ScopeWorkspace, quota.KindOrganization: api.ScopeOrganization, quota.KindCredits: api.ScopeCredits,
}

func (g *gateway) addBudget(ctx context.Context, limiter *quota.Limiter, to *api.KeyLimits, budget api.KeyBudget, limit quota.Limit, now time.Time) (err error) {
	budget.Budget = identity.Budget{Amount: quota.Dollars(limit.Most), Reset: limit.Reset, IncludeBYOK: limit.IncludeBYOK}
	budget.Spent, err = g.spentUnder(ctx, limiter, limit, now)
	to.Budgets = append(to.Budgets, budget)
	return err
}

// tighter reports whether a limit lets fewer requests pass in the long run than another.
func tighter(a, b identity.Limit) bool {
	return cmp.Less(float64(a.Requests)/a.Window.Seconds(), float64(b.Requests)/b.Window.Seconds())
}

// workspaceBudget is the id of a workspace's budget, of which each period has one at most.
func (g *gateway) workspaceBudget(workspace string, reset identity.Reset) string {
	g.managed.mu.Lock()
	defer g.managed.mu.Unlock()
	for _, budget := range g.managed.accounts.Budgets[workspace] {
		if budget.Reset == reset {
			return budget.ID
		}
	}
	return ""
}

func (g *gateway) guardrailScope(key *identity.Key, held *extproc.GuardBudget) api.BudgetScope {
	switch {
	case held.Member != "":
		return api.ScopeMemberGuardrail
	case held.Managed && held.Guardrail == keystore.DefaultGuardrail(key.Workspace):
		return api.ScopeDefaultGuardrail
	case !held.Managed && held.Guardrail == g.current.Load().guardrails.general:
		return api.ScopeGatewayGuardrail
	}
	return api.ScopeKeyGuardrail
}

// exactWithin is how long an answer waits for the ledger's figure, where the counter's will do.
const exactWithin = time.Second

// spentUnder is what counts for a budget. Counters round each request up to a nanodollar,
// the ledger does not: where both tell of the same requests of a key, the ledger's figure
// is told. Others have too many for that.
func (g *gateway) spentUnder(ctx context.Context, limiter *quota.Limiter, limit quota.Limit, now time.Time) (money.USD, error) {
	used, err := limiter.Used(ctx, limit, now)
	counted := quota.Dollars(used)
	if err != nil || g.account == nil || limit.Of.KeyHash == "" {
		return counted, err
	}
	bounded, cancel := context.WithTimeout(ctx, exactWithin)
	defer cancel()
	exact, requests, err := g.account.billed(bounded, limit, limit.Reset.Start(now))
	if err != nil {
		return counted, nil // the ledger is behind, and says so in the log
	}
	return nearest(counted, exact, requests), nil
}

// nearest is the exact figure, unless the counter is beyond it by more than so many requests
// were rounded up by: other gateways' are not in the ledger yet then.
func nearest(counted, exact money.USD, requests int64) money.USD {
	if counted > exact.Add(quota.Dollars(1).Mul(requests)) {
		return counted
	}
	return exact
}
