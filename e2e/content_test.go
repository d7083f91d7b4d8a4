package e2e

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/switchyard/switchyard/e2e/provider"
)

var twoCalls = []provider.ToolCall{
	{ID: "call_a", Name: "weather", Arguments: `{"city":"Köln"}`},
	{ID: "call_b", Name: "weather", Arguments: `{"city":"Oslo"}`},
}

func TestParallelToolCalls(t *testing.T) {
	s, gpt, claude := pair(t)
	s.start()
	each(t, gpt, claude, func(t *testing.T, at *site, model string) {
		at.Default(provider.Answer{Text: "Let me see.", ToolCalls: twoCalls})
		whole := s.ask(question(model, weatherTool)).choice(t)
		if *whole.FinishReason != "tool_calls" || len(whole.Message.ToolCalls) != 2 || whole.Message.Content != "Let me see." {
			t.Fatalf("%s: %+v", model, whole)
		}
		gathered := s.ask(streamed(model, weatherTool)).transcript(t)
		for i, want := range twoCalls {
			for how, call := range map[string]*toolCall{"whole": &whole.Message.ToolCalls[i], "streamed": gathered.calls[i]} {
				if call == nil || call.Function.Name != want.Name || call.Function.Arguments != want.Arguments || call.ID != want.ID {
					t.Errorf("%s, %s: call %d is %+v, want %+v", model, how, i, call, want)
				}
			}
		}
	})
}

func TestRow92ParallelCallsWithTheSameIndex(t *testing.T) {
	s, gpt, _ := pair(t)
	s.start()
	gpt.Enqueue(provider.Answer{ToolCalls: twoCalls, SameIndex: true})
	got := s.ask(streamed("m/openai", weatherTool))
	gathered := got.transcript(t)
	for i, want := range twoCalls {
		if call := gathered.calls[i]; call == nil || call.Function.Arguments != want.Arguments || call.ID != want.ID {
			t.Errorf("call %d is %+v, want %+v in %s", i, call, want, got.body)
		}
	}
}

// Rows 93 and 94: the tools' results go back to either vendor, in its own order.
func TestRow94ToolResultRoundTrip(t *testing.T) {
	s, gpt, claude := pair(t)
	s.start()
	each(t, gpt, claude, func(t *testing.T, at *site, model string) {
		at.Default(provider.Answer{ToolCalls: twoCalls})
		history := s.ask(question(model, weatherTool)).message(t)
		at.Reset()
		body := `{"model":"` + model + `",` + weatherTool + `,"tool_choice":{"type":"function","function":{"name":"weather"}},` +
			`"messages":[{"role":"system","content":"Be brief."},{"role":"user","content":"hi"},` + history + `,` +
			`{"role":"tool","tool_call_id":"call_a","content":"sunny"},{"role":"tool","tool_call_id":"call_b","content":"wet"},` +
			`{"role":"user","content":"Where is it nicer?"}]}`
		if got := s.ask(body); got.status != 200 {
			t.Errorf("%s: status %d: %s", model, got.status, got.body)
		}
		if at == claude {
			choice, _ := at.last(t).JSON["tool_choice"].(map[string]any)
			if choice["type"] != "tool" || choice["name"] != "weather" {
				t.Errorf("row 93: tool_choice %v", choice)
			}
		}
	})
}

// message is an answer's message exactly as it came, for a history.
func (a answer) message(t *testing.T) string {
	t.Helper()
	var raw struct {
		Choices []struct{ Message json.RawMessage }
	}
	if err := json.Unmarshal([]byte(a.body), &raw); err != nil || len(raw.Choices) != 1 {
		t.Fatalf("%v in %s", err, a.body)
	}
	return string(raw.Choices[0].Message)
}

