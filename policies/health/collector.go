package health

import (
	"slices"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// collector tells Prometheus what a tracker knows.
type collector struct {
	tracker *Tracker
	labels  func(endpointID string) (model, provider string, ok bool)

	uptime, outage, cooling, latency, throughput, errors *prometheus.Desc
}

// Collector returns the tracker's metrics. labels tells whose an endpoint is, and ok
// which are told at all: say no to ids that clients make up, or they grow the metrics
// without bound. A collection costs what [Tracker.Snapshot] does for each endpoint.
//
// Uptime, latency and throughput are over 5 minutes, as routing reads them, and of all
// instances; errors are counted by this instance alone, so that they can be summed.
func (t *Tracker) Collector(labels func(endpointID string) (model, provider string, ok bool)) prometheus.Collector {
	desc := func(name, help string, more ...string) *prometheus.Desc {
		return prometheus.NewDesc("switchyard_endpoint_"+name, help, append([]string{"endpoint", "model", "provider"}, more...), nil)
	}
	return &collector{
		tracker:    t,
		labels:     labels,
		uptime:     desc("uptime_ratio", "Share of attempts over 5 minutes that did not fail. Absent without attempts."),
		outage:     desc("outage", "1 while the endpoint mostly fails."),
		cooling:    desc("cooling_down", "1 while the endpoint stands behind the others after a failure."),
		latency:    desc("first_token_seconds", "Time to the first token over 5 minutes.", "quantile"),
		throughput: desc("tokens_per_second", "Tokens of the answer per second over 5 minutes.", "quantile"),
		errors:     desc("errors_total", "Attempts that failed.", "class"),
	}
}

// Describe implements [prometheus.Collector].
func (c *collector) Describe(out chan<- *prometheus.Desc) {
	for _, desc := range []*prometheus.Desc{c.uptime, c.outage, c.cooling, c.latency, c.throughput, c.errors} {
		out <- desc
	}
}

// Collect implements [prometheus.Collector].
func (c *collector) Collect(out chan<- prometheus.Metric) {
	now := time.Now()
	for id, e := range c.tracker.all() {
		if model, provider, ok := c.labels(id); ok {
			c.endpoint(out, e, now, id, model, provider)
		}
	}
}

func (c *collector) endpoint(out chan<- prometheus.Metric, e *endpoint, now time.Time, labels ...string) {
	gauge := func(desc *prometheus.Desc, value float64, more ...string) {
		out <- prometheus.MustNewConstMetric(desc, prometheus.GaugeValue, value, slices.Concat(labels, more)...)
	}
	quantiles := func(desc *prometheus.Desc, p Percentiles) {
		if p.Known() {
			gauge(desc, p.P50, "0.5")
			gauge(desc, p.P90, "0.9")
			gauge(desc, p.P99, "0.99")
		}
	}
	s := e.summary(now)
	if s.Requests.Last5m > 0 {
		gauge(c.uptime, s.Uptime.Last5m/100)
	}
	gauge(c.outage, oneIf(s.Outage))
	gauge(c.cooling, oneIf(!s.CoolingUntil.IsZero()))
	quantiles(c.latency, s.Latency)
	quantiles(c.throughput, s.Throughput)
	for class, count := range e.errors() {
		if count > 0 {
			out <- prometheus.MustNewConstMetric(c.errors, prometheus.CounterValue, float64(count), append(slices.Clone(labels), Class(class).String())...)
		}
	}
}

func oneIf(condition bool) float64 {
	if condition {
		return 1
	}
	return 0
}
