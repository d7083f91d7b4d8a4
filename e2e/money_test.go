package e2e

import (
	"testing"

	"github.com/switchyard/switchyard/e2e/provider"
)

// The same tokens cost the same whether streamed or not and however a vendor
// counts: OpenAI's input includes cached tokens, Anthropic's does not
// (known-failures 1, 2).
func TestRow104CostOfCachedTokens(t *testing.T) {
	s, gpt, claude := pair(t)
	for _, model := range []string{"m/openai", "m/anthropic"} {
		endpoint := s.models[model].(settings)["endpoints"].([]any)[0].(settings)
		endpoint["prices"] = settings{
			"prompt": "10", "completion": "20", "cache_read": "1", "cache_write": "12.5", "cache_write_1h": "20",
		}
	}
	s.start()
	cached := provider.Usage{Input: 1000, CacheRead: 600, Output: 50, Reasoning: 20}
	written := provider.Usage{Input: 1000, CacheRead: 500, CacheWrite: 200, CacheWriteHour: 100, Output: 50}
	for name, test := range map[string]struct {
		at      *site
		answer  provider.Answer
		dollars float64
	}{
		"OpenAI":                        {gpt, provider.Answer{Usage: cached}, (400*10 + 600*1 + 50*20) / 1e6},
		"OpenAI, beside choices":        {gpt, provider.Answer{Usage: cached, UsageIn: provider.UsageWithChoices}, (400*10 + 600*1 + 50*20) / 1e6},
		"OpenAI, a running total":       {gpt, provider.Answer{Usage: cached, UsageIn: provider.UsageEverywhere}, (400*10 + 600*1 + 50*20) / 1e6},
		"Anthropic":                     {claude, provider.Answer{Usage: cached}, (400*10 + 600*1 + 50*20) / 1e6},
		"Anthropic, written for a time": {claude, provider.Answer{Usage: written}, (200*10 + 500*1 + 200*12.5 + 100*20 + 50*20) / 1e6},
	} {
		t.Run(name, func(t *testing.T) {
			model := map[*site]string{gpt: "m/openai", claude: "m/anthropic"}[test.at]
			test.at.Enqueue(test.answer, test.answer)
			whole := *s.ask(question(model)).decode(t).Usage
			gathered := s.ask(streamed(model)).transcript(t)
			if len(gathered.usage) != 1 {
				t.Fatalf("%d usages in the stream", len(gathered.usage))
			}
			for how, got := range map[string]usage{"whole": whole, "streamed": gathered.usage[0]} {
				if got.Prompt != 1000 || got.Completion != 50 || got.Cost == nil || !near(*got.Cost, test.dollars) {
					t.Errorf("%s: %d in, %d out, cost %v; want $%v", how, got.Prompt, got.Completion, dollars(got.Cost), test.dollars)
				}
			}
		})
	}
}

func dollars(cost *float64) any {
	if cost == nil {
		return "missing"
	}
	return *cost
}

// The gateway asks OpenAI for usage by itself (known-failures 9).
func TestRow82UsageIsAskedFor(t *testing.T) {
	s, gpt, _ := pair(t)
	s.start()
	for _, members := range [][]string{nil, {`"stream_options":{"include_usage":false}`}, {`"stream_options":{"include_usage":true}`}} {
		if gathered := s.ask(streamed("m/openai", members...)).transcript(t); len(gathered.usage) != 1 {
			t.Errorf("%v: %d usages", members, len(gathered.usage))
		}
		if options, _ := gpt.last(t).JSON["stream_options"].(map[string]any); options["include_usage"] != true {
			t.Errorf("%v: stream_options %v", members, options)
		}
	}
}

func TestProviderWithoutUsage(t *testing.T) {
	s, gpt, claude := pair(t)
	s.start()
	each(t, gpt, claude, func(t *testing.T, at *site, model string) {
		at.Default(provider.Answer{UsageIn: provider.UsageNowhere})
		for _, body := range []string{question(model), streamed(model)} {
			if got := s.ask(body); got.status != 200 {
				t.Errorf("%s: status %d: %s", model, got.status, got.body)
			}
		}
	})
}
