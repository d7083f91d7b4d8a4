package e2e

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"maps"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/switchyard/switchyard/e2e/gateway"
	"github.com/switchyard/switchyard/e2e/provider"
)

// clientKey is the gateway key that tests authenticate with.
const clientKey = "sk-sy-v1-0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

// settings are part of a configuration file.
type settings = map[string]any

// stage is a gateway with fake providers behind it: first add sites and models,
// then start it. When the test ends everything is stopped, and the test fails
// if a fake refused a request, the gateway did not exit cleanly, or its log
// shows a secret or a crash.
type stage struct {
	*testing.T
	*gateway.Gateway

	config    settings
	providers settings
	models    settings
	sites     []*site
	tokens    []*provider.GoogleTokens
	authority *provider.Authority
	client    *http.Client
}

// site is one provider of the gateway's configuration and the fake behind it.
type site struct {
	*provider.Provider
	slug   string
	key    string
	model  string // its name at the provider
	server *provider.Server
	config settings
}

func newStage(t *testing.T) *stage {
	t.Helper()
	authority, err := provider.NewAuthority()
	if err != nil {
		t.Fatal(err)
	}
	s := &stage{T: t, providers: settings{}, models: settings{}, authority: authority, client: http.DefaultClient}
	s.config = settings{
		"models_from_presets": "none",
		"providers":           s.providers,
		"models":              s.models,
		"keys":                []any{settings{"name": "tests", "hash": hash(clientKey)}},
		"limits":              settings{"unlimited": true},
		// One failing case must not steer the plan of the next one, and no chance.
		// An outage is remembered for a second at least: cases that meet one more
		// than once have a model for each, or an order.
		"routing": settings{
			"balance": "listed", "cool_down": "0.001s", "max_cool_down": "0.001s", "outage_window": "1s",
		},
		"telemetry": settings{"log_level": "debug", "log_format": "json"},
	}
	return s
}

// openAI adds a provider that speaks Chat Completions.
func (s *stage) openAI(slug string, network ...provider.Network) *site {
	s.Helper()
	added := s.site(slug, "openai", "gpt-4o-mini", provider.OpenAI, network...)
	// OpenAI refuses unknown fields; most compatible vendors do not.
	added.config["strict"] = true
	return added
}

// anthropic adds a provider that speaks Messages.
func (s *stage) anthropic(slug string, network ...provider.Network) *site {
	s.Helper()
	return s.site(slug, "anthropic", "claude-sonnet-4-5", provider.Anthropic, network...)
}

func (s *stage) site(slug, dialect, model string, vendor func(provider.Config) *provider.Provider, network ...provider.Network) *site {
	s.Helper()
	return s.keyed(slug, dialect, model, "sk-provider-"+slug+"-"+hash(slug)[:16], vendor, network...)
}

// keyed is site with a key of the provider's own kind.
func (s *stage) keyed(slug, dialect, model, key string, vendor func(provider.Config) *provider.Provider, network ...provider.Network) *site {
	s.Helper()
	fake := vendor(provider.Config{Key: key, Models: []string{model}, Secrets: []string{clientKey}})
	added := &site{Provider: fake, slug: slug, key: key, model: model}
	server, err := fake.Start(append(network, provider.Network{})[0])
	if err != nil {
		s.Fatal(err)
	}
	s.Cleanup(server.Close)
	added.server = server
	added.config = settings{
		"name":       slug,
		"dialect":    dialect,
		"base_url":   server.URL,
		"credential": settings{"value": key},
		"strict":     dialect == "openai",
	}
	s.providers[slug] = added.config
	s.sites = append(s.sites, added)
	return added
}

// serve adds a model whose endpoints are tried in the order of the sites.
func (s *stage) serve(id string, sites ...*site) {
	endpoints := make([]any, len(sites))
	for i, at := range sites {
		endpoints[i] = at.endpoint("1", "2")
	}
	s.models[id] = settings{"endpoints": endpoints}
}

// endpoint is an endpoint at the site, with prices in dollars per million tokens
// and what else is to be said of it.
func (at *site) endpoint(prompt, completion string, also ...settings) settings {
	endpoint := settings{
		"provider": at.slug,
		"model":    at.model,
		"prices":   settings{"prompt": prompt, "completion": completion},
	}
	for _, more := range also {
		maps.Copy(endpoint, more)
	}
	return endpoint
}

// routing changes routing settings.
func (s *stage) routing(change settings) {
	maps.Copy(s.config["routing"].(settings), change)
}

func (s *stage) start(arguments ...string) {
	s.Helper()
	running, err := gateway.Start(s.Context(), gateway.Options{
		Binary:    binary,
		Directory: s.TempDir(),
		Config:    s.config,
		Client:    s.client,
		Arguments: arguments,
	})
	if err != nil {
		s.Fatal(err)
	}
	s.Gateway = running
	s.Cleanup(s.finish)
}

func (s *stage) finish() {
	if err := s.Stop(); err != nil {
		s.Errorf("the gateway's exit: %v", err)
	}
	log := s.Log()
	for _, crash := range []string{"DATA RACE", "panic:", "fatal error:", "goroutine 1 ["} {
		if strings.Contains(log, crash) {
			s.Errorf("the gateway's log has %q", crash)
		}
	}
	for _, secret := range append(s.secrets(), clientKey) {
		if strings.Contains(log, secret) {
			s.Errorf("the gateway's log has the secret %s", secret)
		}
	}
	s.checkSites()
	if s.Failed() {
		s.Logf("the gateway's log:\n%s", tail(log))
	}
}

// checkSites fails the test if a fake refused a request.
func (s *stage) checkSites() {
	s.Helper()
	for _, at := range s.sites {
		if violations := at.Violations(); len(violations) > 0 {
			s.Errorf("provider %s refused: %q", at.slug, violations)
		}
	}
}

func (s *stage) secrets() []string {
	var all []string
	for _, at := range s.sites {
		all = append(all, at.key)
		all = append(all, strings.Split(at.key, ":")...) // AWS's have parts
	}
	for _, endpoint := range s.tokens {
		all = append(all, endpoint.Secrets()...)
	}
	return all
}

// trusted writes the authority's certificate for a provider's ca_file.
func (s *stage) trusted() string {
	s.Helper()
	path := filepath.Join(s.TempDir(), "ca.pem")
	if err := os.WriteFile(path, s.authority.PEM(), 0o600); err != nil {
		s.Fatal(err)
	}
	return path
}

// named is a site's base URL with a host name in place of the loopback address.
func (at *site) named(host string) string {
	_, port, _ := net.SplitHostPort(at.server.Address)
	return strings.Replace(at.server.URL, at.server.Address, net.JoinHostPort(host, port), 1)
}

// calls is how many requests have reached the site.
func (at *site) calls() int { return len(at.Exchanges()) }

// last is the newest request that reached the site.
func (at *site) last(t *testing.T) *provider.Exchange {
	t.Helper()
	all := at.Exchanges()
	if len(all) == 0 {
		t.Fatalf("no request reached provider %s", at.slug)
	}
	return all[len(all)-1]
}

func hash(secret string) string {
	sum := sha256.Sum256([]byte(secret))
	return hex.EncodeToString(sum[:])
}

// tail keeps a failing test's output readable.
func tail(log string) string {
	const most = 16 << 10
	if len(log) > most {
		return fmt.Sprintf("(%d bytes before)\n%s", len(log)-most, log[len(log)-most:])
	}
	return log
}
