package api

import (
	"cmp"
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/switchyard/switchyard/policies/identity"
	"github.com/switchyard/switchyard/policies/money"
)

// keyInfo is what GET /key tells of the caller's key (spec section 1.3). Without a
// ledger it is not known what a key has used: those fields are left out.
type keyInfo struct {
	Label           string     `json:"label"`
	Limit           *money.USD `json:"limit"` // of money; null is none
	LimitRemaining  *money.USD `json:"limit_remaining"`
	LimitReset      *string    `json:"limit_reset"`
	IncludeBYOK     bool       `json:"include_byok_in_limit"`
	IsFreeTier      bool       `json:"is_free_tier"`
	IsManagementKey bool       `json:"is_management_key"`
	IsProvisioning  bool       `json:"is_provisioning_key"` // the same, deprecated
	Creator         *string    `json:"creator_user_id"`
	Organization    string     `json:"organization_id"`
	Workspace       string     `json:"workspace_id"`
	DataRegions     []string   `json:"allowed_data_regions"` // of OpenRouter's hosts, of which there is one
	ExpiresAt       *time.Time `json:"expires_at"`
	RateLimit       rateLimit  `json:"rate_limit"`
	FreeDaily       freeDaily  `json:"free_model_daily_requests"`
	// Budgets are all that hold for the key, in the order in which they refuse; Effective
	// is the one that refuses first, as far as the caller may know. Limit and what is left
	// of it are the key's own.
	Budgets   []keyBudget `json:"budgets"`
	Effective *keyBudget  `json:"effective_budget"`
	*keyUsage
}

// KeyLimits are what bounds a key.
type KeyLimits struct {
	// Requests is the tightest limit on requests; zero is none. Shared says that it is one
	// of all keys of the organisation together.
	Requests identity.Limit
	Shared   bool
	// Budgets are in the order in which requests are held to them.
	Budgets []KeyBudget
}

// KeyBudget is a budget that holds for a key, as it is at a time.
type KeyBudget struct {
	Scope BudgetScope
	// ID is that of a workspace's budget, GuardrailID that of a guardrail, or its name in
	// the configuration.
	ID, GuardrailID string
	identity.Budget
	// Spent counts for it in its period. What requests under way have reserved does not.
	Spent money.USD
}

// BudgetScope says whose budget it is, in the words of OpenRouter's SDKs; the last three
// are the gateway's own.
type BudgetScope string

// The scopes.
const (
	ScopeKey              BudgetScope = "key_limit"
	ScopeWorkspace        BudgetScope = "workspace"
	ScopeKeyGuardrail     BudgetScope = "api_key"
	ScopeMemberGuardrail  BudgetScope = "member"
	ScopeDefaultGuardrail BudgetScope = "workspace_default_key"
	ScopeGatewayGuardrail BudgetScope = "gateway_default_key"
	ScopeOrganization     BudgetScope = "organization"
	ScopeCredits          BudgetScope = "credits"
)

// shared reports whether all spend the budget together: what is in it is told who may read
// usage, and others whether anything is left.
func (s BudgetScope) shared() bool {
	return s == ScopeWorkspace || s == ScopeOrganization || s == ScopeCredits
}

// keyBudget is a budget as clients get it. Amounts are null that the caller may not know.
type keyBudget struct {
	Scope       BudgetScope `json:"scope"`
	BudgetID    *string     `json:"budget_id"`
	GuardrailID *string     `json:"guardrail_id"`
	Limit       *money.USD  `json:"limit_usd"`
	Spent       *money.USD  `json:"spend_usd"`
	Remaining   *money.USD  `json:"remaining_usd"` // nothing or less refuses
	Reset       *string     `json:"reset_interval"`
	ResetsAt    *time.Time  `json:"resets_at"`
	IncludeBYOK bool        `json:"include_byok"`
}

// rateLimit says -1 requests where there is no limit (row 159).
type rateLimit struct {
	Requests int    `json:"requests"`
	Interval string `json:"interval"`
	Note     string `json:"note"`
}

// freeDaily counts a day's requests to free models. Where they are not limited, Limit and
// Remaining are -1.
type freeDaily struct {
	Limit     int64 `json:"limit"`
	Remaining int64 `json:"remaining"`
	Used      int64 `json:"used"`
}

// clientHeader is where Envoy tells the client's IP address; it takes away what clients
// say of it.
const clientHeader = "X-Switchyard-Client"

