package dialect_test

import (
	"strings"
	"testing"

	"github.com/switchyard/switchyard/extproc/dialect"
)

func TestPresetOf(t *testing.T) {
	for _, test := range []struct{ name, body, slug, model string }{
		{"none", `{"model":"m/x"}`, "", ""},
		{"row 126: by model", `{"messages":[],"model":"@preset/p"}`, "p", ""},
		{"row 126: by model, with escapes", `{"mod\u0065l":"@preset\/p"}`, "p", ""},
		{"row 128: beside a model", `{"model":"m/x@preset/p"}`, "p", "m/x"},
		{"by name", `{"preset" : "p","model":"m/x"}`, "p", "m/x"},
		{"by name, without a model", `{"preset":"p"}`, "p", ""},
		{"the model's before the other", `{"preset":"q","model":"m/x@preset/p"}`, "p", "m/x"},
		{"no slug", `{"model":"m/x@preset/"}`, "", ""},
		{"a preset of another type", `{"preset":{"p":1},"model":"m/x"}`, "", ""},
		{"only talked about", `{"model":"m/x","messages":[{"content":"@preset/p","preset":"p"}]}`, "", ""},
		{"no object", `["preset"]`, "", ""},
		{"half an object", `{"model":"@preset/p","preset":`, "p", ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			if slug, model := dialect.PresetOf([]byte(test.body)); slug != test.slug || model != test.model {
				t.Errorf("got %q and %q, want %q and %q", slug, model, test.slug, test.model)
			}
		})
	}
}

// FuzzPresetOf holds that no body makes it panic, and that no slug comes from
// nowhere.
func FuzzPresetOf(f *testing.F) {
	f.Add([]byte(`{"model":"m/x@preset/p","preset":"q"}`))
	f.Add([]byte(`{"model":"@preset/p","preset":`))
	f.Add([]byte(`{"preset":"\ud83d"}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		slug, model := dialect.PresetOf(body)
		if slug == "" && model != "" {
			t.Errorf("a model %q without a preset in %q", model, body)
		}
		if _, again := dialect.CutPreset(model); again != "" && !strings.Contains(slug, "@preset/") && strings.Count(string(body), "@preset") < 2 {
			t.Errorf("the model %q in %q still asks for a preset", model, body)
		}
	})
}

func BenchmarkPresetOfNone(b *testing.B) {
	body := []byte(`{"model":"m/x","messages":[{"role":"user","content":"` + strings.Repeat(`Lorem \"ipsum\" dolor sit amet, consectetur @adipiscing elit. `, 100<<10/62) + `"}]}`)
	b.SetBytes(int64(len(body)))
	b.ReportAllocs()
	for b.Loop() {
		dialect.PresetOf(body)
	}
}
