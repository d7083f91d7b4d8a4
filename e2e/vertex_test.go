package e2e

import (
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/switchyard/switchyard/e2e/provider"
)

// googleTokens adds a token endpoint of Google's, whose tokens live so long.
func (s *stage) googleTokens(lifetime time.Duration) *provider.GoogleTokens {
	s.Helper()
	endpoint, err := provider.NewGoogleTokens(lifetime)
	if err != nil {
		s.Fatal(err)
	}
	s.Cleanup(endpoint.Close)
	s.Cleanup(func() {
		if refused := endpoint.Violations(); len(refused) > 0 {
			s.Errorf("the token endpoint refused: %q", refused)
		}
	})
	s.tokens = append(s.tokens, endpoint)
	return endpoint
}

// vertex adds a provider of Gemini on Vertex AI.
func (s *stage) vertex(slug string, tokens *provider.GoogleTokens) *site {
	s.Helper()
	return s.site(slug, "gemini", "gemini-3-flash-preview", func(config provider.Config) *provider.Provider {
		return provider.Vertex(config, tokens)
	}).signedWith(tokens)
}

// vertexAnthropic adds a provider of Claude on Vertex AI.
func (s *stage) vertexAnthropic(slug string, tokens *provider.GoogleTokens) *site {
	s.Helper()
	return s.site(slug, "anthropic_vertex", "claude-sonnet-4-5@20250929", func(config provider.Config) *provider.Provider {
		return provider.VertexAnthropic(config, tokens)
	}).signedWith(tokens)
}

// signedWith makes the gateway prove itself with a service account.
func (at *site) signedWith(tokens *provider.GoogleTokens) *site {
	at.config["authentication"] = "google"
	at.config["credential"] = settings{"value": tokens.Key()}
	return at
}

// googleCloud is a gateway with both of Vertex AI's dialects behind it.
func googleCloud(t *testing.T) (s *stage, gemini, claude *site, tokens *provider.GoogleTokens) {
	t.Helper()
	s = newStage(t)
	tokens = s.googleTokens(time.Hour)
	gemini, claude = s.vertex("gemini", tokens), s.vertexAnthropic("claude", tokens)
	s.serve("m/gemini", gemini)
	s.serve("m/claude", claude)
	return s, gemini, claude, tokens
}

func TestVertexThroughOpenAIsSDK(t *testing.T) {
	s, gemini, claude, tokens := googleCloud(t)
	s.start()
	client := startPython(t, "openai")
	for at, model := range map[*site]string{gemini: "m/gemini", claude: "m/claude"} {
		t.Run(model, func(t *testing.T) {
			for _, scenario := range []string{"chat", "stream", "stream_helper"} {
				seen := client.call(t, s, scenario, model)
				if seen.Error != nil || seen.Text != said || seen.Finish != "stop" || seen.Usage == nil || seen.Usage.Input != 11 || seen.Usage.Output != 7 || !near(seen.Usage.Cost, 25e-6) {
					t.Errorf("%s: %+v, error %+v", scenario, seen, seen.Error)
				}
			}
			for _, scenario := range []string{"tools", "tools_stream"} {
				at.Enqueue(provider.Answer{ToolCalls: twoCalls})
				seen := client.call(t, s, scenario, model)
				if seen.Error != nil || len(seen.Calls) != 2 || seen.Finish != "tool_calls" || seen.Calls[1].Arguments != twoCalls[1].Arguments {
					t.Errorf("%s: %+v, error %+v", scenario, seen, seen.Error)
				}
			}
			at.Enqueue(provider.Answer{Text: "Let me see.", ToolCalls: twoCalls})
			if seen := client.call(t, s, "round_trip", model); seen.Error != nil || seen.Text != said {
				t.Errorf("second turn: %+v, error %+v", seen, seen.Error)
			}
			for status, class := range map[int]string{400: "BadRequestError", 429: "RateLimitError", 503: "InternalServerError"} {
				at.Enqueue(provider.Failure{Status: status, Message: "Google's words"})
				if seen := client.call(t, s, "chat", model); seen.Error == nil || seen.Error.Class != class || !strings.Contains(seen.Error.Message, "Google's words") {
					t.Errorf("%d: %+v", status, seen.Error)
				}
			}
		})
	}
	if asked := len(tokens.Asked()); asked != 1 {
		t.Errorf("%d tokens were fetched for two providers of one account", asked)
	}
}

