package store

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/switchyard/switchyard/policies/byok"
	"github.com/switchyard/switchyard/policies/database"
	"github.com/switchyard/switchyard/policies/database/databasetest"
	"github.com/switchyard/switchyard/policies/identity"
	"github.com/switchyard/switchyard/policies/money"
)

var (
	sealer = identity.NewSealer([]byte("0123456789abcdef0123456789abcdef"))
	root   = Actor{Hash: "root-hash", Name: "root", Organization: identity.Default}
)

// opened is a database that is there.
type opened struct{ *database.DB }

func (o opened) Get(context.Context) (*database.DB, error) { return o.DB, nil }

func TestMain(m *testing.M) { os.Exit(databasetest.Run(m)) }

func onBoth(t *testing.T, test func(t *testing.T, open func() *Store)) {
	databasetest.OnBoth(t, func(t *testing.T, open func() *database.DB) {
		test(t, func() *Store { return New(opened{open()}, sealer, byok.NewVault("secret", "")) })
	})
}

// made creates a key and returns it with its plaintext.
func made(t *testing.T, s *Store, k Key) (Key, string) {
	t.Helper()
	plaintext, _ := identity.NewKey()
	created, err := s.Create(t.Context(), root, k, plaintext)
	if err != nil {
		t.Fatal(err)
	}
	return created, plaintext
}

