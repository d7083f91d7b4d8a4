package extproc

import (
	"strings"
	"testing"
	"time"

	"github.com/switchyard/switchyard/extproc/dialect"
	"github.com/switchyard/switchyard/policies/catalog"
	"github.com/switchyard/switchyard/policies/config/configpb"
	"github.com/switchyard/switchyard/policies/health"
	"github.com/switchyard/switchyard/policies/routing"
)

func TestRetryAfterHints(t *testing.T) {
	now := time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC)
	for _, test := range []struct {
		name    string
		headers map[string]string
		want    time.Duration
	}{
		{"seconds", map[string]string{"retry-after": "7"}, 7 * time.Second},
		{"a date", map[string]string{"retry-after": "Sun, 01 Nov 2026 12:00:30 GMT"}, 30 * time.Second},
		{"a date that has passed", map[string]string{"retry-after": "Sun, 01 Nov 2026 11:00:00 GMT"}, 0},
		{"milliseconds win", map[string]string{"retry-after": "7", "retry-after-ms": "1500"}, 1500 * time.Millisecond},
		{"nonsense", map[string]string{"retry-after": "soon"}, 0},
		{"negative", map[string]string{"retry-after": "-5"}, 0},
		{"longer than a day", map[string]string{"retry-after": "99999999"}, 24 * time.Hour},
		{"none", nil, 0},
	} {
		t.Run(test.name, func(t *testing.T) {
			if got := retryAfter(test.headers, now); got != test.want {
				t.Errorf("retryAfter = %v, want %v", got, test.want)
			}
		})
	}
}

// failedAttempt is an attempt at a request whose earlier attempts failed so.
func failedAttempt(failures ...*failure) *attempt {
	a := &attempt{request: &dialect.Request{Model: "m/x"}, shared: newRequests().enter("id", 1)}
	for i, f := range failures {
		name := string(rune('A' + i))
		a.shared.remember(routing.Candidate{
			Model:    &catalog.Model{ID: "m/x"},
			Endpoint: &catalog.Endpoint{Provider: &catalog.Provider{Name: name, Slug: strings.ToLower(name)}},
		}, f)
	}
	return a
}

func TestRow68AllFail(t *testing.T) {
	told := failedAttempt(
		&failure{class: health.ServerError, status: 503, message: "first"},
		&failure{class: health.ServerError, status: 503, message: "second"},
	).failed()
	if told.Status != 503 || told.Availability.Code != "temporarily_unavailable" || !told.Availability.Retryable {
		t.Errorf("status %d, availability %+v", told.Status, told.Availability)
	}
	if previous := told.Metadata["previous_errors"].([]previousError); len(previous) != 1 || previous[0].Provider != "A" || previous[0].Code != 503 {
		t.Errorf("previous_errors = %+v", previous)
	}
}

func TestRow69AllRateLimited(t *testing.T) {
	told := failedAttempt(
		&failure{class: health.RateLimited, status: 429, message: "slow", retryAfter: 7 * time.Second},
		&failure{class: health.RateLimited, status: 429, message: "slower", retryAfter: 3 * time.Second},
	).failed()
	if told.Status != 429 || told.Availability.Code != "capacity_exhausted" || told.Availability.RetryAfter != 3 {
		t.Errorf("status %d, availability %+v", told.Status, told.Availability)
	}
	if headers := retryHeaders(told); len(headers) != 1 || headers[0].Value != "3" {
		t.Errorf("headers = %+v", headers)
	}
}

// The spec is of two minds; the shortest hint of those that gave one is true enough
// for a client that wants to come back.
func TestRow70ShortestHintOfThoseGiven(t *testing.T) {
	for _, test := range []struct {
		hints []time.Duration
		want  int64
	}{
		{[]time.Duration{0, 7 * time.Second}, 7}, {[]time.Duration{9 * time.Second, 0, 4 * time.Second}, 4}, {[]time.Duration{0, 0}, 0},
	} {
		var failures []*failure
		for _, hint := range test.hints {
			failures = append(failures, &failure{class: health.RateLimited, status: 429, message: "slow", retryAfter: hint})
		}
		told := failedAttempt(failures...).failed()
		if got := told.Availability.RetryAfter; got != test.want {
			t.Errorf("hints %v: retry after %d, want %d", test.hints, got, test.want)
		}
		if headers := retryHeaders(told); (len(headers) > 0) != (test.want > 0) {
			t.Errorf("hints %v: headers %v", test.hints, headers)
		}
	}
}

func TestStatusBeyondHTTPIsNotPassedOn(t *testing.T) {
	if told := failedAttempt(&failure{class: health.ServerError, status: 600, message: "odd"}).failed(); told.Status != 502 {
		t.Errorf("status %d, want 502", told.Status)
	}
}

func TestProvidersRefusalOfOurCredentialIsNotTheClients(t *testing.T) {
	told := failedAttempt(&failure{class: health.Authentication, status: 401, message: "Incorrect API key provided: sk-abc", raw: "sk-abc"}).failed()
	if told.Status != 502 {
		t.Errorf("status = %d, want 502", told.Status)
	}
	if strings.Contains(told.Message, "sk-abc") || told.Metadata["raw"] != nil {
		t.Errorf("the provider's words about the gateway's key are shown: %q %v", told.Message, told.Metadata)
	}
}

// AWS quotes the id of a key that it does not know, and a proxy may quote the rest.
func TestPartsOfAnAWSCredentialAreHidden(t *testing.T) {
	provider := &catalog.Provider{
		Authentication: configpb.Authentication_AUTHENTICATION_AWS, Credential: catalog.NewCredential("AKIDEXAMPLE:very-secret:session"),
	}
	a := &attempt{candidate: routing.Candidate{Endpoint: &catalog.Endpoint{Provider: provider}}}
	got := a.withoutCredential(&failure{message: "AKIDEXAMPLE is unknown", code: "very-secret", raw: "session, not: a word"})
	if got.message != "[redacted] is unknown" || got.code != "[redacted]" || got.raw != "[redacted], not: a word" {
		t.Errorf("%+v", got)
	}
}
