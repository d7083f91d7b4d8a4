package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/switchyard/switchyard/policies/database"
	"github.com/switchyard/switchyard/policies/usage"
)

// ErrNone: there is no such generation.
var ErrNone = errors.New("ledger: no such generation")

const columns = `id, request_id, created, key_hash, key_name, api, requested, model, provider, endpoint, ` +
	`streamed, cancelled, estimated, session, end_user, preset, referer, title, user_agent, ` +
	`finish_reason, native_finish_reason, prompt_tokens, completion_tokens, reasoning_tokens, cost, attempts, cached_tokens, workspace_id, ` +
	`response_cache_source_id, byok_cost`

// Save keeps generations, all of them or none. One whose id is there already gains the
// attempts that it lacks: it is told again after a crash, and by several processes if
// each had some of the attempts, as at a restart.
func (s *Store) Save(ctx context.Context, generations []usage.Generation) error {
	tx, err := s.db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback()
	insert, err := tx.PrepareContext(ctx, s.query(`INSERT INTO generations (`+columns+`) VALUES (`+
		strings.Repeat("?, ", strings.Count(columns, ","))+`?) ON CONFLICT (id) DO NOTHING`))
	if err != nil {
		return err
	}
	defer insert.Close()
	// In one order in all processes, or two of them could wait for each other's rows.
	ordered := slices.SortedFunc(slices.Values(generations), func(a, b usage.Generation) int { return strings.Compare(a.ID, b.ID) })
	for i := range ordered {
		err := s.save(ctx, tx, insert, &ordered[i])
		if err == nil {
			err = s.saveContent(ctx, tx, &ordered[i])
		}
		if err != nil {
			return fmt.Errorf("generation %s: %w", ordered[i].ID, err)
		}
	}
	return tx.Commit()
}

func (s *Store) save(ctx context.Context, tx *sql.Tx, insert *sql.Stmt, g *usage.Generation) error {
	values, err := row(g)
	if err != nil {
		return err
	}
	result, err := insert.ExecContext(ctx, values...)
	if err != nil {
		return err
	}
	if added, err := result.RowsAffected(); err != nil || added > 0 {
		return err
	}
	known, err := s.get(ctx, tx, g.ID, s.db.Locking())
	if err != nil || !known.Merge(g) {
		return err
	}
	if values, err = row(known); err != nil {
		return err
	}
	if _, err := tx.ExecContext(ctx, s.query(`DELETE FROM generations WHERE id = ?`), g.ID); err != nil {
		return err
	}
	_, err = insert.ExecContext(ctx, values...)
	return err
}

func row(g *usage.Generation) ([]any, error) {
	attempts, err := json.Marshal(g.Attempts, jsontext.AllowInvalidUTF8(true))
	if err != nil {
		return nil, err
	}
	served := g.Served()
	if served == nil {
		served = &usage.Attempt{}
	}
	values := []any{
		g.ID, g.RequestID, g.Created.UnixMicro(), g.KeyHash, g.KeyName, g.API, g.Requested, served.Model, served.Provider, served.Endpoint,
		g.Streamed, g.Cancelled, g.Estimated, g.Session, g.User, g.Preset, g.Referer, g.Title, g.UserAgent,
		g.FinishReason, g.NativeFinishReason, served.Tokens.Prompt, served.Tokens.Completion, served.Tokens.Reasoning, int64(g.Cost()), string(attempts), served.Tokens.CacheRead, g.Workspace,
		g.ResponseCacheSource, int64(g.Upstream()),
	}
	for i, value := range values {
		if text, ok := value.(string); ok {
			values[i] = database.Storable(text)
		}
	}
	return values, nil
}

// Get returns a generation. The error is [ErrNone] if there is none of that id, or the
// database's.
func (s *Store) Get(ctx context.Context, id string) (*usage.Generation, error) {
	return s.get(ctx, s.db, id, "")
}

// querier is a database, or a transaction on it.
type querier interface {
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
}

func (s *Store) get(ctx context.Context, from querier, id, locking string) (*usage.Generation, error) {
	var g usage.Generation
	var created, prompt, completion, reasoning, cost, cached, upstream int64
	var model, provider, endpoint, attempts string
	err := from.QueryRowContext(ctx, s.query(`SELECT `+columns+` FROM generations WHERE id = ?`+locking), id).Scan(
		&g.ID, &g.RequestID, &created, &g.KeyHash, &g.KeyName, &g.API, &g.Requested, &model, &provider, &endpoint,
		&g.Streamed, &g.Cancelled, &g.Estimated, &g.Session, &g.User, &g.Preset, &g.Referer, &g.Title, &g.UserAgent,
		&g.FinishReason, &g.NativeFinishReason, &prompt, &completion, &reasoning, &cost, &attempts, &cached, &g.Workspace,
		&g.ResponseCacheSource, &upstream)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, ErrNone
	}
	if err != nil {
		return nil, err
	}
	g.Created = time.UnixMicro(created).UTC()
	if err := json.Unmarshal([]byte(attempts), &g.Attempts); err != nil {
		return nil, fmt.Errorf("generation %s: %w", id, err)
	}
	return &g, nil
}
