package routing

import (
	"encoding/json"
	"fmt"
	"testing"

	"github.com/switchyard/switchyard/policies/catalog"
	"github.com/switchyard/switchyard/policies/config/configpb"
)

// BenchmarkBuild1000Models plans against 1,000 models with 5 endpoints each at 60
// providers. The aim is 20 µs whatever the request asks for.
func BenchmarkBuild1000Models(b *testing.B) {
	models := thousand(b)
	object := preferences(b, `{"ignore":["p3"],"data_collection":"allow","quantizations":["unknown","fp8"],"max_price":{"prompt":40},"sort":"throughput"}`, "")
	for name, request := range map[string]Request{
		"plain":    {Model: "m/x"},
		"provider": {Model: "m/x", Models: []string{"author/m1", "author/m2"}, Preferences: object, Tools: true, MaxTokens: 100, PromptTokens: 1000, Policies: []*Constraints{{Ignore: []string{"p9"}}}},
		"auto":     {Model: "openrouter/auto", Tools: true, PromptTokens: 1000},
		"auto patterns": {
			Model: "openrouter/auto", Tools: true, PromptTokens: 1000,
			Preferences: preferences(b, "", `[{"id":"auto-router","allowed_models":["author/*"],"excluded_models":["*/m99*"],"cost_tier":"medium"}]`),
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

// BenchmarkBuildWorst plans what costs a client the least and the gateway the most: a
// router that finds nothing in the whole catalog, by lists as long as they may be. A
// few milliseconds are the limit.
func BenchmarkBuildWorst(b *testing.B) {
	models := thousand(b)
	names := func(form string, count int) string {
		list := make([]string, count)
		for i := range list {
			list[i] = fmt.Sprintf(form, i)
		}
		text, err := json.Marshal(list)
		if err != nil {
			b.Fatal(err)
		}
		return string(text)
	}
	providers, regions := names("nobody-%d", maxListed), names("eu-%d", maxListed)
	exact, starred := names("author/none%d", maxPatterns), names("*m*%d/none", maxStars/2)
	for name, given := range map[string]Preferences{
		"only":          preferences(b, `{"only":`+providers+`}`, ""),
		"ignore":        preferences(b, `{"ignore":`+providers+`,"order":`+providers+`,"regions":["us"]}`, ""),
		"regions":       preferences(b, `{"regions":`+regions+`}`, ""),
		"jurisdictions": preferences(b, `{"jurisdictions":`+regions+`}`, ""),
		"exact":         preferences(b, "", `[{"id":"auto-router","allowed_models":`+exact+`,"excluded_models":`+exact+`}]`),
		"stars":         preferences(b, "", `[{"id":"auto-router","allowed_models":`+starred+`}]`),
		"stars, twice":  preferences(b, `{"only":[]}`, `[{"id":"auto-router","allowed_models":`+starred[:len(starred)-len(`"*m*63/none"]`)]+`"*"],"excluded_models":`+starred+`}]`),
	} {
		b.Run(name, func(b *testing.B) {
			request := Request{Model: "openrouter/auto", Preferences: given, Now: now}
			b.ReportAllocs()
			for b.Loop() {
				if _, err := Build(request, models, statistics{}, Options{}); err == nil {
					b.Fatal("a plan")
				}
			}
		})
	}
}

// thousand are 1,000 models.
func thousand(b *testing.B) *catalog.Catalog {
	b.Helper()
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
	return yard(b, configured, nil)
}

func preferences(b *testing.B, provider, plugins string) Preferences {
	b.Helper()
	parsed, err := ParsePreferences([]byte(provider), []byte(plugins), nil, "")
	if err != nil {
		b.Fatal(err)
	}
	return parsed
}

func BenchmarkParsePreferences(b *testing.B) {
	provider := []byte(`{"order":["a","b"],"allow_fallbacks":false,"data_collection":"deny","max_price":{"prompt":1,"completion":"2.5"},"sort":{"by":"price","partition":"none"}}`)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := ParsePreferences(provider, nil, nil, ""); err != nil {
			b.Fatal(err)
		}
	}
}
