package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/switchyard/switchyard/e2e/gateway"
	"github.com/switchyard/switchyard/policies/catalog"
	"github.com/switchyard/switchyard/policies/config/configpb"
	"github.com/switchyard/switchyard/policies/health"
	"github.com/switchyard/switchyard/policies/money"
	"github.com/switchyard/switchyard/policies/routing"
)

// The catalog that the gateway is measured with.
const (
	scaleModels    = 1000
	scaleEndpoints = 5
	scaleProviders = 60
)

// scale is what a large catalog costs.
type scale struct {
	plans  []planCost
	reload time.Duration
	pushed []push
}

// slowestPlan is in microseconds.
func (s *scale) slowestPlan() float64 {
	slowest := 0.0
	for _, p := range s.plans {
		slowest = max(slowest, microseconds(p.large))
	}
	return slowest
}

// planCost is the cost of planning one request.
type planCost struct {
	name              string
	small, large      testing.BenchmarkResult // with a hundredth of the models, and with all
	allocated, growth int64                   // bytes of large, and how many more than small
}

// push is what one change of the configuration sends to Envoy.
type push struct {
	change  string
	of      float64 // clusters in all
	sent    float64 // resources
	removed float64
}

// measureScale plans in this process, and reloads a gateway of its own.
func measureScale(ctx context.Context, binary, envoy, directory string) (*scale, error) {
	result := &scale{}
	var err error
	if result.plans, err = planCosts(); err != nil {
		return nil, err
	}
	own := filepath.Join(directory, "scale")
	if err := os.Mkdir(own, 0o700); err != nil {
		return nil, err
	}
	running, err := gateway.Start(ctx, gateway.Options{
		Binary: binary, Directory: own, Config: withEnvoy(scaleSettings("https://10.255.255.1/v1", "1"), envoy),
		Patience: time.Minute,
	})
	if err != nil {
		return nil, err
	}
	defer running.Kill()
	for _, change := range []struct {
		name string
		to   settings
	}{
		{"one price", withEnvoy(scaleSettings("https://10.255.255.1/v1", "2"), envoy)},
		{"one provider's address", withEnvoy(scaleSettings("https://10.255.255.2/v1", "2"), envoy)},
	} {
		pushed, took, err := reload(ctx, running, change.to)
		if err != nil {
			return nil, fmt.Errorf("change of %s: %w", change.name, err)
		}
		pushed.change = change.name
		result.pushed = append(result.pushed, pushed)
		result.reload = max(result.reload, took)
	}
	return result, running.Stop()
}

