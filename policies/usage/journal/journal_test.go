package journal

import (
	"bytes"
	"errors"
	"fmt"
	"hash/crc32"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/switchyard/switchyard/policies/usage"
)

func open(t testing.TB, directory string, options Options) (*Journal, int) {
	t.Helper()
	j, lost, err := Open(directory, options)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = j.Close() })
	return j, lost
}

// asked is a generation as an attempt at it begins; told as it ended.
func asked(id string, number int) *usage.Generation {
	return &usage.Generation{ID: id, Created: time.Unix(1_700_000_000, 0).UTC(), Estimated: true, Attempts: []usage.Attempt{
		{Number: number, Provider: "a", Outcome: "lost", Estimated: true, Charge: usage.Charge{Total: 7}},
	}}
}

func told(id string, numbers ...int) *usage.Generation {
	g := &usage.Generation{ID: id, Created: time.Unix(1_700_000_000, 0).UTC(), FinishReason: "stop"}
	for _, number := range numbers {
		g.Attempts = append(g.Attempts, usage.Attempt{Number: number, Provider: "a", Outcome: "ok", Charge: usage.Charge{Total: 5}})
	}
	return g
}

// rest reads everything behind a mark.
func rest(t testing.TB, j *Journal, mark Mark) []string {
	t.Helper()
	var ids []string
	for {
		found, next, err := j.Read(mark, 3)
		if damage := new(DamageError); err != nil && !errors.As(err, &damage) {
			t.Fatal(err)
		}
		for i := range found {
			ids = append(ids, found[i].ID)
		}
		if len(found) == 0 {
			return ids
		}
		mark = next
	}
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func TestSettledGenerationsAreReadInTheirOrder(t *testing.T) {
	j, _ := open(t, t.TempDir(), Options{SegmentBytes: 600})
	var want []string
	for i := range 20 {
		id := fmt.Sprintf("gen-%d", i)
		must(t, j.Note(asked(id, 1)))
		must(t, j.Settle(told(id, 1)))
		want = append(want, id)
	}
	if diff := cmp.Diff(want, rest(t, j, Mark{})); diff != "" {
		t.Error(diff)
	}
	found, _, err := j.Read(Mark{}, 1)
	must(t, err)
	if diff := cmp.Diff([]usage.Generation{*told("gen-0", 1)}, found); diff != "" {
		t.Error(diff)
	}
}

func TestWhatIsTakenIsDeleted(t *testing.T) {
	directory := t.TempDir()
	j, _ := open(t, directory, Options{SegmentBytes: 3000})
	must(t, j.Note(asked("gen-long", 1)))
	for i := range 40 {
		must(t, j.Settle(told(fmt.Sprintf("gen-%d", i), 1)))
	}
	_, mark, err := j.Read(Mark{}, 100)
	must(t, err)
	must(t, j.Forget(mark))
	if files, _ := filepath.Glob(directory + "/*/*" + suffix); len(files) != 1 {
		t.Errorf("%d files are left: %v", len(files), files)
	}
	if found, _, err := j.Read(mark, 1); len(found) != 0 || err != nil {
		t.Errorf("read again: %v, %v", found, err)
	}
	// What is under way outlives the segment in which it began.
	must(t, j.Close())
	again, lost := open(t, directory, Options{})
	if ids := rest(t, again, Mark{}); lost != 1 || !slices.Contains(ids, "gen-long") {
		t.Errorf("%d lost, %v", lost, ids)
	}
}

// The process is killed between the last byte of an answer and its settling.
func TestLastNoteCountsAfterACrash(t *testing.T) {
	directory := t.TempDir()
	j, _ := open(t, directory, Options{})
	must(t, j.Note(asked("gen-1", 1)))
	must(t, j.Note(told("gen-1", 1)))
	must(t, j.Close())
	j, _ = open(t, directory, Options{})
	found, _, err := j.Read(Mark{}, 10)
	must(t, err)
	if diff := cmp.Diff([]usage.Generation{*told("gen-1", 1)}, found); diff != "" {
		t.Error(diff)
	}
}

func TestAttemptsUnderWayAreEstimatesAfterACrash(t *testing.T) {
	directory := t.TempDir()
	j, lost := open(t, directory, Options{})
	if lost != 0 {
		t.Errorf("%d lost in an empty directory", lost)
	}
	must(t, j.Note(asked("gen-1", 1)))
	must(t, j.Note(asked("gen-1", 2)))
	must(t, j.Note(asked("gen-2", 1)))
	must(t, j.Settle(told("gen-2", 1)))
	must(t, j.Close())

	j, lost = open(t, directory, Options{})
	found, _, err := j.Read(Mark{}, 10)
	must(t, err)
	want := asked("gen-1", 1)
	want.Attempts = append(want.Attempts, asked("gen-1", 2).Attempts...)
	if diff := cmp.Diff([]usage.Generation{*told("gen-2", 1), *want}, found); diff != "" || lost != 1 {
		t.Errorf("%d lost; %s", lost, diff)
	}
	must(t, j.Close())
	if _, lost = open(t, directory, Options{}); lost != 0 {
		t.Errorf("%d lost once more", lost)
	}
}

// A process that is killed leaves part of a line. Whatever the part, what came before
// is there.
func TestTornLineHidesNothingBeforeIt(t *testing.T) {
	directory := t.TempDir()
	j, _ := open(t, directory, Options{})
	must(t, j.Settle(told("gen-1", 1)))
	whole := j.Bytes()
	must(t, j.Settle(told("gen-2", 1)))
	size := j.Bytes()
	must(t, j.Close())
	text, err := os.ReadFile(file(t, directory, 0))
	must(t, err)
	for cut := whole; cut < size; cut++ {
		torn := t.TempDir()
		left(t, torn, text[:cut])
		again, _ := open(t, torn, Options{})
		if ids := rest(t, again, Mark{}); !slices.Equal(ids, []string{"gen-1"}) {
			t.Fatalf("cut at %d: %v", cut, ids)
		}
		must(t, again.Settle(told("gen-3", 1)))
		if ids := rest(t, again, Mark{}); !slices.Equal(ids, []string{"gen-1", "gen-3"}) {
			t.Fatalf("cut at %d, then: %v", cut, ids)
		}
		must(t, again.Close())
	}
}

// A bit that flips costs its own line, and the file is kept for whoever can read it.
func TestDamageIsToldAndPassed(t *testing.T) {
	directory := t.TempDir()
	j, _ := open(t, directory, Options{})
	for i := range 5 {
		must(t, j.Settle(told(fmt.Sprintf("gen-%d", i), 1)))
	}
	must(t, j.Close())
	damaged := file(t, directory, 0)
	text, err := os.ReadFile(damaged)
	must(t, err)
	lines := bytes.SplitAfter(text, []byte("\n"))
	lines[2] = bytes.Replace(lines[2], []byte("stop"), []byte("stpo"), 1)
	lines[3] = append(bytes.Repeat([]byte("x"), largestLine+1), '\n')
	must(t, os.WriteFile(damaged, bytes.Join(lines, nil), 0o600))
	again, _ := open(t, directory, Options{})
	if again.Damage() == nil {
		t.Error("nothing is said of the damage")
	}
	if ids := rest(t, again, Mark{}); !slices.Equal(ids, []string{"gen-0", "gen-1", "gen-4"}) {
		t.Errorf("read %v", ids)
	}
	_, mark, err := again.Read(Mark{}, 10)
	if damage := new(DamageError); !errors.As(err, &damage) || damage.Lines != 2 {
		t.Errorf("reading says %v", err)
	}
	must(t, again.Forget(mark))
	kept, err := filepath.Glob(filepath.Join(directory, "damaged-*"))
	must(t, err)
	if len(kept) != 1 {
		t.Errorf("kept aside: %v", kept)
	}
}

// More is under way than a segment holds: a note costs no more than its own bytes, and
// what is kept is a few times what is under way, however much comes and goes.
func TestManyAttemptsUnderWay(t *testing.T) {
	const most = 200_000
	j, _ := open(t, t.TempDir(), Options{SegmentBytes: 4000, MaxBytes: most})
	size := int64(0)
	for i := range 100 {
		before := j.Bytes()
		must(t, j.Note(asked(fmt.Sprintf("gen-%d", i), 1)))
		if i > 0 && j.Bytes()-before > 2*size {
			t.Fatalf("note %d took %d bytes, one before it %d", i, j.Bytes()-before, size)
		}
		size = j.Bytes() - before
	}
	mark := Mark{}
	for i := range 1000 { // far more than fits
		must(t, j.Note(asked(fmt.Sprintf("short-%d", i), 1)))
		must(t, j.Settle(told(fmt.Sprintf("short-%d", i), 1)))
		if i%10 == 0 {
			_, next, err := j.Read(mark, 1000)
			must(t, err)
			must(t, j.Forget(next))
			mark = next
		}
	}
	must(t, j.Close())
	again, lost := open(t, filepath.Dir(j.own.path), Options{})
	if lost != 100 {
		t.Errorf("%d attempts were under way, want 100", lost)
	}
	must(t, again.Close())
}

func TestFullJournalTakesNoNewRequests(t *testing.T) {
	j, _ := open(t, t.TempDir(), Options{MaxBytes: 2000, SegmentBytes: 500})
	if j.Full() {
		t.Error("full before anything is noted")
	}
	begun := 0
	for ; ; begun++ {
		if err := j.Note(asked(fmt.Sprintf("gen-%d", begun), 1)); err != nil {
			if !errors.Is(err, ErrFull) {
				t.Fatal(err)
			}
			break
		}
	}
	for i := range begun { // what was begun can be settled all the same
		must(t, j.Settle(told(fmt.Sprintf("gen-%d", i), 1)))
	}
	if !j.Full() {
		t.Error("not full, but it takes no requests")
	}
	_, mark, err := j.Read(Mark{}, 1000)
	must(t, err)
	must(t, j.Forget(mark))
	if j.Full() { // nobody has to ask again to know
		t.Error("full, though there is room again")
	}
	must(t, j.Note(asked("gen-next", 1)))
}

// The smallest journal there may be does not fill up with what the ledger has taken.
func TestSmallJournalGetsRoomAgain(t *testing.T) {
	j, _ := open(t, t.TempDir(), Options{MaxBytes: 1 << 20})
	var mark Mark
	for i := range 3000 {
		id := fmt.Sprintf("gen-%d", i)
		must(t, j.Note(asked(id, 1)))
		must(t, j.Settle(told(id, 1)))
		_, next, err := j.Read(mark, 1000)
		must(t, err)
		must(t, j.Forget(next))
		mark = next
	}
}

// At a restart two processes are there at once. The new one leaves alone what is the
// old one's; a third takes over what both have left, and nothing of it stays.
func TestProcessesTakeOverFromThoseThatEnded(t *testing.T) {
	directory := t.TempDir()
	older, _ := open(t, directory, Options{})
	must(t, older.Note(asked("gen-1", 1)))
	newer, lost := open(t, directory, Options{})
	if ids := rest(t, newer, Mark{}); lost != 0 || len(ids) != 0 {
		t.Errorf("the new process takes %v of the old one's, %d as lost", ids, lost)
	}
	must(t, newer.Settle(told("gen-2", 1)))
	must(t, older.Settle(told("gen-1", 1)))
	must(t, older.Close())
	must(t, newer.Close())
	third, lost := open(t, directory, Options{})
	ids := rest(t, third, Mark{})
	slices.Sort(ids)
	if lost != 0 || !slices.Equal(ids, []string{"gen-1", "gen-2"}) {
		t.Errorf("%d lost, %v", lost, ids)
	}
	_, mark, err := third.Read(Mark{}, 10)
	must(t, err)
	must(t, third.Forget(mark))
	if left, _ := filepath.Glob(directory + "/*"); len(left) != 1 {
		t.Errorf("left behind: %v", left)
	}
}

// file is the n-th segment below a directory.
func file(t *testing.T, directory string, n int) string {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(directory, "*", "*"+suffix))
	must(t, err)
	slices.Sort(names)
	return names[n]
}

