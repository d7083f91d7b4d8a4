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
	"github.com/switchyard/switchyard/policies/money"
	"github.com/switchyard/switchyard/policies/usage"
)

// ErrNone: there is no such generation.
var ErrNone = errors.New("ledger: no such generation")

const columns = `id, request_id, created, key_hash, key_name, api, requested, model, provider, endpoint, ` +
	`streamed, cancelled, estimated, session, end_user, preset, referer, title, user_agent, ` +
	`finish_reason, native_finish_reason, prompt_tokens, completion_tokens, reasoning_tokens, cost, attempts, cached_tokens, workspace_id`

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
		if err := s.save(ctx, tx, insert, &ordered[i]); err != nil {
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
	var created, prompt, completion, reasoning, cost, cached int64
	var model, provider, endpoint, attempts string
	err := from.QueryRowContext(ctx, s.query(`SELECT `+columns+` FROM generations WHERE id = ?`+locking), id).Scan(
		&g.ID, &g.RequestID, &created, &g.KeyHash, &g.KeyName, &g.API, &g.Requested, &model, &provider, &endpoint,
		&g.Streamed, &g.Cancelled, &g.Estimated, &g.Session, &g.User, &g.Preset, &g.Referer, &g.Title, &g.UserAgent,
		&g.FinishReason, &g.NativeFinishReason, &prompt, &completion, &reasoning, &cost, &attempts, &cached, &g.Workspace)
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

// Total is what some generations come to together.
type Total struct {
	Requests, PromptTokens, CompletionTokens, ReasoningTokens int64
	Cost                                                      money.USD
	// CachedTokens are those of the prompt that a provider had cached.
	CachedTokens int64
}

const sums = `COUNT(*), COALESCE(SUM(prompt_tokens), 0), COALESCE(SUM(completion_tokens), 0), COALESCE(SUM(reasoning_tokens), 0), COALESCE(SUM(cost), 0), COALESCE(SUM(cached_tokens), 0)`

// Who is whose generations are asked for; an empty field is everyone's, or any.
type Who struct {
	KeyHash, User, Model, Provider string
}

// SpentBy is what some have used from a time on.
func (s *Store) SpentBy(ctx context.Context, who Who, since time.Time) (Total, error) {
	where, values := "created >= ?", []any{since.UnixMicro()}
	for column, value := range map[string]string{"key_hash": who.KeyHash, "end_user": who.User, "model": who.Model, "provider": who.Provider} {
		if value != "" {
			where, values = where+" AND "+column+" = ?", append(values, database.Storable(value))
		}
	}
	var t Total
	err := s.db.QueryRowContext(ctx, s.query(`SELECT `+sums+` FROM generations WHERE `+where), values...).Scan(t.fields()...)
	return t, err
}

func (t *Total) fields() []any {
	return []any{&t.Requests, &t.PromptTokens, &t.CompletionTokens, &t.ReasoningTokens, &t.Cost, &t.CachedTokens}
}

// Periods are when those began that a key's usage is told by.
type Periods struct{ Day, Week, Month time.Time }

// Spending is what a key has cost: ever, and since its periods began. Last is when it
// last asked, zero for never.
type Spending struct {
	Ever, Day, Week, Month money.USD
	Last                   time.Time
}

// Spending is what some keys have cost. Those that asked nothing are left out.
func (s *Store) Spending(ctx context.Context, keyHashes []string, since Periods) (map[string]Spending, error) {
	spending := make(map[string]Spending, len(keyHashes))
	if len(keyHashes) == 0 {
		return spending, nil
	}
	values := []any{since.Day.UnixMicro(), since.Week.UnixMicro(), since.Month.UnixMicro()}
	for _, hash := range keyHashes {
		values = append(values, hash)
	}
	const from = `, COALESCE(SUM(CASE WHEN created >= ? THEN cost ELSE 0 END), 0)`
	rows, err := s.db.QueryContext(ctx, s.query(`SELECT key_hash, COALESCE(SUM(cost), 0)`+from+from+from+`, MAX(created) FROM generations `+
		`WHERE key_hash IN (?`+strings.Repeat(", ?", len(keyHashes)-1)+`) GROUP BY key_hash`), values...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var hash string
		var spent Spending
		var last int64
		if err := rows.Scan(&hash, &spent.Ever, &spent.Day, &spent.Week, &spent.Month, &last); err != nil {
			return nil, err
		}
		spent.Last = time.UnixMicro(last).UTC()
		spending[hash] = spent
	}
	return spending, rows.Err()
}

// Span is a time between two others, the second one excluded, and whom it is asked
// about: a key, "*" for all, in any of some workspaces.
type Span struct {
	From, To   time.Time
	KeyHash    string
	Workspaces []string
}

// Dimension is what sums are made by.
type Dimension uint8

// The dimensions. A day is one in UTC; an endpoint has its model and provider with it.
const (
	ByDay Dimension = iota
	ByKey
	ByModel
	ByEndpoint
	ByWorkspace
)

// groups are the columns of a dimension. Of a key that was
// renamed, one of the names is shown.
var groups = map[Dimension]struct{ by, shown string }{
	ByDay:       {"created / 86400000000", "created / 86400000000"},
	ByKey:       {"key_hash", "key_hash, MAX(key_name)"},
	ByModel:     {"model", "model"},
	ByEndpoint:  {"model, endpoint, provider", "model, endpoint, provider"},
	ByWorkspace: {"workspace_id", "workspace_id"},
}

// Group is a sum. What it is not made by is zero.
type Group struct {
	Day                       time.Time // midnight
	KeyHash, KeyName          string
	Workspace                 string
	Model, Endpoint, Provider string
	Total
}

// Sums adds up what was done by some dimensions, the latest day first.
func (s *Store) Sums(ctx context.Context, span Span, by ...Dimension) ([]Group, error) {
	var columns, grouped, order []string
	for _, dimension := range by {
		group := groups[dimension]
		columns, grouped = append(columns, group.shown), append(grouped, group.by)
		if dimension == ByDay {
			group.by += " DESC"
		}
		order = append(order, group.by)
	}
	text := `SELECT ` + strings.Join(append(columns, sums), ", ") + ` FROM generations WHERE created >= ? AND created < ? AND workspace_id IN (NULL` + strings.Repeat(", ?", len(span.Workspaces)) + `)`
	values := []any{span.From.UnixMicro(), span.To.UnixMicro()}
	for _, workspace := range span.Workspaces {
		values = append(values, workspace)
	}
	if span.KeyHash != "*" {
		text += ` AND key_hash = ?`
		values = append(values, span.KeyHash)
	}
	if len(by) > 0 {
		text += ` GROUP BY ` + strings.Join(grouped, ", ") + ` ORDER BY ` + strings.Join(order, ", ")
	}
	rows, err := s.db.QueryContext(ctx, s.query(text), values...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var all []Group
	for rows.Next() {
		var g Group
		var day int64
		var into []any
		for _, dimension := range by {
			switch dimension {
			case ByDay:
				into = append(into, &day)
			case ByKey:
				into = append(into, &g.KeyHash, &g.KeyName)
			case ByModel:
				into = append(into, &g.Model)
			case ByEndpoint:
				into = append(into, &g.Model, &g.Endpoint, &g.Provider)
			case ByWorkspace:
				into = append(into, &g.Workspace)
			}
		}
		if err := rows.Scan(append(into, g.fields()...)...); err != nil {
			return nil, err
		}
		if slices.Contains(by, ByDay) {
			g.Day = time.Unix(day*86400, 0).UTC()
		}
		all = append(all, g)
	}
	return all, rows.Err()
}

// Purge deletes what was created before a time, some thousand rows at once, and
// returns how many there were.
func (s *Store) Purge(ctx context.Context, before time.Time) (int64, error) {
	const portion = 5000
	total := int64(0)
	for {
		result, err := s.db.ExecContext(ctx, s.query(`DELETE FROM generations WHERE id IN (SELECT id FROM generations WHERE created < ? LIMIT ?)`),
			before.UnixMicro(), portion)
		if err != nil {
			return total, err
		}
		deleted, err := result.RowsAffected()
		total += deleted
		if err != nil || deleted < portion {
			return total, err
		}
	}
}
