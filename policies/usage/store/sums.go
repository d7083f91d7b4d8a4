package store

import (
	"context"
	"fmt"
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

// Who is whose generations are asked for: one of them, or an end user of a key. None is
// everyone.
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

// SpentBy is what someone has spent from a day in UTC on, which a time is on. It reads a
// row for each day. A member's is what was spent with each key while it was theirs,
// whether there still is one; a model's and a provider's what their attempts cost, whoever
// served in the end, and Requests are those attempts.
func (s *Store) SpentBy(ctx context.Context, who Who, since time.Time) (Bill, error) {
	text, values, err := s.spent(who, since)
	if err != nil {
		return Bill{}, err
	}
	if err := s.SumUp(ctx); err != nil {
		return Bill{}, err
	}
	var b Bill
	err = s.db.QueryRowContext(ctx, s.query(text), values...).Scan(&b.Requests, &b.Cost, &b.Upstream)
	return b, err
}

// spent is the query of [Store.SpentBy]. The error is that no such sum is kept.
func (s *Store) spent(who Who, since time.Time) (text string, values []any, err error) {
	kind, name := kindWorkspace, ""
	switch who {
	case Who{}, Who{Organization: who.Organization}:
	case Who{KeyHash: who.KeyHash}:
		kind, name = kindKey, who.KeyHash
	case Who{KeyHash: who.KeyHash, User: who.User}:
		kind, name = kindUser, s.pseudonym(who.KeyHash, who.User)
	case Who{Member: who.Member}:
		kind, name = kindMember, who.Member
	case Who{Model: who.Model}:
		kind, name = kindModel, who.Model
	case Who{Provider: who.Provider}:
		kind, name = kindProvider, who.Provider
	case Who{Workspace: who.Workspace}:
		name = who.Workspace
	default:
		return "", nil, fmt.Errorf("ledger: no sum is kept for %+v", who)
	}
	text = `SELECT COALESCE(SUM(requests), 0), COALESCE(SUM(cost), 0), COALESCE(SUM(byok_cost), 0) FROM spending_days WHERE kind = ? AND day >= ?`
	values = []any{kind, dayOf(since)}
	switch {
	case name != "":
		text, values = text+` AND name = ?`, append(values, database.Storable(name))
	case who.Organization != "":
		text, values = text+` AND name IN (SELECT id FROM workspaces WHERE organization_id = ?)`, append(values, who.Organization)
	}
	return text, values, nil
}

func (t *Total) fields() []any {
	return []any{&t.Requests, &t.PromptTokens, &t.CompletionTokens, &t.ReasoningTokens, &t.Cost, &t.CachedTokens, &t.Upstream}
}

// dayOf is the day in UTC that a time is on, as tables have it.
func dayOf(t time.Time) int64 { return t.Truncate(24 * time.Hour).UnixMicro() }

// Periods are the days on which those began that a key's usage is told by.
type Periods struct{ Day, Week, Month time.Time }

// Spending is what a key has cost: ever, and since its periods began.
type Spending struct {
	Spent
	// Upstream is what providers billed the client's own keys.
	Upstream Spent
	// Last is when the key last asked, zero for never. Of generations that were deleted
	// before there were sums it is known to the day, and is its beginning.
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
	if err := s.SumUp(ctx); err != nil {
		return nil, err
	}
	periods := []any{dayOf(since.Day), dayOf(since.Week), dayOf(since.Month)}
	values := slices.Concat(periods, periods)
	for _, hash := range keyHashes {
		values = append(values, hash)
	}
	spent := func(column string) string {
		return `COALESCE(SUM(` + column + `), 0)` + strings.Repeat(`, COALESCE(SUM(CASE WHEN day >= ? THEN `+column+` ELSE 0 END), 0)`, len(periods))
	}
	rows, err := s.db.QueryContext(ctx, s.query(`SELECT name, `+spent("cost")+`, `+spent("byok_cost")+`, MAX(latest) FROM spending_days `+
		`WHERE kind = '`+kindKey+`' AND name IN (`+placeholders(len(keyHashes))+`) GROUP BY name`), values...)
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

// UpstreamSince is what providers have billed clients' own keys from a day in UTC on, by
// the organisation. Those that were billed nothing are left out.
func (s *Store) UpstreamSince(ctx context.Context, since time.Time) (map[string]money.USD, error) {
	if err := s.SumUp(ctx); err != nil {
		return nil, err
	}
	rows, err := s.db.QueryContext(ctx, s.query(`SELECT w.organization_id, SUM(d.byok_cost) FROM spending_days d JOIN workspaces w ON w.id = d.name `+
		`WHERE d.kind = '`+kindWorkspace+`' AND d.day >= ? AND d.byok_cost > 0 GROUP BY w.organization_id`), dayOf(since))
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

// Span is from one day in UTC to another, that excluded, and whom it is asked about: a
// key, "*" for all, in any of some workspaces.
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

// groups are the columns of a dimension. A day has the name that a key had last; of days
// with several, one is shown.
var groups = map[Dimension]struct{ by, shown string }{
	ByDay:       {"day", "day"},
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
	if err := s.SumUp(ctx); err != nil {
		return nil, err
	}
	var columns, grouped, order []string
	for _, dimension := range by {
		group := groups[dimension]
		columns, grouped = append(columns, group.shown), append(grouped, group.by)
		if dimension == ByDay {
			group.by += " DESC"
		}
		order = append(order, group.by)
	}
	for column := range strings.SplitSeq("requests, prompt_tokens, completion_tokens, reasoning_tokens, cost, cached_tokens, byok_cost", ", ") {
		columns = append(columns, "COALESCE(SUM("+column+"), 0)")
	}
	text := `SELECT ` + strings.Join(columns, ", ") + ` FROM usage_days WHERE day >= ? AND day < ? AND workspace_id IN (NULL` + strings.Repeat(", ?", len(span.Workspaces)) + `)`
	values := []any{dayOf(span.From), dayOf(span.To)}
	for _, workspace := range span.Workspaces {
		values = append(values, workspace)
	}
	if span.KeyHash != "*" {
		text += ` AND key_hash = ?`
		values = append(values, span.KeyHash)
	}
	if len(by) > 0 {
		// What all attempts were merged away from comes to nothing.
		text += ` GROUP BY ` + strings.Join(grouped, ", ") + ` HAVING SUM(requests) > 0 ORDER BY ` + strings.Join(order, ", ")
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
			g.Day = time.UnixMicro(day).UTC()
		}
		all = append(all, g)
	}
	return all, rows.Err()
}
