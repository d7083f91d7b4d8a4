package openai

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/switchyard/switchyard/extproc/dialect"
)

const hi = `"messages":[{"role":"user","content":"hi"}]`

func TestParseRefuses(t *testing.T) {
	for _, test := range []struct{ name, body, want string }{
		{"row 11: no input", `{"model":"m/x"}`, `Input required: specify "prompt" or "messages"`},
		{"row 12: empty messages", `{"messages":[]}`, "'messages' must have at least one item."},
		{"row 13: malformed JSON", `{"model":"m/x",}`, "The request body is not valid JSON: invalid character ',' at start of value at byte offset 14."},
		{"row 13: an end too early", `{`, "at byte offset 1."},
		{"row 13: text after the end", `{"a":1}x`, "at byte offset 7."},
		{"an empty body", "  ", "The request body is empty"},
		{"duplicate members", `{"model":"a","model":"b"}`, `duplicate member "model" at byte offset 13.`},
		{"invalid UTF-8", "{\"model\":\"\xff\"}", "invalid UTF-8 at byte offset 10."},
		{"not an object", `[1]`, "must be a JSON object"},
		{"messages of another type", `{"messages":"hi"}`, "'messages' must be an array."},
		{"a message of another type", `{"messages":["hi"]}`, "'messages.0' must be an object."},
		{"no role", `{"messages":[{"content":"x"}]}`, "'messages.0.role' is missing."},
		{"unknown role", `{"messages":[{"role":"robot"}]}`, "'messages.0.role' must be one of"},
		{"content of another type", `{"messages":[{"role":"user","content":1}]}`, "'messages.0.content' must be a string or an array of parts."},
		{"a part of another type", `{"messages":[{"role":"user","content":["x"]}]}`, "'messages.0.content.0' must be an object."},
		{"row 123: audio by URL", `{"messages":[{"role":"user","content":[{"type":"input_audio","input_audio":{"data":"https://a/b"}}]}]}`, "must be base64"},
		{"model", `{"model":1,` + hi + `}`, "'model' must be a string."},
		{"models", `{"models":["a",1],` + hi + `}`, "'models.1' must be a string."},
		{"models without end", `{"models":["a"` + strings.Repeat(`,"a"`, 64) + `],` + hi + `}`, "'models' array must have 64 items or fewer."},
		{"provider", `{"provider":"x",` + hi + `}`, "'provider' must be an object."},
		{"plugins", `{"plugins":{"id":"web"},` + hi + `}`, "'plugins' must be an array."},
		{"preset", `{"preset":{},` + hi + `}`, "'preset' must be a string."},
		{"route", `{"route":1,` + hi + `}`, "'route' must be a string."},
		{"service tier", `{"service_tier":1,` + hi + `}`, "'service_tier' must be a string."},
		{"stream", `{"stream":"yes",` + hi + `}`, "'stream' must be true or false."},
		{"row 109: session id", `{"session_id":"` + strings.Repeat("é", 257) + `",` + hi + `}`, "'session_id' must have 256 characters or fewer."},
		{"row 97: effort and budget", `{"reasoning":{"effort":"high","max_tokens":1},` + hi + `}`, "Only one of"},
		{"row 98: two efforts", `{"reasoning_effort":"low","reasoning":{"effort":"high"},` + hi + `}`, "'reasoning_effort' conflicts"},
		{"unknown effort", `{"reasoning_effort":"huge",` + hi + `}`, "'reasoning_effort' must be one of"},
		{"temperature", `{"temperature":"hot",` + hi + `}`, "'temperature' must be a number."},
		{"temperature beyond its bounds", `{"temperature":2.5,` + hi + `}`, "'temperature' must be between 0 and 2."},
		{"max_tokens beyond reason", `{"max_tokens":1e13,` + hi + `}`, "'max_tokens' must be between 1 and 1099511627776."},
		{"max_tokens", `{"max_tokens":0,` + hi + `}`, "'max_tokens' must be at least 1."},
		{"max_tokens in parts", `{"max_tokens":1.5,` + hi + `}`, "'max_tokens' must be a whole number."},
		{"stop", `{"stop":[1],` + hi + `}`, "'stop.0' must be a string."},
		{"tools", `{"tools":{},` + hi + `}`, "'tools' must be an array."},
	} {
		t.Run(test.name, func(t *testing.T) {
			_, err := Client{}.Parse([]byte(test.body))
			var failure *dialect.Error
			if !errors.As(err, &failure) {
				t.Fatalf("Parse returned %v", err)
			}
			if failure.Status != 400 || failure.Type != "invalid_request" || !strings.Contains(failure.Message, test.want) {
				t.Errorf("got %+v, want %q", failure, test.want)
			}
		})
	}
}

