package anthropic

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/switchyard/switchyard/extproc/dialect"
)

func TestWithPreset(t *testing.T) {
	const hi = `"messages":[{"role":"user","content":"hi"}]`
	for _, test := range []struct{ name, config, prompt, body, want string }{
		{"row 126: the request wins", `{"model":"m/p","temperature":0.1,"top_k":3}`, "", `{"model":"@preset/p","temperature":0.9,` + hi + `}`,
			`{"temperature":0.9,` + hi + `,"model":"m/p","top_k":3}`},
		{"a model of its own", `{"model":"m/p"}`, "", `{"model":"m/x@preset/p",` + hi + `}`, `{"model":"m/x",` + hi + `}`},
		{"null is not given", `{"temperature":0.1}`, "", `{"model":"m/x","temperature":null,` + hi + `}`, `{"model":"m/x",` + hi + `,"temperature":0.1}`},
		{"row 127: a prompt alone", `{}`, "be kind", `{"model":"m/x",` + hi + `}`, `{"model":"m/x",` + hi + `,"system":"be kind"}`},
		{"row 127: before a string", `{}`, "be kind", `{"system":"and brief",` + hi + `}`,
			`{"system":[{"type":"text","text":"be kind"},{"type":"text","text":"and brief"}],` + hi + `}`},
		{"row 127: before blocks", `{}`, "be kind", `{"system":[{"type":"text","text":"and brief","cache_control":{"type":"ephemeral"}}],` + hi + `}`,
			`{"system":[{"type":"text","text":"be kind"},{"type":"text","text":"and brief","cache_control":{"type":"ephemeral"}}],` + hi + `}`},
		{"row 128: tools are united", `{"tools":[{"type":"function","function":{"name":"f","parameters":{"type":"object"}}},{"type":"function","function":{"name":"g","description":"d"}}]}`, "",
			`{"tools":[{"name":"f","input_schema":{"type":"object","properties":{}}}],` + hi + `}`,
			`{"tools":[{"name":"f","input_schema":{"type":"object","properties":{}}},{"name":"g","description":"d","input_schema":{"type":"object"}}],` + hi + `}`},
		{"the words of chats", `{"stop":"a","max_completion_tokens":9,"seed":1,"messages":[],"stream":true,"tool_choice":"auto","provider":{"order":["A"]}}`, "", `{` + hi + `}`,
			`{` + hi + `,"stop_sequences":["a"],"max_tokens":9,"provider":{"order":["A"]}}`},
		{"two names for one setting", `{"max_tokens":8,"max_completion_tokens":9}`, "", `{` + hi + `}`, `{` + hi + `,"max_tokens":9}`},
	} {
		t.Run(test.name, func(t *testing.T) {
			got, err := Client{}.WithPreset([]byte(test.body), dialect.Preset{Config: []byte(test.config), SystemPrompt: test.prompt})
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(test.want, string(got)); diff != "" {
				t.Error(diff)
			}
			if _, err := (Client{}).Parse(got); err != nil {
				t.Error(err)
			}
		})
	}
}

// FuzzWithPreset: a body that is an object stays one that can be parsed or refused.
func FuzzWithPreset(f *testing.F) {
	f.Add([]byte(`{"model":"m/x@preset/p","system":"s","tools":[{"name":"f"}],"messages":[]}`), []byte(`{"tools":[{"function":{}}],"stop":"a"}`), "p")
	f.Fuzz(func(t *testing.T, body, config []byte, prompt string) {
		if _, err := dialect.Object(config); err != nil {
			return
		}
		merged, err := Client{}.WithPreset(body, dialect.Preset{Config: config, SystemPrompt: prompt})
		if err != nil {
			return
		}
		if _, err := dialect.Object(merged); err != nil {
			t.Errorf("%v in %s", err, merged)
		}
	})
}
