package e2e

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/switchyard/switchyard/e2e/provider"
)

// embedder adds a provider of the Embeddings API.
func (s *stage) embedder(slug string) *site {
	s.Helper()
	return s.site(slug, "openai", "text-embedding-3-small", provider.Embeddings)
}

// reranker adds a provider of the Rerank API.
func (s *stage) reranker(slug string) *site {
	s.Helper()
	return s.site(slug, "openai", "rerank-v4.0-fast", provider.Rerank)
}

// makes adds a model of one output modality.
func (s *stage) makes(modality, id string, prices settings, sites ...*site) {
	endpoints := make([]any, len(sites))
	for i, at := range sites {
		endpoints[i] = settings{"provider": at.slug, "model": at.model, "prices": prices}
	}
	s.models[id] = settings{"output_modalities": []any{modality}, "endpoints": endpoints}
}

// tasks is a gateway for conversations, embeddings and rerank.
func tasks(t *testing.T) (s *stage, embeds, ranks *site) {
	t.Helper()
	s, _, _ = pair(t)
	embeds, ranks = s.embedder("embeds"), s.reranker("ranks")
	s.makes("embeddings", "e/x", settings{"prompt": "1"}, embeds)
	s.makes("rerank", "r/x", settings{"request": "0.002"}, ranks)
	return s, embeds, ranks
}

func sameVectors(got [][]float32) bool {
	return len(got) == 2 && slices.Equal(got[0], provider.Vector(0)) && slices.Equal(got[1], provider.Vector(1))
}

func TestRow145Embeddings(t *testing.T) {
	s, embeds, _ := tasks(t)
	s.start()
	for _, test := range []struct{ name, path, members, want string }{
		{"numbers", "/api/v1/embeddings", ``, `"data":[{"object":"embedding","index":0,"embedding":[0.5,-0.25,0.001]},{"object":"embedding","index":1,"embedding":[1.5,-0.25,0.001]}]`},
		{"base64", "/v1/embeddings", `,"encoding_format":"base64"`, `"embedding":"AAAAPwAAgL5vEoM6"`},
	} {
		got := s.do(http.MethodPost, test.path, `{"model":"e/x","input":["a","b"],"provider":{"order":["embeds"]},"session_id":"s"`+test.members+`}`)
		decoded := got.decode(t)
		if got.status != 200 || !strings.Contains(got.body, test.want) {
			t.Errorf("%s: status %d: %s", test.name, got.status, got.body)
		}
		if decoded.Object != "list" || decoded.Model != "e/x" || decoded.Provider != "embeds" || decoded.ID != got.header.Get("X-Generation-Id") {
			t.Errorf("%s: %s", test.name, got.body)
		}
		if u := decoded.Usage; u == nil || u.Prompt != 11 || u.Total != 11 || u.Cost == nil || !near(*u.Cost, 11e-6) {
			t.Errorf("%s: usage in %s", test.name, got.body)
		}
	}
	if sent := string(embeds.last(t).Body); sent != `{"model":"text-embedding-3-small","input":["a","b"],"encoding_format":"base64"}` {
		t.Errorf("the provider got %s", sent)
	}
}

func TestRow146WrongEndpoint(t *testing.T) {
	s, _, _ := tasks(t)
	s.start()
	for _, test := range []struct{ path, body, names string }{
		{"/api/v1/chat/completions", question("e/x"), "/embeddings"},
		{"/api/v1/completions", `{"model":"r/x","prompt":"hi"}`, "/rerank"},
		{"/api/v1/embeddings", `{"model":"m/openai","input":"a"}`, "/chat/completions"},
		{"/api/v1/rerank", `{"model":"e/x","query":"q","documents":["a"]}`, "/embeddings"},
	} {
		got := s.do(http.MethodPost, test.path, test.body)
		failed := got.decode(t).Error
		if got.status != 400 || failed == nil || failed.Availability.Code != "wrong_endpoint" || !strings.Contains(failed.Availability.Constraint.Detail, test.names) {
			t.Errorf("%s: status %d: %s", test.path, got.status, got.body)
		}
	}
}

