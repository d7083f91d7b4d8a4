package openai

import (
	"testing"

	"github.com/switchyard/switchyard/extproc/dialect"
)

// quirkCases are requests, each with a quirk and without what strict providers refuse.
var quirkCases = []struct {
	name, body string
	quirks     dialect.Quirks
	refused    []string
	want       string
	dropped    []string
}{
	{name: "another name", quirks: dialect.Quirks{Rename: map[string]string{"seed": "random_seed"}},
		body: `{"model":"m","seed": 7,` + hi + `}`, want: `{"model":"gpt","random_seed":7,` + hi + `}`},
	{name: "what has no quirk stays as it is", quirks: dialect.Quirks{Rename: map[string]string{"seed": "random_seed"}, Cap: map[string]float64{"n": 1}},
		body: `{"model":"m","a\"b" : [ 1 ],"n" : 1,` + hi + `}`, want: `{"model":"gpt","a\"b" : [ 1 ],"n" : 1,` + hi + `}`},
	{name: "another name that the client knows", quirks: dialect.Quirks{Rename: map[string]string{"seed": "random_seed"}},
		body: `{"model":"m","seed":7,"random_seed":8,` + hi + `}`, want: `{"model":"gpt","random_seed":8,` + hi + `}`},
	{name: "the bound by another name", quirks: dialect.Quirks{Rename: map[string]string{"max_completion_tokens": "max_tokens"}},
		body: `{"model":"m","max_tokens":8,"max_completion_tokens":9,` + hi + `}`, want: `{"model":"gpt","max_tokens":9,` + hi + `}`},
	{name: "caps", quirks: dialect.Quirks{Cap: map[string]float64{"temperature": 1, "top_p": 0.95, "n": 1, "stop": 2}},
		body:    `{"model":"m","temperature":1.5,"top_p":0.5,"n":3,"stop":["a","b", "c"],` + hi + `}`,
		want:    `{"model":"gpt","temperature":1,"top_p":0.5,"n":1,"stop":["a","b"],` + hi + `}`,
		dropped: []string{"n", "stop", "temperature"}},
	{name: "caps that nothing exceeds", quirks: dialect.Quirks{Cap: map[string]float64{"temperature": 1, "n": 1, "stop": 2}},
		body: `{"model":"m","temperature":1.0,"n":1,"stop":"a",` + hi + `}`, want: `{"model":"gpt","temperature":1.0,"n":1,"stop":"a",` + hi + `}`},
	{name: "roles", quirks: dialect.Quirks{Roles: map[string]string{"developer": "system"}},
		body: `{"model":"m","messages":[{"role":"developer","content":"be brief"},{"role":"user","content":"hi"}]}`,
		want: `{"model":"gpt","messages":[{"role":"system","content":"be brief"},{"role":"user","content":"hi"}]}`},
	{name: "a tool must be called", quirks: dialect.Quirks{RequiredToolChoice: "any"},
		body: `{"model":"m","tools":[{"type":"function","function":{"name":"f"}}],"tool_choice":"required",` + hi + `}`,
		want: `{"model":"gpt","tools":[{"type":"function","function":{"name":"f"}}],"tool_choice":"any",` + hi + `}`},
	{name: "no tool must be called", quirks: dialect.Quirks{RequiredToolChoice: "any"},
		body: `{"model":"m","tools":[{"type":"function","function":{"name":"f"}}],"tool_choice":"auto",` + hi + `}`,
		want: `{"model":"gpt","tools":[{"type":"function","function":{"name":"f"}}],"tool_choice":"auto",` + hi + `}`},
	{name: "thinking", quirks: dialect.Quirks{Reasoning: dialect.ReasoningThinking},
		body: `{"model":"m","reasoning":{"effort":"high"},` + hi + `}`, want: `{"model":"gpt","thinking":{"type":"enabled"},` + hi + `}`},
	{name: "no thinking", quirks: dialect.Quirks{Reasoning: dialect.ReasoningThinking, Efforts: []string{"low", "high"}},
		body: `{"model":"m","reasoning":{"enabled":false},` + hi + `}`, want: `{"model":"gpt","thinking":{"type":"disabled"},` + hi + `}`},
	{name: "thinking as the client says it", quirks: dialect.Quirks{Reasoning: dialect.ReasoningThinking},
		body: `{"model":"m","thinking":{"type":"auto"},"reasoning_effort":"low",` + hi + `}`, want: `{"model":"gpt","thinking":{"type":"auto"},` + hi + `}`},
	{name: "thinking and effort", quirks: dialect.Quirks{Reasoning: dialect.ReasoningThinking, Efforts: []string{"low", "high", "max"}},
		body: `{"model":"m","reasoning_effort":"medium",` + hi + `}`, want: `{"model":"gpt","thinking":{"type":"enabled"},"reasoning_effort":"high",` + hi + `}`},
	{name: "enable_thinking with a budget", quirks: dialect.Quirks{Reasoning: dialect.ReasoningEnableThinking},
		body: `{"model":"m","reasoning":{"max_tokens":2000},` + hi + `}`, want: `{"model":"gpt","enable_thinking":true,"thinking_budget":2000,` + hi + `}`},
	{name: "enable_thinking as the client says it", quirks: dialect.Quirks{Reasoning: dialect.ReasoningEnableThinking},
		body: `{"model":"m","enable_thinking":false,"thinking_budget":1,"reasoning":{"max_tokens":2000},` + hi + `}`,
		want: `{"model":"gpt","enable_thinking":false,"thinking_budget":1,` + hi + `}`},
	{name: "by the template", quirks: dialect.Quirks{Reasoning: dialect.ReasoningChatTemplate},
		body: `{"model":"m","reasoning_effort":"none",` + hi + `}`, want: `{"model":"gpt","chat_template_kwargs":{"enable_thinking":false},` + hi + `}`},
	{name: "by the template as the client says it", quirks: dialect.Quirks{Reasoning: dialect.ReasoningChatTemplate, Efforts: []string{"low"}},
		body: `{"model":"m","reasoning_effort":"high","chat_template_kwargs":{"x":1},` + hi + `}`,
		want: `{"model":"gpt","reasoning_effort":"low","chat_template_kwargs":{"x":1},` + hi + `}`},
	{name: "a switch", quirks: dialect.Quirks{Reasoning: dialect.ReasoningEnabled},
		body: `{"model":"m","reasoning":{"effort":"none"},` + hi + `}`, want: `{"model":"gpt","reasoning":{"enabled":false},` + hi + `}`},
	{name: "the whole object", quirks: dialect.Quirks{Reasoning: dialect.ReasoningObject},
		body: `{"model":"m","reasoning":{"max_tokens": 99},` + hi + `}`, want: `{"model":"gpt","reasoning":{"max_tokens": 99},` + hi + `}`},
	{name: "efforts", quirks: dialect.Quirks{Efforts: []string{"low", "medium", "high"}},
		body: `{"model":"m","reasoning_effort":"max",` + hi + `}`, want: `{"model":"gpt","reasoning_effort":"high",` + hi + `}`},
	{name: "no word for no effort", quirks: dialect.Quirks{Efforts: []string{"low"}},
		body: `{"model":"m","reasoning_effort":"none",` + hi + `}`, want: `{"model":"gpt",` + hi + `}`, dropped: []string{"reasoning_effort"}},
	{name: "no reasoning at all", quirks: dialect.Quirks{Reasoning: dialect.ReasoningThinking}, refused: []string{"reasoning_effort"},
		body: `{"model":"m","reasoning_effort":"low",` + hi + `}`, want: `{"model":"gpt",` + hi + `}`, dropped: []string{"reasoning_effort"}},
	{name: "reasoning in history", quirks: dialect.Quirks{ReasoningField: "reasoning"},
		body: `{"model":"m","messages":[{"role":"assistant","content":"x","reasoning_content":"r"}]}`,
		want: `{"model":"gpt","messages":[{"role":"assistant","content":"x","reasoning":"r"}]}`},
	{name: "content that is text", quirks: dialect.Quirks{TextContent: true},
		body: `{"model":"m","messages":[{"role":"user","content":[{"type":"text","text":"a\"b"},{"type":"text","text":"c"}]},{"role":"tool","tool_call_id":"1","content":[{"type":"text","text":"r"}]}]}`,
		want: `{"model":"gpt","messages":[{"role":"user","content":"a\"b\n\nc"},{"role":"tool","tool_call_id":"1","content":"r"}]}`},
	{name: "content that is more than text", quirks: dialect.Quirks{TextContent: true},
		body: `{"model":"m","messages":[{"role":"user","content":[{"type":"text","text":"a"},{"type":"image_url","image_url":{"url":"https://x/y"}}]}]}`,
		want: `{"model":"gpt","messages":[{"role":"user","content":[{"type":"text","text":"a"},{"type":"image_url","image_url":{"url":"https://x/y"}}]}]}`},
	{name: "names in content that is text", quirks: dialect.Quirks{TextContent: true}, refused: []string{"name"},
		body: `{"model":"m","messages":[{"role":"user","name":"Al","content":[{"type":"text","text":"y"}]}]}`,
		want: `{"model":"gpt","messages":[{"role":"user","content":"Al: y"}]}`},
	{name: "content that is not there", quirks: dialect.Quirks{NoNullContent: true},
		body: `{"model":"m","messages":[{"role":"assistant","content":null,"tool_calls":[{"id":"1"}]},{"role":"assistant","tool_calls":[{"id":"2"}]}]}`,
		want: `{"model":"gpt","messages":[{"role":"assistant","content":"","tool_calls":[{"id":"1"}]},{"role":"assistant","tool_calls":[{"id":"2"}],"content":""}]}`},
}

