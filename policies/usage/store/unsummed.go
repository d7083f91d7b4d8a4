package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/switchyard/switchyard/policies/usage"
)

// summedAtOnce is how many generations one transaction adds to the sums: writers wait
// for it.
const summedAtOnce = 2000

// SumUp adds to the sums what is not in them: generations from before there were any, or
// of a gateway of before that still runs. Whoever asks for sums does it first, so that
// those are always whole; of millions it takes minutes, once. It may be called at any
// time, by several processes at once; what was done when ctx ends stays done.
func (s *Store) SumUp(ctx context.Context) error {
	for {
		var id string
		err := s.db.QueryRowContext(ctx, s.query(`SELECT id FROM generations WHERE NOT summed LIMIT 1`)).Scan(&id)
		if errors.Is(err, sql.ErrNoRows) {
			return nil
		}
		if err == nil {
			err = s.sumSome(ctx)
		}
		if err != nil {
			return err
		}
	}
}

func (s *Store) sumSome(ctx context.Context) error {
	tx, err := s.db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback()
	// Another process that adds the same ones waits here, and does not find them any more.
	rows, err := tx.QueryContext(ctx, s.query(`SELECT id, created, key_hash, key_name, workspace_id, end_user, attempts FROM generations `+
		`WHERE NOT summed ORDER BY id LIMIT ?`+s.db.Locking()), summedAtOnce)
	if err != nil {
		return err
	}
	defer rows.Close()
	sums, ids := s.newTally(), []any{}
	for rows.Next() {
		var g usage.Generation
		var created int64
		var attempts string
		if err := rows.Scan(&g.ID, &created, &g.KeyHash, &g.KeyName, &g.Workspace, &g.User, &attempts); err != nil {
			return err
		}
		g.Created = time.UnixMicro(created)
		if err := json.Unmarshal([]byte(attempts), &g.Attempts); err != nil {
			return fmt.Errorf("generation %s: %w", g.ID, err)
		}
		sums.add(&g)
		ids = append(ids, g.ID)
	}
	if err := rows.Err(); err != nil || len(ids) == 0 {
		return err
	}
	if _, err := tx.ExecContext(ctx, s.query(`UPDATE generations SET summed = TRUE WHERE id IN (`+placeholders(len(ids))+`)`), ids...); err != nil {
		return err
	}
	if err := sums.save(ctx, s, tx); err != nil {
		return err
	}
	return tx.Commit()
}