// authenticates reports whose a secret is, by what another gateway reads.
func authenticates(t *testing.T, s *Store, plaintext string, now time.Time) (*identity.Key, error) {
	t.Helper()
	snapshot, err := s.Load(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	none, err := identity.NewKeyring(nil)
	if err != nil {
		t.Fatal(err)
	}
	return none.Closed().With(snapshot.Credentials).Authenticate("Bearer "+plaintext, "", now)
}

func accept(*Key) error { return nil }

func TestKeyComesBackWhole(t *testing.T) {
	onBoth(t, func(t *testing.T, open func() *Store) {
		s := open()
		member, err := s.CreateMember(t.Context(), root, Member{Email: "a@example.com", Role: identity.Owner})
		if err != nil {
			t.Fatal(err)
		}
		want := Key{
			Name: "büro\x00", Role: identity.Billing, Disabled: true, Limit: new(3 * money.Dollar), Reset: identity.ResetWeekly,
			IncludeBYOK: true, StoreContent: true, Creator: member.ID, Workspace: identity.Default, AllowedModels: []string{"m/*"}, AllowedProviders: []string{"a", "b"}, AllowedIPs: []string{"10.0.0.0/8"}, ExpiresAt: time.Date(2030, 1, 2, 3, 4, 5, 6000, time.UTC),
		}
		created, plaintext := made(t, s, want)
		want.Name, want.Hash, want.Label, want.Created, want.Updated = "büro", identity.Hash(plaintext), identity.Label(plaintext), created.Created, created.Created
		got, err := s.Key(t.Context(), identity.Default, created.Hash)
		if diff := cmp.Diff(want, got); diff != "" || err != nil {
			t.Errorf("%v %s", err, diff)
		}
		if _, err := s.Key(t.Context(), identity.Default, identity.Hash("none")); !errors.Is(err, ErrNone) {
			t.Errorf("an unknown hash: %v", err)
		}
	})
}

func TestNameThatIsNotUTF8IsKeptAndLogged(t *testing.T) {
	onBoth(t, func(t *testing.T, open func() *Store) {
		s := open()
		k, _ := made(t, s, Key{Name: "caf\xe9"})
		if kept, err := s.Key(t.Context(), identity.Default, k.Hash); err != nil || kept.Name != "caf\uFFFD" {
			t.Errorf("%q, %v", kept.Name, err)
		}
		if logged, err := s.Audit(t.Context(), identity.Default, Page{Limit: 1}); err != nil || !strings.Contains(string(logged[0].After), "caf\uFFFD") {
			t.Errorf("%+v, %v", logged, err)
		}
	})
}

func TestRow160And167KeyWorksUntilItIsDisabledOrDeleted(t *testing.T) {
	onBoth(t, func(t *testing.T, open func() *Store) {
		s, now := open(), time.Now()
		created, plaintext := made(t, s, Key{Name: "k", Limit: new(money.Dollar), Reset: identity.ResetDaily, StoreContent: true})
		key, err := authenticates(t, s, plaintext, now)
		if err != nil || !key.StoreContent || key.Hash != created.Hash || key.Name != "k" || key.Management() || key.Budget != (identity.Budget{Amount: money.Dollar, Reset: identity.ResetDaily}) {
			t.Fatalf("%+v, %v", key, err)
		}
		if _, err := s.Update(t.Context(), root, created.Hash, func(k *Key) error { k.Disabled = true; return nil }); err != nil {
			t.Fatal(err)
		}
		if _, err := authenticates(t, s, plaintext, now); err == nil || err.(*identity.Error).Reason != identity.Disabled {
			t.Errorf("disabled: %v", err)
		}
		if err := s.Delete(t.Context(), root, created.Hash, accept); err != nil {
			t.Fatal(err)
		}
		if _, err := authenticates(t, s, plaintext, now); err == nil || err.(*identity.Error).Reason != identity.Unknown {
			t.Errorf("deleted: %v", err)
		}
		if err := s.Delete(t.Context(), root, created.Hash, accept); !errors.Is(err, ErrNone) {
			t.Errorf("deleted twice: %v", err)
		}
	})
}

func TestRotatedKeyHasTwoSecretsForAWhile(t *testing.T) {
	onBoth(t, func(t *testing.T, open func() *Store) {
		s := open()
		created, first := made(t, s, Key{Name: "k"})
		second, _ := identity.NewKey()
		third, _ := identity.NewKey()
		rotated, until, err := s.Rotate(t.Context(), root, created.Hash, second, time.Hour, accept)
		if err != nil || rotated.Hash != created.Hash || rotated.Label != identity.Label(second) {
			t.Fatalf("%+v, %v", rotated, err)
		}
		for _, test := range []struct {
			secret string
			at     time.Time
			good   bool
		}{
			{first, until.Add(-time.Second), true}, {first, until, false},
			{second, until.Add(-time.Second), true}, {second, until.AddDate(10, 0, 0), true}, {third, until.Add(-time.Second), false},
		} {
			if key, err := authenticates(t, s, test.secret, test.at); (err == nil) != test.good || err == nil && key.Hash != created.Hash {
				t.Errorf("%s at %v: %+v, %v", identity.Label(test.secret), test.at, key, err)
			}
		}
		// A leaked key is rotated without an overlap; that ends all that were before.
		if _, _, err := s.Rotate(t.Context(), root, created.Hash, third, 0, accept); err != nil {
			t.Fatal(err)
		}
		now := time.Now().Add(time.Millisecond)
		for secret, good := range map[string]bool{first: false, second: false, third: true} {
			if _, err := authenticates(t, s, secret, now); (err == nil) != good {
				t.Errorf("%s: %v", identity.Label(secret), err)
			}
		}
	})
}

func TestOverlapNeverOutlivesTheKey(t *testing.T) {
	onBoth(t, func(t *testing.T, open func() *Store) {
		s, expires := open(), time.Now().Add(time.Minute).Truncate(time.Microsecond)
		created, first := made(t, s, Key{Name: "k", ExpiresAt: expires})
		second, _ := identity.NewKey()
		if _, _, err := s.Rotate(t.Context(), root, created.Hash, second, time.Hour, accept); err != nil {
			t.Fatal(err)
		}
		for _, secret := range []string{first, second} {
			if _, err := authenticates(t, s, secret, expires); err == nil || err.(*identity.Error).Reason != identity.Expired {
				t.Errorf("%s: %v", identity.Label(secret), err)
			}
		}
	})
}

// Who can write to the database, and does not know the secret, gets nowhere by it.
func TestKeyThatTheGatewayDidNotMakeIsNone(t *testing.T) {
	databasetest.OnBoth(t, func(t *testing.T, open func() *database.DB) {
		db := open()
		s := New(opened{db}, sealer, nil)
		created, plaintext := made(t, s, Key{Name: "k"})
		run := func(text string, values ...any) {
			t.Helper()
			if _, err := db.ExecContext(t.Context(), db.Rebind(text), values...); err != nil {
				t.Fatal(err)
			}
		}
		run(`INSERT INTO key_secrets (digest, seal, key_hash, created, expires) SELECT ?, seal, key_hash, created, 0 FROM key_secrets`, identity.Hash("forged"))
		if _, err := authenticates(t, s, "forged", time.Now()); err == nil {
			t.Error("a secret that was put into the database is taken")
		}
		run(`UPDATE api_keys SET role = 'owner'`)
		if _, err := authenticates(t, s, plaintext, time.Now()); err == nil {
			t.Error("an inference key was made an owner's in the database, and is taken")
		}
		snapshot, err := s.Load(t.Context())
		if err != nil || snapshot.Forged != 2 || len(snapshot.Credentials) != 0 {
			t.Errorf("%+v, %v", snapshot, err)
		}
		run(`UPDATE api_keys SET role = ''`)
		run(`INSERT INTO organizations (id, name, created) VALUES ('other', 'other', 0)`)
		run(`UPDATE workspaces SET organization_id = 'other'`)
		if _, err := authenticates(t, s, plaintext, time.Now()); err == nil {
			t.Error("a key was moved to another organisation in the database, and is taken")
		}
		run(`UPDATE workspaces SET organization_id = 'default'`)
		other := New(opened{db}, identity.NewSealer([]byte("another secret")), nil)
		if _, err := other.Load(t.Context()); !errors.Is(err, ErrSecret) {
			t.Errorf("with another secret: %v", err)
		}
		if _, err := other.Create(t.Context(), root, Key{Name: "k"}, "other"); !errors.Is(err, ErrSecret) {
			t.Errorf("a change with another secret: %v", err)
		}
		if _, err := authenticates(t, s, plaintext, time.Now()); err != nil {
			t.Errorf("%s: %v", created.Hash, err)
		}
		var all strings.Builder
		rows, err := db.QueryContext(t.Context(), `SELECT hash || name || label FROM api_keys UNION SELECT digest || seal FROM key_secrets UNION SELECT before || after FROM audit_log`)
		if err != nil {
			t.Fatal(err)
		}
		defer rows.Close()
		for rows.Next() {
			var text string
			if err := rows.Scan(&text); err != nil {
				t.Fatal(err)
			}
			all.WriteString(text)
		}
		if secret := strings.TrimPrefix(plaintext, identity.Prefix); strings.Contains(all.String(), secret) || strings.Contains(all.String(), secret[:16]) {
			t.Error("the database has the key itself")
		}
	})
}

func TestEveryChangeIsInTheAuditLog(t *testing.T) {
	onBoth(t, func(t *testing.T, open func() *Store) {
		s := open()
		created, _ := made(t, s, Key{Name: "k"})
		refused := errors.New("refused")
		for _, err := range []error{
			ignore(s.Update(t.Context(), root, created.Hash, func(*Key) error { return refused })),
			s.Delete(t.Context(), root, created.Hash, func(*Key) error { return refused }),
		} {
			if !errors.Is(err, refused) {
				t.Errorf("%v", err)
			}
		}
		if _, err := s.Update(t.Context(), Actor{Hash: "h", Name: "n", Organization: identity.Default}, created.Hash, func(k *Key) error { k.Limit = new(money.Dollar); return nil }); err != nil {
			t.Fatal(err)
		}
		if _, _, err := s.Rotate(t.Context(), root, created.Hash, "sk-sy-v1-second-secret", time.Hour, accept); err != nil {
			t.Fatal(err)
		}
		if err := s.Delete(t.Context(), root, created.Hash, accept); err != nil {
			t.Fatal(err)
		}
		logged, err := s.Audit(t.Context(), identity.Default, Page{Limit: 10})
		if err != nil {
			t.Fatal(err)
		}
		var actions []string
		for _, l := range logged {
			actions = append(actions, fmt.Sprintf("%s by %s: %t %t", l.Action, l.ActorName, l.Before.Kind() != 'n', l.After.Kind() != 'n'))
			if l.Target != created.Hash || strings.Contains(string(l.After), "second-secret") {
				t.Errorf("%+v", l)
			}
		}
		want := []string{"key.delete by root: true false", "key.rotate by root: true true", "key.update by n: true true", "key.create by root: false true"}
		if diff := cmp.Diff(want, actions); diff != "" {
			t.Error(diff)
		}
		if update := logged[2]; !strings.Contains(string(update.Before), `"limit":null`) || !strings.Contains(string(update.After), `"limit":1,`) {
			t.Errorf("%s → %s", update.Before, update.After)
		}
		if page, err := s.Audit(t.Context(), identity.Default, Page{Offset: 3, Limit: 10}); err != nil || len(page) != 1 {
			t.Errorf("%+v, %v", page, err)
		}
	})
}

func ignore(_ Key, err error) error { return err }

func TestKeysAreListedByPage(t *testing.T) {
	onBoth(t, func(t *testing.T, open func() *Store) {
		s := open()
		for i := range 5 {
			made(t, s, Key{Name: string(rune('a' + i)), Disabled: i == 2})
		}
		for _, test := range []struct {
			page Page
			want string
		}{
			{Page{Limit: 10}, "edba"}, {Page{Limit: 10, Disabled: true}, "edcba"}, {Page{Limit: 2, Offset: 1}, "db"}, {Page{Limit: 2, Offset: 9}, ""},
		} {
			keys, err := s.Keys(t.Context(), identity.Default, test.page)
			got := ""
			for _, k := range keys {
				got += k.Name
			}
			if got != test.want || err != nil {
				t.Errorf("%+v: %s, %v; want %s", test.page, got, err, test.want)
			}
		}
	})
}

// Gateways that change keys at once lose no change, and all see all.
func TestManyGatewaysChangeKeysAtOnce(t *testing.T) {
	onBoth(t, func(t *testing.T, open func() *Store) {
		first := open()
		shared, _ := made(t, first, Key{Name: "shared", Limit: new(money.USD(0))})
		var gateways sync.WaitGroup
		for range 4 {
			s := open()
			gateways.Go(func() {
				for range 10 {
					made(t, s, Key{Name: "own"})
					if _, err := s.Update(t.Context(), root, shared.Hash, func(k *Key) error { k.Limit = new(*k.Limit + money.Dollar); return nil }); err != nil {
						t.Error(err)
					}
				}
			})
		}
		gateways.Wait()
		snapshot, err := open().Load(t.Context())
		if err != nil || len(snapshot.Credentials) != 41 || snapshot.Version != 81 {
			t.Errorf("%d keys, version %d, %v", len(snapshot.Credentials), snapshot.Version, err)
		}
		if k, err := first.Key(t.Context(), identity.Default, shared.Hash); err != nil || *k.Limit != 40*money.Dollar {
			t.Errorf("%v, %v", k.Limit, err)
		}
	})
}

// flaky is a database that is down for a while.
type flaky struct {
	opened
	down bool
}

func (f *flaky) Get(ctx context.Context) (*database.DB, error) {
	if f.down {
		return nil, errors.New("the database is down")
	}
	return f.DB, nil
}

func TestWatcherKeepsWhatItKnowsWhileTheDatabaseIsDown(t *testing.T) {
	databasetest.OnBoth(t, func(t *testing.T, open func() *database.DB) {
		source := &flaky{opened: opened{open()}}
		s := New(source, sealer, nil)
		var log strings.Builder
		var seen []int
		w := NewWatcher(s, func(snapshot Snapshot) { seen = append(seen, len(snapshot.Credentials)) }, slog.New(slog.NewTextHandler(&log, nil)))
		refresh := func(wantError bool) {
			t.Helper()
			if err := w.Refresh(t.Context()); (err != nil) != wantError {
				t.Fatal(err)
			}
		}
		refresh(false)
		refresh(false) // nothing new: nothing to use
		made(t, s, Key{Name: "k"})
		source.down = true
		refresh(true)
		refresh(true)
		source.down = false
		refresh(false)
		if diff := cmp.Diff([]int{0, 1}, seen); diff != "" {
			t.Error(diff)
		}
		if strings.Count(log.String(), "level=ERROR") != 1 || strings.Count(log.String(), "can be read again") != 1 {
			t.Errorf("logged %s", log.String())
		}
	})
}

func BenchmarkLoad10000Keys(b *testing.B) {
	db, err := database.OpenSQLite(b.Context(), b.TempDir()+"/keys.db")
	if err != nil {
		b.Fatal(err)
	}
	defer db.Close()
	if _, err := db.ExecContext(b.Context(), `PRAGMA synchronous = OFF`); err != nil {
		b.Fatal(err)
	}
	s := New(opened{db}, sealer, nil)
	for range 10_000 {
		plaintext, _ := identity.NewKey()
		if _, err := s.Create(b.Context(), root, Key{Name: "k"}, plaintext); err != nil {
			b.Fatal(err)
		}
	}
	ring, err := identity.NewKeyring(nil)
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		snapshot, err := s.Load(b.Context())
		if err != nil {
			b.Fatal(err)
		}
		ring.With(snapshot.Credentials)
	}
}