func TestRow147Rerank(t *testing.T) {
	s, _, ranks := tasks(t)
	s.start()
	for _, path := range []string{"/api/v1/rerank", "/v1/rerank"} {
		got := s.do(http.MethodPost, path, `{"model":"r/x","query":"q","documents":["a","b"],"top_n":1}`)
		var answer struct {
			Model, Provider string
			Results         []struct {
				Index    int
				Score    float64 `json:"relevance_score"`
				Document struct{ Text string }
			}
			Usage struct {
				Cost  float64
				Units int `json:"search_units"`
			}
		}
		if err := json.Unmarshal([]byte(got.body), &answer); err != nil || got.status != 200 || len(answer.Results) != 1 {
			t.Fatalf("status %d, %v: %s", got.status, err, got.body)
		}
		best := answer.Results[0]
		if best.Index != 1 || best.Score != 0.9 || best.Document.Text != "b" || answer.Model != "r/x" || answer.Provider != "ranks" {
			t.Errorf("%+v", answer)
		}
		if answer.Usage.Units != 1 || !near(answer.Usage.Cost, 0.002) {
			t.Errorf("usage in %s", got.body)
		}
	}
	// Cohere bills a hundred documents as one search.
	many := s.do(http.MethodPost, "/api/v1/rerank", `{"model":"r/x","query":"q","documents":["a"`+strings.Repeat(`,"a"`, 100)+`]}`)
	if !strings.Contains(many.body, `"usage":{"cost":0.004,"search_units":2}`) {
		t.Errorf("status %d: %s", many.status, tail(many.body))
	}
	if sent := string(ranks.Exchanges()[0].Body); sent != `{"model":"rerank-v4.0-fast","query":"q","documents":["a","b"],"top_n":1}` {
		t.Errorf("the provider got %s", sent)
	}
}

func TestRow148Completions(t *testing.T) {
	s, _, _ := tasks(t)
	s.start()
	for _, model := range []string{"m/openai", "m/anthropic"} {
		for _, path := range []string{"/api/v1/completions", "/v1/completions"} {
			got := s.do(http.MethodPost, path, `{"model":"`+model+`","prompt":"hi"}`)
			if got.status != 200 || !strings.Contains(got.body, `"object":"text_completion"`) || !strings.Contains(got.body, `"text":"`+said+`"`) {
				t.Errorf("%s: status %d: %s", model, got.status, got.body)
			}
		}
	}
	if got := s.do(http.MethodPost, "/api/v1/completions", `{"model":"m/openai","prompt":[1,2]}`); got.status != 400 {
		t.Errorf("tokens: status %d: %s", got.status, got.body)
	}
}

func TestRow151ModelsOfTasks(t *testing.T) {
	s, _, _ := tasks(t)
	s.start()
	for path, want := range map[string]string{
		"/api/v1/models":                          "m/anthropic m/openai",
		"/api/v1/models?output_modalities=all":    "e/x m/anthropic m/openai r/x",
		"/api/v1/models?output_modalities=rerank": "r/x",
		"/api/v1/embeddings/models":               "e/x",
	} {
		got := s.do(http.MethodGet, path, "")
		var listed struct{ Data []struct{ ID string } }
		if err := json.Unmarshal([]byte(got.body), &listed); err != nil {
			t.Fatalf("%s: %v in %s", path, err, got.body)
		}
		var ids []string
		for _, model := range listed.Data {
			if !strings.HasPrefix(model.ID, "openrouter/") { // a router
				ids = append(ids, model.ID)
			}
		}
		slices.Sort(ids)
		if strings.Join(ids, " ") != want {
			t.Errorf("%s lists %v, want %s", path, ids, want)
		}
	}
	// It sorts before those that could answer.
	if strings.Contains(s.Log(), `"model":"e/x","messages"`) {
		t.Error("the embedding model is what the gateway proposes to say hello to")
	}
}

