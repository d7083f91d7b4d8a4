package store

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/switchyard/switchyard/policies/database"
	"github.com/switchyard/switchyard/policies/money"
)

// Total is what some generations come to together.
type Total struct {
	Requests, PromptTokens, CompletionTokens, ReasoningTokens int64
	Cost                                                      money.USD
	// CachedTokens are those of the prompt that a provider had cached.
	CachedTokens int64
	// Upstream is what providers billed clients' own keys; Cost has the fee for it alone.
	Upstream money.USD
}

// sums are of the view that also has the days whose generations were deleted.
const sums = `COALESCE(SUM(requests), 0), COALESCE(SUM(prompt_tokens), 0), COALESCE(SUM(completion_tokens), 0), COALESCE(SUM(reasoning_tokens), 0), COALESCE(SUM(cost), 0), COALESCE(SUM(cached_tokens), 0), COALESCE(SUM(byok_cost), 0)`

// Who is whose generations are asked for; an empty field is everyone's, or any.
type Who struct {
	KeyHash, User, Member, Model, Provider, Workspace, Organization string
}

// Bill is what some generations come to in money.
type Bill struct {
	Requests int64
	Cost     money.USD
	// Upstream is what providers billed clients' own keys; Cost has the fee for it alone.
	Upstream money.USD
}

// SpentBy is what some have spent from a time on. Of end users, what was deleted is not
// known. A member's is what was spent with each key while it was theirs, whether there
// still is one; of a day whose generations were deleted, with the keys that were theirs
// when it began.
//
// It may read all that an organisation has ever done: of keys and workspaces an index has
// what it reads.
func (s *Store) SpentBy(ctx context.Context, who Who, since time.Time) (Bill, error) {
	text, values := billed(who, since)
	var b Bill
	err := s.db.QueryRowContext(ctx, s.query(text), values...).Scan(&b.Requests, &b.Cost, &b.Upstream)
	return b, err
}

// billed is the query of [Store.SpentBy]. The view is not asked: SQLite does not look into
// it for an index.
func billed(who Who, since time.Time) (text string, values []any) {
	where, values := "@created >= ?", []any{since.UnixMicro()}
	for column, value := range map[string]string{"key_hash": who.KeyHash, "model": who.Model, "provider": who.Provider, "workspace_id": who.Workspace} {
		if value != "" {
			where, values = where+" AND "+column+" = ?", append(values, database.Storable(value))
		}
	}
	if who.Member != "" {
		where, values = where+" AND key_hash IN (SELECT key_hash FROM key_creators WHERE creator = ?)"+
			" AND EXISTS (SELECT 1 FROM key_creators c WHERE c.creator = ? AND c.key_hash = u.key_hash AND c.since <= @created AND @created < c.until)",
			append(values, who.Member, who.Member)
	}
	if who.Organization != "" {
		where, values = where+" AND workspace_id IN (SELECT id FROM workspaces WHERE organization_id = ?)", append(values, who.Organization)
	}
	each := func(columns, table, created, where string) string {
		return `SELECT ` + columns + `, COALESCE(SUM(cost), 0) AS cost, COALESCE(SUM(byok_cost), 0) AS byok_cost FROM ` + table + ` u WHERE ` + strings.ReplaceAll(where, "@created", created)
	}
	generations, days := each("COUNT(*) AS requests", "generations", "created", where), ""
	if who.User == "" {
		days = ` UNION ALL ` + each("COALESCE(SUM(requests), 0)", "generation_days", "day", where)
		values = slices.Concat(values, values)
	} else {
		generations, values = generations+" AND end_user = ?", append(values, database.Storable(who.User))
	}
	return `SELECT SUM(requests), SUM(cost), SUM(byok_cost) FROM (` + generations + days + `) both_tables`, values
}

func (t *Total) fields() []any {
	return []any{&t.Requests, &t.PromptTokens, &t.CompletionTokens, &t.ReasoningTokens, &t.Cost, &t.CachedTokens, &t.Upstream}
}

// Periods are when those began that a key's usage is told by.
type Periods struct{ Day, Week, Month time.Time }

// Spending is what a key has cost: ever, and since its periods began.
type Spending struct {
	Spent
	// Upstream is what providers billed the client's own keys.
	Upstream Spent
	// Last is when the key last asked, zero for never. Of generations that were deleted it
	// is known to the day, and is its beginning.
	Last time.Time
}

// Spent is an amount ever, and since some periods began.
type Spent struct{ Ever, Day, Week, Month money.USD }

// Spending is what some keys have cost. Those that asked nothing are left out.
func (s *Store) Spending(ctx context.Context, keyHashes []string, since Periods) (map[string]Spending, error) {
	spending := make(map[string]Spending, len(keyHashes))
	if len(keyHashes) == 0 {
		return spending, nil
	}
	periods := []any{since.Day.UnixMicro(), since.Week.UnixMicro(), since.Month.UnixMicro()}
	values := slices.Concat(periods, periods)
	for _, hash := range keyHashes {
		values = append(values, hash)
	}
	spent := func(column string) string {
		return `COALESCE(SUM(` + column + `), 0)` + strings.Repeat(`, COALESCE(SUM(CASE WHEN created >= ? THEN `+column+` ELSE 0 END), 0)`, len(periods))
	}
	rows, err := s.db.QueryContext(ctx, s.query(`SELECT key_hash, `+spent("cost")+`, `+spent("byok_cost")+`, MAX(created) FROM usage_sums `+
		`WHERE key_hash IN (?`+strings.Repeat(", ?", len(keyHashes)-1)+`) GROUP BY key_hash`), values...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var hash string
		var found Spending
		var last int64
		own := &found.Upstream
		if err := rows.Scan(&hash, &found.Ever, &found.Day, &found.Week, &found.Month, &own.Ever, &own.Day, &own.Week, &own.Month, &last); err != nil {
			return nil, err
		}
		found.Last = time.UnixMicro(last).UTC()
		spending[hash] = found
	}
	return spending, rows.Err()
}

// UpstreamSince is what providers have billed clients' own keys from a time on, by the
// organisation. Those that were billed nothing are left out.
func (s *Store) UpstreamSince(ctx context.Context, since time.Time) (map[string]money.USD, error) {
	rows, err := s.db.QueryContext(ctx, s.query(`SELECT w.organization_id, SUM(u.byok_cost) FROM usage_sums u JOIN workspaces w ON w.id = u.workspace_id `+
		`WHERE u.created >= ? AND u.byok_cost > 0 GROUP BY w.organization_id`), since.UnixMicro())
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	billed := make(map[string]money.USD)
	for rows.Next() {
		var organization string
		var sum money.USD
		if err := rows.Scan(&organization, &sum); err != nil {
			return nil, err
		}
		billed[organization] = sum
	}
	return billed, rows.Err()
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
	text := `SELECT ` + strings.Join(append(columns, sums), ", ") + ` FROM usage_sums WHERE created >= ? AND created < ? AND workspace_id IN (NULL` + strings.Repeat(", ?", len(span.Workspaces)) + `)`
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
