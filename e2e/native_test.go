package e2e

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/switchyard/switchyard/e2e/provider"
)

// cohere adds a provider that speaks Cohere's API.
func (s *stage) cohere(slug, model string) *site {
	s.Helper()
	return s.site(slug, "cohere", model, provider.Cohere)
}

// ollama adds a provider that speaks Ollama's own API.
func (s *stage) ollama(slug, model string) *site {
	s.Helper()
	return s.site(slug, "ollama", model, provider.Ollama)
}

// natives is a gateway with the models m/cohere and m/ollama.
func natives(t *testing.T) (*stage, map[string]*site) {
	t.Helper()
	s := newStage(t)
	sites := map[string]*site{
		"m/cohere": s.cohere("command", "command-a-03-2025"),
		"m/ollama": s.ollama("llama", "llama3.2"),
	}
	for model, at := range sites {
		s.serve(model, at)
		s.models[model].(settings)["input_modalities"] = []any{"text", "image"}
	}
	return s, sites
}

func TestNativesThroughTheSDK(t *testing.T) {
	s, sites := natives(t)
	s.start()
	for _, client := range openAIClients(t) {
		for model, at := range sites {
			ask := func(t *testing.T, scenario string) observed {
				t.Helper()
				seen := client.call(t, s, scenario, model)
				if seen.Error != nil {
					t.Fatalf("%s: %+v", scenario, *seen.Error)
				}
				return seen
			}
			t.Run(client.name+" "+model+" answers", func(t *testing.T) {
				at.Reset()
				for _, scenario := range []string{"chat", "stream", "stream_helper", "image"} {
					seen := ask(t, scenario)
					if seen.Text != said || seen.Finish != "stop" {
						t.Errorf("%s: text %q, finish %q", scenario, seen.Text, seen.Finish)
					}
					// Cohere counts more than it bills.
					if seen.Usage == nil || seen.Usage.Input != 11 || seen.Usage.Output != 7 || !near(seen.Usage.Cost, 25e-6) {
						t.Errorf("%s: usage %+v", scenario, seen.Usage)
					}
				}
			})
			t.Run(client.name+" "+model+" tools", func(t *testing.T) {
				at.Reset()
				for _, scenario := range []string{"tools", "tools_stream"} {
					at.Enqueue(provider.Answer{ToolCalls: twoCalls})
					seen := ask(t, scenario)
					if len(seen.Calls) != 2 || seen.Finish != "tool_calls" {
						t.Fatalf("%s: %+v", scenario, seen)
					}
					for i, got := range seen.Calls {
						if want := twoCalls[i]; got.ID != want.ID || got.Name != want.Name || got.Arguments != want.Arguments {
							t.Errorf("%s: call %d is %+v, want %+v", scenario, i, got, want)
						}
					}
				}
			})
			// The SDK sends the answer back as it holds it.
			t.Run(client.name+" "+model+" second turn", func(t *testing.T) {
				at.Reset()
				at.Enqueue(provider.Answer{Reasoning: "hm", Text: "Let me see.", ToolCalls: twoCalls})
				if seen := ask(t, "round_trip"); seen.Text != said {
					t.Errorf("text %q", seen.Text)
				}
				if sent := string(at.last(t).Body); !strings.Contains(sent, "Sunny in Köln") || !strings.Contains(sent, `"thinking":"hm"`) {
					t.Errorf("the tool's result or the thought is missing in %s", sent)
				}
			})
			t.Run(client.name+" "+model+" structured output", func(t *testing.T) {
				at.Reset()
				at.Enqueue(provider.Answer{Text: `{"name":"Köln","inhabitants":1000000}`})
				if seen := ask(t, "parse"); seen.Parsed == nil || seen.Parsed.Name != "Köln" {
					t.Errorf("%+v", seen)
				}
				if sent := string(at.last(t).Body); !strings.Contains(sent, `"inhabitants":{`) {
					t.Errorf("the schema is missing in %s", sent)
				}
			})
			t.Run(client.name+" "+model+" errors", func(t *testing.T) {
				at.Reset()
				for status, class := range map[int]string{400: "BadRequestError", 429: "RateLimitError", 503: "InternalServerError"} {
					at.Enqueue(provider.Failure{Status: status, Message: "the vendor's words"})
					seen := client.call(t, s, "chat", model)
					if seen.Error == nil || seen.Error.Class != class || !strings.Contains(seen.Error.Message, "the vendor's words") {
						t.Errorf("%d: %+v", status, seen.Error)
					}
				}
				at.Enqueue(provider.Stream{Answer: provider.Answer{Text: "one two three"}, Pieces: 2, Pace: apart, End: provider.EndError})
				if seen := client.call(t, s, "stream", model); seen.Text != "one two" || seen.Error == nil || seen.Error.Class != "APIError" {
					t.Errorf("text %q, error %+v", seen.Text, seen.Error)
				}
			})
		}
	}
}

