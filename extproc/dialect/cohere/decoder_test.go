package cohere

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/switchyard/switchyard/extproc/dialect"
	"github.com/switchyard/switchyard/extproc/dialect/openai"
	"github.com/switchyard/switchyard/extproc/sse"
)

// decode reads data, one event a line.
func decode(t *testing.T, lines string) ([]dialect.Event, error) {
	t.Helper()
	decoder := Provider{}.Decoder()
	var all []dialect.Event
	for line := range strings.Lines(lines) {
		events, err := decoder.Event(sse.Event{Data: []byte(line)})
		if err != nil {
			return all, err
		}
		all = append(all, events...)
	}
	return all, nil
}

var (
	text      = func(text string) dialect.Event { return dialect.Event{Kind: dialect.EventText, Text: text} }
	arguments = func(index int, text string) dialect.Event {
		return dialect.Event{Kind: dialect.EventToolArguments, Index: index, Text: text}
	}
	thought = func(text, id string, index int) dialect.Event {
		return dialect.Event{Kind: dialect.EventReasoning, Reasoning: dialect.ReasoningDetail{
			Type: dialect.ReasoningText, Text: text, ID: id, Format: dialect.FormatUnknown, Index: index}}
	}
	call = func(index int, id, name string) dialect.Event {
		return dialect.Event{Kind: dialect.EventToolCall, Index: index, ID: id, Text: name}
	}
	finish = func(native, reason string) dialect.Event {
		return dialect.Event{Kind: dialect.EventFinish, Text: native, Reason: reason}
	}
	cited = func(raw string) dialect.Event { return dialect.Event{Kind: dialect.EventAnnotation, Raw: []byte(raw)} }
	end   = dialect.Event{Kind: dialect.EventDone}
)