// caller finds out whose request it is. The error is an [*identity.Error].
func (s *server) caller(r *http.Request) (*identity.Key, error) {
	apiKey := cmp.Or(r.Header.Get("X-Api-Key"), r.Header.Get("X-Goog-Api-Key"))
	key, err := s.Keys().Authenticate(r.Header.Get("Authorization"), apiKey, time.Now())
	if err == nil {
		err = key.CheckAddress(r.Header.Get(clientHeader))
	}
	return key, err
}

// refuseCaller says why it is not known whose request it is.
func refuseCaller(w http.ResponseWriter, err error) {
	var refused *identity.Error
	if errors.As(err, &refused) && refused.Temporary() {
		w.Header().Set("Retry-After", "2")
		refuse(w, http.StatusServiceUnavailable, "provider_overloaded", err.Error())
		return
	}
	refuse(w, http.StatusUnauthorized, "authentication", err.Error())
}

func (s *server) key(w http.ResponseWriter, r *http.Request) {
	key, err := s.caller(r)
	if err != nil {
		refuseCaller(w, err)
		return
	}
	info := keyInfo{
		Label:           key.Name,
		IncludeBYOK:     key.Budget.IncludeBYOK,
		IsManagementKey: key.Management(),
		IsProvisioning:  key.Management(),
		Creator:         stated(key.Creator),
		Organization:    key.Organization,
		Workspace:       key.Workspace,
		DataRegions:     []string{"global"},
		FreeDaily:       freeDaily{Limit: -1, Remaining: -1},
		Budgets:         []keyBudget{},
		RateLimit:       rateLimit{Requests: -1, Interval: "10s", Note: "There is no limit on requests."},
	}
	if !key.ExpiresAt.IsZero() {
		info.ExpiresAt = &key.ExpiresAt
	}
	if s.FreeDaily != nil {
		limit, used, err := s.FreeDaily(r.Context(), key, time.Now())
		if err != nil {
			s.Logger.Warn("it is not known what a key has asked of free models", "error", err.Error())
		} else if limit > 0 {
			info.FreeDaily = freeDaily{limit, max(0, limit-used), used}
		}
	}
	if err := s.tellLimits(r.Context(), key, &info); err != nil {
		s.Logger.Warn("it is not known what counts for a key's budgets", "error", err.Error())
		refuse(w, http.StatusServiceUnavailable, "provider_overloaded", "It is not known at the moment what the key has spent. Try again later.")
		return
	}
	if s.Ledger != nil {
		used, err := s.usageOf(r.Context(), key, time.Now())
		if err != nil {
			s.ledgerFailed(w, err)
			return
		}
		info.keyUsage = &used
	}
	reply(w, http.StatusOK, data[keyInfo]{info})
}

// tellLimits fills in what bounds the key.
func (s *server) tellLimits(ctx context.Context, key *identity.Key, info *keyInfo) error {
	now := time.Now()
	limits := KeyLimits{Requests: key.Limit}
	if s.KeyLimits != nil {
		var err error
		if limits, err = s.KeyLimits(ctx, key, now); err != nil {
			return err
		}
	}
	if limits.Requests.Requests > 0 {
		info.RateLimit = rateLimit{limits.Requests.Requests, limits.Requests.Window.String(), "Requests in any interval of this length."}
		if limits.Shared {
			info.RateLimit.Note = "Requests in any interval of this length, of all keys of the organization together."
		}
	}
	for i := range limits.Budgets {
		budget := &limits.Budgets[i]
		remaining := budget.Amount.Add(-budget.Spent)
		told := keyBudget{
			Scope: budget.Scope, BudgetID: stated(budget.ID), GuardrailID: stated(budget.GuardrailID),
			Reset: stated(budget.Reset.String()), ResetsAt: stated(budget.Reset.Next(now)), IncludeBYOK: budget.IncludeBYOK,
		}
		switch {
		case !told.Scope.shared() || key.Role.May(identity.ReadUsage):
			told.Limit, told.Spent, told.Remaining = &budget.Amount, &budget.Spent, &remaining
		case remaining <= 0:
			told.Remaining = new(money.USD)
		}
		if told.Scope == ScopeKey {
			info.Limit, info.LimitRemaining, info.LimitReset = told.Limit, new(max(0, remaining)), told.Reset
		}
		info.Budgets = append(info.Budgets, told)
	}
	info.Effective = effective(info.Budgets)
	return nil
}

// effective is the first budget of which nothing is left, or else the one of which the
// least is of those that the caller may know; nil of none.
func effective(budgets []keyBudget) *keyBudget {
	var least *keyBudget
	for i := range budgets {
		switch left := budgets[i].Remaining; {
		case left == nil:
		case *left <= 0:
			return &budgets[i]
		case least == nil || *left < *least.Remaining:
			least = &budgets[i]
		}
	}
	return least
}
