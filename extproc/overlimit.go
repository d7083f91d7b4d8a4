package extproc

import (
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/switchyard/switchyard/extproc/dialect"
	"github.com/switchyard/switchyard/policies/identity"
	"github.com/switchyard/switchyard/policies/money"
	"github.com/switchyard/switchyard/policies/quota"
	"github.com/switchyard/switchyard/policies/usage"
)

// Values of error.metadata.limit_source (spec section 5.4).
const (
	sourceKey      = "openrouter_key_limit"
	sourceCredits  = "openrouter_credits"
	sourceInFlight = "openrouter_in_flight_budget"
	sourceFree     = "openrouter_free_models_per_min"
	sourceFreeDay  = "openrouter_free_tier_daily"
)

// overLimit tells a client which limit refuses its request, and what it can do.
func (a *attempt) overLimit(d *quota.Denial, most estimate) *dialect.Error {
	a.metrics.denials.WithLabelValues(kindOf(d), d.Claim.Measure.String()).Inc()
	switch {
	case d.Unknown:
		return limitUnknown(d)
	case d.Claim.Measure == quota.Money:
		return a.overBudget(d, most)
	case kindOf(d) == quota.KindFree:
		return freeLimited(d)
	case d.Claim.Amount > d.Claim.Most:
		return &dialect.Error{
			Status: http.StatusBadRequest, Type: "token_limit_exceeded",
			Message: fmt.Sprintf("This request may come to %d tokens, and the limit is %s. Shorten it, or ask for fewer max_tokens.", d.Claim.Amount, boundText(&d.Claim.Limit)),
		}
	}
	return rateLimited(d)
}

func kindOf(d *quota.Denial) string {
	kind, _, _ := strings.Cut(d.Claim.Scope, ":")
	return kind
}

func limitUnknown(d *quota.Denial) *dialect.Error {
	return &dialect.Error{
		Status: http.StatusServiceUnavailable, Type: "provider_overloaded",
		Message:  "The gateway cannot tell at the moment whether a limit holds. Try again later.",
		Metadata: map[string]any{"headers": map[string]string{"Retry-After": retryText(d)}},
	}
}

// rateLimited is row 74's error, of a limit of the configuration's.
func rateLimited(d *quota.Denial) *dialect.Error {
	text := fmt.Sprintf("%d requests", d.Claim.Most)
	if d.Claim.Measure != quota.Requests {
		text = boundText(&d.Claim.Limit)
	}
	return &dialect.Error{
		Status: http.StatusTooManyRequests, Type: "rate_limit_exceeded",
		Message: fmt.Sprintf("Rate limit exceeded: %s. Try again in %s seconds.", text, retryText(d)),
		Metadata: map[string]any{"headers": map[string]string{
			"X-RateLimit-Limit":     strconv.FormatInt(d.Claim.Most, 10),
			"X-RateLimit-Remaining": strconv.FormatInt(d.Left(), 10),
			"X-RateLimit-Reset":     strconv.FormatInt(resetAt(d).UnixMilli(), 10),
			"Retry-After":           retryText(d),
		}},
	}
}

// freeLimited is rows 74 and 75. There are no credits to be bought here that would raise
// the limit, and nothing is said of any.
func freeLimited(d *quota.Denial) *dialect.Error {
	told := rateLimited(d)
	told.Message, told.Metadata["limit_source"] = "Rate limit exceeded: free-models-per-min", sourceFree
	if d.Claim.Window == 0 {
		told.Message, told.Metadata["limit_source"] = "Rate limit exceeded: free-models-per-day", sourceFreeDay
	}
	return told
}

// resetAt of a number of requests under way is when the next one may be over.
func resetAt(d *quota.Denial) time.Time {
	if d.Claim.Measure == quota.Concurrency {
		return time.Now().Add(d.RetryAfter)
	}
	return d.ResetAt
}

func retryText(d *quota.Denial) string { return strconv.FormatInt(max(1, seconds(d.RetryAfter)), 10) }

// boundText is a limit in words.
func boundText(l *quota.Limit) string {
	switch l.Measure {
	case quota.Tokens:
		return fmt.Sprintf("%d tokens in any %s", l.Most, l.Window)
	case quota.Concurrency:
		return fmt.Sprintf("%d requests at once", l.Most)
	case quota.Money:
		return fmt.Sprintf("$%s", quota.Dollars(l.Most))
	}
	return fmt.Sprintf("%d requests in any %s", l.Most, l.Window)
}

