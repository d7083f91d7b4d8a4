package main

import (
	"log/slog"
	"strings"

	"github.com/switchyard/switchyard/policies/config"
	"github.com/switchyard/switchyard/policies/config/configpb"
)

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
