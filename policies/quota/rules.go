package quota

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"time"

	"github.com/switchyard/switchyard/policies/config/configpb"
	"github.com/switchyard/switchyard/policies/identity"
	"github.com/switchyard/switchyard/policies/money"
)

// The kinds of scopes, see [Limit.Scope].
const (
	KindTotal        = "gateway"
	KindKey          = "key"
	KindUser         = "user"
	KindWorkspace    = "workspace"
	KindOrganization = "organization"
	// KindCredits is what an organisation was given to spend.
	KindCredits  = "credits"
	KindModel    = "model"
	KindProvider = "provider"
	KindFree     = "free"
	// KindGuardrail is a guardrail's budget, which each of its keys has for itself, or a
	// member with all their keys.
	KindGuardrail = "guardrail"
)

// appendLimits adds the limits of one scope.
func appendLimits(limits []Limit, kind, name string, of Spender, from *identity.Limits) []Limit {
	if *from == (identity.Limits{}) {
		return limits
	}
	scope := kind + ":" + name
	closed := from.Outage == identity.OutageClosed
	if from.Limit.Requests > 0 && from.Limit.Window > 0 {
		limits = append(limits, Limit{Scope: scope, Measure: Requests, Most: int64(from.Limit.Requests), Window: from.Limit.Window, Closed: closed})
	}
	if from.Tokens.Tokens > 0 && from.Tokens.Window > 0 {
		limits = append(limits, Limit{Scope: scope, Measure: Tokens, Most: from.Tokens.Tokens, Window: from.Tokens.Window, Closed: closed})
	}
	if from.Budget.Amount > 0 {
		// To be exact would be to be generous: the last picodollars are nobody's.
		most := int64(from.Budget.Amount / money.USD(picosPerNano))
		limits = append(limits, Limit{
			Scope: scope, Measure: Money, Most: most, Reset: from.Budget.Reset, Of: of, IncludeBYOK: from.Budget.IncludeBYOK, Since: from.Budget.Since,
			Closed: from.Outage != identity.OutageOpen,
		})
	}
	if from.Concurrency > 0 {
		limits = append(limits, Limit{Scope: scope, Measure: Concurrency, Most: int64(from.Concurrency), Closed: closed})
	}
	return limits
}

// Rules are the limits of a configuration. They are immutable, and nil has none.
type Rules struct {
	total             []Limit
	organization      identity.Limits // of each
	models, providers map[string][]Limit
	freePerMinute     int64
	freePerDay        int64
	accounts          Accounts
}

// Accounts are what organisations and workspaces may spend that are managed over the
// API, by their ids.
type Accounts struct {
	// Credits are what organisations were given, in all time. One that is not there has
	// no such bound.
	Credits map[string]money.USD
	Budgets map[string][]identity.Budget
}

// With are the rules with accounts, which the caller leaves as they are. The receiver may
// be nil.
func (r *Rules) With(accounts Accounts) *Rules {
	var with Rules
	if r != nil {
		with = *r
	}
	with.accounts = accounts
	return &with
}

// NewRules reads the limits of a configuration, but for those of keys. The error joins
// everything that is wrong.
func NewRules(cfg *configpb.Config) (*Rules, error) {
	r := &Rules{
		models: make(map[string][]Limit), providers: make(map[string][]Limit),
		freePerMinute: int64(cfg.GetFreeLimits().GetRequestsPerMinute()), freePerDay: int64(cfg.GetFreeLimits().GetRequestsPerDay()),
	}
	var failures []error
	read := func(path, kind, name string, of Spender, from *configpb.Limits) []Limit {
		limits, err := identity.NewLimits(path, from)
		if err != nil {
			failures = append(failures, err)
		}
		return appendLimits(nil, kind, name, of, &limits)
	}
	r.total = read("total_limits", KindTotal, "", Spender{}, cfg.GetTotalLimits())
	var err error
	if r.organization, err = identity.NewLimits("organization_limits", cfg.GetOrganizationLimits()); err != nil {
		failures = append(failures, err)
	}
	for id, model := range cfg.GetModels() {
		if model.GetLimits() != nil {
			r.models[id] = read(fmt.Sprintf("models[%q].limits", id), KindModel, id, Spender{Model: id}, model.GetLimits())
		}
	}
	for slug, provider := range cfg.GetProviders() {
		if provider.GetLimits() != nil {
			r.providers[slug] = read(fmt.Sprintf("providers[%q].limits", slug), KindProvider, slug, Spender{Provider: slug}, provider.GetLimits())
		}
	}
	return r, errors.Join(failures...)
}

