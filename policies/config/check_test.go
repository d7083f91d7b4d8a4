package config

import (
	"strings"
	"testing"
)

// What is suspicious about names, but no error.
func TestWarningsOfNames(t *testing.T) {
	const providers = "providers: {openai: , gpu: {dialect: openai, base_url: 'http://127.0.0.1/v1', any_model: true}}\n"
	for name, test := range map[string]struct{ text, want string }{
		"unknown provider":          {"policy: {only: [opena]}\n", `test.yaml:2:17: policy.only[0]: names no configured provider, "opena"; did you mean openai?`},
		"unknown provider of a key": {"keys: [{name: a, hash: " + strings.Repeat("a", 64) + ", policy: {ignore: [opena]}}]\n", `keys[0].policy.ignore[0]: names no configured provider, "opena"; did you mean openai?`},
		"a provider's slug":         {"policy: {only: [openai, gpu]}\n", ""},
		"a provider's name":         {"policy: {only: [OpenAI], ignore: [OPENAI]}\n", ""},
		"an endpoint's tag":         {"policy: {only: [openai/flex]}\nmodels: {openai/gpt-4o: {endpoints: [{provider: openai, service_tier: flex, prices: {prompt: 1}}]}}\n", ""},
		"pattern of no model":       {"policy: {allowed_models: [opnai/*]}\n", `policy.allowed_models[0]: "opnai/*" meets no configured model; * stands for any text, as in openai/*`},
		"pattern of models":         {"policy: {allowed_models: ['*gpt*o'], ignored_models: [openai/gpt-4o]}\n", ""},
		"pattern of any model":      {"policy: {allowed_models: [gpu/qwen*, 'g*', gpu/llama]}\n", ""},
		"pattern of an alias":       {"aliases: {~o/latest: openai/gpt-4o}\npolicy: {allowed_models: [~o/*]}\n", ""},
		"auto models":               {"routing: {auto_models: [x/y]}\n", `routing.auto_models[0]: "x/y" meets no configured model`},
		"route of no model":         {"routing: {routes: [{models: [x/y]}]}\n", `routing.routes[0].models[0]: "x/y" meets no configured model`},
		"route behind all":          {"routing: {routes: [{models: ['*']}, {models: [openai/*]}]}\n", "routing.routes[1].models[0]: never counts, because routes[0] is for all models; put that last"},
		"route twice":               {"routing: {routes: [{models: [openai/*]}, {models: [openai/*]}]}\n", "routing.routes[1].models[0]: is in routes[0] as well, which counts; remove one of the two"},
		"preset of no model":        {"presets: {p: {config: {model: openai/gpt-4oo}}}\n", `test.yaml:2:31: presets.p.config.model: there is no model "openai/gpt-4oo"; did you mean openai/gpt-4o?`},
		"preset of models":          {"presets: {p: {config: {models: [openai/gpt-4o, nope]}}}\n", `presets.p.config.models[1]: there is no model "nope"`},
		"weights as listed":         {"routing: {balance: listed}\nmodels: {a/b: {endpoints: [{provider: openai, weight: 2}]}}\n", "has no effect, because the model's endpoints are tried as listed; set balance: price"},
		"weights of a listed model": {"models: {a/b: {balance: listed, endpoints: [{provider: openai, weight: 2}]}}\n", "has no effect"},
		"weights that count":        {"routing: {balance: listed}\nmodels: {a/b: {balance: price, endpoints: [{provider: openai, weight: 2, prices: {prompt: 0}}]}}\n", ""},
		"a guardrail of nobody":     {"guardrails: {g: {}}\n", "guardrails.g: holds for nobody: name it as a key's guardrail, or as default_guardrail"},
		"a guardrail's policy":      {"default_guardrail: g\nguardrails: {g: {policy: {only: [opena]}}}\n", `guardrails.g.policy.only[0]: names no configured provider, "opena"`},
		"an endpoint of no price":   {"models: {a/b: {endpoints: [{provider: openai}]}}\n", `models["a/b"].endpoints[0]: has no price, so it counts as free`},
	} {
		t.Run(name, func(t *testing.T) {
			got := parse(t, providers+test.text).Warnings().Error()
			if (got == "") != (test.want == "") || !strings.Contains(got, test.want) {
				t.Errorf("got  %s\nwant %s", got, test.want)
			}
		})
	}
}

