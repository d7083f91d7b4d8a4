package anthropic

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/switchyard/switchyard/extproc/dialect"
	"github.com/switchyard/switchyard/extproc/dialect/openai"
)

func write(t testing.TB, body string, target dialect.Target) (dialect.Upstream, error) {
	t.Helper()
	request, err := openai.Client{}.Parse([]byte(body))
	if err != nil {
		t.Fatal(err)
	}
	target.Model = "claude"
	return Provider{}.Request(request, target)
}

const (
	hi    = `"messages":[{"role":"user","content":"hi"}]`
	hiOut = `"messages":[{"role":"user","content":[{"type":"text","text":"hi"}]}]`
	weeks = `"tools":[{"type":"function","function":{"name":"f","parameters":{"type":"object"}}}]`
)

// known-failures 38.
func TestRequest(t *testing.T) {
	for _, test := range []struct {
		name, body string
		target     dialect.Target
		want       string
		dropped    []string
	}{
		{name: "the least", body: `{` + hi + `}`, want: `{"model":"claude","max_tokens":4096,` + hiOut + `}`},
		{name: "the endpoint's bound", target: dialect.Target{MaxCompletionTokens: 64000}, body: `{` + hi + `}`, want: `{"model":"claude","max_tokens":64000,` + hiOut + `}`},
		{name: "row 93: one tool forced", body: `{"max_tokens":9,` + weeks + `,"tool_choice":{"type":"function","function":{"name":"f"}},` + hi + `}`,
			want: `{"model":"claude","max_tokens":9,` + hiOut + `,"tools":[{"name":"f","input_schema":{"type":"object"}}],"tool_choice":{"type":"tool","name":"f"}}`},
		{name: "required, and not in parallel", body: `{"max_tokens":9,` + weeks + `,"tool_choice":"required","parallel_tool_calls":false,` + hi + `}`,
			want: `{"model":"claude","max_tokens":9,` + hiOut + `,"tools":[{"name":"f","input_schema":{"type":"object"}}],"tool_choice":{"type":"any","disable_parallel_tool_use":true}}`},
		{name: "row 95: effort to budget", body: `{"max_tokens":10000,"reasoning":{"effort":"high"},` + hi + `}`,
			want: `{"model":"claude","max_tokens":10000,` + hiOut + `,"thinking":{"type":"enabled","budget_tokens":8000}}`},
		{name: "row 96: the least budget", body: `{"max_tokens":2000,"reasoning":{"effort":"low"},` + hi + `}`,
			want: `{"model":"claude","max_tokens":2000,` + hiOut + `,"thinking":{"type":"enabled","budget_tokens":1024}}`},
		{name: "row 96: the greatest budget", body: `{"max_tokens":200000,"reasoning":{"effort":"max"},` + hi + `}`,
			want: `{"model":"claude","max_tokens":200000,` + hiOut + `,"thinking":{"type":"enabled","budget_tokens":128000}}`},
		{name: "no room to think", body: `{"max_tokens":1024,"reasoning":{"effort":"high"},` + hi + `}`,
			want: `{"model":"claude","max_tokens":1024,` + hiOut + `}`, dropped: []string{"reasoning"}},
		{name: "a budget leaves room for an answer", body: `{"max_tokens":3000,"reasoning":{"max_tokens":9000},` + hi + `}`,
			want: `{"model":"claude","max_tokens":3000,` + hiOut + `,"thinking":{"type":"enabled","budget_tokens":2999}}`},
		{name: "a model without budgets", target: dialect.Target{Refused: []string{"thinking.budget_tokens"}}, body: `{"max_tokens":9,"reasoning":{"effort":"high"},` + hi + `}`,
			want: `{"model":"claude","max_tokens":9,` + hiOut + `,"thinking":{"type":"adaptive"},"output_config":{"effort":"high"}}`},
		{name: "thinking gives way to a forced tool", body: `{"max_tokens":9000,"reasoning":{"effort":"high"},` + weeks + `,"tool_choice":"required",` + hi + `}`,
			want: `{"model":"claude","max_tokens":9000,` + hiOut + `,"tools":[{"name":"f","input_schema":{"type":"object"}}],"tool_choice":{"type":"any"}}`, dropped: []string{"reasoning"}},
		{name: "sampling gives way to thinking", body: `{"max_tokens":9000,"reasoning":{"effort":"low"},"temperature":0.5,"top_p":0.5,"top_k":5,` + hi + `}`,
			want: `{"model":"claude","max_tokens":9000,` + hiOut + `,"thinking":{"type":"enabled","budget_tokens":1800}}`, dropped: []string{"temperature", "top_k", "top_p"}},
		{name: "a temperature beyond the API's", body: `{"max_tokens":9,"temperature":1.7,"top_k":0,"stop":["a"," "],` + hi + `}`,
			want: `{"model":"claude","max_tokens":9,` + hiOut + `,"stop_sequences":["a"],"temperature":1}`, dropped: []string{"stop"}},
		{name: "what cannot be said", body: `{"max_tokens":9,"seed":1,"n":2,"logprobs":true,"frequency_penalty":1,"foo":1,` + hi + `}`,
			want: `{"model":"claude","max_tokens":9,` + hiOut + `}`, dropped: []string{"foo", "frequency_penalty", "logprobs", "n", "seed"}},
		{name: "JSON of any form", body: `{"max_tokens":9,"response_format":{"type":"json_object"},"messages":[{"role":"system","content":"Be brief."},{"role":"user","content":"hi"}]}`,
			want: `{"model":"claude","max_tokens":9,"system":[{"type":"text","text":"Be brief."},{"type":"text","text":"` + dialect.JSONInstruction + `"}],` + hiOut + `}`, dropped: []string{"response_format"}},
		{name: "JSON where no form is taken", target: dialect.Target{Supported: []string{"max_tokens"}}, body: `{"max_tokens":9,"response_format":{"type":"json_object"},` + hi + `}`,
			want: `{"model":"claude","max_tokens":9,` + hiOut + `}`, dropped: []string{"response_format"}},
		{name: "row 18: what the endpoint lacks", target: dialect.Target{Supported: []string{"max_tokens"}}, body: `{"max_tokens":9,"temperature":1,` + weeks + `,` + hi + `}`,
			want: `{"model":"claude","max_tokens":9,` + hiOut + `}`, dropped: []string{"temperature", "tools"}},
		{name: "the end user", body: `{"max_tokens":9,"user":"bob",` + hi + `}`,
			want: `{"model":"claude","max_tokens":9,` + hiOut + `,"metadata":{"user_id":"` + dialect.EndUser("bob") + `"}}`},
		{name: "row 103: cache markers", body: `{"max_tokens":9,"cache_control":{"type":"ephemeral"},"messages":[
			{"role":"system","content":[{"type":"text","text":"s","cache_control":{"type":"ephemeral","ttl":"1h"}}]},{"role":"user","content":"hi"}]}`,
			want: `{"model":"claude","max_tokens":9,"system":[{"type":"text","text":"s","cache_control":{"type":"ephemeral","ttl":"1h"}}],` + hiOut + `,"cache_control":{"type":"ephemeral"}}`},
		{name: "row 94: results come first and together", body: `{"max_tokens":9,` + weeks + `,"messages":[{"role":"user","content":"hi"},
			{"role":"assistant","content":"","tool_calls":[{"id":"a.1","type":"function","function":{"name":"f","arguments":"{\"x\":1}"}},{"id":"b","type":"function","function":{"name":"f","arguments":"{"}}]},
			{"role":"tool","tool_call_id":"b","content":"B"},{"role":"user","content":"so?"},{"role":"tool","tool_call_id":"a.1","content":""}]}`,
			want: `{"model":"claude","max_tokens":9,"messages":[{"role":"user","content":[{"type":"text","text":"hi"}]},` +
				`{"role":"assistant","content":[{"type":"tool_use","id":"` + dialect.PlainID("a.1", mostID) + `","name":"f","input":{"x":1}},{"type":"tool_use","id":"b","name":"f","input":{}}]},` +
				`{"role":"user","content":[{"type":"tool_result","tool_use_id":"b","content":[{"type":"text","text":"B"}]},{"type":"tool_result","tool_use_id":"` + dialect.PlainID("a.1", mostID) + `"},{"type":"text","text":"so?"}]}],` +
				`"tools":[{"name":"f","input_schema":{"type":"object"}}]}`},
		{name: "a history of tools that are not offered again", body: `{"max_tokens":9,"messages":[{"role":"user","content":"hi"},
			{"role":"assistant","tool_calls":[{"id":"a","type":"function","function":{"name":"f","arguments":"{}"}}]},{"role":"tool","tool_call_id":"a","content":"A"}]}`,
			want: `{"model":"claude","max_tokens":9,"messages":[{"role":"user","content":[{"type":"text","text":"hi"}]},{"role":"assistant","content":[{"type":"tool_use","id":"a","name":"f","input":{}}]},` +
				`{"role":"user","content":[{"type":"tool_result","tool_use_id":"a","content":[{"type":"text","text":"A"}]}]}],"tools":[{"name":"f","input_schema":{"type":"object"}}],"tool_choice":{"type":"none"}}`},
		{name: "row 124: prefill", body: `{"max_tokens":9,"messages":[{"role":"user","content":"hi"},{"role":"assistant","content":"Sure, "}]}`,
			want: `{"model":"claude","max_tokens":9,"messages":[{"role":"user","content":[{"type":"text","text":"hi"}]},{"role":"assistant","content":[{"type":"text","text":"Sure,"}]}]}`},
		{name: "row 125: names", body: `{"max_tokens":9,"messages":[{"role":"user","name":"Bob","content":"x"}]}`,
			want: `{"model":"claude","max_tokens":9,"messages":[{"role":"user","content":[{"type":"text","text":"Bob: x"}]}]}`},
		{name: "images and a PDF", body: `{"max_tokens":9,"messages":[{"role":"user","content":[{"type":"image_url","image_url":{"url":"https://a/b.png"}},
			{"type":"image_url","image_url":{"url":"data:image/jpg;base64,AA=="}},{"type":"file","file":{"filename":"a.pdf","file_data":"data:application/pdf;base64,AA=="}},
			{"type":"file","file":{"file_data":"data:text/plain;base64,aGk="}}]}]}`,
			want: `{"model":"claude","max_tokens":9,"messages":[{"role":"user","content":[{"type":"image","source":{"type":"url","url":"https://a/b.png"}},` +
				`{"type":"image","source":{"type":"base64","media_type":"image/jpeg","data":"AA=="}},{"type":"document","source":{"type":"base64","media_type":"application/pdf","data":"AA=="},"title":"a.pdf"},` +
				`{"type":"document","source":{"type":"text","media_type":"text/plain","data":"hi"}}]}]}`},
		{name: "instructions alone", body: `{"max_tokens":9,"messages":[{"role":"system","content":"go"}]}`,
			want: `{"model":"claude","max_tokens":9,"messages":[{"role":"user","content":[{"type":"text","text":"go"}]}]}`},
		{name: "tools of the vendor, and of others", body: `{"max_tokens":9,"tools":[{"type":"web_search_20250305","name":"web_search"},{"type":"openrouter:datetime"}],` + hi + `}`,
			want: `{"model":"claude","max_tokens":9,` + hiOut + `,"tools":[{"type":"web_search_20250305","name":"web_search"}]}`, dropped: []string{"tools.1"}},
		{name: "verbosity where it is known", target: dialect.Target{Supported: []string{"verbosity"}}, body: `{"max_tokens":9,"verbosity":"low",` + hi + `}`,
			want: `{"model":"claude","max_tokens":9,` + hiOut + `,"output_config":{"effort":"low"}}`},
		{name: "row 132: the target's tier", target: dialect.Target{ServiceTier: "priority"}, body: `{"max_tokens":9,"service_tier":"fast",` + hi + `}`,
			want: `{"model":"claude","max_tokens":9,` + hiOut + `,"service_tier":"auto"}`},
		{name: "row 131: a tier that the API does not have", target: dialect.Target{ServiceTier: "flex"}, body: `{"max_tokens":9,"service_tier":"flex",` + hi + `}`,
			want: `{"model":"claude","max_tokens":9,` + hiOut + `}`, dropped: []string{"service_tier"}},
		{name: "row 132: a tier that this endpoint does not serve", body: `{"max_tokens":9,"service_tier":"priority",` + hi + `}`,
			want: `{"model":"claude","max_tokens":9,` + hiOut + `}`, dropped: []string{"service_tier"}},
		{name: "no tier but the default", body: `{"max_tokens":9,"service_tier":"default",` + hi + `}`,
			want: `{"model":"claude","max_tokens":9,` + hiOut + `,"service_tier":"standard_only"}`},
	} {
		t.Run(test.name, func(t *testing.T) {
			got, err := write(t, test.body, test.target)
			if err != nil {
				t.Fatal(err)
			}
			if string(got.Body) != test.want {
				t.Errorf("got  %s\nwant %s", got.Body, test.want)
			}
			if diff := cmp.Diff(test.dropped, got.Dropped); diff != "" {
				t.Errorf("dropped (-want +got):\n%s", diff)
			}
		})
	}
}