func TestClosedJournalTakesNothing(t *testing.T) {
	j, _ := open(t, t.TempDir(), Options{})
	must(t, j.Close())
	if err := errors.Join(j.Note(asked("gen-1", 1))); !errors.Is(err, os.ErrClosed) {
		t.Errorf("Note: %v", err)
	}
	if err := j.Settle(told("gen-1", 1)); !errors.Is(err, os.ErrClosed) {
		t.Errorf("Settle: %v", err)
	}
}

// Many requests at once, while the ledger reads and forgets, and the process is
// killed and started again in between: each is read, as settled or as an estimate.
func TestNothingIsLostAmongMany(t *testing.T) {
	directory := t.TempDir()
	read := make(map[string]string) // outcome by id
	take := func(j *Journal, mark Mark) Mark {
		found, next, err := j.Read(mark, 10)
		must(t, err)
		for i := range found {
			read[found[i].ID] = found[i].Attempts[0].Outcome
		}
		must(t, j.Forget(next))
		return next
	}
	want := make(map[string]string)
	for life := range 5 {
		j, _ := open(t, directory, Options{SegmentBytes: 2000})
		var requests sync.WaitGroup
		for i := range 40 {
			id, settled := fmt.Sprintf("gen-%d-%d", life, i), rand.IntN(3) > 0
			want[id] = "lost"
			if settled {
				want[id] = "ok"
			}
			requests.Go(func() {
				must(t, j.Note(asked(id, 1)))
				if settled {
					must(t, j.Settle(told(id, 1)))
				}
			})
		}
		mark := Mark{}
		for range rand.IntN(5) {
			mark = take(j, mark)
		}
		requests.Wait()
		must(t, j.Close())
	}
	j, _ := open(t, directory, Options{})
	for mark := (Mark{}); ; {
		next := take(j, mark)
		if next == mark {
			break
		}
		mark = next
	}
	if diff := cmp.Diff(want, read); diff != "" {
		t.Error(diff)
	}
}

