package ollama

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/switchyard/switchyard/extproc/dialect"
	"github.com/switchyard/switchyard/extproc/dialect/openai"
)

// write parses a client's request and writes it for target.
func write(t testing.TB, client dialect.Client, body string, target dialect.Target) (dialect.Upstream, error) {
	t.Helper()
	request, err := client.Parse([]byte(body))
	if err != nil {
		t.Fatal(err)
	}
	target.Model = "up"
	return Provider{}.Request(request, target)
}

const hi = `{"role":"user","content":"hi"}`

func TestRequest(t *testing.T) {
	const tools = `"tools":[{"type":"function","function":{"name":"f"}}]`
	const declared = `"tools":[{"type":"function","function":{"name":"f","parameters":{"type":"object","properties":{}}}}]`
	const plain = `"messages":[` + hi + `],"stream":false`
	for _, test := range []struct {
		name, messages, members, want string
		target                        dialect.Target
		dropped                       []string
	}{
		{name: "the least", messages: hi, want: plain},
		{name: "a stream", messages: hi, members: `"stream":true`, want: `"messages":[` + hi + `],"stream":true`},
		{name: "what the client does not set is the model's to choose", messages: hi, members: `"temperature":null`, want: plain},
		{name: "sampling", messages: hi,
			members: `"max_tokens":9,"temperature":0.5,"top_p":1,"top_k":40,"min_p":0.1,"repetition_penalty":1.1,"frequency_penalty":-1,"presence_penalty":0.5,"seed":7,"stop":"a"`,
			want:    plain + `,"options":{"num_predict":9,"temperature":0.5,"top_p":1,"top_k":40,"min_p":0.1,"repeat_penalty":1.1,"frequency_penalty":-1,"presence_penalty":0.5,"seed":7,"stop":["a"]}`},
		{name: "Ollama's own options win", messages: hi, members: `"temperature":1,"num_ctx":4096,"options":{"temperature":0.1,"num_gpu":1},"keep_alive":-1,"truncate":false,"shift":true`,
			want: plain + `,"options":{"num_ctx":4096,"temperature":0.1,"num_gpu":1},"keep_alive":-1,"truncate":false,"shift":true`},
		{name: "what the API has no words for", messages: hi, members: `"n":2,"logit_bias":{"1":2},"user":"u","verbosity":"low","service_tier":"fast"`, want: plain,
			dropped: []string{"logit_bias", "n", "service_tier", "user", "verbosity"}},
		{name: "what the endpoint does not take", messages: hi, members: `"temperature":1,"reasoning":{"effort":"high"},"logprobs":true,"response_format":{"type":"json_object"},` + tools,
			target: dialect.Target{Supported: []string{"top_k"}}, want: plain, dropped: []string{"logprobs", "reasoning", "response_format", "temperature", "tools"}},
		{name: "tools", messages: hi, members: tools + `,"tool_choice":"auto","parallel_tool_calls":false`, want: plain + `,` + declared, dropped: []string{"parallel_tool_calls"}},
		{name: "a call that is demanded", messages: hi, members: tools + `,"tool_choice":"required"`, want: plain + `,` + declared, dropped: []string{"tool_choice"}},
		{name: "no call", messages: hi, members: tools + `,"tool_choice":"none"`, want: plain},
		{name: "row 120: a schema", messages: hi, members: `"response_format":{"type":"json_schema","json_schema":{"name":"n","schema":{"type":"object"}}}`, want: plain + `,"format":{"type":"object"}`},
		{name: "JSON", messages: hi, members: `"response_format":{"type":"json_object"}`, want: plain + `,"format":"json"`},
		{name: "logprobs", messages: hi, members: `"logprobs":true,"top_logprobs":3`, want: plain + `,"logprobs":true,"top_logprobs":3`},
		{name: "an effort", messages: hi, members: `"reasoning_effort":"medium"`, want: plain + `,"think":"medium"`},
		{name: "the least effort", messages: hi, members: `"reasoning_effort":"minimal"`, want: plain + `,"think":"low"`},
		{name: "the highest", messages: hi, members: `"reasoning":{"effort":"xhigh"}`, want: plain + `,"think":"max"`},
		{name: "a budget", messages: hi, members: `"reasoning":{"max_tokens":2000}`, want: plain + `,"think":true`},
		{name: "on", messages: hi, members: `"reasoning":{"enabled":true}`, want: plain + `,"think":true`},
		{name: "off", messages: hi, members: `"reasoning":{"enabled":false}`, want: plain + `,"think":false`},
		{name: "a wish to see thoughts", messages: hi, members: `"reasoning":{"exclude":false}`, want: plain},
		{name: "row 125, and images in base64", messages: `{"role":"developer","content":"d"},{"role":"user","name":"Bob","content":[{"type":"text","text":"a"},{"type":"text","text":"b"},{"type":"image_url","image_url":{"url":"data:image/png;base64,AA=="}}]}`,
			want: `"messages":[{"role":"system","content":"d"},{"role":"user","content":"Bob: a\nb","images":["AA=="]}],"stream":false`},
		{name: "row 94: thoughts, calls and results", messages: hi + `,{"role":"assistant","content":null,"reasoning":"hm","tool_calls":[{"id":"a","type":"function","function":{"name":"f","arguments":"{\"x\":1}"}},{"id":"b","type":"function","function":{"name":"g","arguments":"broken"}}]},
				{"role":"tool","tool_call_id":"a","content":[{"type":"text","text":"3"},{"type":"image_url","image_url":{"url":"data:image/png;base64,AA=="}}]},{"role":"tool","tool_call_id":"b","content":""}`,
			want: `"messages":[` + hi + `,{"role":"assistant","content":"","thinking":"hm","tool_calls":[{"id":"a","function":{"name":"f","arguments":{"x":1}}},{"id":"b","function":{"name":"g","arguments":{}}}]},` +
				`{"role":"tool","content":"3","tool_name":"f","tool_call_id":"a"},{"role":"tool","content":"","tool_name":"g","tool_call_id":"b"},{"role":"user","content":"","images":["AA=="]}],"stream":false`},
	} {
		t.Run(test.name, func(t *testing.T) {
			members := test.members
			if members != "" {
				members = "," + members
			}
			got, err := write(t, openai.Client{}, `{"messages":[`+test.messages+`]`+members+`}`, test.target)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(`{"model":"up",`+test.want+`}`, string(got.Body)); diff != "" {
				t.Error(diff)
			}
			if got.Path != "/chat" {
				t.Errorf("the path is %s", got.Path)
			}
			if diff := cmp.Diff(test.dropped, got.Dropped); diff != "" {
				t.Errorf("dropped: %s", diff)
			}
		})
	}
}

