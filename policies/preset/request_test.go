package preset

import (
	"slices"
	"testing"

	"github.com/go-json-experiment/json"
	"github.com/google/go-cmp/cmp"
)

func TestRow129FromRequest(t *testing.T) {
	for name, test := range map[string]struct{ body, config, prompt string }{
		"chat": {
			`{"model":"m/x","stream":true,"messages":[{"role":"system","content":"Be brief."},{"role":"user","content":"Hi"}],"temperature":0.2,"user":"u","session_id":"s"}`,
			`{"model":"m/x","temperature":0.2}`, "Be brief.",
		},
		"chat with parts": {
			`{"messages":[{"role":"system","content":[{"type":"text","text":"One."},{"type":"text","text":"Two."}]},{"role":"developer","content":"Three."},{"role":"assistant","content":null,"tool_calls":[]}]}`,
			`{}`, "One.\n\nTwo.\n\nThree.",
		},
		"messages": {
			`{"model":"m/x","max_tokens":5,"system":[{"type":"text","text":"Be brief.","cache_control":{"type":"ephemeral"}}],"messages":[{"role":"user","content":"Hi"}],"thinking":{"type":"enabled","budget_tokens":1024}}`,
			`{"max_tokens":5,"model":"m/x","thinking":{"type":"enabled","budget_tokens":1024}}`, "Be brief.",
		},
		"responses": {
			`{"input":"Hi","instructions":"Be brief.","max_output_tokens":9,"text":{"verbosity":"low"},"store":false,"previous_response_id":null}`,
			`{"max_output_tokens":9,"text":{"verbosity":"low"}}`, "Be brief.",
		},
		"responses with items": {
			`{"input":[{"type":"message","role":"developer","content":[{"type":"input_text","text":"Be brief."}]},{"type":"function_call_output","call_id":"c","output":"o"}]}`,
			`{}`, "Be brief.",
		},
		"tools and provider": {
			`{"tools":[ {"type":"function","function":{"name":"f"}} ],"provider":{"order":["a"]},"tool_choice":"auto","prompt":"p","unknown":1}`,
			`{"provider":{"order":["a"]},"tool_choice":"auto","tools":[{"type":"function","function":{"name":"f"}}]}`, "",
		},
		"null says nothing":       {`{"temperature":null,"model":null,"messages":null,"system":null}`, `{}`, ""},
		"numbers stay as written": {`{"seed":9007199254740993,"temperature":1e-1}`, `{"seed":9007199254740993,"temperature":1e-1}`, ""},
		"a preset of a preset":    {`{"model":"@preset/other","preset":"other"}`, `{}`, ""},
		"a model with a preset":   {`{"model":"m/x@preset/other"}`, `{"model":"m/x"}`, ""},
		"empty":                   {`{}`, `{}`, ""},
	} {
		t.Run(name, func(t *testing.T) {
			config, prompt, err := FromRequest([]byte(test.body))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(test.config, string(config)); diff != "" {
				t.Error(diff)
			}
			if prompt != test.prompt {
				t.Errorf("prompt %q, want %q", prompt, test.prompt)
			}
		})
	}
}

func TestFromRequestRefuses(t *testing.T) {
	for body, want := range map[string]string{
		``:                                    "the request body must be a JSON object",
		`null`:                                "the request body must be a JSON object",
		`[]`:                                  "the request body must be a JSON object",
		`{"a":1`:                              "the request body must be a JSON object",
		`{"a":1} x`:                           "the request body must be a JSON object",
		"{\"model\":\"\xff\"}":                "the request body must be a JSON object",
		`{"seed":1,"seed":2}`:                 "the request body must be a JSON object",
		`{"model":1}`:                         "model: must be text",
		`{"system":1}`:                        "system: must be text or a list of text parts",
		`{"instructions":[{"type":"image"}]}`: "instructions: must be text or a list of text parts",
		`{"messages":{}}`:                     "messages: must be a list of messages",
		`{"messages":[1]}`:                    "messages: must be a list of messages",
		`{"messages":[{"role":"user"},{"role":"system","content":{}}]}`: "messages[1].content: must be text or a list of text parts",
	} {
		if _, _, err := FromRequest([]byte(body)); err == nil || err.Error() != want {
			t.Errorf("%s: error %v, want %s", body, err, want)
		}
	}
}

// FromRequest builds the object by hand, in this order.
func TestMembersAreSorted(t *testing.T) {
	if !slices.IsSorted(members) || len(slices.Compact(slices.Clone(members))) != len(members) {
		t.Error("not sorted, or twice")
	}
}

// Whatever the body: an error, or a config that is an object and yields itself.
func FuzzFromRequest(f *testing.F) {
	f.Add([]byte(`{"model":"m/x@preset/p","messages":[{"role":"system","content":"Be brief."}],"temperature":0.2}`))
	f.Add([]byte(`{"system":[{"text":"a"}],"input":[{"role":"developer","content":null}],"tools":[{}]}`))
	f.Add([]byte(`{"input":"x","stop":["\ud800"]}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		config, _, err := FromRequest(body)
		if err != nil {
			return
		}
		var read map[string]any
		if err := json.Unmarshal(config, &read); err != nil {
			t.Fatalf("%s: %v", config, err)
		}
		again, prompt, err := FromRequest(config)
		if err != nil || string(again) != string(config) || prompt != "" {
			t.Errorf("%s yields %s, %q, %v", config, again, prompt, err)
		}
	})
}
