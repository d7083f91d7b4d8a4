package openai

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/switchyard/switchyard/extproc/dialect"
	"github.com/switchyard/switchyard/extproc/sse"
)

var meta = dialect.Meta{ID: "gen-1-abc", Model: "m/x", Provider: "A", Created: 5}

const (
	head = `data: {"id":"gen-1-abc","provider":"A","model":"m/x","object":"chat.completion.chunk","created":5,`
	tail = `"finish_reason":null,"native_finish_reason":null,"logprobs":null`
)

func streaming(t testing.TB, stream bool) (dialect.Pipe, *dialect.Request) {
	t.Helper()
	body := `{` + hi + `}`
	if stream {
		body = `{"stream":true,` + hi + `}`
	}
	request, err := Client{}.Parse([]byte(body))
	if err != nil {
		t.Fatal(err)
	}
	return dialect.NewPipe(Client{}, Provider{}, request, meta), request
}

func TestChunks(t *testing.T) {
	choice := func(delta string) string {
		return head + `"choices":[{"index":0,"delta":{"role":"assistant",` + delta + `},` + tail + `}]}` + "\n\n"
	}
	for _, test := range []struct {
		name   string
		chunks []string
		want   []string
	}{
		{"text", []string{`{"id":"c","object":"o","created":1,"model":"z","choices":[{"index":0,"delta":{"content":"h\u00e9"},"finish_reason":null}]}`},
			[]string{choice(`"content":"h\u00e9"`)}},
		{"nulls and what clients do not know", []string{`{"usage":null,"system_fingerprint":null,"obfuscation":"x","choices":[{"delta":{"content":"a","tool_calls":null,"refusal":null}}]}`},
			[]string{choice(`"content":"a"`)}},
		{"unknown fields survive", []string{`{"x":{"y":1},"service_tier":"flex","choices":[{"delta":{"content":"a","z":[1]},"w":2}]}`},
			[]string{head + `"x":{"y":1},"service_tier":"flex","choices":[{"index":0,"delta":{"role":"assistant","content":"a","z":[1]},` + tail + `,"w":2}]}` + "\n\n"}},
		{"reasoning by another name", []string{`{"choices":[{"delta":{"reasoning_content":"r","content":null}}]}`},
			[]string{choice(`"content":"","reasoning":"r","reasoning_details":[{"type":"reasoning.text","text":"r","format":"unknown","index":0}]`)}},
		{"reasoning said twice", []string{`{"choices":[{"delta":{"reasoning_content":"r","reasoning":"r"}}]}`},
			[]string{choice(`"content":"","reasoning":"r","reasoning_details":[{"type":"reasoning.text","text":"r","format":"unknown","index":0}]`)}},
		{"content in parts", []string{`{"choices":[{"delta":{"content":[{"type":"thinking","thinking":[{"type":"text","text":"r"}]},{"type":"text","text":"a"}]}}]}`},
			[]string{choice(`"content":"a","reasoning":"r","reasoning_details":[{"type":"reasoning.text","text":"r","format":"unknown","index":0}]`)}},
		{"row 84: the finish reason comes once", []string{
			`{"choices":[{"delta":{},"finish_reason":"end_turn"}]}`, `{"choices":[{"delta":{},"finish_reason":"end_turn"}],"usage":{"prompt_tokens":1}}`},
			[]string{head + `"choices":[{"index":0,"delta":{"role":"assistant","content":""},"finish_reason":"stop","native_finish_reason":"end_turn","logprobs":null}]}` + "\n\n"}},
		{"row 84: the finish reason comes once, whatever comes with it", []string{
			`{"choices":[{"delta":{},"finish_reason":"stop"}]}`, `{"choices":[{"delta":{"content":"a"},"finish_reason":"stop"}]}`},
			[]string{head + `"choices":[{"index":0,"delta":{"role":"assistant","content":""},"finish_reason":"stop","native_finish_reason":"stop","logprobs":null}]}` + "\n\n", choice(`"content":"a"`)}},
		{"reasoning in a format that clients do not know", []string{
			`{"choices":[{"delta":{"reasoning_details":[{"format":"own-v1","type":"reasoning.text","text":"r","index":0}, {"type":"reasoning.text","text":"s"}]}}]}`},
			[]string{choice(`"content":"","reasoning_details":[{"type":"reasoning.text","text":"r","index":0,"format":"unknown"},{"type":"reasoning.text","text":"s"}]`)}},
		{"the answer so far beside a delta", []string{`{"choices":[{"delta":{"content":"b"},"message":{"content":"ab"}}]}`}, []string{choice(`"content":"b"`)}},
		{"a chunk without choices", []string{`{"choices":[],"prompt_filter_results":[]}`}, nil},
		{"pretty-printed over lines", []string{"{\n\"choices\":[{\"delta\":{\"content\":\"a\",\"z\":[1,\n2]}}]}"},
			[]string{choice(`"content":"a","z":[1, 2]`)}},
		{"a call's name after its id", []string{
			`{"choices":[{"delta":{"tool_calls":[{"index":0,"id":"a","function":{"arguments":"{"}}]}}]}`,
			`{"choices":[{"delta":{"tool_calls":[{"index":0,"function":{"name":"f","arguments":"}"}}]}}]}`},
			[]string{choice(`"content":""`), choice(`"content":"","tool_calls":[{"index":0,"id":"a","type":"function","function":{"name":"f","arguments":"{}"}}]`)}},
		{"row 92: the second call's name after its id, at the first one's index", []string{
			`{"choices":[{"delta":{"tool_calls":[{"index":0,"id":"a","function":{"name":"f","arguments":"{}"}}]}}]}`,
			`{"choices":[{"delta":{"tool_calls":[{"index":0,"id":"b"}]}}]}`,
			`{"choices":[{"delta":{"tool_calls":[{"index":0,"function":{"name":"g","arguments":"{}"}}]}}]}`},
			[]string{choice(`"content":"","tool_calls":[{"index":0,"id":"a","type":"function","function":{"name":"f","arguments":"{}"}}]`),
				choice(`"content":""`), choice(`"content":"","tool_calls":[{"index":1,"id":"b","type":"function","function":{"name":"g","arguments":"{}"}}]`)}},
		{"id and name in every fragment", []string{
			`{"choices":[{"delta":{"tool_calls":[{"index":0,"id":"a","type":"function","function":{"name":"f","arguments":"{"}}]}}]}`,
			`{"choices":[{"delta":{"tool_calls":[{"index":0,"id":"a","type":"function","function":{"name":"f","arguments":"}"}}]}}]}`},
			[]string{choice(`"content":"","tool_calls":[{"index":0,"id":"a","type":"function","function":{"name":"f","arguments":"{"}}]`),
				choice(`"content":"","tool_calls":[{"index":0,"function":{"arguments":"}"}}]`)}},
		{"row 92: whole calls without index or id", []string{
			`{"choices":[{"delta":{"tool_calls":[{"function":{"name":"f","arguments":{"a":1}}},{"function":{"name":"f","arguments":"{}"}}]}}]}`},
			[]string{choice(`"content":"","tool_calls":[{"index":0,"id":"call_abc_0_0","type":"function","function":{"name":"f","arguments":"{\"a\":1}"}},` +
				`{"index":1,"id":"call_abc_0_1","type":"function","function":{"name":"f","arguments":"{}"}}]`)}},
		{"row 92: one id for two calls", []string{
			`{"choices":[{"delta":{"tool_calls":[{"index":0,"id":"a","function":{"name":"f","arguments":"{}"}},{"index":1,"id":"a","function":{"name":"g","arguments":"{}"}}]}}]}`},
			[]string{choice(`"content":"","tool_calls":[{"index":0,"id":"a","type":"function","function":{"name":"f","arguments":"{}"}},` +
				`{"index":1,"id":"call_abc_0_1","type":"function","function":{"name":"g","arguments":"{}"}}]`)}},
		{"a signature beside a call survives", []string{
			`{"choices":[{"delta":{"tool_calls":[{"index":0,"id":"a","function":{"name":"f","arguments":"{}"},"extra_content":{"google":{"thought_signature":"s"}}}]}}]}`},
			[]string{choice(`"content":"","tool_calls":[{"index":0,"id":"a","type":"function","function":{"name":"f","arguments":"{}"},"extra_content":{"google":{"thought_signature":"s"}}}]`)}},
		{"a surrogate pair that is split", []string{`{"choices":[{"delta":{"content":"\ud83c"}}]}`, `{"choices":[{"delta":{"content":"\udf0d"}}]}`},
			[]string{choice(`"content":"\ud83c"`), choice(`"content":"\udf0d"`)}},
	} {
		t.Run(test.name, func(t *testing.T) {
			pipe, _ := streaming(t, true)
			var got []string
			for _, chunk := range test.chunks {
				out, err := pipe.Event(nil, sse.Event{Data: []byte(chunk)})
				if err != nil {
					t.Fatal(err)
				}
				if len(out) > 0 {
					got = append(got, string(out))
				}
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestErrorsInsideAnAnswer(t *testing.T) {
	for _, test := range []struct {
		name, event, data string
		want              dialect.ProviderFailure
	}{
		{"in a chunk", "", `{"error":{"message":"Slow down","code":429,"type":"rate_limit_error"}}`, dialect.ProviderFailure{Status: 429, Message: "Slow down", Code: "rate_limit_error"}},
		{"beside choices", "", `{"choices":[{"delta":{"content":"x"}}],"error":{"message":"Gone","code":"overloaded"}}`, dialect.ProviderFailure{Status: 503, Message: "Gone", Code: "overloaded"}},
		{"in a choice", "", `{"choices":[{"delta":{},"error":{"message":"Gone","code":502}}]}`, dialect.ProviderFailure{Status: 502, Message: "Gone"}},
		{"by the event's name", "error", `{"message":"Gone"}`, dialect.ProviderFailure{Status: 502, Message: "Gone"}},
		{"a string", "", `{"error":"Gone"}`, dialect.ProviderFailure{Status: 502, Message: "Gone"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			pipe, _ := streaming(t, true)
			out, err := pipe.Event([]byte("before"), sse.Event{Name: test.event, Data: []byte(test.data)})
			var failure *dialect.ProviderFailure
			if !errors.As(err, &failure) {
				t.Fatalf("Event returned %v", err)
			}
			if diff := cmp.Diff(test.want, *failure); diff != "" || string(out) != "before" {
				t.Errorf("%s (out %q)", diff, out)
			}
		})
	}
	pipe, _ := streaming(t, true)
	if out, err := pipe.Event(nil, sse.Event{Data: []byte(`{"error":null,"choices":[{"delta":{"content":"x"}}]}`)}); err != nil || len(out) == 0 {
		t.Errorf("row 25: no error was taken for one: %q, %v", out, err)
	}
	if _, err := pipe.Event(nil, sse.Event{Data: []byte(`{"choices":`)}); err == nil {
		t.Error("half a chunk was read")
	}
	whole, _ := streaming(t, false)
	for _, body := range []string{`{"error":{"message":"x"}}`, `{"choices":[]}`, `<html>`, `{}`, ``, `[]`, `{"detail":"no"}`} {
		if out, err := whole.Whole(nil, []byte(body)); err == nil || len(out) > 0 {
			t.Errorf("row 87: %s was read as the answer %s", body, out)
		}
	}
}

func TestRow86MidStreamError(t *testing.T) {
	pipe, _ := streaming(t, true)
	got := string(pipe.Fail(nil, &dialect.Error{Status: 429, Type: "rate_limit_exceeded", Message: "Rate limit exceeded", Metadata: map[string]any{"provider_code": "x"}}))
	want := head + `"error":{"code":429,"message":"Rate limit exceeded","metadata":{"error_type":"rate_limit_exceeded","provider_code":"x"}},` +
		`"choices":[{"index":0,"delta":{"role":"assistant","content":""},"finish_reason":"error","native_finish_reason":null,"logprobs":null}]}` + "\n\ndata: [DONE]\n\n"
	if got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

func TestWhole(t *testing.T) {
	pipe, _ := streaming(t, false)
	got, err := pipe.Whole(nil, []byte(`{"id":"c","object":"o","created":1,"model":"z","x":1,"choices":[{"index":0,"finish_reason":"tool_calls","message":{
		"role":"assistant","content":null,"reasoning_content":"r","z":2,"tool_calls":[{"function":{"name":"f","arguments":"{}"}}]}}],
		"usage":{"prompt_tokens":3,"completion_tokens":4,"prompt_cache_hit_tokens":2}}`))
	if err != nil {
		t.Fatal(err)
	}
	want := `{"id":"gen-1-abc","provider":"A","model":"m/x","object":"chat.completion","created":5,"x":1,"choices":[{"index":0,"logprobs":null,` +
		`"finish_reason":"tool_calls","native_finish_reason":"tool_calls","message":{"role":"assistant","content":null,"refusal":null,"reasoning":"r",` +
		`"reasoning_details":[{"type":"reasoning.text","text":"r","format":"unknown","index":0}],` +
		`"tool_calls":[{"id":"call_abc_0_0","type":"function","function":{"name":"f","arguments":"{}"}}],"z":2}}],"system_fingerprint":null,` +
		`"usage":{"prompt_tokens":3,"completion_tokens":4,"total_tokens":7,"cost":0,"is_byok":false,` +
		`"prompt_tokens_details":{"cached_tokens":2,"cache_write_tokens":0,"audio_tokens":0,"video_tokens":0},` +
		`"completion_tokens_details":{"reasoning_tokens":0,"image_tokens":0,"audio_tokens":0,"accepted_prediction_tokens":null,"rejected_prediction_tokens":null},` +
		`"cost_details":{"upstream_inference_cost":0,"upstream_inference_prompt_cost":0,"upstream_inference_completions_cost":0}}}`
	if string(got) != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

func TestErrorBody(t *testing.T) {
	for _, test := range []struct {
		name    string
		failure dialect.Error
		want    string
	}{
		{"plain", dialect.Error{Status: 400, Type: "invalid_request", Message: "a \"b\""}, `{"error":{"code":400,"message":"a \"b\"","metadata":{"error_type":"invalid_request"}}}`},
		{"without a type", dialect.Error{Status: 500, Message: "x"}, `{"error":{"code":500,"message":"x"}}`},
		{"availability", dialect.Error{Status: 404, Message: "x", Availability: &dialect.Availability{Code: "no_endpoints", RequestedModels: []string{"m"}}},
			`{"error":{"code":404,"message":"x","availability":{"code":"no_endpoints","retryable":false,"requested_models":["m"]}}}`},
		{"metadata that cannot be written", dialect.Error{Status: 400, Type: "t", Message: "x", Metadata: map[string]any{"f": func() {}}}, `{"error":{"code":400,"message":"x","metadata":{"error_type":"t"}}}`},
	} {
		t.Run(test.name, func(t *testing.T) {
			if got := string(Client{}.Error(&test.failure)); got != test.want {
				t.Errorf("got  %s\nwant %s", got, test.want)
			}
		})
	}
}

// known-failures 2.
func TestUsageShapes(t *testing.T) {
	for _, test := range []struct {
		name, object string
		want         dialect.Usage
	}{
		{"OpenAI", `{"prompt_tokens":10,"completion_tokens":9,"total_tokens":19,"prompt_tokens_details":{"cached_tokens":4,"audio_tokens":1},"completion_tokens_details":{"reasoning_tokens":5,"accepted_prediction_tokens":2}}`,
			dialect.Usage{Prompt: 10, Completion: 9, CacheRead: 4, AudioPrompt: 1, Reasoning: 5, AcceptedPrediction: 2}},
		{"DeepSeek", `{"prompt_tokens":10,"completion_tokens":9,"prompt_cache_hit_tokens":4,"prompt_cache_miss_tokens":6}`, dialect.Usage{Prompt: 10, Completion: 9, CacheRead: 4}},
		{"Moonshot", `{"prompt_tokens":10,"completion_tokens":9,"cached_tokens":4}`, dialect.Usage{Prompt: 10, Completion: 9, CacheRead: 4}},
		{"xAI, reasoning apart", `{"prompt_tokens":10,"completion_tokens":9,"total_tokens":24,"completion_tokens_details":{"reasoning_tokens":5}}`, dialect.Usage{Prompt: 10, Completion: 14, Reasoning: 5}},
		{"cached apart", `{"prompt_tokens":10,"completion_tokens":9,"cache_read_input_tokens":40}`, dialect.Usage{Prompt: 50, Completion: 9, CacheRead: 40}},
		{"OpenRouter", `{"prompt_tokens":10,"completion_tokens":9,"cost":1,"prompt_tokens_details":{"cached_tokens":4,"cache_write_tokens":3}}`, dialect.Usage{Prompt: 10, Completion: 9, CacheRead: 4, CacheWrite: 3}},
		{"Perplexity", `{"prompt_tokens":10,"completion_tokens":9,"num_search_queries":3}`, dialect.Usage{Prompt: 10, Completion: 9, WebSearches: 3}},
		{"OpenRouter, with searches", `{"prompt_tokens":10,"completion_tokens":9,"server_tool_use_details":{"tool_calls_executed":0,"web_search_requests":2}}`, dialect.Usage{Prompt: 10, Completion: 9, WebSearches: 2}},
		{"nonsense", `{"prompt_tokens":-5,"completion_tokens":"9","prompt_tokens_details":null}`, dialect.Usage{}},
	} {
		t.Run(test.name, func(t *testing.T) {
			got, counted := readUsage([]byte(test.object))
			if diff := cmp.Diff(test.want, got); diff != "" || counted != (test.want != dialect.Usage{}) {
				t.Errorf("%t %s", counted, diff)
			}
		})
	}
}

// routed is what an answer says that tells of all there is to tell.
var routed = dialect.Meta{
	ID: "gen-1-abc", Model: "m/x", Provider: "A", Created: 5, ServiceTier: "flex",
	RouterMetadata: []byte(`{"strategy":"direct"}`),
}

// FuzzStream holds that no provider can make the pipe panic or emit what clients
// cannot read.
func FuzzStream(f *testing.F) {
	f.Add([]byte("data: {\"choices\":[{\"delta\":{\"content\":\"a\",\"tool_calls\":[{\"id\":\"x\",\"function\":{\"name\":\"f\",\"arguments\":{}}}]}}]}\n\ndata: [DONE]\n\n"), true)
	f.Add([]byte("data: {\"choices\":[{\"index\":3,\"finish_reason\":\"stop\",\"delta\":{\"reasoning\":\"\\ud83d\"}}],\"usage\":{\"prompt_tokens\":1}}\n\n"), true)
	f.Add([]byte("data: {\"error\":[{\"message\":1}]}\n\ndata: {\"id\":1,\"choices\":[1]}\n\n"), false)
	f.Add([]byte("data: {\"service_tier\":\"fast\",\"choices\":[{\"delta\":{\"reasoning_details\":[{\"data\":\"d\"}],\"annotations\":[{}]}}],\"openrouter_metadata\":{}}\n\n"), true)
	f.Fuzz(func(t *testing.T, stream []byte, wantsStream bool) {
		_, request := streaming(t, wantsStream)
		pipe := dialect.NewPipe(Client{}, Provider{}, request, routed)
		var reader sse.Reader
		reader.Feed(stream)
		reader.End()
		var out []byte
		for {
			event, ok, _ := reader.Next()
			if !ok {
				break
			}
			var err error
			if out, err = pipe.Event(out, event); err != nil {
				out = pipe.Fail(out, &dialect.Error{Status: 502, Message: "x"})
				readable(t, string(out), true)
				return
			}
		}
		readable(t, string(pipe.Finish(out)), wantsStream)
	})
}

func FuzzWhole(f *testing.F) {
	f.Add([]byte(`{"choices":[{"message":{"content":"a","tool_calls":[{"function":{"name":"f"}}]}}]}`), false)
	f.Add([]byte(`{"choices":[{"message":{"content":[{"text":"a"}],"reasoning_details":[{"type":"x"}]},"logprobs":{}}],"usage":{}}`), true)
	f.Add([]byte(`{"service_tier":"scale","openrouter_metadata":1,"choices":[{"message":{"reasoning_details":[{"signature":"s"}],"annotations":[{}]}}]}`), false)
	f.Fuzz(func(t *testing.T, body []byte, wantsStream bool) {
		_, request := streaming(t, wantsStream)
		pipe := dialect.NewPipe(Client{}, Provider{}, request, routed)
		if out, err := pipe.Whole(nil, body); err == nil {
			readable(t, string(out), wantsStream)
		}
	})
}

// readable fails unless a client can read all of an answer.
func readable(t *testing.T, out string, stream bool) {
	t.Helper()
	parts := []string{out}
	if stream {
		var found bool
		if out, found = strings.CutSuffix(out, done); !found {
			t.Errorf("no [DONE] at the end of %q", out)
		}
		parts = strings.Split(strings.TrimSuffix(out, "\n\n"), "\n\n")
	}
	for _, part := range parts {
		data := strings.TrimPrefix(part, "data: ")
		var answer map[string]any
		if err := json.Unmarshal([]byte(data), &answer); err != nil || strings.Contains(data, "\n") && stream {
			t.Errorf("%v in %q", err, data)
		}
		for _, name := range []string{"usage", "system_fingerprint", "error"} {
			if value, has := answer[name]; stream && has && value == nil {
				t.Errorf("%s is null in %q", name, data)
			}
		}
		choices, _ := answer["choices"].([]any)
		for _, choice := range choices {
			if members, _ := choice.(map[string]any); members["finish_reason"] == nil && !strings.Contains(data, `"finish_reason":null`) {
				t.Errorf("a choice without a finish reason in %q", data)
			}
		}
	}
}