func TestNativesThroughAnthropicsSDK(t *testing.T) {
	s, sites := natives(t)
	s.start()
	client := startPython(t, "anthropic")
	for model, at := range sites {
		t.Run(model, func(t *testing.T) {
			for _, scenario := range []string{"whole", "stream"} {
				seen := client.call(t, s, scenario, model)
				if seen.Error != nil || seen.Text != said || seen.Finish != "end_turn" || seen.Usage == nil || seen.Usage.Input != 11 || seen.Usage.Output != 7 {
					t.Errorf("%s: %+v, error %+v", scenario, seen, seen.Error)
				}
			}
			for _, scenario := range []string{"tools", "tools_stream"} {
				at.Enqueue(provider.Answer{ToolCalls: twoCalls})
				seen := client.call(t, s, scenario, model)
				if seen.Error != nil || len(seen.Calls) != 2 || seen.Finish != "tool_use" || seen.Calls[1].ID != twoCalls[1].ID {
					t.Errorf("%s: %+v, error %+v", scenario, seen, seen.Error)
				}
			}
			at.Enqueue(provider.Answer{Reasoning: "hm", ToolCalls: twoCalls}, provider.Answer{Text: said})
			if seen := client.call(t, s, "history", model); seen.Error != nil || seen.Text != said {
				t.Errorf("%+v, error %+v", seen, seen.Error)
			}
		})
	}
}

// Reasoning is asked for, told apart from the text, and goes back.
func TestNativesReason(t *testing.T) {
	s, sites := natives(t)
	s.start()
	for model, asks := range map[string]string{
		"m/cohere": `"thinking":{"type":"enabled","token_budget":1600}`,
		"m/ollama": `"think":"high"`,
	} {
		at := sites[model]
		for name, body := range map[string]string{
			"whole":    question(model, `"max_tokens":2000`, `"reasoning":{"effort":"high"}`),
			"streamed": streamed(model, `"max_tokens":2000`, `"reasoning":{"effort":"high"}`),
		} {
			t.Run(model+" "+name, func(t *testing.T) {
				at.Reset()
				at.Enqueue(provider.Answer{Reasoning: "First hm, then aha.", Text: "So."})
				got := s.ask(body)
				text, reasoning := "", ""
				if name == "whole" {
					var message struct{ Content, Reasoning string }
					if err := json.Unmarshal([]byte(got.message(t)), &message); err != nil {
						t.Fatal(err)
					}
					text, reasoning = message.Content, message.Reasoning
				} else {
					gathered := got.transcript(t)
					details := joinDetails(t, gathered)
					if len(details) != 1 {
						t.Fatalf("details %v", details)
					}
					text, reasoning = gathered.text, details[0]["text"].(string)
				}
				if text != "So." || reasoning != "First hm, then aha." {
					t.Errorf("text %q, reasoning %q", text, reasoning)
				}
				if sent := string(at.last(t).Body); !strings.Contains(sent, asks) {
					t.Errorf("%s is missing in %s", asks, sent)
				}
			})
		}
	}
}

