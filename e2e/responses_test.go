package e2e

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/switchyard/switchyard/e2e/provider"
)

// eachResponder runs a test with every SDK that has the Responses API, against a
// provider of each dialect.
func eachResponder(t *testing.T, test func(t *testing.T, client *sdk, s *stage, at *site, model string)) {
	t.Helper()
	s, gpt, claude := pair(t)
	s.start()
	eachClient(t, append(openAIClients(t), openRouterSDKs(t)...), s, gpt, claude, test)
}

func TestRow134ResponsesAnswers(t *testing.T) {
	eachResponder(t, func(t *testing.T, client *sdk, s *stage, _ *site, model string) {
		for _, scenario := range []string{"respond", "respond_stream"} {
			seen := client.call(t, s, scenario, model)
			if seen.Error != nil {
				t.Errorf("%s: %+v", scenario, *seen.Error)
				continue
			}
			if seen.Text != said || seen.Finish != "completed" || seen.Model != model || !strings.HasPrefix(seen.ID, "gen-") {
				t.Errorf("%s: %+v", scenario, seen)
			}
			if seen.Usage == nil || seen.Usage.Input != 11 || seen.Usage.Output != 7 || !near(seen.Usage.Cost, 25e-6) {
				t.Errorf("%s: usage %+v", scenario, seen.Usage)
			}
		}
	})
}

func TestResponsesTools(t *testing.T) {
	eachResponder(t, func(t *testing.T, client *sdk, s *stage, at *site, model string) {
		scenario := "respond_stream"
		if strings.HasPrefix(client.name, "openai") {
			scenario = "respond_helper"
		}
		at.Enqueue(provider.Answer{Reasoning: "let me see", Text: "One moment.", ToolCalls: twoCalls})
		seen := client.call(t, s, scenario, model)
		if len(seen.Calls) != 2 || seen.Text != "One moment." {
			t.Fatalf("%+v, error %+v", seen, seen.Error)
		}
		for i, want := range twoCalls {
			if got := seen.Calls[i]; got.ID != want.ID || got.Name != want.Name || got.Arguments != want.Arguments {
				t.Errorf("call %d is %+v, want %+v", i, got, want)
			}
		}
	})
}

// The items of an answer go back exactly as the SDK holds them. The provider that
// signed its reasoning gets it back, and verifies it (row 101).
func TestResponsesRoundTrip(t *testing.T) {
	s, gpt, claude := pair(t)
	s.start()
	eachClient(t, openAIClients(t), s, gpt, claude, func(t *testing.T, client *sdk, s *stage, at *site, model string) {
		members := settings{}
		if at == claude {
			members = settings{"reasoning": settings{"effort": "low"}, "max_output_tokens": 8000}
		}
		at.Enqueue(provider.Answer{Reasoning: "step by step", ToolCalls: twoCalls})
		if seen := client.callWith(t, s, "respond_round_trip", model, members); seen.Error != nil || seen.Text != said {
			t.Errorf("%+v, error %+v", seen, seen.Error)
		}
		sent := string(at.last(t).Body)
		if !strings.Contains(sent, "Sunny in Köln") || !strings.Contains(sent, "Sunny in Oslo") {
			t.Errorf("the tools' results are missing in %s", sent)
		}
		if at == claude && !strings.Contains(sent, provider.Signature("step by step")) {
			t.Errorf("the signed reasoning is missing in %s", sent)
		}
	})
}

func TestResponsesStructuredOutputAndImage(t *testing.T) {
	eachSDK(t, func(t *testing.T, client *sdk, s *stage, at *site, model string) {
		at.Enqueue(provider.Answer{Text: `{"name":"Köln","inhabitants":1000000}`})
		if seen := client.call(t, s, "respond_parse", model); seen.Parsed == nil || seen.Parsed.Name != "Köln" {
			t.Errorf("%+v, error %+v", seen, seen.Error)
		}
		if seen := client.call(t, s, "respond_image", model); seen.Text != said {
			t.Errorf("%+v, error %+v", seen, seen.Error)
		}
	})
}

