package e2e

import (
	"bufio"
	"context"
	"encoding/json"
	"math/rand/v2"
	"net/http"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/switchyard/switchyard/e2e/gateway"
	"github.com/switchyard/switchyard/e2e/provider"
	"github.com/switchyard/switchyard/policies/database"
	"github.com/switchyard/switchyard/policies/identity"
	"github.com/switchyard/switchyard/policies/money"
	"github.com/switchyard/switchyard/policies/usage/postgrestest"
	"github.com/switchyard/switchyard/policies/usage/store"
)

// told is what GET /generation tells.
type told struct {
	ID         string    `json:"id"`
	Model      string    `json:"model"`
	Provider   string    `json:"provider_name"`
	Streamed   bool      `json:"streamed"`
	Cancelled  bool      `json:"cancelled"`
	Estimated  bool      `json:"estimated"`
	Finish     string    `json:"finish_reason"`
	Session    string    `json:"session_id"`
	Referer    string    `json:"http_referer"`
	Prompt     int64     `json:"native_tokens_prompt"`
	Completion int64     `json:"native_tokens_completion"`
	Cost       money.USD `json:"total_cost"`
	Source     string    `json:"response_cache_source_id"`
	Responses  []struct {
		Provider string `json:"provider_name"`
		Status   int    `json:"status"`
		Outcome  string `json:"outcome"`
	} `json:"provider_responses"`
}

// generation waits for a generation as long as it may take to be seen.
func (s *stage) generation(id string) told {
	s.Helper()
	var got answer
	for deadline := time.Now().Add(time.Second); time.Now().Before(deadline); time.Sleep(10 * time.Millisecond) {
		if got = s.do(http.MethodGet, "/api/v1/generation?id="+id, ""); got.status == 200 {
			break
		}
	}
	var shape struct{ Data told }
	if err := json.Unmarshal([]byte(got.body), &shape); err != nil || got.status != 200 {
		s.Fatalf("generation %s is not there within a second: %d %s", id, got.status, got.body)
	}
	return shape.Data
}

func TestRow168And169And196GenerationIsSeenWithinASecond(t *testing.T) {
	s, gpt, claude := pair(t)
	s.serve("m/both", gpt, claude)
	s.start()
	gpt.Enqueue(provider.Failure{Status: 503})
	claude.Enqueue(provider.Answer{Text: "hello", Usage: provider.Usage{Input: 1000, Output: 50}})
	got := s.ask(streamed("m/both"), "X-Session-Id", "talk", "HTTP-Referer", "https://app.example")
	id := got.header.Get("X-Generation-Id")
	g := s.generation(id)
	if g.ID != id || g.Model != "m/both" || g.Provider != "claude" || !g.Streamed || g.Cancelled || g.Estimated || g.Finish != "stop" ||
		g.Session != "talk" || g.Referer != "https://app.example" || g.Prompt != 1000 || g.Completion != 50 || g.Cost != 1_100_000_000 {
		t.Errorf("%+v", g)
	}
	if len(g.Responses) != 2 || g.Responses[0].Provider != "gpt" || g.Responses[0].Status != 503 || g.Responses[1].Outcome != "ok" {
		t.Errorf("attempts %+v", g.Responses)
	}
	if usage := got.transcript(t).usage; len(usage) != 1 || !near(*usage[0].Cost, g.Cost.Float64()) {
		t.Errorf("the answer says %+v", usage)
	}

	missing := s.do(http.MethodGet, "/api/v1/generation?id=gen-1-none", "")
	if missing.status != 404 || !strings.Contains(missing.body, "Generation gen-1-none not found") {
		t.Errorf("an unknown id: %d %s", missing.status, missing.body)
	}
	if anonymous := s.do(http.MethodGet, "/api/v1/generation?id="+id, "", "Authorization", "Bearer sk-none"); anonymous.status != 401 {
		t.Errorf("without a key: %d", anonymous.status)
	}
}

