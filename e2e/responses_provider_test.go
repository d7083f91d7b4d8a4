package e2e

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/switchyard/switchyard/e2e/provider"
)

// responder adds a provider that speaks Responses.
func (s *stage) responder(slug string, network ...provider.Network) *site {
	s.Helper()
	added := s.site(slug, "openai_responses", "gpt-5-mini", provider.Responses, network...)
	added.config["strict"] = true
	return added
}

// responding is a gateway with a provider of Responses behind the model m/responses.
func responding(t *testing.T) (*stage, *site) {
	t.Helper()
	s := newStage(t)
	codex := s.responder("codex")
	s.serve("m/responses", codex)
	s.models["m/responses"].(settings)["input_modalities"] = []any{"text", "image", "file"}
	return s, codex
}

// eachCall holds the calls that a client saw to twoCalls.
func eachCall(t *testing.T, scenario string, seen observed) {
	t.Helper()
	if len(seen.Calls) != len(twoCalls) {
		t.Errorf("%s: %+v, error %+v", scenario, seen, seen.Error)
		return
	}
	for i, want := range twoCalls {
		got := seen.Calls[i]
		if got.ID != want.ID || got.Name != want.Name || strings.ReplaceAll(got.Arguments, " ", "") != want.Arguments {
			t.Errorf("%s: call %d is %+v, want %+v", scenario, i, got, want)
		}
	}
}

// recalled checks that the last request gives the model its reasoning back.
func (at *site) recalled(t *testing.T) {
	t.Helper()
	if sent := at.last(t); !strings.Contains(string(sent.Body), `"encrypted_content":"`+provider.Encrypted(at.model)+`"`) {
		t.Errorf("row 101: the reasoning is missing in %s", sent.Body)
	}
}

func TestResponsesProviderThroughOpenAIsChat(t *testing.T) {
	s, codex := responding(t)
	s.start()
	for _, client := range openAIClients(t) {
		ask := func(t *testing.T, scenario string) observed {
			t.Helper()
			seen := client.call(t, s, scenario, "m/responses")
			if seen.Error != nil {
				t.Fatalf("%s: %+v", scenario, *seen.Error)
			}
			return seen
		}
		t.Run(client.name+" answers", func(t *testing.T) {
			codex.Reset()
			client.answersChat(t, s, "m/responses")
		})
		t.Run(client.name+" tools", func(t *testing.T) {
			codex.Reset()
			for _, scenario := range []string{"tools", "tools_stream"} {
				codex.Enqueue(provider.Answer{Text: "One moment.", ToolCalls: twoCalls})
				seen := ask(t, scenario)
				if eachCall(t, scenario, seen); seen.Finish != "tool_calls" {
					t.Errorf("%s: finish %q", scenario, seen.Finish)
				}
			}
		})
		// The SDK sends the answer back as it holds it, and the reasoning is in it.
		t.Run(client.name+" second turn", func(t *testing.T) {
			codex.Reset()
			codex.Enqueue(provider.Answer{Reasoning: "hm", Text: "Let me see.", ToolCalls: twoCalls})
			if seen := ask(t, "round_trip"); seen.Text != said {
				t.Errorf("text %q", seen.Text)
			}
			codex.recalled(t)
		})
		t.Run(client.name+" structured output", func(t *testing.T) {
			codex.Reset()
			codex.Enqueue(provider.Answer{Text: `{"name":"Köln","inhabitants":1000000}`})
			if seen := ask(t, "parse"); seen.Parsed == nil || seen.Parsed.Name != "Köln" {
				t.Errorf("%+v", seen)
			}
			format, _ := codex.last(t).JSON["text"].(map[string]any)["format"].(map[string]any)
			if schema, _ := format["schema"].(map[string]any); format["strict"] != true || schema["additionalProperties"] != false {
				t.Errorf("the schema is missing in %s", codex.last(t).Body)
			}
		})
		t.Run(client.name+" errors", func(t *testing.T) {
			codex.Reset()
			client.failsChat(t, s, codex, "stream", "m/responses")
			codex.Enqueue(provider.Stream{Answer: provider.Answer{Text: "one two three"}, Pieces: 2, Pace: apart, End: provider.EndError})
			if seen := client.call(t, s, "stream", "m/responses"); seen.Text != "one two" || seen.Error == nil || seen.Error.Class != "APIError" {
				t.Errorf("inside the stream: text %q, error %+v", seen.Text, seen.Error)
			}
		})
	}
}

