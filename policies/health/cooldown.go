package health

import "time"

// maxRetryAfter bounds what a provider may ask for: a slip of its pen must not put
// it away until the next restart.
const maxRetryAfter = 24 * time.Hour

// coolDown is what follows a failure. The zero value is an endpoint that has not
// failed. It is a value: each failure and each success makes another.
type coolDown struct {
	class    Class     // of the latest failure
	failures int       // in a row, a burst counting once
	until    time.Time // end of the cool-down
	wholeAt  time.Time // end of the half-open time behind it
}

// fail is the cool-down after one more failure. retryAfter is what the provider
// asked for, zero if nothing; the longer of it and the cool-down counts.
//
// Requests that were in flight together fail together: a failure during the
// cool-down can lengthen it by its retryAfter, but does not double the next.
func (c coolDown) fail(class Class, retryAfter time.Duration, options Options, now time.Time) coolDown {
	if now.After(c.until.Add(options.MaxCoolDown)) {
		c = coolDown{} // so long ago that this is the first of a new row
	}
	c.class = class
	asked := min(retryAfter, maxRetryAfter)
	if now.Before(c.until) {
		c.until = later(c.until, now.Add(asked))
	} else {
		c.until = now.Add(max(options.coolDown(c.failures), asked))
		c.failures++
	}
	// Half-open lasts as long as the cool-down did, so that the second failure of a
	// row finds the guard still up, and at least to the end of the outage window:
	// from then on, an endpoint that nobody asked is whole again (row 44).
	asLong := c.until.Add(min(c.until.Sub(now), options.MaxCoolDown))
	c.wholeAt = later(c.wholeAt, later(asLong, now.Add(options.OutageWindow)))
	return c
}

// succeed is the cool-down after an attempt that went well: none. An endpoint that
// is rate limited cools down to the end all the same, because the request that
// succeeded was let in before the limit was reached (row 61).
func (c coolDown) succeed(now time.Time) coolDown {
	if c.class == RateLimited && now.Before(c.until) {
		c.failures, c.wholeAt = 0, c.until
		return c
	}
	return coolDown{}
}

// halfOpen reports whether the cool-down is over, but not yet proved to be.
func (c coolDown) halfOpen(now time.Time) bool {
	return !now.Before(c.until) && now.Before(c.wholeAt)
}

// coolDown is how long the next cool-down lasts after so many in a row.
func (o Options) coolDown(failures int) time.Duration {
	duration := o.CoolDown
	for range failures {
		if duration >= o.MaxCoolDown {
			break
		}
		duration *= 2
	}
	return min(duration, o.MaxCoolDown)
}

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}
