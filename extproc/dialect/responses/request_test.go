package responses

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/switchyard/switchyard/extproc/dialect"
	"github.com/switchyard/switchyard/extproc/dialect/openai"
)

func write(t testing.TB, client dialect.Client, body string, target dialect.Target) (dialect.Upstream, error) {
	t.Helper()
	request, err := client.Parse([]byte(body))
	if err != nil {
		t.Fatal(err)
	}
	if target.Model == "" {
		target.Model = "gpt-4o"
	}
	return Provider{}.Request(request, target)
}

// thinking is an endpoint whose model reasons.
var thinking = dialect.Target{Model: "gpt-5", Endpoint: "m/x|codex", Strict: true}

const (
	hi    = `"messages":[{"role":"user","content":"hi"}]`
	hiOut = `"input":[{"type":"message","role":"user","content":[{"type":"input_text","text":"hi"}]}]`
	f     = `"tools":[{"type":"function","function":{"name":"f","description":"d","parameters":{"type":"object","properties":{}}}}]`
	fOut  = `"tools":[{"type":"function","name":"f","description":"d","parameters":{"type":"object","properties":{}},"strict":false}]`
	kept  = `"include":["reasoning.encrypted_content"]`
)

// requestCase is a request and what a provider gets of it.
type requestCase struct {
	name, body string
	target     dialect.Target
	want       string
	dropped    []string
}

func (c *requestCase) check(t *testing.T, client dialect.Client) {
	t.Run(c.name, func(t *testing.T) {
		got, err := write(t, client, c.body, c.target)
		if err != nil {
			t.Fatal(err)
		}
		var sent, want any
		if err := json.Unmarshal([]byte(c.want), &want); err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(got.Body, &sent); err != nil {
			t.Fatalf("%v in %s", err, got.Body)
		}
		members, _ := sent.(map[string]any)
		if members["store"] != false {
			t.Errorf("it would be stored: %s", got.Body)
		}
		delete(members, "store")
		delete(members, "model")
		if diff := cmp.Diff(want, sent); diff != "" {
			t.Errorf("(-want +got) %s\n%s", diff, got.Body)
		}
		if diff := cmp.Diff(c.dropped, got.Dropped); diff != "" {
			t.Errorf("dropped: %s", diff)
		}
	})
}

