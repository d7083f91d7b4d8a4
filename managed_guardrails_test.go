package main

import (
	"context"
	"errors"
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/switchyard/switchyard/policies/identity"
	keystore "github.com/switchyard/switchyard/policies/identity/store"
	"github.com/switchyard/switchyard/policies/money"
	"github.com/switchyard/switchyard/policies/quota"
	"github.com/switchyard/switchyard/policies/routing"
)

// What nobody is held to takes no memory and no time, however many there are.
func TestOnlyGuardrailsThatHoldAreCompiled(t *testing.T) {
	terms := keystore.GuardrailTerms{Filters: []keystore.ContentFilter{{Pattern: "secret", Action: "block"}}}
	ofW, ofEmpty, ofDefault := keystore.DefaultGuardrail("w"), keystore.DefaultGuardrail("empty"), keystore.DefaultGuardrail(identity.Default)
	guarded := keystore.Guarded{
		Guardrails: map[string]keystore.Guardrail{
			"key":     {ID: "key", GuardrailTerms: terms},
			"member":  {ID: "member", GuardrailTerms: terms},
			"idle":    {ID: "idle", GuardrailTerms: terms},
			ofW:       {ID: ofW, Workspace: "w", GuardrailTerms: terms},
			ofEmpty:   {ID: ofEmpty, Workspace: "empty", GuardrailTerms: terms},
			ofDefault: {ID: ofDefault, Workspace: identity.Default, GuardrailTerms: terms},
		},
		Keys:    map[string]keystore.KeyGuardrail{"hash": {Guardrail: "key"}},
		Members: map[string]keystore.MemberGuardrail{"other": {Member: "m", Guardrail: "member"}},
	}
	credentials := []identity.Credential{{Key: &identity.Key{Hash: "hash", Workspace: "w"}}}
	compiled := func(m *managedGuardrails) []string { return slices.Sorted(maps.Keys(m.compiled)) }
	want := func(assigned ...string) []string {
		return slices.Sorted(slices.Values(append(assigned, ofW, ofDefault)))
	}
	var m managedGuardrails
	failed := func(id string, err error) { t.Errorf("%s: %v", id, err) }
	m.use(guarded, credentials, failed)
	if got := compiled(&m); !slices.Equal(got, want("key", "member")) {
		t.Errorf("compiled are %v", got)
	}
	guarded.Keys = map[string]keystore.KeyGuardrail{"hash": {Guardrail: "idle"}}
	m.use(guarded, credentials, failed)
	if got := compiled(&m); !slices.Equal(got, want("idle", "member")) || m.compiled["idle"].updated != (time.Time{}) || len(m.compiled["idle"].rules.Input) != 1 {
		t.Errorf("compiled are %v then", got)
	}
}

// A guardrail's budget holds for a key since the latest of what made it hold.
func TestBudgetOfGuardrailHoldsSinceTheKeyCameToIt(t *testing.T) {
	day := func(n int) time.Time { return time.Date(2026, 11, n, 0, 0, 0, 0, time.UTC) }
	terms := keystore.GuardrailTerms{Limit: new(money.Dollar), Reset: identity.ResetMonthly}
	inWorkspace := keystore.DefaultGuardrail("w")
	var m managedGuardrails
	var credentials []identity.Credential
	for _, key := range []identity.Key{
		{Hash: "assigned", Joined: day(8)}, {Hash: "early", Joined: day(1)}, {Hash: "members", Joined: day(9)}, {Hash: "other"},
		{Hash: "moved", Workspace: "w", Joined: day(6)}, {Hash: "stayed", Workspace: "w"},
		{Hash: "twice", Workspace: "w", Joined: day(8)}, {Hash: "first", Workspace: "w", Joined: day(3)},
	} {
		credentials = append(credentials, identity.Credential{Key: &key})
	}
	m.use(keystore.Guarded{
		Guardrails: map[string]keystore.Guardrail{
			"g":         {ID: "g", GuardrailTerms: terms, Limited: day(3)},
			inWorkspace: {ID: inWorkspace, Workspace: "w", GuardrailTerms: terms},
		},
		Keys: map[string]keystore.KeyGuardrail{
			"assigned": {Guardrail: "g", Since: day(5)}, "early": {Guardrail: "g", Since: day(2)},
			"twice": {Guardrail: inWorkspace, Since: day(4)}, "first": {Guardrail: inWorkspace, Since: day(9)},
		},
		Members: map[string]keystore.MemberGuardrail{
			"members": {Member: "ada", Guardrail: "g", Since: day(7)}, "other": {Member: "bob", Guardrail: "g", Since: day(8)},
		},
	}, credentials, func(id string, err error) { t.Error(id, err) })
	made, err := generationOf(t, "")
	if err != nil {
		t.Fatal(err)
	}
	_, ofKeys := m.guards(made.guardrails, credentials)
	for hash, want := range map[string]time.Time{"assigned": day(5), "early": day(3), "members": day(7), "other": day(8), "moved": day(6), "stayed": {}, "twice": day(4), "first": day(3)} {
		budgets := ofKeys[hash].Budgets
		if len(budgets) != 1 || !budgets[0].Budget.Since.Equal(want) {
			t.Errorf("%s: %+v, want one since %v", hash, budgets, want)
		}
	}
}

