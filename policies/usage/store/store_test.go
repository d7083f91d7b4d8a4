package store

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
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

var sealer = identity.NewSealer([]byte("secret"))

var noon = time.Date(2026, 11, 25, 12, 0, 0, 123000, time.UTC)

// onBoth runs a test on an empty database of either kind.
func TestMain(m *testing.M) { os.Exit(databasetest.Run(m)) }

func onBoth(t *testing.T, test func(t *testing.T, open func() *Store)) {
	databasetest.OnBoth(t, func(t *testing.T, open func() *database.DB) {
		test(t, func() *Store { return New(open(), sealer) })
	})
}

func generation(id string, created time.Time) usage.Generation {
	return usage.Generation{
		ID: id, RequestID: "request-" + id, Created: created, KeyHash: "hash", KeyName: "team", Workspace: "w", API: "completions",
		Requested: "m/x:nitro", Streamed: true, Session: "s", User: "u", Preset: "p", Referer: "https://app.example", Title: "App", UserAgent: "sdk/1",
		FinishReason: "stop", NativeFinishReason: "end_turn", ResponseCacheSource: "gen-0",
		Attempts: []usage.Attempt{
			{
				Number: 1, Endpoint: "m/x|a", Model: "m/x", Provider: "a", ProviderName: "A", Status: 503, Outcome: "failed_over", Reason: "server_error",
				Duration: 20_000, OwnKey: "k", Charge: usage.Charge{Total: 50_000_001, Upstream: 1_000_000_007},
			},
			{
				Number: 2, Endpoint: "m/x|b", Model: "m/x", Provider: "b", ProviderName: "B", UpstreamID: "msg_1", Status: 200, Outcome: "ok",
				Latency: 300_000, Duration: 1_000_000, ServiceTier: "flex", Prices: "v1",
				Tokens: usage.Tokens{Prompt: 1000, Completion: 100, Reasoning: 40, CacheRead: 900},
				Charge: usage.Charge{Total: 4_500_000_001, Prompt: 3_000_000_001, Completion: 1_500_000_000},
			},
		},
	}
}

func TestRow168GenerationComesBackWhole(t *testing.T) {
	onBoth(t, func(t *testing.T, open func() *Store) {
		s := open()
		want := generation("gen-1-a", noon)
		if err := s.Save(t.Context(), []usage.Generation{want, generation("gen-1-b", noon)}); err != nil {
			t.Fatal(err)
		}
		got, err := s.Get(t.Context(), "gen-1-a")
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(&want, got); diff != "" {
			t.Error(diff)
		}
		if _, err := s.Get(t.Context(), "gen-1-c"); !errors.Is(err, ErrNone) {
			t.Errorf("an unknown id: %v", err)
		}
	})
}

func TestGenerationToldTwiceIsKeptOnce(t *testing.T) {
	onBoth(t, func(t *testing.T, open func() *Store) {
		s := open()
		first, second := generation("gen-1-a", noon), generation("gen-1-a", noon)
		second.FinishReason = "length"
		for _, told := range [][]usage.Generation{{first, first}, {second, generation("gen-1-b", noon)}} {
			if err := s.Save(t.Context(), told); err != nil {
				t.Fatal(err)
			}
		}
		got, err := s.Get(t.Context(), "gen-1-a")
		if err != nil || got.FinishReason != "stop" {
			t.Errorf("the first word does not count: %+v, %v", got, err)
		}
		total, err := s.SpentBy(t.Context(), Who{KeyHash: "hash"}, time.Time{})
		if err != nil || total.Requests != 2 || total.Cost != 2*first.Cost() {
			t.Errorf("%+v, %v", total, err)
		}
	})
}

// At a restart the old process has the first attempt and the new one the second: each
// settles what it knows, in either order.
func TestAttemptsThatSeveralProcessesTellOfAreOneGeneration(t *testing.T) {
	onBoth(t, func(t *testing.T, open func() *Store) {
		s := open()
		whole := generation("gen-1-a", noon)
		first, second := whole, whole
		first.Attempts, first.FinishReason, first.NativeFinishReason, first.Cancelled = whole.Attempts[:1], "", "", true
		second.Attempts = whole.Attempts[1:]
		lost := second
		lost.Attempts = []usage.Attempt{second.Attempts[0]}
		lost.Attempts[0].Outcome, lost.Attempts[0].Estimated, lost.Estimated, lost.FinishReason = usage.Lost, true, true, ""
		for name, told := range map[string][]usage.Generation{
			"a": {first, second}, "b": {second, first}, "c": {lost, first, second}, "d": {second, lost, first, first},
		} {
			want := whole
			want.ID = "gen-1-" + name
			for _, part := range told {
				part.ID = want.ID
				if err := s.Save(t.Context(), []usage.Generation{part}); err != nil {
					t.Fatal(err)
				}
			}
			got, err := s.Get(t.Context(), want.ID)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(&want, got); diff != "" {
				t.Errorf("%s: %s", name, diff)
			}
		}
		spent, err := s.SpentBy(t.Context(), Who{KeyHash: "hash"}, time.Time{})
		if err != nil || spent.Cost != 4*whole.Cost() {
			t.Errorf("spent %v, %v", spent, err)
		}
	})
}