// Row 101: signed thinking comes back unchanged, whole or streamed; the fake
// refuses any other.
func TestRow101ReasoningRoundTrip(t *testing.T) {
	s, _, claude := pair(t)
	s.start()
	thoughtful := provider.Answer{Reasoning: "First hm, then aha.", RedactedThinking: "secret", ToolCalls: twoCalls[:1]}
	const reasoning = `"reasoning":{"max_tokens":1500},"max_tokens":4000`
	again := func(t *testing.T, message string) {
		t.Helper()
		claude.Reset()
		body := `{"model":"m/anthropic",` + reasoning + `,` + weatherTool + `,"messages":[{"role":"user","content":"hi"},` +
			message + `,{"role":"tool","tool_call_id":"call_a","content":"sunny"}]}`
		if got := s.ask(body); got.status != 200 {
			t.Fatalf("status %d: %s", got.status, got.body)
		}
		turn := claude.last(t).JSON["messages"].([]any)[1].(map[string]any)["content"].([]any)
		first, second := turn[0].(map[string]any), turn[1].(map[string]any)
		if first["thinking"] != thoughtful.Reasoning || first["signature"] != provider.Signature(thoughtful.Reasoning) {
			t.Errorf("thinking came back as %v", first)
		}
		if second["type"] != "redacted_thinking" {
			t.Errorf("redacted thinking came back as %v", second)
		}
	}
	t.Run("whole", func(t *testing.T) {
		claude.Enqueue(thoughtful)
		got := s.ask(question("m/anthropic", reasoning, weatherTool))
		if message := got.choice(t).Message; message.Reasoning != thoughtful.Reasoning {
			t.Errorf("reasoning %q", message.Reasoning)
		}
		if budget := claude.budget(t); budget != 1500.0 {
			t.Errorf("budget %v", budget)
		}
		again(t, got.message(t))
	})
	t.Run("streamed", func(t *testing.T) {
		claude.Reset()
		claude.Enqueue(thoughtful)
		gathered := s.ask(streamed("m/anthropic", reasoning, weatherTool)).transcript(t)
		call, _ := json.Marshal(map[string]any{
			"id": gathered.calls[0].ID, "type": "function", "function": gathered.calls[0].Function,
		})
		details, _ := json.Marshal(joinDetails(t, gathered))
		// Go's field names are not the API's.
		arguments := strings.NewReplacer(`"Name"`, `"name"`, `"Arguments"`, `"arguments"`).Replace(string(call))
		again(t, `{"role":"assistant","content":"","tool_calls":[`+arguments+`],"reasoning_details":`+string(details)+`}`)
	})
}

// joinDetails puts streamed reasoning_details together by their index, as
// clients are told to (spec section 4.5).
func joinDetails(t *testing.T, gathered transcript) []map[string]any {
	t.Helper()
	var joined []map[string]any
	position := map[any]int{}
	for _, chunk := range gathered.chunks {
		for _, c := range chunk.Choices {
			var details []map[string]any
			if len(c.Delta.ReasoningDetails) == 0 {
				continue
			}
			if err := json.Unmarshal(c.Delta.ReasoningDetails, &details); err != nil {
				t.Fatal(err)
			}
			for _, detail := range details {
				at, known := position[detail["index"]]
				if !known {
					position[detail["index"]] = len(joined)
					joined = append(joined, detail)
					continue
				}
				for name, value := range detail {
					text, isText := value.(string)
					if before, _ := joined[at][name].(string); isText && name == "text" {
						joined[at][name] = before + text
					} else if value != nil {
						joined[at][name] = value
					}
				}
			}
		}
	}
	return joined
}

// budget is that of the newest request's thinking, nil without thinking.
func (at *site) budget(t *testing.T) any {
	t.Helper()
	thinking, _ := at.last(t).JSON["thinking"].(map[string]any)
	return thinking["budget_tokens"]
}