// Nobody passes a guardrail of whom it is not known what it says, until that is known.
func TestNobodyPassesAGuardrailThatCannotBeRead(t *testing.T) {
	made, err := generationOf(t, "")
	if err != nil {
		t.Fatal(err)
	}
	inWorkspace := keystore.DefaultGuardrail("w")
	credentials := []identity.Credential{{Key: &identity.Key{Hash: "k", Workspace: "w"}}}
	passes := func(m *managedGuardrails, unreadable error, workspace string) bool {
		m.use(keystore.Guarded{
			// Whose default one it is cannot be read either.
			Guardrails: map[string]keystore.Guardrail{inWorkspace: {ID: inWorkspace, Unreadable: unreadable, Workspace: workspace}},
		}, credentials, func(id string, err error) { t.Error(id, err) })
		_, ofKeys := m.guards(made.guardrails, credentials)
		guard := ofKeys["k"]
		return guard == nil || !slices.ContainsFunc(guard.Constraints, func(c *routing.Constraints) bool { return c.Only != nil && len(c.Only) == 0 })
	}
	var m managedGuardrails
	if !passes(&m, nil, "w") || passes(&m, errors.New("damaged"), "") || !passes(&m, nil, "w") {
		t.Error("want it to let pass, then not, then again")
	}
}

// What a key's holder may change of it begins no budget anew that others set.
func TestChangesOfAKeyLeaveBudgetsOfGuardrailsAsTheyAre(t *testing.T) {
	made, err := generationOf(t, "default_guardrail: all\nguardrails: {all: {budget: 1}}\n")
	if err != nil {
		t.Fatal(err)
	}
	inWorkspace := keystore.DefaultGuardrail("w")
	budgeted := keystore.GuardrailTerms{Limit: new(money.Dollar)}
	var m managedGuardrails
	m.use(keystore.Guarded{
		Guardrails: map[string]keystore.Guardrail{
			inWorkspace: {ID: inWorkspace, Workspace: "w", GuardrailTerms: budgeted},
			"g":         {ID: "g", GuardrailTerms: budgeted},
		},
		Keys: map[string]keystore.KeyGuardrail{"k": {Guardrail: "g"}},
	}, []identity.Credential{{Key: &identity.Key{Hash: "k", Workspace: "w"}}}, func(id string, err error) { t.Error(id, err) })
	limiter := quota.New(quota.Options{Spent: func(context.Context, quota.Limit, time.Time) (money.USD, error) { return 0, nil }})
	admitted := make(map[string]int)
	now := time.Now()
	for i := range 20 {
		key := &identity.Key{Hash: "k", Organization: "o", Workspace: "w"}
		if i > 0 {
			since := now.Add(time.Duration(i) * time.Microsecond)
			key.Joined, key.Budget.Since = since, since
		}
		_, ofKeys := m.guards(made.guardrails, []identity.Credential{{Key: key}})
		for _, held := range ofKeys["k"].Budgets {
			for _, limit := range quota.Guardrail(held.Guardrail, key, held.Member, &held.Limits) {
				if _, denial := limiter.Reserve(t.Context(), []quota.Claim{quota.NewClaim(limit, 900_000_000)}, now); denial == nil {
					admitted[held.Guardrail]++
				}
			}
		}
	}
	if want := map[string]int{"all": 1, "g": 1, inWorkspace: 1}; !maps.Equal(admitted, want) {
		t.Errorf("under way under $1 with $0.90 each: %v", admitted)
	}
}
