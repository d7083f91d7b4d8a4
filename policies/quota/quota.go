// Package quota decides how many requests a key may make.
package quota

import "time"

// Limit allows Requests in any span of time of length Window, wherever the span
// begins. The zero Limit, and any of which a part is not positive, is no limit.
type Limit struct {
	Requests int
	Window   time.Duration
}

func (l Limit) unlimited() bool { return l.Requests <= 0 || l.Window <= 0 }

// Decision is the answer to one request, and explains itself.
type Decision struct {
	Allowed bool
	// Limit is the number of requests in a window, zero if there is no limit.
	Limit int
	// Remaining is how many more would be allowed right now.
	Remaining int
	// RetryAfter is how long to wait until one request is allowed; zero if this
	// one was.
	RetryAfter time.Duration
	// ResetAt is when the whole limit is available again if no request is made
	// until then.
	ResetAt time.Time
}
