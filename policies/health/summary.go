package health

import "time"

// Summary is what is known of an endpoint at a time. The zero value is an endpoint
// of which nothing is known: it counts as healthy.
type Summary struct {
	// CoolingUntil is the end of the cool-down, zero if there is none, and Class the
	// failure that it follows, [None] likewise. A class of [RateLimited] is an endpoint
	// that is up but busy.
	CoolingUntil time.Time
	Class        Class
	// HalfOpen: the cool-down is over and no attempt has succeeded since. One request
	// at a time tries the endpoint, see [Tracker.Probe]. Where nobody does, half-open
	// lasts to the end of the outage window after the failure, and at least as long as
	// the cool-down did, but no longer than the longest one.
	HalfOpen bool
	// Outage: of the attempts in the outage window at least a quarter failed, and at
	// least one (spec section 2.2).
	Outage bool
	// Uptime is the share of attempts that did not fail over 5 minutes, 30 minutes and
	// a day, in percent; Requests are how many those were. An uptime without requests
	// means nothing.
	Uptime   Windows[float64]
	Requests Windows[int64]
	// Latency is the time to the first token in seconds, Throughput tokens of the
	// answer per second, both over 5 minutes.
	Latency, Throughput Percentiles
	// ToolCalls were made over 2 hours, of which the share ToolSuccess, from 0 to 1,
	// had arguments that the tool's schema takes.
	ToolCalls   int64
	ToolSuccess float64
}

// Windows holds one figure for each span of time that statistics are kept for.
type Windows[T any] struct{ Last5m, Last30m, Last1d T }

// Percentiles of a distribution. The zero value is unknown.
type Percentiles struct{ P50, P75, P90, P99 float64 }

// Known reports whether there is anything to tell.
func (p Percentiles) Known() bool { return p != Percentiles{} }

// Sample is what one attempt tells of its endpoint.
type Sample struct {
	EndpointID string
	// Class is how the attempt failed, [None] if it did not.
	Class Class
	// Status is the HTTP status of the failure, zero if it has none. A provider that
	// answers 403 refuses, but is up.
	Status int
	// RetryAfter is what the provider asked for, zero if nothing.
	RetryAfter time.Duration
	// FirstToken is the time from the request to the first token, Duration that to
	// the end of the answer. Zero is unknown.
	FirstToken, Duration time.Duration
	// CompletionTokens is the size of the answer; zero is unknown.
	CompletionTokens int64
	// ToolCalls are the calls in the answer, InvalidToolCalls those of them whose
	// arguments the tool's schema does not take.
	ToolCalls, InvalidToolCalls int64
	// Now is when the attempt ended.
	Now time.Time
}
