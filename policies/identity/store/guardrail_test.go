package store

import (
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/switchyard/switchyard/policies/identity"
	"github.com/switchyard/switchyard/policies/money"
)

func TestRow173GuardrailsAreAssignedToKeysAndMembers(t *testing.T) {
	onBoth(t, func(t *testing.T, open func() *Store) {
		s := open()
		terms := GuardrailTerms{
			Name: "strict", Description: "d\x00", Limit: new(money.Dollar), Reset: identity.ResetDaily, AllowedModels: []string{"m/*"},
			ZDR: map[string]bool{"openai": true, "other": false}, FreeTraining: new(false),
			Filters: []ContentFilter{{Pattern: `AKIA[0-9A-Z]{16}`, Action: "block", Label: new("AWS Key")}}, Builtins: []BuiltinFilter{{Slug: "email", Action: "redact"}},
		}
		strict, err := s.CreateGuardrail(t.Context(), root, terms)
		if err != nil {
			t.Fatal(err)
		}
		other, err := s.CreateGuardrail(t.Context(), root, GuardrailTerms{Name: "other"})
		if err != nil {
			t.Fatal(err)
		}
		got, err := s.Guardrail(t.Context(), identity.Default, strict.ID)
		if diff := cmp.Diff(strict, got); diff != "" || err != nil {
			t.Errorf("%v %s", err, diff)
		}
		member := createdMember(t, s, "a@example.com", identity.Admin)
		key, _ := made(t, s, Key{Name: "k", Creator: member.ID})
		assign := func(id string, kind Assignee, to ...string) (int, error) {
			t.Helper()
			return s.Assign(t.Context(), root, id, kind, to)
		}
		for range 2 { // who is assigned anew has one guardrail all the same
			if n, err := assign(other.ID, AssigneeKey, key.Hash); n != 1 || err != nil {
				t.Errorf("%d, %v", n, err)
			}
			if n, err := assign(strict.ID, AssigneeKey, key.Hash); n != 1 || err != nil {
				t.Errorf("%d, %v", n, err)
			}
		}
		if _, err := assign(other.ID, AssigneeMember, member.ID); err != nil {
			t.Error(err)
		}
		if _, err := assign(other.ID, AssigneeKey, key.Hash, identity.Hash("none")); !errors.Is(err, ErrNone) {
			t.Errorf("a key that is not there: %v", err)
		}
		guarded := func() Guarded {
			t.Helper()
			snapshot, err := s.Load(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			return snapshot.Guarded
		}
		want := Guarded{
			Guardrails: map[string]Guardrail{strict.ID: strict, other.ID: other},
			Keys:       map[string]KeyGuardrail{key.Hash: {Guardrail: strict.ID}}, Members: map[string]MemberGuardrail{key.Hash: {Member: member.ID, Guardrail: other.ID}},
		}
		if diff := cmp.Diff(want, guarded(), cmpopts.IgnoreTypes(time.Time{})); diff != "" {
			t.Error(diff)
		}
		stranger := Actor{Hash: "h", Organization: "stranger"}
		for name, err := range map[string]error{
			"shows":   second(s.Guardrail(t.Context(), "stranger", strict.ID)),
			"changes": second(s.UpdateGuardrail(t.Context(), stranger, strict.ID, func(*GuardrailTerms) error { return nil })),
			"assigns": second(s.Assign(t.Context(), stranger, strict.ID, AssigneeKey, []string{key.Hash})),
			"deletes": s.DeleteGuardrail(t.Context(), stranger, strict.ID),
		} {
			if !errors.Is(err, ErrNone) {
				t.Errorf("another organisation %s it: %v", name, err)
			}
		}
		if n, err := s.Unassign(t.Context(), root, other.ID, AssigneeMember, []string{member.ID, "nobody"}); n != 1 || err != nil {
			t.Errorf("%d, %v", n, err)
		}
		if err := s.Delete(t.Context(), root, key.Hash, accept); err != nil {
			t.Fatal(err)
		}
		if all, err := s.Assignments(t.Context(), identity.Default, "", AssigneeKey); len(all) != 0 || err != nil {
			t.Errorf("of a key that is gone: %+v, %v", all, err)
		}
		if err := s.DeleteGuardrail(t.Context(), root, strict.ID); err != nil {
			t.Error(err)
		}
		if left := guarded(); len(left.Guardrails) != 1 || len(left.Members) != 0 {
			t.Errorf("%+v", left)
		}
	})
}

func TestDefaultGuardrailIsThereWhenItIsChanged(t *testing.T) {
	onBoth(t, func(t *testing.T, open func() *Store) {
		s := open()
		w := createdWorkspace(t, s, root, "team")
		id := DefaultGuardrail(w.ID)
		if g, err := s.Guardrail(t.Context(), identity.Default, id); err != nil || g.Name != "Workspace "+w.ID+" Default" || g.Workspace != w.ID {
			t.Errorf("%+v, %v", g, err)
		}
		if all, err := s.Guardrails(t.Context(), identity.Default); len(all) != 0 || err != nil {
			t.Errorf("%+v, %v", all, err)
		}
		changed, err := s.UpdateGuardrail(t.Context(), root, id, func(g *GuardrailTerms) error { g.AllowedModels = []string{"m/x"}; return nil })
		if err != nil || changed.ID != id || changed.Workspace != w.ID {
			t.Errorf("%+v, %v", changed, err)
		}
		if snapshot, err := s.Load(t.Context()); err != nil || !cmp.Equal(snapshot.Guarded.Guardrails[id], changed) {
			t.Errorf("%v %s", err, cmp.Diff(snapshot.Guarded.Guardrails[id], changed))
		}
		if err := s.DeleteWorkspace(t.Context(), root, w.ID); err != nil {
			t.Fatal(err)
		}
		if all, err := s.Guardrails(t.Context(), identity.Default); len(all) != 0 || err != nil {
			t.Errorf("of a workspace that is gone: %+v, %v", all, err)
		}
	})
}

// Whoever may change keys, but no guardrails, cannot take a key out of one by saying that
// it is somebody else's, or somewhere else.
func TestKeyStaysHeldToTheGuardrailOfItsMemberAndWorkspace(t *testing.T) {
	onBoth(t, func(t *testing.T, open func() *Store) {
		s := open()
		team, free := createdWorkspace(t, s, root, "team"), createdWorkspace(t, s, root, "free")
		held, other := createdMember(t, s, "a@example.com", identity.Admin), createdMember(t, s, "b@example.com", identity.Admin)
		for _, in := range []Workspace{team, free} {
			if _, err := s.Enroll(t.Context(), root, in.ID, []string{held.ID, other.ID}); err != nil {
				t.Fatal(err)
			}
		}
		strict, err := s.CreateGuardrail(t.Context(), root, GuardrailTerms{Name: "strict"})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := s.Assign(t.Context(), root, strict.ID, AssigneeMember, []string{held.ID}); err != nil {
			t.Fatal(err)
		}
		if _, err := s.UpdateGuardrail(t.Context(), root, DefaultGuardrail(team.ID), func(*GuardrailTerms) error { return nil }); err != nil {
			t.Fatal(err)
		}
		frees := root
		frees.Frees = true
		for _, change := range []struct {
			name  string
			key   Key
			alter func(*Key)
			want  error
		}{
			{"nobody's", Key{Creator: held.ID}, func(k *Key) { k.Creator = "" }, ErrHeld},
			{"another's", Key{Creator: held.ID}, func(k *Key) { k.Creator = other.ID }, ErrHeld},
			{"in another workspace", Key{Workspace: team.ID}, func(k *Key) { k.Workspace = "free" }, ErrHeld},
			{"in its own workspace, by the slug", Key{Workspace: team.ID, Creator: held.ID}, func(k *Key) { k.Workspace = "team" }, nil},
			{"its member's in a workspace without a guardrail", Key{Workspace: free.ID, Creator: held.ID}, func(k *Key) { k.Workspace = team.ID }, nil},
			{"no more one who is not held", Key{Creator: other.ID}, func(k *Key) { k.Creator = "" }, nil},
			{"disabled", Key{Workspace: team.ID, Creator: held.ID}, func(k *Key) { k.Disabled = true }, nil},
		} {
			change.key.Name = "k"
			k, _ := made(t, s, change.key)
			update := func(by Actor) error {
				return second(s.Update(t.Context(), by, k.Hash, func(k *Key) error { change.alter(k); return nil }))
			}
			if err := update(root); !errors.Is(err, change.want) {
				t.Errorf("%s: %v", change.name, err)
			}
			if err := update(frees); err != nil {
				t.Errorf("%s, by who may change guardrails: %v", change.name, err)
			}
		}
	})
}

func TestWorkspaceGoesWithAssignmentsToItsDefaultGuardrail(t *testing.T) {
	onBoth(t, func(t *testing.T, open func() *Store) {
		s := open()
		w := createdWorkspace(t, s, root, "team")
		id := DefaultGuardrail(w.ID)
		if _, err := s.UpdateGuardrail(t.Context(), root, id, func(*GuardrailTerms) error { return nil }); err != nil {
			t.Fatal(err)
		}
		elsewhere, _ := made(t, s, Key{Name: "k"})
		if _, err := s.Assign(t.Context(), root, id, AssigneeKey, []string{elsewhere.Hash}); err != nil {
			t.Fatal(err)
		}
		if err := s.DeleteWorkspace(t.Context(), root, w.ID); err != nil {
			t.Fatal(err)
		}
		if all, err := s.Assignments(t.Context(), identity.Default, "", AssigneeKey); len(all) != 0 || err != nil {
			t.Errorf("%+v, %v", all, err)
		}
		// Who is held to what is read only if there is a guardrail.
		if _, err := s.CreateGuardrail(t.Context(), root, GuardrailTerms{Name: "g"}); err != nil {
			t.Fatal(err)
		}
		if snapshot, err := s.Load(t.Context()); err != nil || len(snapshot.Guarded.Keys) != 0 {
			t.Errorf("%v, %v", snapshot.Guarded.Keys, err)
		}
	})
}
