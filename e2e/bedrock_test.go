package e2e

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/switchyard/switchyard/e2e/provider"
)

const (
	awsKey       = "AKIDEXAMPLE0123456789:wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"
	sonnet       = "us.anthropic.claude-sonnet-4-5-20250929-v1:0"
	sonnetByName = "arn:aws:bedrock:eu-central-1:123456789012:inference-profile/" + sonnet
)

// converse adds a provider that speaks Converse and wants signatures.
func (s *stage) converse(slug, key string) *site {
	s.Helper()
	// What is in an ARN must survive every hop, or the signature does not.
	return s.signed(s.keyed(slug, "bedrock", sonnetByName, key, provider.Bedrock))
}

// invoke adds a provider that serves Claude by InvokeModel and wants signatures.
func (s *stage) invoke(slug, key string) *site {
	s.Helper()
	return s.signed(s.keyed(slug, "anthropic_bedrock", sonnet, key, provider.BedrockClaude))
}

func (s *stage) signed(at *site) *site {
	at.config["authentication"], at.config["signing_region"] = "aws", "eu-central-1"
	return at
}

// bedrocks is a gateway with Bedrock's two APIs behind it, and one that signs with a
// session's credentials.
func bedrocks(t *testing.T) (*stage, map[string]*site) {
	t.Helper()
	s := newStage(t)
	sites := map[string]*site{
		"m/converse": s.converse("converse", awsKey),
		"m/invoke":   s.invoke("invoke", awsKey+":FwoGZXIvYXdzEXAMPLE//session=="),
	}
	for model, at := range sites {
		s.serve(model, at)
		s.models[model].(settings)["input_modalities"] = []any{"text", "image", "file"}
	}
	return s, sites
}

