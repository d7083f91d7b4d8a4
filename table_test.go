package main

import (
	"strings"
	"testing"
)

// Names are whatever somebody gave: none reaches the terminal as a command, and none ends
// its row or its column.
func TestTablesEscapeWhatCannotBePrinted(t *testing.T) {
	var out strings.Builder
	names := []string{"team a", "Grüße 東京", "\x1b[2J\x1b]0;owned\a", "two\nlines", "a\tcolumn", "\u202Eevil", "\u009b31m", "not \xff UTF-8", `"quoted"`}
	err := table(&out, "NAME\tSTATE", names, func(name string) []any { return []any{name, "enabled"} })
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSuffix(out.String(), "\n"), "\n")
	if len(lines) != 1+len(names) {
		t.Fatalf("%d lines:\n%s", len(lines), out.String())
	}
	for i, want := range []string{"team a", "Grüße 東京", `"\x1b[2J\x1b]0;owned\a"`, `"two\nlines"`, `"a\tcolumn"`, `"\u202eevil"`, `"\u009b31m"`, `"not \xff UTF-8"`, `"quoted"`} {
		if name, state, _ := strings.Cut(lines[1+i], "  "); name != want || strings.TrimSpace(state) != "enabled" {
			t.Errorf("%q, want %s", lines[1+i], want)
		}
	}
}
