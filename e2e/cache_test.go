package e2e

import (
	"encoding/json"
	"maps"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/switchyard/switchyard/e2e/provider"
	"github.com/switchyard/switchyard/policies/redis/redistest"
)

const cacheHeader = "X-OpenRouter-Cache"

// cache is what the answer says of the cache: its status, and whose answer it is.
func (a answer) cache() (status, source string) {
	return a.header.Get(cacheHeader + "-Status"), a.header.Get(cacheHeader + "-Source-Id")
}

// wantMiss fails unless the answer is a provider's, and wantHit unless it is source's
// given once more.
func (a answer) wantMiss(t *testing.T) {
	t.Helper()
	if status, source := a.cache(); a.status != 200 || status != "MISS" || source != "" {
		t.Errorf("want a miss: %d, status %q, source %q: %.300s", a.status, status, source, a.body)
	}
}

func (a answer) wantHit(t *testing.T, of answer) {
	t.Helper()
	first, own := of.header.Get("X-Generation-Id"), a.header.Get("X-Generation-Id")
	if status, source := a.cache(); a.status != 200 || status != "HIT" || source != first || own == "" || own == first {
		t.Errorf("want a hit of %s: %d, status %q, source %q, generation %q: %.300s", first, a.status, status, source, own, a.body)
	}
	for _, name := range []string{"Content-Type", "X-Provider-Name"} {
		if a.header.Get(name) != of.header.Get(name) {
			t.Errorf("%s is %q, and was %q", name, a.header.Get(name), of.header.Get(name))
		}
	}
}

// Row 110, at every path that answers in JSON or in events, whichever dialect its provider
// speaks.
func TestRow110MissAndHitAtEveryPath(t *testing.T) {
	s, embeds, ranks := tasks(t)
	gpt, claude := s.sites[0], s.sites[1]
	s.start()
	for name, test := range map[string]struct {
		at         *site
		path, body string
		used       []string // of usage in the first answer, as the path has it
	}{
		"chat":           {gpt, "/api/v1/chat/completions", question("m/openai"), []string{`"prompt_tokens":`, `"completion_tokens":`}},
		"chat, streamed": {gpt, "/v1/chat/completions", streamed("m/openai"), []string{`"prompt_tokens":`, `"completion_tokens":`}},
		"chat of Claude": {claude, "/api/v1/chat/completions", streamed("m/anthropic"), []string{`"prompt_tokens":`, `"cost":`}},
		"completions":    {gpt, "/api/v1/completions", `{"model":"m/openai","prompt":"hi","stream":true}`, []string{`"prompt_tokens":`}},
		"messages":       {claude, "/api/v1/messages", `{"model":"m/anthropic","max_tokens":100,"messages":[{"role":"user","content":"hi"}]}`, []string{`"input_tokens":`, `"output_tokens":`}},
		"messages, streamed": {claude, "/api/v1/messages", `{"model":"m/anthropic","max_tokens":100,"stream":true,"messages":[{"role":"user","content":"hi"}]}`,
			[]string{`"input_tokens":`, `"output_tokens":`}},
		"messages of GPT": {gpt, "/v1/messages", `{"model":"m/openai","max_tokens":100,"stream":true,"messages":[{"role":"user","content":"hi"}]}`, []string{`"output_tokens":`}},
		"responses":       {gpt, "/api/v1/responses", `{"model":"m/openai","input":"hi"}`, []string{`"input_tokens":`, `"output_tokens":`}},
		"responses, streamed": {claude, "/v1/responses", `{"model":"m/anthropic","input":"hi","stream":true}`,
			[]string{`"input_tokens":`, `"output_tokens":`}},
		"Google's":           {gpt, "/v1beta/models/m/openai:generateContent", `{"contents":[{"parts":[{"text":"hi"}]}]}`, []string{`"promptTokenCount":`, `"tokenCount":`}},
		"Google's, streamed": {claude, "/api/v1beta/models/m/anthropic:streamGenerateContent?alt=sse", `{"contents":[{"parts":[{"text":"hi"}]}]}`, []string{`"totalTokenCount":`}},
		"embeddings":         {embeds, "/api/v1/embeddings", `{"model":"e/x","input":["a","b"]}`, []string{`"total_tokens":`}},
		"rerank":             {ranks, "/api/v1/rerank", `{"model":"r/x","query":"q","documents":["a","b"]}`, []string{`"search_units":`, `"cost":`}},
	} {
		t.Run(name, func(t *testing.T) {
			ask := func() answer {
				return s.do(http.MethodPost, test.path, test.body, cacheHeader, "true", "X-OpenRouter-Metadata", "enabled")
			}
			before := test.at.calls()
			first := ask()
			first.wantMiss(t)
			if ttl := first.header.Get(cacheHeader + "-TTL"); ttl != "300" {
				t.Errorf("kept for %q", ttl)
			}
			second, third := ask(), ask()
			second.wantHit(t, first)
			third.wantHit(t, first)
			if made := test.at.calls() - before; made != 1 {
				t.Errorf("the provider was asked %d times", made)
			}
			if age := second.header.Get(cacheHeader + "-Age"); len(age) != 1 {
				t.Errorf("age %q", age)
			}
			for _, count := range test.used {
				if !strings.Contains(first.body, count) || !strings.Contains(second.body, count) || len(numbersOf(second.body, count)) != 0 {
					t.Errorf("%s is %v, and then %v: %s", count, numbersOf(first.body, count), numbersOf(second.body, count), second.body)
				}
			}
			if strings.Contains(second.body, "openrouter_metadata") || !strings.Contains(first.body, "openrouter_metadata") {
				t.Errorf("router metadata in the first: %s\nin the second: %s", first.body, second.body)
			}
			own, source := second.header.Get("X-Generation-Id"), first.header.Get("X-Generation-Id")
			if !strings.Contains(second.body, own) || strings.Contains(second.body, source) {
				t.Errorf("generation %s of %s: %s", own, source, second.body)
			}
			g := s.generation(own)
			if g.Cost != 0 || g.Prompt+g.Completion != 0 || g.Source != source || g.Estimated || g.Cancelled || g.Provider != first.header.Get("X-Provider-Name") || len(g.Responses) != 0 {
				t.Errorf("the ledger has %+v", g)
			}
			if g := s.generation(source); g.Cost == 0 || g.Source != "" || len(g.Responses) != 1 {
				t.Errorf("of the first the ledger has %+v", g)
			}
		})
	}
}