// Clients of the same API get the provider's own events, which every SDK can read.
func TestResponsesProviderThroughOpenAIsResponses(t *testing.T) {
	s, codex := responding(t)
	s.start()
	for _, client := range append(openAIClients(t), openRouterSDKs(t)...) {
		openai := strings.HasPrefix(client.name, "openai")
		t.Run(client.name+" row 134: answers", func(t *testing.T) {
			codex.Reset()
			for _, scenario := range []string{"respond", "respond_stream"} {
				seen := client.call(t, s, scenario, "m/responses")
				if seen.Error != nil || seen.Text != said || seen.Finish != "completed" || seen.Model != "m/responses" || !strings.HasPrefix(seen.ID, "gen-") {
					t.Errorf("%s: %+v, error %+v", scenario, seen, seen.Error)
				}
				if seen.Usage == nil || seen.Usage.Input != 11 || seen.Usage.Output != 7 || !near(seen.Usage.Cost, 25e-6) {
					t.Errorf("%s: usage %+v", scenario, seen.Usage)
				}
			}
		})
		t.Run(client.name+" tools", func(t *testing.T) {
			codex.Reset()
			scenario := "respond_stream"
			if openai {
				scenario = "respond_helper"
			}
			codex.Enqueue(provider.Answer{Reasoning: "let me see", Text: "One moment.", Image: "iVBORw0KGgo=", ToolCalls: twoCalls})
			seen := client.call(t, s, scenario, "m/responses")
			if eachCall(t, scenario, seen); seen.Text != "One moment." {
				t.Errorf("text %q", seen.Text)
			}
		})
		t.Run(client.name+" row 137: failures", func(t *testing.T) {
			codex.Reset()
			codex.Enqueue(provider.Stream{Answer: provider.Answer{Text: "one two three"}, Pieces: 2, Pace: apart, End: provider.EndError})
			if seen := client.call(t, s, "respond_stream", "m/responses"); openai && (seen.Text != "one two" || seen.Error == nil || seen.Error.Message == "") {
				t.Errorf("text %q, error %+v", seen.Text, seen.Error)
			}
		})
		if !openai {
			continue
		}
		t.Run(client.name+" second turn", func(t *testing.T) {
			codex.Reset()
			codex.Enqueue(provider.Answer{Reasoning: "step by step", Text: "One moment.", ToolCalls: twoCalls})
			if seen := client.call(t, s, "respond_round_trip", "m/responses"); seen.Error != nil || seen.Text != said {
				t.Errorf("%+v, error %+v", seen, seen.Error)
			}
			codex.recalled(t)
		})
		t.Run(client.name+" structured output and image", func(t *testing.T) {
			codex.Reset()
			codex.Enqueue(provider.Answer{Text: `{"name":"Köln","inhabitants":1000000}`})
			if seen := client.call(t, s, "respond_parse", "m/responses"); seen.Parsed == nil || seen.Parsed.Name != "Köln" {
				t.Errorf("%+v, error %+v", seen, seen.Error)
			}
			if seen := client.call(t, s, "respond_image", "m/responses"); seen.Text != said {
				t.Errorf("%+v, error %+v", seen, seen.Error)
			}
		})
	}
}

func TestResponsesProviderThroughAnthropicsSDK(t *testing.T) {
	s, codex := responding(t)
	s.start()
	client := startPython(t, "anthropic")
	for _, scenario := range []string{"whole", "stream"} {
		seen := client.call(t, s, scenario, "m/responses")
		if seen.Error != nil || seen.Text != said || seen.Finish != "end_turn" || seen.Usage.Input != 11 || !near(seen.Usage.Cost, 25e-6) {
			t.Errorf("%s: %+v, error %+v", scenario, seen, seen.Error)
		}
	}
	for _, scenario := range []string{"tools", "tools_stream"} {
		codex.Enqueue(provider.Answer{ToolCalls: twoCalls})
		seen := client.call(t, s, scenario, "m/responses")
		if eachCall(t, scenario, seen); seen.Finish != "tool_use" {
			t.Errorf("%s: finish %q", scenario, seen.Finish)
		}
	}
	thinking := settings{"thinking": settings{"type": "enabled", "budget_tokens": 2000}}
	codex.Enqueue(provider.Answer{Reasoning: "hm so", Text: said})
	if seen := client.callWith(t, s, "stream", "m/responses", thinking); !slices.Equal(seen.Texts, []string{"hm so"}) || seen.Text != said {
		t.Errorf("%+v, error %+v", seen, seen.Error)
	}
	codex.Enqueue(provider.Answer{Reasoning: "hm", ToolCalls: twoCalls})
	if seen := client.callWith(t, s, "history", "m/responses", thinking); seen.Text != said {
		t.Errorf("%+v, error %+v", seen, seen.Error)
	}
	codex.recalled(t)
	codex.Enqueue(provider.Stream{Answer: provider.Answer{Text: "one two three"}, Pieces: 2, Pace: apart, End: provider.EndError})
	if seen := client.call(t, s, "stream", "m/responses"); seen.Text != "one two" || seen.Error == nil {
		t.Errorf("mid-stream: text %q, error %+v", seen.Text, seen.Error)
	}
}

