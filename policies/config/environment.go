package config

import (
	"net/url"
	"slices"
	"strings"

	"github.com/switchyard/switchyard/policies/config/configpb"
)

// ambiguous are variables that people set for other purposes than inference. Prompts
// go to their providers only where the configuration says so.
var ambiguous = []string{"GITHUB_API_KEY", "HF_TOKEN", "SCW_SECRET_KEY", "WANDB_API_KEY"}

// FromEnvironment is the configuration of people who have no file: every preset
// whose environment variable is set, such as OPENAI_API_KEY, and the servers
// that OLLAMA_HOST, VLLM_BASE_URL and LM_STUDIO_API_BASE point to. A variable
// set to nothing counts as not set, and those that serve other purposes as well do not
// count. The result has no providers if there is
// none.
func FromEnvironment(lookup func(string) (string, bool)) *configpb.Config {
	config := &configpb.Config{Providers: map[string]*configpb.Provider{}}
	for slug, preset := range presets().GetProviders() {
		name := preset.GetCredential().GetEnv()
		if value, _ := lookup(name); strings.TrimSpace(value) != "" && !slices.Contains(ambiguous, name) {
			config.Providers[slug] = &configpb.Provider{}
		}
	}
	for _, server := range ownServers {
		address, _ := lookup(server.address)
		if address = strings.TrimSpace(address); address == "" {
			continue
		}
		provider := &configpb.Provider{BaseUrl: serverURL(address, server.port, server.path)}
		if key, _ := lookup(server.key); strings.TrimSpace(key) != "" {
			provider.Credential = &configpb.Secret{Source: &configpb.Secret_Env{Env: server.key}}
		}
		config.Providers[server.preset] = provider
	}
	return config
}

// ownServers are the presets that people run themselves. The environment says
// where they are; few of them ask for a key.
var ownServers = [...]struct{ preset, address, key, port, path string }{
	{preset: "ollama", address: "OLLAMA_HOST", key: "OLLAMA_API_KEY", port: "11434", path: "/api"},
	{preset: "vllm", address: "VLLM_BASE_URL", key: "VLLM_API_KEY", port: "8000", path: openAIPath},
	{preset: "lmstudio", address: "LM_STUDIO_API_BASE", key: "LM_STUDIO_API_KEY", port: "1234", path: openAIPath},
}

// openAIPath is where servers speak OpenAI's dialect.
const openAIPath = "/v1"

// serverURL makes a base URL of an address as short as OLLAMA_HOST may be: a
// host, host:port or URL, where 0.0.0.0 is what the server listens on. Its API is at
// path, unless the address names another; that of OpenAI's dialect is no other. What is
// no address comes back unchanged, to be refused like any other base URL.
func serverURL(address, defaultPort, path string) string {
	bare := !strings.Contains(address, "://")
	if bare {
		address = "http://" + address
	}
	server, err := url.Parse(address)
	if err != nil {
		return address
	}
	host, port := server.Hostname(), server.Port()
	if host == "" || host == "0.0.0.0" || host == "::" {
		host = "127.0.0.1"
	}
	if strings.Contains(host, ":") {
		host = "[" + host + "]"
	}
	if port == "" && bare {
		port = defaultPort
	}
	if port != "" {
		host += ":" + port
	}
	server.Host = host
	if server.Path = strings.TrimSuffix(server.Path, "/"); server.Path == "" || server.Path == openAIPath {
		server.Path = path
	}
	return server.String()
}