// What routing.default_model may be.
func TestDefaultModel(t *testing.T) {
	const text = "providers: {openai: , gpu: {dialect: openai, base_url: 'http://127.0.0.1/v1', any_model: true}}\n" +
		"aliases: {~openai/latest: openai/gpt-4o}\nmodels: {openai/gpt-4o: {canonical_slug: openai/gpt-4o-2024}}\n"
	for name, fine := range map[string]bool{
		"openai/gpt-4o": true, "openai/gpt-4o-2024": true, "openai/gpt-4o:nitro": true, "openai/gpt-4o:nitro:online": true,
		"~openai/latest": true, "~openai/latest:floor": true, "gpu/anything": true,
		"openrouter/auto": true, "openrouter/free": true, "switchyard/auto": true, "switchyard/auto-beta": true,
		"openai/gpt-9": false, "openai/gpt-4o:thinking": false, "gpu/": false, "~openai/newest": false, "openrouter/fusion": false,
		"'@preset/any'": false, "openai/gpt-4o@preset/any": false, "':nitro'": false,
	} {
		_, err := Parse("test.yaml", []byte(text+"routing: {default_model: "+name+"}\n"), world())
		if fine != (err == nil) {
			t.Errorf("%s: error %v", name, err)
		}
	}
}

func TestRedisAddress(t *testing.T) {
	for address, fine := range map[string]bool{
		"redis:6379": true, "127.0.0.1:6379": true, "[::1]:6379": true,
		"redis": false, ":6379": false, "redis:0": false, "redis:65536": false, "redis:port": false, "redis://redis:6379": false, "::1:6379": false,
	} {
		_, err := Parse("test.yaml", []byte("redis: {address: '"+address+"'}\n"), world())
		if fine != (err == nil) {
			t.Errorf("%s: error %v", address, err)
		}
	}
}

func TestRedisDefaults(t *testing.T) {
	redis := parse(t, "redis: {address: 'redis:6379'}\n").Config().GetRedis()
	if redis.GetPrefix() != "switchyard:" || durationText(redis.GetTimeout()) != "1s" {
		t.Errorf("redis %v", redis)
	}
	if redis := parse(t, "providers: {openai: }\n").Config().GetRedis(); redis != nil {
		t.Errorf("a gateway without Redis has %v", redis)
	}
}

func TestMeets(t *testing.T) {
	for _, test := range []struct {
		pattern, text string
		want          bool
	}{
		{"a/b", "a/b", true}, {"a/b", "a/bc", false}, {"*", "", true}, {"*", "a/b", true},
		{"a/*", "a/b/c", true}, {"a/*", "b/a/c", false}, {"*b", "a/b", true}, {"*b", "a/bc", false},
		{"a*c", "abc", true}, {"a*c", "ac", true}, {"a*c", "a", false}, {"aa*a", "aa", false},
		{"a*b*c", "a-b-b-c", true}, {"a*b*c", "a-c-b", false}, {"**", "x", true}, {"*b*", "abc", true},
	} {
		if got := meets(test.pattern, test.text); got != test.want {
			t.Errorf("%q meets %q: %v", test.text, test.pattern, got)
		}
	}
}

