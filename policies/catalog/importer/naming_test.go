package importer

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// The same model has one id, however its providers write it.
func TestIdentify(t *testing.T) {
	for _, test := range []struct {
		name, owner string
		variants    []string
		want        identity
	}{
		{"meta-llama/Llama-3.3-70B-Instruct", "", nil, identity{ID: "meta-llama/llama-3.3-70b-instruct"}},
		{"meta-llama/Llama-3.3-70B-Instruct-Turbo", "", []string{"turbo"}, identity{ID: "meta-llama/llama-3.3-70b-instruct", Variant: "turbo"}},
		{"Meta-Llama-3.3-70B-Instruct", "", nil, identity{ID: "meta-llama/llama-3.3-70b-instruct"}},
		{"Meta-Llama-3_3-70B-Instruct", "", nil, identity{ID: "meta-llama/llama-3.3-70b-instruct"}},
		{"llama3.3-70b-instruct-fp8", "", nil, identity{ID: "meta-llama/llama-3.3-70b-instruct", Quantization: "fp8"}},
		{"llama-3.3-70b-versatile", "", nil, identity{ID: "meta-llama/llama-3.3-70b-instruct"}},
		{"llama-v3p3-70b-instruct", "", nil, identity{ID: "meta-llama/llama-3.3-70b-instruct"}},
		{"meta/llama-3.3-70b", "", nil, identity{ID: "meta-llama/llama-3.3-70b-instruct"}},
		{"meta-llama/Llama-3.3-70B-Instruct-fp8-fast", "", []string{"fast"}, identity{ID: "meta-llama/llama-3.3-70b-instruct", Quantization: "fp8", Variant: "fast"}},
		{"Llama-4-Maverick-17B-128E-Instruct-FP8", "", nil, identity{ID: "meta-llama/llama-4-maverick", Quantization: "fp8"}},
		{"zai-org/GLM-5.3", "", nil, identity{ID: "z-ai/glm-5.3"}},
		{"glm-5p3", "", nil, identity{ID: "z-ai/glm-5.3"}},
		{"zai-glm-5-3-flash", "mistralai", nil, identity{ID: "z-ai/glm-5.3-flash"}},
		{"routers/glm-5p3-fast", "", []string{"fast"}, identity{ID: "z-ai/glm-5.3", Variant: "fast"}},
		{"Qwen/Qwen3-235B-A22B-Instruct-2507", "", nil, identity{ID: "qwen/qwen3-235b-a22b-instruct-2507"}},
		{"alibaba/qwen-3-14b", "", nil, identity{ID: "qwen/qwen3-14b"}},
		{"deepseek-ai/DeepSeek-V3.1", "", nil, identity{ID: "deepseek/deepseek-v3.1"}},
		{"deepseek-v4-1-flash", "", nil, identity{ID: "deepseek/deepseek-v4.1-flash"}},
		{"deepseek/deepseek-r1-0528", "", nil, identity{ID: "deepseek/deepseek-r1-0528"}},
		{"moonshotai/Kimi-K2-Instruct-0905", "", nil, identity{ID: "moonshotai/kimi-k2-instruct-0905"}},
		{"claude-sonnet-4-5", "anthropic", nil, identity{ID: "anthropic/claude-sonnet-4.5"}},
		{"claude-haiku-4-5-20251001", "anthropic", nil, identity{ID: "anthropic/claude-haiku-4.5"}},
		{"anthropic-claude-3.5-sonnet", "", nil, identity{ID: "anthropic/claude-sonnet-3.5"}},
		{"gpt-4o-2024-08-06", "openai", nil, identity{ID: "openai/gpt-4o-2024-08-06"}},
		{"gpt-3.5-turbo", "openai", nil, identity{ID: "openai/gpt-3.5-turbo"}},
		{"openai/gpt-oss-120b", "", nil, identity{ID: "openai/gpt-oss-120b"}},
		{"nvidia/Llama-3.3-Nemotron-Super-49B-v1", "", nil, identity{ID: "nvidia/llama-3.3-nemotron-super-49b-v1"}},
		// Who trains a model further is its author; who only converts it is not.
		{"aisingapore/Qwen-SEA-LION-v4-32B-IT", "", nil, identity{ID: "aisingapore/qwen-sea-lion-v4-32b-it"}},
		{"someone/Gemma-4-31B-IT-NVFP4", "", nil, identity{ID: "google/gemma-4-31b-it", Quantization: "nvfp4"}},
		// The provider's own models are those that nothing else claims.
		{"morph-v3-large", "morph", nil, identity{ID: "morph/morph-v3-large"}},
		{"glm-5.1", "qwen", nil, identity{ID: "z-ai/glm-5.1"}},
	} {
		got, err := loadNames().identify(test.name, test.owner, test.variants)
		if err != nil {
			t.Errorf("%s: %v", test.name, err)
			continue
		}
		got.Name = ""
		if diff := cmp.Diff(test.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", test.name, diff)
		}
	}
}

func TestIdentifyRefuses(t *testing.T) {
	for name, want := range map[string]error{
		"mythomax":            errAuthor,
		"":                    errName,
		"openai/gpt:variant1": errName,
		"openai/gpt 4":        errName,
		"a\x00b/gpt-4":        errName,
		"Ünknown/some-model":  errName,
		"openai/gpt-4/":       errName,
		"jamba-1.5-large@001": errName,
	} {
		if _, err := loadNames().identify(name, "", nil); !errors.Is(err, want) {
			t.Errorf("%q: %v, want %v", name, err, want)
		}
	}
}

func TestSpell(t *testing.T) {
	for slug, want := range map[string]string{
		"llama-3.3-70b-instruct": "Llama 3.3 70B Instruct",
		"gpt-4o-mini":            "GPT-4o Mini",
		"qwen3-235b-a22b":        "Qwen3 235B A22B",
		"gemma-4-31b-it":         "Gemma 4 31B",
		"glm-5.3":                "GLM 5.3",
	} {
		if got := loadNames().spell(slug); got != want {
			t.Errorf("%s is %q, want %q", slug, got, want)
		}
	}
}
