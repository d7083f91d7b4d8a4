package main

import (
	"time"

	"github.com/switchyard/switchyard/policies/api"
	"github.com/switchyard/switchyard/policies/catalog"
	"github.com/switchyard/switchyard/policies/health"
	"github.com/switchyard/switchyard/policies/identity"
	"github.com/switchyard/switchyard/policies/routing"
)

// eligible tells whether a key may use an endpoint.
func (g *gateway) eligible(key *identity.Key, endpoint *catalog.Endpoint) bool {
	policy := g.policy.Load()
	return routing.Admits(append(policy.Constraints(key), policy.GuardOf(key).Constraints...), endpoint)
}

// statistics are an endpoint's as the API shows them.
func (g *gateway) statistics(endpointID string) api.Statistics {
	now := time.Now()
	known := g.health.Snapshot(endpointID, now)
	uptime := func(percent float64, requests int64) *float64 {
		if requests == 0 {
			return nil
		}
		return &percent
	}
	shown := api.Statistics{
		Uptime5m:   uptime(known.Uptime.Last5m, known.Requests.Last5m),
		Uptime30m:  uptime(known.Uptime.Last30m, known.Requests.Last30m),
		Uptime1d:   uptime(known.Uptime.Last1d, known.Requests.Last1d),
		Latency:    percentiles(known.Latency30m, 1000), // milliseconds
		Throughput: percentiles(known.Throughput30m, 1),
	}
	if known.ToolCalls > 0 {
		shown.ToolSuccess = &known.ToolSuccess
	}
	switch {
	case known.Outage || known.CoolingUntil.After(now) && known.Class != health.RateLimited:
		shown.Status = api.StatusDown
	case known.HalfOpen || known.CoolingUntil.After(now):
		shown.Status = api.StatusDegraded
	}
	return shown
}

func percentiles(p health.Percentiles, scale float64) *api.Percentiles {
	if !p.Known() {
		return nil
	}
	return &api.Percentiles{P50: p.P50 * scale, P75: p.P75 * scale, P90: p.P90 * scale, P99: p.P99 * scale}
}