func TestRow159KeyTellsWhatItHasUsed(t *testing.T) {
	s, gpt, _ := pair(t)
	s.start()
	for range 3 {
		gpt.Enqueue(provider.Answer{Text: "hello", Usage: provider.Usage{Input: 1000, Output: 50}})
		s.generation(s.ask(question("m/openai")).header.Get("X-Generation-Id"))
	}
	var key struct {
		Data map[string]any
	}
	got := s.do(http.MethodGet, "/api/v1/key", "")
	if err := json.Unmarshal([]byte(got.body), &key); err != nil {
		t.Fatal(err)
	}
	for _, member := range []string{"usage", "usage_daily", "usage_weekly", "usage_monthly"} {
		if key.Data[member] != 0.0033 {
			t.Errorf("%s is %v in %s", member, key.Data[member], got.body)
		}
	}
}

// The gateway is killed again and again under load. Whatever a provider served is in
// the ledger once: as the client was told it, or as an estimate (known-failures 10).
func TestNothingServedIsMissingAfterKills(t *testing.T) {
	s, gpt, claude := pair(t)
	state := t.TempDir()
	usage := provider.Usage{Input: 1000, Output: 50}
	for _, at := range []*site{gpt, claude} {
		at.Default(provider.Stream{Answer: provider.Answer{Text: strings.Repeat(" word", 10), Usage: usage}, Pace: 5 * time.Millisecond})
	}
	answered := make(map[string]bool)
	for life := range 4 {
		running, err := gateway.Start(t.Context(), gateway.Options{
			Binary: binary, Directory: t.TempDir(), Config: s.config, Arguments: []string{"--state-dir", state},
		})
		if err != nil {
			t.Fatal(err)
		}
		s.Gateway = running
		if life == 3 {
			break
		}
		var mu sync.Mutex
		var clients sync.WaitGroup
		stop := make(chan struct{})
		for i := range 8 {
			clients.Go(func() {
				for {
					select {
					case <-stop:
						return
					default:
					}
					response, err := s.send(t.Context(), http.MethodPost, "/api/v1/chat/completions", streamed([]string{"m/openai", "m/anthropic"}[i%2]))
					if err != nil {
						time.Sleep(time.Millisecond)
						continue
					}
					body := make([]byte, 0, 4096)
					piece := make([]byte, 4096)
					for n, err := response.Body.Read(piece); ; n, err = response.Body.Read(piece) {
						body = append(body, piece[:n]...)
						if err != nil {
							break
						}
					}
					response.Body.Close()
					mu.Lock()
					if strings.HasSuffix(string(body), "data: [DONE]\n\n") {
						answered[response.Header.Get("X-Generation-Id")] = true
					}
					mu.Unlock()
				}
			})
		}
		time.Sleep(time.Duration(300+rand.IntN(700)) * time.Millisecond) // of load, before the kill at no time in particular
		running.Kill()
		close(stop)
		clients.Wait()
	}
	for id := range answered {
		if g := s.generation(id); g.Estimated || g.Cost != 1_100_000_000 || g.Finish != "stop" {
			t.Fatalf("a whole answer is kept as %+v", g)
		}
	}
	if err := s.Stop(); err != nil {
		t.Errorf("%v\n%s", err, tail(s.Log()))
	}
	db, err := database.OpenSQLite(t.Context(), filepath.Join(state, "ledger.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	total, err := store.New(db, identity.NewSealer([]byte("secret"))).SpentBy(t.Context(), store.Who{KeyHash: hash(clientKey)}, time.Time{})
	if err != nil {
		t.Fatal(err)
	}
	reached := int64(gpt.calls() + claude.calls())
	if total.Requests < reached || len(answered) == 0 {
		t.Errorf("%d generations in the ledger, but %d requests reached the providers", total.Requests, reached)
	}
	t.Logf("%d whole answers, %d requests reached providers, %d generations", len(answered), reached, total.Requests)
}

// With its PostgreSQL down the gateway serves, and the rows come when it is back; but for
// one that has not told it since the start what is managed. That bounds keys of the
// configuration too: by credits, budgets of workspaces and guardrails (known-failures 45).
func TestLedgerWhilePostgresIsDown(t *testing.T) {
	server := postgrestest.Start(t)
	server.Stop()
	s, gpt, _ := pair(t)
	s.config["ledger"] = settings{"postgres": settings{"value": server.Connection()}}
	s.manageable()
	s.Gateway = launch(t, gateway.Options{Binary: binary, Directory: t.TempDir(), Config: s.config})
	t.Cleanup(s.finish)
	s.until("nothing but the database is missing", func() bool {
		got := s.do(http.MethodGet, "/health", "")
		return got.status == 503 && strings.Contains(got.body, `"identity","ok":false`) && strings.Count(got.body, `"ok":false`) == 1
	})
	first := s.ask(question("m/openai"))
	if first.status != 503 || first.header.Get("Retry-After") == "" || !strings.Contains(first.body, "database") || gpt.calls() > 0 {
		t.Fatalf("before the database has told anything: %d %s", first.status, first.body)
	}
	if got := s.manage(http.MethodGet, "/generation?id=gen-1795435464-OfBYa0Gvw6PbdwYRJzMq", ""); got.status != 503 || strings.Contains(got.body, "127.0.0.1") {
		t.Errorf("the ledger, while its database is down: %d %s", got.status, got.body)
	}
	server.Restart()
	s.until("requests are served", func() bool { return s.ask(question("m/openai")).status == 200 })
	if got := s.do(http.MethodGet, "/health", ""); got.status != 200 {
		t.Errorf("the health then: %d %s", got.status, got.body)
	}
	there := func(id string) func() bool {
		return func() bool { return s.do(http.MethodGet, "/api/v1/generation?id="+id, "").status == 200 }
	}

	var ids []string
	for i := range 20 {
		if i == 5 {
			server.Stop()
			s.until("the health tells of the database, and is ready", func() bool {
				got := s.do(http.MethodGet, "/health", "")
				return got.status == 200 && strings.Contains(got.body, `{"name":"database","ok":true,"detail":"cannot be read; the log says why"}`)
			})
		}
		if i == 15 {
			server.Restart()
		}
		got := s.ask(question("m/anthropic"))
		if got.status != 200 {
			t.Fatalf("request %d: %d %s", i, got.status, got.body)
		}
		ids = append(ids, got.header.Get("X-Generation-Id"))
	}
	for _, id := range ids {
		s.until("row "+id+" is there", there(id))
	}
}

// A journal without room is known to who asks for the health, and the client that is
// refused is told when to come again.
func TestFullJournalIsNoLongerReady(t *testing.T) {
	server := postgrestest.Start(t)
	s, _, _ := pair(t)
	s.config["ledger"] = settings{"postgres": settings{"value": server.Connection()}, "max_journal": "1MiB"}
	s.start()
	server.Stop()
	request := question("m/openai", `"user":"`+strings.Repeat("u", 256)+`"`)
	got := s.ask(request)
	for asked := 1; got.status == 200 && asked < 2000; asked++ {
		got = s.ask(request)
	}
	if got.status != 503 || got.header.Get("Retry-After") != "10" {
		t.Errorf("%d %v %s", got.status, got.header, got.body)
	}
	if got := s.do(http.MethodGet, "/health", ""); got.status != 503 || !strings.Contains(got.body, `{"name":"journal","ok":false,"detail":"full, `) || strings.Count(got.body, `"ok":false`) != 1 {
		t.Errorf("the health: %d %s", got.status, got.body)
	}
	server.Restart()
	s.until("it is ready again", func() bool { return s.do(http.MethodGet, "/health", "").status == 200 })
	if got := s.ask(request); got.status != 200 {
		t.Errorf("then: %d %s", got.status, got.body)
	}
}

// Spec section 4.4: what a client broke off is billed for what its provider has said, by
// a count of its tokens, and of the prompt's (known-failures 10).
func TestBrokenOffAnswerIsCounted(t *testing.T) {
	s, gpt, _ := pair(t)
	s.start()
	gpt.Enqueue(provider.Stream{Answer: provider.Answer{Text: "Straßenbahnhaltestelle, Donaudampfschifffahrt und Eichhörnchen"}, Pieces: 4, End: provider.EndStall})
	ctx, hangUp := context.WithCancel(t.Context())
	defer hangUp()
	response, err := s.send(ctx, http.MethodPost, "/api/v1/chat/completions", streamed("m/openai"))
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	said := ""
	for lines := bufio.NewScanner(response.Body); lines.Scan() && !strings.Contains(said, "Eichhörn"); {
		said += lines.Text()
	}
	hangUp()
	// By tiktoken. "hi" is one token, and seven are around it; a quarter of the bytes is 16.
	if g := s.generation(response.Header.Get("X-Generation-Id")); !g.Estimated || !g.Cancelled || g.Prompt != 8 || g.Completion != 20 {
		t.Errorf("%+v", g)
	}
}