func TestRequest(t *testing.T) {
	for _, test := range []requestCase{
		{name: "the least", body: `{` + hi + `}`, want: `{` + hiOut + `}`},
		{name: "a stream", body: `{"stream":true,` + hi + `}`, want: `{` + hiOut + `,"stream":true}`},
		{name: "settings", body: `{"max_tokens":100,"temperature":0.5,"top_p":0.9,"logprobs":true,"top_logprobs":3,"verbosity":"low",` + hi + `}`,
			want: `{` + hiOut + `,"max_output_tokens":100,"temperature":0.5,"top_p":0.9,"top_logprobs":3,"include":["message.output_text.logprobs"],"text":{"verbosity":"low"}}`},
		{name: "a bound below the least", body: `{"max_tokens":3,` + hi + `}`, want: `{` + hiOut + `,"max_output_tokens":16}`},
		{name: "what the API has no words for", body: `{"stop":["a"],"seed":1,"n":2,"top_k":3,"frequency_penalty":1,"presence_penalty":1,"logit_bias":{"1":2},"foo":1,` + hi + `}`,
			want: `{` + hiOut + `}`, dropped: []string{"foo", "frequency_penalty", "logit_bias", "n", "presence_penalty", "seed", "stop", "top_k"}},
		{name: "what it has by the same name", body: `{"metadata":{"a":"b"},"safety_identifier":"s","prompt_cache_key":"k","store":true,` + hi + `}`,
			want: `{` + hiOut + `,"metadata":{"a":"b"},"safety_identifier":"s","prompt_cache_key":"k"}`, dropped: []string{"store"}},
		{name: "row 18: what the endpoint lacks", target: dialect.Target{Supported: []string{"max_tokens"}},
			body:    `{"max_tokens":100,"temperature":1,"reasoning":{"effort":"low"},"response_format":{"type":"json_object"},"verbosity":"low",` + f + `,` + hi + `}`,
			want:    `{` + hiOut + `,"max_output_tokens":100}`,
			dropped: []string{"reasoning", "response_format", "temperature", "tools", "verbosity"}},
		{name: "the user by a name that tells nothing", body: `{"user":"bob",` + hi + `}`, want: `{` + hiOut + `,"user":"` + dialect.EndUser("bob") + `"}`},
		{name: "a tier", target: dialect.Target{ServiceTier: "flex"}, body: `{"service_tier":"flex",` + hi + `}`, want: `{` + hiOut + `,"service_tier":"flex"}`},
		{name: "a tier of another endpoint", body: `{"service_tier":"flex",` + hi + `}`, want: `{` + hiOut + `}`, dropped: []string{"service_tier"}},
		{name: "row 120: json_schema", body: `{"response_format":{"type":"json_schema","json_schema":{"name":"n","strict":true,"schema":{"type":"object"}}},` + hi + `}`,
			want: `{` + hiOut + `,"text":{"format":{"type":"json_schema","name":"n","strict":true,"schema":{"type":"object"}}}}`},

		{name: "reasoning", target: thinking, body: `{"reasoning":{"effort":"high"},` + hi + `}`, want: `{` + hiOut + `,"reasoning":{"effort":"high","summary":"auto"},` + kept + `}`},
		{name: "reasoning in the client's words", target: thinking, body: `{"reasoning":{"effort":"high","summary":"detailed"},` + hi + `}`,
			want: `{` + hiOut + `,"reasoning":{"effort":"high","summary":"detailed"},` + kept + `}`},
		{name: "reasoning by budget", target: thinking, body: `{"reasoning":{"max_tokens":2000},` + hi + `}`, want: `{` + hiOut + `,"reasoning":{"effort":"low","summary":"auto"},` + kept + `}`},
		{name: "row 99: hidden reasoning", target: thinking, body: `{"reasoning":{"effort":"low","exclude":true},` + hi + `}`, want: `{` + hiOut + `,"reasoning":{"effort":"low"},` + kept + `}`},
		{name: "no reasoning", target: thinking, body: `{"reasoning":{"enabled":false},` + hi + `}`, want: `{` + hiOut + `,"reasoning":{"effort":"none"},` + kept + `}`},
		{name: "reasoning that nobody speaks of", target: thinking, body: `{` + hi + `}`, want: `{` + hiOut + `,` + kept + `}`},

		{name: "tools", body: `{"tool_choice":{"type":"function","function":{"name":"f"}},"parallel_tool_calls":false,` + f + `,` + hi + `}`,
			want: `{` + hiOut + `,` + fOut + `,"tool_choice":{"type":"function","name":"f"},"parallel_tool_calls":false}`},
		{name: "a choice of no tools", body: `{"tool_choice":"auto","parallel_tool_calls":false,"tools":[],` + hi + `}`, want: `{` + hiOut + `}`},
		{name: "a search beside a tool", target: dialect.Target{WebSearch: true}, body: `{` + f + `,` + hi + `}`,
			want: `{` + hiOut + `,` + strings.TrimSuffix(fOut, "]") + `,{"type":"web_search"}]}`},
		{name: "a search by its options", body: `{"web_search_options":{"search_context_size":"low","user_location":{"type":"approximate","approximate":{"country":"DE"}}},` + hi + `}`,
			want: `{` + hiOut + `,"tools":[{"type":"web_search","search_context_size":"low","user_location":{"type":"approximate","country":"DE"}}]}`},
	} {
		test.check(t, openai.Client{})
	}
}

