package responses

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/switchyard/switchyard/extproc/dialect"
)

func parse(t *testing.T, body string) *dialect.Request {
	t.Helper()
	request, err := Client{}.Parse([]byte(body))
	if err != nil {
		t.Fatal(err)
	}
	return request
}

func chatOf(t *testing.T, body string) *dialect.Chat {
	t.Helper()
	chat, err := parse(t, body).Chat()
	if err != nil {
		t.Fatal(err)
	}
	return chat
}

func TestParse(t *testing.T) {
	request := parse(t, ` {"model":"m/x","models":["m/y"],"stream":true,"input":"hi","instructions":"be brief",
		"max_output_tokens":100,"temperature":0.5,"top_logprobs":2,"user":"bob","service_tier":"flex","session_id":"s",
		"provider":{"order":["a"]},"plugins":[],"route":"fallback","preset":"p","store":false,"previous_response_id":null,
		"reasoning":{"effort":"low","exclude":true},"text":{"format":{"type":"json_schema","name":"n","schema":{}},"verbosity":"low"},
		"tools":[{"type":"function","name":"f","parameters":{}}],"tool_choice":{"type":"function","name":"f"},"parallel_tool_calls":false}`)
	if _, err := request.Chat(); err != nil {
		t.Fatal(err)
	}
	request.Chat, request.Raw, request.Parsed, request.Conversation = nil, nil, nil, [16]byte{}
	want := &dialect.Request{
		Dialect: Name, Model: "m/x", Models: []string{"m/y"}, Stream: true, MaxTokens: 100,
		Parameters: []string{
			"logprobs", "max_tokens", "parallel_tool_calls", "reasoning", "response_format", "temperature",
			"tool_choice", "tools", "top_logprobs", "verbosity",
		},
		Tools: true, Effort: "low", HideReasoning: true, Provider: []byte(`{"order":["a"]}`), Plugins: []byte(`[]`),
		Route: "fallback", Preset: "p", ServiceTier: "flex", ResponseFormat: "json_schema",
		ToolChoice: "function", ToolName: "f", SessionID: "s", User: "bob",
		PromptBytes: int64(len("hi") + len("be brief") + len(`{"type":"function","name":"f","parameters":{}}`)),
	}
	if diff := cmp.Diff(want, request); diff != "" {
		t.Error(diff)
	}
}

func TestSettingsOfTheChat(t *testing.T) {
	chat := chatOf(t, `{"input":"hi","max_output_tokens":100,"temperature":0.5,"top_p":0.9,"top_k":4,"frequency_penalty":1,
		"presence_penalty":-1,"include":["message.output_text.logprobs","reasoning.encrypted_content"],"metadata":{"a":"b"},
		"safety_identifier":"x","prompt_cache_key":"k","truncation":"auto","unheard_of":1,
		"reasoning":{"max_tokens":9,"summary":"auto"},"text":{"format":{"type":"json_schema","name":"n","description":"d","strict":true,"schema":{"type":"object"}}},
		"tools":[{"type":"function","name":"f","description":"d","parameters":{"type":"object"},"strict":true},{"type":"function","name":"g","parameters":null}],
		"tool_choice":{"type":"allowed_tools","mode":"required","tools":[{"type":"function","name":"f"}]}}`)
	number := func(n float64) *float64 { return &n }
	four, yes := int64(4), true
	want := &dialect.Chat{
		Messages:  []dialect.Message{{Role: dialect.RoleUser, Parts: []dialect.Part{{Text: "hi"}}}},
		MaxTokens: 100, Temperature: number(0.5), TopP: number(0.9), TopK: &four,
		FrequencyPenalty: number(1), PresencePenalty: number(-1), Logprobs: true,
		Reasoning:  &dialect.Reasoning{MaxTokens: 9, Summary: "auto"},
		Format:     &dialect.Format{Type: "json_schema", Name: "n", Description: "d", Strict: &yes, Schema: []byte(`{"type":"object"}`)},
		Tools:      []dialect.Tool{{Name: "f", Description: "d", Parameters: []byte(`{"type":"object"}`), Strict: &yes}},
		ToolChoice: dialect.ToolChoice{Mode: "required"},
		Extra: []dialect.Field{
			{Name: "metadata", Value: []byte(`{"a":"b"}`)}, {Name: "safety_identifier", Value: []byte(`"x"`)},
			{Name: "prompt_cache_key", Value: []byte(`"k"`)}, {Name: "unheard_of", Value: []byte(`1`)},
		},
	}
	if diff := cmp.Diff(want, chat); diff != "" {
		t.Error(diff)
	}
}

