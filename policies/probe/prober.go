// Package probe asks providers whether they are up, where that is configured: with
// a GET request now and then, beside the clients' requests.
//
// A check helps to find out that a provider is up again, or down before a client
// meets it. Most providers need none: every request is a check already.
package probe

import (
	"context"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/switchyard/switchyard/policies/catalog"
	"github.com/switchyard/switchyard/policies/health"
)

// Options of a [Prober]. All must be set.
type Options struct {
	// Authorize adds to a check's request what proves who asks. It is called for each
	// check, as what proves it may not last, and may wait no longer than ctx allows.
	Authorize func(ctx context.Context, provider *catalog.Provider, request *http.Request) error
	// Report takes in how a check went, [health.None] if well. It is called by
	// several goroutines, never after [Prober.Close] has returned.
	Report func(provider string, class health.Class)
	Log    *slog.Logger
}

// Prober runs the checks. Make one with [New], and close it.
type Prober struct {
	options Options
	running sync.WaitGroup

	mu     sync.Mutex
	checks map[string]*check // by the provider's slug
	closed bool
}

// check is the loop of one provider.
type check struct {
	interval time.Duration
	target   atomic.Pointer[target]
	stop     context.CancelFunc
}

// New returns a prober that checks no provider.
func New(options Options) *Prober {
	return &Prober{options: options, checks: make(map[string]*check)}
}

// Configure starts and stops checks, so that the providers with a
// HealthCheck.Interval are checked, and no others. Checks that go on keep their
// rhythm: a configuration that is read again and again does not put them off. A
// provider that cannot be checked is logged, and left out. After [Prober.Close] it
// does nothing.
func (p *Prober) Configure(providers []*catalog.Provider) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return
	}
	p.configure(providers)
}

// configure is [Prober.Configure] for whoever holds the lock.
func (p *Prober) configure(providers []*catalog.Provider) {
	wanted := make(map[string]bool)
	for _, provider := range providers {
		if provider.HealthCheck.Interval <= 0 {
			continue
		}
		target, err := newTarget(provider, p.options.Authorize)
		if err != nil {
			p.options.Log.Error("a provider cannot be checked", "provider", provider.Slug, "error", err)
			continue
		}
		wanted[provider.Slug] = true
		p.aim(provider, target)
	}
	for slug, check := range p.checks {
		if !wanted[slug] {
			check.stop()
			delete(p.checks, slug)
		}
	}
}

// aim points the provider's check at target, and starts it if there is none of its
// interval.
func (p *Prober) aim(provider *catalog.Provider, target *target) {
	interval := provider.HealthCheck.Interval
	if running := p.checks[provider.Slug]; running != nil {
		if running.interval == interval {
			running.target.Store(target)
			return
		}
		running.stop()
	}
	ctx, stop := context.WithCancel(context.Background())
	started := &check{interval: interval, stop: stop}
	started.target.Store(target)
	p.checks[provider.Slug] = started
	p.running.Go(func() { p.run(ctx, provider.Slug, started) })
}

// Close stops all checks, for good, and waits for them to end.
func (p *Prober) Close() {
	p.mu.Lock()
	p.configure(nil)
	p.closed = true
	p.mu.Unlock()
	p.running.Wait()
}

// run checks one provider until ctx ends. The first check comes at a random time
// within the interval, and the others a little off it, so that neither the checks of
// many providers nor those of many gateways come all at once.
func (p *Prober) run(ctx context.Context, slug string, c *check) {
	timer := time.NewTimer(rand.N(c.interval))
	defer timer.Stop()
	latest := health.None
	for {
		select {
		case <-timer.C:
		case <-ctx.Done():
			return
		}
		class, err := c.target.Load().ask(ctx)
		if ctx.Err() != nil {
			return // what failed is that nobody wants to know any more
		}
		if class != latest {
			p.log(slug, class, err)
			latest = class
		}
		p.options.Report(slug, class)
		timer.Reset(c.interval - c.interval/10 + rand.N(c.interval/5+1))
	}
}

// log tells of a change.
func (p *Prober) log(slug string, class health.Class, err error) {
	if class == health.None {
		p.options.Log.Info("the health check of a provider is well again", "provider", slug)
		return
	}
	p.options.Log.Warn("the health check of a provider failed", "provider", slug, "class", class.String(), "error", err)
}
