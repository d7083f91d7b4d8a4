package store

import (
	"errors"
	"log/slog"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/switchyard/switchyard/policies/byok"
	"github.com/switchyard/switchyard/policies/catalog"
	"github.com/switchyard/switchyard/policies/database"
	"github.com/switchyard/switchyard/policies/database/databasetest"
	"github.com/switchyard/switchyard/policies/identity"
)

const ownSecret = "sk-own-0123456789abcdef"

// withoutCredential compares all else of a key: two credentials are never equal.
var withoutCredential = cmpopts.IgnoreFields(byok.Key{}, "Credential")

// madeOwn creates a key of openai's.
func madeOwn(t *testing.T, s *Store, k byok.Key) byok.Key {
	t.Helper()
	k.Provider, k.Label, k.Credential = "openai", "sk-...cdef", catalog.NewCredential(ownSecret)
	created, err := s.CreateOwnKey(t.Context(), root, k)
	if err != nil {
		t.Fatal(err)
	}
	return created
}

// credentials are what another gateway's data path gets, by the key's id.
func credentials(t *testing.T, s *Store) (map[string]string, error) {
	t.Helper()
	snapshot, err := s.Load(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	found := make(map[string]string)
	for _, k := range snapshot.OwnKeys {
		found[k.ID], _ = k.Credential.Reveal()
	}
	return found, errors.Join(snapshot.Unreadable...)
}

func TestOwnKeyComesBackWhole(t *testing.T) {
	onBoth(t, func(t *testing.T, open func() *Store) {
		s := open()
		want := byok.Key{
			Name: "büro", Workspace: identity.Default, Disabled: true, Fallback: true, Required: true, Retains: true, Order: 7,
			Models: []string{"m/x", "m/*"}, KeyHashes: []string{"a"}, Users: []string{"b"},
		}
		created := madeOwn(t, s, want)
		want.ID, want.Organization, want.Provider, want.Label, want.Creator, want.Created, want.Updated = created.ID, identity.Default, "openai", "sk-...cdef", "root-hash", created.Created, created.Created
		got, err := s.OwnKey(t.Context(), identity.Default, created.ID)
		if diff := cmp.Diff(want, got, withoutCredential); diff != "" || err != nil {
			t.Errorf("%v %s", err, diff)
		}
		if _, shown := got.Credential.Reveal(); shown {
			t.Error("the credential is read where it is not needed")
		}
		if found, unreadable := credentials(t, open()); found[created.ID] != ownSecret || unreadable != nil {
			t.Errorf("%v", unreadable)
		}

		before, _ := s.Version(t.Context())
		changed, err := s.UpdateOwnKey(t.Context(), root, created.ID, func(k *byok.Key) error {
			k.Name, k.Models, k.Disabled, k.Credential, k.Label = "other", nil, false, catalog.NewCredential("sk-new"), "..."
			k.Provider, k.Organization, k.ID = "anthropic", "other", "other" // none of which changes
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		want.Name, want.Models, want.Disabled, want.Label, want.Updated = "other", nil, false, "...", changed.Updated
		got, err = s.OwnKey(t.Context(), identity.Default, created.ID)
		if diff := cmp.Diff(want, got, withoutCredential); diff != "" || err != nil {
			t.Errorf("%v %s", err, diff)
		}
		after, _ := s.Version(t.Context())
		if found, _ := credentials(t, s); found[created.ID] != "sk-new" || after == before {
			t.Error("the key is not rotated")
		}
		if err := s.DeleteOwnKey(t.Context(), root, created.ID); err != nil {
			t.Fatal(err)
		}
		if _, err := s.OwnKey(t.Context(), identity.Default, created.ID); !errors.Is(err, ErrNone) {
			t.Errorf("%v", err)
		}
	})
}

// No column of any table has the credential, the audit log least of all.
func TestOwnKeyIsNowhereInClear(t *testing.T) {
	databasetest.OnBoth(t, func(t *testing.T, open func() *database.DB) {
		db := open()
		s := New(opened{db}, sealer, byok.NewVault("secret", ""))
		created := madeOwn(t, s, byok.Key{})
		if _, err := s.UpdateOwnKey(t.Context(), root, created.ID, func(k *byok.Key) error {
			k.Credential = catalog.NewCredential(ownSecret)
			return nil
		}); err != nil {
			t.Fatal(err)
		}
		logged, err := s.Audit(t.Context(), identity.Default, Page{Limit: 10})
		if err != nil || len(logged) != 2 || logged[0].Action != "byok.rotate" || logged[1].Action != "byok.create" {
			t.Fatalf("%v %+v", err, logged)
		}
		for _, table := range []string{"own_keys", "audit_log"} {
			rows, err := db.QueryContext(t.Context(), `SELECT * FROM `+table)
			if err != nil {
				t.Fatal(err)
			}
			defer rows.Close()
			columns, _ := rows.Columns()
			for rows.Next() {
				values := make([]any, len(columns))
				into := make([]any, len(columns))
				for i := range values {
					into[i] = &values[i]
				}
				if err := rows.Scan(into...); err != nil {
					t.Fatal(err)
				}
				for i, value := range values {
					if text, ok := value.(string); ok && strings.Contains(text, ownSecret[:10]) {
						t.Errorf("%s.%s: %s", table, columns[i], text)
					}
				}
			}
		}
	})
}

func TestOwnKeysAreTheirOrganizations(t *testing.T) {
	onBoth(t, func(t *testing.T, open func() *Store) {
		s := open()
		workspace, err := s.CreateWorkspace(t.Context(), root, Workspace{Name: "W", Slug: "w"})
		if err != nil {
			t.Fatal(err)
		}
		everywhere := madeOwn(t, s, byok.Key{Order: -1})
		within := madeOwn(t, s, byok.Key{Order: -1, Workspace: "w"})
		if everywhere.Order != 0 || within.Order != 1 || within.Workspace != workspace.ID {
			t.Errorf("%+v %+v", everywhere, within)
		}
		for name, want := range map[string][]byok.Key{workspace.ID: {everywhere, within}, identity.Default: {everywhere}} {
			got, err := s.OwnKeys(t.Context(), identity.Default, name, "openai")
			if diff := cmp.Diff(want, got, withoutCredential); diff != "" || err != nil {
				t.Errorf("%s: %v %s", name, err, diff)
			}
		}
		if none, err := s.OwnKeys(t.Context(), identity.Default, identity.Default, "anthropic"); len(none) > 0 || err != nil {
			t.Errorf("%v %v", none, err)
		}
		if err := s.DeleteWorkspace(t.Context(), root, workspace.ID); !errors.Is(err, ErrInUse) {
			t.Errorf("a workspace with a key: %v", err)
		}
		stranger := Actor{Hash: "x", Name: "x", Organization: "other"}
		if _, err := s.OwnKey(t.Context(), "other", within.ID); !errors.Is(err, ErrNone) {
			t.Errorf("%v", err)
		}
		if err := s.DeleteOwnKey(t.Context(), stranger, within.ID); !errors.Is(err, ErrNone) {
			t.Errorf("%v", err)
		}
		if _, err := s.UpdateOwnKey(t.Context(), stranger, within.ID, func(*byok.Key) error { return nil }); !errors.Is(err, ErrNone) {
			t.Errorf("%v", err)
		}
		if _, err := s.CreateOwnKey(t.Context(), root, byok.Key{Provider: "openai", Workspace: "none"}); !errors.Is(err, ErrNone) {
			t.Errorf("%v", err)
		}
	})
}

// A row that someone moved in the database is left out, and so is one by another secret.
func TestForeignAndMovedOwnKeysAreLeftOut(t *testing.T) {
	databasetest.OnBoth(t, func(t *testing.T, open func() *database.DB) {
		db := open()
		s := New(opened{db}, sealer, byok.NewVault("old secret", ""))
		good, moved := madeOwn(t, s, byok.Key{}), madeOwn(t, s, byok.Key{})
		if _, err := db.ExecContext(t.Context(), db.Rebind(`UPDATE own_keys SET provider = 'anthropic' WHERE id = ?`), moved.ID); err != nil {
			t.Fatal(err)
		}
		found, unreadable := credentials(t, s)
		if diff := cmp.Diff(map[string]string{good.ID: ownSecret}, found); diff != "" || !errors.Is(unreadable, byok.ErrDamaged) || !strings.Contains(unreadable.Error(), moved.ID) {
			t.Errorf("%v %s", unreadable, diff)
		}
		if err := s.DeleteOwnKey(t.Context(), root, moved.ID); err != nil {
			t.Fatal(err)
		}

		rotating := New(opened{db}, sealer, byok.NewVault("new secret", "old secret"))
		if found, unreadable := credentials(t, rotating); found[good.ID] != ownSecret || unreadable != nil {
			t.Errorf("the previous secret: %v", unreadable)
		}
		only := New(opened{db}, sealer, byok.NewVault("new secret", ""))
		if found, unreadable := credentials(t, only); len(found) > 0 || !errors.Is(unreadable, byok.ErrOtherKey) {
			t.Errorf("the new secret alone: %v", unreadable)
		}
		for i, want := range []int{1, 0} {
			if n, err := rotating.ResealOwnKeys(t.Context(), root); n != want || err != nil {
				t.Errorf("%d: %d, %v", i, n, err)
			}
		}
		if found, unreadable := credentials(t, only); found[good.ID] != ownSecret || unreadable != nil {
			t.Errorf("encrypted anew: %v", unreadable)
		}
		without := New(opened{db}, sealer, nil)
		if _, err := without.CreateOwnKey(t.Context(), root, byok.Key{}); !errors.Is(err, ErrNoVault) {
			t.Errorf("%v", err)
		}
		if _, unreadable := credentials(t, without); !errors.Is(unreadable, ErrNoVault) {
			t.Errorf("%v", unreadable)
		}
	})
}

// The secrets are exchanged while the gateway runs: its watcher reads the own keys with
// the new ones, though nothing has changed in the database.
func TestVaultThatIsExchanged(t *testing.T) {
	databasetest.OnBoth(t, func(t *testing.T, open func() *database.DB) {
		s := New(opened{open()}, sealer, byok.NewVault("old secret", ""))
		madeOwn(t, s, byok.Key{})
		var seen Snapshot
		watcher := NewWatcher(s, func(snapshot Snapshot) { seen = snapshot }, slog.New(slog.DiscardHandler))
		look := func() string {
			t.Helper()
			seen = Snapshot{}
			if err := watcher.Refresh(t.Context()); err != nil {
				t.Fatal(err)
			}
			if len(seen.OwnKeys) == 0 {
				return ""
			}
			credential, _ := seen.OwnKeys[0].Credential.Reveal()
			return credential
		}
		if look() != ownSecret {
			t.Error("the own key is not read")
		}
		s.UseVault(byok.NewVault("new secret", ""))
		if look() != "" || !errors.Is(errors.Join(seen.Unreadable...), byok.ErrOtherKey) {
			t.Errorf("by another secret: %v", seen.Unreadable)
		}
		s.UseVault(byok.NewVault("new secret", "old secret"))
		if look() != ownSecret {
			t.Errorf("by the previous one: %v", seen.Unreadable)
		}
		if n, err := s.ResealOwnKeys(t.Context(), root); n != 1 || err != nil {
			t.Errorf("%d encrypted anew, %v", n, err)
		}
		s.UseVault(byok.NewVault("new secret", ""))
		if look() != ownSecret {
			t.Errorf("the previous one is given up: %v", seen.Unreadable)
		}
		if look() != "" || seen.Version != 0 {
			t.Error("it is read again for nothing")
		}
	})
}
