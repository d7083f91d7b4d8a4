package config

import (
	"strings"
	"testing"
)

// What is suspicious about limits, but no error.
func TestWarningsOfLimits(t *testing.T) {
	for name, test := range map[string]struct{ text, want string }{
		"a reset of nothing":      {"limits: {budget_reset: daily}\n", "test.yaml:2:24: limits.budget_reset: has no effect without budget"},
		"a window of nothing":     {"total_limits: {tokens_window: 1m}\n", "total_limits.tokens_window: has no effect without tokens"},
		"no account":              {"limits: {budget: 5}\nledger: {disabled: true}\n", "ledger.disabled: budgets begin anew"},
		"an account of one's own": {"limits: {budget: 5}\nredis: {address: 'redis:6379'}\n", "redis: several gateways that share budgets need one ledger.postgres"},
		"all is well":             {"limits: {budget: 5, budget_reset: monthly, tokens: 10, tokens_window: 1s, concurrency: 1}\n", ""},
		"no budget":               {"limits: {tokens: 5}\nredis: {address: 'redis:6379'}\nledger: {disabled: true}\n", ""},
	} {
		t.Run(name, func(t *testing.T) {
			got := parse(t, "providers: {openai: }\n"+test.text).Warnings().Error()
			if (got == "") != (test.want == "") || !strings.Contains(got, test.want) {
				t.Errorf("got  %s\nwant %s", got, test.want)
			}
		})
	}
}