// numbersOf are those that follow a text and are not zero.
func numbersOf(body, text string) (found []string) {
	for _, rest := range strings.Split(body, text)[1:] {
		number := rest[:strings.IndexAny(rest+",", ",}]")]
		if number != "0" && number != "null" {
			found = append(found, number)
		}
	}
	return found
}

func TestRow111And112TimeToLiveAndScope(t *testing.T) {
	s, gpt, _ := pair(t)
	s.config["keys"] = append(s.config["keys"].([]any), settings{"name": "other", "hash": hash("sk-other")})
	careful := s.openAI("careful")
	careful.config["data_policy"] = settings{"no_training": true, "no_retention": true}
	s.serve("m/careful", careful)
	s.config["presets"] = settings{
		"kept":   settings{"config": settings{"cache_enabled": true, "cache_ttl_seconds": 60}},
		"unkept": settings{"config": settings{"cache_enabled": false}},
	}
	s.start()
	first := s.ask(question("m/openai"), cacheHeader, "true", cacheHeader+"-TTL", "999999")
	first.wantMiss(t)
	if ttl := first.header.Get(cacheHeader + "-TTL"); ttl != "86400" {
		t.Errorf("row 111: kept for %q", ttl)
	}
	s.ask(question("m/openai"), cacheHeader, "true").wantHit(t, first)
	s.ask(question("m/openai"), cacheHeader, "true", "Authorization", "Bearer sk-other").wantMiss(t)
	for name, got := range map[string]answer{
		"without the header":      s.ask(question("m/openai")),
		"with the header off":     s.ask(question("m/openai"), cacheHeader, "false"),
		"a preset against it":     s.ask(question("m/openai@preset/unkept"), cacheHeader, "true"),
		"one that wants no trace": s.ask(question("m/careful", `"provider":{"zdr":true}`), cacheHeader, "true"),
	} {
		if status, _ := got.cache(); got.status != 200 || status != "" {
			t.Errorf("%s: %d, status %q", name, got.status, status)
		}
	}
	if told := s.ask(question("m/openai"), cacheHeader, "true", cacheHeader+"-TTL", "5m").failed(t, 400); !strings.Contains(told.Message, "X-OpenRouter-Cache-TTL") {
		t.Errorf("%+v", told)
	}
	by := s.ask(question("m/openai@preset/kept", `"seed":2`))
	by.wantMiss(t)
	if ttl := by.header.Get(cacheHeader + "-TTL"); ttl != "60" {
		t.Errorf("by a preset kept for %q", ttl)
	}
	s.ask(question("m/openai@preset/kept", `"seed":2`)).wantHit(t, by)
	s.ask(question("m/openai", `"seed":2`), cacheHeader, "true").wantHit(t, by) // what is asked is the same

	before := gpt.calls()
	refreshed := s.ask(question("m/openai"), cacheHeader, "true", cacheHeader+"-Clear", "true")
	refreshed.wantMiss(t)
	s.ask(question("m/openai"), cacheHeader, "true").wantHit(t, refreshed)
	if made := gpt.calls() - before; made != 1 {
		t.Errorf("the provider was asked %d times for a refresh and a hit", made)
	}

	short := s.ask(question("m/openai", `"seed":1`), cacheHeader, "true", cacheHeader+"-TTL", "0") // which is a second
	short.wantMiss(t)
	s.until("the entry's time is over", func() bool {
		status, _ := s.ask(question("m/openai", `"seed":1`), cacheHeader, "true", cacheHeader+"-TTL", "0").cache()
		return status == "MISS"
	})
}

