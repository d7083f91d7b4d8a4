package store

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/switchyard/switchyard/policies/database"
	"github.com/switchyard/switchyard/policies/database/databasetest"
	"github.com/switchyard/switchyard/policies/identity"
	"github.com/switchyard/switchyard/policies/money"
	"github.com/switchyard/switchyard/policies/usage"
)

// crowd makes generations of several keys, users, models and days, of some attempts each.
func crowd(random *rand.Rand, count int) []usage.Generation {
	all := make([]usage.Generation, count)
	for i := range all {
		g := generation(fmt.Sprintf("gen-1-%04d", i), noon.Add(time.Duration(random.Int64N(int64(9*24*time.Hour))))) // also days that are to come
		g.Created = g.Created.Truncate(time.Microsecond)
		g.KeyHash, g.User, g.Workspace = fmt.Sprint("key", random.IntN(3)), fmt.Sprint("user", random.IntN(4)), []string{"default", "w"}[random.IntN(2)]
		if random.IntN(4) == 0 {
			g.User = ""
		}
		g.Attempts = make([]usage.Attempt, 1+random.IntN(3))
		for j := range g.Attempts {
			model, provider := fmt.Sprint("m/", random.IntN(2)), fmt.Sprint("p", random.IntN(3))
			g.Attempts[j] = usage.Attempt{
				Number: j + 1, Model: model, Provider: provider, Endpoint: model + "|" + provider, Outcome: "failed_over",
				Tokens: usage.Tokens{Prompt: random.Int64N(1e6), Completion: random.Int64N(1e6)},
				Charge: usage.Charge{Total: money.USD(random.Int64N(1e15)), Upstream: money.USD(random.Int64N(1e15))},
			}
		}
		g.Attempts[len(g.Attempts)-1].Outcome = "ok"
		all[i] = g
	}
	return all
}

// whos are all who may have a budget in a crowd.
func whos() []Who {
	all := []Who{{}, {Organization: "default"}, {Workspace: "default"}, {Workspace: "w"}, {Model: "m/0"}, {Model: "m/1"}, {Member: "ada"}, {Member: "bob"}}
	for i := range 3 {
		key := fmt.Sprint("key", i)
		all = append(all, Who{Provider: fmt.Sprint("p", i)}, Who{KeyHash: key})
		for j := range 4 {
			all = append(all, Who{KeyHash: key, User: fmt.Sprint("user", j)})
		}
	}
	return all
}

// handover is when key0 becomes bob's instead of ada's, in the midst of a day.
var handover = noon.AddDate(0, 0, 4)

// bill adds up by hand what who has spent since a day.
func bill(all []usage.Generation, who Who, since time.Time) Bill {
	var sum Bill
	for i := range all {
		g := &all[i]
		if g.Created.Before(since) {
			continue
		}
		member := ""
		if g.KeyHash == "key0" {
			member = "ada"
			if !g.Created.Before(handover) {
				member = "bob"
			}
		}
		switch {
		case who.Model != "" || who.Provider != "":
			for _, a := range g.Attempts {
				if a.Model == who.Model || a.Provider == who.Provider {
					sum.add(Bill{1, a.Charge.Total, a.Charge.Upstream})
				}
			}
		case who.KeyHash != "" && g.KeyHash != who.KeyHash, who.User != "" && g.User != who.User, who.Member != "" && member != who.Member,
			who.Workspace != "" && g.Workspace != who.Workspace, who.Organization != "" && g.Workspace != "default":
		default:
			sum.add(Bill{1, g.Cost(), g.Upstream()})
		}
	}
	return sum
}

func handOver(t *testing.T, s *Store) {
	t.Helper()
	for _, values := range [][]any{{"key0", "ada", 0, handover.UnixMicro()}, {"key0", "bob", handover.UnixMicro(), int64(math.MaxInt64)}} {
		if _, err := s.db.ExecContext(t.Context(), s.query(`INSERT INTO key_creators (key_hash, creator, since, until) VALUES (?, ?, ?, ?)`), values...); err != nil {
			t.Fatal(err)
		}
	}
}