// Vectors of one provider are as good as those of another only of the same model: the
// request moves on there.
func TestTasksFailOver(t *testing.T) {
	s, embeds, ranks := tasks(t)
	others := s.embedder("others")
	s.makes("embeddings", "e/two", settings{"prompt": "1"}, embeds, others)
	s.start()
	for name, script := range map[string]provider.Script{
		"an error":      provider.Failure{Status: 503},
		"no answer":     provider.Raw{Status: 200, Body: `{"data":[]}`},
		"a vector less": provider.Raw{Status: 200, Body: `{"data":[{"embedding":[1]}]}`},
	} {
		embeds.Enqueue(script)
		got := s.do(http.MethodPost, "/api/v1/embeddings", `{"model":"e/two","input":["a","b"],"provider":{"order":["embeds","others"]}}`)
		if decoded := got.decode(t); got.status != 200 || decoded.Provider != "others" {
			t.Errorf("%s: status %d: %s", name, got.status, got.body)
		}
	}
	ranks.Enqueue(provider.Failure{Status: 422, Message: "too many documents"})
	if got := s.do(http.MethodPost, "/api/v1/rerank", `{"model":"r/x","query":"q","documents":["a"]}`); got.status != 422 || !strings.Contains(got.body, "too many documents") {
		t.Errorf("the provider's words are lost: %d: %s", got.status, got.body)
	}
}

// What surrounds a conversation surrounds the other tasks too.
func TestTasksTakePresetsAndTellTheirRoute(t *testing.T) {
	s, embeds, ranks := tasks(t)
	others := s.embedder("others")
	s.makes("embeddings", "e/two", settings{"prompt": "1"}, embeds, others)
	s.config["presets"] = settings{"p": settings{
		"system_prompt": "Be brief.",
		"config":        settings{"model": "e/two", "temperature": 0.2, "provider": settings{"only": []any{"others"}}},
	}}
	s.start()
	for _, test := range []struct{ name, path, body, provider string }{
		{"embeddings", "/api/v1/embeddings", `{"model":"@preset/p","input":"a"}`, "others"},
		{"rerank", "/api/v1/rerank", `{"model":"r/x@preset/p","provider":{"only":["ranks"]},"query":"q","documents":["a"]}`, "ranks"},
		{"completions", "/api/v1/completions", `{"model":"m/anthropic@preset/p","provider":{},"prompt":"hi"}`, "claude"},
	} {
		got := s.do(http.MethodPost, test.path, test.body, "X-OpenRouter-Metadata", "enabled", "X-Session-Id", "s")
		decoded := got.decode(t)
		if got.status != 200 || decoded.Provider != test.provider {
			t.Fatalf("%s: status %d: %s", test.name, got.status, got.body)
		}
		if decoded.Router == nil || len(decoded.Router.Attempts) != 1 || decoded.Router.Attempts[0].Provider != test.provider {
			t.Errorf("%s: no route in %s", test.name, got.body)
		}
	}
	for _, at := range []*site{others, ranks} {
		if sent := string(at.last(t).Body); strings.Contains(sent, "temperature") || strings.Contains(sent, "brief") {
			t.Errorf("%s got what is for conversations: %s", at.slug, sent)
		}
	}
}

// A full batch of long vectors is larger than any buffer on the way.
func TestLargeEmbeddings(t *testing.T) {
	s, embeds, _ := tasks(t)
	s.start()
	const inputs = 2048
	vector := strings.Repeat("AACAPwAAAD9v", 1024)
	embeds.Enqueue(provider.Raw{Header: http.Header{"Content-Type": {"application/json"}}, Body: `{"object":"list","data":[` +
		strings.TrimSuffix(strings.Repeat(`{"object":"embedding","embedding":"`+vector+`"},`, inputs), ",") + `]}`})
	got := s.do(http.MethodPost, "/api/v1/embeddings", `{"model":"e/x","encoding_format":"base64","input":["a"`+strings.Repeat(`,"a"`, inputs-1)+`]}`)
	if vectors := strings.Count(got.body, vector); got.status != 200 || vectors != inputs {
		t.Fatalf("status %d, %d vectors in %d bytes: %s", got.status, vectors, len(got.body), tail(got.body))
	}
	if !strings.Contains(got.body, `"index":2047,`) || got.decode(t).Usage == nil {
		t.Errorf("the end is %s", tail(got.body))
	}
}

