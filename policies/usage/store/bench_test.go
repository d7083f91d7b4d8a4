package store

import (
	"flag"
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"github.com/switchyard/switchyard/policies/database"
	"github.com/switchyard/switchyard/policies/usage"
)

// rows is how many generations BenchmarkSums has: -rows 5000000 takes a few minutes.
var rows = flag.Int64("rows", 100_000, "how many generations BenchmarkSums adds up")

// BenchmarkSave is of batches as the ledger makes them under load, of a few keys or each
// of another end user.
func BenchmarkSave(b *testing.B) {
	for _, users := range []int{1, 200} {
		b.Run(fmt.Sprintf("%d users", users), func(b *testing.B) {
			db, err := database.OpenSQLite(b.Context(), filepath.Join(b.TempDir(), "x.db"))
			if err != nil {
				b.Fatal(err)
			}
			defer db.Close()
			s := New(db, sealer)
			batch := make([]usage.Generation, 200)
			b.ReportAllocs()
			for n := 0; b.Loop(); n++ {
				for i := range batch {
					batch[i] = generation(fmt.Sprintf("gen-%d-%d", n, i), noon.Add(time.Duration(n)*time.Second))
					batch[i].User = fmt.Sprint("user", i%users)
					batch[i].KeyHash = fmt.Sprint("key", i%8)
				}
				if err := s.Save(b.Context(), batch); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(b.N*len(batch)), "µs/generation")
		})
	}
}

// BenchmarkSums asks what was spent, over a year of many generations: of 200 keys and 2,000
// end users at 12 endpoints, as they were before there were sums.
func BenchmarkSums(b *testing.B) {
	db, err := database.OpenSQLite(b.Context(), filepath.Join(b.TempDir(), "x.db"))
	if err != nil {
		b.Fatal(err)
	}
	defer db.Close()
	s := New(db, sealer)
	like := generation("like", noon)
	if err := s.Save(b.Context(), []usage.Generation{like}); err != nil {
		b.Fatal(err)
	}
	year := 365 * 24 * time.Hour
	_, err = db.ExecContext(b.Context(), `WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i + 1 < ?)
		INSERT INTO generations (`+columns+`) SELECT printf('gen-%010d', i), request_id, created - ? + i * ?, printf('key%d', i % 200), key_name, api, requested,
		printf('m/%d', i % 4), printf('p%d', i % 3), printf('m/%d|p%d', i % 4, i % 3), streamed, cancelled, estimated, session, printf('user%d', i % 2000), preset, referer, title, user_agent,
		finish_reason, native_finish_reason, prompt_tokens, completion_tokens, reasoning_tokens, cost, attempts, cached_tokens, workspace_id, response_cache_source_id, byok_cost
		FROM n, generations WHERE id = 'like'`, *rows, year.Microseconds(), year.Microseconds() / *rows)
	if err != nil {
		b.Fatal(err)
	}
	began := time.Now()
	if err := s.SumUp(b.Context()); err != nil {
		b.Fatal(err)
	}
	b.Logf("%d generations from before were added in %v", *rows, time.Since(began).Round(time.Millisecond))
	spentBy := func(who Who, since time.Time) func(*testing.B) {
		return func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if got, err := s.SpentBy(b.Context(), who, since); err != nil || got.Requests == 0 {
					b.Fatalf("%+v, %v", got, err)
				}
			}
		}
	}
	for name, who := range map[string]Who{
		"key": {KeyHash: "key7"}, "user": {KeyHash: "key7", User: "user7"}, "model": {Model: "m/x"}, "provider": {Provider: "b"}, "workspace": {Workspace: "w"}, "all": {},
	} {
		b.Run("ever/"+name, spentBy(who, time.Time{}))
		b.Run("month/"+name, spentBy(who, noon.AddDate(0, 0, -24)))
	}
	b.Run("activity", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := s.Sums(b.Context(), Span{From: noon.AddDate(0, 0, -30), To: noon, KeyHash: "*", Workspaces: []string{"w"}}, ByDay, ByEndpoint); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("key", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := s.Spending(b.Context(), []string{"key7"}, Periods{Day: noon, Week: noon.AddDate(0, 0, -2), Month: noon.AddDate(0, 0, -24)}); err != nil {
				b.Fatal(err)
			}
		}
	})
	began = time.Now()
	deleted, err := s.Purge(b.Context(), noon.AddDate(0, 0, -300))
	if err != nil {
		b.Fatal(err)
	}
	b.Logf("%d were purged in %v", deleted, time.Since(began).Round(time.Millisecond))
}
