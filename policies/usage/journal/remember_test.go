package journal

import (
	"fmt"
	"math/rand/v2"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/switchyard/switchyard/policies/usage"
)

// The files are not read for what the process remembers.
func TestWhatIsSettledIsRemembered(t *testing.T) {
	directory := t.TempDir()
	j, _ := open(t, directory, Options{})
	for i := range 10 {
		must(t, j.Note(asked(fmt.Sprintf("gen-%d", i), 1)))
		must(t, j.Settle(told(fmt.Sprintf("gen-%d", i), 1)))
	}
	must(t, os.Truncate(file(t, directory, 0), 0))
	found, mark, err := j.Read(Mark{}, 4)
	must(t, err)
	if diff := cmp.Diff(told("gen-3", 1), &found[3]); diff != "" || len(found) != 4 {
		t.Errorf("%d generations, the last one %s", len(found), diff)
	}
	must(t, j.Forget(mark))
	if ids := rest(t, j, mark); len(ids) != 6 || ids[0] != "gen-4" {
		t.Errorf("then %v", ids)
	}
	if len(j.remembered) != 6 {
		t.Errorf("%d are remembered of 6", len(j.remembered))
	}
}

// What a generation was made of is not kept for it.
func TestWhatIsRememberedIsItsOwn(t *testing.T) {
	j, _ := open(t, t.TempDir(), Options{})
	g := told("gen-1", 1)
	must(t, j.Settle(g))
	g.Attempts[0].Provider = "changed"
	if found, _, err := j.Read(Mark{}, 1); err != nil || found[0].Attempts[0].Provider != "a" {
		t.Errorf("%+v, %v", found, err)
	}
}

// A database that is gone for long, or rows of any size: memory is bounded, and nothing
// is left out.
func TestLittleIsRemembered(t *testing.T) {
	for name, test := range map[string]struct {
		count int
		title string
	}{
		"many":  {3 * mostRemembered, ""},
		"large": {40, strings.Repeat("x", 300<<10)},
	} {
		t.Run(name, func(t *testing.T) {
			j, _ := open(t, t.TempDir(), Options{})
			for i := range test.count {
				g := told(fmt.Sprintf("gen-%d", i), 1)
				g.Title = test.title
				must(t, j.Settle(g))
				if len(j.remembered) > mostRemembered || j.rememberedBytes > mostRememberedBytes {
					t.Fatalf("%d generations, %d bytes are remembered", len(j.remembered), j.rememberedBytes)
				}
			}
			if len(j.remembered) == test.count || len(j.remembered) == 0 {
				t.Errorf("%d are remembered", len(j.remembered))
			}
			read := 0
			for mark := (Mark{}); ; {
				found, next, err := j.Read(mark, 500)
				must(t, err)
				must(t, j.Forget(next))
				for i := range found {
					if want := fmt.Sprintf("gen-%d", read); found[i].ID != want {
						t.Fatalf("%s is read, not %s", found[i].ID, want)
					}
					read++
				}
				if mark = next; len(found) == 0 {
					break
				}
			}
			if read != test.count || len(j.remembered) != 0 || j.rememberedBytes != 0 {
				t.Errorf("%d are read, %d still remembered, %d bytes", read, len(j.remembered), j.rememberedBytes)
			}
			must(t, j.Settle(told("gen-next", 1)))
			if len(j.remembered) != 1 {
				t.Error("what is settled after that is not remembered")
			}
		})
	}
}

// Memory and files make one sequence, however they alternate, and wherever reading stops.
func TestMemoryAndFilesAreRead(t *testing.T) {
	for range 20 {
		directory := t.TempDir()
		before, _ := open(t, directory, Options{SegmentBytes: 3000})
		var want []string
		settle := func(j *Journal, n int) {
			for range n {
				id, said := fmt.Sprintf("gen-%d", len(want)), "x"
				must(t, j.Note(asked(id, 1)))
				g := told(id, 1)
				if rand.IntN(3) == 0 { // is not remembered
					g.Content = &usage.Content{Output: usage.Output{Completion: &said}}
				}
				must(t, j.Settle(g))
				must(t, j.Note(asked("gen-under-way", len(want)+1)))
				want = append(want, id)
			}
		}
		settle(before, 10)
		must(t, before.Close())
		j, _ := open(t, directory, Options{SegmentBytes: 3000})
		want = append(want, "gen-under-way")
		var got []string
		mark := Mark{}
		read := func() int {
			again, _, err := j.Read(mark, 7)
			must(t, err)
			found, next, err := j.Read(mark, 7)
			must(t, err)
			if diff := cmp.Diff(again, found); diff != "" {
				t.Errorf("read twice: %s", diff)
			}
			for i := range found {
				got = append(got, found[i].ID)
			}
			if mark = next; rand.IntN(2) == 0 {
				must(t, j.Forget(mark))
			}
			return len(found)
		}
		for range 20 {
			settle(j, rand.IntN(8))
			read()
		}
		for read() > 0 {
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Error(diff)
		}
	}
}
