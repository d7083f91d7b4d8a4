package store

import (
	"testing"
	"time"

	"github.com/switchyard/switchyard/policies/identity"
	"github.com/switchyard/switchyard/policies/money"
)

func loaded(t *testing.T, s *Store) Snapshot {
	t.Helper()
	snapshot, err := s.Load(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return snapshot
}

// A limit that is taken away and set again is another one, whose counter has missed
// nothing; one whose amount alone is changed counts on. Neither says since when the key is
// in its workspace.
func TestLimitOfKeyIsAnotherWhenItComesBack(t *testing.T) {
	onBoth(t, func(t *testing.T, open func() *Store) {
		s := open()
		lab := createdWorkspace(t, s, root, "lab")
		key, _ := made(t, s, Key{Name: "k", Limit: new(money.Dollar), Reset: identity.ResetDaily})
		since := func(alter func(*Key)) time.Time {
			t.Helper()
			if _, err := s.Update(t.Context(), root, key.Hash, func(k *Key) error { alter(k); return nil }); err != nil {
				t.Fatal(err)
			}
			known, err := s.Key(t.Context(), identity.Default, key.Hash)
			if err != nil {
				t.Fatal(err)
			}
			inUse := loaded(t, s).Credentials[0].Key
			if inUse.Budget.Amount != 0 && !inUse.Budget.Since.Equal(known.Limited) || !inUse.Joined.Equal(known.Joined) {
				t.Errorf("%+v is in use as %+v", known, inUse)
			}
			if !known.Joined.IsZero() {
				t.Errorf("in its workspace since %v", known.Joined)
			}
			return known.Limited
		}
		last := since(func(k *Key) { k.Name, k.Limit = "renamed", new(2*money.Dollar) })
		if !last.IsZero() {
			t.Errorf("another amount: since %v", last)
		}
		for _, change := range []struct {
			what  string
			alter func(*Key)
		}{
			{"no limit", func(k *Key) { k.Limit = nil }},
			{"the limit again", func(k *Key) { k.Limit = new(money.Dollar) }},
			{"weekly", func(k *Key) { k.Reset = identity.ResetWeekly }},
			{"daily again", func(k *Key) { k.Reset = identity.ResetDaily }},
			{"own keys of providers", func(k *Key) { k.IncludeBYOK = true }},
		} {
			now := since(change.alter)
			if !now.After(last) {
				t.Errorf("%s: since %v, before that %v", change.what, now, last)
			}
			last = now
		}
		moved, err := s.Update(t.Context(), root, key.Hash, func(k *Key) error { k.Workspace = lab.ID; return nil })
		if err != nil || !moved.Limited.Equal(last) || !moved.Joined.Equal(moved.Updated) || !loaded(t, s).Credentials[0].Key.Joined.Equal(moved.Joined) {
			t.Errorf("%+v %v, want the limit as it was, and since now in another workspace", moved, err)
		}
	})
}

func TestBudgetOfWorkspaceIsAnotherWhenItComesBack(t *testing.T) {
	onBoth(t, func(t *testing.T, open func() *Store) {
		s := open()
		set := func(amount money.USD) time.Time {
			t.Helper()
			budget := identity.Budget{Amount: amount, Reset: identity.ResetMonthly}
			if _, err := s.SetWorkspaceBudget(t.Context(), root, identity.Default, budget, nil, func([]identity.Budget) error { return nil }); err != nil {
				t.Fatal(err)
			}
			return loaded(t, s).Budgets[identity.Default][0].Since
		}
		first := set(money.Dollar)
		if raised := set(2 * money.Dollar); !raised.Equal(first) || first.IsZero() {
			t.Errorf("since %v, and raised since %v", first, raised)
		}
		if err := s.DeleteWorkspaceBudget(t.Context(), root, identity.Default, identity.ResetMonthly); err != nil {
			t.Fatal(err)
		}
		if again := set(money.Dollar); !again.After(first) {
			t.Errorf("since %v, and again since %v", first, again)
		}
	})
}

func TestBudgetOfGuardrailIsAnotherWhenItComesBack(t *testing.T) {
	onBoth(t, func(t *testing.T, open func() *Store) {
		s := open()
		member := createdMember(t, s, "a@example.com", identity.Admin)
		key, _ := made(t, s, Key{Name: "k", Creator: member.ID})
		g, err := s.CreateGuardrail(t.Context(), root, GuardrailTerms{Name: "g", Limit: new(money.Dollar), Reset: identity.ResetDaily})
		if err != nil {
			t.Fatal(err)
		}
		limited := func(alter func(*GuardrailTerms)) time.Time {
			t.Helper()
			if _, err := s.UpdateGuardrail(t.Context(), root, g.ID, func(terms *GuardrailTerms) error { alter(terms); return nil }); err != nil {
				t.Fatal(err)
			}
			return loaded(t, s).Guarded.Guardrails[g.ID].Limited
		}
		if at := limited(func(terms *GuardrailTerms) { terms.Limit = new(2 * money.Dollar) }); !at.IsZero() {
			t.Errorf("another amount: since %v", at)
		}
		gone := limited(func(terms *GuardrailTerms) { terms.Limit = nil })
		if again := limited(func(terms *GuardrailTerms) { terms.Limit = new(money.Dollar) }); gone.IsZero() || !again.After(gone) {
			t.Errorf("gone since %v, and again since %v", gone, again)
		}
		for kind, assignee := range map[Assignee]string{AssigneeKey: key.Hash, AssigneeMember: member.ID} {
			held := func() time.Time {
				t.Helper()
				if _, err := s.Assign(t.Context(), root, g.ID, kind, []string{assignee}); err != nil {
					t.Fatal(err)
				}
				if kind == AssigneeMember {
					return loaded(t, s).Guarded.Members[key.Hash].Since
				}
				return loaded(t, s).Guarded.Keys[key.Hash].Since
			}
			first := held()
			if same := held(); first.IsZero() || !same.Equal(first) {
				t.Errorf("%s: held since %v, and told again since %v", kind, first, same)
			}
			if _, err := s.Unassign(t.Context(), root, g.ID, kind, []string{assignee}); err != nil {
				t.Fatal(err)
			}
			if again := held(); !again.After(first) {
				t.Errorf("%s: held since %v, and again since %v", kind, first, again)
			}
		}
	})
}