// wantSums compares all sums with what generations come to.
func wantSums(t *testing.T, when string, s *Store, all []usage.Generation) {
	t.Helper()
	midnight := noon.Truncate(24 * time.Hour)
	for _, who := range whos() {
		for _, since := range []time.Time{{}, midnight.AddDate(0, 0, 4)} {
			if got, err := s.SpentBy(t.Context(), who, since); err != nil || got != bill(all, who, since) {
				t.Errorf("%s: %+v since %v: %+v, want %+v; %v", when, who, since, got, bill(all, who, since), err)
			}
		}
	}
	want := make(map[string]Total)
	for i := range all {
		g := &all[i]
		served := g.Served()
		name := fmt.Sprint(dayOf(g.Created), g.KeyHash, served.Endpoint, g.Workspace)
		sum := want[name]
		sum.add(Total{1, served.Tokens.Prompt, served.Tokens.Completion, 0, g.Cost(), 0, g.Upstream()})
		want[name] = sum
	}
	groups, err := s.Sums(t.Context(), Span{To: noon.AddDate(1, 0, 0), KeyHash: "*", Workspaces: []string{"default", "w"}}, ByDay, ByKey, ByEndpoint, ByWorkspace)
	got := make(map[string]Total)
	for _, g := range groups {
		got[fmt.Sprint(dayOf(g.Day), g.KeyHash, g.Endpoint, g.Workspace)] = g.Total
	}
	if diff := cmp.Diff(want, got); diff != "" || err != nil {
		t.Errorf("%s: %v %s", when, err, diff)
	}
}

// Two gateways tell of some attempts each, of all of them twice and in any order, while
// a third deletes what is told, and a gateway from before adds what it does not sum.
func TestSumsAreThoseOfGenerationsToThePicodollar(t *testing.T) {
	onBoth(t, func(t *testing.T, open func() *Store) {
		random := rand.New(rand.NewPCG(1, 2))
		s := open()
		handOver(t, s)
		all := crowd(random, 300)
		var processes sync.WaitGroup
		for range 2 {
			store, order := open(), random.Perm(len(all))
			split := rand.New(rand.NewPCG(random.Uint64(), 0))
			processes.Go(func() {
				for _, half := range []bool{true, false} {
					for some := range slices.Chunk(order, 7) {
						var told []usage.Generation
						for _, i := range some {
							g := all[i]
							if half { // one of its attempts, as it was before it was over
								lost := g.Attempts[split.IntN(len(g.Attempts))]
								lost.Outcome, lost.Charge, lost.Tokens = usage.Lost, usage.Charge{Total: 7}, usage.Tokens{Prompt: 1}
								g.Attempts = []usage.Attempt{lost}
							}
							told = append(told, g)
						}
						for err := store.Save(t.Context(), told); err != nil; err = store.Save(t.Context(), told) {
							if t.Context().Err() != nil {
								return
							}
							t.Log(err) // the ledger tries again
						}
					}
				}
			})
		}
		processes.Go(func() {
			for range 20 {
				if err := s.SumUp(t.Context()); err != nil {
					t.Error(err)
				}
				if _, err := s.db.ExecContext(t.Context(), `UPDATE generations SET summed = summed`); err != nil {
					t.Log(err) // two of them waited for each other
				}
			}
		})
		processes.Wait()
		wantSums(t, "told", s, all)

		var purging sync.WaitGroup
		for range 2 {
			store := open()
			purging.Go(func() {
				if _, err := store.Purge(t.Context(), noon.AddDate(0, 0, 5)); err != nil {
					t.Error(err)
				}
				if err := store.CondenseUsers(t.Context(), noon); err != nil {
					t.Error(err)
				}
			})
		}
		purging.Wait()
		wantSums(t, "purged", s, all)
		var left int
		if err := s.db.QueryRowContext(t.Context(), s.query(`SELECT COUNT(*) FROM generations WHERE created < ?`), noon.AddDate(0, 0, 5).UnixMicro()).Scan(&left); err != nil || left != 0 {
			t.Errorf("%d generations are left, %v", left, err)
		}
	})
}