// Row 73: what Cohere cites becomes annotations, of URLs where its documents have them.
func TestRow73CohereCitations(t *testing.T) {
	s, sites := natives(t)
	s.start()
	at := sites["m/cohere"]
	const documents = `"documents":[{"id":"doc-1","data":{"snippet":"s"}}],"citation_options":{"mode":"FAST"}`
	for name, body := range map[string]string{"whole": question("m/cohere", documents), "streamed": streamed("m/cohere", documents)} {
		t.Run(name, func(t *testing.T) {
			at.Enqueue(provider.Answer{Text: "Köln is wet.", Reasoning: "hm", Citations: []provider.Citation{
				{Start: 0, End: 4, ID: "doc-1"}, {Start: 8, End: 11, ID: "web-1", URL: "https://a/b"},
			}})
			got := s.ask(body)
			for _, want := range []string{
				`{"type":"url_citation","url_citation":{"url":"doc-1","title":"doc-1","content":"Köln","start_index":0,"end_index":4}}`,
				`{"type":"url_citation","url_citation":{"url":"https://a/b","title":"The title","content":"wet","start_index":8,"end_index":11}}`,
			} {
				if !strings.Contains(got.body, want) {
					t.Errorf("status %d: %s is missing in %s", got.status, want, got.body)
				}
			}
			if sent := string(at.last(t).Body); !strings.Contains(sent, documents) {
				t.Errorf("the documents are missing in %s", sent)
			}
		})
	}
}

// What Ollama's other dialect has no words for.
func TestOllamasOwnOptions(t *testing.T) {
	s, sites := natives(t)
	s.config["fetch"] = settings{"disabled": true}
	s.start()
	at := sites["m/ollama"]
	got := s.ask(question("m/ollama", `"temperature":0.2`, `"options":{"num_ctx":8192,"temperature":0.1}`, `"keep_alive":"10m"`))
	if got.status != 200 {
		t.Fatalf("status %d: %s", got.status, got.body)
	}
	want := `{"model":"llama3.2","messages":[{"role":"user","content":"hi"}],"stream":false,"options":{"num_ctx":8192,"temperature":0.1},"keep_alive":"10m"}`
	if sent := string(at.last(t).Body); sent != want {
		t.Errorf("the provider got %s, want %s", sent, want)
	}
	// Older servers give calls no ids, which clients need to answer them: no two of them
	// are alike, in other answers neither.
	ids := map[string]bool{}
	for range 2 {
		at.Enqueue(provider.Answer{ToolCalls: []provider.ToolCall{{ID: "-", Name: "weather"}, {ID: "-", Name: "weather"}}})
		gathered := s.ask(streamed("m/ollama", weatherTool)).transcript(t)
		for _, call := range gathered.calls {
			ids[call.ID] = true
		}
	}
	if len(ids) != 4 || ids[""] {
		t.Errorf("ids of two calls, told twice: %v", ids)
	}
	failed := s.ask(`{"model":"m/ollama","messages":[{"role":"user","content":[{"type":"image_url","image_url":{"url":"https://a/b.png"}}]}]}`).failed(t, 400)
	if !strings.Contains(failed.Message, "base64") {
		t.Errorf("%+v", failed)
	}
}

// A request moves on, before the answer and where the stream begins with an error; a
// conversation of one dialect goes on in the other.
func TestNativesFailOver(t *testing.T) {
	s, sites := natives(t)
	gpt := s.openAI("gpt")
	scripts := map[string]provider.Script{
		"an error":                provider.Failure{Status: 503},
		"a lost connection":       provider.Reset,
		"a stream that is broken": provider.Stream{End: provider.EndMalformed, Opening: true},
		"an error in a stream":    provider.Stream{End: provider.EndError, Opening: true},
		"nothing at all":          provider.Answer{Empty: true, UsageIn: provider.UsageNowhere},
	}
	// Each case has a model of its own, whose endpoint has not just failed.
	named := func(model, script, kind string) string {
		return strings.ReplaceAll(model+"-"+script+"-"+kind, " ", "-")
	}
	kinds := map[string]func(model string, members ...string) string{"whole": question, "streamed": streamed}
	for model, at := range sites {
		s.serve(model+"-loop", at, gpt)
		for script := range scripts {
			for kind := range kinds {
				s.serve(named(model, script, kind), at, gpt)
			}
		}
	}
	s.start()
	for model, at := range sites {
		order := `"provider":{"order":["` + at.slug + `","gpt"]}`
		for name, script := range scripts {
			for kind, body := range kinds {
				t.Run(model+" "+name+" "+kind, func(t *testing.T) {
					at.Reset()
					gpt.Reset()
					at.Enqueue(script)
					if got := s.ask(body(named(model, name, kind), weatherTool, order)); got.status != 200 || at.calls() != 1 || !strings.Contains(got.body, `"provider":"gpt"`) {
						t.Errorf("status %d, %d calls: %s", got.status, at.calls(), got.body)
					}
				})
			}
		}
		t.Run(model+" in a tool loop", func(t *testing.T) {
			at.Reset()
			gpt.Reset()
			at.Enqueue(provider.Answer{ToolCalls: twoCalls}, provider.Failure{Status: 500})
			message := s.ask(question(model+"-loop", weatherTool, order)).message(t)
			got := s.ask(`{"model":"` + model + `-loop",` + order + `,` + weatherTool + `,"messages":[{"role":"user","content":"hi"},` + message +
				`,{"role":"tool","tool_call_id":"call_a","content":"sunny"},{"role":"tool","tool_call_id":"call_b","content":"wet"}]}`)
			if got.status != 200 || gpt.calls() != 1 {
				t.Errorf("status %d: %s", got.status, got.body)
			}
		})
	}
}

