package cohere

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
	if target.Model == "" {
		target.Model = "up"
	}
	return Provider{}.Request(request, target)
}

const hi = `{"role":"user","content":"hi"}`

const said = `{"role":"user","content":[{"type":"text","text":"hi"}]}`

func TestRequest(t *testing.T) {
	const tool = `"tools":[{"type":"function","function":{"name":"f"}},{"type":"function","function":{"name":"g","strict":true,"parameters":{"type":"object"}}}]`
	const f = `{"type":"function","function":{"name":"f","parameters":{"type":"object","properties":{}}}}`
	const g = `{"type":"function","function":{"name":"g","parameters":{"type":"object"}}}`
	const call = `{"id":"a","type":"function","function":{"name":"f","arguments":"{}"}}`
	for _, test := range []struct {
		name, messages, members, want string
		target                        dialect.Target
		dropped                       []string
	}{
		{name: "the least", messages: hi, want: `"messages":[` + said + `]`},
		{name: "a stream", messages: hi, members: `"stream":true,"stream_options":{"include_usage":true}`, want: `"messages":[` + said + `],"stream":true`},
		{name: "row 125: names, and instructions of both roles", messages: `{"role":"system","content":"s"},{"role":"developer","content":"d"},{"role":"user","name":"Bob","content":"x"}`,
			want: `"messages":[{"role":"system","content":[{"type":"text","text":"s"}]},{"role":"system","content":[{"type":"text","text":"d"}]},{"role":"user","content":[{"type":"text","text":"Bob: x"}]}]`},
		{name: "row 122: images by URL and as data", messages: `{"role":"user","content":[{"type":"image_url","image_url":{"url":"https://a/b.png","detail":"low"}},{"type":"image_url","image_url":{"url":"data:image/jpg;base64,AA=="}}]}`,
			want: `"messages":[{"role":"user","content":[{"type":"image_url","image_url":{"url":"https://a/b.png","detail":"low"}},{"type":"image_url","image_url":{"url":"data:image/jpeg;base64,AA=="}}]}]`},
		{name: "sampling in the API's words and ranges", messages: hi,
			members: `"temperature":0,"top_p":1,"top_k":40,"seed":7,"frequency_penalty":2,"presence_penalty":0.5,"max_tokens":9,"stop":["a","b"],"logprobs":true,"top_logprobs":2`,
			want:    `"messages":[` + said + `],"max_tokens":9,"stop_sequences":["a","b"],"temperature":0,"p":0.99,"k":40,"seed":7,"frequency_penalty":1,"presence_penalty":0.5,"logprobs":true`,
			dropped: []string{"frequency_penalty", "top_logprobs"}},
		{name: "a temperature that others take", messages: hi, members: `"temperature":1.8,"presence_penalty":1.2`,
			want: `"messages":[` + said + `],"temperature":1,"presence_penalty":1`, dropped: []string{"presence_penalty", "temperature"}},
		{name: "what the API has no words for", messages: hi,
			members: `"n":2,"frequency_penalty":-1,"seed":-1,"top_k":501,"stop":["a","b","c","d","e","f"],"logit_bias":{"1":2},"verbosity":"low","user":"u","min_p":0.1,"parallel_tool_calls":false`,
			want:    `"messages":[` + said + `],"stop_sequences":["a","b","c","d","e"]`,
			dropped: []string{"frequency_penalty", "logit_bias", "min_p", "n", "seed", "stop", "top_k", "user", "verbosity"}},
		{name: "what the endpoint does not take", messages: hi, members: `"temperature":1,"top_k":3,"reasoning":{"effort":"high"},"logprobs":true,"response_format":{"type":"json_object"}`,
			target: dialect.Target{Supported: []string{"top_k"}}, want: `"messages":[` + said + `],"k":3`,
			dropped: []string{"logprobs", "reasoning", "response_format", "temperature"}},
		{name: "Cohere's own fields", messages: hi, members: `"safety_mode":"STRICT","documents":["d"],"citation_options":{"mode":"OFF"},"priority":3`,
			want: `"messages":[` + said + `],"documents":["d"],"citation_options":{"mode":"OFF"},"safety_mode":"STRICT","priority":3`},
		{name: "tools, of which not all are strict", messages: hi, members: tool + `,"tool_choice":"auto"`, want: `"messages":[` + said + `],"tools":[` + f + `,` + g + `]`, dropped: []string{"tools.strict"}},
		{name: "a call that is demanded", messages: hi, members: tool + `,"tool_choice":"required"`, want: `"messages":[` + said + `],"tools":[` + f + `,` + g + `],"tool_choice":"REQUIRED"`, dropped: []string{"tools.strict"}},
		{name: "no call", messages: hi, members: tool + `,"tool_choice":"none"`, want: `"messages":[` + said + `],"tools":[` + f + `,` + g + `],"tool_choice":"NONE"`, dropped: []string{"tools.strict"}},
		{name: "one tool, strict", messages: hi, members: tool + `,"tool_choice":{"type":"function","function":{"name":"g"}}`,
			want: `"messages":[` + said + `],"tools":[` + g + `],"strict_tools":true,"tool_choice":"REQUIRED"`},
		{name: "row 120: a schema", messages: hi, members: `"response_format":{"type":"json_schema","json_schema":{"name":"n","schema":{"type":"object","required":["a"]}}}`,
			want: `"messages":[` + said + `],"response_format":{"type":"json_object","json_schema":{"type":"object","required":["a"]}}`},
		{name: "a schema beside tools", messages: hi, members: tool + `,"response_format":{"type":"json_object"}`, want: `"messages":[` + said + `],"tools":[` + f + `,` + g + `]`, dropped: []string{"response_format", "tools.strict"}},
		{name: "rows 95 and 96: a budget", messages: hi, members: `"reasoning":{"max_tokens":2000}`, want: `"messages":[` + said + `],"thinking":{"type":"enabled","token_budget":2000}`},
		{name: "an effort of a bound", messages: hi, members: `"reasoning_effort":"low","max_tokens":1000`, want: `"messages":[` + said + `],"max_tokens":1000,"thinking":{"type":"enabled","token_budget":200}`},
		{name: "an effort without a bound", messages: hi, members: `"reasoning_effort":"low"`, want: `"messages":[` + said + `],"thinking":{"type":"enabled"}`},
		{name: "no reasoning", messages: hi, members: `"reasoning":{"enabled":false}`, want: `"messages":[` + said + `],"thinking":{"type":"disabled"}`},
		{name: "row 94: a plan, calls and their results", messages: hi + `,{"role":"assistant","content":null,"reasoning_details":[
				{"type":"reasoning.text","text":"I ","id":"tool_plan","format":"unknown","index":0},{"type":"reasoning.text","text":"ask.","id":"tool_plan","format":"unknown","index":0},
				{"type":"reasoning.text","text":"foreign","signature":"s","format":"anthropic-claude-v1","index":1}],"tool_calls":[` + call + `]},
				{"role":"tool","tool_call_id":"a","content":"{\"degrees\": 3}"}`,
			want:    `"messages":[` + said + `,{"role":"assistant","tool_plan":"I ask.","tool_calls":[` + call + `]},{"role":"tool","content":[{"type":"document","document":{"data":{"degrees":3}}}],"tool_call_id":"a"}]`,
			dropped: []string{"messages.reasoning_details"}},
		{name: "a thought goes back, but not to a model without", messages: hi + `,{"role":"assistant","content":"x","reasoning":"hm"},` + hi, target: dialect.Target{Supported: []string{"tools"}},
			want: `"messages":[` + said + `,{"role":"assistant","content":[{"type":"text","text":"x"}]},` + said + `]`, dropped: []string{"messages.reasoning_details"}},
		{name: "a thought goes back", messages: hi + `,{"role":"assistant","content":"x","reasoning":"hm"},` + hi,
			want: `"messages":[` + said + `,{"role":"assistant","content":[{"type":"thinking","thinking":"hm"},{"type":"text","text":"x"}]},` + said + `]`},
		{name: "results that are text, nothing, and an image", messages: hi + `,{"role":"assistant","tool_calls":[` + call + `,` + strings.Replace(call, `"a"`, `"b"`, 1) + `]},
				{"role":"tool","tool_call_id":"a","content":[{"type":"text","text":"3"},{"type":"image_url","image_url":{"url":"https://a/b.png"}}]},{"role":"tool","tool_call_id":"b","content":""}`,
			want: `"messages":[` + said + `,{"role":"assistant","tool_calls":[` + call + `,` + strings.Replace(call, `"a"`, `"b"`, 1) + `]},{"role":"tool","content":[{"type":"text","text":"3"}],"tool_call_id":"a"},` +
				`{"role":"tool","content":[{"type":"document","document":{"data":{"output":""}}}],"tool_call_id":"b"},{"role":"user","content":[{"type":"image_url","image_url":{"url":"https://a/b.png"}}]}]`},
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
		"a sound":                {openai.Client{}, `{"messages":[{"role":"user","content":[{"type":"input_audio","input_audio":{"data":"AA==","format":"wav"}}]}]}`, "'messages.0'"},
		"tokens to embed":        {openai.Embeddings{}, `{"input":[1,2]}`, "must be text"},
		"an image by URL":        {openai.Embeddings{}, `{"input":[{"content":[{"type":"image_url","image_url":{"url":"https://a/b.png"}}]}]}`, "'input.0'"},
		"an image nowhere":       {openai.Embeddings{}, `{"input":[{"content":[{"type":"image_url","image_url":{}}]}]}`, "'input.0.content.0': it holds neither"},
		"two forms of vectors":   {openai.Embeddings{}, `{"input":"a","embedding_types":["float","int8"]}`, "'embedding_types'"},
		"a form that is a text":  {openai.Embeddings{}, `{"input":"a","embedding_types":["base64"]}`, "'embedding_types'"},
		"a document without any": {openai.Rerank{}, `{"query":"q","documents":["a",{"image":"c"}]}`, "'documents.1'"},
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

func TestTasks(t *testing.T) {
	for _, test := range []struct {
		name       string
		client     dialect.Client
		body, want string
		dropped    []string
	}{
		{"texts", openai.Embeddings{}, `{"input":["a","b\n"],"encoding_format":"base64"}`,
			`{"model":"up","input_type":"search_document","embedding_types":["float"],"texts":["a","b\n"]}`, nil},
		{"Cohere's own fields", openai.Embeddings{}, `{"input":"a","input_type":"clustering","embedding_types":["int8"],"truncate":"START","dimensions":512,"user":"u","foo":1}`,
			`{"model":"up","truncate":"START","input_type":"clustering","embedding_types":["int8"],"output_dimension":512,"texts":["a"]}`, []string{"foo", "user"}},
		{"row 147", openai.Rerank{}, `{"query":"q","documents":["a",{"text":"b"}],"return_documents":true,"priority":1,"foo":2}`,
			`{"model":"up","query":"q","documents":["a","b"],"top_n":2,"priority":1}`, []string{"foo"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			got, err := write(t, test.client, test.body, dialect.Target{})
			if err != nil || string(got.Body) != test.want {
				t.Errorf("%v: got %s, want %s", err, got.Body, test.want)
			}
			if diff := cmp.Diff(test.dropped, got.Dropped); diff != "" {
				t.Error(diff)
			}
		})
	}
}
