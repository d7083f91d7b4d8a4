package main

import (
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/switchyard/switchyard/policies/config"
)

// Known failures 57: what a reload does not change it names.
func TestSettingsOfTheStart(t *testing.T) {
	read := func(more string) *config.Effective {
		t.Helper()
		effective, err := config.Load(writeFile(t, working+more), config.Options{})
		if err != nil {
			t.Fatal(err)
		}
		return effective
	}
	readme, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	long := strings.Repeat("secret", 6)
	for more, want := range map[string][]string{
		"": nil,
		"cache: {max_size: 1MiB, redis: true}\nredis: {address: 'localhost:6379'}\n": {"cache.max_size", "cache.redis"},
		"cache: {max_size: 64MiB}\n":                                      nil, // the default
		"envoy: {path: /bin/envoy, concurrency: 3, drain_time: 1s}\n":     {"envoy.concurrency", "envoy.path"},
		"identity: {secret: {value: " + long + "}}\n":                     {"identity.secret"},
		"ledger: {disabled: true, max_journal: 1MiB}\n":                   {"ledger.disabled", "ledger.max_journal"},
		"ledger: {postgres: {value: 'postgres://db'}}\n":                  {"ledger.postgres"},
		"ledger: {retention: 1h, content_retention: 1m}\n":                nil,
		"byok: {encryption_key: {value: " + long + "}, fee_percent: 5}\n": nil,
		"telemetry: {log_format: text, log_level: debug}\n":               {"telemetry.log_format"},
	} {
		for _, name := range want {
			if !strings.Contains(string(readme), "`"+name+"`") {
				t.Errorf("README does not say that %s takes effect at a restart", name)
			}
		}
		if diff := cmp.Diff(want, atRestart(read(""), read(more))); diff != "" {
			t.Errorf("%s(-want +got):\n%s", more, diff)
		}
		if back := atRestart(read(more), read(more)); back != nil {
			t.Errorf("%s%v have changed, though nothing has", more, back)
		}
	}
}
