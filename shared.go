package main

import (
	"context"
	"net/http"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/switchyard/switchyard/extproc/dialect"
	"github.com/switchyard/switchyard/extproc/signing"
	"github.com/switchyard/switchyard/policies/cache"
	"github.com/switchyard/switchyard/policies/catalog"
	"github.com/switchyard/switchyard/policies/config"
	"github.com/switchyard/switchyard/policies/health"
	"github.com/switchyard/switchyard/policies/identity"
	"github.com/switchyard/switchyard/policies/preset"
	"github.com/switchyard/switchyard/policies/probe"
	"github.com/switchyard/switchyard/policies/redis"
	"github.com/switchyard/switchyard/policies/sharing"
	"github.com/switchyard/switchyard/policies/sticky"
)

// use puts a generation to use.
func (g *gateway) use(next *generation) error {
	if err := g.presets.Configure(next.effective.Config()); err != nil {
		return err
	}
	g.setLogLevel(next.effective.Config().GetTelemetry())
	g.health.Configure(next.health)
	g.current.Store(next)
	g.tokens.Configure(newIssuers(next.effective.Config().GetIdentity().GetIssuers()))
	g.compose()
	if memory, ok := g.answers.(*cache.Memory); ok && next.policy.MaxCacheEntry == 0 {
		memory.Clear() // what is not to be kept any more is not kept
	}
	g.prober.Configure(next.policy.Catalog.Providers())
	return nil
}

// remember opens where conversations went, and where statistics are exchanged.
// With a Redis, gateways share both; which Redis is read once, at the start. Of a later
// configuration [gateway.configureRedis] takes what it can.
func (g *gateway) remember() error {
	var err error
	g.registry.MustRegister(g.health.Collector(g.labels))
	memory := sticky.NewMemory()
	g.sticky = memory
	effective := g.current.Load().effective
	cfg := effective.Config().GetRedis()
	if cfg == nil {
		return nil
	}
	password, _ := effective.RedisPassword()
	if g.redis, err = redis.Open(cfg, password.Reveal()); err != nil {
		return err
	}
	shared := sticky.NewRedis(g.redis, memory, g.log)
	g.sticky = shared
	g.sharing = sharing.New(g.redis, exchanger{g.health, g}, sharing.Options{Log: g.log})
	g.countRedisFailures("sticky", shared.Failures)
	g.countRedisFailures("statistics", g.sharing.Failures)
	return nil
}

// configureRedis has the Redis that is open go by a later configuration, and returns what
// only the next start will.
func (g *gateway) configureRedis(effective *config.Effective) (unfollowed []string) {
	cfg := effective.Config().GetRedis()
	switch {
	case cfg == nil && g.redis == nil:
		return nil
	case cfg == nil || g.redis == nil:
		return []string{"redis"}
	default:
		password, _ := effective.RedisPassword()
		return g.redis.Configure(cfg, password.Reveal())
	}
}

func (g *gateway) countRedisFailures(use string, count func() int64) {
	g.registry.MustRegister(prometheus.NewCounterFunc(prometheus.CounterOpts{
		Name: "switchyard_redis_failures_total", Help: "Commands that Redis did not answer in time, by use.",
		ConstLabels: prometheus.Labels{"use": use},
	}, func() float64 { return float64(count()) }))
}

// exchanger tells other gateways of the endpoints in the catalog alone: models that
// clients make up would fill their memory.
type exchanger struct {
	*health.Tracker
	gateway *gateway
}

// Export implements [sharing.Exchanger].
func (e exchanger) Export(now time.Time) []byte {
	models := e.gateway.current.Load().policy.Catalog
	return e.Tracker.Export(now, func(endpointID string) bool {
		_, known := models.Endpoint(endpointID)
		return known
	})
}

// share exchanges statistics with the other gateways until ctx is done.
func (g *gateway) share(ctx context.Context) {
	if g.sharing != nil {
		g.sharing.Run(ctx)
	}
}

// labels tells whose an endpoint is. Models that clients make up are not told:
// they would grow the metrics without bound.
func (g *gateway) labels(endpointID string) (model, provider string, ok bool) {
	endpoint, ok := g.current.Load().policy.Catalog.Endpoint(endpointID)
	if !ok {
		return "", "", false
	}
	return endpoint.Model.ID, endpoint.Provider.Slug, true
}

// newProber checks the providers that are to be checked. What it finds holds for
// all endpoints of the provider.
func (g *gateway) newProber() *probe.Prober {
	return probe.New(probe.Options{
		Authorize: g.authorize,
		Report: func(provider string, class health.Class) {
			now := time.Now()
			for _, model := range g.current.Load().policy.Catalog.Models() {
				for _, endpoint := range model.Endpoints {
					if endpoint.Provider.Slug == provider {
						g.health.Checked(endpoint.ID, class, now)
					}
				}
			}
		},
		Log: g.log,
	})
}

// authorize adds what proves to the provider who asks: its key, or what its signer
// makes of the request.
func (g *gateway) authorize(ctx context.Context, provider *catalog.Provider, request *http.Request) error {
	var proof []dialect.Header
	if signer := g.current.Load().policy.Signers[provider.Slug]; signer != nil {
		var err error
		if proof, err = signer.Sign(ctx, signing.Request{Headers: headersOf(request)}); err != nil {
			return err
		}
	} else if key, needed := provider.Credential.Reveal(); needed {
		proof = providers[provider.Dialect].Credential(key)
	}
	for _, h := range proof {
		request.Header.Set(h.Name, h.Value)
	}
	return nil
}

// headersOf are a request's headers as [signing.Request] has them.
func headersOf(request *http.Request) []dialect.Header {
	headers := []dialect.Header{
		{Name: ":method", Value: request.Method},
		{Name: ":scheme", Value: request.URL.Scheme},
		{Name: ":authority", Value: request.URL.Host},
		{Name: ":path", Value: request.URL.RequestURI()},
	}
	for name, values := range request.Header {
		headers = append(headers, dialect.Header{Name: strings.ToLower(name), Value: values[len(values)-1]})
	}
	return headers
}

// presetIn finds presets as the data path wants them.
func presetIn(store *preset.Store) func(key *identity.Key, slug string) (dialect.Preset, bool) {
	return func(key *identity.Key, slug string) (dialect.Preset, bool) {
		found, ok := store.Get(key.Hash, slug)
		return dialect.Preset{Config: found.Config, SystemPrompt: found.SystemPrompt}, ok
	}
}
