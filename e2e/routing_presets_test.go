package e2e

import "testing"

// What a preset says is part of the request, and what the request says wins.
func TestPresets(t *testing.T) {
	r := newRouting(t)
	r.offer("m/y", r.a.endpoint("1", "1"), r.b.endpoint("2", "2"), r.c.endpoint("3", "3"))
	r.config["presets"] = settings{"p": settings{
		"system_prompt": "Be brief.",
		"config":        settings{"model": "m/x", "temperature": 0.2, "provider": settings{"only": []any{"b"}}},
	}}
	r.start()
	for _, test := range []struct {
		name, body  string
		model       string
		at          *site
		temperature float64
	}{
		{"row 126: preset by model", question("@preset/p"), "m/x", r.b, 0.2},
		{"row 126: preset by member", question("m/x", `"preset":"p"`), "m/x", r.b, 0.2},
		// The preset's `only` would not let C answer: the object is replaced whole.
		{"row 127: the request wins", question("@preset/p", `"temperature":0.9`, `"provider":{"order":["c"]}`), "m/x", r.c, 0.9},
		{"row 128: preset and model", question("m/y@preset/p"), "m/y", r.b, 0.2},
	} {
		t.Run(test.name, func(t *testing.T) {
			r.quiet()
			got := r.ask(test.body)
			if decoded := got.decode(t); got.status != 200 || decoded.Model != test.model || decoded.Provider != test.at.slug {
				t.Fatalf("status %d: %s", got.status, got.body)
			}
			sent := test.at.last(t).JSON
			if sent["temperature"] != test.temperature {
				t.Errorf("temperature %v, want %v", sent["temperature"], test.temperature)
			}
			messages, _ := sent["messages"].([]any)
			first, _ := messages[0].(map[string]any)
			if len(messages) != 2 || first["role"] != "system" || first["content"] != "Be brief." {
				t.Errorf("messages %v", messages)
			}
		})
	}
	t.Run("unknown preset", func(t *testing.T) {
		r.ask(question("@preset/none")).failed(t, 404)
	})
}
