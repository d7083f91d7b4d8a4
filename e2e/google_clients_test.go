package e2e

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/switchyard/switchyard/e2e/provider"
)

// eachGoogleClient runs a test with Google's own SDK against a provider of each dialect:
// its own, which answers through the gateway as it is, and two others.
func eachGoogleClient(t *testing.T, test func(t *testing.T, client *sdk, s *stage, at *site, model string)) {
	t.Helper()
	s, gpt, claude := pair(t)
	google := s.gemini("google")
	s.serve("m/gemini:free", google) // the id has a slash and a colon, like the path
	// This model of OpenAI's takes no effort.
	s.models["m/openai"] = settings{"endpoints": []any{gpt.endpoint("1", "2", settings{
		"supported_parameters": []string{"max_tokens", "tools", "tool_choice", "response_format"},
	})}}
	for _, model := range []string{"m/openai", "m/anthropic", "m/gemini:free"} {
		s.models[model].(settings)["input_modalities"] = []any{"text", "image"}
	}
	s.start()
	client := startPython(t, "google")
	for model, at := range map[string]*site{"m/gemini:free": google, "m/openai": gpt, "m/anthropic": claude} {
		t.Run(model, func(t *testing.T) {
			at.Reset()
			test(t, client, s, at, model)
		})
	}
}

func TestGoogleSDKAnswers(t *testing.T) {
	eachGoogleClient(t, func(t *testing.T, client *sdk, s *stage, at *site, model string) {
		for _, scenario := range []string{"whole", "stream", "async_whole", "async_stream", "image"} {
			seen := client.call(t, s, scenario, model)
			if seen.Error != nil {
				t.Errorf("%s: %+v", scenario, *seen.Error)
				continue
			}
			if seen.Text != said || seen.Finish != "STOP" || seen.Model != model || !strings.HasPrefix(seen.ID, "gen-") {
				t.Errorf("%s: %+v", scenario, seen)
			}
			if seen.Usage == nil || seen.Usage.Input != 11 || seen.Usage.Output != 7 {
				t.Errorf("%s: usage %+v", scenario, seen.Usage)
			}
		}
		if sent := string(at.last(t).Body); !strings.Contains(sent, "iVBORw0KGgo") {
			t.Errorf("the image is missing in %s", sent)
		}
		// Counting asks nobody, and counts as row 143 does for Anthropic's clients.
		before := at.calls()
		if seen := client.call(t, s, "count", model); seen.Usage == nil || seen.Usage.Input != 8 || at.calls() != before {
			t.Errorf("count: %+v, error %+v", seen.Usage, seen.Error)
		}
	})
}

func TestGoogleSDKModels(t *testing.T) {
	s, _, _ := pair(t)
	s.start()
	want := "models/m/anthropic models/m/openai models/openrouter/auto models/openrouter/free"
	if seen := startPython(t, "google").call(t, s, "models", ""); strings.Join(seen.Models, " ") != want {
		t.Errorf("models %v, error %+v", seen.Models, seen.Error)
	}
}

// Row 145, in Google's words, of providers of each dialect that embeds.
func TestRow145GoogleSDKEmbeddings(t *testing.T) {
	s, sites := embedders(t)
	sites["e/openai"] = s.embedder("gpt")
	sites["e/openai"].config["refused_fields"] = []any{"input_type"}
	s.makes("embeddings", "e/openai", settings{"prompt": "1"}, sites["e/openai"])
	// Of any other model with Gemini in its name, the SDK makes one vector of all texts.
	sites["e/gemini-embedding-001"] = sites["e/gemini"]
	s.makes("embeddings", "e/gemini-embedding-001", settings{"prompt": "1"}, sites["e/gemini"])
	s.start()
	client := startPython(t, "google")
	for model, want := range map[string]string{
		"e/gemini-embedding-001": `"content":{"parts":[{"text":"b"}],"role":"user"},"taskType":"RETRIEVAL_DOCUMENT","outputDimensionality":256}]`,
		"e/cohere":               `"input_type":"search_document","embedding_types":["float"],"output_dimension":256`,
		"e/ollama":               `"dimensions":256`,
		"e/openai":               `{"model":"text-embedding-3-small","input":["a","b"],"dimensions":256}`,
	} {
		if seen := client.call(t, s, "embed", model); seen.Error != nil || !sameVectors(seen.Vectors) {
			t.Errorf("%s: %v, error %+v", model, seen.Vectors, seen.Error)
		}
		if sent := strings.ReplaceAll(string(sites[model].last(t).Body), " ", ""); !strings.Contains(sent, want) {
			t.Errorf("%s: %s is missing in %s", model, want, sent)
		}
		got := s.google("/v1beta/models/"+model+":embedContent", `{"content":{"parts":[{"text":"a"}]}}`)
		if !strings.Contains(got.body, `"embedding":{"values":[0.5,-0.25,0.001]},"usageMetadata":{"promptTokenCount":11,"totalTokenCount":11,"cost":0.000011,`) {
			t.Errorf("%s: %d %s", model, got.status, got.body)
		}
	}
	if got := s.google("/v1beta/models/e/gemini:embedContent", `{}`); got.status != 400 || !strings.Contains(got.body, `"INVALID_ARGUMENT"`) {
		t.Errorf("nothing to embed: %d %s", got.status, got.body)
	}
}

