package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"os/signal"
	"path/filepath"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"golang.org/x/sync/errgroup"

	"github.com/switchyard/switchyard/envoy"
	"github.com/switchyard/switchyard/extproc"
	"github.com/switchyard/switchyard/extproc/dialect"
	"github.com/switchyard/switchyard/extproc/dialect/registry"
	"github.com/switchyard/switchyard/extproc/pdftext"
	"github.com/switchyard/switchyard/policies/api"
	"github.com/switchyard/switchyard/policies/cache"
	"github.com/switchyard/switchyard/policies/catalog"
	"github.com/switchyard/switchyard/policies/config"
	"github.com/switchyard/switchyard/policies/config/configpb"
	"github.com/switchyard/switchyard/policies/demo"
	"github.com/switchyard/switchyard/policies/health"
	"github.com/switchyard/switchyard/policies/identity"
	"github.com/switchyard/switchyard/policies/identity/token"
	"github.com/switchyard/switchyard/policies/preset"
	"github.com/switchyard/switchyard/policies/probe"
	"github.com/switchyard/switchyard/policies/quota"
	"github.com/switchyard/switchyard/policies/redis"
	"github.com/switchyard/switchyard/policies/routing"
	"github.com/switchyard/switchyard/policies/sharing"
	"github.com/switchyard/switchyard/policies/sticky"
	"github.com/switchyard/switchyard/xds"
)

// runOptions are the flags of `switchyard run`.
type runOptions struct {
	configPath     string
	listen         string
	envoy          string // "child" or "external"
	envoyPath      string
	runDirectory   string
	stateDirectory string
	out            io.Writer
}

// patience is how long Envoy may take to come up, and how long it may take to
// accept a new configuration.
const patience = 30 * time.Second

// gateway is the running process.
type gateway struct {
	runOptions
	log      *slog.Logger
	level    slog.LevelVar // of the log
	registry *prometheus.Registry
	sockets  envoy.Sockets
	api      string // socket
	store    *config.Store
	started  *config.Effective // the first, which holds for what is read at the start alone
	current  atomic.Pointer[generation]
	policy   atomic.Pointer[extproc.Policy] // current's, with the managed keys
	managed  managed
	tokens   *token.Verifier
	health   *health.Tracker
	presets  *preset.Store
	sticky   sticky.Store
	answers  cache.Store
	redis    *redis.Client // nil if gateways share nothing
	account  *account      // nil if none is kept
	sharing  *sharing.Loop // nil likewise
	limiter  *quota.Limiter
	prober   *probe.Prober
	xds      *xds.Server
	pushing  sync.Mutex        // held while Envoy is given a configuration
	draining []*xds.Inputs     // of configurations that were replaced, the last one first
	envoy    *envoy.Supervisor // nil if external
	demo     *demo.Servers     // nil if real providers answer
}

// run runs the gateway until ctx is done.
func run(ctx context.Context, options runOptions) error {
	if os.Getenv("GOGC") == "" {
		// Most of the heap is short-lived: collecting half as often saves a tenth of
		// the processor's time, for 7 MB at 1,000 open streams (measured).
		debug.SetGCPercent(200)
	}
	g := &gateway{runOptions: options, registry: prometheus.NewRegistry(), health: health.New(health.Options{})}
	g.registry.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	clean, err := g.directory()
	if err != nil {
		return err
	}
	defer clean()
	if err := g.load(ctx); err != nil {
		return err
	}
	// Reading the built-in catalog leaves tens of megabytes behind, which the
	// collector would not give back before the heap has doubled.
	debug.FreeOSMemory()
	defer g.prober.Close()
	if g.demo != nil {
		defer g.demo.Close()
	}
	if err := g.remember(); err != nil {
		return err
	}
	if g.redis != nil {
		defer g.redis.Close()
	}
	g.openCache()
	if err := g.openAccount(ctx); err != nil {
		return err
	}
	if g.account != nil {
		defer g.account.close()
	}
	if err := g.openIdentity(ctx); err != nil {
		return err
	}
	g.registerReloads()
	if options.envoy == "child" {
		effective := g.current.Load().effective
		binary, err := envoy.Find(ctx, cmp.Or(options.envoyPath, effective.Config().GetEnvoy().GetPath()))
		if err != nil {
			return err
		}
		g.envoy = envoy.NewSupervisor(envoy.Options{
			Binary: binary, Directory: g.runDirectory, Sockets: g.sockets,
			Concurrency: effective.Config().GetEnvoy().GetConcurrency(),
			DrainTime:   g.drainTime,
			AccessLog:   os.Stdout, Log: g.log, Registry: g.registry,
		})
	}
	return g.serve(ctx)
}

