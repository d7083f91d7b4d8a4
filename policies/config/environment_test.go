package config

import (
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"

	"github.com/switchyard/switchyard/policies/config/configpb"
)

func TestFromEnvironment(t *testing.T) {
	for name, test := range map[string]struct {
		variables map[string]string
		want      map[string]*configpb.Provider
	}{
		"nothing set": {want: map[string]*configpb.Provider{}},
		"set to nothing": {
			variables: map[string]string{"OPENAI_API_KEY": "", "GROQ_API_KEY": " ", "OLLAMA_HOST": ""},
			want:      map[string]*configpb.Provider{},
		},
		"two keys": {
			variables: map[string]string{"OPENAI_API_KEY": "a", "ANTHROPIC_API_KEY": "b", "PATH": "/bin"},
			want:      map[string]*configpb.Provider{"openai": {}, "openai-responses": {}, "anthropic": {}},
		},
		"a server of one's own": {
			variables: map[string]string{"OLLAMA_HOST": "gpu:11434"},
			want:      map[string]*configpb.Provider{"ollama": {BaseUrl: "http://gpu:11434/api"}},
		},
		"a server that asks for a key": {
			variables: map[string]string{"VLLM_BASE_URL": "https://gpu.example/v1/", "VLLM_API_KEY": "k"},
			want: map[string]*configpb.Provider{"vllm": {
				BaseUrl:    "https://gpu.example/v1",
				Credential: &configpb.Secret{Source: &configpb.Secret_Env{Env: "VLLM_API_KEY"}},
			}},
		},
		"a variable of other uses": {
			variables: map[string]string{"HF_TOKEN": "a", "WANDB_API_KEY": "b"},
			want:      map[string]*configpb.Provider{},
		},
		"the key alone is no server": {
			variables: map[string]string{"VLLM_API_KEY": "k"},
			want:      map[string]*configpb.Provider{},
		},
	} {
		t.Run(name, func(t *testing.T) {
			got := FromEnvironment(environment(test.variables))
			if !proto.Equal(got, &configpb.Config{Providers: test.want}) {
				t.Errorf("got %v", got)
			}
		})
	}
}

// The forms are those that Ollama itself takes for OLLAMA_HOST.
func TestServerURL(t *testing.T) {
	for address, want := range map[string]string{
		"127.0.0.1":               "http://127.0.0.1:11434/api",
		"gpu":                     "http://gpu:11434/api",
		"gpu:80":                  "http://gpu:80/api",
		":9000":                   "http://127.0.0.1:9000/api",
		"0.0.0.0":                 "http://127.0.0.1:11434/api",
		"[::]:11434":              "http://127.0.0.1:11434/api",
		"[::1]":                   "http://[::1]:11434/api",
		"http://gpu":              "http://gpu/api",
		"https://gpu.example/":    "https://gpu.example/api",
		"https://gpu.example/x":   "https://gpu.example/x",
		"https://gpu.example/v1/": "https://gpu.example/api",
	} {
		if got := serverURL(address, "11434", "/api"); got != want {
			t.Errorf("%s is %s, want %s", address, got, want)
		}
	}
}

func TestAddressInTheEnvironmentThatIsNone(t *testing.T) {
	_, err := Load("", Options{LookupEnv: environment(map[string]string{"OLLAMA_HOST": "ftp://gpu"})})
	if err == nil || !strings.HasPrefix(err.Error(), "environment: providers.ollama.base_url: must be an http or https URL") {
		t.Errorf("error %v", err)
	}
}

// What a provider is asked for to see whether it is well, it must have.
func TestHealthCheckOfOllama(t *testing.T) {
	for text, want := range map[string]string{
		"{interval: 30s}":           "/tags",
		"{interval: 30s, path: /x}": "/x",
	} {
		checked := parse(t, "providers: {ollama: {health_check: "+text+"}}\n")
		if got := checked.Config().GetProviders()["ollama"].GetHealthCheck().GetPath(); got != want {
			t.Errorf("%s: %s, want %s", text, got, want)
		}
	}
}

// An address of Ollama's other dialect would end in errors that say nothing.
func TestOllamaAtOpenAIsPath(t *testing.T) {
	_, err := Parse("test.yaml", []byte("providers: {ollama: {base_url: \"http://gpu:11434/v1/\"}}\n"), Options{})
	if err == nil || !strings.Contains(err.Error(), "end it in /api, or set dialect: openai") {
		t.Errorf("error %v", err)
	}
	if _, err := Parse("test.yaml", []byte("providers: {ollama: {dialect: openai, base_url: \"http://gpu:11434/v1\"}}\n"), Options{}); err != nil {
		t.Error(err)
	}
}

// The fallback serves only people who have set nothing up.
func TestFallback(t *testing.T) {
	fallback := &configpb.Config{
		Providers: map[string]*configpb.Provider{
			"demo": {Dialect: configpb.Dialect_DIALECT_OPENAI, BaseUrl: "http://127.0.0.1:1/v1"},
		},
		Models: map[string]*configpb.Model{"demo/echo": {Endpoints: []*configpb.Endpoint{{Provider: "demo"}}}},
	}
	for name, test := range map[string]struct {
		text string
		key  string
		want bool
	}{
		"nothing at all":          {want: true},
		"a file without provider": {text: "limits: {requests: 1}\n", want: true},
		"a key":                   {key: "k"},
		"a file with provider":    {text: "providers: {ollama: }\n"},
	} {
		t.Run(name, func(t *testing.T) {
			options := Options{LookupEnv: environment(map[string]string{"OPENAI_API_KEY": test.key}), Fallback: fallback}
			effective, err := Parse("test.yaml", []byte("# a comment\n"+test.text), options)
			if err != nil {
				t.Fatal(err)
			}
			_, served := effective.Config().GetModels()["demo/echo"]
			_, enabled := effective.Config().GetProviders()["demo"]
			if effective.IsFallback() != test.want || served != test.want || enabled != test.want {
				t.Errorf("fallback %v, model %v, provider %v; want %v", effective.IsFallback(), served, enabled, test.want)
			}
		})
	}
	if len(fallback.GetProviders()["demo"].GetName()) > 0 {
		t.Error("the caller's configuration was changed")
	}
}