// Whoever reads the same again and again is logged once an hour, and not for good.
func TestReadsAreLoggedOnceAnHourAndForgotten(t *testing.T) {
	onBoth(t, func(t *testing.T, open func() *Store) {
		s := open()
		made(t, s, Key{Name: "k"})
		other := root
		other.Hash = "other"
		read := func(by Actor, id string, want int) {
			t.Helper()
			if err := s.NoteRead(t.Context(), by, Entry{Target: id}); err != nil {
				t.Fatal(err)
			}
			logged, err := s.Audit(t.Context(), identity.Default, Page{Limit: 10})
			if reads := len(logged) - 1; err != nil || reads != want || want > 0 && logged[0].Action != ActionRead {
				t.Errorf("%d reads are logged, want %d; %v", reads, want, err)
			}
		}
		read(root, "gen-1", 1)
		read(root, "gen-1", 1)
		read(other, "gen-1", 2)
		read(root, "gen-2", 3)
		db, err := s.source.Get(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if _, err := db.ExecContext(t.Context(), db.Rebind(`UPDATE audit_log SET id = ? WHERE target = 'gen-2'`), idAt(time.Now().Add(-noteReadEvery-time.Second))); err != nil {
			t.Fatal(err)
		}
		read(root, "gen-2", 4)
		if n, err := s.PurgeReads(t.Context(), time.Now().Add(-noteReadEvery)); err != nil || n != 1 {
			t.Errorf("%d are deleted, %v", n, err)
		}
		if n, err := s.PurgeReads(t.Context(), time.Now().Add(time.Second)); err != nil || n != 3 {
			t.Errorf("%d are deleted then, %v", n, err)
		}
		if logged, err := s.Audit(t.Context(), identity.Default, Page{Limit: 10}); err != nil || len(logged) != 1 || logged[0].Action != "key.create" {
			t.Errorf("%+v, %v; want the change alone", logged, err)
		}
	})
}

// A note is no change: no gateway reads all keys anew for it.
func TestNoteIsLoggedAndNothingElse(t *testing.T) {
	onBoth(t, func(t *testing.T, open func() *Store) {
		s := open()
		made(t, s, Key{Name: "k"})
		before, err := s.Version(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Note(t.Context(), root, Entry{Action: "content.read", Target: "gen-1"}); err != nil {
			t.Fatal(err)
		}
		if after, err := s.Version(t.Context()); err != nil || after != before {
			t.Errorf("version %d became %d, %v", before, after, err)
		}
		if logged, err := s.Audit(t.Context(), identity.Default, Page{Limit: 1}); err != nil || len(logged) != 1 || logged[0].Action != "content.read" || string(logged[0].Before) != "null" {
			t.Errorf("%+v, %v", logged, err)
		}
	})
}
