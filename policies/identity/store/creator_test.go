package store

import (
	"fmt"
	"testing"
	"time"

	"github.com/switchyard/switchyard/policies/database"
	"github.com/switchyard/switchyard/policies/database/databasetest"
	"github.com/switchyard/switchyard/policies/identity"
	"github.com/switchyard/switchyard/policies/money"
	"github.com/switchyard/switchyard/policies/usage"
	ledger "github.com/switchyard/switchyard/policies/usage/store"
)

// A member's budget is not begun anew by deleting keys, or by giving them away; who is
// given a key does not pay for what was spent with it before.
func TestWhatMembersSpentOutlivesTheirKeys(t *testing.T) {
	databasetest.OnBoth(t, func(t *testing.T, open func() *database.DB) {
		db := open()
		s, bills := New(opened{db}, sealer, nil), ledger.New(db, sealer)
		ada, bob := createdMember(t, s, "ada@example.com", identity.Admin), createdMember(t, s, "bob@example.com", identity.Admin)
		count := 0
		spend := func(k Key) {
			t.Helper()
			count++
			g := usage.Generation{
				ID: fmt.Sprint("gen-1-", count), Created: time.Now(), KeyHash: k.Hash, Workspace: identity.Default,
				Attempts: []usage.Attempt{{Number: 1, Outcome: "ok", Charge: usage.Charge{Total: money.Dollar}}},
			}
			if err := bills.Save(t.Context(), []usage.Generation{g}); err != nil {
				t.Fatal(err)
			}
		}
		give := func(k Key, to string) {
			t.Helper()
			if _, err := s.Update(t.Context(), root, k.Hash, func(k *Key) error { k.Creator = to; return nil }); err != nil {
				t.Fatal(err)
			}
		}
		want := func(when string, ofAda, ofBob money.USD) {
			t.Helper()
			for member, want := range map[string]money.USD{ada.ID: ofAda, bob.ID: ofBob} {
				bill, err := bills.SpentBy(t.Context(), ledger.Who{Member: member}, time.Time{})
				if err != nil || bill.Cost != want*money.Dollar {
					t.Errorf("%s: %v spent, want $%d; %v", when, bill.Cost, want, err)
				}
			}
		}
		gone, _ := made(t, s, Key{Name: "gone", Creator: ada.ID})
		given, _ := made(t, s, Key{Name: "given", Creator: ada.ID})
		nobodys, _ := made(t, s, Key{Name: "nobody's"})
		for _, k := range []Key{gone, given, nobodys} {
			spend(k)
		}
		want("with all keys", 2, 0)
		if err := s.Delete(t.Context(), root, gone.Hash, accept); err != nil {
			t.Fatal(err)
		}
		want("of a key that is gone", 2, 0)
		give(given, "")
		spend(given)
		give(given, bob.ID)
		spend(given)
		want("of a key that was given away", 2, 1)
		give(nobodys, bob.ID)
		spend(nobodys)
		give(given, ada.ID)
		spend(given)
		want("of a key that was given back", 3, 2)
		if _, err := bills.Purge(t.Context(), time.Now().AddDate(0, 0, 1)); err != nil {
			t.Fatal(err)
		}
		if bill, err := bills.SpentBy(t.Context(), ledger.Who{Member: ada.ID}, time.Time{}); err != nil || bill.Requests == 0 {
			t.Errorf("%+v after the generations are deleted, %v", bill, err)
		}
	})
}