// A request moves between the dialects, before an answer and before its first token.
func TestResponsesProviderFailover(t *testing.T) {
	s, codex := responding(t)
	gpt := s.openAI("gpt")
	s.serve("m/responses-first", codex, gpt)
	s.serve("m/chat-first", gpt, codex)
	s.start()
	for model, sites := range map[string][2]*site{"m/responses-first": {codex, gpt}, "m/chat-first": {gpt, codex}} {
		first, second := sites[0], sites[1]
		order := `"provider":{"order":["` + first.slug + `","` + second.slug + `"]}`
		for name, outage := range map[string]provider.Script{
			"503": provider.Failure{Status: 503}, "an error in the stream": provider.Stream{End: provider.EndError, Opening: true},
			"an empty answer": provider.Answer{Empty: true},
		} {
			t.Run(model+" "+name, func(t *testing.T) {
				for _, ask := range []func() answer{
					func() answer { return s.ask(streamed(model, order)) },
					func() answer {
						return s.do("POST", "/api/v1/responses", `{"model":"`+model+`","input":"hi","stream":true,`+order+`}`)
					},
				} {
					first.Reset()
					second.Reset()
					first.Enqueue(outage)
					if got := ask(); got.status != 200 || first.calls() != 1 || second.calls() != 1 || !strings.Contains(got.body, "Grüße") {
						t.Errorf("status %d: %s", got.status, got.body)
					}
				}
			})
		}
	}
}

// A client of the same API keeps its bytes: the order of members, what the gateway does
// not know, custom tools; and the provider's events get through as they are
// (known-failures 37).
func TestResponsesPassThrough(t *testing.T) {
	s := newStage(t)
	vendor := s.responder("vendor")
	vendor.config["strict"] = false
	s.serve("m/responses", vendor)
	s.start()
	vendor.Enqueue(provider.Stream{Answer: provider.Answer{Text: "one two"}})
	got := s.do("POST", "/api/v1/responses", `{"truncation":"auto","model":"m/responses","stream":true,"max_output_tokens":5,"user":"bob@example.com",
		"tools":[{"type":"custom","name":"patch","format":{"type":"text"}}], "input":[{"content":"hi","role":"user","phase":null}],
		"session_id":"s","store":false}`)
	want := `{"truncation":"auto","model":"gpt-5-mini","stream":true,"max_output_tokens":16,"user":"` + endUser(t, vendor) + `",` +
		`"tools":[{"type":"custom","name":"patch","format":{"type":"text"}}],"input":[{"content":"hi","role":"user"}],` +
		`"store":false,"include":["reasoning.encrypted_content"]}`
	if sent := string(vendor.last(t).Body); sent != want {
		t.Errorf("sent %s\nwant %s", sent, want)
	}
	if !strings.Contains(got.body, `"obfuscation":"x7Kq"`) || strings.Contains(got.body, "resp_0a1b") || !strings.HasSuffix(got.body, "data: [DONE]\n\n") {
		t.Errorf("%s", got.body)
	}
}

// endUser is the user that the last request names, which must not be an address.
func endUser(t *testing.T, at *site) string {
	t.Helper()
	user, _ := at.last(t).JSON["user"].(string)
	if user == "" || strings.Contains(user, "@") {
		t.Errorf("the user is %q", user)
	}
	return user
}

// Reasoning of one endpoint stays behind where another answers, which would refuse it.
func TestRow102ReasoningOfAnotherResponsesEndpoint(t *testing.T) {
	s := newStage(t)
	one, other := s.responder("one"), s.responder("other")
	s.serve("m/one", one)
	s.serve("m/other", other)
	s.start()
	tools := `"tools":[{"type":"function","name":"weather","strict":false,"parameters":{"type":"object"}}]`
	one.Enqueue(provider.Answer{Reasoning: "hm", ToolCalls: twoCalls[:1]})
	first := s.do("POST", "/api/v1/responses", `{"model":"m/one","input":"hi",`+tools+`}`)
	var made struct{ Output []json.RawMessage }
	if err := json.Unmarshal([]byte(first.body), &made); err != nil || len(made.Output) != 2 {
		t.Fatalf("%v in %s", err, first.body)
	}
	items := append([]json.RawMessage{[]byte(`{"role":"user","content":"hi"}`)}, made.Output...)
	items = append(items, []byte(`{"type":"function_call_output","call_id":"call_a","output":"sunny"}`))
	input, _ := json.Marshal(items)
	for model, at := range map[string]*site{"m/one": one, "m/other": other} {
		if got := s.do("POST", "/api/v1/responses", `{"model":"`+model+`","input":`+string(input)+`,`+tools+`}`); got.status != 200 {
			t.Errorf("%s: status %d: %s", model, got.status, got.body)
		}
		if kept := strings.Contains(string(at.last(t).Body), `"type":"reasoning"`); kept != (at == one) {
			t.Errorf("%s: reasoning is kept: %t, in %s", model, kept, at.last(t).Body)
		}
	}
}

// An answer that grew too long ends as one that is incomplete, and no failure (spec
// section 4.3).
func TestResponsesStreamThatGrewTooLong(t *testing.T) {
	s, codex := responding(t)
	s.start()
	codex.Enqueue(provider.Stream{
		Answer: provider.Answer{Text: "one two three"}, Pieces: 2, Pace: apart, End: provider.EndError,
		Error: provider.Failure{Status: 400, Code: "context_length_exceeded", Message: "too long"},
	})
	got := s.do("POST", "/api/v1/responses", `{"model":"m/responses","input":"hi","stream":true}`)
	if !strings.Contains(got.body, `"type":"response.incomplete"`) || !strings.Contains(got.body, `"incomplete_details":{"reason":"max_output_tokens"}`) {
		t.Errorf("%s", got.body)
	}
}
