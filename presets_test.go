package main

import (
	"strings"
	"testing"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/switchyard/switchyard/extproc/dialect"
	"github.com/switchyard/switchyard/policies/config"
)

func TestCheckPreset(t *testing.T) {
	for _, test := range []struct{ api, config, want string }{
		{"chat/completions", `{"model":"m/x","temperature":0.2,"tools":[{"type":"function","function":{"name":"f"}}],"provider":{"only":["a"]}}`, ""},
		{"chat/completions", `{"temperature":"warm"}`, "'temperature' must be a number"},
		{"chat/completions", `{"provider":{"sort":"best"}}`, "provider.sort: "},
		{"chat/completions", `{"plugins":[{"id":1}]}`, "plugins"},
		{"chat/completions", `{"tools":[1]}`, "'tools.0' must be an object"},
		{"messages", `{"max_tokens":9,"temperature":1,"thinking":{"type":"enabled","budget_tokens":2000}}`, ""},
		{"messages", `{"max_tokens":"many"}`, "max_tokens"},
		{"responses", `{"max_output_tokens":9,"tools":[{"type":"function","name":"f"}]}`, ""},
		{"responses", `{"tools":[{"type":"teleport"}]}`, "'tools.0'"},
		{"embeddings", `{}`, "no presets are made"},
	} {
		err := checkPreset(test.api, dialect.Preset{Config: jsontext.Value(test.config), SystemPrompt: "Be brief."})
		if (err == nil) != (test.want == "") || err != nil && !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s %s: %v, want %q", test.api, test.config, err, test.want)
		}
	}
}

func TestWrongPresetOfTheConfiguration(t *testing.T) {
	effective, err := config.Parse("test.yaml", []byte("providers: {a: {dialect: openai, base_url: 'http://127.0.0.1:1'}}\npresets: {warm: {config: {temperature: hot}}}\n"), config.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := newGeneration(effective, "/run/api.sock"); err == nil || !strings.Contains(err.Error(), `presets["warm"].config: 'temperature' must be a number`) {
		t.Errorf("error %v", err)
	}
}
