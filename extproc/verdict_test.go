package extproc

import (
	"testing"

	"github.com/switchyard/switchyard/policies/health"
)

func TestJudge(t *testing.T) {
	stop := map[health.Class]bool{health.RateLimited: true}
	for _, test := range []struct {
		name            string
		class           health.Class
		committed, last bool
		elsewhere       bool
		want            verdict
	}{
		{"a failure moves on while a candidate is left", health.ServerError, false, false, false, next},
		{"the last candidate's failure is final", health.ServerError, false, true, false, final},
		{"row 62: nothing moves on once the client has a byte", health.ServerError, true, false, true, inBand},
		{"row 89: a provider's 400 ends the request", health.BadRequest, false, false, false, final},
		{"row 64: unless another model is left", health.BadRequest, false, false, true, next},
		{"a class that the configuration stops on is final", health.RateLimited, false, false, true, final},
		{"even a stopping class is told in band when committed", health.RateLimited, true, false, false, inBand},
	} {
		t.Run(test.name, func(t *testing.T) {
			if got := judge(test.class, test.committed, test.last, test.elsewhere, stop); got != test.want {
				t.Errorf("judge = %v, want %v", got, test.want)
			}
		})
	}
}

func TestLocalRepliesAreClassified(t *testing.T) {
	for _, test := range []struct {
		details, transport string
		class              health.Class
		status             int
	}{
		{"no_healthy_upstream", "", health.Connect, 503},
		{"cluster_not_found", "", health.Connect, 503},
		{"upstream_reset_before_response_started{connection_failure}", "", health.Connect, 502},
		{"upstream_reset_before_response_started{remote_connection_failure}", "TLS_error:CERTIFICATE_VERIFY_FAILED", health.Connect, 502},
		{"upstream_per_try_timeout", "", health.Timeout, 504},
		{"response_timeout", "", health.Timeout, 504},
		{"upstream_reset_before_response_started{connection_termination}", "", health.Connect, 502},
	} {
		t.Run(test.details, func(t *testing.T) {
			f := localFailure(test.details, test.transport)
			if f.class != test.class || f.status != test.status || f.message == "" {
				t.Errorf("localFailure = %v %d %q, want %v %d and a message", f.class, f.status, f.message, test.class, test.status)
			}
		})
	}
}

func TestForeignPagesAreKnown(t *testing.T) {
	for origin, want := range map[string]bool{
		"": false, "http://localhost:3000": false, "http://127.0.0.1:8080": false, "http://[::1]:1": false,
		"https://evil.example": true, "null": true, "http://localhost.evil.example": true, "http://10.0.0.1": true,
	} {
		if got := fromForeignPage(origin); got != want {
			t.Errorf("fromForeignPage(%q) = %v, want %v", origin, got, want)
		}
	}
}
