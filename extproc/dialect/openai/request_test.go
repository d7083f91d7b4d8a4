package openai

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/switchyard/switchyard/extproc/dialect"
)

func TestRequest(t *testing.T) {
	for _, test := range []struct {
		name, body string
		target     dialect.Target
		want       string
		dropped    []string
	}{
		{name: "byte for byte but for the model",
			body: `{"temperature": 1.0,  "model":"m/x","messages":[{"role":"user","content":"a\u0062  \/"}],"x":[ 1, 2 ],"seed":12345678901234567890}`,
			want: `{"temperature": 1.0,"model":"gpt","messages":[{"role":"user","content":"a\u0062  \/"}],"x":[ 1, 2 ],"seed":12345678901234567890}`},
		{name: "row 14: no model", body: `{` + hi + `}`, want: `{"model":"gpt",` + hi + `}`},
		{name: "rows 15 to 17: unknown fields survive, nothing is injected, defaults are forwarded",
			body: `{"model":"m","foo":{"a":1},"temperature":1,` + hi + `}`, want: `{"model":"gpt","foo":{"a":1},"temperature":1,` + hi + `}`},
		{name: "row 18: a parameter that the endpoint lacks", target: dialect.Target{Supported: []string{"temperature"}},
			body: `{"model":"m","top_k":5,"temperature":1,` + hi + `}`, want: `{"model":"gpt","temperature":1,` + hi + `}`, dropped: []string{"top_k"}},
		{name: "a parameter that the provider refuses", target: dialect.Target{Refused: []string{"seed"}},
			body: `{"model":"m","seed":5,` + hi + `}`, want: `{"model":"gpt",` + hi + `}`, dropped: []string{"seed"}},
		{name: "a strict target", target: dialect.Target{Strict: true},
			body: `{"model":"m","foo":1,"top_k":1,"seed":1,` + hi + `}`, want: `{"model":"gpt","seed":1,` + hi + `}`, dropped: []string{"foo", "top_k"}},
		{name: "usage is always asked for", body: `{"model":"m","stream":true,"stream_options":{"include_obfuscation":false,"include_usage":false},` + hi + `}`,
			want: `{"model":"gpt","stream":true,` + hi + `,"stream_options":{"include_obfuscation":false,"include_usage":true}}`},
		{name: "unless the target refuses", target: dialect.Target{Refused: []string{"stream_options"}},
			body: `{"model":"m","stream":true,` + hi + `}`, want: `{"model":"gpt","stream":true,` + hi + `}`},
		{name: "the bound by its other name", target: dialect.Target{Refused: []string{"max_tokens"}},
			body: `{"model":"m","max_tokens":9,` + hi + `}`, want: `{"model":"gpt","max_completion_tokens":9,` + hi + `}`},
		{name: "the bound by its older name", target: dialect.Target{Refused: []string{"max_completion_tokens"}},
			body: `{"model":"m","max_completion_tokens":9,"max_tokens":8,` + hi + `}`, want: `{"model":"gpt","max_tokens":9,` + hi + `}`},
		{name: "reasoning in the target's words", body: `{"model":"m","reasoning":{"effort":"high","exclude":true},` + hi + `}`,
			want: `{"model":"gpt","reasoning_effort":"high",` + hi + `}`},
		{name: "reasoning of a model that does not think, at OpenAI itself", target: dialect.Target{Model: "gpt-4o-mini", Strict: true},
			body: `{"model":"m","reasoning":{"effort":"high"},` + hi + `}`, want: `{"model":"gpt-4o-mini",` + hi + `}`, dropped: []string{"reasoning"}},
		{name: "reasoning of one that does, at OpenAI itself", target: dialect.Target{Model: "o4-mini", Strict: true},
			body: `{"model":"m","reasoning":{"effort":"high"},` + hi + `}`, want: `{"model":"o4-mini","reasoning_effort":"high",` + hi + `}`},
		{name: "reasoning said twice", body: `{"model":"m","reasoning":{"exclude":true},"reasoning_effort":"low",` + hi + `}`,
			want: `{"model":"gpt","reasoning_effort":"low",` + hi + `}`},
		{name: "reasoning switched off", body: `{"model":"m","reasoning":{"enabled":false},` + hi + `}`,
			want: `{"model":"gpt","reasoning_effort":"none",` + hi + `}`},
		{name: "reasoning that is only shown or not", body: `{"model":"m","reasoning":{"exclude":true},` + hi + `}`, want: `{"model":"gpt",` + hi + `}`},
		{name: "reasoning that the endpoint lacks", target: dialect.Target{Supported: []string{"tools"}},
			body: `{"model":"m","reasoning_effort":"low",` + hi + `}`, want: `{"model":"gpt",` + hi + `}`, dropped: []string{"reasoning_effort"}},
		{name: "a choice of tools without tools", body: `{"model":"m","tools":[],"tool_choice":"auto","parallel_tool_calls":true,` + hi + `}`, want: `{"model":"gpt",` + hi + `}`},
		{name: "history from an answer", body: `{"model":"m","messages":[{"role":"assistant","content":"x","reasoning":"r","reasoning_details":[],"annotations":[],"refusal":null,"tool_calls":[]}]}`,
			want: `{"model":"gpt","messages":[{"role":"assistant","content":"x","reasoning_content":"r"}]}`},
		{name: "cache markers for whoever takes them", body: `{"model":"m","messages":[{"role":"user","content":[{"type":"text","text":"x","cache_control":{"type":"ephemeral"}}]}]}`,
			want: `{"model":"gpt","messages":[{"role":"user","content":[{"type":"text","text":"x","cache_control":{"type":"ephemeral"}}]}]}`},
		{name: "cache markers for whoever does not", target: dialect.Target{Refused: []string{"cache_control"}},
			body: `{"model":"m","messages":[{"role":"user","content":[{"type":"text","text":"x","cache_control":{"type":"ephemeral"}}]}]}`,
			want: `{"model":"gpt","messages":[{"role":"user","content":[{"type":"text","text":"x"}]}]}`, dropped: []string{"cache_control"}},
		{name: "row 131: the target's tier", target: dialect.Target{ServiceTier: "flex"}, body: `{"service_tier":"flex","model":"m",` + hi + `}`,
			want: `{"service_tier":"flex","model":"gpt",` + hi + `}`},
		{name: "row 132: a tier that this endpoint does not serve", body: `{"model":"m","service_tier":"priority",` + hi + `}`,
			want: `{"model":"gpt",` + hi + `}`, dropped: []string{"service_tier"}},
		{name: "row 133: fast is priority", target: dialect.Target{ServiceTier: "priority"}, body: `{"model":"m","service_tier":"fast",` + hi + `}`,
			want: `{"model":"gpt","service_tier":"priority",` + hi + `}`},
		{name: "the target's tier unasked", target: dialect.Target{ServiceTier: "flex", Strict: true}, body: `{"model":"m",` + hi + `}`,
			want: `{"model":"gpt",` + hi + `,"service_tier":"flex"}`},
		{name: "the target's tier by a provider that refuses the field", target: dialect.Target{ServiceTier: "flex", Refused: []string{"service_tier"}},
			body: `{"model":"m",` + hi + `}`, want: `{"model":"gpt",` + hi + `}`},
		{name: "no tier in particular", body: `{"model":"m","service_tier":"auto",` + hi + `}`, want: `{"model":"gpt","service_tier":"auto",` + hi + `}`},
		{name: "row 73: a search of the web", target: dialect.Target{WebSearch: true, Supported: []string{"web_search_options"}},
			body: `{"model":"m","plugins":[{"id":"web"}],` + hi + `}`, want: `{"model":"gpt",` + hi + `,"web_search_options":{}}`},
		{name: "row 73: a target that cannot search", target: dialect.Target{WebSearch: true, Supported: []string{"tools"}},
			body: `{"model":"m",` + hi + `}`, want: `{"model":"gpt",` + hi + `}`},
		{name: "row 73: the client's own options", target: dialect.Target{WebSearch: true, Supported: []string{"web_search_options"}},
			body: `{"model":"m","web_search_options":{"search_context_size":"low"},` + hi + `}`,
			want: `{"model":"gpt","web_search_options":{"search_context_size":"low"},` + hi + `}`},
		{name: "row 125: names for whoever takes them", body: `{"model":"m","messages":[{"role":"user","name":"Bob","content":"x"}]}`,
			want: `{"model":"gpt","messages":[{"role":"user","name":"Bob","content":"x"}]}`},
		{name: "row 125: names for whoever does not", target: dialect.Target{Refused: []string{"name"}},
			body: `{"model":"m","messages":[{"role":"user","content":"x\n","name":"Bob"},{"role":"user","name":"Al","content":[{"type":"text","text":"y"}]},{"role":"tool","tool_call_id":"c","name":"f","content":"z"}]}`,
			want: `{"model":"gpt","messages":[{"role":"user","content":"Bob: x\n"},{"role":"user","content":[{"type":"text","text":"Al:"},{"type":"text","text":"y"}]},{"role":"tool","tool_call_id":"c","content":"z"}]}`},
	} {
		t.Run(test.name, func(t *testing.T) {
			checkRequest(t, test.body, test.target, test.want, test.dropped)
		})
	}
}