// Nothing is known of what a provider of any model has.
func TestTasksOnDemand(t *testing.T) {
	s := newStage(t)
	local := s.site("local", "openai", "nomic-embed-text", provider.Embeddings)
	local.config["any_model"] = true
	s.start()
	got := s.do(http.MethodPost, "/v1/embeddings", `{"model":"local/nomic-embed-text","input":"a"}`)
	if decoded := got.decode(t); got.status != 200 || decoded.Model != "local/nomic-embed-text" || decoded.Usage == nil || *decoded.Usage.Cost != 0 {
		t.Errorf("status %d: %s", got.status, got.body)
	}
}

func TestSDKEmbeddings(t *testing.T) {
	s, embeds, _ := tasks(t)
	s.start()
	for _, client := range append(openAIClients(t), openRouterClients(t)...) {
		scenarios := []string{"embeddings"}
		if strings.HasPrefix(client.name, "openai") {
			scenarios = append(scenarios, "embeddings_float")
		}
		for _, scenario := range scenarios {
			seen := client.call(t, s, scenario, "e/x")
			if seen.Error != nil || !sameVectors(seen.Vectors) || seen.Usage == nil || seen.Usage.Input != 11 || !near(seen.Usage.Cost, 11e-6) {
				t.Errorf("%s, %s: %+v, error %+v", client.name, scenario, seen, seen.Error)
			}
		}
	}
	if embeds.calls() != 7 {
		t.Errorf("%d calls", embeds.calls())
	}
}

// TestEmbeddingsOfAProviderWithoutBase64 holds that a client gets the form that it asks
// for although the provider does not hear of the wish.
func TestEmbeddingsOfAProviderWithoutBase64(t *testing.T) {
	s, embeds, _ := tasks(t)
	embeds.config["refused_fields"] = []any{"encoding_format"}
	s.start()
	got := s.do(http.MethodPost, "/api/v1/embeddings", `{"model":"e/x","input":"a","encoding_format":"base64"}`)
	if !strings.Contains(got.body, `"embedding":"AAAAPwAAgL5vEoM6"`) {
		t.Errorf("status %d: %s", got.status, got.body)
	}
	for _, client := range openAIClients(t) {
		if seen := client.call(t, s, "embeddings", "e/x"); seen.Error != nil || !sameVectors(seen.Vectors) {
			t.Errorf("%s: %+v, error %+v", client.name, seen, seen.Error)
		}
	}
	if sent := string(embeds.last(t).Body); strings.Contains(sent, "encoding_format") {
		t.Errorf("the provider got %s", sent)
	}
}

func TestSDKRerank(t *testing.T) {
	s, _, _ := tasks(t)
	s.start()
	for _, client := range openRouterSDKs(t) {
		seen := client.call(t, s, "rerank", "r/x")
		if seen.Error != nil || !slices.Equal(seen.Texts, []string{"c", "b"}) || seen.Usage == nil || seen.Usage.Input != 1 || !near(seen.Usage.Cost, 0.002) {
			t.Errorf("%s: %+v, error %+v", client.name, seen, seen.Error)
		}
	}
}

func TestSDKCompletions(t *testing.T) {
	s, _, _ := tasks(t)
	s.start()
	for _, client := range openAIClients(t) {
		for _, model := range []string{"m/openai", "m/anthropic"} {
			for _, scenario := range []string{"completion", "completion_stream"} {
				seen := client.call(t, s, scenario, model)
				if seen.Error != nil || seen.Text != said || seen.Finish != "stop" || seen.Model != model ||
					seen.Usage == nil || seen.Usage.Input != 11 || seen.Usage.Output != 7 || !near(seen.Usage.Cost, 25e-6) {
					t.Errorf("%s, %s, %s: %+v, error %+v", client.name, scenario, model, seen, seen.Error)
				}
			}
		}
	}
}
