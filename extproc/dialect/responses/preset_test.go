package responses

import (
	"testing"

	"github.com/switchyard/switchyard/extproc/dialect"
	"github.com/switchyard/switchyard/extproc/dialect/rawjson"
)

func TestWithPreset(t *testing.T) {
	for _, test := range []struct{ name, body, config, prompt, want string }{
		{"row 126: the preset's model and prompt", `{"model":"@preset/p","input":"hi"}`, `{"model":"m/x","temperature":0.2}`, "Be brief.",
			`{"input":"hi","model":"m/x","temperature":0.2,"instructions":"Be brief."}`},
		{"row 127: the request wins, member by member", `{"temperature":0.9,"provider":{"sort":"price"},"input":"hi"}`,
			`{"temperature":0.2,"provider":{"order":["a"]},"top_p":0.5}`, "", `{"temperature":0.9,"provider":{"sort":"price"},"input":"hi","top_p":0.5}`},
		{"row 128: the request's model", `{"model":"m/y@preset/p","input":"hi"}`, `{"model":"m/x"}`, "", `{"model":"m/y","input":"hi"}`},
		{"null is not given", `{"temperature":null,"input":"hi"}`, `{"temperature":0.2}`, "", `{"input":"hi","temperature":0.2}`},
		{"the caller's own instructions", `{"instructions":"In French.","input":"hi"}`, `{}`, "Be brief.", `{"instructions":"Be brief.\n\nIn French.","input":"hi"}`},
		{"words of Chat Completions", `{"input":"hi"}`,
			`{"max_tokens":5,"max_completion_tokens":6,"reasoning_effort":"low","verbosity":"high","response_format":{"type":"json_schema","json_schema":{"name":"n","schema":{}}},
				"tool_choice":{"type":"function","function":{"name":"f"}},"tools":[{"type":"function","function":{"name":"f"}}]}`, "",
			`{"input":"hi","max_output_tokens":5,"reasoning":{"effort":"low"},"tool_choice":{"type":"function","name":"f"},"tools":[{"type":"function","name":"f"}],` +
				`"text":{"format":{"type":"json_schema","name":"n","schema":{}},"verbosity":"high"}}`},
		{"tools are united", `{"input":"hi","tools":[{"type":"function","name":"c"},{"type":"function","name":"b","strict":true}]}`,
			`{"tools":[{"type":"function","name":"a"},{"type":"function","name":"b"}]}`, "",
			`{"input":"hi","tools":[{"type":"function","name":"a"},{"type":"function","name":"b","strict":true},{"type":"function","name":"c"}]}`},
		{"nothing of a conversation", `{"input":"hi"}`, `{"input":"ho","messages":[],"stream":true,"store":true,"cache_enabled":true}`, "", `{"input":"hi"}`},
	} {
		t.Run(test.name, func(t *testing.T) {
			got, err := Client{}.WithPreset([]byte(test.body), dialect.Preset{Config: []byte(test.config), SystemPrompt: test.prompt})
			if err != nil || string(got) != test.want {
				t.Fatalf("%v\ngot  %s\nwant %s", err, got, test.want)
			}
			if _, err := (Client{}).Parse(got); err != nil {
				t.Error(err)
			}
		})
	}
}

func FuzzWithPreset(f *testing.F) {
	f.Add([]byte(`{"model":"m/x@preset/p","input":"hi","tools":[{"type":"function","name":"a"}]}`), []byte(`{"tools":[{"function":{"name":"a"}}],"seed":1}`), "Be brief.")
	f.Fuzz(func(t *testing.T, body, config []byte, prompt string) {
		if rawjson.Validate(config) != nil {
			return // the gateway's own, checked when it was made
		}
		merged, err := Client{}.WithPreset(body, dialect.Preset{Config: config, SystemPrompt: prompt})
		if err == nil && rawjson.Validate(merged) != nil {
			t.Fatalf("%s and %s became %s", body, config, merged)
		}
	})
}
