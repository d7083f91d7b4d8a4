package store

import (
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/switchyard/switchyard/policies/database"
	"github.com/switchyard/switchyard/policies/database/databasetest"
	"github.com/switchyard/switchyard/policies/identity"
)

func createdWorkspace(t *testing.T, s *Store, by Actor, slug string) Workspace {
	t.Helper()
	w, err := s.CreateWorkspace(t.Context(), by, Workspace{Name: slug, Slug: slug})
	if err != nil {
		t.Fatal(err)
	}
	return w
}

func createdMember(t *testing.T, s *Store, email string, role identity.Role) Member {
	t.Helper()
	m, err := s.CreateMember(t.Context(), root, Member{Email: email, FirstName: "A", Role: role})
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func TestOrganizationsDoNotSeeEachOther(t *testing.T) {
	onBoth(t, func(t *testing.T, open func() *Store) {
		s := open()
		plaintext, _ := identity.NewKey()
		o, err := s.CreateOrganization(t.Context(), root, "Acme", plaintext, nil)
		if err != nil {
			t.Fatal(err)
		}
		owner, err := authenticates(t, s, plaintext, time.Now())
		if err != nil || owner.Organization != o.ID || owner.Role != identity.Owner || owner.Operator {
			t.Fatalf("the first key: %+v, %v", owner, err)
		}
		acme := Actor{Hash: owner.Hash, Name: owner.Name, Organization: o.ID}
		ours, _ := made(t, s, Key{Name: "ours"})
		theirs, err := s.Create(t.Context(), acme, Key{Name: "theirs"}, "theirs")
		if err != nil {
			t.Fatal(err)
		}
		workspace := createdWorkspace(t, s, root, "ours")
		member := createdMember(t, s, "a@example.com", identity.Admin)
		for name, err := range map[string]error{
			"shows a key":           second(s.Key(t.Context(), o.ID, ours.Hash)),
			"shows a key to us":     second(s.Key(t.Context(), identity.Default, theirs.Hash)),
			"changes a key":         second(s.Update(t.Context(), acme, ours.Hash, accept)),
			"deletes a key":         s.Delete(t.Context(), acme, ours.Hash, accept),
			"shows a workspace":     second(s.Workspace(t.Context(), o.ID, workspace.ID)),
			"changes a workspace":   second(s.UpdateWorkspace(t.Context(), acme, workspace.ID, func(*Workspace) error { return nil })),
			"deletes a workspace":   s.DeleteWorkspace(t.Context(), acme, workspace.ID),
			"fills a workspace":     second(s.Create(t.Context(), acme, Key{Name: "k", Workspace: workspace.ID}, "k")),
			"enrolls in theirs":     second(s.Enroll(t.Context(), acme, workspace.ID, nil)),
			"enrolls ours":          second(s.Enroll(t.Context(), acme, o.ID, []string{member.ID})),
			"changes a member":      second(s.UpdateMember(t.Context(), acme, member.ID, func(*Member) error { return nil })),
			"deletes a member":      s.DeleteMember(t.Context(), acme, member.ID, func(*Member) error { return nil }),
			"deletes the workspace": s.DeleteWorkspace(t.Context(), root, o.ID),
		} {
			if !errors.Is(err, ErrNone) {
				t.Errorf("%s of another organisation: %v", name, err)
			}
		}
		keys, err := s.Keys(t.Context(), o.ID, Page{Limit: 10, Disabled: true})
		if err != nil || len(keys) != 2 {
			t.Errorf("%+v, %v", keys, err)
		}
		logged, err := s.Audit(t.Context(), o.ID, Page{Limit: 10})
		if err != nil || len(logged) != 2 {
			t.Errorf("%+v, %v", logged, err)
		}
		all, err := s.Organizations(t.Context())
		if err != nil || len(all) != 2 || all[0].ID != identity.Default || all[1].Name != "Acme" {
			t.Errorf("%+v, %v", all, err)
		}
	})
}

func second[T any](_ T, err error) error { return err }

// What is asked of a workspace by its id is not another's, whatever that one is called.
func TestWorkspaceIsFoundByItsIDBeforeASlug(t *testing.T) {
	databasetest.OnBoth(t, func(t *testing.T, open func() *database.DB) {
		db := open()
		s := New(opened{db}, sealer, nil)
		thief := createdWorkspace(t, s, root, "thief")
		w := createdWorkspace(t, s, root, "team")
		rename := func(slug string) error {
			return second(s.UpdateWorkspace(t.Context(), root, thief.ID, func(w *Workspace) error { w.Slug = slug; return nil }))
		}
		for _, slug := range []string{w.ID, identity.Default} {
			if err := rename(slug); !errors.Is(err, ErrTaken) {
				t.Errorf("the slug %s: %v", slug, err)
			}
		}
		if err := rename("thief"); err != nil {
			t.Error(err)
		}
		// As a gateway wrote that did not refuse it.
		if _, err := db.ExecContext(t.Context(), db.Rebind(`UPDATE workspaces SET slug = ? WHERE id = ?`), w.ID, thief.ID); err != nil {
			t.Fatal(err)
		}
		for _, each := range []Workspace{w, thief} {
			if found, err := s.Workspace(t.Context(), identity.Default, each.ID); err != nil || found.ID != each.ID {
				t.Errorf("%s is %q, %v", each.Name, found.Name, err)
			}
			if k, _ := made(t, s, Key{Name: "k", Workspace: each.ID}); k.Workspace != each.ID {
				t.Errorf("a key of %s is in another workspace", each.Name)
			}
		}
	})
}

func TestWorkspaceLivesAndDies(t *testing.T) {
	onBoth(t, func(t *testing.T, open func() *Store) {
		s := open()
		w, err := s.CreateWorkspace(t.Context(), root, Workspace{Name: "Lab", Slug: "lab", Description: "d", DefaultTextModel: "m/x", DefaultSort: "price"})
		if err != nil {
			t.Fatal(err)
		}
		if bySlug, err := s.Workspace(t.Context(), identity.Default, "lab"); err != nil || cmp.Diff(w, bySlug) != "" {
			t.Errorf("%v %s", err, cmp.Diff(w, bySlug))
		}
		if _, err := s.CreateWorkspace(t.Context(), root, Workspace{Name: "Lab", Slug: "lab"}); !errors.Is(err, ErrTaken) {
			t.Errorf("the same slug: %v", err)
		}
		k, plaintext := made(t, s, Key{Name: "k", Workspace: "lab"})
		key, err := authenticates(t, s, plaintext, time.Now())
		if err != nil || key.Workspace != w.ID || key.DefaultModel != "m/x" || key.DefaultSort != "price" {
			t.Errorf("%+v, %v", key, err)
		}
		if keys, err := s.Keys(t.Context(), identity.Default, Page{Limit: 9, Workspace: w.ID}); err != nil || len(keys) != 1 {
			t.Errorf("%+v, %v", keys, err)
		}
		for used, want := range map[string]error{w.ID: ErrInUse, identity.Default: ErrDefault} {
			if err := s.DeleteWorkspace(t.Context(), root, used); !errors.Is(err, want) {
				t.Errorf("%s is deleted: %v", used, err)
			}
		}
		if _, err := s.Update(t.Context(), root, k.Hash, func(k *Key) error { k.Workspace = identity.Default; return nil }); err != nil {
			t.Fatal(err)
		}
		if err := s.DeleteWorkspace(t.Context(), root, w.ID); err != nil {
			t.Fatal(err)
		}
		if all, err := s.Workspaces(t.Context(), identity.Default); err != nil || len(all) != 1 {
			t.Errorf("%+v, %v", all, err)
		}
		if ids, err := s.WorkspaceIDs(t.Context(), identity.Default); err != nil || len(ids) != 2 {
			t.Errorf("what is deleted is forgotten: %v, %v", ids, err)
		}
		createdWorkspace(t, s, root, "lab") // its slug is free again
	})
}

func TestMembersTakeTheirKeysWithThem(t *testing.T) {
	onBoth(t, func(t *testing.T, open func() *Store) {
		s := open()
		member := createdMember(t, s, "a@example.com", identity.Developer)
		if _, err := s.CreateMember(t.Context(), root, Member{Email: "A@Example.com"}); !errors.Is(err, ErrTaken) {
			t.Errorf("the same address: %v", err)
		}
		lab := createdWorkspace(t, s, root, "lab")
		create := func(k Key) error {
			plaintext, _ := identity.NewKey()
			return second(s.Create(t.Context(), root, k, plaintext))
		}
		if err := create(Key{Creator: "user_none"}); !errors.Is(err, ErrNoMember) {
			t.Errorf("for nobody: %v", err)
		}
		if err := create(Key{Creator: member.ID, Workspace: lab.ID}); !errors.Is(err, ErrNoMember) {
			t.Errorf("in a workspace that they are not in: %v", err)
		}
		if err := create(Key{Creator: member.ID, Role: identity.Admin}); !errors.Is(err, ErrRole) {
			t.Errorf("above their role: %v", err)
		}
		for want := range 2 { // the second time it was so before
			if n, err := s.Enroll(t.Context(), root, "lab", []string{member.ID}); err != nil || n != 1-want {
				t.Errorf("%d added, %v", n, err)
			}
		}
		in, _ := made(t, s, Key{Name: "lab", Creator: member.ID, Workspace: lab.ID})
		developer, _ := made(t, s, Key{Name: "developer", Creator: member.ID, Role: identity.Developer})
		own, _ := made(t, s, Key{Name: "own", Creator: member.ID})
		disabled := func(want bool, k Key) {
			t.Helper()
			if got, err := s.Key(t.Context(), identity.Default, k.Hash); err != nil || got.Disabled != want {
				t.Errorf("%s: disabled %t, %v", k.Name, got.Disabled, err)
			}
		}
		if enrolled, err := s.Memberships(t.Context(), identity.Default, lab.ID); err != nil || len(enrolled) != 1 || enrolled[0].Member != member.ID || enrolled[0].Role != identity.Developer {
			t.Errorf("%+v, %v", enrolled, err)
		}
		if n, err := s.Expel(t.Context(), root, lab.ID, []string{member.ID, "user_none"}); err != nil || n != 1 {
			t.Errorf("%d removed, %v", n, err)
		}
		disabled(true, in)
		disabled(false, own)
		enable := func(k *Key) error { k.Disabled = false; return nil }
		if _, err := s.Update(t.Context(), root, in.Hash, enable); !errors.Is(err, ErrNoMember) {
			t.Errorf("enabled although they left: %v", err)
		}
		if _, err := s.UpdateMember(t.Context(), root, member.ID, func(m *Member) error { m.Role = identity.Viewer; return nil }); err != nil {
			t.Fatal(err)
		}
		disabled(true, developer)
		disabled(false, own)
		if _, err := s.Expel(t.Context(), root, identity.Default, []string{member.ID}); !errors.Is(err, ErrDefault) {
			t.Errorf("out of the default workspace: %v", err)
		}
		if err := s.DeleteMember(t.Context(), root, member.ID, func(*Member) error { return nil }); err != nil {
			t.Fatal(err)
		}
		disabled(true, own)
		if left, err := s.Members(t.Context(), identity.Default); err != nil || len(left) != 0 {
			t.Errorf("%+v, %v", left, err)
		}
	})
}

func TestAddressOfAMemberIsOneInAnyCase(t *testing.T) {
	onBoth(t, func(t *testing.T, open func() *Store) {
		s := open()
		m := createdMember(t, s, "Ärger@example.com", identity.Viewer)
		for _, same := range []string{"Ärger@example.com", "ärger@EXAMPLE.com"} {
			if _, err := s.CreateMember(t.Context(), root, Member{Email: same, Role: identity.Viewer}); !errors.Is(err, ErrTaken) {
				t.Errorf("%s: %v", same, err)
			}
		}
		rename := func(email string) error {
			return second(s.UpdateMember(t.Context(), root, m.ID, func(m *Member) error { m.Email = email; return nil }))
		}
		for _, email := range []string{"ÄRGER@example.com", "Öl@example.com"} {
			if err := rename(email); err != nil {
				t.Error(err)
			}
		}
		if _, err := s.CreateMember(t.Context(), root, Member{Email: "öl@example.com", Role: identity.Viewer}); !errors.Is(err, ErrTaken) {
			t.Errorf("what it was changed to: %v", err)
		}
		createdMember(t, s, "ärger@example.com", identity.Viewer) // is free again
	})
}
