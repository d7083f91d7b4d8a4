package api

// Statistics are what the API tells of an endpoint's past. Nil is unknown.
type Statistics struct {
	// Uptimes are the share of attempts that did not fail, in percent.
	Uptime5m, Uptime30m, Uptime1d *float64
	// Latency is the time to the first token in milliseconds, Throughput tokens of
	// the answer per second.
	Latency, Throughput *Percentiles
	// ToolSuccess is the share of tool calls with arguments that the tool's schema
	// takes, from 0 to 1.
	ToolSuccess *float64
	Status      Status
}

// Percentiles of a distribution.
type Percentiles struct {
	P50 float64 `json:"p50"`
	P75 float64 `json:"p75"`
	P90 float64 `json:"p90"`
	P99 float64 `json:"p99"`
}

// Status is the state of an endpoint as OpenRouter numbers it. What its numbers below
// -2 mean is not documented, and the gateway has no use for them.
type Status int

// The states of an endpoint.
const (
	StatusOK Status = 0
	// StatusDegraded: the endpoint is tried after those that are well.
	StatusDegraded Status = -1
	// StatusDown: the endpoint is cooling down or mostly fails, and is tried last if
	// at all.
	StatusDown Status = -2
)
