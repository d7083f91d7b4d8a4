package extproc

import "github.com/prometheus/client_golang/prometheus"

// metrics of the data path. Labels come from the configuration only, never from
// what a client sends: their number is bounded.
type metrics struct {
	requests, attempts, failovers, settled, tokens, cost, denials, guarded, caching, noRoom *prometheus.CounterVec
	firstToken, phases                                                                      *prometheus.HistogramVec
	panics                                                                                  prometheus.Counter
}

func newMetrics(registry prometheus.Registerer) *metrics {
	counter := func(name, help string, labels ...string) *prometheus.CounterVec {
		vec := prometheus.NewCounterVec(prometheus.CounterOpts{Name: "switchyard_" + name, Help: help}, labels)
		registry.MustRegister(vec)
		return vec
	}
	histogram := func(name, help string, buckets []float64, labels ...string) *prometheus.HistogramVec {
		vec := prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: "switchyard_" + name, Help: help, Buckets: buckets}, labels)
		registry.MustRegister(vec)
		return vec
	}
	m := &metrics{
		requests:  counter("requests_total", "Client requests by how they ended.", "model", "outcome"),
		attempts:  counter("attempts_total", "Attempts at providers by how they ended.", "model", "provider", "outcome"),
		failovers: counter("failovers_total", "Attempts that moved on to the next candidate, by reason.", "provider", "reason"),
		settled:   counter("settled_total", "Attempts that were charged, by how they ended.", "model", "provider", "outcome"),
		tokens:    counter("tokens_total", "Tokens as providers bill them, by class.", "model", "provider", "class"),
		cost:      counter("cost_usd_total", "What the tokens cost, in US dollars.", "model", "provider"),
		denials:   counter("limit_denials_total", "Requests that a limit refused, and candidates that one passed over, by whose limit and of what.", "scope", "measure"),
		guarded:   counter("guardrail_matches_total", "What content rules found, by guardrail, by what became of it, and where: input or output.", "guardrail", "action", "direction"),
		caching:   counter("cache_requests_total", "Requests that asked for the cache, by what it had for them.", "result"),
		noRoom:    counter("no_room_total", "Requests that were refused since bodies took all the memory they may, by whose bodies.", "bodies"),
		firstToken: histogram("first_token_seconds", "From the provider's request to the first token of its answer.",
			[]float64{.025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30, 60}, "model", "provider"),
		phases: histogram("extproc_phase_seconds", "Time that the processor itself spends on a phase of an attempt.",
			[]float64{.00001, .000025, .00005, .0001, .00025, .0005, .001, .0025, .01, .1}, "phase"),
		panics: prometheus.NewCounter(prometheus.CounterOpts{Name: "switchyard_panics_total", Help: "Attempts that ended in a panic."}),
	}
	registry.MustRegister(m.panics)
	return m
}

// registerHeld registers the gauge of a room.
func registerHeld(registry prometheus.Registerer, bodies string, held *room) {
	registry.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "switchyard_held_bytes", Help: "Bodies in memory, in bytes, by whose they are.", ConstLabels: prometheus.Labels{"bodies": bodies},
	}, func() float64 { return float64(held.taken()) }))
}