// The shapes are those of the guides to streaming in Cohere's documentation.
func TestStream(t *testing.T) {
	for _, test := range []struct {
		name, lines string
		want        []dialect.Event
	}{
		{"text", `{"type":"message-start","id":"m","delta":{"message":{"role":"assistant","content":[],"tool_plan":"","tool_calls":[],"citations":[]}}}
{"type":"content-start","index":0,"delta":{"message":{"content":{"type":"text","text":""}}}}
{"type":"content-delta","index":0,"delta":{"message":{"content":{"text":"A"}}}}
{"type":"content-end","index":0}
{"type":"message-end","delta":{"finish_reason":"COMPLETE","usage":{"billed_units":{"input_tokens":3.0,"output_tokens":2},"tokens":{"input_tokens":483,"output_tokens":4},"cached_tokens":1}}}`,
			[]dialect.Event{{Kind: dialect.EventStart, Text: "m"}, text("A"), {Kind: dialect.EventUsage, Usage: dialect.Usage{Prompt: 3, Completion: 2, CacheRead: 1}}, finish("COMPLETE", ""), end}},
		{"a plan and parallel calls", `{"type":"tool-plan-delta","delta":{"message":{"tool_plan":"I will"}}}
{"type":"tool-plan-delta","delta":{"message":{"tool_plan":" ask."}}}
{"type":"tool-call-start","index":0,"delta":{"message":{"tool_calls":{"id":"f_1","type":"function","function":{"name":"f","arguments":""}}}}}
{"type":"tool-call-delta","index":0,"delta":{"message":{"tool_calls":{"function":{"arguments":"{\"a\""}}}}}
{"type":"tool-call-delta","index":0,"delta":{"message":{"tool_calls":{"function":{"arguments":":1}"}}}}}
{"type":"tool-call-end","index":0}
{"type":"tool-call-start","index":1,"delta":{"message":{"tool_calls":[{"id":"f_2","type":"function","function":{"name":"g","arguments":"{}"}}]}}}
{"type":"tool-call-end","index":1}
{"type":"message-end","delta":{"finish_reason":"TOOL_CALL"}}`,
			[]dialect.Event{thought("I will", planID, 0), thought(" ask.", planID, 0), call(0, "f_1", "f"), arguments(0, `{"a"`), arguments(0, `:1}`),
				call(1, "f_2", "g"), arguments(1, "{}"), finish("TOOL_CALL", "tool_calls"), end}},
		{"calls without arguments", `{"type":"tool-call-start","index":0,"delta":{"message":{"tool_calls":{"id":"f_1","type":"function","function":{"name":"f","arguments":""}}}}}
{"type":"tool-call-end","index":0}
{"type":"tool-call-start","index":1,"delta":{"message":{"tool_calls":{"id":"f_2","type":"function","function":{"name":"g"}}}}}
{"type":"message-end","delta":{"finish_reason":"TOOL_CALL"}}`,
			[]dialect.Event{call(0, "f_1", "f"), arguments(0, "{}"), call(1, "f_2", "g"), arguments(1, "{}"), finish("TOOL_CALL", "tool_calls"), end}},
		{"a call that is cut has none", `{"type":"tool-call-start","index":0,"delta":{"message":{"tool_calls":{"id":"f_1","type":"function","function":{"name":"f","arguments":""}}}}}
{"type":"message-end","delta":{"finish_reason":"MAX_TOKENS"}}`,
			[]dialect.Event{call(0, "f_1", "f"), finish("MAX_TOKENS", ""), end}},
		{"row 73: thoughts, and citations of the text behind them", `{"type":"content-start","index":0,"delta":{"message":{"content":{"type":"thinking","thinking":""}}}}
{"type":"content-delta","index":0,"delta":{"message":{"content":{"thinking":"hm"}}}}
{"type":"content-start","index":1,"delta":{"message":{"content":{"type":"text","text":"Oh, "}}}}
{"type":"content-start","index":2,"delta":{"message":{"content":{"type":"text","text":""}}}}
{"type":"content-delta","index":2,"delta":{"message":{"content":{"text":"Köln"}}}}
{"type":"citation-start","index":0,"delta":{"message":{"citations":{"start":0,"end":4,"text":"Köln","content_index":2,"type":"TEXT_CONTENT","sources":[
{"type":"tool","id":"f_1:0","tool_output":{"city":"x"}},{"type":"document","document":{"url":"https://a","title":"A"}},{"type":"document"}]}}}}`,
			nil},
		{"citations of thoughts are none of the text", `{"type":"citation-start","index":0,"delta":{"message":{"citations":{"start":0,"end":4,"type":"PLAN","sources":[{"id":"x"}]}}}}`, []dialect.Event{}},
		{"logprobs", `{"type":"content-delta","index":0,"delta":{"message":{"content":{"text":"é"}}},"logprobs":{"text":"é","token_ids":[1,2],"logprobs":[-0.5,-0.25]}}`,
			[]dialect.Event{text("é"), {Kind: dialect.EventLogprobs, Raw: []byte(`{"content":[{"token":"é","logprob":-0.75,"bytes":[195,169],"top_logprobs":[]}],"refusal":null}`)}}},
		{"row 4: the bound", `{"type":"message-end","delta":{"finish_reason":"MAX_TOKENS"}}`, []dialect.Event{finish("MAX_TOKENS", ""), end}},
		{"row 84: the end comes twice", `{"type":"message-end","delta":{"finish_reason":"STOP_SEQUENCE"}}
{"type":"message-end","delta":{"finish_reason":"STOP_SEQUENCE"}}`, []dialect.Event{finish("STOP_SEQUENCE", ""), end, end}},
		{"usage that is counted and not billed", `{"type":"message-end","delta":{"finish_reason":"COMPLETE","usage":{"tokens":{"input_tokens":9,"output_tokens":4}}}}`,
			[]dialect.Event{{Kind: dialect.EventUsage, Usage: dialect.Usage{Prompt: 9, Completion: 4}}, finish("COMPLETE", ""), end}},
		{"events of a kind that is unknown", `{"type":"debug","prompt":"p"}
{"type":"tool-call-delta","index":7,"delta":{"message":{"tool_calls":{"function":{"arguments":"x"}}}}}
[DONE]`, []dialect.Event{}},
	} {
		t.Run(test.name, func(t *testing.T) {
			lines := test.lines
			if test.want == nil { // the citation spans lines
				lines = strings.ReplaceAll(lines, "[\n", "[")
				test.want = []dialect.Event{thought("hm", "", 0), text("Oh, "), text("Köln"),
					cited(`{"type":"url_citation","url_citation":{"url":"f_1:0","title":"f_1:0","content":"Köln","start_index":4,"end_index":8}}`),
					cited(`{"type":"url_citation","url_citation":{"url":"https://a","title":"A","content":"Köln","start_index":4,"end_index":8}}`)}
			}
			got, err := decode(t, lines)
			if err != nil {
				t.Fatal(err)
			}
			if got == nil {
				got = []dialect.Event{}
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestFailures(t *testing.T) {
	for name, test := range map[string]struct {
		line   string
		status int
		words  string
	}{
		"an answer that failed":  {`{"type":"message-end","delta":{"finish_reason":"ERROR","error":"out of luck"}}`, 502, "out of luck"},
		"one that says no more":  {`{"type":"message-end","delta":{"finish_reason":"ERROR"}}`, 502, "ERROR"},
		"one that took too long": {`{"type":"message-end","delta":{"finish_reason":"TIMEOUT"}}`, 504, "time"},
		"an error for an event":  {`{"id":"x","message":"too many tokens"}`, 502, "too many tokens"},
	} {
		t.Run(name, func(t *testing.T) {
			var failure *dialect.ProviderFailure
			if _, err := decode(t, test.line); !errors.As(err, &failure) || failure.Status != test.status || !strings.Contains(failure.Message, test.words) {
				t.Errorf("%v, want %d and %q", err, test.status, test.words)
			}
		})
	}
	for status, want := range map[int]int{400: 400, 422: 422, 429: 429, 498: 401, 499: 502, 503: 503} {
		if got := (Provider{}).Failure(status, []byte(`{"id":"x","message":"words"}`)); got.Status != want || got.Message != "words" {
			t.Errorf("%d became %+v", status, got)
		}
	}
}

// A call whose id is missing or taken gets one of its own, the same each time.
func TestCallIDs(t *testing.T) {
	const calls = `{"id":"m","message":{"role":"assistant","tool_calls":[{"function":{"name":"f","arguments":"{}"}},{"id":"x","function":{"name":"f"}},{"id":"x","function":{"name":"f"}}]},"finish_reason":"TOOL_CALL"}`
	seen := map[string]bool{}
	for range 2 {
		events, err := Provider{}.Decoder().Whole([]byte(calls))
		if err != nil {
			t.Fatal(err)
		}
		for _, event := range events {
			if event.Kind == dialect.EventToolCall {
				seen[event.ID] = true
			}
		}
	}
	if len(seen) != 3 || seen[""] || !seen["x"] {
		t.Errorf("the ids of three calls, read twice, are %v", seen)
	}
}

// answers carries a task's answer to the client.
func answers(t testing.TB, client dialect.Client, body, answer string) (string, dialect.Progress, error) {
	t.Helper()
	request, err := client.Parse([]byte(body))
	if err != nil {
		t.Fatal(err)
	}
	pipe := dialect.NewPipe(client, Provider{}, request, dialect.Meta{ID: "gen-1", Model: "m/x"})
	out, err := pipe.Whole(nil, []byte(answer))
	return string(out), pipe.Progress(), err
}

func TestTaskAnswers(t *testing.T) {
	const embed, rank = `{"input":["a","b"]}`, `{"query":"q","documents":["a","b"],"top_n":1}`
	for _, test := range []struct {
		name       string
		client     dialect.Client
		body, from string
		want       string // part of the answer, or of the error
		usage      dialect.Usage
	}{
		{"row 145: vectors", openai.Embeddings{}, embed, `{"id":"e","embeddings":{"float":[[0.5,1e-3],[1,2]]},"meta":{"billed_units":{"input_tokens":4}}}`,
			`"data":[{"object":"embedding","index":0,"embedding":[0.5,1e-3]},{"object":"embedding","index":1,"embedding":[1,2]}]`, dialect.Usage{Prompt: 4}},
		{"of small numbers, beside empty lists", openai.Embeddings{}, embed, `{"embeddings":{"float":[],"int8":[[1],[-2]]},"meta":{"billed_units":{"image_tokens":30,"text_tokens":4,"input_tokens":4,"images":1}}}`,
			`"embedding":[-2]`, dialect.Usage{Prompt: 34}},
		{"base64", openai.Embeddings{}, `{"input":"a","encoding_format":"base64"}`, `{"embeddings":{"float":[[0.5,-0.25,0.001]]}}`, `"embedding":"AAAAPwAAgL5vEoM6"`, dialect.Usage{Prompt: 1, Estimated: true}},
		{"a vector less", openai.Embeddings{}, embed, `{"embeddings":{"float":[[1]]}}`, "1 embeddings for 2 inputs", dialect.Usage{Prompt: 1, Estimated: true}},
		{"an empty vector", openai.Embeddings{}, embed, `{"embeddings":{"float":[[1],[]]}}`, "no vector for input 1", dialect.Usage{Prompt: 1, Estimated: true}},
		{"texts for vectors", openai.Embeddings{}, embed, `{"embeddings":{"base64":["AA","AA"]}}`, "no vector for input 0", dialect.Usage{Prompt: 1, Estimated: true}},
		{"an error", openai.Embeddings{}, embed, `{"id":"x","message":"no such model"}`, "no such model", dialect.Usage{Prompt: 1, Estimated: true}},
		{"row 147: an order", openai.Rerank{}, rank, `{"id":"r","results":[{"index":1,"relevance_score":0.98},{"index":0,"relevance_score":1e-3}],"meta":{"billed_units":{"search_units":2}}}`,
			`"results":[{"index":1,"relevance_score":0.98,"document":{"text":"b"}}],"usage":{"cost":0,"search_units":2}}`, dialect.Usage{SearchUnits: 2}},
		{"a document that is none", openai.Rerank{}, rank, `{"results":[{"index":2,"relevance_score":1}]}`, "document 2 of 2", dialect.Usage{Prompt: 1, Estimated: true}},
		{"no number", openai.Rerank{}, rank, `{"results":[{"relevance_score":1}]}`, "document -1 of 2", dialect.Usage{Prompt: 1, Estimated: true}},
		{"no score", openai.Rerank{}, rank, `{"results":[{"index":1}]}`, "without a score", dialect.Usage{Prompt: 1, Estimated: true}},
		{"no results", openai.Rerank{}, rank, `{"results":[]}`, "no results", dialect.Usage{Prompt: 1, Estimated: true}},
	} {
		t.Run(test.name, func(t *testing.T) {
			out, progress, err := answers(t, test.client, test.body, test.from)
			if err != nil {
				out += err.Error()
			} else if !json.Valid([]byte(out)) || !progress.Started || !progress.Done {
				t.Errorf("%+v: %s", progress, out)
			}
			if !strings.Contains(out, test.want) {
				t.Errorf("%s is missing in %s", test.want, out)
			}
			if diff := cmp.Diff(test.usage, progress.Usage); diff != "" {
				t.Error(diff)
			}
		})
	}
}
