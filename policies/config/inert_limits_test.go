package config

import (
	"strings"
	"testing"
)

// known-failures 22 and 17: a limit that would not be kept is told when the
// configuration is read: a name that nobody reads, a place where none is looked for, and
// a setting whose other half is missing.
func TestLimitsThatWouldDoNothingAreTold(t *testing.T) {
	const key = "keys: [{name: a, hash: " + "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef" + ", limits: "
	for name, test := range map[string]struct{ text, refused, warned string }{
		"another product's name":   {"limits: {rpm_limit: 5}\n", "rpm_limit", ""},
		"a budget's older name":    {"limits: {max_budget: 5}\n", "max_budget", ""},
		"a budget of a key itself": {key + "{}, budget: 5}]\n", "budget", ""},
		"limits beside the key":    {"budgets: {a: 5}\n", "budgets", ""},
		"a window by another name": {"limits: {requests: 5, period: 1m}\n", "period", ""},
		"no number":                {"limits: {requests: many}\n", "limits.requests", ""},
		"less than nothing":        {"limits: {concurrency: -1}\n", "limits.concurrency", ""},
		"a budget of nothing":      {"limits: {budget: 0}\n", "must be more than 0", ""},
		"none, and some":           {"limits: {unlimited: true, requests: 5}\n", "contradicts requests", ""},
		"users of all":             {"total_limits: {per_user: {requests: 5}}\n", "belongs to the limits of keys", ""},
		"closed without Redis":     {"limits: {requests: 5, on_redis_failure: closed}\n", "", "limits.on_redis_failure: has no effect without redis"},
		"a key's, without Redis":   {key + "{requests: 5, on_redis_failure: open}}]\n", "", "keys[0].limits.on_redis_failure: has no effect without redis"},
		"with Redis":               {"limits: {requests: 5, on_redis_failure: closed}\nredis: {address: 'redis:6379'}\n", "", ""},
		"nothing said of it":       {"limits: {requests: 5}\n" + key + "{requests: 5}}]\n", "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			snapshot, err := Parse("test.yaml", []byte("providers: {openai: }\n"+test.text), world())
			if (err != nil) != (test.refused != "") || err != nil && !strings.Contains(err.Error(), test.refused) {
				t.Fatalf("error %v, want %q", err, test.refused)
			}
			if err != nil {
				return
			}
			if got := snapshot.Warnings().Error(); (got == "") != (test.warned == "") || !strings.Contains(got, test.warned) {
				t.Errorf("warned %q, want %q", got, test.warned)
			}
		})
	}
}