func TestBedrockThroughOpenAISDK(t *testing.T) {
	s, sites := bedrocks(t)
	s.start()
	client := startPython(t, "openai")
	for model, at := range sites {
		ask := func(t *testing.T, scenario string) observed {
			t.Helper()
			seen := client.call(t, s, scenario, model)
			if seen.Error != nil {
				t.Fatalf("%s: %+v", scenario, *seen.Error)
			}
			return seen
		}
		t.Run(model+" answers", func(t *testing.T) {
			at.Reset()
			for _, scenario := range []string{"chat", "stream", "stream_helper", "image"} {
				seen := ask(t, scenario)
				if seen.Text != said || seen.Finish != "stop" {
					t.Errorf("%s: text %q, finish %q", scenario, seen.Text, seen.Finish)
				}
				if seen.Usage == nil || seen.Usage.Input != 11 || seen.Usage.Output != 7 || !near(seen.Usage.Cost, 25e-6) {
					t.Errorf("%s: usage %+v", scenario, seen.Usage)
				}
			}
		})
		t.Run(model+" tools", func(t *testing.T) {
			at.Reset()
			for _, scenario := range []string{"tools", "tools_stream"} {
				at.Enqueue(provider.Answer{ToolCalls: twoCalls})
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
		t.Run(model+" second turn", func(t *testing.T) {
			at.Reset()
			at.Enqueue(provider.Answer{Reasoning: "hm", Text: "Let me see.", ToolCalls: twoCalls})
			if seen := ask(t, "round_trip"); seen.Text != said {
				t.Errorf("text %q", seen.Text)
			}
			// The fake has checked the turns, and the signature of the thought.
			if sent := string(at.last(t).Body); !strings.Contains(sent, "Sunny in Köln") || !strings.Contains(sent, provider.Signature("hm")) {
				t.Errorf("a result or the thought is missing in %s", sent)
			}
		})
		t.Run(model+" structured output", func(t *testing.T) {
			at.Reset()
			at.Enqueue(provider.Answer{Text: `{"name":"Köln","inhabitants":1000000}`})
			if seen := ask(t, "parse"); seen.Parsed == nil || seen.Parsed.Name != "Köln" {
				t.Errorf("%+v", seen)
			}
			if sent := string(at.last(t).Body); !strings.Contains(sent, "json_schema") || !strings.Contains(sent, "inhabitants") {
				t.Errorf("the schema is missing in %s", sent)
			}
		})
		t.Run(model+" errors", func(t *testing.T) {
			at.Reset()
			for status, class := range map[int]string{400: "BadRequestError", 429: "RateLimitError", 503: "InternalServerError"} {
				for _, scenario := range []string{"chat", "stream"} {
					at.Enqueue(provider.Failure{Status: status, Message: "Amazon's words"})
					seen := client.call(t, s, scenario, model)
					if seen.Error == nil || seen.Error.Class != class || !strings.Contains(seen.Error.Message, "Amazon's words") {
						t.Errorf("%s, %d: %+v", scenario, status, seen.Error)
					}
				}
			}
		})
	}
}

func TestBedrockThroughAnthropicSDK(t *testing.T) {
	s, sites := bedrocks(t)
	s.start()
	client := startPython(t, "anthropic")
	for model, at := range sites {
		t.Run(model, func(t *testing.T) {
			at.Reset()
			for _, scenario := range []string{"whole", "stream", "beta"} {
				seen := client.call(t, s, scenario, model)
				if seen.Error != nil || seen.Text != said || seen.Finish != "end_turn" || seen.Model != model || seen.Provider != at.slug {
					t.Errorf("%s: %+v, error %+v", scenario, seen, seen.Error)
					continue
				}
				if seen.Usage == nil || seen.Usage.Input != 11 || seen.Usage.Output != 7 || !near(seen.Usage.Cost, 25e-6) {
					t.Errorf("%s: usage %+v", scenario, seen.Usage)
				}
			}
			for _, scenario := range []string{"tools", "tools_stream"} {
				at.Enqueue(provider.Answer{ToolCalls: twoCalls})
				if seen := client.call(t, s, scenario, model); len(seen.Calls) != 2 || seen.Finish != "tool_use" || seen.Calls[1].ID != "call_b" {
					t.Errorf("%s: %+v, error %+v", scenario, seen, seen.Error)
				}
			}
		})
		// Thinking is asked for, comes signed, and goes back as the SDK keeps it.
		t.Run(model+" thinks", func(t *testing.T) {
			at.Reset()
			thinking := settings{"thinking": settings{"type": "enabled", "budget_tokens": 2000}}
			for _, scenario := range []string{"whole", "stream"} {
				at.Enqueue(provider.Answer{Reasoning: "hm so", Text: said})
				seen := client.callWith(t, s, scenario, model, thinking)
				if !slices.Equal(seen.Texts, []string{"hm so"}) || !slices.Equal(seen.Signatures, []string{provider.Signature("hm so")}) {
					t.Errorf("%s: %+v, error %+v", scenario, seen, seen.Error)
				}
				if sent := string(at.last(t).Body); !strings.Contains(sent, `"budget_tokens":2000`) {
					t.Errorf("no thinking in %s", sent)
				}
			}
			at.Enqueue(provider.Answer{Reasoning: "hm", ToolCalls: twoCalls}, provider.Answer{Text: said})
			if seen := client.callWith(t, s, "history", model, thinking); seen.Text != said {
				t.Errorf("%+v, error %+v", seen, seen.Error)
			}
		})
		t.Run(model+" breaks off", func(t *testing.T) {
			at.Reset()
			at.Enqueue(provider.Stream{Answer: provider.Answer{Text: "one two three"}, Pieces: 2, Pace: apart, End: provider.EndError})
			if seen := client.call(t, s, "stream", model); seen.Text != "one two" || seen.Error == nil {
				t.Errorf("text %q, error %+v", seen.Text, seen.Error)
			}
		})
	}
}

// A client of the Messages API gets the bytes of Claude's own answer.
func TestBedrockPassesMessagesThrough(t *testing.T) {
	s, sites := bedrocks(t)
	s.start()
	got := s.messages(`{"model":"m/invoke","max_tokens":9,"stream":true,"unheard_of":1,"messages":[{"content":"hi","role":"user"}]}`)
	if got.status != http.StatusBadRequest {
		t.Errorf("a field that the provider does not know: %d", got.status)
	}
	sites["m/invoke"].Reset()
	got = s.messages(`{"model":"m/invoke","max_tokens":9,"stream":true,"messages":[{"content":"hi","role":"user"}]}`)
	if !strings.Contains(got.body, `"ephemeral_5m_input_tokens":0`) || !strings.Contains(got.body, "event: message_stop") {
		t.Errorf("%d: %s", got.status, got.body)
	}
	want := `{"anthropic_version":"bedrock-2023-05-31","max_tokens":9,"messages":[{"content":"hi","role":"user"}]}`
	if sent := string(sites["m/invoke"].last(t).Body); sent != want {
		t.Errorf("sent %s", sent)
	}
}

// A request moves between dialects before the first byte, whatever fails and wherever
// Bedrock says so.
func TestBedrockFailover(t *testing.T) {
	s := newStage(t)
	gpt, converse, invoke := s.openAI("gpt"), s.converse("converse", awsKey), s.invoke("invoke", awsKey)
	s.serve("m/converse", converse, gpt)
	s.serve("m/invoke", invoke, gpt)
	// An endpoint that has just failed is tried by one request at a time, and a request may
	// still be at work when its client has the answer.
	s.serve("m/converse-loop", converse, gpt)
	s.serve("m/invoke-loop", invoke, gpt)
	s.start()
	for model, first := range map[string]*site{"m/converse": converse, "m/invoke": invoke} {
		order := `"provider":{"order":["` + first.slug + `","gpt"]}`
		for name, script := range map[string]provider.Script{
			"throttled":                   provider.Failure{Status: 429, Message: "Too many requests, please wait before trying again."},
			"denied":                      provider.Failure{Status: 403, Message: "You don't have access to the model with the specified model ID."},
			"the model has failed":        provider.Failure{Status: 424, Message: "The system encountered an unexpected error during processing."},
			"the account's quota is used": provider.Failure{Status: 400, Code: "ServiceQuotaExceededException"},
			"the model is not there":      provider.Failure{Status: 400, Message: "The provided model identifier is invalid."},
			"an exception comes first":    provider.Stream{End: provider.EndError},
			"a broken answer comes first": provider.Stream{End: provider.EndMalformed},
			"the connection is lost":      provider.Reset,
		} {
			for kind, body := range map[string]string{"whole": question(model, weatherTool, order), "streamed": streamed(model, weatherTool, order)} {
				t.Run(model+" "+name+" "+kind, func(t *testing.T) {
					first.Reset()
					gpt.Reset()
					first.Enqueue(script)
					if got := s.ask(body); got.status != 200 || first.calls() != 1 || !strings.Contains(got.body, `"provider":"gpt"`) {
						t.Errorf("status %d, %d calls: %s", got.status, first.calls(), got.body)
					}
				})
			}
		}
		// The conversation that one has begun the other can go on with.
		t.Run(model+" in a tool loop", func(t *testing.T) {
			first.Reset()
			gpt.Reset()
			first.Enqueue(provider.Answer{ToolCalls: twoCalls}, provider.Failure{Status: 500})
			message := withoutReasoning(t, s.ask(question(model+"-loop", weatherTool, order)).message(t))
			got := s.ask(`{"model":"` + model + `-loop",` + order + `,` + weatherTool + `,"messages":[{"role":"user","content":"hi"},` + message +
				`,{"role":"tool","tool_call_id":"call_a","content":"sunny"},{"role":"tool","tool_call_id":"call_b","content":"wet"}]}`)
			if got.status != 200 || first.calls() != 2 || gpt.calls() != 1 {
				t.Errorf("status %d, %d calls: %s", got.status, gpt.calls(), got.body)
			}
		})
	}
}

// A stream that fails in the middle says so inside it, in the service's words; cut in
// the middle of a message it is told as such (known-failures 24).
func TestBedrockStreamsThatFail(t *testing.T) {
	s, sites := bedrocks(t)
	s.start()
	for model, at := range sites {
		for name, test := range map[string]struct {
			end  provider.Ending
			says string
		}{"exception": {provider.EndError, "Overloaded"}, "cut": {provider.EndClean, "broke off"}, "a page": {provider.EndHTML, "cannot be read"}} {
			at.Reset()
			at.Enqueue(provider.Stream{Answer: provider.Answer{Text: "one two three"}, Pieces: 2, Pace: apart, End: test.end})
			gathered := s.ask(streamed(model)).transcript(t)
			if gathered.text != "one two" || len(gathered.errors) != 1 || gathered.finish != "error" {
				t.Errorf("%s, %s: %+v", model, name, gathered)
				continue
			}
			if words, _ := json.Marshal(gathered.errors[0]); !strings.Contains(string(words), test.says) {
				t.Errorf("%s, %s: %s", model, name, words)
			}
		}
		// Bytes one at a time are as good as in one piece.
		at.Reset()
		at.Enqueue(provider.Stream{Answer: provider.Answer{Text: said}, Framing: provider.Framing{Trickle: -1}})
		if gathered := s.ask(streamed(model)).transcript(t); gathered.text != said || !gathered.done {
			t.Errorf("%s, trickling: %+v", model, gathered)
		}
	}
}

// Row 101, of a stream that the client puts together by the details' indices.
func TestBedrockReasoningOfAStream(t *testing.T) {
	s, sites := bedrocks(t)
	s.start()
	for model, at := range sites {
		at.Enqueue(provider.Answer{Reasoning: "First hm, then aha.", RedactedThinking: "xyz", ToolCalls: twoCalls[:1]})
		gathered := s.ask(streamed(model, `"reasoning":{"effort":"high"}`, `"max_tokens":5000`, weatherTool)).transcript(t)
		if gathered.finish != "tool_calls" || gathered.native != "tool_use" || !gathered.done {
			t.Errorf("%s: finish %q, native %q", model, gathered.finish, gathered.native)
		}
		history, _ := json.Marshal(map[string]any{
			"role": "assistant", "content": nil, "reasoning_details": joinDetails(t, gathered),
			"tool_calls": []any{map[string]any{"id": "call_a", "type": "function", "function": map[string]any{"name": "weather", "arguments": `{}`}}},
		})
		got := s.ask(`{"model":"` + model + `","reasoning":{"effort":"high"},"max_tokens":5000,` + weatherTool + `,"messages":[{"role":"user","content":"hi"},` +
			string(history) + `,{"role":"tool","tool_call_id":"call_a","content":"sunny"}]}`)
		if sent := string(at.last(t).Body); got.status != 200 || !strings.Contains(sent, "EmwKAhgBxyz") || !strings.Contains(sent, provider.Signature("First hm, then aha.")) {
			t.Errorf("%s: %d, sent %s", model, got.status, sent)
		}
	}
}

// Where the gateway fetches nothing, an image that Bedrock would have to fetch is refused
// in words that say what to do.
func TestBedrockFetchesNothing(t *testing.T) {
	s, sites := bedrocks(t)
	s.config["fetch"] = settings{"disabled": true}
	s.start()
	for model, at := range sites {
		got := s.ask(`{"model":"` + model + `","messages":[{"role":"user","content":[{"type":"image_url","image_url":{"url":"https://example.com/a.png"}}]}]}`)
		if failed := got.failed(t, 400); !strings.Contains(failed.Message, "base64") || at.calls() != 0 {
			t.Errorf("%s: %+v", model, failed)
		}
	}
}

// Who fetches the image itself answers in Bedrock's place, wherever it stands in the
// order: what Bedrock cannot be given is no outage, and no end of the request.
func TestBedrockLeavesAnURLToOthers(t *testing.T) {
	s := newStage(t)
	gpt, converse, invoke := s.openAI("gpt"), s.converse("converse", awsKey), s.invoke("invoke", awsKey)
	s.config["fetch"] = settings{"disabled": true}
	s.routing(settings{"hedge_after": "0.2s"})
	s.serve("m/first", converse, invoke, gpt)
	s.serve("m/last", gpt, converse, invoke)
	for _, model := range []string{"m/first", "m/last"} {
		s.models[model].(settings)["input_modalities"] = []any{"text", "image"}
	}
	s.start()
	const image = `"messages":[{"role":"user","content":[{"type":"image_url","image_url":{"url":"https://example.com/a.png"}}]}]`
	answered := func(when, body string) {
		t.Helper()
		if got := s.ask(body); got.status != 200 || !strings.Contains(got.body, `"provider":"gpt"`) {
			t.Errorf("%s: %d %s", when, got.status, got.body)
		}
	}
	answered("behind the refusals", `{"model":"m/first",`+image+`}`)
	answered("behind the refusals, streamed", `{"model":"m/first","stream":true,`+image+`}`)
	slow := provider.Late{After: 700 * time.Millisecond, Then: provider.Answer{}}
	gpt.Enqueue(slow, slow)
	answered("slow, with the refusals of hedges beside it", `{"model":"m/last",`+image+`}`)
	answered("slow, streamed", `{"model":"m/last","stream":true,`+image+`}`)
	gpt.Default(provider.Failure{Status: 503, Message: "gpt is busy"})
	for _, model := range []string{"m/first", "m/last"} {
		got := s.ask(`{"model":"` + model + `",` + image + `}`)
		failed := got.failed(t, 503)
		if failed.Message != "gpt: gpt is busy" || strings.Count(got.body, "fetches no URL") != 2 {
			t.Errorf("%s, an outage and refusals: %s", model, got.body)
		}
	}
	if converse.calls()+invoke.calls() != 0 {
		t.Error("Bedrock was asked")
	}
}

// An API key of Bedrock's needs no signature.
func TestBedrockAPIKey(t *testing.T) {
	s := newStage(t)
	converse := s.site("converse", "bedrock", sonnet, provider.Bedrock)
	invoke := s.site("invoke", "anthropic_bedrock", sonnet, provider.BedrockClaude)
	s.serve("m/converse", converse)
	s.serve("m/invoke", invoke)
	s.start()
	for _, model := range []string{"m/converse", "m/invoke"} {
		if got := s.ask(question(model)); got.status != 200 {
			t.Errorf("%s: status %d: %s", model, got.status, got.body)
		}
	}
}

// A wrong secret is the gateway's mistake: another provider answers, and nobody reads
// of it but the operator.
func TestBedrockWrongSecret(t *testing.T) {
	s := newStage(t)
	bedrock, gpt := provider.Bedrock(provider.Config{Key: awsKey}), s.openAI("gpt")
	server, err := bedrock.Start(provider.Network{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(server.Close)
	s.providers["bedrock"] = settings{
		"dialect": "bedrock", "base_url": server.URL, "authentication": "aws", "signing_region": "us-east-1",
		"credential": settings{"value": strings.Replace(awsKey, "wJalr", "another", 1)},
	}
	s.models["m/x"] = settings{"endpoints": []any{settings{"provider": "bedrock", "model": sonnet, "prices": settings{"prompt": "1", "completion": "2"}}, gpt.endpoint("1", "2")}}
	s.models["m/alone"] = settings{"endpoints": []any{settings{"provider": "bedrock", "model": sonnet, "prices": settings{"prompt": "1", "completion": "2"}}}}
	s.start()
	if got := s.ask(question("m/x")); got.status != 200 || gpt.calls() != 1 || !strings.Contains(bedrock.Violations()[0], "signature we calculated does not match") {
		t.Errorf("status %d: %s, %v", got.status, got.body, bedrock.Violations())
	}
	if got := s.ask(question("m/alone")); got.status != 502 || strings.Contains(got.body, "AKID") || strings.Contains(got.body, "signature") {
		t.Errorf("status %d: %s", got.status, got.body)
	}
}
