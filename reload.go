package main

import (
	"context"
	"log/slog"
	"slices"
	"strings"
	"time"

	"github.com/switchyard/switchyard/policies/config"
	"github.com/switchyard/switchyard/policies/config/configpb"
	"github.com/switchyard/switchyard/xds"
)

// push has Envoy serve the inputs, and the clusters of configurations that drain beside
// them. The caller holds pushing.
func (g *gateway) push(ctx context.Context, in xds.Inputs) (version string, err error) {
	for _, replaced := range g.draining {
		in = in.Keeping(*replaced)
	}
	return g.xds.Update(ctx, in)
}

// drain keeps the clusters of a configuration that was replaced for the drain time:
// requests that came before may still name them. The caller holds pushing.
func (g *gateway) drain(ctx context.Context, replaced *generation) {
	inputs := replaced.inputs // and no more of it: a catalog is large
	g.draining = slices.Insert(g.draining, 0, &inputs)
	time.AfterFunc(g.drainTime(), func() {
		g.pushing.Lock()
		defer g.pushing.Unlock()
		g.draining = slices.DeleteFunc(g.draining, func(each *xds.Inputs) bool { return each == &inputs })
		if _, err := g.push(ctx, g.current.Load().inputs); err != nil {
			g.log.Error("old clusters cannot be removed", "error", err.Error())
		}
	})
}

// follow has what was opened at the start go by a configuration that has come after old,
// and names what only the next start will.
func (g *gateway) follow(old, next *config.Effective) {
	if g.account != nil {
		g.configureOwnKeys(old, next)
		g.account.reconfigured()
	}
	if unfollowed := append(g.configureRedis(next), atRestart(g.started, next)...); len(unfollowed) > 0 {
		g.log.Warn("settings have changed that take effect at a restart", "settings", strings.Join(unfollowed, ", "))
	}
}

// atRestart names the settings in which next differs from what the gateway has started
// with, and which it reads at no other time. Those of Redis are not among them: see
// [gateway.configureRedis].
func atRestart(started, next *config.Effective) (names []string) {
	was, is := started.Config(), next.Config()
	postgresWas, _ := started.LedgerPostgres()
	postgresIs, _ := next.LedgerPostgres()
	identityWas, _ := started.IdentitySecret()
	identityIs, _ := next.IdentitySecret()
	for _, setting := range []struct {
		name    string
		changed bool
	}{
		{"cache.max_size", started.MaxCacheSize() != next.MaxCacheSize()},
		{"cache.redis", was.GetCache().GetRedis() != is.GetCache().GetRedis()},
		{"envoy.concurrency", was.GetEnvoy().GetConcurrency() != is.GetEnvoy().GetConcurrency()},
		{"envoy.path", was.GetEnvoy().GetPath() != is.GetEnvoy().GetPath()},
		{"identity.secret", identityWas != identityIs},
		{"ledger.disabled", was.GetLedger().GetDisabled() != is.GetLedger().GetDisabled()},
		{"ledger.max_journal", started.MaxJournal() != next.MaxJournal()},
		{"ledger.postgres", postgresWas != postgresIs},
		{"telemetry.log_format", was.GetTelemetry().GetLogFormat() != is.GetTelemetry().GetLogFormat()},
	} {
		if setting.changed {
			names = append(names, setting.name)
		}
	}
	return names
}

// setLogLevel is at once: what a reload itself logs is of the new level.
func (g *gateway) setLogLevel(telemetry *configpb.Telemetry) {
	var level slog.Level
	// The configuration's levels are slog's own names, and checked.
	_ = level.UnmarshalText([]byte(telemetry.GetLogLevel()))
	g.level.Set(level)
}
