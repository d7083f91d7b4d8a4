package api

import (
	"cmp"
	"context"
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
	// Budgets are the key's own alone, Effective the one that refuses first.
	Budgets   []keyBudget `json:"budgets"`
	Effective *keyBudget  `json:"effective_budget"`
	*keyUsage
}

// keyBudget is a budget that holds for the key.
type keyBudget struct {
	Scope       string     `json:"scope"`
	BudgetID    *string    `json:"budget_id"`
	GuardrailID *string    `json:"guardrail_id"`
	Limit       money.USD  `json:"limit_usd"`
	Spent       money.USD  `json:"spend_usd"`
	Remaining   money.USD  `json:"remaining_usd"`
	Reset       *string    `json:"reset_interval"`
	ResetsAt    *time.Time `json:"resets_at"`
	IncludeBYOK bool       `json:"include_byok"`
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

func (s *server) key(w http.ResponseWriter, r *http.Request) {
	key, err := s.caller(r)
	if err != nil {
		refuse(w, http.StatusUnauthorized, "authentication", err.Error())
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
	if key.Limit.Requests > 0 {
		info.RateLimit = rateLimit{key.Limit.Requests, key.Limit.Window.String(), "Requests in any interval of this length."}
	}
	if s.FreeDaily != nil {
		limit, used, err := s.FreeDaily(r.Context(), key, time.Now())
		if err != nil {
			s.Logger.Warn("it is not known what a key has asked of free models", "error", err.Error())
		} else if limit > 0 {
			info.FreeDaily = freeDaily{limit, max(0, limit-used), used}
		}
	}
	if err := s.tellBudget(r.Context(), key, &info); err != nil {
		s.Logger.Warn("it is not known what a key has spent of its budget", "error", err.Error())
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

// tellBudget fills in the key's budget, if it has one. What requests under way have
// reserved of it is not spent yet.
func (s *server) tellBudget(ctx context.Context, key *identity.Key, info *keyInfo) error {
	if key.Budget.Amount <= 0 || s.BudgetUsed == nil {
		return nil
	}
	now := time.Now()
	used, err := s.BudgetUsed(ctx, key, now)
	if err != nil {
		return err
	}
	left := max(0, key.Budget.Amount.Add(-used))
	info.Limit, info.LimitRemaining = &key.Budget.Amount, &left
	info.LimitReset = stated(key.Budget.Reset.String())
	info.Budgets = []keyBudget{{
		Scope: "key_limit", Limit: key.Budget.Amount, Spent: used, Remaining: left, IncludeBYOK: key.Budget.IncludeBYOK,
		Reset: info.LimitReset, ResetsAt: stated(key.Budget.Reset.Next(now)),
	}}
	info.Effective = &info.Budgets[0]
	return nil
}