func TestFetchSettings(t *testing.T) {
	for settings, fine := range map[string]bool{
		"allow: [10.1.0.0/16]": true, "allow: [10.1.2.3]": true, "allow: ['fd00::/8']": true, "allow: ['::1']": true, "allow: [minio.internal]": true, "allow: ['*.corp.example']": true,
		"allow: [10.1.0.0/33]": false, "allow: ['fd00::x']": false, "allow: ['1:2']": false, "allow: ['https://a.example']": false, "allow: ['a.example:443']": false, "allow: ['*']": false, "allow: ['']": false, "allow: [a..b]": false,
		"max_size: 1KiB": true, "max_size: 1B": false, "max_size: 257MiB": false, "max_size: many": false,
		"timeout: 1s": true, "timeout: 0s": true, "timeout: -1s": false, "timeout: 121s": false,
	} {
		_, err := Parse("test.yaml", []byte("fetch: {"+settings+"}\nproviders: {openai: }\n"), world())
		if fine != (err == nil) {
			t.Errorf("%s: error %v", settings, err)
		}
	}
	defaults := parse(t, "providers: {openai: }\n")
	if fetch := defaults.Config().GetFetch(); fetch.GetDisabled() || defaults.MaxFetchSize() != 20<<20 || durationText(fetch.GetTimeout()) != "10s" {
		t.Errorf("defaults %v", fetch)
	}
}

func TestCacheSettings(t *testing.T) {
	const redis = "redis: {address: 'redis:6379'}\n"
	for settings, fine := range map[string]bool{
		"cache: {disabled: true}": true, "cache: {redis: true}": false, "cache: {redis: true}\n" + redis: true, redis: true,
		"cache: {max_size: 1MiB}": true, "cache: {max_size: 1023KiB}": false, "cache: {max_size: big}": false,
		"cache: {max_entry: 1KiB}": true, "cache: {max_entry: 1023B}": false, "cache: {max_entry: 16MiB}": true, "cache: {max_entry: 17MiB}": false,
		"cache: {max_entry: 2MiB, max_size: 1MiB}": true,
	} {
		_, err := Parse("test.yaml", []byte(settings+"\nproviders: {openai: }\n"), world())
		if fine != (err == nil) {
			t.Errorf("%s: error %v", settings, err)
		}
	}
	if small := parse(t, "cache: {max_entry: 2MiB, max_size: 1MiB}\nproviders: {openai: }\n"); small.MaxCacheEntry() != 1<<20 {
		t.Errorf("an answer may be larger than all together: %d", small.MaxCacheEntry())
	}
	defaults := parse(t, "providers: {openai: }\n")
	if cache := defaults.Config().GetCache(); cache.GetDisabled() || cache.GetRedis() || defaults.MaxCacheSize() != 64<<20 || defaults.MaxCacheEntry() != 4<<20 {
		t.Errorf("defaults %v", cache)
	}
}

func TestBaseURLsThatHoldACall(t *testing.T) {
	for base, call := range map[string]string{
		"https://llm.example.com/v1/chat/completions": "/chat/completions", "https://llm.example.com/v1/messages/": "/messages",
		"https://llm.example.com/v1": "", "https://llm.example.com/messages/v1": "",
	} {
		got := parse(t, "providers: {own: {dialect: openai, base_url: "+base+"}}").Warnings().Error()
		if call == "" && got != "" || call != "" && !strings.Contains(got, "providers.own.base_url: ends in "+call+", which the gateway adds itself") {
			t.Errorf("%s: %q", base, got)
		}
	}
}

// The address of the resource alone is what most try first.
func TestBaseURLsOfClouds(t *testing.T) {
	for base, usual := range map[string]bool{
		"azure, base_url: https://acme.openai.azure.com":                                                   false,
		"azure, base_url: https://acme.openai.azure.com/openai/deployments/gpt":                            false,
		"azure, base_url: https://acme.openai.azure.com/openai/v1/":                                        true,
		"azure, base_url: https://acme.openai.azure.com/openai":                                            true,
		"anthropic_vertex, base_url: https://aiplatform.googleapis.com/v1/projects/p/locations/global":     false,
		"anthropic_vertex, base_url: https://aiplatform.googleapis.com/v1/projects/p/publishers/anthropic": true,
		"openai, base_url: https://llm.example.com":                                                        true,
	} {
		got := parse(t, "providers: {cloud: {dialect: "+base+"}}").Warnings().Error()
		if usual != (got == "") || !usual && !strings.Contains(got, "providers.cloud.base_url: usually ends in /") {
			t.Errorf("%s: %q", base, got)
		}
	}
}