func TestRefusals(t *testing.T) {
	for name, test := range map[string]struct {
		client      dialect.Client
		body, words string
	}{
		"nothing":                {openai.Client{}, `{"messages":[{"role":"user","content":""}]}`, "at least 1 token"},
		"row 122: a remote URL":  {openai.Client{}, `{"messages":[{"role":"user","content":[{"type":"image_url","image_url":{"url":"https://a/b.png"}}]}]}`, "base64"},
		"broken base64":          {openai.Client{}, `{"messages":[{"role":"user","content":[{"type":"image_url","image_url":{"url":"data:image/png;base64,A!"}}]}]}`, "is broken"},
		"a file":                 {openai.Client{}, `{"messages":[{"role":"user","content":[{"type":"file","file":{"file_data":"data:application/pdf;base64,AA=="}}]}]}`, "'messages.0'"},
		"options that are none":  {openai.Client{}, `{"messages":[` + hi + `],"options":8192}`, "'options'"},
		"tokens to embed":        {openai.Embeddings{}, `{"input":[[1],[2]]}`, "must be text"},
		"an image to embed":      {openai.Embeddings{}, `{"input":[{"content":[{"type":"image_url","image_url":{"url":"data:image/png;base64,AA=="}}]}]}`, "must be text"},
		"documents to be ranked": {openai.Rerank{}, `{"query":"q","documents":["a"]}`, "conversations only"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := write(t, test.client, test.body, dialect.Target{})
			var failure *dialect.Error
			if !errors.As(err, &failure) || failure.Status != 400 || !strings.Contains(failure.Message, test.words) {
				t.Errorf("%v, want %q", err, test.words)
			}
		})
	}
}

func TestEmbed(t *testing.T) {
	for body, want := range map[string]string{
		`{"input":"a","encoding_format":"base64"}`: `{"model":"up","input":["a"]}`,
		`{"input":["a","é\n"],"dimensions":256,"truncate":false,"keep_alive":"5m","options":{"num_ctx":512},"input_type":"query","user":"u"}`: `{"model":"up","input":["a","é\n"],"dimensions":256,"truncate":false,"keep_alive":"5m","options":{"num_ctx":512}}`,
	} {
		got, err := write(t, openai.Embeddings{}, body, dialect.Target{})
		if err != nil || got.Path != "/embed" || string(got.Body) != want {
			t.Errorf("%v: got %s, want %s", err, got.Body, want)
		}
		if dropped := strings.Join(got.Dropped, " "); strings.Contains(body, "user") && dropped != "input_type user" {
			t.Errorf("dropped %s", dropped)
		}
	}
}
