package gemini

import (
	"encoding/json"
	"errors"
	"strings"
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
	if target.Model == "" {
		target.Model = "gemini-3-flash-preview"
	}
	return Provider{}.Request(request, target)
}

const (
	hi    = `"messages":[{"role":"user","content":"hi"}]`
	hiOut = `"contents":[{"role":"user","parts":[{"text":"hi"}]}]`
	f     = `"tools":[{"type":"function","function":{"name":"f","parameters":{"type":"object","properties":{"a":{"type":"string"}}}}}]`
	fOut  = `"tools":[{"functionDeclarations":[{"name":"f","parametersJsonSchema":{"type":"object","properties":{"a":{"type":"string"}}}}]}]`
)

// two is a model of the second generation.
var two = dialect.Target{Model: "gemini-2.5-flash"}

func TestRequest(t *testing.T) {
	config := func(members string) string { return `{` + hiOut + `,"generationConfig":{` + members + `}}` }
	for _, test := range []struct {
		name, body string
		target     dialect.Target
		want       string
		dropped    []string
	}{
		{name: "the least", body: `{` + hi + `}`, want: `{` + hiOut + `}`},
		{name: "sampling", body: `{"max_tokens":9,"temperature":1.5,"top_p":0.9,"top_k":40,"seed":7,"n":2,"stop":["a","b"],` + hi + `}`,
			want: config(`"candidateCount":2,"maxOutputTokens":9,"temperature":1.5,"topP":0.9,"topK":40,"seed":7,"stopSequences":["a","b"]`)},
		{name: "what does not fit", body: `{"seed":3000000000,"top_k":0,"stop":["a","","b","c"],` + hi + `}`,
			want: config(`"stopSequences":["a","b","c"]`), dropped: []string{"seed", "stop"}},
		{name: "more ends than are taken", body: `{"stop":["a","b","c","d","e","f"],` + hi + `}`,
			want: config(`"stopSequences":["a","b","c","d","e"]`), dropped: []string{"stop"}},
		{name: "penalties where they are known", target: dialect.Target{Supported: []string{"frequency_penalty"}}, body: `{"frequency_penalty":1,"presence_penalty":1,` + hi + `}`,
			want: config(`"frequencyPenalty":1`), dropped: []string{"presence_penalty"}},
		{name: "what cannot be said", body: `{"user":"bob","logprobs":true,"verbosity":"low","logit_bias":{"1":2},"presence_penalty":1,"foo":1,` + hi + `}`,
			want: `{` + hiOut + `}`, dropped: []string{"foo", "logit_bias", "logprobs", "presence_penalty", "user", "verbosity"}},
		{name: "row 18: what the endpoint lacks", target: dialect.Target{Supported: []string{"max_tokens"}}, body: `{"max_tokens":9,"temperature":1,"reasoning":{"effort":"low"},` + f + `,` + hi + `}`,
			want: config(`"maxOutputTokens":9`), dropped: []string{"reasoning", "temperature", "tools"}},
		{name: "thoughts that the endpoint does not have", target: dialect.Target{Supported: []string{"max_tokens"}}, body: `{"include_reasoning":true,` + hi + `}`, want: `{` + hiOut + `}`},
		{name: "modalities and safety, for those who know", body: `{"modalities":["image","text"],"safety_settings":[{"category":"C","threshold":"T"}],` + hi + `}`,
			want: `{` + hiOut + `,"safetySettings":[{"category":"C","threshold":"T"}],"generationConfig":{"responseModalities":["IMAGE","TEXT"]}}`},
		{name: "row 132: the target's tier", target: dialect.Target{ServiceTier: "flex"}, body: `{"service_tier":"flex",` + hi + `}`, want: `{` + hiOut + `,"serviceTier":"flex"}`},
		{name: "row 132: a tier that this endpoint does not serve", body: `{"service_tier":"priority",` + hi + `}`, want: `{` + hiOut + `}`, dropped: []string{"service_tier"}},

		{name: "effort becomes a level", body: `{"reasoning":{"effort":"xhigh"},` + hi + `}`, want: config(`"thinkingConfig":{"includeThoughts":true,"thinkingLevel":"high"}`)},
		{name: "row 99: thoughts that the client excludes", body: `{"reasoning":{"effort":"low","exclude":true},` + hi + `}`, want: config(`"thinkingConfig":{"thinkingLevel":"low"}`)},
		{name: "thoughts are asked for", body: `{"include_reasoning":true,` + hi + `}`, want: config(`"thinkingConfig":{"includeThoughts":true}`)},
		{name: "the least that the third generation thinks", body: `{"reasoning":{"effort":"none"},` + hi + `}`, want: config(`"thinkingConfig":{"thinkingLevel":"minimal"}`)},
		{name: "and its largest model", target: dialect.Target{Model: "gemini-3-pro-preview"}, body: `{"reasoning":{"enabled":false},` + hi + `}`, want: config(`"thinkingConfig":{"thinkingLevel":"low"}`)},
		{name: "a budget stays one", body: `{"reasoning":{"max_tokens":2000},` + hi + `}`, want: config(`"thinkingConfig":{"includeThoughts":true,"thinkingBudget":2000}`)},
		{name: "row 95: effort becomes a budget in the second generation", target: two, body: `{"max_tokens":10000,"reasoning":{"effort":"high"},` + hi + `}`,
			want: config(`"maxOutputTokens":10000,"thinkingConfig":{"includeThoughts":true,"thinkingBudget":8000}`)},
		{name: "row 95: of the endpoint's bound", target: dialect.Target{Model: "gemini-2.5-flash", MaxCompletionTokens: 20000}, body: `{"reasoning":{"effort":"low"},` + hi + `}`,
			want: config(`"thinkingConfig":{"includeThoughts":true,"thinkingBudget":4000}`)},
		{name: "row 96: the most", target: two, body: `{"reasoning":{"max_tokens":99999},` + hi + `}`, want: config(`"thinkingConfig":{"includeThoughts":true,"thinkingBudget":24576}`)},
		{name: "row 96: the least", target: dialect.Target{Model: "gemini-2.5-flash-lite"}, body: `{"max_tokens":1000,"reasoning":{"effort":"minimal"},` + hi + `}`,
			want: config(`"maxOutputTokens":1000,"thinkingConfig":{"includeThoughts":true,"thinkingBudget":512}`)},
		{name: "no thinking", target: two, body: `{"reasoning":{"effort":"none"},` + hi + `}`, want: config(`"thinkingConfig":{"thinkingBudget":0}`)},
		{name: "a model that cannot stop thinking", target: dialect.Target{Model: "gemini-2.5-pro"}, body: `{"reasoning":{"effort":"none"},` + hi + `}`, want: config(`"thinkingConfig":{"thinkingBudget":128}`)},

		{name: "row 120: a schema", body: `{"response_format":{"type":"json_schema","json_schema":{"name":"n","schema":{"type":"object","properties":{"const":{"const":"x"}},"additionalProperties":false}}},` + hi + `}`,
			want: config(`"responseMimeType":"application/json","responseJsonSchema":{"type":"object","properties":{"const":{"enum":["x"]}},"additionalProperties":false}`)},
		{name: "JSON without a schema", body: `{"response_format":{"type":"json_object"},` + hi + `}`, want: config(`"responseMimeType":"application/json"`)},
		{name: "a form gives way to tools in the second generation", target: two, body: `{"response_format":{"type":"json_object"},` + f + `,` + hi + `}`,
			want: `{` + hiOut + `,` + fOut + `}`, dropped: []string{"response_format"}},

		{name: "tools", body: `{"tools":[{"type":"function","function":{"name":"f"}},{"type":"function","function":{"name":"g","description":"d","parameters":{}}},{"type":"web_search"}],` + hi + `}`,
			want: `{` + hiOut + `,"tools":[{"functionDeclarations":[{"name":"f"},{"name":"g","description":"d"}]}]}`, dropped: []string{"tools.2"}},
		{name: "row 93: one tool forced", body: `{` + f + `,"tool_choice":{"type":"function","function":{"name":"f"}},"parallel_tool_calls":false,` + hi + `}`,
			want: `{` + hiOut + `,` + fOut + `,"toolConfig":{"functionCallingConfig":{"mode":"ANY","allowedFunctionNames":["f"]}}}`, dropped: []string{"parallel_tool_calls"}},
		{name: "row 190: the provider searches", target: dialect.Target{WebSearch: true}, body: `{"web_search_options":{},` + hi + `}`, want: `{` + hiOut + `,"tools":[{"googleSearch":{}}]}`},
		{name: "a search that the client asks for", body: `{"web_search_options":{},` + hi + `}`, want: `{` + hiOut + `,"tools":[{"googleSearch":{}}]}`},
		{name: "a search gives way to tools", target: dialect.Target{WebSearch: true}, body: `{` + f + `,` + hi + `}`, want: `{` + hiOut + `,` + fOut + `}`, dropped: []string{"web_search_options"}},
		{name: "no tool", body: `{` + f + `,"tool_choice":"none",` + hi + `}`, want: `{` + hiOut + `,` + fOut + `,"toolConfig":{"functionCallingConfig":{"mode":"NONE"}}}`},
		{name: "a choice without tools", body: `{"tool_choice":"required","tools":[],` + hi + `}`, want: `{` + hiOut + `}`},
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

func TestConversation(t *testing.T) {
	const fCall = `{"functionCall":{"id":"a","name":"f","args":{"x":1}}`
	assistant := func(members string) string {
		return `{"role":"user","content":"hi"},{"role":"assistant",` + members + `"tool_calls":[{"id":"a","type":"function","function":{"name":"f","arguments":"{\"x\":1}"}}]},{"role":"tool","tool_call_id":"a","content":"A"}`
	}
	turn := func(parts string) string {
		return `[{"role":"user","parts":[{"text":"hi"}]},{"role":"model","parts":[` + parts + `]},{"role":"user","parts":[{"functionResponse":{"id":"a","name":"f","response":{"output":"A"}}}]}]`
	}
	for _, test := range []struct {
		name, messages string
		target         dialect.Target
		want           string // the contents, and what follows them
	}{
		{name: "instructions", messages: `{"role":"system","content":"a"},{"role":"developer","content":"b"},{"role":"user","content":"hi"},{"role":"system","content":"c"}`,
			want: `[{"role":"user","parts":[{"text":"hi"},{"text":"c"}]}],"systemInstruction":{"parts":[{"text":"a"},{"text":"b"}]}`},
		{name: "instructions alone", messages: `{"role":"system","content":"go"}`, want: `[{"role":"user","parts":[{"text":"go"}]}]`},
		{name: "the model begins, and says nothing", messages: `{"role":"assistant","content":"Hello"},{"role":"user","content":"hi"},{"role":"assistant","content":""}`,
			want: `[{"role":"user","parts":[{"text":"."}]},{"role":"model","parts":[{"text":"Hello"}]},{"role":"user","parts":[{"text":"hi"}]}]`},
		{name: "row 125: names", messages: `{"role":"user","name":"Bob","content":"x"}`, want: `[{"role":"user","parts":[{"text":"Bob: x"}]}]`},
		{name: "row 94: results come first and together", target: two, messages: `{"role":"user","content":"hi"},
			{"role":"assistant","content":"","tool_calls":[{"id":"a","type":"function","function":{"name":"f","arguments":"{\"x\":1}"}},{"id":"b","type":"function","function":{"name":"g","arguments":"{"}}]},
			{"role":"tool","tool_call_id":"b","content":"{\"y\":2}"},{"role":"user","content":"so?"},{"role":"tool","tool_call_id":"a","content":""}`,
			want: `[{"role":"user","parts":[{"text":"hi"}]},{"role":"model","parts":[` + fCall + `},{"functionCall":{"id":"b","name":"g","args":{}}}]},` +
				`{"role":"user","parts":[{"functionResponse":{"id":"b","name":"g","response":{"y":2}}},{"functionResponse":{"id":"a","name":"f","response":{"output":""}}}]},` +
				`{"role":"user","parts":[{"text":"so?"}]}]`},
		{name: "an image that a tool shows", target: two, messages: `{"role":"user","content":"hi"},{"role":"assistant","tool_calls":[{"id":"a","type":"function","function":{"name":"f","arguments":"{\"x\":1}"}}]},
			{"role":"tool","tool_call_id":"a","content":[{"type":"text","text":"A"},{"type":"image_url","image_url":{"url":"data:image/png;base64,AA=="}}]}`,
			want: strings.TrimSuffix(turn(fCall+`}`), `]`) + `,{"role":"user","parts":[{"inlineData":{"mimeType":"image/png","data":"AA=="}}]}]`},
		{name: "known-failures 35: a call's signature returns to it", messages: assistant(`"reasoning_details":[{"type":"reasoning.text","text":"hm","format":"google-gemini-v1","index":0},
			{"type":"reasoning.encrypted","data":"s","id":"a","format":"google-gemini-v1","index":1}],`), want: turn(fCall + `,"thoughtSignature":"s"}`)},
		{name: "known-failures 35: the text's, too", messages: assistant(`"content":"x","reasoning_details":[{"type":"reasoning.encrypted","data":"t","format":"google-gemini-v1","index":0},
			{"type":"reasoning.encrypted","data":"s","id":"a","format":"google-gemini-v1","index":1}],`), want: turn(`{"text":"x","thoughtSignature":"t"},` + fCall + `,"thoughtSignature":"s"}`)},
		{name: "a signature of no text", messages: assistant(`"reasoning_details":[{"type":"reasoning.encrypted","data":"t","format":"google-gemini-v1","index":0},
			{"type":"reasoning.encrypted","data":"s","id":"a","format":"google-gemini-v1","index":1}],`), want: turn(`{"text":"","thoughtSignature":"t"},` + fCall + `,"thoughtSignature":"s"}`)},
		{name: "a thought that is signed itself", target: two, messages: assistant(`"reasoning_details":[{"type":"reasoning.text","text":"hm","signature":"s","format":"google-gemini-v1","index":0}],`),
			want: turn(`{"text":"hm","thought":true,"thoughtSignature":"s"},` + fCall + `}`)},
		{name: "which the client kept in pieces", target: two, messages: assistant(`"reasoning_details":[{"type":"reasoning.text","text":"h","format":"google-gemini-v1","index":0},
			{"type":"reasoning.text","text":"m","format":"google-gemini-v1","index":0},{"type":"reasoning.text","text":"","signature":"s","format":"google-gemini-v1","index":0}],`),
			want: turn(`{"text":"hm","thought":true,"thoughtSignature":"s"},` + fCall + `}`)},
		{name: "row 102: another maker's call", messages: assistant(`"reasoning_details":[{"type":"reasoning.encrypted","data":"s","id":"a","format":"openai-responses-v1","index":0}],`),
			want: turn(fCall + `,"thoughtSignature":"skip_thought_signature_validator"}`)},
		{name: "row 102: which the second generation takes as it is", target: two, messages: assistant(``), want: turn(fCall + `}`)},
		{name: "media", messages: `{"role":"user","content":[{"type":"image_url","image_url":{"url":"https://a/b.PNG?c=d"}},{"type":"image_url","image_url":{"url":"data:image/jpg;base64,AA=="}},
			{"type":"file","file":{"filename":"a.pdf","file_data":"data:application/pdf;base64,AA=="}},{"type":"file","file":{"file_data":"AA=="}},{"type":"input_audio","input_audio":{"data":"AA==","format":"wav"}},
			{"type":"video_url","video_url":{"url":"https://www.youtube.com/watch?v=x"}},{"type":"file","file":{"file_id":"https://generativelanguage.googleapis.com/v1beta/files/x"}}]}`,
			want: `[{"role":"user","parts":[{"fileData":{"mimeType":"image/png","fileUri":"https://a/b.PNG?c=d"}},{"inlineData":{"mimeType":"image/jpeg","data":"AA=="}},` +
				`{"inlineData":{"mimeType":"application/pdf","data":"AA=="}},{"inlineData":{"mimeType":"application/pdf","data":"AA=="}},{"inlineData":{"mimeType":"audio/wav","data":"AA=="}},` +
				`{"fileData":{"fileUri":"https://www.youtube.com/watch?v=x"}},{"fileData":{"fileUri":"https://generativelanguage.googleapis.com/v1beta/files/x"}}]}]`},
	} {
		t.Run(test.name, func(t *testing.T) {
			got, err := write(t, `{"messages":[`+test.messages+`]}`, test.target)
			if err != nil {
				t.Fatal(err)
			}
			if want := `{"contents":` + test.want + `}`; string(got.Body) != want {
				t.Errorf("got  %s\nwant %s", got.Body, want)
			}
		})
	}
}

func TestRequestRefuses(t *testing.T) {
	for _, test := range []struct{ name, message, want string }{
		{"nothing at all", `{"role":"user","content":""}`, "Input must have at least 1 token."},
		{"an image by another scheme", `{"role":"user","content":[{"type":"image_url","image_url":{"url":"ftp://a"}}]}`, "'messages.0': image_url.url must be https, or data with base64."},
		{"an image of unknown type", `{"role":"user","content":[{"type":"image_url","image_url":{"url":"https://a/b"}}]}`, "'messages.0': image_url.url must end in the type of what it points to, such as .png, for this model's provider to fetch it. Send the data itself with base64 instead."},
		{"another vendor's file", `{"role":"user","content":[{"type":"file","file":{"file_id":"file-1"}}]}`, "'messages.0': file.file_id must be the URI of a file that was uploaded to the Gemini API."},
		{"a result of no call", `{"role":"tool","tool_call_id":"a","content":"x"}`, `'messages.0': no message before it calls a tool with the id "a".`},
	} {
		t.Run(test.name, func(t *testing.T) {
			_, err := write(t, `{"messages":[`+test.message+`]}`, dialect.Target{})
			var failure *dialect.Error
			if !errors.As(err, &failure) || failure.Status != 400 || failure.Message != test.want {
				t.Errorf("got %+v", err)
			}
		})
	}
}

func TestPathAndHeaders(t *testing.T) {
	for _, test := range []struct{ model, body, path, accept string }{
		{"gemini-2.5-flash", `{` + hi + `}`, "/models/gemini-2.5-flash:generateContent", "application/json"},
		{"gemini-2.5-flash", `{"stream":true,` + hi + `}`, "/models/gemini-2.5-flash:streamGenerateContent?alt=sse", "text/event-stream"},
		{"tunedModels/a b", `{` + hi + `}`, "/tunedModels/a%20b:generateContent", "application/json"},
	} {
		got, err := write(t, test.body, dialect.Target{Model: test.model})
		if err != nil || got.Path != test.path || got.Headers[1] != (dialect.Header{Name: "accept", Value: test.accept}) {
			t.Errorf("%s: path %q, headers %v, error %v", test.model, got.Path, got.Headers, err)
		}
	}
	want := []dialect.Header{{Name: "x-goog-api-key", Value: "k"}}
	if diff := cmp.Diff(want, Provider{}.Credential("k")); diff != "" {
		t.Error(diff)
	}
}

func TestResponse(t *testing.T) {
	for _, test := range []struct {
		words  string
		failed bool
		want   string
	}{
		{"sunny", false, `{"output":"sunny"}`},
		{` {"sun":1} `, false, `{"sun":1}`},
		{`[1]`, false, `{"output":"[1]"}`},
		{`{"sun":`, false, `{"output":"{\"sun\":"}`},
		{"no such city", true, `{"error":"no such city"}`},
		{`{"code":5}`, true, `{"error":{"code":5}}`},
	} {
		if got := string(response(test.words, test.failed)); got != test.want {
			t.Errorf("%q, failed=%t: got %s, want %s", test.words, test.failed, got, test.want)
		}
	}
}

func TestSchema(t *testing.T) {
	for _, test := range []struct{ name, given, want string }{
		{"what is taken as it is", `{"type":["string","null"],"anyOf":[{"type":"integer","minimum":1}],"items":{"additionalProperties":false}}`, ``},
		{"a reference stands alone", `{"$defs":{"A":{"type":"string"}},"properties":{"a":{"$ref":"#/$defs/A","description":"d"}}}`,
			`{"$defs":{"A":{"type":"string"}},"properties":{"a":{"$ref":"#/$defs/A"}}}`},
		{"a const is an enum of one", `{"properties":{"a":{"enum":["x","y"],"const":"x"}}}`, `{"properties":{"a":{"enum":["x"]}}}`},
		{"values are not schemas", `{"default":{"const":1,"$ref":"x"},"enum":[{"const":1}]}`, ``},
		{"what is nested too deep", strings.Repeat(`{"items":`, deepest) + `{"const":1}` + strings.Repeat(`}`, deepest), ``},
		{"names are not keywords", `{"properties":{"const":{"type":"string"},"$ref":{"type":"string"},"enum":{"const":1}}}`,
			`{"properties":{"const":{"type":"string"},"$ref":{"type":"string"},"enum":{"enum":[1]}}}`},
	} {
		t.Run(test.name, func(t *testing.T) {
			want := test.want
			if want == "" {
				want = test.given
			}
			if got := string(schema(nil, []byte(test.given), 0)); got != want {
				t.Errorf("got  %s\nwant %s", got, want)
			}
		})
	}
}

// FuzzRequest holds that whatever a client sends becomes valid JSON, turns that the
// API takes, or an error that a client can read.
func FuzzRequest(f *testing.F) {
	f.Add([]byte(`{"reasoning":{"effort":"low"},"response_format":{"type":"json_schema","json_schema":{"schema":{"const":1,"enum":[],"$ref":"#"}}},"tools":[{"function":{"parameters":{"properties":[{}]}}}],"messages":[{"role":"user","content":"x"}]}`))
	f.Add([]byte(`{"messages":[{"role":"assistant","content":[{"type":"text","text":""}],"reasoning_details":[{"type":"reasoning.encrypted","data":"d","format":"google-gemini-v1"}],"tool_calls":[{"id":"é","function":{"name":"f","arguments":"[]"}}]},{"role":"tool","tool_call_id":"é"}]}`))
	f.Add([]byte(`{"modalities":[1],"safety_settings":[],"messages":[{"role":"user","content":[{"type":"image_url","image_url":"https://%zz"}]}]}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		request, err := openai.Client{}.Parse(body)
		if err != nil {
			return
		}
		upstream, err := Provider{}.Request(request, dialect.Target{Model: "gemini-3-pro"})
		if err != nil {
			var failure *dialect.Error
			if !errors.As(err, &failure) || failure.Message == "" {
				t.Fatalf("not an error for a client: %v", err)
			}
			return
		}
		var sent struct {
			Contents []struct {
				Role  string
				Parts []map[string]any
			}
		}
		if err := json.Unmarshal(upstream.Body, &sent); err != nil {
			t.Fatalf("%v in %s", err, upstream.Body)
		}
		for i, turn := range sent.Contents {
			if i == 0 && turn.Role != "user" || len(turn.Parts) == 0 {
				t.Errorf("turn %d in %s", i, upstream.Body)
			}
			for _, part := range turn.Parts {
				if text, has := part["text"]; has && text == "" && part["thoughtSignature"] == nil {
					t.Errorf("empty text in %s", upstream.Body)
				}
			}
		}
	})
}

// Row 122: what the API fetches itself, and what it needs as bytes.
func TestNeedsBytes(t *testing.T) {
	for _, test := range []struct {
		url, model string
		want       bool
	}{
		{"https://a.test/p.PNG?sig=1", "gemini-3-flash", false},
		{"HTTPS://a.test/p.pdf", "gemini-2.5-flash", false},
		{"https://a.test/p.png", "gemini-2.0-flash", true},
		{"http://a.test/p.png", "gemini-3-flash", true},
		{"https://a.test/p.gif", "gemini-3-flash", true},
		{"https://a.test/p", "gemini-3-flash", true},
		{"https://www.youtube.com/watch?v=x", "gemini-2.0-flash", false},
		{"https://generativelanguage.googleapis.com/v1beta/files/x", "gemini-2.0-flash", false},
	} {
		part := dialect.Part{Kind: dialect.PartImage, Media: &dialect.Media{URL: test.url}}
		if got := (Provider{}).NeedsBytes(&part, dialect.Target{Model: test.model}); got != test.want {
			t.Errorf("%s at %s: %t", test.url, test.model, got)
		}
	}
}
