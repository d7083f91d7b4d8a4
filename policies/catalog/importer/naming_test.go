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
		{"Qwen/Qwen3-235B-A22B-Instruct-2507", "", nil, identity{ID: "qwen/qwen3-235b-a22b-instruct-2507", Created: 1751328000}},
		{"alibaba/qwen-3-14b", "", nil, identity{ID: "qwen/qwen3-14b"}},
		{"deepseek-ai/DeepSeek-V3.1", "", nil, identity{ID: "deepseek/deepseek-v3.1"}},
		{"deepseek-v4-1-flash", "", nil, identity{ID: "deepseek/deepseek-v4.1-flash"}},
		{"deepseek/deepseek-r1-0528", "", nil, identity{ID: "deepseek/deepseek-r1-0528"}},
		{"moonshotai/Kimi-K2-Instruct-0905", "", nil, identity{ID: "moonshotai/kimi-k2-0905"}},
		{"claude-sonnet-4-5", "anthropic", nil, identity{ID: "anthropic/claude-sonnet-4.5"}},
		{"claude-haiku-4-5-20251001", "anthropic", nil, identity{ID: "anthropic/claude-haiku-4.5", Created: 1759276800}},
		{"anthropic-claude-3.5-sonnet", "", nil, identity{ID: "anthropic/claude-sonnet-3.5"}},
		{"gpt-4o-2024-08-06", "openai", nil, identity{ID: "openai/gpt-4o-2024-08-06", Created: 1722902400}},
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

// Failover needs the endpoints of a model together, also where providers have two
// names for it.
func TestIdentifyTwoNamesOfOneModel(t *testing.T) {
	for _, names := range [][2]string{
		{"moonshotai/kimi-k2-0905", "moonshotai/Kimi-K2-Instruct-0905"},
		{"moonshotai/kimi-k2", "moonshotai/Kimi-K2-Instruct"},
		{"deepseek/deepseek-r1-0528-qwen3-8b", "accounts/fireworks/models/deepseek-r1-0528-distill-qwen3-8b"},
		{"deepseek-ai/DeepSeek-R1-Distill-Qwen-7B", "deepseek-r1-7b-qwen"},
		{"deepseek-ai/DeepSeek-R1-Distill-Llama-70B", "deepseek-llama3.3-70b"},
		{"deepseek-ai/DeepSeek-R1", "deepseek-r1-671b"},
		{"deepseek-ai/DeepSeek-Prover-V2-671B", "accounts/fireworks/models/deepseek-prover-v2"},
		{"mistralai/Ministral-3-14B-Instruct-2512", "ministral-14b-2512"},
		{"ministral-3-8b-2512", "ministral-8b-2512"},
		{"mistral-small-4", "mistral-small-2603"},
		{"mistralai/mistral-nemo", "open-mistral-nemo"},
		{"mistralai/Mistral-Nemo-Instruct-2407", "open-mistral-nemo"},
		{"mistralai/Mistral-7B-Instruct-v0.3", "accounts/fireworks/models/mistral-7b-instruct-v3"},
		{"mistralai/Mixtral-8x7B-Instruct-v0.1", "accounts/fireworks/models/mixtral-8x7b-instruct"},
		{"meta/llama-3.2-11b", "meta-llama/Llama-3.2-11B-Vision-Instruct"},
		{"accounts/fireworks/models/llama4-maverick-instruct-basic", "meta-llama/Llama-4-Maverick-17B-128E-Instruct-FP8"},
		{"hermes3-405b", "NousResearch/Hermes-3-Llama-3.1-405B"},
		{"Qwen/Qwen3-Coder-480B-A35B-Instruct", "qwen3-coder-480b-instruct-bf16"},
		{"baidu/ernie-4.5-300b-a47b-paddle", "baidu/ERNIE-4.5-300B-A47B-PT"},
		{"nvidia/nemotron-3-ultra-550b", "nvidia/Nemotron-3-Ultra-550B-A55B"},
		{"nova-lite-1-0", "amazon/nova-lite"},
		{"cohere/command-a", "command-a-03-2025"},
		{"anthropic/claude-3-7-sonnet-latest", "anthropic/claude-3-7-sonnet"},
		{"sao10k/l31-70b-euryale-v2.2", "Sao10K/L3.1-70B-Euryale-v2.2"},
		{"sao10k/l3-8b-lunaris", "Sao10K/L3-8B-Lunaris-v1"},
		{"gemma-4-26b-a4b", "google/gemma-4-26B-A4B-it"},
	} {
		one, err := loadNames().identify(names[0], "", nil)
		other, otherErr := loadNames().identify(names[1], "", nil)
		if err != nil || otherErr != nil || one.ID != other.ID {
			t.Errorf("%s is %q, %v, but %s is %q, %v", names[0], one.ID, err, names[1], other.ID, otherErr)
		}
	}
	// What was trained otherwise is another model.
	for _, names := range [][2]string{
		{"meta-llama/Llama-3-8B", "meta-llama/Llama-3-8B-Instruct"},
		{"Qwen/Qwen2.5-Coder-7B", "Qwen/Qwen2.5-Coder-7B-Instruct"},
		{"moonshotai/Kimi-K2-Instruct", "moonshotai/Kimi-K2-Thinking"},
		{"command-r", "command-r-08-2024"},
	} {
		one, _ := loadNames().identify(names[0], "", nil)
		if other, _ := loadNames().identify(names[1], "", nil); one.ID == other.ID {
			t.Errorf("%s and %s are both %q", names[0], names[1], one.ID)
		}
	}
}
