package routing

import (
	"fmt"
	"testing"

	"github.com/switchyard/switchyard/policies/config/configpb"
)

// BenchmarkBuild1000Models plans against 1,000 models with 5 endpoints each at 60
// providers. The aim is 20 µs whatever the request asks for.
func BenchmarkBuild1000Models(b *testing.B) {
	configured := map[string]*configpb.Model{"m/x": {}}
	for i := range 5 {
		configured["m/x"].Endpoints = append(configured["m/x"].Endpoints, priced(fmt.Sprintf("p%d", i), fmt.Sprint(i+1)))
	}
	for i := range 999 {
		model := &configpb.Model{Created: int64(i), ContextLength: 128000}
		for j := range 5 {
			model.Endpoints = append(model.Endpoints, priced(fmt.Sprintf("p%d", (i*7+j)%60), fmt.Sprint(1+(i+j)%40)))
		}
		configured[fmt.Sprintf("author/m%d", i)] = model
	}
	models := yard(b, configured, nil)
	preferences := func(provider, plugins string) Preferences {
		parsed, err := ParsePreferences([]byte(provider), []byte(plugins), "")
		if err != nil {
			b.Fatal(err)
		}
		return parsed
	}
	object := preferences(`{"ignore":["p3"],"data_collection":"allow","quantizations":["unknown","fp8"],"max_price":{"prompt":40},"sort":"throughput"}`, "")
	for name, request := range map[string]Request{
		"plain":    {Model: "m/x"},
		"provider": {Model: "m/x", Models: []string{"author/m1", "author/m2"}, Preferences: object, Tools: true, MaxTokens: 100, PromptTokens: 1000, Policies: []*Constraints{{Ignore: []string{"p9"}}}},
		"auto":     {Model: "openrouter/auto", Tools: true, PromptTokens: 1000},
		"auto patterns": {
			Model: "openrouter/auto", Tools: true, PromptTokens: 1000,
			Preferences: preferences("", `[{"id":"auto-router","allowed_models":["author/*"],"excluded_models":["*/m99*"],"cost_tier":"medium"}]`),
		},
	} {
		b.Run(name, func(b *testing.B) {
			request.Now = now
			b.ReportAllocs()
			for b.Loop() {
				request.Seed++
				if _, err := Build(request, models, statistics{}, Options{}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkParsePreferences(b *testing.B) {
	provider := []byte(`{"order":["a","b"],"allow_fallbacks":false,"data_collection":"deny","max_price":{"prompt":1,"completion":"2.5"},"sort":{"by":"price","partition":"none"}}`)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := ParsePreferences(provider, nil, ""); err != nil {
			b.Fatal(err)
		}
	}
}