// known-failures 38.
func TestQuirks(t *testing.T) {
	for _, test := range quirkCases {
		t.Run(test.name, func(t *testing.T) {
			checkRequest(t, test.body, dialect.Target{Quirks: &test.quirks, Refused: test.refused}, test.want, test.dropped)
		})
	}
}

// What comes from a client of another dialect is put into the provider's words as well.
func TestQuirksOfATranslatedRequest(t *testing.T) {
	request, err := Client{}.Parse([]byte(`{"model":"m","max_tokens":5,"temperature":2,"seed":1,"reasoning":{"effort":"low"},"tool_choice":"required",
		"tools":[{"type":"function","function":{"name":"f"}}],"messages":[{"role":"developer","content":[{"type":"text","text":"a"},{"type":"text","text":"b"}]},
		{"role":"assistant","content":null,"tool_calls":[{"id":"c","type":"function","function":{"name":"f","arguments":"{}"}}]},{"role":"tool","tool_call_id":"c","content":"r"}]}`))
	if err != nil {
		t.Fatal(err)
	}
	got, err := Provider{}.Request(&dialect.Request{Dialect: "other", Chat: request.Chat}, dialect.Target{Model: "x", Quirks: &dialect.Quirks{
		Rename: map[string]string{"max_tokens": "limit", "seed": "random_seed"}, Cap: map[string]float64{"temperature": 1},
		Roles: map[string]string{"developer": "system"}, RequiredToolChoice: "any", Reasoning: dialect.ReasoningThinking,
		TextContent: true, NoNullContent: true,
	}})
	want := `{"model":"x","messages":[{"role":"system","content":"a\n\nb"},` +
		`{"role":"assistant","content":"","tool_calls":[{"id":"c","type":"function","function":{"name":"f","arguments":"{}"}}]},{"role":"tool","tool_call_id":"c","content":"r"}],` +
		`"tools":[{"type":"function","function":{"name":"f"}}],"tool_choice":"any","limit":5,"temperature":1,"random_seed":1,"thinking":{"type":"enabled"}}`
	if err != nil || string(got.Body) != want {
		t.Errorf("%v, got\n%s\nwant\n%s", err, got.Body, want)
	}
}