// overBudget tells of a budget in the words of spec section 5.4: 403 when all of it is
// spent (row 162), 402 with the largest answer that it pays for (row 166), and 402 to be
// tried again when requests under way hold what would do.
func (a *attempt) overBudget(d *quota.Denial, most estimate) *dialect.Error {
	told := &dialect.Error{Status: http.StatusPaymentRequired, Type: "payment_required", Metadata: make(map[string]any)}
	switch kindOf(d) {
	case quota.KindTotal, quota.KindCredits:
		told.Metadata["limit_source"] = sourceCredits
	case quota.KindKey:
		told.Metadata["limit_source"] = sourceKey
	} // OpenRouter has no name for the others
	if d.Exhausted() {
		return a.exhaustedBudget(d, told)
	}
	left, dearest := quota.Dollars(d.Left()), most.dearest
	if d.Claim.IncludeBYOK {
		dearest = most.dearestUpstream
	}
	afford := dearest.ceiling.Affords(left, dearest.prompt)
	shorter := affordablePrompt(dearest.ceiling, left)
	switch {
	case d.Temporary():
		told.Message = "Requests under way hold what is left of the budget. Try again when they are over."
		told.Metadata["limit_source"], told.Metadata["reason"] = sourceInFlight, "in_flight_budget_exhausted"
		told.Metadata["headers"] = map[string]string{"Retry-After": retryText(d)}
	case afford > 0 && dearest.completion > 0 && a.rules.hedgeAfter == 0:
		perChoice := max(1, a.request.Choices)
		told.Message = fmt.Sprintf("This request requires more credits, or fewer max_tokens. You requested up to %d tokens, but can only afford %d.",
			dearest.completion/perChoice, afford/perChoice)
	case dearest.unseen:
		told.Message = fmt.Sprintf("This request may cost $%s, as its files, sounds or searches may be all that the model can read, and $%s is left of the budget.", quota.Dollars(d.Claim.Amount), left)
	case 0 < shorter && shorter < dearest.prompt:
		told.Message = fmt.Sprintf("Prompt tokens limit exceeded: %d > %d", dearest.prompt, shorter)
	default:
		told.Message = fmt.Sprintf("This request may cost $%s, and $%s is left of the budget.", quota.Dollars(d.Claim.Amount), left)
	}
	return told
}

// affordablePrompt is the largest prompt that an amount pays for, zero for none or if
// prompts are free.
func affordablePrompt(ceiling usage.Ceiling, left money.USD) int64 {
	if ceiling.Prompt == 0 {
		return 0
	}
	return max(0, int64(left.Add(-ceiling.Fixed)/ceiling.Prompt))
}

// exhaustedBudget is row 162 for a key, row 174 for a guardrail, row 181 for a workspace,
// and row 165 for an organisation's credits and for the whole gateway.
func (a *attempt) exhaustedBudget(d *quota.Denial, told *dialect.Error) *dialect.Error {
	switch kindOf(d) {
	case quota.KindCredits:
		told.Message = "Insufficient credits. Your organization has used up what it was given; whoever operates the gateway can add more."
		return told
	case quota.KindTotal:
		told.Message = "Insufficient credits. The gateway's budget is used up" + untilText(d) + "."
		return told
	case quota.KindWorkspace:
		told.Status, told.Type = http.StatusForbidden, "permission_denied"
		told.Message = fmt.Sprintf("Workspace %s budget of $%s exceeded. Contact your org admin.", lifetimeText(d.Claim.Reset), dollarText(quota.Dollars(d.Claim.Most)))
		if !d.ResetAt.IsZero() { // behind the words that clients know
			told.Message += " The budget begins anew at " + d.ResetAt.UTC().Format(time.RFC3339) + "."
		}
		told.Metadata = nil
		return told
	}
	kind := kindOf(d)
	if a.policy.BudgetStatus != http.StatusPaymentRequired || kind == quota.KindGuardrail {
		told.Status, told.Type = http.StatusForbidden, "permission_denied"
	}
	told.Message = fmt.Sprintf("%s limit exceeded (%s limit)%s. Manage it %s.",
		strings.ToUpper(kind[:1])+kind[1:], periodText(d.Claim.Reset), untilText(d), a.managedBy(d))
	return told
}

// managedBy says where whoever may can raise a budget.
func (a *attempt) managedBy(d *quota.Denial) string {
	switch kindOf(d) {
	case quota.KindKey:
		if a.key.Managed {
			return "with a management key, by PATCH /api/v1/keys/{hash}"
		}
	case quota.KindGuardrail:
		for _, budget := range a.policy.GuardOf(a.key).Budgets {
			limits := quota.Guardrail(budget.Guardrail, a.key, budget.Member, &budget.Limits)
			if budget.Managed && slices.ContainsFunc(limits, func(l quota.Limit) bool { return l.Scope == d.Claim.Scope }) {
				return "with a management key, by PATCH /api/v1/guardrails/" + budget.Guardrail
			}
		}
	}
	return "in the gateway's configuration"
}

func periodText(reset identity.Reset) string {
	if reset == identity.ResetNever {
		return "total"
	}
	return reset.String()
}

// lifetimeText is a period in the words of a workspace's budgets.
func lifetimeText(reset identity.Reset) string {
	if reset == identity.ResetNever {
		return "lifetime"
	}
	return reset.String()
}

// dollarText has cents, unless there is more to it.
func dollarText(amount money.USD) string {
	if amount%(money.Dollar/100) == 0 {
		return fmt.Sprintf("%.2f", amount.Float64())
	}
	return amount.String()
}

func untilText(d *quota.Denial) string {
	if d.ResetAt.IsZero() {
		return ""
	}
	return ", until " + d.ResetAt.UTC().Format(time.RFC3339)
}