func TestClaudeOnVertexThroughAnthropicsSDK(t *testing.T) {
	s, _, claude, _ := googleCloud(t)
	s.start()
	client := startPython(t, "anthropic")
	for _, scenario := range []string{"whole", "stream", "beta"} {
		seen := client.call(t, s, scenario, "m/claude")
		if seen.Error != nil || seen.Text != said || seen.Finish != "end_turn" || seen.Model != "m/claude" || !strings.HasPrefix(seen.ID, "gen-") {
			t.Errorf("%s: %+v, error %+v", scenario, seen, seen.Error)
		}
	}
	for _, scenario := range []string{"tools", "tools_stream"} {
		claude.Enqueue(provider.Answer{ToolCalls: twoCalls})
		if seen := client.call(t, s, scenario, "m/claude"); seen.Error != nil || len(seen.Calls) != 2 || seen.Finish != "tool_use" {
			t.Errorf("%s: %+v, error %+v", scenario, seen, seen.Error)
		}
	}
	for _, scenario := range []string{"whole", "stream"} {
		claude.Enqueue(provider.Answer{Reasoning: "hm so", Text: said})
		seen := client.callWith(t, s, scenario, "m/claude", settings{"thinking": settings{"type": "enabled", "budget_tokens": 2000}})
		if !slices.Equal(seen.Texts, []string{"hm so"}) || !slices.Equal(seen.Signatures, []string{provider.Signature("hm so")}) {
			t.Errorf("%s: %+v, error %+v", scenario, seen, seen.Error)
		}
	}
	claude.Enqueue(provider.Failure{Status: 429, Message: "Quota exceeded."})
	if seen := client.call(t, s, "whole", "m/claude"); seen.Error == nil || seen.Error.Class != "RateLimitError" {
		t.Errorf("%+v", seen.Error)
	}
	claude.Enqueue(provider.Stream{Answer: provider.Answer{Text: "one two three"}, Pieces: 2, Pace: apart, End: provider.EndError})
	if seen := client.call(t, s, "stream", "m/claude"); seen.Text != "one two" || seen.Error == nil {
		t.Errorf("mid-stream: text %q, error %+v", seen.Text, seen.Error)
	}
	// The client's own bytes, but for what the cloud wants elsewhere.
	s.messages(`{"max_tokens":9, "messages":[ {"role":"user","content":"hi"} ],"model":"m/claude"}`)
	if got := string(claude.last(t).Body); got != `{"anthropic_version":"vertex-2023-10-16","max_tokens":9,"messages":[ {"role":"user","content":"hi"} ]}` {
		t.Errorf("the provider got %s", got)
	}
	refused := s.messages(`{"max_tokens":9,"messages":[{"role":"user","content":[{"type":"image","source":{"type":"url","url":"https://a.example/b.png"}}]}],"model":"m/claude"}`)
	if refused.status != 400 && refused.status != 404 || strings.Contains(refused.body, "source.base64.data") {
		t.Errorf("%d %s", refused.status, refused.body)
	}
}

// Rows 131 to 133 on Vertex AI, which takes the tier in a header and tells it as traffic.
// Clouds refuse betas that they do not know, of which Claude Code sends some.
func TestBetasReachCloudsThatKnowThem(t *testing.T) {
	s, bedrock := bedrocks(t)
	claude := s.vertexAnthropic("claude", s.googleTokens(time.Hour))
	s.serve("m/claude", claude)
	s.start()
	const said = "claude-code-20250219,interleaved-thinking-2025-05-14,advanced-tool-use-2025-11-20,prompt-caching-scope-2026-01-05"
	for model, at := range map[string]*site{"m/invoke": bedrock["m/invoke"], "m/claude": claude} {
		got := s.do(http.MethodPost, "/v1/messages", `{"model":"`+model+`","max_tokens":99,"messages":[{"role":"user","content":"hi"}]}`, "anthropic-beta", said)
		if got.status != 200 {
			t.Errorf("%s: %d %s", model, got.status, got.body)
		}
		sent := at.last(t)
		if !strings.Contains(string(sent.Body), `"anthropic_beta":["interleaved-thinking-2025-05-14","tool-search-tool-2025-10-19"]`) &&
			sent.Header.Get("Anthropic-Beta") != "interleaved-thinking-2025-05-14,tool-search-tool-2025-10-19" {
			t.Errorf("%s: the provider got %s %v", model, sent.Body, sent.Header)
		}
	}
}

func TestVertexServiceTier(t *testing.T) {
	s := newStage(t)
	gemini := s.vertex("gemini", s.googleTokens(time.Hour))
	s.models["m/x"] = settings{"endpoints": []any{gemini.endpoint("1", "2", settings{"service_tier": "priority", "tag": "gemini/priority"})}}
	s.start()
	got := s.ask(question("m/x", `"service_tier":"priority"`))
	if got.status != 200 || got.decode(t).ServiceTier != "priority" {
		t.Errorf("%d %s", got.status, got.body)
	}
	if _, inBody := gemini.last(t).JSON["serviceTier"]; inBody {
		t.Errorf("the provider got %s", gemini.last(t).Body)
	}
}

