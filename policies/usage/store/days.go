package store

import (
	"cmp"
	"context"
	"database/sql"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/switchyard/switchyard/policies/database"
	"github.com/switchyard/switchyard/policies/money"
	"github.com/switchyard/switchyard/policies/usage"
)

// Sums are kept in two tables, of which each row is a day in UTC: usage_days for who asks
// what was used, and spending_days for budgets. They change in the transactions that
// change generations, and stay when those are deleted.

// The kinds of those whose spending is kept. Of an organisation it is that of its
// workspaces, and of all that of all workspaces.
const (
	kindKey       = "key"
	kindUser      = "user" // by pseudonym, see [Store.pseudonym]
	kindMember    = "member"
	kindModel     = "model"
	kindProvider  = "provider"
	kindWorkspace = "workspace"
)

// spender is one of them on a day, usedOn what an endpoint served for a key on a day.
type (
	spender struct {
		kind, name string
		day        int64 // its first microsecond
	}
	usedOn struct {
		workspace                      string
		day                            int64
		key, model, provider, endpoint string
	}
)

// spending is what a spender comes to.
type spending struct {
	Bill
	latest int64
}

// tally adds up what changes in a transaction. Generations are added once they are sure
// to be in it.
type tally struct {
	keyed    map[string][]keyed // by key
	usage    map[usedOn]*Total
	names    map[string]string // of keys
	spending map[spender]*spending
	users    func(keyHash, user string) string
}

// keyed is money that a key spent, whoever the member is whose it was then.
type keyed struct {
	created int64
	Bill
}

func (s *Store) newTally() *tally {
	return &tally{
		keyed: make(map[string][]keyed), usage: make(map[usedOn]*Total), names: make(map[string]string),
		spending: make(map[spender]*spending), users: s.pseudonym,
	}
}

// pseudonym stands for an end user of a key's: nobody who has the database alone can tell
// who it is, or try names.
func (s *Store) pseudonym(keyHash, user string) string {
	return s.sealer.Pseudonym(keyHash, database.Storable(user))
}

// add adds a generation, remove takes one out that was added before.
func (t *tally) add(g *usage.Generation)    { t.count(g, 1) }
func (t *tally) remove(g *usage.Generation) { t.count(g, -1) }

func (t *tally) count(g *usage.Generation, sign int64) {
	created, day := g.Created.UnixMicro(), dayOf(g.Created)
	served := cmp.Or(g.Served(), &usage.Attempt{})
	whole := Bill{Requests: sign, Cost: g.Cost().Mul(sign), Upstream: g.Upstream().Mul(sign)}

	key := database.Storable(g.KeyHash)
	on := usedOn{database.Storable(g.Workspace), day, key, database.Storable(served.Model), database.Storable(served.Provider), database.Storable(served.Endpoint)}
	if t.usage[on] == nil {
		t.usage[on] = &Total{}
	}
	t.usage[on].add(Total{
		Requests: sign, PromptTokens: sign * served.Tokens.Prompt, CompletionTokens: sign * served.Tokens.Completion, ReasoningTokens: sign * served.Tokens.Reasoning,
		CachedTokens: sign * served.Tokens.CacheRead, Cost: whole.Cost, Upstream: whole.Upstream,
	})
	t.names[key] = database.Storable(g.KeyName)

	t.spend(spender{kindWorkspace, on.workspace, day}, whole, 0)
	if key != "" {
		t.spend(spender{kindKey, key, day}, whole, created)
		t.keyed[key] = append(t.keyed[key], keyed{created, whole})
	}
	if g.User != "" {
		t.spend(spender{kindUser, t.users(key, g.User), day}, whole, 0)
	}
	for i := range g.Attempts {
		a := &g.Attempts[i]
		part := Bill{Requests: sign, Cost: a.Charge.Total.Mul(sign), Upstream: a.Charge.Upstream.Mul(sign)}
		t.spend(spender{kindModel, database.Storable(a.Model), day}, part, 0)
		t.spend(spender{kindProvider, database.Storable(a.Provider), day}, part, 0)
	}
}

func (t *tally) spend(by spender, bill Bill, latest int64) {
	if t.spending[by] == nil {
		t.spending[by] = &spending{}
	}
	sum := t.spending[by]
	sum.Bill.add(bill)
	sum.latest = max(sum.latest, latest)
}

func (b *Bill) add(other Bill) {
	b.Requests += other.Requests
	b.Cost, b.Upstream = b.Cost.Add(other.Cost), b.Upstream.Add(other.Upstream)
}

func (t *Total) add(other Total) {
	sum := func(a, b int64) int64 { return int64(money.USD(a).Add(money.USD(b))) } // saturates
	t.Requests += other.Requests
	t.PromptTokens, t.CompletionTokens = sum(t.PromptTokens, other.PromptTokens), sum(t.CompletionTokens, other.CompletionTokens)
	t.ReasoningTokens, t.CachedTokens = sum(t.ReasoningTokens, other.ReasoningTokens), sum(t.CachedTokens, other.CachedTokens)
	t.Cost, t.Upstream = t.Cost.Add(other.Cost), t.Upstream.Add(other.Upstream)
}

