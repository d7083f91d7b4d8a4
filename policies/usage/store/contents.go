package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/switchyard/switchyard/policies/database"
	"github.com/switchyard/switchyard/policies/usage"
)

// saveContent keeps what was said in a generation, if it is to be kept. What is told
// first counts.
func (s *Store) saveContent(ctx context.Context, tx *sql.Tx, g *usage.Generation) error {
	if g.Content == nil {
		return nil
	}
	text, err := json.Marshal(g.Content, jsontext.AllowInvalidUTF8(true))
	if err != nil {
		return err
	}
	_, err = tx.ExecContext(ctx, s.query(`INSERT INTO generation_contents (id, created, content) VALUES (?, ?, ?) ON CONFLICT (id) DO NOTHING`),
		g.ID, g.Created.UnixMicro(), database.Storable(string(text)))
	return err
}

// Content returns what was said in a generation. The error is [ErrNone] if that is not
// kept, or the database's.
func (s *Store) Content(ctx context.Context, id string) (*usage.Content, error) {
	var text string
	err := s.db.QueryRowContext(ctx, s.query(`SELECT content FROM generation_contents WHERE id = ?`), id).Scan(&text)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, ErrNone
	}
	if err != nil {
		return nil, err
	}
	content := &usage.Content{}
	if err := json.Unmarshal([]byte(text), content); err != nil {
		return nil, fmt.Errorf("content of generation %s: %w", id, err)
	}
	return content, nil
}

// PurgeContents deletes what was said before a time, and returns of how many generations
// that was.
func (s *Store) PurgeContents(ctx context.Context, before time.Time) (int64, error) {
	return s.db.Delete(ctx, `generation_contents`, `created < ?`, before.UnixMicro())
}
