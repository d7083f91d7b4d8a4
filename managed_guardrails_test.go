package main

import (
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/switchyard/switchyard/policies/identity"
	keystore "github.com/switchyard/switchyard/policies/identity/store"
	"github.com/switchyard/switchyard/policies/money"
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
		{Hash: "assigned"}, {Hash: "early"}, {Hash: "members", Since: day(9)}, {Hash: "other"}, {Hash: "moved", Workspace: "w", Since: day(6)}, {Hash: "stayed", Workspace: "w"},
	} {
		credentials = append(credentials, identity.Credential{Key: &key})
	}
	m.use(keystore.Guarded{
		Guardrails: map[string]keystore.Guardrail{
			"g":         {ID: "g", GuardrailTerms: terms, Limited: day(3)},
			inWorkspace: {ID: inWorkspace, Workspace: "w", GuardrailTerms: terms},
		},
		Keys: map[string]keystore.KeyGuardrail{"assigned": {Guardrail: "g", Since: day(5)}, "early": {Guardrail: "g", Since: day(2)}},
		Members: map[string]keystore.MemberGuardrail{
			"members": {Member: "ada", Guardrail: "g", Since: day(7)}, "other": {Member: "bob", Guardrail: "g", Since: day(8)},
		},
	}, credentials, func(id string, err error) { t.Error(id, err) })
	made, err := generationOf(t, "")
	if err != nil {
		t.Fatal(err)
	}
	_, ofKeys := m.guards(made.guardrails, credentials)
	for hash, want := range map[string]time.Time{"assigned": day(5), "early": day(3), "members": day(7), "other": day(8), "moved": day(6), "stayed": {}} {
		budgets := ofKeys[hash].Budgets
		if len(budgets) != 1 || !budgets[0].Budget.Since.Equal(want) {
			t.Errorf("%s: %+v, want one since %v", hash, budgets, want)
		}
	}
}