// save adds the tally to the tables. It comes last in its transaction: others who add to
// the same rows wait for its end. Rows are in one order in all processes, or two of them
// could wait for each other.
func (t *tally) save(ctx context.Context, s *Store, tx *sql.Tx) error {
	if err := t.addMembers(ctx, s, tx); err != nil {
		return err
	}
	var days, spent [][]any
	for _, on := range slices.SortedFunc(maps.Keys(t.usage), usedOn.compare) {
		sum := t.usage[on]
		days = append(days, []any{
			on.workspace, on.day, on.key, on.model, on.provider, on.endpoint, t.names[on.key],
			sum.Requests, sum.PromptTokens, sum.CompletionTokens, sum.ReasoningTokens, sum.CachedTokens, int64(sum.Cost), int64(sum.Upstream),
		})
	}
	for _, by := range slices.SortedFunc(maps.Keys(t.spending), spender.compare) {
		sum := t.spending[by]
		if by.name == "" && by.kind != kindWorkspace { // of a gateway without keys, or of no attempt
			continue
		}
		spent = append(spent, []any{by.kind, by.name, by.day, sum.latest, sum.Requests, int64(sum.Cost), int64(sum.Upstream)})
	}
	if err := usageDays.add(ctx, s, tx, days); err != nil {
		return err
	}
	return spendingDays.add(ctx, s, tx, spent)
}

// addMembers adds what was spent with a key to the member whose it was then.
func (t *tally) addMembers(ctx context.Context, s *Store, tx *sql.Tx) error {
	if len(t.keyed) == 0 {
		return nil
	}
	keys := make([]any, 0, len(t.keyed))
	for key := range t.keyed {
		keys = append(keys, key)
	}
	rows, err := tx.QueryContext(ctx, s.query(`SELECT key_hash, creator, since, until FROM key_creators WHERE key_hash IN (`+placeholders(len(keys))+`)`), keys...)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var key, member string
		var since, until int64
		if err := rows.Scan(&key, &member, &since, &until); err != nil {
			return err
		}
		for _, spent := range t.keyed[key] {
			if since <= spent.created && spent.created < until {
				t.spend(spender{kindMember, member, dayOf(time.UnixMicro(spent.created))}, spent.Bill, 0)
			}
		}
	}
	return rows.Err()
}

func (on usedOn) compare(other usedOn) int {
	return cmp.Or(strings.Compare(on.workspace, other.workspace), cmp.Compare(on.day, other.day), strings.Compare(on.key, other.key),
		strings.Compare(on.model, other.model), strings.Compare(on.provider, other.provider), strings.Compare(on.endpoint, other.endpoint))
}

func (s spender) compare(other spender) int {
	return cmp.Or(strings.Compare(s.kind, other.kind), strings.Compare(s.name, other.name), cmp.Compare(s.day, other.day))
}

// days is a table of sums: of what they are, what else is kept beside them, and how.
type days struct{ table, key, beside, set, sums string }

var (
	usageDays = days{
		"usage_days", "workspace_id, day, key_hash, model, provider, endpoint", "key_name", "excluded.key_name",
		"requests, prompt_tokens, completion_tokens, reasoning_tokens, cached_tokens, cost, byok_cost",
	}
	spendingDays = days{
		"spending_days", "kind, name, day", "latest", "CASE WHEN excluded.latest > spending_days.latest THEN excluded.latest ELSE spending_days.latest END",
		"requests, cost, byok_cost",
	}
)

// addedAtOnce is how many rows one statement adds.
const addedAtOnce = 50

// add adds rows, whose values are in the order of [days.statement], to those that are there.
func (d *days) add(ctx context.Context, s *Store, tx *sql.Tx, rows [][]any) error {
	for some := range slices.Chunk(rows, addedAtOnce) {
		if _, err := tx.ExecContext(ctx, s.query(d.statement(len(some))), slices.Concat(some...)...); err != nil {
			return err
		}
	}
	return nil
}

// statement adds so many rows. Sums that would leave the range stay at its end, as in
// [money.USD.Add]: a row that the database refuses would hold up all that follow.
func (d *days) statement(rows int) string {
	const most = "9223372036854775807"
	columns := d.key + ", " + d.beside + ", " + d.sums
	set := d.beside + " = " + d.set
	for column := range strings.SplitSeq(d.sums, ", ") {
		is, more := d.table+"."+column, "excluded."+column
		set += ", " + column + " = CASE WHEN " + more + " > 0 AND " + is + " > " + most + " - " + more + " THEN " + most +
			" WHEN " + more + " < 0 AND " + is + " < -" + most + " - " + more + " THEN -" + most + " ELSE " + is + " + " + more + " END"
	}
	row := "(" + placeholders(strings.Count(columns, ",")+1) + ")"
	return `INSERT INTO ` + d.table + ` (` + columns + `) VALUES ` + row + strings.Repeat(", "+row, rows-1) +
		` ON CONFLICT (` + d.key + `) DO UPDATE SET ` + set
}