func TestRefusedRequests(t *testing.T) {
	for _, test := range []struct{ name, body, says string }{
		{"row 135: store", `{"input":"hi","store":true}`, "'store' must be false"},
		{"row 135: previous_response_id", `{"input":"hi","previous_response_id":"x"}`, "'previous_response_id' is not supported"},
		{"conversation", `{"input":"hi","conversation":"c"}`, "'conversation' is not supported"},
		{"prompt", `{"input":"hi","prompt":{"id":"p"}}`, "'prompt' is not supported"},
		{"background", `{"input":"hi","background":true}`, "'background' must be false"},
		{"item_reference", `{"input":[{"type":"item_reference","id":"x"}]}`, "Send store: false"},
		{"row 13: half an object", `{"input":`, "not valid JSON"},
		{"no input", `{"model":"m/x"}`, "Input required"},
		{"empty input", `{"input":[]}`, "at least 1 token"},
		{"input of a number", `{"input":1}`, "'input' must be"},
		{"an item of a number", `{"input":[1]}`, "'input.0' must be an object"},
		{"unknown item", `{"input":[{"type":"x"}]}`, `'input.0': items of type "x"`},
		{"unknown role", `{"input":[{"role":"x","content":"a"}]}`, "'input.0.role'"},
		{"no content", `{"input":[{"role":"user"}]}`, "'input.0.content' must be"},
		{"unknown part", `{"input":[{"role":"user","content":[{"type":"x"}]}]}`, `'input.0.content.0': unknown type "x"`},
		{"an image of nothing", `{"input":[{"role":"user","content":[{"type":"input_image"}]}]}`, "'input.0.content.0': it holds neither"},
		{"a call of nothing", `{"input":[{"type":"function_call","name":"f"}]}`, "'input.0': a function_call needs"},
		{"an output of nothing", `{"input":[{"type":"function_call_output","output":"x"}]}`, "'input.0': a function_call_output needs"},
		{"a tool that nobody runs", `{"input":"hi","tools":[{"type":"file_search"}]}`, `'tools.0': type "file_search"`},
		{"a tool without a name", `{"input":"hi","tools":[{"type":"function"}]}`, "'tools.0.name'"},
		{"tool_choice", `{"input":"hi","tool_choice":"x"}`, "'tool_choice' must be"},
		{"tool_choice of another type", `{"input":"hi","tool_choice":{"type":"file_search"}}`, `'tool_choice': type "file_search"`},
		{"temperature", `{"input":"hi","temperature":3}`, "'temperature' must be between 0 and 2"},
		{"max_output_tokens", `{"input":"hi","max_output_tokens":0}`, "'max_output_tokens' must be at least 1"},
		{"max_output_tokens of a half", `{"input":"hi","max_output_tokens":1.5}`, "'max_output_tokens' must be a whole number"},
		{"row 97: effort and budget", `{"input":"hi","reasoning":{"effort":"low","max_tokens":9}}`, "Only one of"},
		{"effort", `{"input":"hi","reasoning":{"effort":"x"}}`, "'reasoning.effort'"},
		{"format", `{"input":"hi","text":{"format":{"type":"x"}}}`, "'text.format.type'"},
		{"a format without its schema", `{"input":"hi","text":{"format":{"type":"json_schema"}}}`, "'text.format.schema'"},
		{"row 109: session_id", `{"input":"hi","session_id":"` + strings.Repeat("x", 257) + `"}`, "'session_id' must have 256"},
	} {
		t.Run(test.name, func(t *testing.T) {
			_, err := Client{}.Parse([]byte(test.body))
			var failure *dialect.Error
			if !errors.As(err, &failure) || failure.Status != 400 || failure.Type != "invalid_request" || !strings.Contains(failure.Message, test.says) {
				t.Errorf("got %v, want %q", err, test.says)
			}
		})
	}
}