// What was told to a gateway of before, of which there were no sums, counts like all else.
func TestGenerationsThatAreNotSummedAreAdded(t *testing.T) {
	onBoth(t, func(t *testing.T, open func() *Store) {
		s := open()
		handOver(t, s)
		all := crowd(rand.New(rand.NewPCG(3, 4)), summedAtOnce+100)
		forget := func() {
			t.Helper()
			for _, text := range []string{`UPDATE generations SET summed = FALSE`, `DELETE FROM usage_days`, `DELETE FROM spending_days`} {
				if _, err := s.db.ExecContext(t.Context(), text); err != nil {
					t.Fatal(err)
				}
			}
		}
		first := slices.Clone(all)
		for i := range first {
			first[i].Attempts = first[i].Attempts[:1]
		}
		if err := s.Save(t.Context(), first); err != nil {
			t.Fatal(err)
		}
		forget()
		if err := s.Save(t.Context(), all[:50]); err != nil { // some gain attempts before they are added
			t.Fatal(err)
		}
		wantSums(t, "merged", s, slices.Concat(all[:50], first[50:]))
		if err := s.Save(t.Context(), all); err != nil {
			t.Fatal(err)
		}
		forget()
		var processes sync.WaitGroup
		for range 3 {
			store := open()
			processes.Go(func() {
				if err := store.SumUp(t.Context()); err != nil {
					t.Error(err)
				}
			})
		}
		processes.Wait()
		wantSums(t, "added", s, all)
		forget()
		if n, err := s.Purge(t.Context(), noon.AddDate(1, 0, 0)); err != nil || n != int64(len(all)) {
			t.Errorf("%d deleted, %v", n, err)
		}
		wantSums(t, "deleted before they were added", s, all)
	})
}

// What an end user spent outlives the user's name.
func TestUsersAreKeptByPseudonym(t *testing.T) {
	onBoth(t, func(t *testing.T, open func() *Store) {
		s := open()
		ada := generation("gen-1-a", noon)
		ada.User = "ada@example.com"
		other := ada
		other.ID, other.KeyHash = "gen-1-b", "other"
		if err := s.Save(t.Context(), []usage.Generation{ada, other}); err != nil {
			t.Fatal(err)
		}
		if _, err := s.Purge(t.Context(), noon.AddDate(0, 0, 1)); err != nil {
			t.Fatal(err)
		}
		want := Bill{1, ada.Cost(), ada.Upstream()}
		if got, err := s.SpentBy(t.Context(), Who{KeyHash: ada.KeyHash, User: ada.User}, time.Time{}); err != nil || got != want {
			t.Errorf("%+v, %v; want %+v", got, err, want)
		}
		rows, err := s.db.QueryContext(t.Context(), `SELECT name FROM spending_days WHERE kind = 'user'`)
		if err != nil {
			t.Fatal(err)
		}
		defer rows.Close()
		names := map[string]bool{}
		for rows.Next() {
			var name string
			if err := rows.Scan(&name); err != nil {
				t.Fatal(err)
			}
			names[name] = true
			if len(name) != 32 || strings.Contains(name, "ada") {
				t.Errorf("kept as %q", name)
			}
		}
		if err := rows.Err(); err != nil || len(names) != 2 {
			t.Errorf("%v, %v: the same user of another key is another", names, err)
		}
		// Who has the database alone tries names in vain.
		stranger := New(s.db, identity.NewSealer([]byte("another secret")))
		if got, err := stranger.SpentBy(t.Context(), Who{KeyHash: ada.KeyHash, User: ada.User}, time.Time{}); err != nil || got.Requests != 0 {
			t.Errorf("%+v, %v", got, err)
		}
	})
}

