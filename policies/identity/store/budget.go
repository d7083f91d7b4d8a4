package store

import (
	"context"
	"errors"
	"time"

	"github.com/google/uuid"

	"github.com/switchyard/switchyard/policies/identity"
)

// WorkspaceBudget is the most that a workspace may spend in each of its periods. A
// workspace has one for each kind of period at most. IncludeBYOK is the workspace's.
type WorkspaceBudget struct {
	ID        string `json:"id"`
	Workspace string `json:"workspace_id"`
	identity.Budget
	Created time.Time `json:"created_at"`
	Updated time.Time `json:"updated_at"`
}

const budgets = `SELECT b.id, b.workspace_id, b.reset, b.amount, b.created, b.updated, w.include_byok FROM workspace_budgets b JOIN workspaces w ON w.id = b.workspace_id`

func scanBudget(scan func(...any) error) (WorkspaceBudget, error) {
	var b WorkspaceBudget
	var reset string
	var created, updated int64
	if err := scan(&b.ID, &b.Workspace, &reset, &b.Amount, &created, &updated, &b.IncludeBYOK); err != nil {
		return b, err
	}
	b.Created, b.Updated = instant(created), instant(updated)
	var err error
	b.Reset, err = identity.ParseReset(reset)
	return b, err
}

const budgetsOf = budgets + ` WHERE b.workspace_id = ?`

// WorkspaceBudgets lists those of a workspace, or fails with [ErrNone].
func (s *Store) WorkspaceBudgets(ctx context.Context, organization, workspace string) ([]WorkspaceBudget, error) {
	w, err := s.Workspace(ctx, organization, workspace)
	if err != nil {
		return nil, err
	}
	return list(ctx, s, scanBudget, budgetsOf, w.ID)
}

// SetWorkspaceBudget makes a budget, or exchanges the amount of the one of its period.
// includeBYOK, unless it is nil, is what all budgets of the workspace do from now on; that
// of to does not count. The error is [ErrNone] of the workspace, or what check returns of
// all its budgets.
func (s *Store) SetWorkspaceBudget(ctx context.Context, by Actor, workspace string, to identity.Budget, includeBYOK *bool, check func([]identity.Budget) error) (WorkspaceBudget, error) {
	var set WorkspaceBudget
	err := s.change(ctx, by, func(t *transaction) (Entry, error) {
		known, w, err := t.budgets(ctx, by, workspace)
		if err != nil {
			return Entry{}, err
		}
		before, ok := known[to.Reset]
		set = before
		if !ok {
			set.ID, set.Workspace, set.Created = uuid.NewString(), w.ID, t.now
		}
		set.Budget, set.Updated = to, t.now
		set.IncludeBYOK = w.IncludeBYOK
		known[to.Reset] = set
		all := make([]identity.Budget, 0, len(known))
		for _, each := range known {
			all = append(all, each.Budget)
		}
		if err := check(all); err != nil {
			return Entry{}, err
		}
		if includeBYOK != nil {
			set.IncludeBYOK = *includeBYOK
			if err := t.exec(ctx, `UPDATE workspaces SET include_byok = ? WHERE id = ?`, set.IncludeBYOK, w.ID); err != nil {
				return Entry{}, err
			}
		}
		entry := Entry{Action: "budget.set", Target: set.Workspace, After: set}
		if ok {
			entry.Before = before
		}
		return entry, t.exec(ctx, `INSERT INTO workspace_budgets (id, workspace_id, reset, amount, created, updated) VALUES (?, ?, ?, ?, ?, ?) `+
			`ON CONFLICT (workspace_id, reset) DO UPDATE SET amount = excluded.amount, updated = excluded.updated`,
			set.ID, set.Workspace, set.Reset.String(), int64(set.Amount), micros(set.Created), micros(set.Updated))
	})
	return set, err
}

// DeleteWorkspaceBudget removes the budget of a period, if there is one.
func (s *Store) DeleteWorkspaceBudget(ctx context.Context, by Actor, workspace string, reset identity.Reset) error {
	err := s.change(ctx, by, func(t *transaction) (Entry, error) {
		known, w, err := t.budgets(ctx, by, workspace)
		if err != nil {
			return Entry{}, err
		}
		before, ok := known[reset]
		if !ok {
			return Entry{}, errUnchanged
		}
		return Entry{Action: "budget.delete", Target: w.ID, Before: before},
			t.exec(ctx, `DELETE FROM workspace_budgets WHERE id = ?`, before.ID)
	})
	if errors.Is(err, errUnchanged) {
		return nil
	}
	return err
}

// budgets are a workspace's, by their period.
func (t *transaction) budgets(ctx context.Context, by Actor, workspace string) (map[identity.Reset]WorkspaceBudget, Workspace, error) {
	w, err := t.workspace(ctx, by, workspace)
	if err != nil {
		return nil, w, err
	}
	rows, err := t.QueryContext(ctx, t.db.Rebind(budgetsOf), w.ID)
	if err != nil {
		return nil, w, err
	}
	defer rows.Close()
	known := make(map[identity.Reset]WorkspaceBudget)
	for rows.Next() {
		budget, err := scanBudget(rows.Scan)
		if err != nil {
			return nil, w, err
		}
		known[budget.Reset] = budget
	}
	return known, w, rows.Err()
}

// spent is a budget that lets nothing pass that costs anything.
var spent = identity.Budget{Amount: identity.MinBudget, Reset: identity.ResetNever}

// readBudgets reads those of all workspaces, by the workspace's id. One that cannot be read
// is as good as spent.
func (s *Store) readBudgets(ctx context.Context, into *Snapshot) error {
	into.Budgets = make(map[string][]identity.Budget)
	_, err := list(ctx, s, func(scan func(...any) error) (struct{}, error) {
		b, err := scanBudget(scan)
		b.Budget.Since = b.Created // it is deleted and made anew, or keeps counting
		if err != nil {
			into.unreadable("budget of workspace", b.Workspace, err)
			b.Budget = spent
		}
		b.Budget.ID = b.ID
		into.Budgets[b.Workspace] = append(into.Budgets[b.Workspace], b.Budget)
		return struct{}{}, nil
	}, budgets+` ORDER BY b.workspace_id, b.reset`)
	return err
}
