package identity

import (
	"cmp"
	"fmt"
	"time"

	"github.com/switchyard/switchyard/policies/config/configpb"
	"github.com/switchyard/switchyard/policies/money"
)

// Limits bound what is done in one name: with a key, by an end user, at a provider.
// Each of them holds by itself, and its zero value is no limit.
type Limits struct {
	Limit  Limit
	Tokens TokenLimit
	Budget Budget
	// Concurrency is how many requests may be under way at once.
	Concurrency int
	// Outage is what holds while the store that gateways share does not answer.
	Outage Outage
}

// Limit allows Requests in any span of time of length Window.
type Limit struct {
	Requests int
	Window   time.Duration
}

// TokenLimit allows Tokens, of prompts and answers together, in any span of time of
// length Window.
type TokenLimit struct {
	Tokens int64
	Window time.Duration
}

// Outage is what becomes of limits that nobody can tell to hold.
type Outage uint8

// The outages. By default, budgets are closed and all else is open.
const (
	OutageDefault Outage = iota
	// OutageOpen: each gateway keeps the limits by its own count.
	OutageOpen
	// OutageClosed: requests are refused.
	OutageClosed
)

// Defaults of [configpb.Limits]; the first two are for keys alone.
const (
	defaultRequests     = 40
	defaultWindow       = 10 * time.Second
	defaultTokensWindow = time.Minute
)

// NewLimits reads limits, of which none is given by default. path is that of their
// field, for the error.
func NewLimits(path string, from *configpb.Limits) (Limits, error) {
	var budget money.USD
	if text := from.GetBudget(); text != "" {
		var err error
		if budget, err = ParseBudget(text); err != nil {
			return Limits{}, fmt.Errorf("%s.budget: %w", path, err)
		}
	}
	limits := Limits{
		Budget:      Budget{Amount: budget, Reset: resets[from.GetBudgetReset()]},
		Concurrency: int(from.GetConcurrency()),
		Outage:      outages[from.GetOnRedisFailure()],
	}
	if requests := int(from.GetRequests()); requests > 0 && !from.GetUnlimited() {
		limits.Limit = Limit{requests, cmp.Or(from.GetWindow().AsDuration(), defaultWindow)}
	}
	if tokens := from.GetTokens(); tokens > 0 {
		limits.Tokens = TokenLimit{tokens, cmp.Or(from.GetTokensWindow().AsDuration(), defaultTokensWindow)}
	}
	return limits, nil
}

// newKeyLimits reads a key's limits. Unless told otherwise it has a limit on requests.
func newKeyLimits(path string, from *configpb.Limits) (own, user Limits, err error) {
	if own, err = NewLimits(path, from); err != nil {
		return Limits{}, Limits{}, err
	}
	if !from.GetUnlimited() {
		own.Limit = Limit{
			Requests: int(cmp.Or(from.GetRequests(), defaultRequests)),
			Window:   cmp.Or(from.GetWindow().AsDuration(), defaultWindow),
		}
	}
	user, err = NewLimits(path+".per_user", from.GetPerUser())
	return own, user, err
}

var resets = map[configpb.BudgetReset]Reset{
	configpb.BudgetReset_BUDGET_RESET_DAILY:   ResetDaily,
	configpb.BudgetReset_BUDGET_RESET_WEEKLY:  ResetWeekly,
	configpb.BudgetReset_BUDGET_RESET_MONTHLY: ResetMonthly,
}

var outages = map[configpb.RedisFailure]Outage{
	configpb.RedisFailure_REDIS_FAILURE_OPEN:   OutageOpen,
	configpb.RedisFailure_REDIS_FAILURE_CLOSED: OutageClosed,
}
