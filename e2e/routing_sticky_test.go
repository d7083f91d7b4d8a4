package e2e

import (
	"strings"
	"testing"

	"github.com/switchyard/switchyard/e2e/provider"
)

// equals is a gateway whose three providers cost the same, so that chance alone
// spreads what nothing binds.
func equals(t *testing.T) *routing {
	t.Helper()
	r := newRouting(t)
	prices := settings{"prices": settings{"prompt": "2", "completion": "2", "cache_read": "0.2"}}
	r.offer("m/equal", r.a.endpoint("2", "2", prices), r.b.endpoint("2", "2", prices), r.c.endpoint("2", "2", prices))
	r.start()
	return r
}

// opening is a question that opens a conversation of its own.
func opening(words string, members ...string) string {
	return strings.Replace(question("m/equal", members...), `"hi"`, `"`+words+`"`, 1)
}

func TestRow105StickyAfterACacheHit(t *testing.T) {
	r := equals(t)
	for _, at := range r.sites {
		at.Default(provider.Answer{Usage: provider.Usage{Input: 1000, CacheRead: 600, Output: 5}})
	}
	for _, conversation := range []string{"one", "two", "three", "four"} {
		first := r.served(t, opening(conversation))
		for range 10 {
			if again := r.served(t, opening(conversation)); again != first {
				t.Fatalf("conversation %s went from %s to %s", conversation, first, again)
			}
		}
	}
}

func TestRow105NotStickyWithoutACacheHit(t *testing.T) {
	r := equals(t)
	seen := map[string]bool{}
	for range 30 {
		seen[r.served(t, opening("one"))] = true
	}
	if len(seen) < 2 {
		t.Errorf("30 requests went to %v alone", seen)
	}
}

func TestRow106StickySession(t *testing.T) {
	r := equals(t)
	for _, session := range []string{"s", "u", "v", "w"} {
		member := `"session_id":"` + session + `"`
		first := r.served(t, opening("one", member))
		for _, words := range []string{"two", "three", "four", "five", "six", "seven"} {
			if again := r.served(t, opening(words, member)); again != first {
				t.Fatalf("session %s went from %s to %s", session, first, again)
			}
		}
		// Row 107: an order is followed all the same.
		for _, at := range r.sites {
			if got := r.served(t, opening("one", member, `"provider":{"order":["`+at.slug+`"]}`)); got != at.slug {
				t.Errorf("row 107: served by %s, not by %s", got, at.slug)
			}
		}
	}
}