func TestRequestsOfConversations(t *testing.T) {
	message := func(role, kind, text string) string {
		return `{"type":"message","role":"` + role + `","content":[{"type":"` + kind + `","text":"` + text + `"}]}`
	}
	call := `{"type":"function_call","call_id":"a","name":"f","arguments":"{}"}`
	const (
		asked  = `{"role":"user","content":"hi"},`
		calls  = `"tool_calls":[{"id":"a","type":"function","function":{"name":"f","arguments":"{}"}}]}`
		result = `,{"role":"tool","tool_call_id":"a","content":"one"}`
	)
	user := message("user", "input_text", "hi")
	output := `{"type":"function_call_output","call_id":"a","output":"one"}`
	thought := func(blob, summary string) string {
		if summary != "" {
			summary = `{"type":"summary_text","text":"` + summary + `"}`
		}
		return `{"type":"reasoning","id":"rs_1","summary":[` + summary + `],"encrypted_content":"` + blob + `"}`
	}
	for _, test := range []requestCase{
		{name: "instructions", body: `{"messages":[{"role":"system","content":"brief"},` + asked + `{"role":"system","content":"now"}]}`,
			want: `{"instructions":"brief","input":[` + user + `,` + message("system", "input_text", "now") + `]}`},
		{name: "instructions alone", body: `{"messages":[{"role":"system","content":"brief"}]}`, want: `{"input":[` + message("system", "input_text", "brief") + `]}`},
		{name: "row 125: a name", body: `{"messages":[{"role":"user","name":"Bob","content":"hi"}]}`, want: `{"input":[` + message("user", "input_text", "Bob: hi") + `]}`},
		{name: "the assistant's words", body: `{"messages":[` + asked + `{"role":"assistant","content":"hey","refusal":"no"},` + strings.TrimSuffix(asked, ",") + `]}`,
			want: `{"input":[` + user + `,{"type":"message","role":"assistant","content":[{"type":"output_text","text":"hey"},{"type":"refusal","refusal":"no"}]},` + user + `]}`},
		{name: "media", body: `{"messages":[{"role":"user","content":[{"type":"image_url","image_url":{"url":"https://a/b.png","detail":"high"}},
				{"type":"image_url","image_url":{"url":"data:image/png;base64,AA=="}},{"type":"file","file":{"file_data":"data:application/pdf;base64,AA=="}},
				{"type":"file","file":{"file_data":"https://a/b.pdf"}},{"type":"file","file":{"file_id":"file-1"}}]}]}`,
			want: `{"input":[{"type":"message","role":"user","content":[{"type":"input_image","image_url":"https://a/b.png","detail":"high"},
				{"type":"input_image","image_url":"data:image/png;base64,AA==","detail":"auto"},{"type":"input_file","filename":"file.pdf","file_data":"data:application/pdf;base64,AA=="},
				{"type":"input_file","file_url":"https://a/b.pdf"},{"type":"input_file","file_id":"file-1"}]}]}`},
		{name: "a tool turn", body: `{"messages":[` + asked + `{"role":"assistant","content":"so",` + calls + result + `]}`,
			want: `{"input":[` + user + `,` + message("assistant", "output_text", "so") + `,` + call + `,` + output + `]}`},
		{name: "a tool that shows an image", body: `{"messages":[` + asked + `{"role":"assistant",` + calls + `,{"role":"tool","tool_call_id":"a","content":[{"type":"text","text":"see"},{"type":"image_url","image_url":{"url":"https://a/b"}}]}]}`,
			want: `{"input":[` + user + `,` + call + `,{"type":"function_call_output","call_id":"a","output":[{"type":"input_text","text":"see"},{"type":"input_image","image_url":"https://a/b","detail":"auto"}]}]}`},
		{name: "an id that is too long", body: strings.ReplaceAll(`{"messages":[`+asked+`{"role":"assistant",`+calls+result+`]}`, `"a"`, `"`+strings.Repeat("x", 65)+`"`),
			want: strings.ReplaceAll(`{"input":[`+user+`,`+call+`,`+output+`]}`, `"a"`, `"`+callID(strings.Repeat("x", 65))+`"`)},

		{name: "row 101: reasoning goes back", target: thinking, body: `{"messages":[` + asked + `{"role":"assistant","reasoning_details":[
				{"type":"reasoning.summary","summary":"hm","id":"rs_1","format":"openai-responses-v1","index":0},
				{"type":"reasoning.encrypted","data":"blob","id":"rs_1","format":"openai-responses-v1","index":1}],` + calls + result + `]}`,
			want: `{"input":[` + user + `,` + thought("blob", "hm") + `,` + call + `,` + output + `],` + kept + `}`},
		{name: "row 102: another maker's stays behind", target: thinking, body: `{"messages":[` + asked + `{"role":"assistant","reasoning_details":[
				{"type":"reasoning.text","text":"hm","signature":"s","format":"anthropic-claude-v1","index":0},
				{"type":"reasoning.encrypted","data":"blob","format":"google-gemini-v1","index":1}],` + calls + result + `]}`,
			want: `{"input":[` + user + `,` + call + `,` + output + `],` + kept + `}`, dropped: []string{"messages.reasoning_details"}},
		{name: "a summary alone cannot go back", target: thinking, body: `{"messages":[` + asked + `{"role":"assistant","reasoning_details":[
				{"type":"reasoning.summary","summary":"hm","id":"rs_1","format":"openai-responses-v1","index":0}],` + calls + result + `]}`,
			want: `{"input":[` + user + `,` + call + `,` + output + `],` + kept + `}`},
		{name: "reasoning that led nowhere", target: thinking, body: `{"messages":[` + asked + `{"role":"assistant","content":null,"reasoning_details":[
				{"type":"reasoning.encrypted","data":"blob","id":"rs_1","format":"openai-responses-v1","index":0}]},` + strings.TrimSuffix(asked, ",") + `]}`,
			want: `{"input":[` + user + `,` + user + `],` + kept + `}`},
	} {
		test.check(t, openai.Client{})
	}
}

