package extproc

import (
	"strings"
	"testing"
	"testing/synctest"
)

// Row 119: what comes out of the cache is the answer as the first client got it, made JSON.
func TestRow119HealedAnswersAreKept(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g, _ := keeping(t, onlyA)
		body := withMembers(wholeOf, `"response_format":{"type":"json_object"},"plugins":[{"id":"response-healing"}]`)
		answer := strings.Replace(wholeAnswer, `"hi"`, `"{'a':1,}"`, 1)
		for i, id := range []string{"1", "2"} {
			got := g.played(id, body, answer, on...)
			if got.hit != (i == 1) || !strings.Contains(got.body, `"content":"{\"a\":1}"`) {
				t.Errorf("request %s, out of the cache %t: %s", id, got.hit, got.body)
			}
		}
	})
}
