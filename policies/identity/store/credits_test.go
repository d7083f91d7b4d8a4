package store

import (
	"errors"
	"slices"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/switchyard/switchyard/policies/database"
	"github.com/switchyard/switchyard/policies/database/databasetest"
	"github.com/switchyard/switchyard/policies/identity"
	"github.com/switchyard/switchyard/policies/money"
)

func TestCreditsAddUpAndAReferenceCountsOnce(t *testing.T) {
	onBoth(t, func(t *testing.T, open func() *Store) {
		s := open()
		plaintext, _ := identity.NewKey()
		prepaid, err := s.CreateOrganization(t.Context(), root, "Acme", plaintext, new(money.USD(0)))
		if err != nil {
			t.Fatal(err)
		}
		give := func(organization string, amount money.USD, reference string) (bool, error) {
			_, added, err := s.AddCredits(t.Context(), root, CreditEntry{Organization: organization, Amount: amount, Reference: reference})
			return added, err
		}
		var giving sync.WaitGroup
		for range 8 { // a request that is sent again while its answer is lost
			giving.Go(func() {
				if _, err := give(identity.Default, 5*money.Dollar, "invoice 1"); err != nil {
					t.Error(err)
				}
			})
		}
		giving.Wait()
		if added, err := give(identity.Default, -2*money.Dollar, ""); err != nil || !added {
			t.Errorf("taken back: %t, %v", added, err)
		}
		if added, err := give(identity.Default, 5*money.Dollar, "invoice 1"); err != nil || added {
			t.Errorf("the same again: %t, %v", added, err)
		}
		if _, err := give(identity.Default, 6*money.Dollar, "invoice 1"); !errors.Is(err, ErrTaken) {
			t.Errorf("another amount: %v", err)
		}
		if _, err := give("none", money.Dollar, ""); !errors.Is(err, ErrNone) {
			t.Errorf("to nobody: %v", err)
		}
		snapshot, err := s.Load(t.Context())
		if diff := cmp.Diff(map[string]money.USD{identity.Default: 3 * money.Dollar, prepaid.ID: 0}, snapshot.Credits); diff != "" || err != nil {
			t.Errorf("%v %s", err, diff)
		}
		entries, err := s.CreditEntries(t.Context(), identity.Default)
		if err != nil || len(entries) != 2 || entries[0].Amount != -2*money.Dollar || entries[1].Reference != "invoice 1" || entries[1].Actor != root.Hash {
			t.Errorf("%+v, %v", entries, err)
		}
		logged, err := s.Audit(t.Context(), prepaid.ID, Page{Limit: 10})
		if err != nil || !slices.ContainsFunc(logged, func(l Logged) bool { return l.Action == "credits.add" }) {
			t.Errorf("the organisation's log: %+v, %v", logged, err)
		}
	})
}

// Two that an amount could not hold together must not keep anybody's keys from being read.
func TestCreditsBeyondTheRangeAreRefused(t *testing.T) {
	databasetest.OnBoth(t, func(t *testing.T, open func() *database.DB) {
		db := open()
		s := New(opened{db}, sealer, nil)
		give := func(amount money.USD) error {
			_, _, err := s.AddCredits(t.Context(), root, CreditEntry{Organization: identity.Default, Amount: amount})
			return err
		}
		for _, sign := range []money.USD{1, -1} {
			if err := give(sign * 5e6 * money.Dollar); err != nil {
				t.Fatal(err)
			}
			if err := give(sign * 5e6 * money.Dollar); !errors.Is(err, ErrRange) {
				t.Errorf("%d million dollars: %v", 10*sign, err)
			}
			if err := give(-sign * 5e6 * money.Dollar); err != nil {
				t.Fatal(err)
			}
		}
		for _, amount := range []money.USD{-9e6, 9e6, 9e6, -9e6} { // in no order are they beyond it
			if err := give(amount * money.Dollar); err != nil {
				t.Errorf("%d million dollars: %v", amount/1e6, err)
			}
		}
		for _, id := range []string{"a", "b"} { // as a gateway wrote that did not refuse them
			if _, err := db.ExecContext(t.Context(), db.Rebind(`INSERT INTO credit_entries (`+creditColumns+`) VALUES (?, ?, ?, '', '', '', 1)`), id, identity.Default, int64(money.Max)); err != nil {
				t.Fatal(err)
			}
		}
		if snapshot, err := s.Load(t.Context()); err != nil || snapshot.Credits[identity.Default] != money.Max {
			t.Errorf("%v, %v", snapshot.Credits, err)
		}
	})
}