// directory makes the private directory of the sockets.
func (g *gateway) directory() (clean func(), err error) {
	clean = func() {}
	if g.runDirectory == "" {
		if g.runDirectory, err = os.MkdirTemp("", "switchyard-"); err != nil {
			return nil, err
		}
		clean = func() { _ = os.RemoveAll(g.runDirectory) }
	} else if err := os.MkdirAll(g.runDirectory, 0o700); err != nil {
		return nil, err
	} else if g.runDirectory, err = filepath.Abs(g.runDirectory); err != nil {
		return nil, err
	}
	g.sockets = socketsIn(g.runDirectory)
	g.api = filepath.Join(g.runDirectory, "api.sock")
	return clean, nil
}

func socketsIn(directory string) envoy.Sockets {
	return envoy.Sockets{
		XDS:       filepath.Join(directory, "xds.sock"),
		Processor: filepath.Join(directory, "extproc.sock"),
		Admin:     filepath.Join(directory, "admin.sock"),
	}
}

// load reads the configuration, starts the demo providers if there are no
// others, and sets up the log.
func (g *gateway) load(ctx context.Context) error {
	servers, err := demo.Start(context.WithoutCancel(ctx)) // streams of theirs drain too
	if err != nil {
		return err
	}
	overrides := &configpb.Config{}
	if g.listen != "" {
		overrides.Listener = &configpb.Listener{Address: g.listen}
	}
	if g.configPath == "" {
		key, err := localKey(g.stateDirectory)
		if err != nil {
			return err
		}
		overrides.Keys = []*configpb.Key{key}
	}
	loading := config.Options{Overrides: overrides, Fallback: servers.Config()}
	effective, err := config.Load(g.configPath, loading)
	if err != nil {
		servers.Close()
		return err
	}
	g.setLogLevel(effective.Config().GetTelemetry())
	g.log = newLog(os.Stderr, effective.Config().GetTelemetry(), &g.level)
	loading.Logger = g.log
	if effective.IsFallback() {
		g.demo = servers
	} else {
		// A later configuration without providers must not fall back to these.
		servers.Close()
		loading.Fallback = nil
	}
	if g.presets, err = preset.Open(filepath.Join(g.stateDirectory, "presets.json")); err != nil {
		servers.Close()
		return err
	}
	g.prober = g.newProber()
	g.tokens = token.New(http.DefaultClient, g.log)
	if g.store, err = config.Open(g.configPath, loading, func(effective *config.Effective) error { return g.apply(ctx, effective) }); err != nil {
		servers.Close()
		return err
	}
	return nil
}

func (g *gateway) drainTime() time.Duration {
	return g.current.Load().effective.Config().GetEnvoy().GetDrainTime().AsDuration()
}

