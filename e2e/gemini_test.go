package e2e

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/switchyard/switchyard/e2e/provider"
)

// gemini adds a provider that speaks generateContent.
func (s *stage) gemini(slug string, network ...provider.Network) *site {
	s.Helper()
	return s.site(slug, "gemini", "gemini-3-flash-preview", provider.Gemini, network...)
}

// googler is a gateway with a Gemini behind the model m/gemini.
func googler(t *testing.T) (*stage, *site) {
	t.Helper()
	s := newStage(t)
	google := s.gemini("google")
	s.serve("m/gemini", google)
	s.models["m/gemini"].(settings)["input_modalities"] = []any{"text", "image"}
	return s, google
}

func TestGeminiThroughTheSDK(t *testing.T) {
	s, google := googler(t)
	s.start()
	for _, client := range openAIClients(t) {
		ask := func(t *testing.T, scenario string) observed {
			t.Helper()
			seen := client.call(t, s, scenario, "m/gemini")
			if seen.Error != nil {
				t.Fatalf("%s: %+v", scenario, *seen.Error)
			}
			return seen
		}
		t.Run(client.name+" answers", func(t *testing.T) {
			google.Reset()
			client.answersChat(t, s, "m/gemini")
		})
		t.Run(client.name+" tools", func(t *testing.T) {
			google.Reset()
			for _, scenario := range []string{"tools", "tools_stream"} {
				google.Enqueue(provider.Answer{ToolCalls: twoCalls})
				seen := ask(t, scenario)
				if len(seen.Calls) != 2 || seen.Finish != "tool_calls" {
					t.Errorf("%s: %+v", scenario, seen)
				}
				for i, got := range seen.Calls {
					if want := twoCalls[i]; got.ID != want.ID || got.Name != want.Name || got.Arguments != want.Arguments {
						t.Errorf("%s: call %d is %+v, want %+v", scenario, i, got, want)
					}
				}
			}
		})
		// The SDK sends the answer back as it holds it, and the signature is in it.
		t.Run(client.name+" second turn", func(t *testing.T) {
			google.Reset()
			google.Enqueue(provider.Answer{Reasoning: "hm", Text: "Let me see.", ToolCalls: twoCalls})
			if seen := ask(t, "round_trip"); seen.Text != said {
				t.Errorf("text %q", seen.Text)
			}
			google.returned(t)
		})
		t.Run(client.name+" structured output", func(t *testing.T) {
			google.Reset()
			google.Enqueue(provider.Answer{Text: `{"name":"Köln","inhabitants":1000000}`})
			if seen := ask(t, "parse"); seen.Parsed == nil || seen.Parsed.Name != "Köln" {
				t.Errorf("%+v", seen)
			}
			config, _ := google.last(t).JSON["generationConfig"].(map[string]any)
			if schema, _ := config["responseJsonSchema"].(map[string]any); schema["additionalProperties"] != false {
				t.Errorf("the schema is missing in %s", google.last(t).Body)
			}
		})
		t.Run(client.name+" errors", func(t *testing.T) {
			google.Reset()
			client.failsChat(t, s, google, "chat", "m/gemini")
		})
	}
}

// returned checks that the last request carries the signatures of the answer before:
// the text's, and that of the first of two calls.
func (at *site) returned(t *testing.T) {
	t.Helper()
	contents := at.last(t).JSON["contents"].([]any)
	var signed []string
	for _, content := range contents {
		for _, part := range content.(map[string]any)["parts"].([]any) {
			part := part.(map[string]any)
			if _, has := part["thoughtSignature"]; !has {
				continue
			}
			if text, is := part["text"].(string); is {
				signed = append(signed, text)
			} else {
				signed = append(signed, part["functionCall"].(map[string]any)["id"].(string))
			}
		}
	}
	if strings.Join(signed, "|") != "Let me see.|call_a" {
		t.Errorf("signed are %q in %s", signed, at.last(t).Body)
	}
}

