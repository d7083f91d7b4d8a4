package e2e

import (
	"testing"
	"time"

	"github.com/switchyard/switchyard/e2e/provider"
)

const embeddingModel = "openai/text-embedding-3-small"

// obeys tests that a library which is told to wait does so, and then asks again.
func (p played) obeys(t *testing.T) {
	t.Helper()
	for _, scenario := range []string{"chat", "stream"} {
		p.at.Reset()
		p.at.Enqueue(provider.Failure{Status: 429, RetryAfter: "1"})
		p.playWith(t, scenario, settings{"max_retries": 1})
		asked := p.at.Exchanges()
		if len(asked) != 2 || asked[1].Arrived.Sub(asked[0].Arrived) < time.Second {
			t.Errorf("%s: %d requests, not a second apart", scenario, len(asked))
		}
	}
}

// said is a member of the last request at the provider.
func (p played) said(t *testing.T, name string) any {
	t.Helper()
	return p.at.last(t).JSON[name]
}

// LangChain bounds an answer by a name that is OpenAI's own, and embeds tokens.
func langChainHabits(t *testing.T, p played) {
	p.with("chat", "openai").obeys(t)
	p.with("messages", "anthropic").obeys(t)
	for vendor, name := range map[string]string{"openai": "max_completion_tokens", "anthropic": "max_tokens"} {
		p := p.with("chat", vendor)
		p.playWith(t, "chat", settings{"max_tokens": 50})
		if bound := p.said(t, name); bound != 50.0 {
			t.Errorf("%s is %v", name, bound)
		}
	}
	p.model = embeddingModel
	for _, scenario := range []string{"embeddings_tokens", "embeddings_text"} {
		if seen := p.play(t, scenario); !sameVectors(seen.Vectors) {
			t.Errorf("%s: %v", scenario, seen.Vectors)
		}
	}
}

// Pydantic AI's OpenRouterModel does not read an answer that names no provider.
func pydanticAIHabits(t *testing.T, p played) {
	p.with("openrouter", "openai").obeys(t)
	p.with("messages", "anthropic").obeys(t)
	for _, vendor := range []string{"openai", "anthropic", "google"} {
		p := p.with("openrouter", vendor)
		for _, scenario := range []string{"chat", "stream"} {
			if seen := p.play(t, scenario); seen.Provider != p.at.slug {
				t.Errorf("%s, %s: provider %q", vendor, scenario, seen.Provider)
			}
		}
	}
}

// The Agents SDK asks for no usage with a stream, and counts it all the same.
func agentsHabits(t *testing.T, p played) {
	p.with("chat", "openai").obeys(t)
	p.with("responses", "openai").obeys(t)
}

// LlamaIndex always says how hot and, for OpenRouter, how long.
func llamaIndexHabits(t *testing.T, p played) {
	p.with("chat", "openai").obeys(t)
	for _, vendor := range []string{"openai", "anthropic"} {
		p := p.with("openrouter", vendor)
		for _, scenario := range []string{"chat", "stream"} {
			p.play(t, scenario)
			if heat, bound := p.said(t, "temperature"), p.said(t, "max_tokens"); heat != 0.1 || bound != 256.0 {
				t.Errorf("%s, %s: temperature %v, max_tokens %v", vendor, scenario, heat, bound)
			}
		}
	}
}

// LiteLLM asks OpenRouter for usage in words that OpenAI refuses.
func liteLLMHabits(t *testing.T, p played) {
	p = p.with("openrouter", "openai")
	for _, scenario := range []string{"chat", "stream"} {
		if seen := p.playWith(t, scenario, settings{"extra_body": settings{"provider": settings{"order": []any{p.at.slug}}}}); !near(seen.Usage.Cost, 25e-6) {
			t.Errorf("%s: usage %+v", scenario, seen.Usage)
		}
		if p.said(t, "usage") != nil || p.said(t, "provider") != nil {
			t.Errorf("%s: the provider got %s", scenario, p.at.last(t).Body)
		}
	}
}

// The AI SDK's own providers know no cost and no provider, but the wait.
func aiSDKHabits(t *testing.T, p played) {
	p.with("chat", "openai").obeys(t)
	p.with("responses", "anthropic").obeys(t)
	p.with("messages", "google").obeys(t)
	if seen := p.with("chat", "openai").play(t, "chat"); seen.Finish != "stop" || seen.Model != p.with("chat", "openai").model {
		t.Errorf("finish %q, model %q", seen.Finish, seen.Model)
	}
	if seen := p.with("messages", "openai").play(t, "stream"); seen.Finish != "end_turn" {
		t.Errorf("finish %q", seen.Finish)
	}
}