func TestReasoningSettings(t *testing.T) {
	s, gpt, claude := pair(t)
	s.start()
	t.Run("row 95: effort becomes a budget", func(t *testing.T) {
		s.ask(question("m/anthropic", `"reasoning":{"effort":"high"},"max_tokens":10000`))
		if budget := claude.budget(t); budget != 8000.0 {
			t.Errorf("budget %v, want 8000", budget)
		}
	})
	t.Run("row 96: no less than the least budget", func(t *testing.T) {
		s.ask(question("m/anthropic", `"reasoning":{"effort":"low"},"max_tokens":2000`))
		if budget := claude.budget(t); budget != 1024.0 {
			t.Errorf("budget %v, want 1024", budget)
		}
	})
	t.Run("row 99: excluded, yet billed", func(t *testing.T) {
		each(t, gpt, claude, func(t *testing.T, at *site, model string) {
			at.Enqueue(provider.Answer{Reasoning: "hidden thoughts"}, provider.Answer{Reasoning: "hidden thoughts"})
			for _, body := range []string{question(model, `"reasoning":{"exclude":true}`), streamed(model, `"reasoning":{"exclude":true}`)} {
				if got := s.ask(body); got.status != 200 || strings.Contains(got.body, "hidden") {
					t.Errorf("%s: %s", model, got.body)
				}
			}
		})
	})
	t.Run("a compatible vendor's reasoning_content", func(t *testing.T) {
		gpt.Enqueue(provider.Answer{Reasoning: "hm", Text: "aha"}, provider.Answer{Reasoning: "hm", Text: "aha"})
		if message := s.ask(question("m/openai")).choice(t).Message; message.Reasoning != "hm" || message.Content != "aha" {
			t.Errorf("message %+v", message)
		}
		reasoning := ""
		for _, chunk := range s.ask(streamed("m/openai")).transcript(t).chunks {
			for _, c := range chunk.Choices {
				reasoning += c.Delta.Reasoning
			}
		}
		if reasoning != "hm" {
			t.Errorf("streamed reasoning %q", reasoning)
		}
	})
}

func TestImages(t *testing.T) {
	s, gpt, claude := pair(t)
	s.models["m/openai"].(settings)["input_modalities"] = []any{"text", "image"}
	s.models["m/anthropic"].(settings)["input_modalities"] = []any{"text", "image"}
	s.start()
	each(t, gpt, claude, func(t *testing.T, at *site, model string) {
		for _, url := range []string{"data:image/png;base64,AAAA", "https://example.com/cat.png"} {
			body := `{"model":"` + model + `","messages":[{"role":"user","content":[{"type":"text","text":"?"},` +
				`{"type":"image_url","image_url":{"url":"` + url + `"}}]}]}`
			if got := s.ask(body); got.status != 200 {
				t.Errorf("%s, %.20s: status %d: %s", model, url, got.status, got.body)
			}
			if sent := string(at.last(t).Body); !strings.Contains(sent, strings.TrimPrefix(url, "data:image/png;base64,")) {
				t.Errorf("%s: the image is missing in %s", model, sent)
			}
		}
	})
}

func TestRow120JSONSchema(t *testing.T) {
	s, gpt, claude := pair(t)
	s.start()
	const format = `"response_format":{"type":"json_schema","json_schema":{"name":"city","strict":true,"schema":` +
		`{"type":"object","properties":{"name":{"type":"string"}},"required":["name"],"additionalProperties":false}}}`
	each(t, gpt, claude, func(t *testing.T, at *site, model string) {
		at.Enqueue(provider.Answer{Text: `{"name":"Köln"}`})
		got := s.ask(question(model, format))
		if got.status != 200 || got.choice(t).Message.Content != `{"name":"Köln"}` {
			t.Errorf("%s: status %d: %s", model, got.status, got.body)
		}
		if sent := string(at.last(t).Body); !strings.Contains(sent, `"additionalProperties":false`) {
			t.Errorf("%s: the schema is missing in %s", model, sent)
		}
	})
}

func TestLogprobsAndRefusal(t *testing.T) {
	s, gpt, _ := pair(t)
	s.start()
	gpt.Enqueue(provider.Answer{Text: "a b"}, provider.Answer{Text: "a b"}, provider.Answer{Refusal: "I would rather not."})
	for _, body := range []string{question("m/openai", `"logprobs":true`), streamed("m/openai", `"logprobs":true`)} {
		if got := s.ask(body); strings.Count(got.body, `"logprob":-0.25`) != 2 {
			t.Errorf("logprobs in %s", got.body)
		}
	}
	if message := s.ask(question("m/openai")).choice(t).Message; message.Refusal != "I would rather not." {
		t.Errorf("refusal %q", message.Refusal)
	}
}

func TestRow125NamesAreKept(t *testing.T) {
	s, gpt, claude := pair(t)
	s.start()
	each(t, gpt, claude, func(t *testing.T, at *site, model string) {
		s.ask(`{"model":"` + model + `","messages":[{"role":"user","name":"Bob","content":"x"}]}`)
		want := map[*site]string{gpt: `"name":"Bob"`, claude: "Bob: x"}[at]
		if sent := string(at.last(t).Body); !strings.Contains(sent, want) {
			t.Errorf("%s: no %s in %s", model, want, sent)
		}
	})
}