// What Google's own SDKs say to AI Studio, Vertex AI refuses in part.
func TestGooglesClientsThroughVertex(t *testing.T) {
	s := newStage(t)
	tokens := s.googleTokens(time.Hour)
	gemini := s.site("gemini", "gemini", "gemini-2.5-flash", func(config provider.Config) *provider.Provider {
		return provider.Vertex(config, tokens)
	}).signedWith(tokens)
	s.models["m/x"] = settings{"endpoints": []any{gemini.endpoint("1", "2", settings{"service_tier": "priority", "tag": "gemini/priority"})}}
	s.start()
	got := s.google("/v1beta/models/m/x:generateContent", `{"contents":[{"role":"user","parts":[{"text":"hi"}]},`+
		`{"role":"model","parts":[{"functionCall":{"id":"a","name":"weather","args":{}}},{"functionCall":{"id":"b","name":"weather","args":{}}}]},`+
		`{"role":"user","parts":[{"functionResponse":{"id":"b","name":"weather","response":{"output":"wet"}}},{"functionResponse":{"id":"a","name":"weather","response":{"output":"dry"}}}]}],`+
		`"tools":[{"functionDeclarations":[{"name":"weather"}]}],"labels":{"team":"a"},"serviceTier":"priority"}`)
	body := string(gemini.last(t).Body)
	if got.status != 200 || !strings.Contains(body, `"labels":{"team":"a"}`) || strings.Index(body, "dry") > strings.Index(body, "wet") {
		t.Errorf("%d %s for %s", got.status, got.body, body)
	}
}

// Row 145 at Vertex AI, which has a method of its own for it.
func TestEmbeddingsOfVertex(t *testing.T) {
	s := newStage(t)
	tokens := s.googleTokens(time.Hour)
	at := s.site("gemini", "gemini", "text-embedding-005", func(config provider.Config) *provider.Provider {
		return provider.Vertex(config, tokens)
	}).signedWith(tokens)
	s.makes("embeddings", "e/x", settings{"prompt": "1"}, at)
	at.Default(provider.Answer{Usage: provider.Usage{Input: 11}})
	s.start()
	got := s.do(http.MethodPost, "/v1/embeddings", `{"model":"e/x","input":["a","b"],"dimensions":256,"input_type":"document"}`)
	if got.status != 200 || !strings.Contains(got.body, `"prompt_tokens":11,`) || !strings.Contains(got.body, `"cost":0.000011`) || strings.Count(got.body, `"embedding":[`) != 2 {
		t.Errorf("%d %s for %s", got.status, got.body, at.last(t).Body)
	}
}

// A key of express mode still works as AI Studio's do.
func TestVertexExpressMode(t *testing.T) {
	s := newStage(t)
	gemini := s.site("express", "gemini", "gemini-2.5-flash", func(config provider.Config) *provider.Provider {
		config.Base = "/v1/publishers/google"
		return provider.Vertex(config, nil)
	})
	s.serve("m/x", gemini)
	s.start()
	gemini.Enqueue(provider.Answer{ToolCalls: twoCalls})
	message := s.ask(question("m/x", weatherTool)).message(t)
	got := s.ask(`{"model":"m/x",` + weatherTool + `,"messages":[{"role":"user","content":"hi"},` + message +
		`,{"role":"tool","tool_call_id":"call_b","content":"wet"},{"role":"tool","tool_call_id":"call_a","content":"sunny"}]}`)
	if got.status != 200 || strings.Contains(string(gemini.last(t).Body), "call_a") {
		t.Errorf("%d %s for %s", got.status, got.body, gemini.last(t).Body)
	}
}

// Tokens of two seconds are replaced under load, and no request meets one that is over.
func TestTokensAreReplacedInFlight(t *testing.T) {
	s := newStage(t)
	tokens := s.googleTokens(2 * time.Second)
	gemini, claude := s.vertex("gemini", tokens), s.vertexAnthropic("claude", tokens)
	s.serve("m/gemini", gemini)
	s.serve("m/claude", claude)
	s.start()
	var workers sync.WaitGroup
	end := time.Now().Add(5 * time.Second)
	for i := range 4 {
		model := []string{"m/gemini", "m/claude"}[i%2]
		workers.Go(func() {
			for time.Now().Before(end) {
				if got := s.ask(question(model)); got.status != 200 {
					t.Errorf("%s: %d %s", model, got.status, got.body)
				}
			}
		})
	}
	workers.Wait()
	if asked := len(tokens.Asked()); asked < 3 || asked > 6 {
		t.Errorf("%d tokens were fetched in 5 seconds", asked)
	}
}

