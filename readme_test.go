package main

import (
	"os"
	"strings"
	"testing"
)

// What reads well may still be one long block of code for who sees it rendered, or say
// the same twice where two changes met.
func TestReadmeIsWhole(t *testing.T) {
	text, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	code, before := false, map[string]int{}
	for i, line := range strings.Split(string(text), "\n") {
		switch {
		case strings.HasPrefix(line, "```"):
			if language := line != "```"; code && language {
				t.Errorf("line %d: a block of code begins within another", i+1)
			}
			code = !code
		case code && (strings.HasPrefix(line, "#") || strings.HasPrefix(line, "`")):
			t.Errorf("line %d is in a block of code: %.60s", i+1, line)
		case !code && len(line) > 60:
			start := line[:60]
			if twice, ok := before[start]; ok {
				t.Errorf("line %d begins as line %d: %s", i+1, twice, start)
			}
			before[start] = i + 1
		}
	}
	if code {
		t.Error("a block of code does not end")
	}
}