func TestParseReads(t *testing.T) {
	got, err := Client{}.Parse([]byte(` {"mod\u0065l":"m/x","models":["a","b"],"stream":true,"max_tokens":5,"max_completion_tokens":7,
		"temperature":1,"top_k":null,"foo":1,"tools":[{"type":"function"}],"session_id":"s","user":"u","include_reasoning":false,
		"messages":[{"role":"system","content":"12345"},{"role":"user","content":[{"type":"text","text":"hi"},
		{"type":"image_url","image_url":{"url":"x"}},{"type":"file","file":{}},{"type":"image_url","image_url":{"url":"y"}}]}]} `))
	if err != nil {
		t.Fatal(err)
	}
	want := &dialect.Request{
		Dialect: Name, Raw: got.Raw, Model: "m/x", Models: []string{"a", "b"}, Stream: true, MaxTokens: 7,
		Parameters: []string{"include_reasoning", "max_completion_tokens", "max_tokens", "temperature", "tools"},
		Tools:      true, InputModalities: []string{"file", "image"}, Images: 2, SessionID: "s", User: "u", HideReasoning: true,
		PromptBytes: 5 + 2 + 19,
	}
	got.Chat, got.Parsed, got.Conversation = nil, nil, [16]byte{}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestParseReadsWhatRoutingAsks(t *testing.T) {
	got, err := Client{}.Parse([]byte(`{"provider": { "order":["a"] },"plugins":[ {"id":"web"} ],"route":"sort","preset":"p","service_tier":"fast",
		"response_format":{"type":"json_schema","json_schema":{"name":"n"}},"tool_choice":{"type":"function","function":{"name":"g"}},
		"tools":[{"type":"function","function":{"name":"f"}},{"type":"function","function":{"name":"g"}}],"prompt_cache_key":"k","fallbacks":[{"model":"m/y"}],
		"messages":[{"role":"user","content":"hi"},{"role":"assistant","content":"x","model":"m/a"},{"role":"assistant","content":"y","model":"m/b"}]}`))
	if err != nil {
		t.Fatal(err)
	}
	want := &dialect.Request{
		Dialect: Name, Provider: []byte(`{ "order":["a"] }`), Plugins: []byte(`[ {"id":"web"} ]`), Route: "sort", Preset: "p", ServiceTier: "fast",
		ResponseFormat: "json_schema", ToolChoice: "function", ToolName: "f", Tools: true, SessionID: "k", LastModel: "m/b",
		Parameters: []string{"response_format", "tool_choice", "tools"}, PromptBytes: got.PromptBytes,
	}
	got.Chat, got.Parsed, got.Raw, got.Conversation = nil, nil, nil, [16]byte{}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestRow108SessionID(t *testing.T) {
	for _, test := range []struct{ name, fields, want string }{
		{"the session's own", `"prompt_cache_key":"k","session_id":"s",`, "s"},
		{"the cache's key stands in", `"prompt_cache_key":"k",`, "k"},
		{"a key too long to be one", `"prompt_cache_key":"` + strings.Repeat("k", 257) + `",`, ""},
		{"neither", ``, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			request, err := Client{}.Parse([]byte(`{` + test.fields + hi + `}`))
			if err != nil || request.SessionID != test.want {
				t.Errorf("got %q, %v", request.SessionID, err)
			}
		})
	}
}

func TestToolChoiceAndFormatForRouting(t *testing.T) {
	for _, test := range []struct{ fields, choice, format string }{
		{`"tool_choice":"required","response_format":{"type":"text"},`, "required", ""},
		{`"tool_choice":{"type":"allowed_tools"},"response_format":{"type":"json_object"},`, "", "json_object"},
		{`"tool_choice":"any","response_format":{},`, "", ""},
		{`"tool_choice":null,"response_format":{"type":"grammar","grammar":"x"},`, "", ""},
	} {
		request, err := Client{}.Parse([]byte(`{` + test.fields + hi + `}`))
		if err != nil || request.ToolChoice != test.choice || request.ResponseFormat != test.format {
			t.Errorf("%s: got %q and %q, %v", test.fields, request.ToolChoice, request.ResponseFormat, err)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(`{"model":"m",` + hi + `,"tools":[{"type":"function","function":{"name":"f"}}],"reasoning":{"effort":"low"}}`))
	f.Add([]byte(`{"messages":[{"role":"assistant","content":[{"type":"text","text":"x"}],"tool_calls":[{"id":"a","function":{"arguments":{}}}]}]}`))
	f.Add([]byte(`{"provider":{},"plugins":[],"route":"sort","preset":"p","service_tier":"flex","prompt_cache_key":"k","tool_choice":{"type":"function"},"response_format":{"type":"json_object"},` + hi + `}`))
	f.Add([]byte(`{"messages":[{"role":"assistant","model":"m","content":null,"tool_calls":[{"id":"a"}],"reasoning_details":[{"signature":"s"}]},{"role":"user","name":"Bob","content":[{"type":"text","text":"x"}]}]}`))
	f.Add([]byte(`{"messages":[{"role":"tool","tool_call_id":"a","content":null}],"stop":"x","stream":true}`))
	f.Add([]byte(`{"tools":[{"name":"f","inputSchema":{}},{"function":{}}],"tool_choice":{"type":"any","disable_parallel_tool_use":true},"messages":[{"role":"assistant","content":[{"type":"tool_use","id":"a","name":"f"},{"type":"thinking"}]},
		{"role":"tool","tool_call_id":"a","content":{"content":[{"type":"resource","resource":{"blob":"AA==","mimeType":"image/png"}}],"structuredContent":{},"isError":true}},{"role":"user","content":[{"type":"tool_result","tool_use_id":"b","content":[{"type":"tool_result","content":[[]]}]}]}]}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		request, err := Client{}.Parse(body)
		if err != nil {
			var failure *dialect.Error
			if !errors.As(err, &failure) || failure.Message == "" {
				t.Fatalf("not an error for a client: %v", err)
			}
			return
		}
		for _, target := range []dialect.Target{
			{Model: "x"}, {Model: "x", Strict: true}, {Model: "x", ServiceTier: "flex", WebSearch: true, Refused: []string{"name"}},
		} {
			upstream, err := Provider{}.Request(request, target)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := (Client{}).Parse(upstream.Body); err != nil {
				t.Errorf("%s was rewritten as %s: %v", body, upstream.Body, err)
			}
		}
		chat, err := request.Chat()
		if err != nil {
			return
		}
		again := writeChat(chat, request.Stream)
		reread, err := readChat(again)
		if err != nil {
			t.Fatalf("%s was written as %s: %v", body, again, err)
		}
		if second := writeChat(reread, request.Stream); string(second) != string(again) {
			t.Errorf("decode and encode differ:\n%s\n%s", again, second)
		}
	})
}
