package quota

import (
	"math"
	"time"
)

// counter is what counts for limits of one name. Times are nanoseconds since the
// store's base. A counter's own never goes backwards: within [slack] of the latest one
// seen it stands still; when the clock is set back further, it goes on from there.
type counter struct {
	name   string
	latest int64
	ahead  int64 // of the clock
	window int64 // of the latest claim

	log    log   // of a sliding window
	total  int64 // of a period of the calendar
	seeded bool  // total has what was used before
	since  int64 // the latest Since that it was seeded for
	keep   bool  // nobody could tell the total again
	ends   int64 // when the period is over; zero is never

	held    map[string]hold
	sum     int64 // of held
	expiry  int64 // nothing in held expires before
	touched int64 // when something was last held or renewed
}

// hold is what a reservation has of a counter.
type hold struct{ amount, expires int64 }

// idleFor is how long a total that the ledger can tell again is kept without being
// asked for: names of end users are the clients' to choose.
const idleFor = int64(time.Hour)

// advance brings the counter to a time, and returns the time that holds for it.
func (c *counter) advance(limit *Limit, at int64) int64 {
	if at+c.ahead < c.latest-int64(slack) {
		c.ahead = c.latest - at
	}
	c.latest = max(c.latest, at+c.ahead)
	c.window = int64(limit.Window)
	if c.window > 0 {
		c.log.forget(c.latest - c.window)
	}
	if c.expiry <= c.latest {
		c.expire()
	}
	return c.latest
}

// expire drops holds that nobody renewed.
func (c *counter) expire() {
	c.expiry = math.MaxInt64
	for id, h := range c.held {
		if h.expires <= c.latest {
			c.drop(id)
		} else {
			c.expiry = min(c.expiry, h.expires)
		}
	}
}

// unseeded reports whether what was used before is not known, for a claim to a limit of
// the calendar.
func (c *counter) unseeded(claim *Claim) bool { return !c.seeded || c.since < claim.since() }

// seed takes in what was used before, which is the least that counts; a counter that nobody
// has seeded begins with it.
func (c *counter) seed(claim *Claim) {
	if c.seeded {
		c.total = max(c.total, claim.seed)
	} else {
		c.total, c.seeded, c.keep = c.total+claim.seed, true, claim.lasting
	}
	c.since = max(c.since, claim.since())
}

func (c *counter) used() int64 {
	if c.window > 0 {
		return c.log.sum
	}
	return c.total
}

// fits reports whether a claim does.
func (c *counter) fits(claim *Claim) bool {
	return claim.Amount <= claim.Most-c.used()-c.sum
}

// take counts a claim, or holds it until it is settled.
func (c *counter) take(id string, claim *Claim) {
	if claim.Measure == Requests {
		c.add(claim, claim.Amount)
		return
	}
	c.hold(id, claim.Amount)
}

func (c *counter) hold(id string, amount int64) {
	if c.held == nil {
		c.held = make(map[string]hold)
	}
	expires := c.latest + int64(Lease)
	c.touched = c.latest
	c.sum += amount - c.held[id].amount
	c.held[id] = hold{amount, expires}
	if len(c.held) == 1 {
		c.expiry = expires
	}
}

// drop lets go of a hold, if there still is one.
func (c *counter) drop(id string) {
	c.sum -= c.held[id].amount
	delete(c.held, id)
}

// add counts an amount for good.
func (c *counter) add(claim *Claim, amount int64) {
	if c.window == 0 {
		c.total += amount
		return
	}
	c.log.add(c.latest, amount, claim.grain())
}

// grain is the span within which amounts are kept together, in nanoseconds.
func (l *Limit) grain() int64 {
	if l.Measure == Requests {
		return 0 // each one by itself
	}
	return int64(l.Window) / fineness
}

// deny explains why a claim does not fit. now is the caller's word for the counter's
// latest time.
func (c *counter) deny(claim *Claim, now time.Time) *Denial {
	d := &Denial{Claim: *claim, Used: c.used(), Held: c.sum}
	wait, reset := time.Duration(0), claim.Window
	if c.window > 0 {
		if c.sum == 0 {
			reset = time.Duration(c.log.newest() + c.window - c.latest)
		}
		if !d.Temporary() {
			wait = time.Duration(c.log.freed(d.Used+claim.Amount-claim.Most) + c.window - c.latest)
		}
	}
	if d.Temporary() && c.latest-c.touched > int64(patience) {
		wait = time.Duration(c.expiry - c.latest)
	}
	d.time(wait, reset, now)
	return d
}

// idle reports whether nothing in the counter counts any more, or can be told again.
func (c *counter) idle(at int64) bool {
	own := at + c.ahead
	switch {
	case c.expiry > own && len(c.held) > 0:
		return false
	case c.window > 0:
		return c.log.count == 0 || c.log.newest() <= own-c.window
	case c.ends > 0 && c.ends <= at-idleFor:
		return true
	}
	return !c.keep && c.latest <= own-idleFor
}
