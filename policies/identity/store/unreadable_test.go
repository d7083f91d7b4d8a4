package store

import (
	"testing"
	"time"

	"github.com/switchyard/switchyard/policies/byok"
	"github.com/switchyard/switchyard/policies/identity"
	"github.com/switchyard/switchyard/policies/money"
)

// What cannot be read holds nothing up but what is held to it: keys that are disabled are
// refused all the same.
func TestRowsThatCannotBeReadFreezeNothing(t *testing.T) {
	onBoth(t, func(t *testing.T, open func() *Store) {
		s := open()
		run := func(text string, values ...any) {
			t.Helper()
			db, err := s.source.Get(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if _, err := db.ExecContext(t.Context(), db.Rebind(text), values...); err != nil {
				t.Fatal(err)
			}
		}
		k, plaintext := made(t, s, Key{Name: "k"})
		odd, oddText := made(t, s, Key{Name: "odd"})
		g, err := s.CreateGuardrail(t.Context(), root, GuardrailTerms{Name: "g", Limit: new(money.Dollar)})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := s.Assign(t.Context(), root, g.ID, AssigneeKey, []string{k.Hash}); err != nil {
			t.Fatal(err)
		}
		budget := identity.Budget{Amount: 5 * money.Dollar, Reset: identity.ResetMonthly}
		if _, err := s.SetWorkspaceBudget(t.Context(), root, identity.Default, budget, nil, func([]identity.Budget) error { return nil }); err != nil {
			t.Fatal(err)
		}
		own := madeOwn(t, s, byok.Key{Name: "own"})
		madeOwn(t, s, byok.Key{Name: "other"})

		run(`UPDATE guardrails SET terms = '{"name":"g","reset_interval":"yearly"}' WHERE id = ?`, g.ID) // a later version's word
		run(`UPDATE workspace_budgets SET reset = 'yearly'`)
		run(`UPDATE own_keys SET models = 'all' WHERE id = ?`, own.ID)
		run(`UPDATE api_keys SET limit_reset = 'yearly' WHERE hash = ?`, odd.Hash)
		if _, err := s.Update(t.Context(), root, k.Hash, func(k *Key) error { k.Disabled = true; return nil }); err != nil {
			t.Fatal(err)
		}

		snapshot := loaded(t, s)
		if len(snapshot.Unreadable) != 3 || snapshot.Forged != 1 {
			t.Errorf("%v, and %d forged; want the guardrail, the budget and the own key, and a key", snapshot.Unreadable, snapshot.Forged)
		}
		if _, err := authenticates(t, s, plaintext, time.Now()); err == nil || err.(*identity.Error).Reason != identity.Disabled {
			t.Errorf("the key that was disabled: %v", err)
		}
		if _, err := authenticates(t, s, oddText, time.Now()); err == nil {
			t.Error("a key that cannot be read is let in")
		}
		if held := snapshot.Guarded; held.Guardrails[g.ID].Unreadable == nil || held.Keys[k.Hash].Guardrail != g.ID {
			t.Errorf("%+v", held)
		}
		if budgets := snapshot.Budgets[identity.Default]; len(budgets) != 1 || budgets[0].Amount != identity.MinBudget || budgets[0].Reset != identity.ResetNever {
			t.Errorf("%+v, want one that is spent", budgets)
		}
		if len(snapshot.OwnKeys) != 1 || snapshot.OwnKeys[0].Name != "other" {
			t.Errorf("%+v", snapshot.OwnKeys)
		}

		if _, err := s.UpdateGuardrail(t.Context(), root, g.ID, func(*GuardrailTerms) error { return nil }); err == nil {
			t.Error("what cannot be read is written anew")
		}
		if err := s.DeleteGuardrail(t.Context(), root, g.ID); err != nil {
			t.Errorf("nor can it be deleted: %v", err)
		}
	})
}