// A batch larger than a statement, of which some are there already, one is told twice,
// and the last ones are told by two processes: each is there once, and whole.
func TestBatchOfNewAndKnownGenerations(t *testing.T) {
	onBoth(t, func(t *testing.T, open func() *Store) {
		s := open()
		const count = 150
		id := func(n int) string { return fmt.Sprintf("gen-1-%03d", n) }
		part := func(n, attempt int) usage.Generation {
			g := generation(id(n), noon)
			g.Attempts = g.Attempts[attempt-1 : attempt]
			return g
		}
		var known, batch []usage.Generation
		for n := range count {
			switch {
			case n%3 == 0:
				known, batch = append(known, part(n, 1)), append(batch, part(n, 2))
			case n > 140:
				batch = append(batch, part(n, 2), part(n, 1))
			default:
				batch = append(batch, generation(id(n), noon))
			}
		}
		batch = append(batch, batch[1])
		slices.Reverse(batch)
		for _, told := range [][]usage.Generation{known, batch, batch} {
			if err := s.Save(t.Context(), told); err != nil {
				t.Fatal(err)
			}
		}
		for n := range count {
			want := generation(id(n), noon)
			if got, err := s.Get(t.Context(), id(n)); err != nil || !cmp.Equal(&want, got) {
				t.Fatalf("%v %s", err, cmp.Diff(&want, got))
			}
		}
		want := generation("", noon)
		if spent, err := s.SpentBy(t.Context(), Who{}, time.Time{}); err != nil || spent.Requests != count || spent.Cost != want.Cost().Mul(count) {
			t.Errorf("%+v, %v", spent, err)
		}
	})
}

// Processes that tell of the same generations at once, in batches of their own, do not wait
// for each other without end.
func TestManyTellOfTheSame(t *testing.T) {
	onBoth(t, func(t *testing.T, open func() *Store) {
		const count = 200
		for round := range 5 {
			var stores sync.WaitGroup
			for process := range 4 {
				s := open()
				stores.Go(func() {
					var batch []usage.Generation
					for n := range count {
						g := generation(fmt.Sprintf("gen-%d-%03d", round, n), noon)
						g.Attempts = g.Attempts[(n+process)%2 : (n+process)%2+1]
						if batch = append(batch, g); (n+1)%(20+30*process) == 0 || n == count-1 {
							if err := s.Save(t.Context(), batch); err != nil {
								t.Error(err)
							}
							batch = nil
						}
					}
				})
			}
			stores.Wait()
		}
		want := generation("", noon)
		if spent, err := open().SpentBy(t.Context(), Who{}, time.Time{}); err != nil || spent.Requests != 5*count || spent.Cost != want.Cost().Mul(5*count) {
			t.Errorf("%+v, %v", spent, err)
		}
	})
}

func TestBatchOfAnySize(t *testing.T) {
	onBoth(t, func(t *testing.T, open func() *Store) {
		s, total := open(), int64(0)
		for _, size := range []int{0, 1, 2, 3, 63, 64, 65, 127, 128, 500} {
			var batch []usage.Generation
			for n := range size {
				batch = append(batch, generation(fmt.Sprintf("gen-%d-%d", size, n), noon))
			}
			total += int64(size)
			if err := s.Save(t.Context(), batch); err != nil {
				t.Fatal(err)
			}
			if spent, err := s.SpentBy(t.Context(), Who{}, time.Time{}); err != nil || spent.Requests != total {
				t.Errorf("%d at once: %+v, %v; want %d", size, spent, err, total)
			}
		}
	})
}

func TestBatchIsKeptWholeOrNotAtAll(t *testing.T) {
	onBoth(t, func(t *testing.T, open func() *Store) {
		s := open()
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if err := s.Save(ctx, []usage.Generation{generation("gen-1-a", noon)}); err == nil {
			t.Error("saved without time")
		}
		if _, err := s.Get(t.Context(), "gen-1-a"); !errors.Is(err, ErrNone) {
			t.Errorf("half of a batch is kept: %v", err)
		}
	})
}

