package store

import (
	"context"
	"slices"
	"strings"
	"time"
)

// purgedAtOnce is how many generations one transaction deletes: writers wait for it.
const purgedAtOnce = 1000

// Purge deletes what was created before a time, and returns how many generations there
// were. What they come to by day stays, though not by end user. A generation that is told
// again after it is gone counts twice. Several processes may purge at once.
func (s *Store) Purge(ctx context.Context, before time.Time) (int64, error) {
	return s.purge(ctx, `created < ?`, before.UnixMicro())
}

// PurgeWorkspaces is [Store.Purge] for some workspaces; none is none.
func (s *Store) PurgeWorkspaces(ctx context.Context, before time.Time, workspaces []string) (int64, error) {
	values := []any{before.UnixMicro()}
	for _, id := range workspaces {
		values = append(values, id)
	}
	return s.purge(ctx, `created < ? AND workspace_id IN (NULL`+strings.Repeat(", ?", len(workspaces))+`)`, values...)
}

func (s *Store) purge(ctx context.Context, where string, values ...any) (int64, error) {
	total := int64(0)
	for {
		deleted, err := s.purgeSome(ctx, where, values)
		total += deleted
		if err != nil || deleted < purgedAtOnce {
			return total, err
		}
	}
}

func (s *Store) purgeSome(ctx context.Context, where string, values []any) (int64, error) {
	tx, err := s.db.BeginTx(ctx, nil)
	if err != nil {
		return 0, err
	}
	defer tx.Rollback()
	// Another process that purges waits here, and does not find them any more.
	rows, err := tx.QueryContext(ctx, s.query(`SELECT id FROM generations WHERE `+where+` ORDER BY id LIMIT ?`+s.db.Locking()), slices.Concat(values, []any{purgedAtOnce})...)
	if err != nil {
		return 0, err
	}
	defer rows.Close()
	var ids []any
	for rows.Next() {
		var id string
		if err := rows.Scan(&id); err != nil {
			return 0, err
		}
		ids = append(ids, id)
	}
	if err := rows.Err(); err != nil || len(ids) == 0 {
		return 0, err
	}
	for _, text := range []string{
		`INSERT INTO generation_days (day, key_hash, key_name, workspace_id, model, provider, endpoint, requests, prompt_tokens, completion_tokens, reasoning_tokens, cached_tokens, cost, byok_cost) ` +
			`SELECT created / 86400000000 * 86400000000 AS d, key_hash, MAX(key_name), workspace_id, model, provider, endpoint, ` +
			`COUNT(*), SUM(prompt_tokens), SUM(completion_tokens), SUM(reasoning_tokens), SUM(cached_tokens), SUM(cost), SUM(byok_cost) ` +
			`FROM generations WHERE id IN (` + placeholders(len(ids)) + `) GROUP BY d, key_hash, workspace_id, model, provider, endpoint ` +
			`ON CONFLICT (day, key_hash, workspace_id, model, provider, endpoint) DO UPDATE SET key_name = excluded.key_name, ` +
			added("requests", "prompt_tokens", "completion_tokens", "reasoning_tokens", "cached_tokens", "cost", "byok_cost"),
		`DELETE FROM generation_contents WHERE id IN (` + placeholders(len(ids)) + `)`,
		`DELETE FROM generations WHERE id IN (` + placeholders(len(ids)) + `)`,
	} {
		if _, err := tx.ExecContext(ctx, s.query(text), ids...); err != nil {
			return 0, err
		}
	}
	return int64(len(ids)), tx.Commit()
}

// added adds what a row would have had to what it has.
func added(columns ...string) string {
	for i, column := range columns {
		columns[i] = column + " = generation_days." + column + " + excluded." + column
	}
	return strings.Join(columns, ", ")
}

func placeholders(n int) string { return "?" + strings.Repeat(", ?", n-1) }
