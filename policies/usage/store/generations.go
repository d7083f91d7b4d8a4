package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math/bits"
	"slices"
	"strings"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/switchyard/switchyard/policies/database"
	"github.com/switchyard/switchyard/policies/usage"
)

// ErrNone: there is no such generation.
var ErrNone = errors.New("ledger: no such generation")

const columns = `id, request_id, created, key_hash, key_name, api, requested, model, provider, endpoint, ` +
	`streamed, cancelled, estimated, session, end_user, preset, referer, title, user_agent, ` +
	`finish_reason, native_finish_reason, prompt_tokens, completion_tokens, reasoning_tokens, cost, attempts, cached_tokens, workspace_id, ` +
	`response_cache_source_id, byok_cost`

const columnCount = 30

// inserts add 1, 2, 4, … and 64 generations, but for those that are there already: a
// statement costs either database more than a row does, and PostgreSQL a round trip.
var inserts = func() (texts [7]string) {
	row := "(" + placeholders(columnCount) + ", TRUE)"
	for i := range texts {
		texts[i] = `INSERT INTO generations (` + columns + `, summed) VALUES ` + row + strings.Repeat(", "+row, 1<<i-1) + ` ON CONFLICT (id) DO NOTHING RETURNING id`
	}
	return texts
}()

// update changes one, whose id comes last. A row that was deleted and made anew would not be
// found by another process that waits for it.
var update = `UPDATE generations SET ` + strings.ReplaceAll(strings.TrimPrefix(columns, "id, "), ", ", " = ?, ") + ` = ? WHERE id = ?`

// Save keeps generations, all of them or none, and adds them to the sums. One whose id is
// there already gains the attempts that it lacks: it is told again after a crash, and by
// several processes if each had some of the attempts, as at a restart.
func (s *Store) Save(ctx context.Context, generations []usage.Generation) error {
	var statements [len(inserts)]*database.Statement
	for i, text := range inserts[:min(len(inserts), bits.Len(uint(len(generations))))] {
		var err error
		if statements[i], err = s.db.Keep(ctx, text); err != nil {
			return err
		}
	}
	tx, err := s.db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback()
	ordered := make([]*usage.Generation, len(generations))
	for i := range generations {
		ordered[i] = &generations[i]
	}
	// In one order in all processes, new rows before others are locked, or two of them
	// could wait for each other's.
	slices.SortStableFunc(ordered, func(a, b *usage.Generation) int { return strings.Compare(a.ID, b.ID) })
	var known []*usage.Generation // at least in part
	sums := s.newTally()
	for rest := ordered; len(rest) > 0; {
		size := min(len(inserts), bits.Len(uint(len(rest)))) - 1
		some := rest[:1<<size]
		added, err := add(ctx, tx, statements[size], some)
		if err != nil {
			return fmt.Errorf("generations %s to %s: %w", some[0].ID, some[len(some)-1].ID, err)
		}
		for _, g := range some {
			if added[g.ID] {
				sums.add(g)
				delete(added, g.ID) // it may be told twice
			} else {
				known = append(known, g)
			}
		}
		rest = rest[len(some):]
	}
	for _, g := range known {
		if err := s.merge(ctx, tx, sums, g); err != nil {
			return fmt.Errorf("generation %s: %w", g.ID, err)
		}
	}
	for _, g := range ordered {
		if err := s.saveContent(ctx, tx, g); err != nil {
			return fmt.Errorf("generation %s: %w", g.ID, err)
		}
	}
	if err := sums.save(ctx, s, tx); err != nil {
		return err
	}
	return tx.Commit()
}

// add adds generations, but for those that are there, and returns the ids of what it has
// added.
func add(ctx context.Context, tx *sql.Tx, insert *database.Statement, generations []*usage.Generation) (map[string]bool, error) {
	values, attempts := make([]any, 0, len(generations)*columnCount), []byte(nil)
	for _, g := range generations {
		attempts = usage.AppendAttempts(attempts[:0], g.Attempts)
		values = appendRow(values, g, string(attempts))
	}
	rows, err := insert.Query(ctx, tx, values...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	added := make(map[string]bool, len(generations))
	for rows.Next() {
		var id string
		if err := rows.Scan(&id); err != nil {
			return nil, err
		}
		added[id] = true
	}
	return added, rows.Err()
}

// merge adds to a generation what g knows beyond it. One that is in no sum yet is added to
// them later, as it is then.
func (s *Store) merge(ctx context.Context, tx *sql.Tx, sums *tally, g *usage.Generation) error {
	known, err := s.get(ctx, tx, g.ID, s.db.Locking())
	if err != nil {
		return err
	}
	before := *known
	before.Attempts = slices.Clone(known.Attempts)
	if !known.Merge(g) {
		return nil
	}
	var summed bool
	if err := tx.QueryRowContext(ctx, s.query(`SELECT summed FROM generations WHERE id = ?`), g.ID).Scan(&summed); err != nil {
		return err
	}
	if summed {
		sums.remove(&before)
		sums.add(known)
	}
	values := appendRow(nil, known, string(usage.AppendAttempts(nil, known.Attempts)))
	_, err = tx.ExecContext(ctx, s.query(update), append(values[1:], values[0])...)
	return err
}

// appendRow appends the values of the columns, of which attempts is one.
func appendRow(values []any, g *usage.Generation, attempts string) []any {
	served := g.Served()
	if served == nil {
		served = &usage.Attempt{}
	}
	first := len(values)
	values = append(values,
		g.ID, g.RequestID, g.Created.UnixMicro(), g.KeyHash, g.KeyName, g.API, g.Requested, served.Model, served.Provider, served.Endpoint,
		g.Streamed, g.Cancelled, g.Estimated, g.Session, g.User, g.Preset, g.Referer, g.Title, g.UserAgent,
		g.FinishReason, g.NativeFinishReason, served.Tokens.Prompt, served.Tokens.Completion, served.Tokens.Reasoning, int64(g.Cost()),
		attempts, served.Tokens.CacheRead, g.Workspace,
		g.ResponseCacheSource, int64(g.Upstream()),
	)
	for i, value := range values[first:] {
		if text, ok := value.(string); ok {
			if storable := database.Storable(text); storable != text {
				values[first+i] = storable
			}
		}
	}
	return values
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
