package config

import (
	"strconv"

	"github.com/switchyard/switchyard/policies/config/configpb"
)

// checkLimits checks all limits of the configuration. What cannot be kept is refused
// here, not left without effect.
func (l *loader) checkLimits(config *configpb.Config) {
	budgets := false
	check := func(limits *configpb.Limits, at path) {
		budgets = budgets || limits.GetBudget() != ""
		if config.GetRedis() == nil && limits.GetOnRedisFailure() != configpb.RedisFailure_REDIS_FAILURE_UNSPECIFIED {
			l.report.warn(at.field("on_redis_failure"), "has no effect without redis")
		}
		l.checkEachLimit(limits, at)
	}
	keys := func(limits *configpb.Limits, at path) {
		check(limits, at)
		if user := limits.GetPerUser(); user != nil {
			check(user, at.field("per_user"))
			l.refusePerUser(user, at.field("per_user"))
		}
	}
	others := func(limits *configpb.Limits, at path) {
		if limits != nil {
			check(limits, at)
			l.refusePerUser(limits, at)
		}
	}
	keys(config.GetLimits(), path{".limits"})
	for i, key := range config.GetKeys() {
		keys(key.GetLimits(), path{".keys"}.item(i).field("limits"))
	}
	others(config.GetTotalLimits(), path{".total_limits"})
	others(config.GetOrganizationLimits(), path{".organization_limits"})
	for slug, provider := range config.GetProviders() {
		others(provider.GetLimits(), path{".providers"}.key(slug).field("limits"))
	}
	for id, model := range config.GetModels() {
		others(model.GetLimits(), path{".models"}.key(id).field("limits"))
	}
	for name, guardrail := range config.GetGuardrails() {
		check(&configpb.Limits{Budget: guardrail.GetBudget(), BudgetReset: guardrail.GetBudgetReset()}, path{".guardrails"}.key(name))
	}
	switch ledger := config.GetLedger(); {
	case !budgets:
	case ledger.GetDisabled():
		l.report.warn(path{".ledger", ".disabled"}, "budgets begin anew with every start of the gateway, because there is no account of what was spent")
	case config.GetRedis() != nil && ledger.GetPostgres() == nil:
		l.report.warn(path{".redis"}, "several gateways that share budgets need one ledger.postgres: when Redis loses its data, each knows of its own spending alone")
	}
}

func (l *loader) checkEachLimit(limits *configpb.Limits, at path) {
	if limits.GetUnlimited() && limits.GetRequests() > 0 {
		l.report.fail(at.field("unlimited"), "contradicts requests: %d; remove one of the two", limits.GetRequests())
	}
	if budget, err := strconv.ParseFloat(limits.GetBudget(), 64); err == nil && budget == 0 {
		l.report.fail(at.field("budget"), "must be more than 0; to let nothing be spent, disable the key")
	}
	if limits.GetBudget() == "" && limits.GetBudgetReset() != configpb.BudgetReset_BUDGET_RESET_UNSPECIFIED {
		l.report.warn(at.field("budget_reset"), "has no effect without budget")
	}
	if limits.GetTokens() == 0 && limits.GetTokensWindow().AsDuration() > 0 {
		l.report.warn(at.field("tokens_window"), "has no effect without tokens")
	}
}

func (l *loader) refusePerUser(limits *configpb.Limits, at path) {
	if limits.GetPerUser() != nil {
		l.report.fail(at.field("per_user"), "belongs to the limits of keys; remove it here")
	}
}