func TestQuirksOfTasks(t *testing.T) {
	quirks := &dialect.Quirks{Rename: map[string]string{"dimensions": "output_dimension", "top_n": "top_k"}}
	for _, test := range []struct {
		client     dialect.Client
		body, want string
	}{
		{Embeddings{}, `{"input":"a","dimensions":256}`, `{"model":"x","input":"a","output_dimension":256}`},
		{Rerank{}, `{"query":"q","documents":["a"],"top_n":1}`, `{"model":"x","query":"q","documents":["a"],"top_k":1}`},
	} {
		request, err := test.client.Parse([]byte(test.body))
		if err != nil {
			t.Fatal(err)
		}
		if got, err := (Provider{}).Request(request, dialect.Target{Model: "x", Quirks: quirks}); err != nil || string(got.Body) != test.want {
			t.Errorf("%v: %s, want %s", err, got.Body, test.want)
		}
	}
}

func TestNearestOfTheEfforts(t *testing.T) {
	for _, test := range []struct {
		takes []string
		want  map[string]string
	}{
		{nil, map[string]string{"none": "none", "max": "max"}},
		{[]string{"none", "high"}, map[string]string{"none": "none", "minimal": "high", "low": "high", "max": "high"}},
		{[]string{"low", "high"}, map[string]string{"none": "", "minimal": "low", "medium": "high", "xhigh": "high"}},
		{[]string{"none"}, map[string]string{"none": "none", "low": ""}},
	} {
		for wish, want := range test.want {
			if got := (&dialect.Quirks{Efforts: test.takes}).Effort(wish); got != want {
				t.Errorf("%s of %v is %q, want %q", wish, test.takes, got, want)
			}
		}
	}
}
