package config

import (
	"fmt"
	"strings"
	"testing"

	"github.com/go-json-experiment/json"
	"github.com/google/go-cmp/cmp"
)

// What a preset says, as the JSON that goes into a request.
func TestAnything(t *testing.T) {
	for name, test := range map[string]struct{ text, want string }{
		"scalars":               {"{a: 1, b: 0.2, c: true, d: False, e: text, f: null, g: ~, h: }", `{"a":1,"b":0.2,"c":true,"d":false,"e":"text","f":null,"g":null,"h":null}`},
		"quoted is text":        {`{a: "1", b: 'true', c: "1e400"}`, `{"a":"1","b":"true","c":"1e400"}`},
		"numbers of YAML":       {"{a: 0x10, b: -3, c: 1e3, d: 1_000}", `{"a":16,"b":-3,"c":1000,"d":1000}`},
		"the largest number":    {"{a: 9007199254740992}", `{"a":9007199254740992}`},
		"nested lists":          {"{a: [1, [2, [x, {b: []}]], {}]}", `{"a":[1,[2,["x",{"b":[]}]],{}]}`},
		"keys that are no text": {"{1: a, true: b, 2026-01-31: c}", `{"1":"a","2026-01-31":"c","true":"b"}`},
		"times stay text":       {"{a: 2026-01-31, b: 2026-01-31T10:00:00Z}", `{"a":"2026-01-31","b":"2026-01-31T10:00:00Z"}`},
		"yes and off are text":  {"{a: yes, b: off}", `{"a":"yes","b":"off"}`},
		"aliases":               {"{a: &x {b: 1}, c: *x, d: [*x]}", `{"a":{"b":1},"c":{"b":1},"d":[{"b":1}]}`},
		"empty":                 {"{}", `{}`},
	} {
		t.Run(name, func(t *testing.T) {
			effective := parse(t, "presets: {p: {config: "+test.text+"}}\n")
			got, err := json.Marshal(effective.Config().GetPresets()["p"].GetConfig().AsMap(), json.Deterministic(true))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(test.want, string(got)); diff != "" {
				t.Error(diff)
			}
			again, err := Parse("printed.yaml", Print(effective), world())
			if err != nil {
				t.Fatal(err)
			}
			if again.Generation() != effective.Generation() {
				t.Errorf("printed\n%s\nread again\n%s", Print(effective), Print(again))
			}
		})
	}
}

func TestAnythingThatJSONCannotSay(t *testing.T) {
	for name, test := range map[string]struct{ text, want string }{
		"a number beyond all":       {"{a: {b: 1e400}}", "test.yaml:1:31: presets.p.config.a.b: must be a number that JSON can say, not 1e400"},
		"infinity":                  {"{a: .inf}", "test.yaml:1:27: presets.p.config.a: must be a number that JSON can say, not .inf"},
		"no number":                 {"{a: [.nan]}", "test.yaml:1:28: presets.p.config.a[0]: must be a number that JSON can say, not .nan"},
		"a number that would drift": {"{seed: 9007199254740993}", "test.yaml:1:30: presets.p.config.seed: 9007199254740993 is too large to be kept exactly; write at most 9007199254740992, or text"},
		"a mapping for a key":       {"{a: {[b]: c}}", "test.yaml:1:28: presets.p.config.a: a key must be text, not a list"},
		"a key twice":               {"{a: {b: 1, b: 2}}", "test.yaml:1:34: presets.p.config.a.b: is already set on line 1; keep one of the two"},
		"a tag":                     {"{a: !!binary aGk=}", "test.yaml:1:27: presets.p.config.a: the tag !!binary is not supported; write the value alone"},
		"a merge key":               {"{a: &x {b: 1}, c: {<<: *x}}", "test.yaml:1:42: presets.p.config.c: merge keys (<<) are not supported; repeat the fields, or give an alias for the whole value"},
		"text":                      {"some", "test.yaml:1:23: presets.p.config: must be a mapping of members, not text"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := Parse("test.yaml", []byte("presets: {p: {config: "+test.text+"}}\n"), world())
			if err == nil {
				t.Fatal("loads")
			}
			if diff := cmp.Diff(test.want, err.Error()); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestAnythingIsBounded(t *testing.T) {
	var wide strings.Builder
	wide.WriteString("presets:\n  a: {config: {l0: &l0 [x, x, x, x, x, x, x, x, x, x]")
	for i := range 8 {
		fmt.Fprintf(&wide, ", l%d: &l%d [%s*l%d]", i+1, i+1, strings.Repeat(fmt.Sprintf("*l%d, ", i), 9), i)
	}
	wide.WriteString("}}\n")
	for name, test := range map[string]struct{ text, want string }{
		"aliases that multiply": {wide.String(), "more than 200000 values"},
		"an alias of itself":    {"presets: {p: {config: &a {b: *a}}}\n", "is nested more than 64 deep"},
		"a list of itself":      {"presets: {p: {config: {a: &a [*a]}}}\n", "is nested more than 64 deep"},
		"many lists":            {"presets: {p: {config: {a: " + strings.Repeat("[", 100) + strings.Repeat("]", 100) + "}}}\n", "is nested more than 64 deep"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := Parse("test.yaml", []byte(test.text), world())
			if err == nil || !strings.Contains(err.Error(), test.want) || strings.Count(err.Error(), "\n") > 0 {
				t.Errorf("error %.300v", err)
			}
		})
	}
}