func TestWorkspaceHasOneBudgetForEachPeriod(t *testing.T) {
	onBoth(t, func(t *testing.T, open func() *Store) {
		s := open()
		w := createdWorkspace(t, s, root, "team")
		var checked []identity.Budget
		set := func(amount money.USD, reset identity.Reset) WorkspaceBudget {
			t.Helper()
			budget, err := s.SetWorkspaceBudget(t.Context(), root, "team", identity.Budget{Amount: amount, Reset: reset}, nil, func(all []identity.Budget) error { checked = all; return nil })
			if err != nil {
				t.Fatal(err)
			}
			return budget
		}
		daily := set(money.Dollar, identity.ResetDaily)
		first := set(9*money.Dollar, identity.ResetNever)
		second := set(8*money.Dollar, identity.ResetNever)
		if first.ID != second.ID || first.Created != second.Created || len(checked) != 2 {
			t.Errorf("%+v, then %+v; checked %v", first, second, checked)
		}
		want := map[string][]identity.Budget{w.ID: {{ID: first.ID, Amount: 8 * money.Dollar, Since: first.Created}, {ID: daily.ID, Amount: money.Dollar, Reset: identity.ResetDaily, Since: daily.Created}}}
		if snapshot, err := s.Load(t.Context()); err != nil || !cmp.Equal(want, snapshot.Budgets) {
			t.Errorf("%v %s", err, cmp.Diff(want, snapshot.Budgets))
		}
		refused := errors.New("refused")
		if _, err := s.SetWorkspaceBudget(t.Context(), root, "team", identity.Budget{Amount: 1}, nil, func([]identity.Budget) error { return refused }); !errors.Is(err, refused) {
			t.Errorf("a budget that is refused: %v", err)
		}
		for range 2 { // it is idempotent
			if err := s.DeleteWorkspaceBudget(t.Context(), root, w.ID, identity.ResetNever); err != nil {
				t.Error(err)
			}
		}
		if all, err := s.WorkspaceBudgets(t.Context(), identity.Default, w.ID); err != nil || len(all) != 1 || all[0].Amount != money.Dollar {
			t.Errorf("%+v, %v", all, err)
		}
		stranger := Actor{Hash: "h", Organization: "other"}
		if _, err := s.SetWorkspaceBudget(t.Context(), stranger, w.ID, identity.Budget{Amount: 1}, nil, func([]identity.Budget) error { return nil }); !errors.Is(err, ErrNone) {
			t.Errorf("of another organisation: %v", err)
		}
	})
}

func TestWorkspaceCountsOwnKeysTowardsAllItsBudgetsOrNone(t *testing.T) {
	onBoth(t, func(t *testing.T, open func() *Store) {
		s := open()
		w := createdWorkspace(t, s, root, "team")
		for _, step := range []struct {
			reset       identity.Reset
			includeBYOK *bool
			want        bool
		}{{identity.ResetDaily, nil, false}, {identity.ResetWeekly, new(true), true}, {identity.ResetWeekly, nil, true}, {identity.ResetDaily, new(false), false}} {
			set, err := s.SetWorkspaceBudget(t.Context(), root, "team", identity.Budget{Amount: 1, Reset: step.reset}, step.includeBYOK, func([]identity.Budget) error { return nil })
			if err != nil || set.IncludeBYOK != step.want {
				t.Errorf("%+v, %v", set, err)
			}
			snapshot, err := s.Load(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			for _, budget := range snapshot.Budgets[w.ID] {
				if budget.IncludeBYOK != step.want {
					t.Errorf("after %+v: %+v", step, budget)
				}
			}
			if now, err := s.Workspace(t.Context(), identity.Default, w.ID); err != nil || now.IncludeBYOK != step.want {
				t.Errorf("%+v, %v", now, err)
			}
		}
	})
}
