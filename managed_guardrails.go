package main

import (
	"maps"
	"slices"
	"time"

	"github.com/switchyard/switchyard/extproc"
	"github.com/switchyard/switchyard/policies/api"
	"github.com/switchyard/switchyard/policies/guard"
	"github.com/switchyard/switchyard/policies/identity"
	keystore "github.com/switchyard/switchyard/policies/identity/store"
	"github.com/switchyard/switchyard/policies/routing"
)

// managedGuardrails are the guardrails of the database, compiled.
type managedGuardrails struct {
	guarded  keystore.Guarded
	compiled map[string]compiledGuardrail // by id
}

type compiledGuardrail struct {
	guardrail
	updated    time.Time
	unreadable bool
}

// use compiles what has changed and holds for a key: one that is assigned, and the default
// one of a workspace that has keys, as the default workspace always has. A guardrail that
// cannot be read or compiled, which another version of the gateway would have had to put
// there, lets nothing pass.
func (m *managedGuardrails) use(guarded keystore.Guarded, credentials []identity.Credential, failed func(id string, err error)) {
	compiled := make(map[string]compiledGuardrail, len(guarded.Guardrails))
	held := make(map[string]bool)
	for _, assigned := range guarded.Keys {
		held[assigned.Guardrail] = true
	}
	for _, member := range guarded.Members {
		held[member.Guardrail] = true
	}
	held[keystore.DefaultGuardrail(identity.Default)] = true
	for _, credential := range credentials {
		held[keystore.DefaultGuardrail(credential.Key.Workspace)] = true
	}
	for id, from := range guarded.Guardrails {
		if !held[id] && from.Unreadable == nil { // whose that one is is not known
			continue
		}
		known, ok := m.compiled[id]
		if from.Unreadable != nil {
			known = compiledGuardrail{guardrail: guardrail{constraints: nothing(), managed: true}, unreadable: true}
		} else if !ok || known.unreadable || !known.updated.Equal(from.Updated) {
			rules, err := guard.NewManaged(id, api.ContentRules(&from.GuardrailTerms))
			known = compiledGuardrail{guardrail{rules: rules, constraints: guardrailConstraints(&from.GuardrailTerms), managed: true}, from.Updated, false}
			if from.Limit != nil {
				known.budget.Budget = identity.Budget{Amount: *from.Limit, Reset: from.Reset, IncludeBYOK: from.IncludeBYOK, Since: from.Limited}
			}
			if err != nil {
				failed(id, err)
				known.constraints = nothing()
			}
		}
		compiled[id] = known
	}
	m.guarded, m.compiled = guarded, compiled
}

// nothing lets no endpoint pass.
func nothing() *routing.Constraints { return &routing.Constraints{Only: []string{}} }

// authors are the slugs of those whose models have a switch of their own.
var authors = map[string]string{"anthropic": "anthropic", "openai": "openai", "google": "google", "xai": "x-ai", "other": "other"}

func guardrailConstraints(from *keystore.GuardrailTerms) *routing.Constraints {
	c := &routing.Constraints{
		Only: from.AllowedProviders, Ignore: from.IgnoredProviders, AllowedModels: from.AllowedModels, IgnoredModels: from.IgnoredModels,
		NoFreeTraining: from.FreeTraining != nil && !*from.FreeTraining, NoPaidTraining: from.PaidTraining != nil && !*from.PaidTraining,
	}
	if len(from.ZDR) > 0 {
		c.ZDRAuthors = make(map[string]bool, len(authors))
		for name, author := range authors {
			c.ZDRAuthors[author] = from.ZDR[name]
		}
	}
	return c
}

// guards are what holds for all keys, and for those that are held to more: what the
// configuration says, and what the database does.
func (m *managedGuardrails) guards(configured *guardrails, credentials []identity.Credential) (all *extproc.Guard, ofKeys map[string]*extproc.Guard) {
	all, ofKeys = configured.guards()
	if len(m.compiled) == 0 {
		return all, ofKeys
	}
	united := *configured
	united.known = maps.Clone(configured.known)
	for id, compiled := range m.compiled {
		united.known[id] = compiled.guardrail
	}
	u := united.uniting()
	hold := func(hash, workspace string, joined time.Time) {
		own := m.guarded.Keys[hash]
		inWorkspace := keystore.DefaultGuardrail(workspace)
		guard := u.of([]string{configured.own[hash], inWorkspace, own.Guardrail}, m.guarded.Members[hash])
		if guard == nil {
			return
		}
		since := map[string]time.Time{own.Guardrail: own.Since}
		if own.Guardrail != inWorkspace || joined.Before(own.Since) {
			since[inWorkspace] = joined
		}
		ofKeys[hash] = guardSince(guard, since)
	}
	hold("", identity.Default, time.Time{}) // everybody, at a gateway without keys
	for _, hash := range configured.keys {
		hold(hash, identity.Default, time.Time{})
	}
	for _, credential := range credentials {
		hold(credential.Key.Hash, credential.Key.Workspace, credential.Key.Joined)
	}
	return all, ofKeys
}

// guardSince is a guard whose key came to guardrails of the database at times, by their ids:
// their budgets hold for it since then.
func guardSince(guard *extproc.Guard, since map[string]time.Time) *extproc.Guard {
	ofKey := func(b extproc.GuardBudget) bool {
		return b.Managed && b.Member == "" && b.Budget.Since.Before(since[b.Guardrail])
	}
	if !slices.ContainsFunc(guard.Budgets, ofKey) {
		return guard
	}
	own := *guard
	own.Budgets = slices.Clone(guard.Budgets)
	for i := range own.Budgets {
		if ofKey(own.Budgets[i]) {
			own.Budgets[i].Budget.Since = since[own.Budgets[i].Guardrail]
		}
	}
	return &own
}

func latest(a, b time.Time) time.Time {
	if a.Before(b) {
		return b
	}
	return a
}