// Rows 126 to 128, and routing as extra members of the body.
func TestGooglePresetsAndRouting(t *testing.T) {
	s, gpt, claude := pair(t)
	s.serve("m/both", gpt, claude)
	s.start()
	created := s.do(http.MethodPost, "/api/v1/presets/brief/chat/completions", `{"model":"m/both","temperature":0.25,"provider":{"order":["claude"],"allow_fallbacks":false},"messages":[{"role":"system","content":"Be brief."},{"role":"user","content":"x"}]}`)
	if created.status/100 != 2 {
		t.Fatalf("%d %s", created.status, created.body)
	}
	const body = `{"contents":[{"parts":[{"text":"hi"}]}]}`
	for path, body := range map[string]string{
		"/v1/models/@preset/brief:generateContent":       body,
		"/v1/models/m/both@preset/brief:generateContent": body,
		"/v1/models/m/both:generateContent":              `{"preset":"brief",` + body[1:],
	} {
		claude.Reset()
		got := s.google(path, body)
		if got.status != 200 || !strings.Contains(got.body, `"modelVersion":"m/both"`) || !strings.Contains(got.body, `"provider":"claude"`) {
			t.Fatalf("%s: %d %s", path, got.status, got.body)
		}
		if sent := string(claude.last(t).Body); !strings.Contains(sent, "Be brief.") || !strings.Contains(sent, "0.25") {
			t.Errorf("%s: the preset is missing in %s", path, sent)
		}
	}
	if got := s.google("/v1/models/@preset/none:generateContent", body); got.status != 404 || !strings.Contains(got.body, `"status":"NOT_FOUND"`) {
		t.Errorf("no preset: %d %s", got.status, got.body)
	}
	gpt.Enqueue(provider.Failure{Status: 503})
	if got := s.google("/v1/models/m/openai:generateContent", `{"models":["m/anthropic"],`+body[1:]); got.status != 200 || !strings.Contains(got.body, `"modelVersion":"m/anthropic"`) {
		t.Errorf("fallback: %d %s", got.status, got.body)
	}
}

func TestGoogleSDKTools(t *testing.T) {
	eachGoogleClient(t, func(t *testing.T, client *sdk, s *stage, at *site, model string) {
		for _, scenario := range []string{"tools", "tools_stream", "forced"} {
			at.Enqueue(provider.Answer{ToolCalls: twoCalls})
			seen := client.call(t, s, scenario, model)
			if len(seen.Calls) != 2 || seen.Finish != "STOP" {
				t.Errorf("%s: %+v, error %+v", scenario, seen, seen.Error)
				continue
			}
			for i, want := range twoCalls {
				got := seen.Calls[i]
				if got.ID != want.ID || got.Name != want.Name || strings.ReplaceAll(got.Arguments, " ", "") != want.Arguments {
					t.Errorf("%s: call %d is %+v, want %+v", scenario, i, got, want)
				}
			}
		}
		at.Enqueue(provider.Answer{ToolCalls: twoCalls}, provider.Answer{Text: said})
		if seen := client.call(t, s, "automatic", model); seen.Text != said {
			t.Errorf("automatic: %+v, error %+v", seen, seen.Error)
		}
		if sent := string(at.last(t).Body); !strings.Contains(sent, "Sunny in K") || !strings.Contains(sent, "Sunny in Oslo") {
			t.Errorf("the tools' results are missing in %s", sent)
		}
	})
}

// Known-failures 35: the SDK keeps each chunk as a turn, and the thoughts' proofs in it
// in another alphabet; each maker gets its own back, which the strict fakes check.
func TestGoogleSDKToolTurn(t *testing.T) {
	eachGoogleClient(t, func(t *testing.T, client *sdk, s *stage, at *site, model string) {
		at.Enqueue(provider.Answer{Reasoning: "First hm, then aha.", ToolCalls: twoCalls}, provider.Answer{Text: said})
		if seen := client.call(t, s, "chat", model); seen.Text != said {
			t.Fatalf("%+v, error %+v", seen, seen.Error)
		}
		sent := string(at.last(t).Body)
		if !strings.Contains(sent, "Sunny in K") {
			t.Errorf("the tools' results are missing in %s", sent)
		}
		if model == "m/anthropic" && !strings.Contains(sent, provider.Signature("First hm, then aha.")) {
			t.Errorf("the signature is missing in %s", sent)
		}
	})
}