// A stream that is cut is told as such, whatever its framing.
func TestNativesCutStreams(t *testing.T) {
	s, sites := natives(t)
	s.start()
	for model, at := range sites {
		for _, script := range []provider.Script{
			provider.Stream{Answer: provider.Answer{Text: "one two three"}, Pieces: 2, Pace: apart, End: provider.EndClean},
			provider.Stream{Answer: provider.Answer{Text: "one two three"}, Pieces: 2, Pace: apart, End: provider.EndMalformed},
		} {
			at.Enqueue(script)
			if gathered := s.ask(streamed(model)).transcript(t); gathered.text != "one two" || len(gathered.errors) != 1 || gathered.finish != "error" {
				t.Errorf("%s: %+v", model, gathered)
			}
		}
		at.Enqueue(provider.Stream{Answer: provider.Answer{Text: "Grüße, 世界 and 🌍."}, Framing: provider.Framing{Trickle: -1}})
		if gathered := s.ask(streamed(model)).transcript(t); gathered.text != "Grüße, 世界 and 🌍." || !gathered.done {
			t.Errorf("%s, byte by byte: %+v", model, gathered)
		}
	}
}

// embedders is a gateway whose models of embeddings are at a provider of each dialect
// that has a form of its own for them.
func embedders(t *testing.T) (*stage, map[string]*site) {
	t.Helper()
	s := newStage(t)
	sites := map[string]*site{
		"e/cohere": s.cohere("command", "embed-v4.0"),
		"e/ollama": s.ollama("llama", "nomic-embed-text"),
		"e/gemini": s.site("google", "gemini", "gemini-embedding-001", provider.Gemini),
	}
	for model, at := range sites {
		s.makes("embeddings", model, settings{"prompt": "1"}, at)
		at.Default(provider.Answer{Usage: provider.Usage{Input: 11}})
	}
	return s, sites
}

func TestRow145EmbeddingsOfNatives(t *testing.T) {
	s, sites := embedders(t)
	s.start()
	for model, want := range map[string]string{
		"e/cohere": `{"model":"embed-v4.0","input_type":"search_document","embedding_types":["float"],"output_dimension":256,"texts":["a","b"]}`,
		"e/ollama": `{"model":"nomic-embed-text","input":["a","b"],"dimensions":256}`,
		"e/gemini": `{"requests":[{"model":"models/gemini-embedding-001","content":{"parts":[{"text":"a"}]},"outputDimensionality":256},` +
			`{"model":"models/gemini-embedding-001","content":{"parts":[{"text":"b"}]},"outputDimensionality":256}]}`,
	} {
		for _, test := range []struct{ members, want string }{
			{``, `"data":[{"object":"embedding","index":0,"embedding":[0.5,-0.25,0.001]},{"object":"embedding","index":1,"embedding":[1.5,-0.25,0.001]}]`},
			{`,"encoding_format":"base64"`, `"embedding":"AAAAPwAAgL5vEoM6"`},
		} {
			got := s.do(http.MethodPost, "/api/v1/embeddings", `{"model":"`+model+`","input":["a","b"],"dimensions":256,"user":"bob"`+test.members+`}`)
			decoded := got.decode(t)
			if got.status != 200 || !strings.Contains(got.body, test.want) {
				t.Errorf("%s: status %d: %s", model, got.status, got.body)
			}
			if decoded.Object != "list" || decoded.Model != model || decoded.Provider != sites[model].slug || decoded.ID != got.header.Get("X-Generation-Id") {
				t.Errorf("%s: %s", model, got.body)
			}
			if u := decoded.Usage; u == nil || u.Prompt != 11 || u.Total != 11 || u.Cost == nil || !near(*u.Cost, 11e-6) {
				t.Errorf("%s: usage in %s", model, got.body)
			}
			if sent := string(sites[model].last(t).Body); sent != want {
				t.Errorf("%s: the provider got\n%s, want\n%s", model, sent, want)
			}
		}
	}
	for _, client := range openAIClients(t) {
		for model := range sites {
			for _, scenario := range []string{"embeddings", "embeddings_float"} {
				if seen := client.call(t, s, scenario, model); seen.Error != nil || !sameVectors(seen.Vectors) || seen.Usage == nil || seen.Usage.Input != 11 {
					t.Errorf("%s, %s, %s: %+v, error %+v", client.name, scenario, model, seen, seen.Error)
				}
			}
		}
	}
}

