package store

import (
	"context"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/switchyard/switchyard/policies/database"
	"github.com/switchyard/switchyard/policies/identity"
)

// purgedAtOnce is how many rows one transaction deletes.
const purgedAtOnce = database.DeletedAtOnce

// Purge deletes what was created before a time, and returns how many generations there
// were. What they come to by day stays, of end users by pseudonym. A generation that is
// told again after it is gone counts twice. Several processes may purge at once.
func (s *Store) Purge(ctx context.Context, before time.Time) (int64, error) {
	return s.purge(ctx, before, "")
}

// PurgeWorkspaces is [Store.Purge] for some workspaces; none is none.
func (s *Store) PurgeWorkspaces(ctx context.Context, before time.Time, workspaces []string) (int64, error) {
	var values []any
	for _, id := range workspaces {
		values = append(values, id)
	}
	return s.purge(ctx, before, ` AND workspace_id IN (NULL`+strings.Repeat(", ?", len(workspaces))+`)`, values...)
}

func (s *Store) purge(ctx context.Context, before time.Time, where string, values ...any) (int64, error) {
	if err := s.SumUp(ctx); err != nil {
		return 0, err
	}
	total, from := int64(0), int64(math.MinInt64)
	for {
		ids, latest, err := s.purgeable(ctx, `created >= ? AND created < ? AND summed`+where, slices.Concat([]any{from, before.UnixMicro()}, values))
		if err != nil || len(ids) == 0 {
			return total, err
		}
		deleted, err := s.purgeSome(ctx, ids)
		total += deleted
		if err != nil || len(ids) < purgedAtOnce {
			return total, err
		}
		from = latest // what others have is not read again for each batch
	}
}

// purgeable are some of the oldest generations, and when the latest of them was created.
func (s *Store) purgeable(ctx context.Context, where string, values []any) (ids []any, latest int64, err error) {
	rows, err := s.db.QueryContext(ctx, s.query(`SELECT id, created FROM generations WHERE `+where+` ORDER BY created, id LIMIT ?`), append(values, purgedAtOnce)...)
	if err != nil {
		return nil, 0, err
	}
	defer rows.Close()
	for rows.Next() {
		var id string
		if err := rows.Scan(&id, &latest); err != nil {
			return nil, 0, err
		}
		ids = append(ids, id)
	}
	return ids, latest, rows.Err()
}

func (s *Store) purgeSome(ctx context.Context, ids []any) (int64, error) {
	tx, err := s.db.BeginTx(ctx, nil)
	if err != nil {
		return 0, err
	}
	defer tx.Rollback()
	in := ` WHERE id IN (` + placeholders(len(ids)) + `)`
	// In one order in all processes, or two of them could wait for each other's rows.
	locked, err := tx.QueryContext(ctx, s.query(`SELECT id FROM generations`+in+` ORDER BY id`+s.db.Locking()), ids...)
	if err != nil {
		return 0, err
	}
	if err := locked.Close(); err != nil {
		return 0, err
	}
	if _, err := tx.ExecContext(ctx, s.query(`DELETE FROM generation_contents`+in), ids...); err != nil {
		return 0, err
	}
	result, err := tx.ExecContext(ctx, s.query(`DELETE FROM generations`+in+` AND summed`), ids...)
	if err != nil {
		return 0, err
	}
	deleted, err := result.RowsAffected()
	if err != nil {
		return 0, err
	}
	return deleted, tx.Commit()
}

// CondenseUsers makes one sum of what each end user spent on days that no period has which
// is under way at a time, or was a day before: it goes on counting for budgets that never
// reset, and when it was is forgotten. Several processes may do so at once.
func (s *Store) CondenseUsers(ctx context.Context, now time.Time) error {
	yesterday := now.AddDate(0, 0, -1) // other gateways' clocks may be behind
	before := identity.ResetMonthly.Start(yesterday)
	if week := identity.ResetWeekly.Start(yesterday); week.Before(before) {
		before = week
	}
	from := ""
	for {
		read, last, err := s.condenseSome(ctx, from, before)
		if err != nil || read < purgedAtOnce {
			return err
		}
		from = last
	}
}

func (s *Store) condenseSome(ctx context.Context, from string, before time.Time) (read int, last string, err error) {
	tx, err := s.db.BeginTx(ctx, nil)
	if err != nil {
		return 0, "", err
	}
	defer tx.Rollback()
	rows, err := tx.QueryContext(ctx, s.query(`SELECT name, day, requests, cost, byok_cost FROM spending_days `+
		`WHERE kind = ? AND name >= ? AND day > 0 AND day < ? ORDER BY name, day LIMIT ?`+s.db.Locking()), kindUser, from, before.UnixMicro(), purgedAtOnce)
	if err != nil {
		return 0, "", err
	}
	defer rows.Close()
	sums := s.newTally()
	var gone []spender
	for rows.Next() {
		by := spender{kind: kindUser}
		var bill Bill
		if err := rows.Scan(&by.name, &by.day, &bill.Requests, &bill.Cost, &bill.Upstream); err != nil {
			return 0, "", err
		}
		sums.spend(spender{kind: kindUser, name: by.name}, bill, 0)
		gone = append(gone, by)
	}
	if err := rows.Err(); err != nil || len(gone) == 0 {
		return 0, "", err
	}
	remove, err := tx.PrepareContext(ctx, s.query(`DELETE FROM spending_days WHERE kind = ? AND name = ? AND day = ?`))
	if err != nil {
		return 0, "", err
	}
	defer remove.Close()
	for _, by := range gone {
		if _, err := remove.ExecContext(ctx, by.kind, by.name, by.day); err != nil {
			return 0, "", err
		}
	}
	if err := sums.save(ctx, s, tx); err != nil {
		return 0, "", err
	}
	return len(gone), gone[len(gone)-1].name, tx.Commit()
}

func placeholders(n int) string { return "?" + strings.Repeat(", ?", n-1) }
