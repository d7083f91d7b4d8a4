package config

import (
	"fmt"
	"io/fs"
	"strings"
	"testing"
)

// BenchmarkLoad reads a catalog of 500 models at three providers each, as it is at
// every start and reload. It must stay well under 200 ms.
func BenchmarkLoad(b *testing.B) {
	var catalog strings.Builder
	catalog.WriteString("models:\n")
	for i := range 500 {
		fmt.Fprintf(&catalog, "  author/model-%d:\n    name: Model %d\n    context_length: 128000\n    endpoints:\n", i, i)
		for _, provider := range []string{"openai", "mistral", "together"} {
			fmt.Fprintf(&catalog, "      - provider: %s\n        model: model-%d\n        quantization: fp8\n        max_completion_tokens: 8192\n"+
				"        supported_parameters: [temperature, top_p, tools, tool_choice, response_format]\n"+
				"        prices: {prompt: 0.25, completion: 1.5, cache_read: 0.025}\n", provider, i)
		}
	}
	const providers = "providers: {openai: , mistral: , together: {credential: {env: OPENAI_API_KEY}}}\n"
	for name, files := range map[string]map[string]string{
		"models":        {"gateway.yaml": providers + catalog.String()},
		"catalog files": {"gateway.yaml": providers + "catalog_files: [catalog.yaml]\n", "catalog.yaml": catalog.String()},
		"presets":       {"gateway.yaml": providers},
	} {
		b.Run(name, func(b *testing.B) {
			options := world()
			options.ReadFile = func(name string) ([]byte, error) {
				if text, ok := files[name[strings.LastIndexByte(name, '/')+1:]]; ok {
					return []byte(text), nil
				}
				return nil, fs.ErrNotExist
			}
			b.ReportAllocs()
			for b.Loop() {
				if _, err := Load("gateway.yaml", options); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