// What the vectors are for, clients may say; what no dialect can say is refused.
func TestEmbeddingsOfNativesInDetail(t *testing.T) {
	s, sites := embedders(t)
	s.models["e/cohere"].(settings)["input_modalities"] = []any{"text", "image"}
	s.start()
	for _, test := range []struct{ model, members, sent string }{
		{"e/cohere", `"input":"a","input_type":"search_query"`, `"input_type":"search_query"`},
		{"e/gemini", `"input":"a","input_type":"search_query"`, `"taskType":"RETRIEVAL_QUERY"`},
		{"e/ollama", `"input":"a","keep_alive":"1m","truncate":true`, `"keep_alive":"1m","truncate":true`},
		{"e/cohere", `"input":[{"content":[{"type":"text","text":"a"},{"type":"image_url","image_url":{"url":"data:image/png;base64,iVBORw0KGgo="}}]}]`,
			`"inputs":[{"content":[{"type":"text","text":"a"},{"type":"image_url","image_url":{"url":"data:image/png;base64,iVBORw0KGgo="}}]}]`},
	} {
		if got := s.do(http.MethodPost, "/v1/embeddings", `{"model":"`+test.model+`",`+test.members+`}`); got.status != 200 {
			t.Errorf("%s: status %d: %s", test.model, got.status, got.body)
		} else if sent := string(sites[test.model].last(t).Body); !strings.Contains(sent, test.sent) {
			t.Errorf("%s: %s is missing in %s", test.model, test.sent, sent)
		}
	}
	for model := range sites {
		if got := s.do(http.MethodPost, "/v1/embeddings", `{"model":"`+model+`","input":[1,2]}`); got.status != 400 || !strings.Contains(got.body, "must be text") {
			t.Errorf("tokens at %s: status %d: %s", model, got.status, got.body)
		}
	}
	// Where the API says nothing of usage, the gateway guesses.
	sites["e/gemini"].Default(provider.Answer{UsageIn: provider.UsageNowhere})
	got := s.do(http.MethodPost, "/v1/embeddings", `{"model":"e/gemini","input":"`+strings.Repeat("word", 10)+`"}`)
	if u := got.decode(t).Usage; u == nil || u.Prompt != 10 {
		t.Errorf("usage in %s", got.body)
	}
}

// Vectors move on to another provider of the model, in another dialect.
func TestEmbeddingsOfNativesFailOver(t *testing.T) {
	s, sites := embedders(t)
	others := s.embedder("others")
	for model, at := range sites {
		s.makes("embeddings", model+"-first", settings{"prompt": "1"}, at, others)
	}
	s.start()
	for model, at := range sites {
		for name, script := range map[string]provider.Script{
			"an error":       provider.Failure{Status: 503},
			"no vectors":     provider.Raw{Header: http.Header{"Content-Type": {"application/json"}}, Body: `{"embeddings":[]}`},
			"a vector less":  provider.Raw{Header: http.Header{"Content-Type": {"application/json"}}, Body: `{"embeddings":[[1]]}`},
			"something else": provider.Raw{Header: http.Header{"Content-Type": {"application/json"}}, Body: `{"message":{"role":"assistant","content":"hi"},"done":true}`},
		} {
			at.Enqueue(script)
			body := `{"model":"` + model + `-first","input":["a","b"],"provider":{"order":["` + at.slug + `","others"]}}`
			if got := s.do(http.MethodPost, "/api/v1/embeddings", body); got.status != 200 || got.decode(t).Provider != "others" {
				t.Errorf("%s, %s: status %d: %s", model, name, got.status, got.body)
			}
		}
	}
}