// Known-failures 35, with a stream that the client puts together by the details'
// indices.
func TestGeminiSignaturesOfAStream(t *testing.T) {
	s, google := googler(t)
	s.start()
	google.Enqueue(provider.Answer{Reasoning: "First hm, then aha.", Text: "Let me see.", ToolCalls: twoCalls})
	gathered := s.ask(streamed("m/gemini", `"reasoning":{"effort":"high"}`, weatherTool)).transcript(t)
	if gathered.finish != "tool_calls" || gathered.native != "STOP" || !gathered.done {
		t.Errorf("finish %q, native %q", gathered.finish, gathered.native)
	}
	config, _ := google.last(t).JSON["generationConfig"].(map[string]any)
	if thinking, _ := config["thinkingConfig"].(map[string]any); thinking["thinkingLevel"] != "high" || thinking["includeThoughts"] != true {
		t.Errorf("thinking is %v", thinking)
	}
	var calls []map[string]any
	for i := range gathered.calls {
		call := gathered.calls[i]
		calls = append(calls, map[string]any{"id": call.ID, "type": "function", "function": map[string]any{
			"name": call.Function.Name, "arguments": call.Function.Arguments,
		}})
	}
	if calls[0]["id"] != "call_a" { // the order of a map is none
		calls[0], calls[1] = calls[1], calls[0]
	}
	history, _ := json.Marshal(map[string]any{
		"role": "assistant", "content": gathered.text, "tool_calls": calls, "reasoning_details": joinDetails(t, gathered),
	})
	got := s.ask(`{"model":"m/gemini",` + weatherTool + `,"messages":[{"role":"user","content":"hi"},` + string(history) +
		`,{"role":"tool","tool_call_id":"call_a","content":"sunny"},{"role":"tool","tool_call_id":"call_b","content":"wet"}]}`)
	if got.status != 200 {
		t.Fatalf("status %d: %s", got.status, got.body)
	}
	google.returned(t)
}

// A request moves between the dialects, both ways, and the conversation that one has
// begun the other can go on with.
func TestGeminiFailover(t *testing.T) {
	s, google := googler(t)
	gpt := s.openAI("gpt")
	s.serve("m/google-first", google, gpt)
	s.serve("m/gpt-first", gpt, google)
	s.start()
	for model, sites := range map[string][2]*site{"m/google-first": {google, gpt}, "m/gpt-first": {gpt, google}} {
		first, second := sites[0], sites[1]
		// An outage is remembered; an order is followed all the same.
		order := `"provider":{"order":["` + first.slug + `","` + second.slug + `"]}`
		for name, body := range map[string]string{"whole": question(model, weatherTool, order), "streamed": streamed(model, weatherTool, order)} {
			t.Run(model+" "+name, func(t *testing.T) {
				first.Reset()
				second.Reset()
				first.Enqueue(provider.Failure{Status: 503})
				if got := s.ask(body); got.status != 200 || first.calls() != 1 || !strings.Contains(got.body, `"provider":"`+second.slug+`"`) {
					t.Errorf("status %d: %s", got.status, got.body)
				}
			})
		}
		t.Run(model+" in a tool loop", func(t *testing.T) {
			first.Reset()
			second.Reset()
			first.Enqueue(provider.Answer{ToolCalls: twoCalls}, provider.Failure{Status: 500})
			message := withoutReasoning(t, s.ask(question(model, weatherTool, order)).message(t))
			got := s.ask(`{"model":"` + model + `",` + order + `,` + weatherTool + `,"messages":[{"role":"user","content":"hi"},` + message +
				`,{"role":"tool","tool_call_id":"call_a","content":"sunny"},{"role":"tool","tool_call_id":"call_b","content":"wet"}]}`)
			if got.status != 200 || first.calls() != 2 || second.calls() != 1 {
				t.Errorf("status %d, %d calls: %s", got.status, second.calls(), got.body)
			}
		})
	}
}

// withoutReasoning is a message as clients keep it that know nothing of reasoning. With
// it the conversation would be bound to its provider.
func withoutReasoning(t *testing.T, message string) string {
	t.Helper()
	var members map[string]json.RawMessage
	if err := json.Unmarshal([]byte(message), &members); err != nil {
		t.Fatal(err)
	}
	delete(members, "reasoning_details")
	kept, _ := json.Marshal(members)
	return string(kept)
}