func TestRequestRefuses(t *testing.T) {
	for _, test := range []struct{ name, content, want string }{
		{"audio", `[{"type":"input_audio","input_audio":{"data":"AA==","format":"wav"}}]`, "'messages.0.content.0': This model's provider takes no audio input."},
		{"nothing at all", `" "`, "Input must have at least 1 token."},
		{"an image by another scheme", `[{"type":"image_url","image_url":{"url":"ftp://a"}}]`, "'messages.0.content.0': The URL of an image must be http, https, or data with base64."},
		{"which of several", `[{"type":"text","text":"a"},{"type":"image_url","image_url":{"url":"ftp://a"}}]`, "'messages.0.content.1': The URL of an image must be http, https, or data with base64."},
		{"a document of another kind", `[{"type":"file","file":{"file_data":"data:application/zip;base64,AA=="}}]`, `'messages.0.content.0': This model's provider does not take a document of type "application/zip".`},
		{"an unknown part", `[{"type":"smell"}]`, `'messages.0': content.0: unknown type "smell".`},
	} {
		t.Run(test.name, func(t *testing.T) {
			_, err := write(t, `{"messages":[{"role":"user","content":`+test.content+`}]}`, dialect.Target{})
			var failure *dialect.Error
			if !errors.As(err, &failure) || failure.Status != 400 || failure.Message != test.want {
				t.Errorf("got %+v", err)
			}
		})
	}
}
