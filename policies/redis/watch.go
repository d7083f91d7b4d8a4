package redis

import (
	"log/slog"
	"sync/atomic"
	"time"
)

// Watch is a [Breaker] that counts failures, and logs when an outage begins and when it
// ends. It may be used concurrently.
type Watch struct {
	Breaker
	// Log gets the texts Begins, a warning, and Ends.
	Log          *slog.Logger
	Begins, Ends string

	failures atomic.Int64
}

// Failures is how many commands Redis did not answer, or not in time, since the start.
// Requests that did not ask because of an outage are not among them.
func (w *Watch) Failures() int64 { return w.failures.Load() }

// Took takes in what a command came to.
func (w *Watch) Took(err error, now time.Time) {
	if err == nil {
		if w.Answered() {
			w.Log.Info(w.Ends)
		}
		return
	}
	w.failures.Add(1)
	if w.Failed(now) {
		w.Log.Warn(w.Begins, "error", err)
	}
}