func TestRow135ResponsesKeepNothing(t *testing.T) {
	eachSDK(t, func(t *testing.T, client *sdk, s *stage, _ *site, model string) {
		if seen := client.call(t, s, "respond_stored", model); seen.Error == nil || seen.Error.Class != "BadRequestError" {
			t.Errorf("%+v", seen)
		}
	})
}

func TestRow137ResponsesFailures(t *testing.T) {
	eachSDK(t, func(t *testing.T, client *sdk, s *stage, at *site, model string) {
		for _, scenario := range []string{"respond", "respond_stream"} {
			at.Enqueue(provider.Failure{Status: 429, Message: "the provider's words"})
			seen := client.call(t, s, scenario, model)
			if seen.Error == nil || seen.Error.Class != "RateLimitError" || !strings.Contains(seen.Error.Message, "the provider's words") {
				t.Errorf("%s: %+v", scenario, seen.Error)
			}
		}
		at.Enqueue(provider.Stream{Answer: provider.Answer{Text: "one two three"}, Pieces: 2, Pace: apart, End: provider.EndError})
		if seen := client.call(t, s, "respond_stream", model); seen.Text != "one two" || seen.Error == nil || seen.Error.Message == "" {
			t.Errorf("text %q, error %+v", seen.Text, seen.Error)
		}
	})
}

func TestResponsesErrorShape(t *testing.T) {
	s, gpt, _ := pair(t)
	s.start()
	gpt.Enqueue(provider.Failure{Status: 429, Message: "slow down"})
	response := s.do("POST", "/v1/responses", `{"model":"m/openai","input":"hi"}`)
	var body struct {
		Error struct {
			Code    int
			Message string
		}
		Type string `json:"error_type"`
	}
	if err := json.Unmarshal([]byte(response.body), &body); err != nil || body.Error.Code != 429 || body.Type != "rate_limit_exceeded" {
		t.Errorf("%v: %+v of %s", err, body, response.body)
	}
}

// Reasoning that one provider signed stays behind where another one answers, which
// would refuse it.
func TestRow102ResponsesForeignReasoning(t *testing.T) {
	s, gpt, claude := pair(t)
	s.config["presets"] = settings{"p": settings{
		"system_prompt": "Be brief.", "config": settings{"model": "m/openai", "max_tokens": 50},
	}}
	s.start()
	claude.Enqueue(provider.Answer{Reasoning: "step by step", ToolCalls: twoCalls[:1]})
	tools := `"tools":[{"type":"function","name":"weather","parameters":{"type":"object"}}]`
	first := s.do("POST", "/api/v1/responses", `{"model":"m/anthropic","input":"hi","reasoning":{"effort":"low"},"max_output_tokens":8000,`+tools+`}`)
	var answer struct{ Output []json.RawMessage }
	if err := json.Unmarshal([]byte(first.body), &answer); err != nil || len(answer.Output) != 2 {
		t.Fatalf("%v in %s", err, first.body)
	}
	items := append([]json.RawMessage{[]byte(`{"role":"user","content":"hi"}`)}, answer.Output...)
	items = append(items, []byte(`{"type":"function_call_output","call_id":"call_a","output":"sunny"}`))
	input, err := json.Marshal(items)
	if err != nil {
		t.Fatal(err)
	}
	// The preset is in the words of Chat Completions (row 126).
	second := s.do("POST", "/api/v1/responses", `{"model":"@preset/p","input":`+string(input)+`,`+tools+`}`)
	if second.status != 200 {
		t.Fatalf("status %d: %s", second.status, second.body)
	}
	sent := gpt.last(t)
	if body := string(sent.Body); strings.Contains(body, provider.Signature("step by step")) || !strings.Contains(body, "Be brief.") || sent.JSON["max_tokens"] != 50.0 {
		t.Errorf("the provider got %s", body)
	}
}