// A tool that failed has to say so in words.
func TestFailedToolResult(t *testing.T) {
	result := &dialect.ToolResult{CallID: "a", Failed: true, Parts: []dialect.Part{said("no such city")}}
	chat := &dialect.Chat{Messages: []dialect.Message{
		{Role: dialect.RoleUser, Parts: []dialect.Part{said("hi")}},
		{Role: dialect.RoleAssistant, Parts: []dialect.Part{{Kind: dialect.PartToolCall, Call: &dialect.ToolCall{ID: "a", Name: "f"}}}},
		{Role: dialect.RoleTool, Parts: []dialect.Part{{Kind: dialect.PartToolResult, Result: result}}},
	}}
	request := &dialect.Request{Dialect: "x", Chat: func() (*dialect.Chat, error) { return chat, nil }}
	got, err := Provider{}.Request(request, dialect.Target{Model: "gpt-4o"})
	if err != nil || !strings.Contains(string(got.Body), `"output":"Error: no such city"`) {
		t.Errorf("%v: %s", err, got.Body)
	}
	result.Parts = append(result.Parts, dialect.Part{Kind: dialect.PartImage, Media: &dialect.Media{URL: "https://a/b"}})
	got, err = Provider{}.Request(request, dialect.Target{Model: "gpt-4o"})
	if err != nil || !strings.Contains(string(got.Body), `"output":[{"type":"input_text","text":"Error:"},{"type":"input_text","text":"no such city"},`) {
		t.Errorf("%v: %s", err, got.Body)
	}
}