func TestUsersAreCondensed(t *testing.T) {
	onBoth(t, func(t *testing.T, open func() *Store) {
		s := open() // noon is a Wednesday, the 25th
		var all []usage.Generation
		for i, days := range []int{5, 0, -1, -24, -25, -60} {
			for user := range purgedAtOnce/2 + 1 { // more than one transaction
				g := generation(fmt.Sprintf("gen-%d-%d", i, user), noon.AddDate(0, 0, days))
				g.User = fmt.Sprint("user", user)
				all = append(all, g)
			}
		}
		if err := s.Save(t.Context(), all); err != nil {
			t.Fatal(err)
		}
		days := func(name string) (count int) {
			t.Helper()
			if err := s.db.QueryRowContext(t.Context(), s.query(`SELECT COUNT(*) FROM spending_days WHERE kind = 'user' AND name = ?`), s.pseudonym("hash", name)).Scan(&count); err != nil {
				t.Fatal(err)
			}
			return count
		}
		spent := func(since time.Time) int64 {
			t.Helper()
			got, err := s.SpentBy(t.Context(), Who{KeyHash: "hash", User: "user7"}, since)
			if err != nil || got.Cost != all[0].Cost().Mul(got.Requests) {
				t.Fatalf("%+v, %v", got, err)
			}
			return got.Requests
		}
		for range 2 {
			if err := s.CondenseUsers(t.Context(), noon); err != nil {
				t.Fatal(err)
			}
			if got := days("user7"); got != 5 { // this month's four, and one for what was before
				t.Errorf("%d rows", got)
			}
			for since, want := range map[time.Time]int64{{}: 6, identity.ResetMonthly.Start(noon): 4, identity.ResetWeekly.Start(noon): 3, identity.ResetDaily.Start(noon): 2} {
				if got := spent(since); got != want {
					t.Errorf("%d since %v, want %d", got, since, want)
				}
			}
		}
		// A gateway may be a few minutes behind, in which it is November; the first week of
		// December begins on November 30th.
		first := time.Date(2026, 12, 1, 0, 5, 0, 0, time.UTC)
		for _, step := range []struct {
			now  time.Time
			want int
		}{{first, 5}, {first.AddDate(0, 0, 1), 2}, {first.AddDate(0, 0, 7), 1}} {
			if err := s.CondenseUsers(t.Context(), step.now); err != nil {
				t.Fatal(err)
			}
			if got := days("user7"); got != step.want || spent(time.Time{}) != 6 {
				t.Errorf("on %v: %d rows for %d requests, want %d", step.now, got, spent(time.Time{}), step.want)
			}
		}
	})
}

// An absurd amount is the most there is, and holds up nothing that follows.
func TestSumsBeyondTheRangeStayAtItsEnd(t *testing.T) {
	onBoth(t, func(t *testing.T, open func() *Store) {
		s := open()
		for i := range 3 {
			g := generation(fmt.Sprint("gen-1-", i), noon)
			g.Attempts[1].Charge.Total, g.Attempts[1].Tokens.Prompt = money.Max, math.MaxInt64
			if err := s.Save(t.Context(), []usage.Generation{g}); err != nil {
				t.Fatal(err)
			}
		}
		if got, err := s.SpentBy(t.Context(), Who{KeyHash: "hash"}, noon); err != nil || got.Cost != money.Max || got.Requests != 3 {
			t.Errorf("%+v, %v", got, err)
		}
	})
}

// Neither generations by the million nor the rows of others are read to find out what
// someone has spent.
func TestWhatWasSpentIsInTheKeyOfItsTable(t *testing.T) {
	databasetest.OnBoth(t, func(t *testing.T, open func() *database.DB) {
		db := open()
		s := New(db, sealer)
		explain, found := "EXPLAIN QUERY PLAN ", "SEARCH spending_days USING INDEX sqlite_autoindex_spending_days_1 (kind=? AND name=? AND day>?)"
		if db.Locking() != "" {
			explain, found = "EXPLAIN ", "Index Scan using spending_days_pkey"
			db.SetMaxOpenConns(1)
			for _, kind := range []string{"seqscan", "bitmapscan"} { // few rows are quickest read by themselves
				if _, err := db.ExecContext(t.Context(), "SET enable_"+kind+" = off"); err != nil {
					t.Fatal(err)
				}
			}
		}
		for _, who := range whos()[1:] {
			text, values, err := s.spent(who, noon)
			if err != nil {
				t.Fatal(err)
			}
			rows, err := db.QueryContext(t.Context(), s.query(explain+text), values...)
			if err != nil {
				t.Fatal(err)
			}
			columns, err := rows.Columns()
			if err != nil {
				t.Fatal(err)
			}
			var plan strings.Builder
			for rows.Next() {
				into := make([]any, len(columns)) // what is done is the last
				for i := range into {
					into[i] = new(any)
				}
				if err := rows.Scan(into...); err != nil {
					t.Fatal(err)
				}
				fmt.Fprintln(&plan, *into[len(into)-1].(*any))
			}
			if err := rows.Err(); err != nil || !strings.Contains(plan.String(), found) {
				t.Errorf("%+v: %v\n%s", who, err, plan.String())
			}
		}
	})
}
