package store

import (
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/switchyard/switchyard/policies/usage"
)

func TestRow170ContentIsKeptApartAndPurged(t *testing.T) {
	onBoth(t, func(t *testing.T, open func() *Store) {
		s := open()
		text := "yes\x00\xff"
		want := &usage.Content{
			Input:  usage.Input{Messages: []byte(`[{"role":"user","content":"hello\u0000"}]`)},
			Output: usage.Output{Completion: &text},
			Error:  []byte(`{"status":503}`),
		}
		said, silent, later := generation("gen-1-a", noon), generation("gen-1-b", noon), generation("gen-1-c", noon.Add(time.Hour))
		said.Content, later.Content = want, want
		if err := s.Save(t.Context(), []usage.Generation{said, silent, later}); err != nil {
			t.Fatal(err)
		}
		// Told again, as after a crash, and by a process that knows one attempt more.
		again := said
		again.Attempts = append(again.Attempts[:len(again.Attempts):len(again.Attempts)], usage.Attempt{Number: 3, Outcome: "ok"})
		again.Content = &usage.Content{}
		if err := s.Save(t.Context(), []usage.Generation{again}); err != nil {
			t.Fatal(err)
		}
		got, err := s.Content(t.Context(), "gen-1-a")
		if err != nil {
			t.Fatal(err)
		}
		readable := "yes\x00\uFFFD"
		want.Output.Completion = &readable
		if diff := cmp.Diff(want, got); diff != "" {
			t.Error(diff)
		}
		if kept, err := s.Get(t.Context(), "gen-1-a"); err != nil || kept.Content != nil || len(kept.Attempts) != 3 {
			t.Errorf("the generation itself: %+v, %v", kept, err)
		}
		if _, err := s.Content(t.Context(), "gen-1-b"); !errors.Is(err, ErrNone) {
			t.Errorf("of one of which nothing is kept: %v", err)
		}
		if n, err := s.PurgeContents(t.Context(), noon.Add(time.Minute)); n != 1 || err != nil {
			t.Errorf("%d deleted, %v", n, err)
		}
		if _, err := s.Content(t.Context(), "gen-1-a"); !errors.Is(err, ErrNone) {
			t.Errorf("of what is deleted: %v", err)
		}
		if _, err := s.Content(t.Context(), "gen-1-c"); err != nil {
			t.Errorf("of what is new: %v", err)
		}
		if _, err := s.Get(t.Context(), "gen-1-a"); err != nil {
			t.Errorf("the counts went with it: %v", err)
		}
	})
}