func TestRequestRefuses(t *testing.T) {
	for name, test := range map[string]struct{ body, says string }{
		"audio":             {`{"messages":[{"role":"user","content":[{"type":"input_audio","input_audio":{"data":"AA==","format":"wav"}}]}]}`, "'messages.0': this model's provider takes no audio"},
		"video":             {`{"messages":[{"role":"user","content":[{"type":"video_url","video_url":{"url":"https://a/b"}}]}]}`, "takes no video"},
		"an orphan":         {`{"messages":[{"role":"user","content":"hi"},{"role":"tool","tool_call_id":"a","content":"x"}]}`, `'messages.1': no message before it calls a tool with the id "a"`},
		"nothing said":      {`{"messages":[{"role":"user","content":""}]}`, "at least 1 token"},
		"instructions only": {`{"messages":[{"role":"system","content":"a"},{"role":"user","content":""}]}`, "besides the instructions"},
	} {
		_, err := write(t, openai.Client{}, test.body, dialect.Target{Strict: true})
		var told *dialect.Error
		if !errors.As(err, &told) || told.Status != 400 || !strings.Contains(told.Message, test.says) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// Models that do not reason refuse to be asked for reasoning.
func TestWhichModelsReason(t *testing.T) {
	for name, want := range map[string]bool{
		"gpt-4o": false, "gpt-4.1-mini": false, "gpt-3.5-turbo": false, "ft:gpt-4o:acme::1": false, "chatgpt-4o-latest": false, "gpt-5-chat-latest": false, "openai/gpt-4o": false,
		"gpt-5": true, "gpt-5-codex": true, "o3-pro": true, "codex-mini-latest": true, "openai/gpt-oss-120b": true,
	} {
		if got := (&dialect.Target{Model: name}).Thinks(); got != want {
			t.Errorf("%s: %t", name, got)
		}
	}
	if !(&dialect.Target{Model: "gpt-4-of-ours", Supported: []string{"reasoning"}}).Thinks() || (&dialect.Target{Model: "gpt-5", Supported: []string{"tools"}}).Thinks() {
		t.Error("the catalog knows better")
	}
}

// What a client of the same API wrote stays as it is where nothing speaks against it.
func TestRequestsPass(t *testing.T) {
	const input = `"input":[{"role":"user","content":"hi"}]`
	sealed := seal{Endpoint: thinking.Endpoint, Type: dialect.ReasoningEncrypted, Format: dialect.FormatResponses, ID: "rs_9"}.close("blob")
	foreign := seal{Endpoint: "m/x|other", Type: dialect.ReasoningEncrypted, Format: dialect.FormatResponses}.close("blob")
	call := `{"type":"function_call","id":"fc_1","call_id":"a","name":"f","arguments":"{}"},{"type":"function_call_output","call_id":"a","output":"one"}`
	for _, test := range []requestCase{
		{name: "a text", body: `{"input":"hi"}`, want: `{"input":"hi"}`},
		{name: "for the gateway", body: `{` + input + `,"models":["a"],"provider":{},"plugins":[],"session_id":"s","trace":{},"cache_control":{"type":"ephemeral"},"store":false}`, want: `{` + input + `}`},
		{name: "unknown members", body: `{` + input + `,"foo":1}`, want: `{` + input + `,"foo":1}`},
		{name: "unknown members of a strict provider", target: dialect.Target{Strict: true}, body: `{` + input + `,"foo":1,"top_k":1}`, want: `{` + input + `}`, dropped: []string{"foo", "top_k"}},
		{name: "nulls", body: `{` + input + `,"tools":null,"temperature":null}`, want: `{` + input + `}`},
		{name: "settings", body: `{` + input + `,"max_output_tokens":1,"user":"bob","temperature":1,"truncation":"auto","include":["message.output_text.logprobs"]}`,
			want: `{` + input + `,"max_output_tokens":16,"user":"` + dialect.EndUser("bob") + `","temperature":1,"truncation":"auto","include":["message.output_text.logprobs"]}`},
		{name: "row 18", target: dialect.Target{Supported: []string{"max_tokens"}}, body: `{` + input + `,"temperature":1,"reasoning":{"effort":"low"},"tools":[{"type":"function","name":"f"}],"tool_choice":"auto","text":{"verbosity":"low","format":{"type":"json_object"}}}`,
			want: `{` + input + `}`, dropped: []string{"reasoning", "temperature", "text.format", "tool_choice", "tools", "verbosity"}},
		{name: "a tier of another endpoint", body: `{` + input + `,"service_tier":"priority"}`, want: `{` + input + `}`, dropped: []string{"service_tier"}},

		{name: "reasoning", target: thinking, body: `{` + input + `,"reasoning":{"effort":"low","summary":"auto"},"include":["reasoning.encrypted_content"]}`,
			want: `{` + input + `,"reasoning":{"effort":"low","summary":"auto"},` + kept + `}`},
		{name: "reasoning in OpenRouter's words", target: thinking, body: `{` + input + `,"reasoning":{"max_tokens":2000,"exclude":true},"include":[]}`, want: `{` + input + `,"reasoning":{"effort":"low"},` + kept + `}`},
		{name: "reasoning of a model without", body: `{` + input + `,"reasoning":{"effort":"low"},"include":["reasoning.encrypted_content"]}`, want: `{` + input + `}`, dropped: []string{"reasoning"}},

		{name: "tools of its own", body: `{` + input + `,"tools":[{"type":"custom","name":"p","format":{"type":"grammar","syntax":"lark","definition":"x"}},{"type":"function","name":"f","cache_control":{"type":"ephemeral"}}],"tool_choice":{"type":"custom","name":"p"}}`,
			target: dialect.Target{Strict: true},
			want:   `{` + input + `,"tools":[{"type":"custom","name":"p","format":{"type":"grammar","syntax":"lark","definition":"x"}},{"type":"function","name":"f"}],"tool_choice":{"type":"custom","name":"p"}}`},
		{name: "its own search", target: dialect.Target{WebSearch: true}, body: `{` + input + `,"tools":[{"type":"web_search","search_context_size":"low"}]}`, want: `{` + input + `,"tools":[{"type":"web_search","search_context_size":"low"}]}`},
		{name: "OpenRouter's search", target: dialect.Target{WebSearch: true}, body: `{` + input + `,"tools":[{"type":"openrouter:web_search"},{"type":"web_search"}]}`, want: `{` + input + `,"tools":[{"type":"web_search"}]}`},
		{name: "the plugin's search", target: dialect.Target{WebSearch: true}, body: `{` + input + `,"plugins":[{"id":"web"}]}`, want: `{` + input + `,"tools":[{"type":"web_search"}]}`},
		{name: "a search that is not to be", body: `{` + input + `,"tools":[{"type":"web_search"}]}`, want: `{` + input + `}`},

		{name: "row 101: its own reasoning", target: thinking, body: `{"input":[{"role":"user","content":"hi"},{"type":"reasoning","id":"rs_tmp_1","status":null,"summary":[],"encrypted_content":"` + sealed + `"},` + call + `]}`,
			want: `{"input":[{"role":"user","content":"hi"},{"type":"reasoning","id":"rs_9","summary":[],"encrypted_content":"blob"},` + call + `],` + kept + `}`},
		{name: "row 102: another endpoint's reasoning", target: thinking, body: `{"input":[{"role":"user","content":"hi"},{"type":"reasoning","id":"rs_1","summary":[],"encrypted_content":"` + foreign + `"},` + call + `,{"role":"user","content":"so?"}]}`,
			want: `{"input":[{"role":"user","content":"hi"},` + strings.Replace(call, `"id":"fc_1",`, "", 1) + `,{"role":"user","content":"so?"}],` + kept + `}`},
		{name: "plain reasoning of compatible servers", target: dialect.Target{Model: "gpt-oss"}, body: `{"input":[{"type":"reasoning","id":"rs_1","summary":[],"content":[{"type":"reasoning_text","text":"hm"}]},` + call + `]}`,
			want: `{"input":[{"type":"reasoning","id":"rs_1","summary":[],"content":[{"type":"reasoning_text","text":"hm"}]},` + call + `],` + kept + `}`},
		{name: "cache markers and nulls", target: dialect.Target{Strict: true}, body: `{"input":[{"role":"user","content":[{"type":"input_text","text":"hi","cache_control":{"type":"ephemeral"}}]},{"type":"message","id":"msg_1","role":"assistant","phase":null,"content":[{"type":"output_text","text":"null","annotations":[]}]}]}`,
			want: `{"input":[{"role":"user","content":[{"type":"input_text","text":"hi"}]},{"type":"message","id":"msg_1","role":"assistant","content":[{"type":"output_text","text":"null","annotations":[]}]}]}`},
		{name: "what the provider did itself", body: `{"input":[{"role":"user","content":"hi"},{"type":"web_search_call","id":"ws_1","status":"completed","action":{"type":"search"}},{"type":"image_generation_call","id":"ig_1","status":"completed","result":"AAAA"}]}`,
			want: `{"input":[{"role":"user","content":"hi"},{"type":"web_search_call","id":"ws_1","status":"completed","action":{"type":"search"}},{"type":"image_generation_call","id":"ig_1","status":"completed","result":"AAAA"}]}`},
	} {
		test.check(t, Client{})
	}
}

// The order of members is the client's.
func TestPassedRequestsKeepTheirOrder(t *testing.T) {
	for body, want := range map[string]string{
		`{"store":false,"input":"hi","service_tier":"auto","model":"m/x","stream":true}`: `{"store":false,"input":"hi","service_tier":"priority","model":"gpt","stream":true}`,
		`{"input":"hi"}`: `{"model":"gpt","input":"hi","service_tier":"priority","store":false}`,
	} {
		request, err := Client{}.Parse([]byte(body))
		if err != nil {
			t.Fatal(err)
		}
		made, err := Provider{}.Request(request, dialect.Target{Model: "gpt", Supported: []string{"max_tokens"}, ServiceTier: "priority"})
		if err != nil || string(made.Body) != want {
			t.Errorf("%s, %v; want %s", made.Body, err, want)
		}
	}
}

// FuzzRequest holds that what a provider gets is JSON, whatever a client sent.
func FuzzRequest(f *testing.F) {
	f.Add([]byte(`{"input":[{"role":"user","content":"hi"},{"type":"reasoning","encrypted_content":"x.eyJlbmRwb2ludF9zbHVnIjoibSJ9","summary":null}],"tools":[{"type":"web_search"}],"include":[1]}`), true)
	f.Add([]byte(`{"messages":[{"role":"assistant","content":[{"type":"text","text":"a"}],"tool_calls":[{"id":"a","function":{"name":"f"}}]},{"role":"tool","tool_call_id":"a","content":[{"type":"image_url","image_url":"x"}]}]}`), false)
	f.Fuzz(func(t *testing.T, body []byte, same bool) {
		var client dialect.Client = openai.Client{}
		if same {
			client = Client{}
		}
		request, err := client.Parse(body)
		if err != nil {
			return
		}
		if upstream, err := (Provider{}).Request(request, thinking); err == nil && !json.Valid(upstream.Body) {
			t.Errorf("a provider cannot read %q", upstream.Body)
		}
	})
}