// serve starts all parts and waits for their end. Envoy drains first: while a
// stream is left, it needs the processor.
func (g *gateway) serve(ctx context.Context) error {
	var (
		asked extproc.Ledger
		read  api.Ledger
	)
	if g.account != nil {
		asked, read = g.account, g.account.generations
	}
	g.limiter = g.newLimiter()
	handler := extproc.NewServer(extproc.Options{
		Policy:    g.policy.Load,
		Ledger:    asked,
		Clients:   clients,
		Providers: providers,
		Health:    g.health,
		Limits:    g.limiter,
		Sticky:    g.sticky,
		Cache:     g.answers,
		Preset:    presetIn(g.presets),
		PDF:       pdftext.New(filepath.Join(g.stateDirectory, "pdf")),
		Registry:  g.registry,
		Log:       g.log,
	})
	processor := extproc.NewGRPCServer(handler)
	g.xds = xds.NewServer(g.log, g.registry)
	apiServer := &http.Server{
		Handler: api.New(api.Options{
			CountTokens: countTokens,
			CheckPreset: func(api string, config jsontext.Value, systemPrompt string) error {
				return checkPreset(api, dialect.Preset{Config: config, SystemPrompt: systemPrompt})
			},

			Catalog:    func() *catalog.Catalog { return g.current.Load().policy.Catalog },
			Keys:       func() *identity.Keyring { return g.policy.Load().Keys },
			Checks:     g.checks,
			Gatherer:   g.registry,
			Presets:    g.presets,
			Identity:   g.managed.api(),
			Ledger:     read,
			KeyLimits:  g.keyLimits(g.limiter),
			FreeDaily:  g.freeDaily(g.limiter),
			Routers:    routing.Routers(),
			Eligible:   g.eligible,
			Statistics: g.statistics,
			Logger:     g.log,

			InferencePaths: g.current.Load().inputs.InferencePaths,
			ErrorBody:      registry.ErrorBody,
		}),
		ReadHeaderTimeout: 10 * time.Second,
	}
	listeners := make(map[string]*handover)
	for _, path := range []string{g.sockets.XDS, g.sockets.Processor, g.api} {
		listener, err := listen(path)
		if err != nil {
			return err
		}
		defer listener.Close()
		listeners[path] = listener
	}

	// The servers outlive ctx: streams in flight are still to be finished.
	serving, stop := context.WithCancel(context.WithoutCancel(ctx))
	defer stop()
	group, failing := errgroup.WithContext(ctx)
	group.Go(func() error { return g.xds.Serve(serving, listeners[g.sockets.XDS]) })
	group.Go(func() error { return processor.Serve(listeners[g.sockets.Processor]) })
	group.Go(func() error {
		if err := apiServer.Serve(listeners[g.api]); !errors.Is(err, http.ErrServerClosed) {
			return err
		}
		return nil
	})
	if _, err := g.xds.Update(ctx, g.current.Load().inputs); err != nil {
		return err
	}
	if g.account != nil {
		group.Go(func() error { g.account.run(serving, g); return nil })
		group.Go(func() error { g.managed.watcher.Run(serving); return nil })
		group.Go(func() error { g.meterOwnKeys(serving); return nil })
	}
	group.Go(func() error { g.tokens.Run(serving); return nil })
	group.Go(func() error { return g.reload(failing) })
	group.Go(func() error { g.share(failing); return nil })
	group.Go(func() error { g.limiter.Run(serving); return nil })
	group.Go(func() error { g.sweepCache(serving); return nil })
	group.Go(func() error { return g.announce(failing) })
	group.Go(func() error {
		// However it ends, with ctx or with a failure, the rest ends in order.
		defer stop()
		defer apiServer.Close()
		defer func() {
			stopGracefully(processor, g.drainTime())
			handler.Flush()
		}()
		if g.envoy != nil {
			return g.envoy.Run(failing)
		}
		<-failing.Done()
		return nil
	})
	if err := group.Wait(); err != nil && !errors.Is(err, context.Canceled) {
		return err
	}
	g.log.Info("stopped")
	return nil
}