// planCosts measures plans in this process: a plan touches no Envoy.
func planCosts() ([]planCost, error) {
	small, err := scaleCatalog(scaleModels / 100)
	if err != nil {
		return nil, err
	}
	large, err := scaleCatalog(scaleModels)
	if err != nil {
		return nil, err
	}
	view := health.New(health.Options{})
	bound := money.USD(100 * money.Dollar / 1_000_000)
	requests := []struct {
		name    string
		request routing.Request
	}{
		{"a model", routing.Request{Model: "bench/model-7"}},
		{"three models, preferences of every kind", routing.Request{
			Model: "bench/model-7", Models: []string{"bench/model-8", "bench/model-9"},
			Tools: true, MaxTokens: 100, PromptTokens: 1000, Parameters: []string{"max_tokens", "temperature", "tools"},
			Preferences: routing.Preferences{
				Constraints: routing.Constraints{
					Ignore: []string{"bench-59"}, DenyDataCollection: true,
					MaxPrice: routing.MaxPrice{Prompt: &bound, Completion: &bound},
				},
				Order: []string{"bench-3"}, RequireParameters: true, MaxLatency: routing.Thresholds{P50: 1},
			},
		}},
		{"openrouter/auto", routing.Request{Model: "openrouter/auto"}},
	}
	var costs []planCost
	for _, r := range requests {
		measure := func(models *catalog.Catalog) testing.BenchmarkResult {
			return testing.Benchmark(func(b *testing.B) {
				b.ReportAllocs()
				for b.Loop() {
					r.request.Seed++
					r.request.Now = time.Now()
					if _, err := routing.Build(r.request, models, view, routing.Options{}); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
		cost := planCost{name: r.name, small: measure(small), large: measure(large)}
		if cost.large.N == 0 {
			return nil, fmt.Errorf("plan of %s: it failed", r.name)
		}
		cost.allocated = cost.large.AllocedBytesPerOp()
		cost.growth = cost.allocated - cost.small.AllocedBytesPerOp()
		costs = append(costs, cost)
	}
	return costs, nil
}

func scaleCatalog(models int) (*catalog.Catalog, error) {
	cfg := &configpb.Config{Providers: map[string]*configpb.Provider{}, Models: map[string]*configpb.Model{}}
	for i := range scaleProviders {
		cfg.Providers[providerName(i)] = &configpb.Provider{
			Dialect: configpb.Dialect_DIALECT_OPENAI, BaseUrl: "https://10.255.255.1/v1",
			DataPolicy: &configpb.DataPolicy{NoTraining: true, NoRetention: true},
		}
	}
	for i := range models {
		model := &configpb.Model{ContextLength: 128_000}
		for j := range scaleEndpoints {
			model.Endpoints = append(model.Endpoints, &configpb.Endpoint{
				Provider: providerName(i*7 + j), Prices: &configpb.Prices{Prompt: price(i, j), Completion: price(i, j)},
			})
		}
		cfg.Models[fmt.Sprintf("bench/model-%d", i)] = model
	}
	return catalog.New(cfg, func(string) (string, bool) { return "", false })
}

func providerName(i int) string { return fmt.Sprintf("bench-%d", i%scaleProviders) }

func price(model, endpoint int) string { return fmt.Sprintf("%d.%d", 1+model%9, endpoint) }

// scaleSettings is the same catalog as a configuration file.
func scaleSettings(address, firstPrice string) settings {
	providers, models := settings{}, settings{}
	for i := range scaleProviders {
		providers[providerName(i)] = settings{"dialect": "openai", "base_url": "https://10.255.255.1/v1", "credential": settings{"value": "sk-provider"}}
	}
	providers[providerName(0)].(settings)["base_url"] = address
	for i := range scaleModels {
		endpoints := make([]any, scaleEndpoints)
		for j := range scaleEndpoints {
			endpoints[j] = settings{"provider": providerName(i*7 + j), "prices": settings{"prompt": price(i, j), "completion": price(i, j)}}
		}
		models[fmt.Sprintf("bench/model-%d", i)] = settings{"context_length": 128_000, "endpoints": endpoints}
	}
	models["bench/model-0"].(settings)["endpoints"].([]any)[0].(settings)["prices"] = settings{"prompt": firstPrice}
	return settings{"models_from_presets": "none", "providers": providers, "models": models}
}

func withEnvoy(config settings, path string) settings {
	config["envoy"] = settings{"path": path}
	return config
}

// reload changes the configuration of a running gateway and returns what went to
// its Envoy, and how long the gateway took from reading the file to using it.
func reload(ctx context.Context, running *gateway.Gateway, config settings) (push, time.Duration, error) {
	var failure error
	metric := func(name string, labels ...string) float64 {
		value, err := running.Metric(name, labels...)
		if err != nil {
			failure = err
		}
		return value
	}
	sentBefore, removedBefore := metric("switchyard_xds_pushed_resources_total", `change="sent"`), metric("switchyard_xds_pushed_resources_total", `change="removed"`)
	reloads := metric("switchyard_config_reloads_total")
	config["listener"] = settings{"address": strings.TrimPrefix(running.URL, "http://")}
	if err := running.WriteConfig(config); err != nil {
		return push{}, 0, err
	}
	for failure == nil && metric("switchyard_config_reloads_total") == reloads {
		select {
		case <-ctx.Done():
			return push{}, 0, ctx.Err()
		case <-time.After(20 * time.Millisecond):
		}
	}
	took := time.Duration(metric("switchyard_config_reload_seconds") * float64(time.Second))
	return push{
		of:      scaleProviders,
		sent:    metric("switchyard_xds_pushed_resources_total", `change="sent"`) - sentBefore,
		removed: metric("switchyard_xds_pushed_resources_total", `change="removed"`) - removedBefore,
	}, took, failure
}

// markdown is the report's section on large catalogs.
func (s *scale) markdown(out *strings.Builder) {
	fmt.Fprintf(out, "\n## A catalog of %d models × %d endpoints at %d providers\n\n", scaleModels, scaleEndpoints, scaleProviders)
	fmt.Fprintf(out, "| planning a request for | µs | µs with %d models | bytes | bytes more than with %d models |\n|---|---:|---:|---:|---:|\n", scaleModels/100, scaleModels/100)
	for _, p := range s.plans {
		fmt.Fprintf(out, "| %s | %s | %s | %d | %d |\n", p.name, number(microseconds(p.large)), number(microseconds(p.small)), p.allocated, p.growth)
	}
	fmt.Fprintf(out, "\nFrom reading a changed configuration to using it: %.0f ms, Envoy's answer included.\n", s.reload.Seconds()*1e3)
	fmt.Fprint(out, "\n| what changed | clusters in all | resources sent to Envoy | removed |\n|---|---:|---:|---:|\n")
	for _, p := range s.pushed {
		fmt.Fprintf(out, "| %s | %.0f | %.0f | %.0f |\n", p.change, p.of, p.sent, p.removed)
	}
}

func microseconds(r testing.BenchmarkResult) float64 {
	return float64(r.T.Nanoseconds()) / float64(r.N) / 1e3
}