func FuzzDecode(f *testing.F) {
	line, err := encode(kindSettle, told("gen-1", 1, 2))
	must(f, err)
	f.Add(line[:len(line)-1])
	f.Add([]byte("00000000 s {}"))
	f.Add([]byte("00000000 x {}"))
	f.Fuzz(func(t *testing.T, line []byte) {
		if line = bytes.Clone(line); len(line) >= len(prefix) { // else nothing gets beyond the checksum
			copy(line, fmt.Appendf(nil, "%08x", crc32.Checksum(line[checkedAt:], castagnoli)))
		}
		kind, written, err := check(line)
		if err != nil || bytes.IndexByte(line, '\n') >= 0 {
			return
		}
		g, err := decode(written)
		if err != nil {
			return
		}
		again, err := encode(kind, g)
		must(t, err)
		_, written, err = check(again[:len(again)-1])
		must(t, err)
		same, err := decode(written)
		must(t, err)
		if diff := cmp.Diff(g, same, cmpopts.EquateEmpty()); diff != "" {
			t.Error(diff)
		}
	})
}

// Whatever a file holds, the journal opens, and tells what of it cannot be read.
func FuzzOpen(f *testing.F) {
	old, err := os.ReadFile(filepath.Join("testdata", "written-before-zeros-were-left-out"+suffix))
	must(f, err)
	f.Add(old)
	f.Add([]byte("\n\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		lines := bytes.SplitAfter(text, []byte("\n"))
		for _, line := range lines {
			if line, whole := bytes.CutSuffix(line, []byte("\n")); whole && len(line) >= len(prefix) {
				copy(line, fmt.Appendf(nil, "%08x", crc32.Checksum(line[checkedAt:], castagnoli)))
			}
		}
		directory := t.TempDir()
		left(t, directory, text)
		j, lost := open(t, directory, Options{})
		ids, damaged := rest(t, j, Mark{}), new(DamageError)
		if errors.As(j.Damage(), &damaged); len(ids)+damaged.Lines > len(lines) || lost > len(ids) {
			t.Errorf("%d lines, of which %d damaged, are %v, of which %d lost", len(lines), damaged.Lines, ids, lost)
		}
	})
}