func TestTextThatNoDatabaseTakesIsKeptWithoutIt(t *testing.T) {
	onBoth(t, func(t *testing.T, open func() *Store) {
		s := open()
		odd := generation("gen-1-a", noon)
		odd.User, odd.Title, odd.Attempts[0].UpstreamID = "a\x00b", "\xff", "\x00\xff"
		if err := s.Save(t.Context(), []usage.Generation{odd}); err != nil {
			t.Fatal(err)
		}
		if got, err := s.Get(t.Context(), "gen-1-a"); err != nil || got.User != "ab" || got.Title != "\uFFFD" {
			t.Errorf("%+v, %v", got, err)
		}
	})
}

func TestRow171SumsAreByDayInUTC(t *testing.T) {
	onBoth(t, func(t *testing.T, open func() *Store) {
		s := open()
		midnight := noon.Truncate(24 * time.Hour)
		other := generation("gen-1-d", noon)
		other.KeyHash, other.KeyName = "other", "others"
		if err := s.Save(t.Context(), []usage.Generation{
			generation("gen-1-a", midnight.Add(-time.Microsecond)), generation("gen-1-b", midnight),
			generation("gen-1-c", midnight.Add(24*time.Hour-time.Microsecond)), other,
		}); err != nil {
			t.Fatal(err)
		}
		cost := other.Cost()
		total := func(requests int64) Total {
			return Total{requests, 1000 * requests, 100 * requests, 40 * requests, cost.Mul(requests), 900 * requests, other.Upstream().Mul(requests)}
		}
		both := Span{From: midnight.AddDate(0, 0, -1), To: midnight.AddDate(0, 0, 1), KeyHash: "hash", Workspaces: []string{"w", "v"}}
		all := both
		all.KeyHash = "*"
		for _, test := range []struct {
			span Span
			by   []Dimension
			want []Group
		}{
			{both, []Dimension{ByDay, ByEndpoint}, []Group{
				{Day: midnight, Model: "m/x", Endpoint: "m/x|b", Provider: "b", Total: total(2)},
				{Day: midnight.AddDate(0, 0, -1), Model: "m/x", Endpoint: "m/x|b", Provider: "b", Total: total(1)},
			}},
			{all, []Dimension{ByKey, ByModel}, []Group{
				{KeyHash: "hash", KeyName: "team", Model: "m/x", Total: total(3)}, {KeyHash: "other", KeyName: "others", Model: "m/x", Total: total(1)},
			}},
			{all, nil, []Group{{Total: total(4)}}},
			{Span{From: midnight.AddDate(1, 0, 0), To: midnight.AddDate(2, 0, 0), KeyHash: "*", Workspaces: []string{"w"}}, []Dimension{ByDay}, nil},
			{Span{To: midnight.AddDate(2, 0, 0), KeyHash: "*", Workspaces: []string{"v"}}, nil, []Group{{}}},
			{all, []Dimension{ByWorkspace}, []Group{{Workspace: "w", Total: total(4)}}},
			{Span{To: midnight.AddDate(2, 0, 0), KeyHash: "none"}, nil, []Group{{}}},
		} {
			got, err := s.Sums(t.Context(), test.span, test.by...)
			if diff := cmp.Diff(test.want, got); diff != "" || err != nil {
				t.Errorf("%+v by %v: %v %s", test.span, test.by, err, diff)
			}
		}
	})
}

func TestSpentCountsFromADayOn(t *testing.T) {
	onBoth(t, func(t *testing.T, open func() *Store) {
		s := open()
		midnight := noon.Truncate(24 * time.Hour)
		if err := s.Save(t.Context(), []usage.Generation{generation("gen-1-a", midnight.Add(-time.Microsecond)), generation("gen-1-b", midnight)}); err != nil {
			t.Fatal(err)
		}
		for since, want := range map[time.Time]int64{
			{}: 2, midnight.AddDate(0, 0, -1): 2, midnight.Add(-time.Microsecond): 2, midnight: 1, noon: 1, midnight.AddDate(0, 0, 1): 0,
		} {
			if got, err := s.SpentBy(t.Context(), Who{KeyHash: "hash"}, since); err != nil || got.Requests != want {
				t.Errorf("since %v: %+v, %v; want %d", since, got, err, want)
			}
		}
	})
}