func TestWebSearch(t *testing.T) {
	for body, want := range map[string]string{
		`{"input":"hi","tools":[{"type":"web_search"}]}`:                                             `[{"id":"web"}]`,
		`{"input":"hi","tools":[{"type":"web_search_preview"}],"plugins":[{"id":"x"}]}`:              `[{"id":"x"},{"id":"web"}]`,
		`{"input":"hi","tools":[{"type":"web_search"}],"plugins":[{"id":"web","max_results":2}]}`:    `[{"id":"web","max_results":2}]`,
		`{"input":"hi","tools":[{"type":"function","name":"f"},{"type":"web_search"}],"plugins":[]}`: `[{"id":"web"}]`,
	} {
		request := parse(t, body)
		if named := strings.Contains(body, "function"); string(request.Plugins) != want || request.Tools != named {
			t.Errorf("%s: plugins %s, tools %t", body, request.Plugins, request.Tools)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(`{"model":"m/x","input":"hi","instructions":"i","reasoning":{"effort":"low"},"text":{"format":{"type":"text"}}}`))
	f.Add([]byte(`{"input":[{"role":"user","content":[{"type":"input_text","text":"a"},{"type":"input_image","image_url":"data:image/png;base64,aa"}]},
		{"type":"reasoning","encrypted_content":"x.eyJlbmRwb2ludF9zbHVnIjoibXx4In0","summary":[{"text":"s"}],"content":[{"text":"t"}]},
		{"type":"function_call","call_id":"c","name":"f","arguments":"{}"},{"type":"function_call_output","call_id":"c","output":[{"type":"input_text","text":"r"}]}]}`))
	f.Add([]byte(`{"input":"hi","tools":[{"type":"function","name":"f"}],"tool_choice":{"type":"allowed_tools","mode":"auto","tools":[{"name":"f"}]}}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		request, err := Client{}.Parse(body)
		if err != nil {
			var failure *dialect.Error
			if !errors.As(err, &failure) || failure.Status != 400 || failure.Message == "" {
				t.Fatalf("unfit for a client: %v", err)
			}
			return
		}
		chat, err := request.Chat()
		if err != nil || len(chat.Messages) == 0 {
			t.Fatalf("%d messages, %v", len(chat.Messages), err)
		}
	})
}

// TestParseIsLight: what Parse finds in a request is what the whole reading finds, but for
// the sizes of texts with escapes.
func TestParseIsLight(t *testing.T) {
	for _, body := range []string{
		`{"input":"hi","instructions":"i"}`,
		`{"input":[{"role":"user","content":[{"type":"input_text","text":"a"},{"type":"input_image","image_url":"data:image/png;base64,aa"},
			{"type":"input_file","file_id":"f"},{"type":"input_audio","input_audio":{"data":"a","format":"wav"}}]},
			{"type":"reasoning","encrypted_content":"x.eyJlbmRwb2ludF9zbHVnIjoibXx4In0","summary":[{"text":"s"}],"content":[{"text":"t"}]},
			{"type":"function_call","call_id":"c","name":"f","arguments":"{}"},
			{"type":"function_call_output","call_id":"c","output":[{"type":"input_text","text":"r"},{"type":"input_image","image_url":"https://a/b"}]},
			{"type":"function_call_output","call_id":"c","output":"r"}]}`,
	} {
		light := parse(t, body)
		document, err := dialect.Document([]byte(body))
		if err != nil {
			t.Fatal(err)
		}
		whole := newReader(document.Text)
		if err := whole.read(document); err != nil {
			t.Fatal(err)
		}
		light.Chat, light.Parsed = nil, nil
		if diff := cmp.Diff(whole.request, light); diff != "" {
			t.Error(diff)
		}
	}
}

func TestLeadsToMedia(t *testing.T) {
	for _, url := range []string{
		"", "https://a/b", "data:", "data:image/png;base64,", "data:image/png;base64,aa", "data:;base64,", "data:a,b;base64,", "data:a;base64,;base64,", ";base64,",
	} {
		media := dialect.MediaAt(url)
		if want := media.URL != "" || media.Data != ""; leadsToMedia([]byte(`"`+url+`"`)) != want {
			t.Errorf("%q leads to media: %t, want %t", url, !want, want)
		}
	}
}