// left makes a segment of a process that has ended.
func left(t *testing.T, directory string, text []byte) {
	t.Helper()
	must(t, os.Mkdir(filepath.Join(directory, "process-1"), 0o700))
	must(t, os.WriteFile(filepath.Join(directory, "process-1", "000000000001"+suffix), text, 0o600))
}

// A gateway of an earlier version was killed: nothing of what it left is lost.
func TestWhatAnOlderProcessWroteIsRead(t *testing.T) {
	text, err := os.ReadFile(filepath.Join("testdata", "written-before-zeros-were-left-out"+suffix))
	must(t, err)
	directory := t.TempDir()
	left(t, directory, text)
	j, lost := open(t, directory, Options{})
	must(t, j.Damage())
	found, _, err := j.Read(Mark{}, 10)
	must(t, err)
	base := usage.Generation{
		RequestID: "2f1f5be4-7d54-9e6c-8d5f-000000000001", Created: time.UnixMicro(1_795_435_464_123_456).UTC(), KeyHash: "7bd1", KeyName: "alice", Workspace: "default",
		API: "completions", Requested: "m/x:nitro", Streamed: true, Session: "s", User: "u\"\\\n\u2028<>\uFFFD\x00", Preset: "p", Referer: "https://app.example/?a=b&c", Title: "App", UserAgent: "sdk/1",
	}
	asked := usage.Attempt{Number: 1, Endpoint: "m/x|a", Model: "m/x", Provider: "a", ProviderName: "A", Prices: "v1"}
	said := "yes"
	settled, cached, noted, lostOne := base, base, base, base

	failed, ok := asked, asked
	failed.Outcome, failed.Reason, failed.Status = "failed_over", "server_error", 503
	ok.Number, ok.Outcome, ok.Status, ok.UpstreamID, ok.Latency, ok.Duration, ok.ServiceTier, ok.OwnKey = 2, "ok", 200, "msg_1", 300_000, 1_000_000, "flex", "k"
	ok.Tokens = usage.Tokens{
		Prompt: 1, Completion: 2, Reasoning: 3, CacheRead: 4, CacheWrite: 5, CacheWrite1h: 6, Images: 7, AudioPrompt: 8, AudioCompletion: 9,
		ImagePrompt: 10, ImageCompletion: 11, GeneratedImages: 12, Characters: 13, Seconds: 14, SearchUnits: 15, WebSearches: 16,
	}
	ok.Charge = usage.Charge{Total: 4_500_000_001, Prompt: 3_000_000_001, Completion: 1_500_000_000, Upstream: 7}
	settled.ID, settled.FinishReason, settled.NativeFinishReason, settled.Attempts = "gen-1-settled", "stop", "end_turn", []usage.Attempt{failed, ok}
	settled.Content = &usage.Content{Input: usage.Input{Messages: []byte(`[{"role":"user","content":"hello"}]`)}, Output: usage.Output{Completion: &said}}

	hit := asked
	hit.Outcome = usage.Cached
	cached.ID, cached.ResponseCacheSource, cached.Attempts = "gen-1-cached", "gen-1-settled", []usage.Attempt{hit}

	ok.Number = 1
	noted.ID, noted.FinishReason, noted.NativeFinishReason, noted.Attempts = "gen-1-noted", "stop", "end_turn", []usage.Attempt{ok}

	killed := asked
	killed.Outcome, killed.Estimated, killed.Tokens, killed.Charge = usage.Lost, true, usage.Tokens{Prompt: 250}, usage.Charge{Total: 62_500_000, Prompt: 62_500_000}
	lostOne.ID, lostOne.Estimated, lostOne.Attempts = "gen-1-lost", true, []usage.Attempt{killed}

	if diff := cmp.Diff([]usage.Generation{settled, cached, noted, lostOne}, found); diff != "" || lost != 2 {
		t.Errorf("%d lost; %s", lost, diff)
	}
}