func TestSpentByIsAskedForAnyPart(t *testing.T) {
	onBoth(t, func(t *testing.T, open func() *Store) {
		s := open()
		first, second := generation("gen-1-a", noon), generation("gen-1-b", noon)
		second.KeyHash, second.User, second.Workspace = "other", "bob", "default"
		if err := s.Save(t.Context(), []usage.Generation{first, second}); err != nil {
			t.Fatal(err)
		}
		whole := Bill{1, first.Cost(), first.Upstream()}
		of := func(a *usage.Attempt) Bill { return Bill{1, a.Charge.Total, a.Charge.Upstream} }
		twice := func(b Bill) Bill { return Bill{2, b.Cost * 2, b.Upstream * 2} }
		for who, want := range map[Who]Bill{
			{}: twice(whole), {KeyHash: "hash"}: whole, {KeyHash: "other", User: "bob"}: whole, {KeyHash: "hash", User: "bob"}: {},
			{Workspace: "w"}: whole, {Organization: "default"}: whole, {Organization: "none"}: {}, {Member: "ada"}: {},
			{Model: "m/none"}: {}, {Provider: "none"}: {},
			// Each attempt counts for who was asked.
			{Provider: "a"}: twice(of(&first.Attempts[0])), {Provider: "b"}: twice(of(&first.Attempts[1])), {Model: "m/x"}: {4, 2 * whole.Cost, 2 * whole.Upstream},
		} {
			if got, err := s.SpentBy(t.Context(), who, noon); err != nil || got != want {
				t.Errorf("%+v: %+v, %v; want %+v", who, got, err, want)
			}
		}
		if got, err := s.SpentBy(t.Context(), Who{}, noon.AddDate(0, 0, 1)); err != nil || got.Requests != 0 {
			t.Errorf("later: %+v, %v", got, err)
		}
		if got, err := s.SpentBy(t.Context(), Who{KeyHash: "hash", Model: "m/x"}, noon); err == nil {
			t.Errorf("a sum that is not kept: %+v", got)
		}
	})
}

func TestSpendingOfKeysIsByPeriod(t *testing.T) {
	onBoth(t, func(t *testing.T, open func() *Store) {
		s := open()
		other := generation("gen-1-d", noon)
		other.KeyHash = "other"
		for _, told := range [][]usage.Generation{
			{generation("gen-1-a", noon), generation("gen-1-b", noon.AddDate(0, 0, -1)), generation("gen-1-c", noon.AddDate(0, 0, -9)), other},
			{generation("gen-1-e", noon.Add(-time.Hour))}, // late, and not the last that was asked
		} {
			if err := s.Save(t.Context(), told); err != nil {
				t.Fatal(err)
			}
		}
		cost, own := other.Cost(), other.Upstream()
		got, err := s.Spending(t.Context(), []string{"hash", "silent"}, Periods{Day: noon, Week: noon.AddDate(0, 0, -7), Month: noon.AddDate(0, -1, 0)})
		want := map[string]Spending{"hash": {Spent: Spent{4 * cost, 2 * cost, 3 * cost, 4 * cost}, Upstream: Spent{4 * own, 2 * own, 3 * own, 4 * own}, Last: noon}}
		if diff := cmp.Diff(want, got); diff != "" || err != nil {
			t.Errorf("%v %s", err, diff)
		}
		if none, err := s.Spending(t.Context(), nil, Periods{}); err != nil || len(none) != 0 {
			t.Errorf("of no key: %v, %v", none, err)
		}
	})
}

