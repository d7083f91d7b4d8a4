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
		{"too many models", `{"models":["a","b","c","d"],` + hi + `}`, "'models' array must have 3 items or fewer."},
		{"stream", `{"stream":"yes",` + hi + `}`, "'stream' must be true or false."},
		{"row 109: session id", `{"session_id":"` + strings.Repeat("é", 257) + `",` + hi + `}`, "'session_id' must have 256 characters or fewer."},
		{"row 97: effort and budget", `{"reasoning":{"effort":"high","max_tokens":1},` + hi + `}`, "Only one of"},
		{"row 98: two efforts", `{"reasoning_effort":"low","reasoning":{"effort":"high"},` + hi + `}`, "'reasoning_effort' conflicts"},
		{"unknown effort", `{"reasoning_effort":"huge",` + hi + `}`, "'reasoning_effort' must be one of"},
		{"temperature", `{"temperature":"hot",` + hi + `}`, "'temperature' must be a number."},
		{"temperature beyond its bounds", `{"temperature":2.5,` + hi + `}`, "'temperature' must be between 0 and 2."},
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
		Tools:      true, InputModalities: []string{"file", "image"}, SessionID: "s", User: "u", HideReasoning: true,
		PromptBytes: 5 + 4 + 19,
	}
	got.Chat, got.Parsed = nil, nil
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(`{"model":"m",` + hi + `,"tools":[{"type":"function","function":{"name":"f"}}],"reasoning":{"effort":"low"}}`))
	f.Add([]byte(`{"messages":[{"role":"assistant","content":[{"type":"text","text":"x"}],"tool_calls":[{"id":"a","function":{"arguments":{}}}]}]}`))
	f.Add([]byte(`{"messages":[{"role":"tool","tool_call_id":"a","content":null}],"stop":"x","stream":true}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		request, err := Client{}.Parse(body)
		if err != nil {
			var failure *dialect.Error
			if !errors.As(err, &failure) || failure.Message == "" {
				t.Fatalf("not an error for a client: %v", err)
			}
			return
		}
		for _, target := range []dialect.Target{{Model: "x"}, {Model: "x", Strict: true}} {
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