// What a request pays: three notes.
func BenchmarkNotesAndSettle(b *testing.B) {
	j, _ := open(b, b.TempDir(), Options{MaxBytes: 1 << 40})
	begins, ends := asked("gen-1795435464-OfBYa0Gvw6PbdwYRJzMq", 1), told("gen-1795435464-OfBYa0Gvw6PbdwYRJzMq", 1)
	b.ReportAllocs()
	for b.Loop() {
		must(b, j.Note(begins))
		must(b, j.Note(ends))
		must(b, j.Settle(ends))
	}
}

// What was said is the first thing to go where there is no room: of what was used nothing
// is ever lost to it.
func TestRow170ContentGivesWay(t *testing.T) {
	saying := func(id, text string) *usage.Generation {
		g := told(id, 1)
		g.Content = &usage.Content{Output: usage.Output{Completion: &text}}
		return g
	}
	j, _ := open(t, t.TempDir(), Options{MaxBytes: 10 << 20})
	long := strings.Repeat("x", 500<<10)
	for i := range 20 {
		must(t, j.Settle(saying(fmt.Sprintf("gen-%d", i), long)))
	}
	must(t, j.Settle(saying("gen-large", strings.Repeat("x", 2*largestLine))))
	kept, without, reads := 0, 0, 0
	for mark := (Mark{}); ; reads++ {
		found, next, err := j.Read(mark, 1000)
		must(t, err)
		if len(found) == 0 {
			break
		}
		said := 0
		for i := range found {
			if said += found[i].Content.Size(); found[i].Content != nil {
				kept++
			} else {
				without++
			}
		}
		if said > mostSaid+len(long) {
			t.Errorf("%d bytes are read at once", said)
		}
		mark = next
	}
	if kept < 8 || kept > 10 || kept+without != 21 {
		t.Errorf("%d generations with what was said, %d without", kept, without)
	}
}

func TestReadIsBoundedByWhatWasSaid(t *testing.T) {
	j, _ := open(t, t.TempDir(), Options{})
	text := strings.Repeat("x", 500<<10)
	for i := range 40 {
		g := told(fmt.Sprintf("gen-%d", i), 1)
		g.Content = &usage.Content{Output: usage.Output{Completion: &text}}
		must(t, j.Settle(g))
	}
	found, mark, err := j.Read(Mark{}, 500)
	must(t, err)
	if len(found) < 16 || len(found) > 18 {
		t.Errorf("%d generations at once", len(found))
	}
	if left := rest(t, j, mark); len(found)+len(left) != 40 {
		t.Errorf("%d and %d generations", len(found), len(left))
	}
}