func TestPurgeDeletesWhatIsOldAndKeepsItsSums(t *testing.T) {
	onBoth(t, func(t *testing.T, open func() *Store) {
		s := open()
		var all []usage.Generation
		for i := range purgedAtOnce + 2 { // more than one transaction, and two days
			g := generation(fmt.Sprintf("gen-1-%d", i), noon.AddDate(0, 0, -(i%2)))
			g.Workspace = []string{"default", "other"}[i/2%2]
			all = append(all, g)
		}
		kept := generation("gen-1-kept", noon.Add(time.Hour))
		if err := s.Save(t.Context(), append(all, kept)); err != nil {
			t.Fatal(err)
		}
		sums := func() map[string]any {
			t.Helper()
			everything := make(map[string]any)
			span := Span{From: noon.AddDate(0, 0, -9), To: noon.AddDate(0, 0, 9), KeyHash: "*", Workspaces: []string{"default", "other"}}
			for name, by := range map[string][]Dimension{"day": {ByDay}, "key": {ByKey}, "endpoint": {ByDay, ByEndpoint, ByWorkspace}, "all": nil} {
				groups, err := s.Sums(t.Context(), span, by...)
				if err != nil {
					t.Fatal(err)
				}
				everything[name] = groups
			}
			for _, who := range []Who{{}, {KeyHash: kept.KeyHash}, {KeyHash: kept.KeyHash, User: kept.User}, {Workspace: "other"}, {Organization: "default"}, {Provider: kept.Served().Provider}} {
				total, err := s.SpentBy(t.Context(), who, noon.Truncate(24*time.Hour))
				if err != nil || total.Requests == 0 {
					t.Fatalf("%+v: %+v, %v", who, total, err)
				}
				everything[fmt.Sprintf("%+v", who)] = total
			}
			spending, err := s.Spending(t.Context(), []string{kept.KeyHash}, Periods{Day: noon.Truncate(24 * time.Hour)})
			if err != nil {
				t.Fatal(err)
			}
			everything["spending"] = spending
			return everything
		}
		before := sums()
		if n, err := s.PurgeWorkspaces(t.Context(), noon.Add(time.Minute), []string{"other"}); n != purgedAtOnce/2 || err != nil {
			t.Errorf("%d deleted in one workspace, %v", n, err)
		}
		if n, err := s.PurgeWorkspaces(t.Context(), noon.Add(time.Minute), nil); n != 0 || err != nil {
			t.Errorf("%d deleted in no workspace, %v", n, err)
		}
		if n, err := s.Purge(t.Context(), noon.Add(time.Minute)); n != purgedAtOnce/2+2 || err != nil {
			t.Errorf("%d deleted, %v", n, err)
		}
		if _, err := s.Get(t.Context(), "gen-1-0"); !errors.Is(err, ErrNone) {
			t.Errorf("what is old: %v", err)
		}
		if _, err := s.Get(t.Context(), kept.ID); err != nil {
			t.Errorf("what is new: %v", err)
		}
		if diff := cmp.Diff(before, sums()); diff != "" {
			t.Errorf("what was used has changed: %s", diff)
		}
	})
}

func TestManyPurgeAtOnceAndCountOnce(t *testing.T) {
	onBoth(t, func(t *testing.T, open func() *Store) {
		s := open()
		var all []usage.Generation
		for i := range 50 {
			all = append(all, generation(fmt.Sprintf("gen-1-%d", i), noon))
		}
		if err := s.Save(t.Context(), all); err != nil {
			t.Fatal(err)
		}
		before, err := s.SpentBy(t.Context(), Who{}, noon.AddDate(0, 0, -1))
		if err != nil {
			t.Fatal(err)
		}
		var purging sync.WaitGroup
		for range 4 {
			purging.Go(func() {
				if _, err := s.Purge(t.Context(), noon.Add(time.Minute)); err != nil {
					t.Error(err)
				}
			})
		}
		purging.Wait()
		if after, err := s.SpentBy(t.Context(), Who{}, noon.AddDate(0, 0, -1)); err != nil || after != before {
			t.Errorf("%+v, %v; want %+v", after, err, before)
		}
	})
}

func TestDatabaseIsOpenedByManyAtOnce(t *testing.T) {
	onBoth(t, func(t *testing.T, open func() *Store) {
		var stores sync.WaitGroup
		for i := range 4 {
			s := open()
			stores.Go(func() {
				for j := range 20 {
					id := string(rune('a'+i)) + string(rune('a'+j))
					if err := s.Save(t.Context(), []usage.Generation{generation("gen-1-"+id, noon), generation("gen-1-shared", noon)}); err != nil {
						t.Error(err)
					}
				}
			})
		}
		stores.Wait()
		if total, err := open().SpentBy(t.Context(), Who{KeyHash: "hash"}, time.Time{}); err != nil || total.Requests != 81 {
			t.Errorf("%+v, %v", total, err)
		}
	})
}

func TestUpstreamIsByOrganization(t *testing.T) {
	onBoth(t, func(t *testing.T, open func() *Store) {
		s := open()
		var all []usage.Generation
		for i, created := range []time.Time{noon.AddDate(0, 0, -1), noon, noon.Add(time.Hour)} {
			g := generation(fmt.Sprint("gen-1-", i), created)
			g.Workspace = "default"
			all = append(all, g)
		}
		shared := generation("gen-1-s", noon)
		shared.Workspace, shared.Attempts = "default", shared.Attempts[1:]
		if err := s.Save(t.Context(), append(all, shared)); err != nil {
			t.Fatal(err)
		}
		got, err := s.UpstreamSince(t.Context(), noon)
		if diff := cmp.Diff(map[string]money.USD{"default": 2 * all[0].Upstream()}, got); diff != "" || err != nil {
			t.Errorf("%v %s", err, diff)
		}
	})
}
