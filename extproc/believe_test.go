package extproc

import (
	"fmt"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/switchyard/switchyard/extproc/dialect"
	"github.com/switchyard/switchyard/policies/catalog"
	"github.com/switchyard/switchyard/policies/config/configpb"
)

// A count of tokens that no model can have read or written costs what one can, for the
// client, the metrics and the ledger alike (known-failures 6).
func TestAbsurdUsageIsNotCharged(t *testing.T) {
	const context, most = 1000, 1000 * leeway
	for _, absurd := range []string{"1000000000000000000", "1099511627776", "2001"} {
		for _, stream := range []bool{false, true} {
			synctest.Test(t, func(t *testing.T) {
				g := newGateway(t, func(cfg *configpb.Config, _ *Policy) { cfg.Models["m/x"].ContextLength = context })
				request, answer, kind := wholeOf, wholeAnswer, "application/json"
				if stream {
					request, answer, kind = streamOf, role+token+stop+counted+done, "text/event-stream"
				}
				e, _ := g.asked("1", request)
				e.replies("200", viaUpstream, "content-type", kind)
				e.sends(strings.NewReplacer(`_tokens":10`, `_tokens":`+absurd, `completion_tokens":4`, `completion_tokens":`+absurd).Replace(answer), true)
				e.begins()
				const cost = most*1e-6 + most*10e-6
				if body := e.rest(); !strings.Contains(body, fmt.Sprintf(`"cost":%v`, cost)) {
					t.Errorf("%s tokens: %s", absurd, body)
				}
				g.wantCount(cost, "cost_usd_total")
				g.wantCount(most, "tokens_total", "prompt")
			})
		}
	}
}

func TestWhatCanBeIsBelieved(t *testing.T) {
	for _, test := range []struct {
		name          string
		request       dialect.Request
		context       int64
		claimed, want dialect.Usage
	}{
		{"all of the context", dialect.Request{}, 500, dialect.Usage{Prompt: 1000, CacheRead: 900, Completion: 1000, Reasoning: 990}, dialect.Usage{Prompt: 1000, CacheRead: 900, Completion: 1000, Reasoning: 990}},
		{"more, and all parts with it", dialect.Request{}, 500, dialect.Usage{Prompt: 1e9, CacheRead: 600, CacheWrite: 1e9, CacheWrite1h: 1e9, Completion: 1e9, Reasoning: 1e9},
			dialect.Usage{Prompt: 1000, CacheRead: 600, CacheWrite: 400, Completion: 1000, Reasoning: 1000, Estimated: true}},
		{"parts alone", dialect.Request{}, 500, dialect.Usage{Prompt: 10, CacheRead: 1 << 40, CacheWrite1h: 1 << 40, Completion: 10, Reasoning: 1 << 40},
			dialect.Usage{Prompt: 10, CacheRead: 1000, Completion: 10, Reasoning: 1000, Estimated: true}},
		{"parts beside the whole", dialect.Request{}, 500, dialect.Usage{Prompt: 10, CacheRead: 90, Completion: 10, Reasoning: 90}, dialect.Usage{Prompt: 10, CacheRead: 90, Completion: 10, Reasoning: 90}},
		{"several choices", dialect.Request{Choices: 3}, 500, dialect.Usage{Completion: 2500}, dialect.Usage{Completion: 2500}},
		{"as many choices as OpenAI gives", dialect.Request{Choices: 128}, 500, dialect.Usage{Completion: 64000}, dialect.Usage{Completion: 64000}},
		{"more than the choices are", dialect.Request{Choices: 1 << 40}, 500, dialect.Usage{Completion: 1 << 40}, dialect.Usage{Completion: mostChoices * 1000, Estimated: true}},
		{"a provider's own tools", dialect.Request{Tools: true}, 500, dialect.Usage{Prompt: 15000, WebSearches: 9}, dialect.Usage{Prompt: 15000, WebSearches: 9}},
		{"texts to embed, each a prompt", dialect.Request{OutputModality: "embeddings"}, 500, dialect.Usage{Prompt: 15000}, dialect.Usage{Prompt: 15000}},
		{"as many texts as Cohere embeds at once", dialect.Request{OutputModality: "embeddings", Raw: make([]byte, 200_000)}, 512, dialect.Usage{Prompt: 96 * 500}, dialect.Usage{Prompt: 96 * 500}},
		{"as much as OpenAI embeds at once", dialect.Request{OutputModality: "embeddings", Raw: make([]byte, 1_200_000)}, 8191, dialect.Usage{Prompt: 300_000}, dialect.Usage{Prompt: 300_000}},
		{"more than the texts hold", dialect.Request{OutputModality: "embeddings", Raw: make([]byte, 200_000)}, 512, dialect.Usage{Prompt: 1e9}, dialect.Usage{Prompt: 200_000, Estimated: true}},
		{"a query that is read with each document", dialect.Request{OutputModality: "rerank", Raw: make([]byte, 3000), Reread: 299_000}, 500, dialect.Usage{Prompt: 290_000}, dialect.Usage{Prompt: 290_000}},
		{"a long conversation is no batch", dialect.Request{Raw: make([]byte, 200_000)}, 512, dialect.Usage{Prompt: 100_000}, dialect.Usage{Prompt: 1024, Estimated: true}},
		{"a context that is not known", dialect.Request{}, 0, dialect.Usage{Prompt: 900000, Completion: 1 << 40}, dialect.Usage{Prompt: 900000, Completion: unknownContext * leeway, Estimated: true}},
		{"searches without end", dialect.Request{Raw: make([]byte, 50)}, 500, dialect.Usage{WebSearches: 1 << 40, SearchUnits: 1 << 40, Seconds: 1 << 40}, dialect.Usage{WebSearches: mostSearches, SearchUnits: 50, Seconds: 50, Estimated: true}},
	} {
		t.Run(test.name, func(t *testing.T) {
			a := &attempt{Server: newGateway(t).Server, request: &test.request}
			a.candidate.Endpoint = &catalog.Endpoint{ContextLength: test.context}
			if got := a.believe(test.claimed); got != test.want {
				t.Errorf("%+v", got)
			}
		})
	}
}