// checkRequest holds that a target, whose model is "gpt" if it has none, gets a client's body as want.
func checkRequest(t *testing.T, body string, target dialect.Target, want string, dropped []string) {
	t.Helper()
	request, err := Client{}.Parse([]byte(body))
	if err != nil {
		t.Fatal(err)
	}
	if target.Model == "" {
		target.Model = "gpt"
	}
	got, err := Provider{}.Request(request, target)
	if err != nil {
		t.Fatal(err)
	}
	if string(got.Body) != want {
		t.Errorf("got  %s\nwant %s", got.Body, want)
	}
	if diff := cmp.Diff(dropped, got.Dropped); diff != "" {
		t.Errorf("dropped (-want +got):\n%s", diff)
	}
}

func TestEndUserIsHashed(t *testing.T) {
	request, _ := Client{}.Parse([]byte(`{"user":"bob@example.com",` + hi + `}`))
	upstream, err := Provider{}.Request(request, dialect.Target{Model: "x"})
	if err != nil || strings.Contains(string(upstream.Body), "bob") || !strings.Contains(string(upstream.Body), dialect.EndUser("bob@example.com")) {
		t.Errorf("the provider gets %s, %v", upstream.Body, err)
	}
}

func TestRequestFromAnotherDialect(t *testing.T) {
	body := `{"model":"m","tools":[{"type":"function","function":{"name":"f","parameters":{"type":"object"}}}],"max_tokens":5,"stop":["a"],
		"messages":[{"role":"system","content":"s"},{"role":"user","content":[{"type":"text","text":"x"},{"type":"image_url","image_url":{"url":"data:image/png;base64,AA=="}}]},
		{"role":"assistant","content":null,"tool_calls":[{"id":"c","type":"function","function":{"name":"f","arguments":"{}"}}]},
		{"role":"tool","tool_call_id":"c","content":"r"}]}`
	request, err := Client{}.Parse([]byte(body))
	if err != nil {
		t.Fatal(err)
	}
	foreign := &dialect.Request{Dialect: "other", Chat: request.Chat, Stream: true}
	got, err := Provider{}.Request(foreign, dialect.Target{Model: "gpt", Strict: true})
	if err != nil {
		t.Fatal(err)
	}
	want := `{"model":"gpt","messages":[{"role":"system","content":"s"},` +
		`{"role":"user","content":[{"type":"text","text":"x"},{"type":"image_url","image_url":{"url":"data:image/png;base64,AA=="}}]},` +
		`{"role":"assistant","content":null,"tool_calls":[{"id":"c","type":"function","function":{"name":"f","arguments":"{}"}}]},` +
		`{"role":"tool","tool_call_id":"c","content":"r"}],"stream":true,` +
		`"tools":[{"type":"function","function":{"name":"f","parameters":{"type":"object"}}}],"max_tokens":5,"stop":["a"],"stream_options":{"include_usage":true}}`
	if string(got.Body) != want {
		t.Errorf("got  %s\nwant %s", got.Body, want)
	}
}