func TestRow147RerankOfCohere(t *testing.T) {
	s := newStage(t)
	at := s.cohere("command", "rerank-v4.0-fast")
	others := s.reranker("others")
	s.makes("rerank", "r/x", settings{"request": "0.002"}, at, others)
	s.start()
	got := s.do(http.MethodPost, "/api/v1/rerank", `{"model":"r/x","query":"q","documents":["a",{"text":"b","title":"t"}],"top_n":1,"max_tokens_per_doc":9,"return_documents":true}`)
	if want := `"results":[{"index":1,"relevance_score":0.9,"document":{"text":"b","title":"t"}}],"usage":{"cost":0.002,"search_units":1}}`; got.status != 200 || !strings.Contains(got.body, want) {
		t.Errorf("status %d: %s", got.status, got.body)
	}
	if sent := string(at.last(t).Body); sent != `{"model":"rerank-v4.0-fast","query":"q","documents":["a","b"],"top_n":1,"max_tokens_per_doc":9}` {
		t.Errorf("the provider got %s", sent)
	}
	many := s.do(http.MethodPost, "/v1/rerank", `{"model":"r/x","query":"q","documents":["a"`+strings.Repeat(`,"a"`, 100)+`]}`)
	if !strings.Contains(many.body, `"usage":{"cost":0.004,"search_units":2}`) {
		t.Errorf("status %d: %s", many.status, tail(many.body))
	}
	at.Enqueue(provider.Raw{Header: http.Header{"Content-Type": {"application/json"}}, Body: `{"results":[{"index":7,"relevance_score":0.9}]}`})
	moved := s.do(http.MethodPost, "/v1/rerank", `{"model":"r/x","query":"q","documents":["a"],"provider":{"order":["command","others"]}}`)
	if moved.status != 200 || moved.decode(t).Provider != "others" {
		t.Errorf("status %d: %s", moved.status, moved.body)
	}
	for _, client := range openRouterSDKs(t) {
		seen := client.call(t, s, "rerank", "r/x")
		if seen.Error != nil || !slices.Equal(seen.Texts, []string{"c", "b"}) || seen.Usage == nil || seen.Usage.Input != 1 || !near(seen.Usage.Cost, 0.002) {
			t.Errorf("%s: %+v, error %+v", client.name, seen, seen.Error)
		}
	}
}

// Row 146: who has no rerank is named when the configuration is read, and a model that
// is asked for at the wrong endpoint in the answer.
func TestRow146WrongEndpointOfNatives(t *testing.T) {
	s, _ := embedders(t)
	s.start()
	got := s.do(http.MethodPost, "/api/v1/chat/completions", question("e/cohere"))
	if failed := got.decode(t).Error; got.status != 400 || failed == nil || failed.Availability.Code != "wrong_endpoint" {
		t.Errorf("status %d: %s", got.status, got.body)
	}
}

// An Ollama has whatever it has: nothing is known of its models in advance.
func TestOllamaOnDemand(t *testing.T) {
	s := newStage(t)
	s.ollama("local", "llama3.2").config["any_model"] = true
	s.start()
	if got := s.ask(question("local/llama3.2")); got.status != 200 || !strings.Contains(got.body, `"model":"local/llama3.2"`) {
		t.Errorf("status %d: %s", got.status, got.body)
	}
	if got := s.do(http.MethodPost, "/v1/embeddings", `{"model":"local/llama3.2","input":"a"}`); got.status != 200 {
		t.Errorf("status %d: %s", got.status, got.body)
	}
}

// A call without arguments is called with an empty object, which is what clients parse;
// and a temperature that other APIs take is within Cohere's range.
func TestCohereCallsWithoutArguments(t *testing.T) {
	s, sites := natives(t)
	s.start()
	at := sites["m/cohere"]
	for name, body := range map[string]string{
		"whole": question("m/cohere", weatherTool, `"temperature":1.8`), "streamed": streamed("m/cohere", weatherTool, `"temperature":1.8`),
	} {
		at.Enqueue(provider.Answer{ToolCalls: []provider.ToolCall{{ID: "call_a", Name: "weather"}}})
		got := s.ask(body)
		if got.status != 200 || !strings.Contains(got.body, `"arguments":"{}"`) {
			t.Errorf("%s: %d %s", name, got.status, got.body)
		}
	}
}