// A crowd that comes first causes one request for a token, and a configuration that is
// read again none.
func TestTokenOfACrowdAndOfAReload(t *testing.T) {
	s, _, claude, tokens := googleCloud(t)
	gpt := s.openAI("gpt")
	s.start()
	var crowd sync.WaitGroup
	for i := range 100 {
		crowd.Go(func() {
			if got := s.ask(question([]string{"m/gemini", "m/claude"}[i%2])); got.status != 200 {
				t.Errorf("%d %s", got.status, got.body)
			}
		})
	}
	crowd.Wait()
	for i := range 3 {
		id := fmt.Sprintf("m/new-%d", i)
		s.serve(id, claude, gpt)
		if err := s.WriteConfig(s.config); err != nil {
			t.Fatal(err)
		}
		s.until(id+" is served", func() bool { return s.ask(question(id)).status == 200 })
	}
	if asked := len(tokens.Asked()); asked != 1 {
		t.Errorf("%d tokens were fetched", asked)
	}
}

// Without a token the next provider answers, at once once it is known that there is
// none, and the endpoint is left alone for a while.
func TestTokenEndpointDown(t *testing.T) {
	const secret = "what-the-endpoint-says"
	for name, outage := range map[string]http.HandlerFunc{
		"refuses": func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(http.StatusBadRequest)
			_, _ = w.Write([]byte(`{"error":"invalid_grant","error_description":"` + secret + `"}`))
		},
		"breaks": func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) },
		"hangs": func(_ http.ResponseWriter, r *http.Request) {
			_, _ = io.Copy(io.Discard, r.Body) // else the server does not see that the client has gone
			<-r.Context().Done()
		},
	} {
		t.Run(name, func(t *testing.T) {
			s, gemini, claude, tokens := googleCloud(t)
			gpt := s.openAI("gpt")
			for _, at := range []*site{gemini, claude} {
				at.config["timeouts"] = settings{"response_headers": "0.5s"}
			}
			s.serve("m/x", gemini, claude, gpt)
			s.start()
			tokens.Outage(outage)
			began := time.Now()
			const requests = 5
			for range requests {
				// An outage is remembered; an order is followed all the same.
				got := s.ask(question("m/x", `"provider":{"order":["gemini","claude","gpt"]}`))
				if got.status != 200 || !strings.Contains(got.body, `"provider":"gpt"`) || strings.Contains(got.body, secret) {
					t.Fatalf("%d %s %v", got.status, got.body, got.header)
				}
			}
			if asked := len(tokens.Asked()); name != "hangs" && asked > 4 {
				t.Errorf("the endpoint was asked %d times in %v", asked, time.Since(began))
			}
			alone := s.ask(question("m/gemini"))
			if failed := alone.failed(t, 502); strings.Contains(alone.body, secret) || strings.Contains(failed.Message, "token") {
				t.Errorf("%s", alone.body)
			}
			if !strings.Contains(s.Log(), "Google's token") && name == "refuses" || strings.Contains(s.Log(), secret) {
				t.Error("the log does not say why, or says too much")
			}
			tokens.Outage(nil)
			if name == "hangs" {
				return // the fetch under way has its half minute
			}
			s.until("the endpoint is asked again", func() bool { return s.ask(question("m/claude")).status == 200 })
		})
	}
}

// A provider that takes no token any more is passed over, and what it quotes of the
// request is not shown.
func TestRevokedToken(t *testing.T) {
	s, gemini, _, tokens := googleCloud(t)
	gpt := s.openAI("gpt")
	s.serve("m/x", gemini, gpt)
	s.start()
	if got := s.ask(question("m/gemini")); got.status != 200 {
		t.Fatalf("%d %s", got.status, got.body)
	}
	bearer := gemini.last(t).Header.Get("Authorization")
	for _, status := range []int{400, 401, 500} {
		gemini.Enqueue(provider.Failure{Status: status, Message: "you sent " + bearer})
		if got := s.ask(question("m/gemini")); got.status == 200 || strings.Contains(got.body, "ya29") {
			t.Errorf("%d: %d %s", status, got.status, got.body)
		}
	}
	gemini.Reset()
	tokens.Revoke()
	if got := s.ask(question("m/x")); got.status != 200 || gpt.calls() != 1 {
		t.Errorf("%d %s", got.status, got.body)
	}
	gemini.Reset() // it refused what it had to
}

// Health checks carry a token too.
func TestHealthCheckIsSigned(t *testing.T) {
	s := newStage(t)
	tokens := s.googleTokens(time.Hour)
	gemini, gpt := s.vertex("gemini", tokens), s.openAI("gpt")
	gemini.config["health_check"] = settings{"interval": "1s"}
	s.serve("m/x", gpt)
	s.serve("m/y", gemini)
	s.start()
	s.until("the provider is checked", func() bool { return gemini.calls() > 0 })
	if got := gemini.last(t).Header.Get("Authorization"); !strings.HasPrefix(got, "Bearer ya29.") {
		t.Errorf("authorization %q", got)
	}
	gemini.Reset() // the fake serves no list of models
}
