package main

import (
	"maps"
	"slices"
	"testing"
	"time"

	keystore "github.com/switchyard/switchyard/policies/identity/store"
)

// What nobody is held to takes no memory and no time, however many there are.
func TestOnlyGuardrailsThatHoldAreCompiled(t *testing.T) {
	terms := keystore.GuardrailTerms{Filters: []keystore.ContentFilter{{Pattern: "secret", Action: "block"}}}
	guarded := keystore.Guarded{
		Guardrails: map[string]keystore.Guardrail{
			"key":     {ID: "key", GuardrailTerms: terms},
			"member":  {ID: "member", GuardrailTerms: terms},
			"default": {ID: "default", Workspace: "w", GuardrailTerms: terms},
			"idle":    {ID: "idle", GuardrailTerms: terms},
		},
		Keys:    map[string]string{"hash": "key"},
		Members: map[string]keystore.MemberGuardrail{"other": {Member: "m", Guardrail: "member"}},
	}
	compiled := func(m *managedGuardrails) []string { return slices.Sorted(maps.Keys(m.compiled)) }
	var m managedGuardrails
	failed := func(id string, err error) { t.Errorf("%s: %v", id, err) }
	m.use(guarded, failed)
	if got := compiled(&m); !slices.Equal(got, []string{"default", "key", "member"}) {
		t.Errorf("compiled are %v", got)
	}
	guarded.Keys = map[string]string{"hash": "idle"}
	m.use(guarded, failed)
	if got := compiled(&m); !slices.Equal(got, []string{"default", "idle", "member"}) || m.compiled["idle"].updated != (time.Time{}) || len(m.compiled["idle"].rules.Input) != 1 {
		t.Errorf("compiled are %v then", got)
	}
}
