package openai

import (
	"errors"
	"strings"
	"testing"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/switchyard/switchyard/extproc/dialect"
	"github.com/switchyard/switchyard/extproc/dialect/rawjson"
)

func TestWithPreset(t *testing.T) {
	tools := func(tools ...string) string { return `"tools":[` + strings.Join(tools, ",") + `]` }
	function := func(name, description string) string {
		return `{"type":"function","function":{"name":"` + name + `","description":"` + description + `"}}`
	}
	for _, test := range []struct{ name, config, prompt, body, want string }{
		{name: "row 126: the preset's model and settings", config: `{"model":"m/p","temperature":0.2}`,
			body: `{"model":"@preset/p",` + hi + `}`, want: `{"model":"m/p",` + hi + `,"temperature":0.2}`},
		{name: "row 126: a preset without a model", config: `{"models":["m/a"]}`,
			body: `{"model":"@preset/p",` + hi + `}`, want: `{` + hi + `,"models":["m/a"]}`},
		{name: "row 126: by name", config: `{"model":"m/p"}`,
			body: `{"preset":"p",` + hi + `}`, want: `{"preset":"p",` + hi + `,"model":"m/p"}`},
		{name: "row 127: the request wins, member by member", config: `{"temperature":0.2,"provider":{"order":["a"],"zdr":true}}`,
			body: `{"provider": { "only":["b"] },"temperature":0.9,` + hi + `}`, want: `{"provider": { "only":["b"] },"temperature":0.9,` + hi + `}`},
		{name: "row 128: the request's model", config: `{"model":"m/p","top_p":0.5}`,
			body: `{"model":"m/x@preset/p",` + hi + `}`, want: `{"model":"m/x",` + hi + `,"top_p":0.5}`},
		{name: "null counts as not given", config: `{"seed":7}`,
			body: `{"seed":null,"stop":null,` + hi + `}`, want: `{"seed":7,"stop":null,` + hi + `}`},
		{name: "the request wins by another name", config: `{"max_tokens":5,"reasoning":{"effort":"high"}}`,
			body: `{"max_completion_tokens":9,"reasoning_effort":"low",` + hi + `}`, want: `{"max_completion_tokens":9,"reasoning_effort":"low",` + hi + `}`},
		{name: "what is no setting", config: `{"messages":[],"stream":true,"preset":"q","cache_enabled":true,"top_k":null}`,
			body: `{` + hi + `}`, want: `{` + hi + `}`},
		{name: "a system prompt before the caller's own", prompt: `Be "kind".`,
			body: `{"messages": [ {"role":"system","content":"s"}],"model":"m/x"}`,
			want: `{"messages":[{"role":"system","content":"Be \"kind\"."}, {"role":"system","content":"s"}],"model":"m/x"}`},
		{name: "row 12: no messages stay none", prompt: "s", body: `{"messages":[ ]}`, want: `{"messages":[ ]}`},
		{name: "tools are united", config: `{` + tools(function("f", "preset"), function("g", "preset"), `{"type":"openrouter:web_search"}`) + `}`,
			body: `{` + tools(function("h", "own"), `{"type":"openrouter:web_search","parameters":{}}`, function("f", "own")) + `,` + hi + `}`,
			want: `{` + tools(function("f", "own"), function("g", "preset"), `{"type":"openrouter:web_search","parameters":{}}`, function("h", "own")) + `,` + hi + `}`},
		{name: "helpers are told apart by name", config: `{` + tools(`{"type":"openrouter:advisor","parameters":{"name":"a"}}`) + `}`,
			body: `{` + tools(`{"type":"openrouter:advisor","parameters":{"name":"b"}}`) + `,` + hi + `}`,
			want: `{` + tools(`{"type":"openrouter:advisor","parameters":{"name":"a"}}`, `{"type":"openrouter:advisor","parameters":{"name":"b"}}`) + `,` + hi + `}`},
		{name: "tools of the preset alone", config: `{` + tools(function("f", "preset")) + `}`,
			body: `{"tools":null,` + hi + `}`, want: `{` + tools(function("f", "preset")) + `,` + hi + `}`},
		{name: "nothing to merge", body: ` {"a" : [1, 2.0],` + hi + `} `, want: `{"a" : [1, 2.0],` + hi + `}`},
	} {
		t.Run(test.name, func(t *testing.T) {
			body := []byte(test.body)
			got, err := Client{}.WithPreset(body, dialect.Preset{Config: jsontext.Value(test.config), SystemPrompt: test.prompt})
			if err != nil || string(got) != test.want {
				t.Errorf("got  %s, %v\nwant %s", got, err, test.want)
			}
			if string(body) != test.body {
				t.Errorf("the body has become %s", body)
			}
		})
	}
}

func TestRow13WithPreset(t *testing.T) {
	_, err := Client{}.WithPreset([]byte(`{"model":"@preset/p",}`), dialect.Preset{Config: jsontext.Value(`{"seed":1}`)})
	var failure *dialect.Error
	if !errors.As(err, &failure) || failure.Status != 400 || !strings.Contains(failure.Message, "at byte offset 20.") {
		t.Errorf("WithPreset returned %v", err)
	}
}

// FuzzWithPreset holds that whatever is merged is valid and that the request wins.
func FuzzWithPreset(f *testing.F) {
	f.Add([]byte(`{"model":"@preset/p","tools":[{"type":"function","function":{"name":"f"}}],`+hi+`}`), []byte(`{"model":"m/p","tools":[{"function":{"name":"f"}}]}`), "s")
	f.Add([]byte(`{"a\n":null,"messages":[1]}`), []byte(`{"a\n":"x","a":[]}`), "\xff")
	f.Add([]byte(` { } `), []byte(` {"seed" : 1} `), "")
	f.Fuzz(func(t *testing.T, body, config []byte, prompt string) {
		if given, err := dialect.Object(config); err != nil || len(given) != len(config) {
			return // the configuration's reader gives objects alone
		}
		merged, err := Client{}.WithPreset(body, dialect.Preset{Config: config, SystemPrompt: prompt})
		if err != nil {
			if rawjson.Validate(body) == nil && len(readMembers(body)) > 0 {
				t.Errorf("%q was refused: %v", body, err)
			}
			return
		}
		if err := rawjson.Validate(merged); err != nil {
			t.Fatalf("%s and %s were merged as %s: %v", body, config, merged, err)
		}
		result := readMembers(merged)
		for _, own := range readMembers(body) {
			switch {
			case own.name == "model", own.name == "messages", own.name == "tools", !rawjson.Present(own.value):
			case string(find(result, own.name)) != string(own.value):
				t.Errorf("%s of the request became %s", own.raw, find(result, own.name))
			}
		}
		for _, given := range readMembers(config) {
			if configures(given) && find(result, given.name) == nil && find(result, synonym(given.name)) == nil {
				t.Errorf("%s of the preset is not in %s", given.raw, merged)
			}
		}
	})
}
