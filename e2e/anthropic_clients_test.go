package e2e

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/switchyard/switchyard/e2e/provider"
)

// anthropicClients are Anthropic's own SDKs.
func anthropicClients(t *testing.T) []*sdk {
	t.Helper()
	return []*sdk{startPython(t, "anthropic"), startNode(t, "anthropic")}
}

// eachAnthropicClient runs a test with each of them against a provider of each dialect.
// A bearer token is what they send, as of their newest (row 144).
func eachAnthropicClient(t *testing.T, test func(t *testing.T, client *sdk, s *stage, at *site, model string)) {
	t.Helper()
	s, gpt, claude := pair(t)
	for _, model := range []string{"m/openai", "m/anthropic"} {
		s.models[model].(settings)["input_modalities"] = []any{"text", "image"}
	}
	s.start()
	eachClient(t, anthropicClients(t), s, gpt, claude, test)
}

func TestRow138MessagesOfTheSDK(t *testing.T) {
	eachAnthropicClient(t, func(t *testing.T, client *sdk, s *stage, at *site, model string) {
		for _, scenario := range []string{"whole", "stream", "beta", "image"} {
			seen := client.call(t, s, scenario, model)
			if seen.Error != nil {
				t.Errorf("%s: %+v", scenario, *seen.Error)
				continue
			}
			if seen.Text != said || seen.Finish != "end_turn" || seen.Model != model || seen.Provider != at.slug || !strings.HasPrefix(seen.ID, "gen-") {
				t.Errorf("%s: %+v", scenario, seen)
			}
			if seen.Usage == nil || seen.Usage.Input != 11 || seen.Usage.Output != 7 || !near(seen.Usage.Cost, 25e-6) {
				t.Errorf("%s: usage %+v", scenario, seen.Usage)
			}
		}
		if seen := client.call(t, s, "count", model); seen.Usage == nil || seen.Usage.Input != 8 {
			t.Errorf("row 143: %+v", seen.Usage)
		}
	})
}