// What a policy or a reload takes away, the cache does not give.
func TestHitsAfterAReload(t *testing.T) {
	s, gpt, _ := pair(t)
	twin := s.openAI("twin")
	s.serve("m/both", gpt)
	s.start()
	ask := func(model string) answer { return s.ask(question(model), cacheHeader, "true") }
	first := ask("m/both")
	first.wantMiss(t)
	ask("m/both").wantHit(t, first)
	reload := func(what string, happened func() bool) {
		t.Helper()
		if err := s.WriteConfig(s.config); err != nil {
			t.Fatal(err)
		}
		s.until(what, happened)
	}
	s.serve("m/both", twin)
	reload("the other endpoint answers", func() bool { return ask("m/both").header.Get("X-Provider-Name") == "twin" })
	s.config["policy"] = settings{"ignored_models": []any{"m/both"}}
	reload("the model is not served", func() bool { return ask("m/both").status == 404 })
	kept := ask("m/openai")
	kept.wantMiss(t)
	s.config["cache"] = settings{"disabled": true}
	reload("the cache is off", func() bool { status, _ := ask("m/openai").cache(); return status == "" })
	s.config["cache"] = settings{}
	reload("the cache is on", func() bool { status, _ := ask("m/openai").cache(); return status != "" })
	if _, source := ask("m/openai").cache(); source == kept.header.Get("X-Generation-Id") {
		t.Error("what was kept before the cache was off is there")
	}
}

// An answer goes out of the cache in one piece, whatever its size.
func TestLargeAnswersAreReplayedWhole(t *testing.T) {
	s, gpt, _ := pair(t)
	s.config["cache"] = settings{"max_entry": "16MiB"}
	s.start()
	for _, size := range []int{100 << 10, 3 << 20, 15 << 20} {
		text := strings.Repeat("x", size)
		gpt.Enqueue(provider.Answer{Text: text})
		body := question("m/openai", `"max_tokens":`+jsonNumber(size))
		first := s.ask(body, cacheHeader, "true")
		first.wantMiss(t)
		second := s.ask(body, cacheHeader, "true")
		second.wantHit(t, first)
		if got := second.choice(t).Message.Content; got != text {
			t.Errorf("%d bytes became %d", size, len(got))
		}
	}
	gpt.Default(provider.Answer{Text: strings.Repeat("x", 17<<20)})
	s.ask(question("m/openai"), cacheHeader, "true").wantMiss(t)
	s.ask(question("m/openai"), cacheHeader, "true").wantMiss(t)
}

func jsonNumber(n int) string {
	text, _ := json.Marshal(n)
	return string(text)
}

// Two gateways that share a Redis share answers if they are told to, and only then.
func TestTwoGatewaysShareAnswers(t *testing.T) {
	server := redistest.Start(t)
	s, gpt, _ := pair(t)
	s.config["redis"] = settings{"address": server.Address(), "timeout": "5s"}
	s.config["cache"] = settings{"redis": true}
	s.start()
	other := s.second()
	for _, body := range []string{question("m/openai"), streamed("m/openai")} {
		first := s.ask(body, cacheHeader, "true")
		first.wantMiss(t)
		second := other.ask(body, cacheHeader, "true")
		second.wantHit(t, first)
		if g := other.generation(second.header.Get("X-Generation-Id")); g.Source != first.header.Get("X-Generation-Id") {
			t.Errorf("the ledger has %+v", g)
		}
		other.ask(body, cacheHeader, "true", cacheHeader+"-Clear", "true").wantMiss(t)
	}
	if made := gpt.calls(); made != 4 {
		t.Errorf("the provider was asked %d times, want 4", made)
	}

	alone := *s
	alone.config = maps.Clone(s.config)
	alone.config["cache"] = settings{}
	third := alone.second()
	third.ask(question("m/openai"), cacheHeader, "true").wantMiss(t)
}

