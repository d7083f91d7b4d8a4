package importer

import (
	"testing"
	"time"
)

func TestCreatedByID(t *testing.T) {
	for id, want := range map[string]string{
		"openai/gpt-4o-mini-2024-07-18":         "2024-07-18",
		"anthropic/claude-sonnet-3.5-20241022":  "2024-10-22",
		"openai/gpt-4o-2024-08-06-preview":      "2024-08-06",
		"qwen/qwen3-235b-a22b-instruct-2507":    "2025-07-01",
		"qwen/qwen-plus-2025-04-28":             "2025-04-28",
		"mistralai/codestral-2501":              "2025-01-01",
		"mistralai/mistral-nemo-2407-base":      "2024-07-01",
		"openai/gpt-4-0613":                     "", // a day of no year
		"deepseek/deepseek-r1-0528":             "",
		"moonshotai/kimi-k2-0905":               "",
		"acme/model-2507":                       "", // perhaps a version
		"cohere/command-r-08-2024":              "", // no day
		"bytedance-seed/doubao-2.0-lite-260215": "",
		"qwen/qwen3-max-2513":                   "", // no month
		"openai/gpt-4o-2024-02-30":              "", // no day of that month
		"openai/gpt-4o-120240718":               "", // longer than a date
		"qwen/qwen2507":                         "",
		"openai/gpt-4o":                         "",
	} {
		got := ""
		if created := createdByID(id); created != 0 {
			got = time.Unix(created, 0).UTC().Format(time.DateOnly)
		}
		if got != want {
			t.Errorf("%s is of %q, want %q", id, got, want)
		}
	}
	if got := createdByID("openai/gpt-4o", "openai/gpt-4o-2024-05-13"); got != 1715558400 {
		t.Errorf("the canonical slug's date is %d", got)
	}
}

// What the API says wins; without it the name does.
func TestCreatedOfOpenRouter(t *testing.T) {
	catalog, _, err := OpenRouter([]byte(`{"data": [
		{"id": "openai/gpt-4o", "canonical_slug": "openai/gpt-4o-2024-05-13", "pricing": {"prompt": "0", "completion": "0"}},
		{"id": "openai/gpt-4o-2024-08-06", "created": 7, "pricing": {"prompt": "0", "completion": "0"}}
	]}`))
	if err != nil {
		t.Fatal(err)
	}
	for id, want := range map[string]int64{"openai/gpt-4o": 1715558400, "openai/gpt-4o-2024-08-06": 7} {
		if got := catalog.GetModels()[id].GetCreated(); got != want {
			t.Errorf("%s is of %d, want %d", id, got, want)
		}
	}
}

// The name of a provider may carry a date that the id leaves out.
func TestCreatedOfLiteLLM(t *testing.T) {
	catalog, _, err := LiteLLM([]byte(`{"claude-haiku-4-5-20251001": {"litellm_provider": "anthropic", "mode": "chat", "max_input_tokens": 200000, "input_cost_per_token": 1e-06, "output_cost_per_token": 5e-06}}`), "")
	if err != nil {
		t.Fatal(err)
	}
	if got := catalog.GetModels()["anthropic/claude-haiku-4.5"].GetCreated(); got != 1759276800 {
		t.Errorf("created %d", got)
	}
}
