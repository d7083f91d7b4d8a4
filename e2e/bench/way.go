package main

import (
	"errors"
	"time"
)

// way is one way to the upstream.
type way struct {
	name    string
	address string
	// path is where requests for an answer of some kind go.
	path func(answerKind) string
	// upstream is the address that the way leads to.
	upstream string
	// envoy and processor are processes, or 0 where the way has none.
	envoy, processor int
}

// plainPath is what the upstream itself understands.
func plainPath(kind answerKind) string { return "/" + string(kind) + "/v1/chat/completions" }

// gatewayPath is one for all: there the model leads to the answer's kind.
func gatewayPath(answerKind) string { return "/api/v1/chat/completions" }

func (w *way) request(kind answerKind) []byte { return requestTo(w.path(kind), gatewayKey, kind) }

// measure tells how long work takes and what it costs the way's processes.
func (w *way) measure(work func() error) (used cpu, elapsed time.Duration, err error) {
	before, err := w.used()
	if err != nil {
		return cpu{}, 0, err
	}
	began := time.Now()
	if err := work(); err != nil {
		return cpu{}, 0, err
	}
	elapsed = time.Since(began)
	after, err := w.used()
	return cpu{envoy: after.envoy - before.envoy, processor: after.processor - before.processor}, elapsed, err
}

// used is the CPU time since the processes began.
func (w *way) used() (cpu, error) {
	envoy, err1 := cpuOf(w.envoy)
	processor, err2 := cpuOf(w.processor)
	return cpu{envoy: envoy, processor: processor}, errors.Join(err1, err2)
}
