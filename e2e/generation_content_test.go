package e2e

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/switchyard/switchyard/e2e/provider"
	"github.com/switchyard/switchyard/policies/usage/postgrestest"
)

// silentKey is of someone whose words are not stored.
const silentKey = "sk-sy-v1-1123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

func TestRow170ContentIsStoredForKeysThatWantIt(t *testing.T) {
	for name, ledger := range map[string]func(t *testing.T) settings{
		"sqlite": func(*testing.T) settings { return settings{} },
		"postgres": func(t *testing.T) settings {
			return settings{"postgres": settings{"value": postgrestest.Start(t).Connection()}}
		},
	} {
		t.Run(name, func(t *testing.T) {
			s, gpt, claude := pair(t)
			s.models["m/anthropic"].(settings)["input_modalities"] = []any{"text", "image"}
			s.config["ledger"] = ledger(t)
			s.config["keys"] = []any{
				settings{"name": "tests", "hash": hash(clientKey), "store_content": true}, settings{"name": "silent", "hash": hash(silentKey)},
			}
			s.serve("m/both", gpt, claude)
			s.start()
			claude.Enqueue(provider.Answer{Reasoning: "hm", Text: "It is red.", Usage: provider.Usage{Input: 1000, Output: 50}})
			const body = `{"model":"m/anthropic","stream":true,"reasoning":{"effort":"low"},"messages":[{"role":"system","content":"Be brief."},{"role":"user","content":[{"type":"text","text":"Which colour?"},` +
				`{"type":"image_url","image_url":{"url":"data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="}}]}]}`
			answered := s.ask(body)
			id := answered.header.Get("X-Generation-Id")
			if answered.status != 200 {
				t.Fatalf("%d %s", answered.status, answered.body)
			}
			s.generation(id)
			got := s.do(http.MethodGet, "/api/v1/generation/content?id="+id, "")
			const want = `{"data":{"input":{"messages":[{"role":"system","content":"Be brief."},{"role":"user","content":[{"type":"text","text":"Which colour?"},{"type":"image_url"}]}]},` +
				`"output":{"completion":"It is red.","reasoning":"hm"},"error":null}}`
			if got.status != 200 || strings.TrimSpace(got.body) != want {
				t.Errorf("%d %s\nwant %s", got.status, got.body, want)
			}

			// A failure behind another, in the middle of an answer.
			gpt.Enqueue(provider.Failure{Status: 503})
			claude.Enqueue(provider.Stream{Answer: provider.Answer{Text: "one two three"}, Pieces: 1, Pace: 50 * time.Millisecond, End: provider.EndError})
			broken := s.ask(streamed("m/both"))
			if id = broken.header.Get("X-Generation-Id"); id == "" {
				t.Fatalf("%d %s", broken.status, broken.body)
			}
			s.generation(id)
			got = s.do(http.MethodGet, "/api/v1/generation/content?id="+id, "")
			var told struct {
				Data struct {
					Output struct{ Completion string }
					Error  struct {
						Status   int
						Message  string
						Provider string           `json:"provider_name"`
						Previous []map[string]any `json:"previous_errors"`
					}
				}
			}
			if err := json.Unmarshal([]byte(got.body), &told); err != nil || !strings.HasPrefix(told.Data.Output.Completion, "one") ||
				told.Data.Error.Status < 500 || told.Data.Error.Message == "" || told.Data.Error.Provider != "claude" ||
				len(told.Data.Error.Previous) != 1 || told.Data.Error.Previous[0]["provider"] != "gpt" {
				t.Errorf("of a failure: %d %s", got.status, got.body)
			}

			as := []string{"Authorization", "Bearer " + silentKey}
			for _, test := range []struct {
				what, id string
				status   int
				want     string
			}{
				{"another key's", id, 404, "Generation " + id + " not found"},
				{"of a key that stores none", s.ask(question("m/openai"), as...).header.Get("X-Generation-Id"), 403, "store_content"},
				{"none", "gen-1-none", 404, "Generation gen-1-none not found"},
				{"without an id", "", 400, "/generation/content?id="},
			} {
				path := "/api/v1/generation/content?id=" + test.id
				s.until(test.what, func() bool { return s.do(http.MethodGet, path, "", as...).status == test.status })
				if got := s.do(http.MethodGet, path, "", as...); !strings.Contains(got.body, test.want) {
					t.Errorf("%s: %d %s", test.what, got.status, got.body)
				}
			}
			if got := s.do(http.MethodGet, "/api/v1/generation/content?id="+id, "", "Authorization", "Bearer sk-none"); got.status != 401 {
				t.Errorf("without a key: %d", got.status)
			}
		})
	}
}