func TestGoogleSDKThinking(t *testing.T) {
	eachGoogleClient(t, func(t *testing.T, client *sdk, s *stage, at *site, model string) {
		for _, scenario := range []string{"thinking", "thinking_stream"} {
			at.Enqueue(provider.Answer{Reasoning: "hm so", Text: said})
			seen := client.call(t, s, scenario, model)
			if strings.Join(seen.Texts, "") != "hm so" || seen.Text != said {
				t.Errorf("%s: %+v, error %+v", scenario, seen, seen.Error)
			}
			if signed := len(seen.Signatures) > 0; signed != (model != "m/openai") {
				t.Errorf("%s: signatures %q", scenario, seen.Signatures)
			}
		}
	})
}

func TestGoogleSDKErrors(t *testing.T) {
	eachGoogleClient(t, func(t *testing.T, client *sdk, s *stage, at *site, model string) {
		for _, test := range []struct {
			name, key, model string
			script           provider.Script
			status           int
			class, kind      string
		}{
			{"bad key", "sk-or-v1-bad", model, nil, 401, "ClientError", "UNAUTHENTICATED"},
			{"unknown model", clientKey, "no/such", nil, 400, "ClientError", "INVALID_ARGUMENT"},
			{"the provider's refusal", clientKey, model, provider.Failure{Status: 422, Message: "words"}, 422, "ClientError", "INVALID_ARGUMENT"},
			{"busy", clientKey, model, provider.Failure{Status: 429, Message: "words"}, 429, "ClientError", "RESOURCE_EXHAUSTED"},
			{"down", clientKey, model, provider.Failure{Status: 503, Message: "words"}, 503, "ServerError", "UNAVAILABLE"},
		} {
			for _, scenario := range []string{"whole", "stream"} {
				at.Reset()
				if test.script != nil {
					at.Enqueue(test.script)
				}
				seen := client.callAs(t, s, test.key, scenario, test.model, settings{})
				if seen.Error == nil || seen.Error.Status == nil || *seen.Error.Status != test.status || seen.Error.Class != test.class {
					t.Errorf("%s, %s: %+v", test.name, scenario, seen.Error)
					continue
				}
				said, _ := seen.Error.Body["error"].(map[string]any)
				if said["status"] != test.kind || test.script != nil && !strings.Contains(seen.Error.Message, "words") {
					t.Errorf("%s, %s: body %v", test.name, scenario, seen.Error.Body)
				}
			}
		}
		// What came before an error inside a stream is not lost, and the error is seen.
		at.Reset()
		at.Enqueue(provider.Stream{Answer: provider.Answer{Text: "one two three"}, Pieces: 2, Pace: apart, End: provider.EndError})
		if seen := client.call(t, s, "stream", model); seen.Text != "one two" || seen.Error == nil {
			t.Errorf("mid-stream: text %q, error %+v", seen.Text, seen.Error)
		}
		if seen := client.call(t, s, "embed", model); seen.Error == nil || *seen.Error.Status != 400 {
			t.Errorf("row 146: vectors of a model that has none: %+v", seen.Error)
		}
	})
}

// The SDK takes a comment for a chunk, and fails on it: what keeps a stream alive for it
// is a blank line.
func TestGoogleSDKKeepAlive(t *testing.T) {
	s, gpt, claude := pair(t)
	s.routing(settings{"keep_alive_interval": "0.1s"})
	s.start()
	client := startPython(t, "google")
	each(t, gpt, claude, func(t *testing.T, at *site, model string) {
		waits := provider.Stream{Opening: true, First: 500 * time.Millisecond}
		for _, scenario := range []string{"stream", "async_stream"} {
			at.Enqueue(waits)
			if seen := client.call(t, s, scenario, model); seen.Text != said || seen.Finish != "STOP" {
				t.Errorf("%s: %+v, error %+v", scenario, seen, seen.Error)
			}
		}
		at.Enqueue(waits)
		got := s.google("/v1/models/"+model+":streamGenerateContent?alt=sse", `{"contents":[{"parts":[{"text":"hi"}]}]}`)
		if !strings.HasPrefix(got.body, "\n\n") || strings.Contains(got.body, ": OPENROUTER") {
			t.Errorf("while waiting: %q", got.body)
		}
	})
}

// google asks with a key as Google's clients send it.
func (s *stage) google(path, body string, headers ...string) answer {
	s.Helper()
	return s.do(http.MethodPost, path, body, append([]string{"authorization", "", "x-goog-api-key", clientKey}, headers...)...)
}