// Without its Redis the cache has nothing, and no request fails or waits for it.
func TestCacheWithoutRedis(t *testing.T) {
	for name, outage := range map[string]func(*redistest.Server){"stopped": (*redistest.Server).Stop, "paused": (*redistest.Server).Pause} {
		t.Run(name, func(t *testing.T) {
			server := redistest.Start(t)
			s, _, _ := pair(t)
			s.config["redis"] = settings{"address": server.Address(), "timeout": "200ms"}
			s.config["cache"] = settings{"redis": true}
			s.start()
			first := s.ask(question("m/openai"), cacheHeader, "true")
			first.wantMiss(t)
			outage(server)
			began := time.Now()
			for range 20 {
				s.ask(question("m/openai"), cacheHeader, "true").wantMiss(t)
			}
			if took := time.Since(began); took > 10*time.Second {
				t.Errorf("20 requests took %v", took)
			}
			if name == "paused" {
				server.Resume()
				s.until("Redis is asked again", func() bool {
					status, _ := s.ask(question("m/openai"), cacheHeader, "true").cache()
					return status == "HIT"
				})
			}
		})
	}
}

// Like requests at once are each asked of a provider, or answered by one that was.
func TestManyLikeRequestsAtOnce(t *testing.T) {
	s, gpt, _ := pair(t)
	s.start()
	var group sync.WaitGroup
	for range 64 {
		group.Go(func() {
			got := s.ask(streamed("m/openai"), cacheHeader, "true")
			status, _ := got.cache()
			if transcript := got.transcript(t); got.status != 200 || status != "HIT" && status != "MISS" || transcript.text == "" || !transcript.done || len(transcript.errors) != 0 {
				t.Errorf("%d, status %q: %s", got.status, status, got.body)
			}
		})
	}
	group.Wait()
	before := gpt.calls()
	got := s.ask(streamed("m/openai"), cacheHeader, "true")
	if status, _ := got.cache(); status != "HIT" || gpt.calls() != before {
		t.Errorf("afterwards: status %q", status)
	}
	metrics := s.do(http.MethodGet, "/metrics", "").body
	if !strings.Contains(metrics, `switchyard_cache_requests_total{result="hit"}`) {
		t.Error("hits are not counted")
	}
}

// The real SDKs read an answer that is given once more, whole and streamed. A preset asks
// for the cache, as they have no word for it.
func TestSDKsReadWhatIsReplayed(t *testing.T) {
	s, gpt, claude := pair(t)
	s.config["presets"] = settings{"kept": settings{"config": settings{"cache_enabled": true}}}
	s.start()
	for _, client := range []struct {
		*sdk
		scenarios []string
	}{
		{startPython(t, "openai"), []string{"chat", "stream", "stream_helper", "tools_stream", "respond", "respond_stream", "respond_helper"}},
		{startNode(t, "openai"), []string{"chat", "stream"}},
		{startPython(t, "anthropic"), []string{"whole", "stream", "events"}},
		{startPython(t, "openrouter"), []string{"chat", "stream"}},
		{startPython(t, "google"), []string{"whole", "stream"}},
	} {
		for _, scenario := range client.scenarios {
			for model, at := range map[string]*site{"m/openai": gpt, "m/anthropic": claude} {
				t.Run(client.name+" "+scenario+" "+model, func(t *testing.T) {
					at.Reset()
					at.Default(provider.Answer{Text: "hello", Usage: provider.Usage{Input: 10, Output: 5},
						ToolCalls: []provider.ToolCall{{ID: "call_1", Name: "get_weather", Arguments: `{"city":"Oslo"}`}}})
					first := client.call(t, s, scenario, model+"@preset/kept")
					calls := at.calls()
					second := client.call(t, s, scenario, model+"@preset/kept")
					if first.Error != nil || second.Error != nil || at.calls() != calls {
						t.Fatalf("errors %v and %v; asked again: %t", first.Error, second.Error, at.calls() != calls)
					}
					if second.Text != first.Text || second.Finish != first.Finish || len(second.Calls) != len(first.Calls) || second.Model != first.Model {
						t.Errorf("%+v became %+v", first, second)
					}
					if second.Usage != nil && (second.Usage.Input != 0 || second.Usage.Output != 0 || second.Usage.Cost != 0) {
						t.Errorf("usage %+v", *second.Usage)
					}
					if second.ID == first.ID && second.ID != "" {
						t.Errorf("both have the id %s", second.ID)
					}
				})
			}
		}
	}
}