// Request returns the limits that hold for a request with a key, for an end user if it
// names one.
func (r *Rules) Request(key *identity.Key, user string) []Limit {
	limits := appendLimits(nil, KindKey, key.Hash, Spender{KeyHash: key.Hash}, &key.Limits)
	if user != "" && key.User != (identity.Limits{}) {
		limits = appendLimits(limits, KindUser, userName(key.Hash, user), Spender{KeyHash: key.Hash, User: user}, &key.User)
	}
	if r == nil {
		return limits
	}
	for _, budget := range r.accounts.Budgets[key.Workspace] {
		limits = appendLimits(limits, KindWorkspace, key.Workspace, Spender{Workspace: key.Workspace}, &identity.Limits{Budget: budget})
	}
	of := Spender{Organization: key.Organization}
	limits = appendLimits(limits, KindOrganization, key.Organization, of, &r.organization)
	if credits, ok := r.accounts.Credits[key.Organization]; ok {
		// None at all is a limit too, and refuses everything that is not free.
		limits = append(limits, Limit{Scope: KindCredits + ":" + key.Organization, Measure: Money, Most: int64(credits / money.USD(picosPerNano)), Of: of, Closed: true})
	}
	return append(limits, r.total...)
}

// Free returns the limits that hold for requests to free models with a key, besides all
// others (spec section 5.5).
func (r *Rules) Free(key *identity.Key) []Limit {
	if r == nil {
		return nil
	}
	var limits []Limit
	if r.freePerMinute > 0 {
		limits = append(limits, Limit{Scope: KindFree + ":" + account(key), Measure: Requests, Most: r.freePerMinute, Window: time.Minute})
	}
	if daily, ok := r.FreeDaily(key); ok {
		limits = append(limits, daily)
	}
	return limits
}

// FreeDaily is the limit on a day's requests to free models, false if there is none.
func (r *Rules) FreeDaily(key *identity.Key) (Limit, bool) {
	if r == nil || r.freePerDay == 0 {
		return Limit{}, false
	}
	return Limit{Scope: KindFree + ":" + account(key), Measure: Requests, Most: r.freePerDay, Reset: identity.ResetDaily}, true
}

// account is whose requests to free models count together: those of all keys of an
// organisation (spec section 5.5).
func account(key *identity.Key) string { return key.Organization }

// Attempt returns the limits that hold for an attempt at a model by a provider. The
// caller must not change them.
func (r *Rules) Attempt(model, provider string) (ofModel, ofProvider []Limit) {
	if r == nil {
		return nil, nil
	}
	return r.models[model], r.providers[provider]
}

// Guardrail returns the limits that a guardrail sets a key for itself, or the member, if
// one is named, with all their keys.
//
// The budget is the key's since it came to its guardrail, or into the workspace whose
// default one it is; the one of a member does not ask where the keys are.
func Guardrail(name string, key *identity.Key, member string, limits *identity.Limits) []Limit {
	if member != "" {
		return appendLimits(nil, KindGuardrail, userName(member, name), Spender{Member: member}, limits)
	}
	return appendLimits(nil, KindGuardrail, userName(key.Hash, name), Spender{KeyHash: key.Hash}, limits)
}

// userName is a name that tells nobody who the user is, and that users of other keys
// do not share.
func userName(keyHash, user string) string {
	sum := sha256.Sum256([]byte(keyHash + "\x00" + user))
	return hex.EncodeToString(sum[:16])
}
