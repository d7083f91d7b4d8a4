package main

import (
	"maps"
	"time"

	"github.com/switchyard/switchyard/extproc"
	"github.com/switchyard/switchyard/policies/api"
	"github.com/switchyard/switchyard/policies/guard"
	"github.com/switchyard/switchyard/policies/identity"
	keystore "github.com/switchyard/switchyard/policies/identity/store"
	"github.com/switchyard/switchyard/policies/quota"
	"github.com/switchyard/switchyard/policies/routing"
)

// managedGuardrails are the guardrails of the database, compiled.
type managedGuardrails struct {
	guarded  keystore.Guarded
	compiled map[string]compiledGuardrail // by id
}

type compiledGuardrail struct {
	guardrail
	updated time.Time
}

// use compiles what has changed. A guardrail that cannot be compiled, which another
// version of the gateway would have had to put there, lets nothing pass.
func (m *managedGuardrails) use(guarded keystore.Guarded, failed func(id string, err error)) {
	compiled := make(map[string]compiledGuardrail, len(guarded.Guardrails))
	for id, from := range guarded.Guardrails {
		known, ok := m.compiled[id]
		if !ok || !known.updated.Equal(from.Updated) {
			rules, err := guard.New(id, api.ContentRules(&from.GuardrailTerms))
			known = compiledGuardrail{guardrail{rules, guardrailConstraints(&from.GuardrailTerms)}, from.Updated}
			if err != nil {
				failed(id, err)
				known.constraints = &routing.Constraints{Only: []string{}}
			}
		}
		compiled[id] = known
	}
	m.guarded, m.compiled = guarded, compiled
}

// authors are the slugs of those whose models have a switch of their own.
var authors = map[string]string{"anthropic": "anthropic", "openai": "openai", "google": "google", "xai": "x-ai", "other": "other"}

func guardrailConstraints(from *keystore.GuardrailTerms) *routing.Constraints {
	c := &routing.Constraints{
		Only: from.AllowedProviders, Ignore: from.IgnoredProviders, AllowedModels: from.AllowedModels, IgnoredModels: from.IgnoredModels,
		NoFreeTraining: from.FreeTraining != nil && !*from.FreeTraining, NoPaidTraining: from.PaidTraining != nil && !*from.PaidTraining,
	}
	for author, enforced := range from.ZDR {
		if c.ZDRAuthors == nil {
			c.ZDRAuthors = make(map[string]bool)
		}
		c.ZDRAuthors[authors[author]] = enforced
	}
	return c
}

// guards are what holds for all keys, and for those that are held to more: what the
// configuration says, and what the database does.
func (m *managedGuardrails) guards(configured *guardrails, credentials []identity.Credential) (all *extproc.Guard, ofKeys map[string]*extproc.Guard) {
	united := *configured
	united.known = maps.Clone(configured.known)
	for id, compiled := range m.compiled {
		united.known[id] = compiled.guardrail
	}
	all, ofKeys = configured.guards()
	if len(m.compiled) == 0 {
		return all, ofKeys
	}
	u := united.uniting()
	hold := func(hash, workspace string) {
		if guard := u.of(configured.own[hash], keystore.DefaultGuardrail(workspace), m.guarded.Keys[hash], m.guarded.Members[hash].Guardrail); guard != nil {
			ofKeys[hash] = guard
		}
	}
	hold("", identity.Default) // everybody, at a gateway without keys
	for _, hash := range configured.keys {
		hold(hash, identity.Default)
	}
	for _, credential := range credentials {
		hold(credential.Key.Hash, credential.Key.Workspace)
	}
	return all, ofKeys
}

// budgets are what guardrails let keys spend, and the members whose keys they are, by
// the keys' hashes.
func (m *managedGuardrails) budgets(configured *guardrails, credentials []identity.Credential) map[string][]quota.GuardrailBudget {
	budgets := make(map[string][]quota.GuardrailBudget)
	add := func(hash, id, member string) {
		if from, ok := m.guarded.Guardrails[id]; ok && from.Limit != nil {
			budgets[hash] = append(budgets[hash], quota.GuardrailBudget{
				Guardrail: id, Member: member, Budget: identity.Budget{Amount: *from.Limit, Reset: from.Reset},
			})
		}
	}
	hold := func(hash, workspace string) {
		if _, ok := budgets[hash]; ok {
			return // a key that is being rotated has two credentials
		}
		add(hash, keystore.DefaultGuardrail(workspace), "")
		add(hash, m.guarded.Keys[hash], "")
		if of, ok := m.guarded.Members[hash]; ok {
			add(hash, of.Guardrail, of.Member)
		}
	}
	for _, hash := range configured.keys {
		hold(hash, identity.Default)
	}
	for _, credential := range credentials {
		hold(credential.Key.Hash, credential.Key.Workspace)
	}
	return budgets
}
