package openai

import (
	"fmt"
	"strings"
	"testing"

	"github.com/switchyard/switchyard/extproc/dialect"
)

// measurePassing passes a client's request on to a target.
func measurePassing(b *testing.B, body []byte, target dialect.Target) {
	b.SetBytes(int64(len(body)))
	b.ReportAllocs()
	for b.Loop() {
		request, err := Client{}.Parse(body)
		if err != nil {
			b.Fatal(err)
		}
		if _, err := (Provider{}).Request(request, target); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkImage passes a request that is one large string without escapes.
func BenchmarkImage(b *testing.B) {
	measurePassing(b, fmt.Appendf(nil, `{"model":"m/x","messages":[{"role":"user","content":[{"type":"text","text":"what?"},{"type":"image_url","image_url":{"url":"data:image/png;base64,%s"}}]}]}`,
		strings.Repeat("iVBORw0KGgo", 5<<20/11)), dialect.Target{Model: "gpt"})
}

// BenchmarkQuirks is a request of 100 KB for a provider of which most differs, and for
// one that has no quirks.
func BenchmarkQuirks(b *testing.B) {
	turn := `{"role":"user","content":"` + strings.Repeat(`Lorem ipsum \"dolor\" sit amet,\n consectetur. `, 10) + `"}`
	body := []byte(`{"model":"m/x","seed":1,"max_tokens":9,"reasoning_effort":"low","messages":[` + turn + strings.Repeat(","+turn, 200) + `]}`)
	for name, quirks := range map[string]*dialect.Quirks{
		"none": nil,
		"many": {Rename: map[string]string{"seed": "random_seed"}, Cap: map[string]float64{"n": 1}, Roles: map[string]string{"developer": "system"}, Reasoning: dialect.ReasoningThinking, TextContent: true},
	} {
		b.Run(name, func(b *testing.B) { measurePassing(b, body, dialect.Target{Model: "gpt", Quirks: quirks}) })
	}
}
