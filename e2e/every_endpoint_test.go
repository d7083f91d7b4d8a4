package e2e

import (
	"encoding/json"
	"fmt"
	"net/http"
	"testing"

	"github.com/switchyard/switchyard/e2e/provider"
)

// call is a request to one of the endpoints that cost money.
type call struct {
	name, path, body, kind string
	at                     *site
}

// everyEndpoint is a gateway with a model for each endpoint, each request of which costs
// one cent, whatever it comes to. Gemini's own dialect has a provider, so that the
// endpoints of Google's clients pass through and are translated.
func everyEndpoint(t *testing.T) (*stage, []call) {
	t.Helper()
	s, media := media(t)
	gpt, claude := s.sites[0], s.sites[1]
	embeds, ranks, google, answers := s.embedder("embeds"), s.reranker("ranks"), s.gemini("google"), s.responder("answers")
	s.makes("embeddings", "e/x", nil, embeds)
	s.makes("rerank", "r/x", nil, ranks)
	s.serve("m/gemini", google)
	s.serve("m/responses", answers)
	for id := range s.models {
		endpoint := s.models[id].(settings)["endpoints"].([]any)[0].(settings)
		endpoint["prices"] = settings{"request": "0.01"}
	}
	const words = `"messages":[{"role":"user","content":"hi"}]`
	contents := `{"contents":[{"role":"user","parts":[{"text":"hi"}]}]}`
	edit, editKind := upload("image", provider.Image(0), "model", "i/gpt", "prompt", "a cat")
	sound, soundKind := upload("file", []byte("RIFF"), "model", "t/gpt")
	whisper, whisperKind := upload("file", []byte("RIFF"), "model", "t/whisper")
	calls := []call{
		{"chat", "/api/v1/chat/completions", question("m/openai"), "", gpt},
		{"a chat's stream", "/v1/chat/completions", streamed("m/openai"), "", gpt},
		{"a chat with another dialect", "/api/v1/chat/completions", streamed("m/anthropic"), "", claude},
		{"completions", "/api/v1/completions", `{"model":"m/openai","prompt":"hi"}`, "", gpt},
		{"messages, passed through", "/api/v1/messages", `{"model":"m/anthropic","max_tokens":9,` + words + `}`, "", claude},
		{"messages, streamed and translated", "/v1/messages", `{"model":"m/openai","max_tokens":9,"stream":true,` + words + `}`, "", gpt},
		{"responses", "/api/v1/responses", `{"model":"m/openai","input":"hi"}`, "", gpt},
		{"responses, passed through", "/v1/responses", `{"model":"m/responses","input":"hi","stream":true}`, "", answers},
		{"generateContent", "/v1beta/models/m/openai:generateContent", contents, "", gpt},
		{"streamGenerateContent, passed through", "/api/v1beta/models/m/gemini:streamGenerateContent?alt=sse", contents, "", google},
		{"embeddings", "/api/v1/embeddings", `{"model":"e/x","input":["a","b"]}`, "", embeds},
		{"embedContent", "/v1beta/models/e/x:embedContent", `{"content":{"parts":[{"text":"a"}]}}`, "", embeds},
		{"rerank", "/api/v1/rerank", `{"model":"r/x","query":"q","documents":["a","b"]}`, "", ranks},
		{"images", "/v1/images/generations", `{"model":"i/gpt","prompt":"a cat"}`, "", media.draws},
		{"OpenRouter's images", "/api/v1/images", `{"model":"i/dalle","prompt":"a cat"}`, "", media.dalle},
		{"edits of images", "/v1/images/edits", edit, editKind, media.draws},
		{"speech", "/v1/audio/speech", `{"model":"s/gpt","input":"hi","voice":"alloy"}`, "", media.speaks},
		{"speech by characters", "/api/v1/audio/speech", `{"model":"s/tts","input":"hi","voice":"alloy"}`, "", media.tts},
		{"transcriptions", "/v1/audio/transcriptions", sound, soundKind, media.hears},
		{"transcriptions by seconds", "/api/v1/audio/transcriptions", whisper, whisperKind, media.whisper},
		{"translations", "/v1/audio/translations", whisper, whisperKind, media.whisper},
	}
	return s, calls
}

func (s *stage) call(c call, key string) answer {
	s.Helper()
	header := as(key)
	if c.kind != "" {
		header = append(header, "Content-Type", c.kind)
	}
	return s.do(http.MethodPost, c.path, c.body, header...)
}

// known-failures 13 and 23: a budget holds at every endpoint that costs money, and what
// was spent at one counts at the others. Nothing that a key asks goes by it: neither a
// dialect that passes through nor sound that is not read.
func TestBudgetsHoldAtEveryEndpoint(t *testing.T) {
	s, calls := everyEndpoint(t)
	const budget, served = 0.035, 3 // cents of which three can be had
	for i := range calls {
		s.config["keys"] = append(s.config["keys"].([]any), settings{
			"name": fmt.Sprint("key-", i), "hash": hash(fmt.Sprint("sk-budget-", i)), "limits": settings{"unlimited": true, "budget": fmt.Sprint(budget)},
		})
	}
	s.start()
	for i, c := range calls {
		t.Run(c.name, func(t *testing.T) {
			key, before := fmt.Sprint("sk-budget-", i), c.at.calls()
			for n := range served {
				if got := s.call(c, key); got.status != 200 {
					t.Fatalf("request %d: %d %s", n, got.status, tail(got.body))
				}
			}
			if got := s.call(c, key); got.status != 402 && got.status != 403 {
				t.Errorf("beyond the budget: %d %s", got.status, tail(got.body))
			}
			other := calls[(i+1)%len(calls)]
			elsewhere := other.at.calls()
			if got := s.call(other, key); got.status != 402 && got.status != 403 {
				t.Errorf("elsewhere, at %s: %d %s", other.name, got.status, tail(got.body))
			}
			if asked := c.at.calls() - before; asked != served {
				t.Errorf("the provider was asked %d times, want %d", asked, served)
			}
			if other.at != c.at && other.at.calls() != elsewhere {
				t.Errorf("the provider of %s was asked", other.name)
			}
			s.until("the key tells what it spent", func() bool { return near(s.usedBy(key), served*0.01) })
		})
	}
}

// usedBy is what a key is told that it has spent.
func (s *stage) usedBy(key string) float64 {
	s.Helper()
	got := s.do(http.MethodGet, "/api/v1/key", "", as(key)...)
	var told struct{ Data struct{ Usage float64 } }
	if err := json.Unmarshal([]byte(got.body), &told); err != nil || got.status != 200 {
		s.Fatalf("%d %v %s", got.status, err, got.body)
	}
	return told.Data.Usage
}