func TestGooglePaths(t *testing.T) {
	s, _, _ := pair(t)
	s.start()
	const body = `{"contents":[{"parts":[{"text":"hi"}]}]}`
	for _, test := range []struct {
		path   string
		status int
		want   string
	}{
		{"/v1beta/models/m/openai:generateContent", 200, `"modelVersion":"m/openai"`},
		{"/v1/models/m%2Fopenai:generateContent", 200, `"modelVersion":"m/openai"`},
		{"/api/v1beta/models/models/m/openai:generateContent", 200, `"modelVersion":"m/openai"`},
		{"/api/v1/models/m/openai:nitro:generateContent?alt=json", 200, `"modelVersion":"m/openai"`},
		{"/v1/models/m/openai:streamGenerateContent?alt=sse", 200, `"finishReason":"STOP"`},
		{"/v1/models/m/openai:streamGenerateContent", 400, "?alt=sse"},
		{"/v1/models/m/openai:countTokens", 200, `"totalTokens":8`},
		{"/v1/models/m/openai:embedText", 404, "embedContent"},
		{"/v1/models/m/openai:magic", 404, `"status":"NOT_FOUND"`},
		{"/v1/models/m/openai", 404, `"status":"NOT_FOUND"`},
		{"/v1/models/:generateContent", 400, "names no model"},
	} {
		if got := s.google(test.path, body); got.status != test.status || !strings.Contains(got.body, test.want) {
			t.Errorf("%s: %d %s", test.path, got.status, got.body)
		}
	}
	// What is below the same prefix for other methods, and other POSTs, go where they went.
	if got := s.do(http.MethodGet, "/v1/models/m/openai/endpoints", ""); got.status != 200 {
		t.Errorf("endpoints: %d %s", got.status, got.body)
	}
	if got := s.do(http.MethodPost, "/v1/models", "{}"); got.status != 405 {
		t.Errorf("models: %d %s", got.status, got.body)
	}
	got := s.do(http.MethodPost, "/v1/models/m/openai:generateContent?key="+clientKey, body, "authorization", "")
	if got.status != 401 || !strings.Contains(got.body, "x-goog-api-key") {
		t.Errorf("key in the URL: %d %s", got.status, got.body)
	}
	// The stage checks that no log has the key.
	got = s.google("/v1/models/m/openai:generateContent", `{"contents":[{"parts":[{"text":"hi"}]}],"models":["m/openai"],"provider":{"order":["nobody"],"allow_fallbacks":false}}`)
	if got.status < 400 || !strings.Contains(got.body, `"error":{"code":`) {
		t.Errorf("routing: %d %s", got.status, got.body)
	}
}

// A conversation that one maker began goes on with another: what only the first can read
// stays behind, and comes back when it does.
func TestGoogleConversationMoves(t *testing.T) {
	s, _, claude := pair(t)
	google := s.gemini("google")
	s.serve("m/gemini", google)
	s.start()
	const tool = `"tools":[{"functionDeclarations":[{"name":"weather","parameters":{"type":"OBJECT","properties":{"city":{"type":"STRING"}}}}]}],` +
		`"generationConfig":{"maxOutputTokens":4000,"thinkingConfig":{"thinkingBudget":2000,"includeThoughts":true}}`
	claude.Enqueue(provider.Answer{Reasoning: "hm", ToolCalls: twoCalls})
	first := s.google("/v1/models/m/anthropic:generateContent", `{"contents":[{"role":"user","parts":[{"text":"hi"}]}],`+tool+`}`)
	start, end := strings.Index(first.body, `{"parts":`), strings.Index(first.body, `,"finishReason"`)
	if first.status != 200 || start < 0 || end < 0 {
		t.Fatalf("%d %s", first.status, first.body)
	}
	next := `{"contents":[{"role":"user","parts":[{"text":"hi"}]},` + first.body[start:end] + `,{"role":"user","parts":[` +
		`{"functionResponse":{"id":"call_a","name":"weather","response":{"output":"dry"}}},{"functionResponse":{"id":"call_b","name":"weather","response":{"output":"wet"}}}]}],` + tool + `}`
	for model, at := range map[string]*site{"m/gemini": google, "m/anthropic": claude} {
		at.Reset()
		if got := s.google("/v1/models/"+model+":generateContent", next); got.status != 200 {
			t.Errorf("%s: %d %s", model, got.status, got.body)
		}
		sent := string(at.last(t).Body)
		if proved := strings.Contains(sent, provider.Signature("hm")); proved != (at == claude) || strings.Contains(sent, "c3dpdGNoeWFyZC") {
			t.Errorf("%s got %s", model, sent)
		}
	}
}