// reload reads the configuration again when its file changes, and on SIGHUP.
func (g *gateway) reload(ctx context.Context) error {
	hangup := make(chan os.Signal, 1)
	signal.Notify(hangup, syscall.SIGHUP)
	defer signal.Stop(hangup)
	// What a reload needs goes when this returns: a late one is waited for.
	ctx, stop := context.WithCancel(ctx)
	var late sync.WaitGroup
	defer late.Wait()
	defer stop()
	late.Go(func() {
		for {
			select {
			case <-ctx.Done():
				return
			case <-hangup:
				_ = g.store.Reload() // the store logs and keeps what is wrong
			}
		}
	})
	return g.store.Watch(ctx)
}

// apply puts a configuration to use: first its clusters, then the plans that
// name them. One that is wrong, or that Envoy refuses, changes nothing.
func (g *gateway) apply(ctx context.Context, effective *config.Effective) error {
	next, err := newGeneration(effective, g.api)
	if err != nil {
		return err
	}
	old := g.current.Load()
	if old == nil { // the first: serve pushes it when there is a server
		g.started = effective
		return g.use(next)
	}
	g.pushing.Lock()
	defer g.pushing.Unlock()
	version, err := g.push(ctx, next.inputs.Keeping(old.inputs))
	if err != nil {
		return err
	}
	waiting, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	if err = g.xds.WaitAcked(waiting, version); err == nil {
		err = g.use(next)
	}
	if err != nil {
		// The plans stay, and so must the clusters that they name.
		if _, back := g.push(context.WithoutCancel(ctx), old.inputs); back != nil {
			g.log.Error("the last configuration cannot be served again", "error", back.Error())
		}
		return err
	}
	g.follow(old.effective, next.effective)
	if !quota.SameBudgets(old.effective.Config(), next.effective.Config()) {
		g.limiter.Recheck()
	}
	g.drain(context.WithoutCancel(ctx), old)
	return nil
}

// registerReloads shows in a metric what /health says of reloads.
func (g *gateway) registerReloads() {
	counter := func(name, help string, value func(config.State) uint64) {
		g.registry.MustRegister(prometheus.NewCounterFunc(prometheus.CounterOpts{Name: "switchyard_config_" + name, Help: help},
			func() float64 { return float64(value(g.store.State())) }))
	}
	counter("reloads_total", "Configurations that replaced another.", func(s config.State) uint64 { return s.Reloads })
	g.registry.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "switchyard_config_reload_seconds", Help: "From reading the last changed configuration to having it in use, Envoy's answer included.",
	}, func() float64 { return g.store.State().Took.Seconds() }))
	counter("reload_failures_total", "Configurations that were refused.", func(s config.State) uint64 { return s.Failures })
}

// announce tells when the gateway is ready, and how to use it.
func (g *gateway) announce(ctx context.Context) error {
	current := g.current.Load()
	waiting, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	snapshot, err := xds.Build(current.inputs)
	if err != nil {
		return err
	}
	if g.envoy == nil {
		fmt.Fprintf(g.out, "Waiting for your Envoy; its bootstrap: switchyard envoy bootstrap --run-dir %s\n", g.runDirectory)
		waiting = ctx
	}
	err = g.xds.WaitAcked(waiting, snapshot.Version())
	for errors.Is(err, xds.ErrSuperseded) { // reloaded before the first Envoy came
		err = g.xds.WaitAcked(waiting, g.xds.Status().Version)
	}
	if err != nil {
		if ctx.Err() != nil {
			return nil
		}
		return fmt.Errorf("envoy does not take its configuration: %w", err)
	}
	for g.envoy != nil {
		if err := g.envoy.Ready(waiting); err == nil {
			break
		}
		select {
		case <-waiting.Done():
			return nil
		case <-time.After(5 * time.Millisecond):
		}
	}
	printWelcome(g.out, current, g.demo != nil, g.configPath, g.stateDirectory)
	g.log.Info("ready", "address", current.effective.Config().GetListener().GetAddress(), "generation", current.effective.Generation())
	return nil
}