func TestRow139MessagesStreamOfTheSDK(t *testing.T) {
	eachAnthropicClient(t, func(t *testing.T, client *sdk, s *stage, at *site, model string) {
		at.Enqueue(provider.Answer{Text: "one two"})
		seen := client.call(t, s, "events", model)
		want := []string{"message_start", "content_block_start", "content_block_delta", "content_block_delta", "content_block_stop", "message_delta", "message_stop"}
		if !slices.Equal(seen.Texts, want) {
			t.Errorf("events %q", seen.Texts)
		}
		for _, scenario := range []string{"tools", "tools_stream"} {
			at.Enqueue(provider.Answer{ToolCalls: twoCalls})
			seen := client.call(t, s, scenario, model)
			if len(seen.Calls) != 2 || seen.Finish != "tool_use" {
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
	})
}

// TestRow142MessagesToolTurn sends an answer back as the SDK keeps it: thoughts, calls
// and their results.
func TestRow142MessagesToolTurn(t *testing.T) {
	eachAnthropicClient(t, func(t *testing.T, client *sdk, s *stage, at *site, model string) {
		at.Enqueue(provider.Answer{Reasoning: "hm", ToolCalls: twoCalls}, provider.Answer{Text: said})
		members := settings{}
		if model == "m/anthropic" {
			members["thinking"] = settings{"type": "enabled", "budget_tokens": 2000}
		}
		seen := client.callWith(t, s, "history", model, members)
		if seen.Text != said {
			t.Fatalf("%+v, error %+v", seen, seen.Error)
		}
		if model == "m/anthropic" {
			return // the fake has checked the turn, and the signature in it
		}
		var sent struct {
			Messages []struct {
				Role       string
				ToolCallID string `json:"tool_call_id"`
				Content    any
				ToolCalls  []struct{ Function struct{ Arguments string } } `json:"tool_calls"`
			}
		}
		if err := json.Unmarshal(at.last(t).Body, &sent); err != nil {
			t.Fatal(err)
		}
		if len(sent.Messages) != 4 || len(sent.Messages[1].ToolCalls) != 2 || sent.Messages[2].Role != "tool" ||
			sent.Messages[3].ToolCallID != "call_b" || sent.Messages[3].Content != "sunny" {
			t.Errorf("%+v", sent.Messages)
		}
	})
}

func TestMessagesThinkingOfTheSDK(t *testing.T) {
	eachAnthropicClient(t, func(t *testing.T, client *sdk, s *stage, at *site, model string) {
		for _, scenario := range []string{"whole", "stream"} {
			at.Enqueue(provider.Answer{Reasoning: "hm so", Text: said})
			members, want := settings{}, ""
			if model == "m/anthropic" { // the other's model thinks unasked
				members["thinking"] = settings{"type": "enabled", "budget_tokens": 2000}
				want = provider.Signature("hm so")
			}
			seen := client.callWith(t, s, scenario, model, members)
			if !slices.Equal(seen.Texts, []string{"hm so"}) || !slices.Equal(seen.Signatures, []string{want}) || seen.Text != said {
				t.Errorf("%s: %+v, error %+v", scenario, seen, seen.Error)
			}
		}
	})
}

func TestRow140MessagesErrorsOfTheSDK(t *testing.T) {
	eachAnthropicClient(t, func(t *testing.T, client *sdk, s *stage, at *site, model string) {
		for _, test := range []struct {
			name, key, model string
			script           provider.Script
			status           int
			class, kind      string
		}{
			{name: "row 140: bad key", key: "sk-or-v1-bad", model: model, status: 401, class: "AuthenticationError", kind: "authentication_error"},
			{name: "unknown model", key: clientKey, model: "no/such", status: 400, class: "BadRequestError", kind: "invalid_request_error"},
			{name: "the provider's refusal", key: clientKey, model: model, script: provider.Failure{Status: 422, Message: "words"}, status: 422, class: "UnprocessableEntityError", kind: "invalid_request_error"},
			{name: "busy", key: clientKey, model: model, script: provider.Failure{Status: 429, Message: "words"}, status: 429, class: "RateLimitError", kind: "rate_limit_error"},
		} {
			scenarios := []string{"whole", "stream"}
			if test.status == 401 {
				scenarios = append(scenarios, "count")
			}
			for _, scenario := range scenarios {
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
				if seen.Error.Body["type"] != "error" || said["type"] != test.kind {
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
	})
}

// TestMessagesHeadersOfTheSDK: the version that the SDK speaks and the betas that its
// user asks for reach a provider of the same API. Sampling needs the older version.
func TestMessagesHeadersOfTheSDK(t *testing.T) {
	eachAnthropicClient(t, func(t *testing.T, client *sdk, s *stage, at *site, model string) {
		members := settings{"betas": []any{"interleaved-thinking-2025-05-14", "structured-outputs-2025-11-13"}, "tools": []any{settings{
			"name": "weather", "strict": true, "input_schema": settings{"type": "object", "additionalProperties": false},
		}}}
		if seen := client.callWith(t, s, "beta", model, members); seen.Text != said {
			t.Fatalf("%+v, error %+v", seen, seen.Error)
		}
		betas, version := "interleaved-thinking-2025-05-14,structured-outputs-2025-11-13", "2026-10-21"
		if model == "m/openai" {
			betas, version = "", ""
		}
		if sent := at.last(t).Header; sent.Get("Anthropic-Beta") != betas || sent.Get("Anthropic-Version") != version {
			t.Errorf("betas %q, version %q", sent.Get("Anthropic-Beta"), sent.Get("Anthropic-Version"))
		}
		if seen := client.call(t, s, "sampled", model); seen.Text != said {
			t.Fatalf("%+v, error %+v", seen, seen.Error)
		}
		if sent := at.last(t); sent.JSON["temperature"] != 0.5 || version != "" && sent.Header.Get("Anthropic-Version") != "2023-06-01" {
			t.Errorf("version %q: %s", sent.Header.Get("Anthropic-Version"), sent.Body)
		}
	})
}

// TestRow141MessagesFallbacks goes past a broken provider, from one dialect to the
// other.
func TestRow141MessagesFallbacks(t *testing.T) {
	s, gpt, claude := pair(t)
	s.start()
	for _, test := range []struct {
		name, members string
		status        int
	}{
		{"one", `"fallbacks":[{"model":"m/openai"}]`, 200},
		{"beside models", `"fallbacks":[{"model":"m/openai"}],"models":["m/openai"]`, 400},
		{"four", `"fallbacks":[{"model":"a"},{"model":"b"},{"model":"c"},{"model":"d"}]`, 400},
		{"another key", `"fallbacks":[{"model":"m/openai","x":1}]`, 400},
	} {
		claude.Reset()
		claude.Enqueue(provider.Failure{Status: http.StatusBadGateway})
		gpt.Reset()
		response := s.messages(`{"model":"m/anthropic","max_tokens":9,` + test.members + `,"messages":[{"role":"user","content":"hi"}]}`)
		if response.status != test.status {
			t.Errorf("%s: %d %s", test.name, response.status, response.body)
		}
		if want := `"model":"m/openai"`; test.status == 200 && !strings.Contains(response.body, want) {
			t.Errorf("%s: %s", test.name, response.body)
		}
	}
}

// messages asks as a client that takes the host for the base URL, with the query that
// Claude Code adds.
func (s *stage) messages(body string) answer {
	s.Helper()
	return s.do(http.MethodPost, "/v1/messages?beta=true", body,
		"authorization", "", "x-api-key", clientKey, "anthropic-version", "2099-01-01")
}