// A key that Google calls a bad request is the gateway's, and another provider serves.
func TestGeminiWrongKey(t *testing.T) {
	s := newStage(t)
	google, gpt := provider.Gemini(provider.Config{Key: "another key"}), s.openAI("gpt")
	server, err := google.Start(provider.Network{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(server.Close)
	s.providers["google"] = settings{
		"name": "google", "dialect": "gemini", "base_url": server.URL, "credential": settings{"value": "sk-provider-google-of-old"},
	}
	s.models["m/x"] = settings{"endpoints": []any{
		settings{"provider": "google", "model": "gemini-3-flash-preview", "prices": settings{"prompt": "1", "completion": "2"}}, gpt.endpoint("1", "2"),
	}}
	s.start()
	if got := s.ask(question("m/x")); got.status != 200 || len(google.Exchanges()) != 1 || gpt.calls() != 1 {
		t.Errorf("status %d: %s", got.status, got.body)
	}
}

// Known-failures 29 and 24: a stream that was framed as an array is read, one that is
// cut is told as such.
func TestGeminiFraming(t *testing.T) {
	s, google := googler(t)
	s.start()
	chunk := func(text, end string) string {
		return `{"candidates":[{"content":{"role":"model","parts":[{"text":"` + text + `"}]}` + end + `}],"usageMetadata":{"promptTokenCount":3,"candidatesTokenCount":2}}`
	}
	array := "[" + chunk("one ", "") + "\n,\r\n" + chunk("two", `,"finishReason":"STOP"`) + "\n]"
	google.Enqueue(provider.Raw{Header: map[string][]string{"Content-Type": {"application/json; charset=UTF-8"}}, Body: array})
	gathered := s.ask(streamed("m/gemini")).transcript(t)
	if gathered.text != "one two" || gathered.finish != "stop" || len(gathered.usage) != 1 || !gathered.done {
		t.Errorf("%+v", gathered)
	}
	google.Enqueue(provider.Stream{Answer: provider.Answer{Text: "one two three"}, Pieces: 2, Pace: apart, End: provider.EndClean})
	if gathered = s.ask(streamed("m/gemini")).transcript(t); gathered.text != "one two" || len(gathered.errors) != 1 || gathered.finish != "error" {
		t.Errorf("%+v", gathered)
	}
}

// A prompt that Google blocks is an error in words, and no empty answer.
func TestGeminiBlockedPrompt(t *testing.T) {
	s, google := googler(t)
	s.start()
	google.Enqueue(provider.Raw{
		Header: map[string][]string{"Content-Type": {"application/json"}},
		Body:   `{"promptFeedback":{"blockReason":"PROHIBITED_CONTENT"},"usageMetadata":{"promptTokenCount":3}}`,
	})
	if failed := s.ask(question("m/gemini")).failed(t, 400); !strings.Contains(failed.Message, "PROHIBITED_CONTENT") {
		t.Errorf("%+v", failed)
	}
}

// Google says in the body how long to wait, and the client learns it from the header.
func TestGeminiRetryInfo(t *testing.T) {
	s, google := googler(t)
	s.start()
	google.Enqueue(provider.Failure{Status: 429, RetryAfter: "7"})
	got := s.ask(question("m/gemini"))
	got.failed(t, 429)
	if after := got.header.Get("Retry-After"); after != "7" {
		t.Errorf("Retry-After %q", after)
	}
}

// known-failures 3: usage in a chunk behind the end is what is charged. Where none comes,
// and the provider leaves the connection open, nobody waits for long.
func TestGeminiCountsBehindTheEnd(t *testing.T) {
	s, google := googler(t)
	s.start()
	const body = `"stream":true,"messages":[{"role":"user","content":"hi"}]}`
	google.Enqueue(provider.Raw{Header: http.Header{"Content-Type": {"text/event-stream"}},
		Body: `data: {"candidates":[{"content":{"role":"model","parts":[{"text":"a"}]},"finishReason":"STOP"}]}` + "\n\n" +
			`data: {"usageMetadata":{"promptTokenCount":11,"candidatesTokenCount":7}}` + "\n\n"})
	got := s.ask(`{"model":"m/gemini",` + body)
	if !strings.Contains(got.body, `"prompt_tokens":11,"completion_tokens":7,`) {
		t.Errorf("the count is missing in %s", got.body)
	}
	google.Enqueue(provider.Stream{Answer: provider.Answer{UsageIn: provider.UsageNowhere}, End: provider.EndLinger})
	began := time.Now()
	got = s.ask(`{"model":"m/gemini",` + body)
	if took := time.Since(began); took > 10*time.Second || !strings.Contains(got.body, `"finish_reason":"stop"`) || strings.Contains(got.body, `"error"`) || !strings.HasSuffix(got.body, "data: [DONE]\n\n") {
		t.Errorf("after %v: %s", took, got.body)
	}
}
