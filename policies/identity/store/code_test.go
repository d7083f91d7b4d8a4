package store

import (
	"errors"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/switchyard/switchyard/policies/database"
	"github.com/switchyard/switchyard/policies/database/databasetest"
	"github.com/switchyard/switchyard/policies/identity"
	"github.com/switchyard/switchyard/policies/money"
)

// isRoot knows the configuration's one key.
func isRoot(hash string) bool { return hash == root.Hash }

func TestRow172CodeIsExchangedOnce(t *testing.T) {
	onBoth(t, func(t *testing.T, open func() *Store) {
		s := open()
		terms := Key{Name: "app", Limit: new(money.Dollar), Reset: identity.ResetMonthly}
		code, created, err := s.CreateCode(t.Context(), root, terms, Challenge{"challenge", "plain"})
		if err != nil || created.IsZero() {
			t.Fatal(err)
		}
		refused := errors.New("refused")
		if _, err := s.ExchangeCode(t.Context(), code, "x", isRoot, func(Challenge) error { return refused }); !errors.Is(err, refused) {
			t.Errorf("a challenge that is not met: %v", err)
		}
		var made atomic.Int64
		var exchanging sync.WaitGroup
		for range 8 {
			exchanging.Go(func() {
				plaintext, _ := identity.NewKey()
				k, err := s.ExchangeCode(t.Context(), code, plaintext, isRoot, func(c Challenge) error {
					if c != (Challenge{"challenge", "plain"}) {
						t.Errorf("challenge %+v", c)
					}
					return nil
				})
				switch {
				case err == nil:
					made.Add(1)
					if key, err := authenticates(t, s, plaintext, time.Now()); err != nil || key.Budget != (identity.Budget{Amount: money.Dollar, Reset: identity.ResetMonthly}) || k.Name != "app" {
						t.Errorf("%+v, %v", key, err)
					}
				case !errors.Is(err, ErrNone):
					t.Error(err)
				}
			})
		}
		exchanging.Wait()
		if made.Load() != 1 {
			t.Errorf("%d keys of one code", made.Load())
		}
		if logged, err := s.Audit(t.Context(), identity.Default, Page{Limit: 100}); err != nil || strings.Contains(logged[len(logged)-1].Target, code) {
			t.Errorf("%+v, %v", logged, err)
		}
	})
}

func TestCodeOfOddlyNamedActorIsExchanged(t *testing.T) {
	onBoth(t, func(t *testing.T, open func() *Store) {
		s, odd := open(), root
		odd.Name = "a\x00\xff"
		code, _, err := s.CreateCode(t.Context(), odd, Key{Name: "app"}, Challenge{"c", "S256"})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := s.ExchangeCode(t.Context(), code, "x", func(string) bool { return true }, func(Challenge) error { return nil }); err != nil {
			t.Error(err)
		}
	})
}

func TestCodeThatTheGatewayDidNotMakeIsNone(t *testing.T) {
	databasetest.OnBoth(t, func(t *testing.T, open func() *database.DB) {
		db := open()
		s := New(opened{db}, sealer, nil)
		for _, change := range []string{
			`terms = '{"name":"rich"}'`, `challenge = ''`, `method = 'plain'`, `expires = expires + 1`, `organization_id = 'other'`,
			`actor_hash = 'someone'`, `actor_name = 'someone'`,
		} {
			code, _, err := s.CreateCode(t.Context(), root, Key{Name: "app"}, Challenge{"c", "S256"})
			if err != nil {
				t.Fatal(err)
			}
			if strings.Contains(change, "other") {
				if _, err := db.ExecContext(t.Context(), `INSERT INTO organizations (id, name, created) VALUES ('other', 'Other', 0)`); err != nil {
					t.Fatal(err)
				}
			}
			if _, err := db.ExecContext(t.Context(), db.Rebind(`UPDATE auth_codes SET `+change+` WHERE digest = ?`), identity.Hash(code)); err != nil {
				t.Fatal(err)
			}
			if _, err := s.ExchangeCode(t.Context(), code, "x", isRoot, func(Challenge) error { return nil }); !errors.Is(err, ErrNone) {
				t.Errorf("%s: %v", change, err)
			}
		}
	})
}

func TestCodeIsWorthNoMoreThanWhoMadeIt(t *testing.T) {
	onBoth(t, func(t *testing.T, open func() *Store) {
		s := open()
		owner := createdMember(t, s, "a@example.com", identity.Developer)
		update := func(alter func(*Key)) func(Key) error {
			return func(k Key) error {
				return second(s.Update(t.Context(), root, k.Hash, func(k *Key) error { alter(k); return nil }))
			}
		}
		for name, c := range map[string]struct {
			change func(maker Key) error
			want   error
		}{
			"unchanged": {func(Key) error { return nil }, nil},
			"rotated": {func(k Key) error {
				_, _, err := s.Rotate(t.Context(), root, k.Hash, "fresh", 0, accept)
				return err
			}, nil},
			"deleted":  {func(k Key) error { return s.Delete(t.Context(), root, k.Hash, accept) }, ErrNone},
			"disabled": {update(func(k *Key) { k.Disabled = true }), ErrNone},
			"expired":  {update(func(k *Key) { k.ExpiresAt = time.Now().Add(-time.Hour) }), ErrNone},
			"of a member who is gone": {func(Key) error {
				return s.DeleteMember(t.Context(), root, owner.ID, func(*Member) error { return nil })
			}, ErrNone},
		} {
			terms := Key{Name: "maker", Role: identity.Developer}
			if strings.Contains(name, "member") {
				terms.Creator = owner.ID
			}
			maker, _ := made(t, s, terms)
			code, _, err := s.CreateCode(t.Context(), Actor{Hash: maker.Hash, Name: maker.Name, Organization: identity.Default}, Key{Name: "app"}, Challenge{})
			if err != nil {
				t.Fatal(err)
			}
			if err := c.change(maker); err != nil {
				t.Fatal(err)
			}
			plaintext, _ := identity.NewKey()
			if _, err := s.ExchangeCode(t.Context(), code, plaintext, isRoot, func(Challenge) error { return nil }); !errors.Is(err, c.want) {
				t.Errorf("the maker is %s: %v", name, err)
			}
		}
		for name, c := range map[string]struct {
			by   Actor
			want error
		}{
			"a key that left the configuration": {Actor{Hash: "gone", Organization: identity.Default}, ErrNone},
			"a token":                           {Actor{Hash: "person", Organization: identity.Default, TokenEnds: time.Now().Add(time.Hour)}, nil},
			"a token that has ended":            {Actor{Hash: "person", Organization: identity.Default, TokenEnds: time.Now()}, ErrNone},
		} {
			code, _, err := s.CreateCode(t.Context(), c.by, Key{Name: "app"}, Challenge{})
			if err != nil {
				t.Fatal(err)
			}
			plaintext, _ := identity.NewKey()
			if _, err := s.ExchangeCode(t.Context(), code, plaintext, isRoot, func(Challenge) error { return nil }); !errors.Is(err, c.want) {
				t.Errorf("by %s: %v", name, err)
			}
		}
	})
}
