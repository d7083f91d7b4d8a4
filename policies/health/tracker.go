// Package health knows how the endpoints do: which failed lately, how often and how
// they answer. Plans read it, the API and the metrics tell it.
//
// An endpoint that fails cools down for a while, and each time it fails again
// after that, for twice as long. Cooling down is not being excluded: the plan
// still holds the endpoint, behind the others. When the cool-down is over, one
// request at a time tries it, until one succeeds.
package health

import (
	"cmp"
	"iter"
	"sync"
	"sync/atomic"
	"time"
)

// Options set the pace. Zero means the default.
type Options struct {
	// CoolDown follows the first failure. Default 5s.
	CoolDown time.Duration
	// MaxCoolDown is where doubling ends. Default 2m.
	MaxCoolDown time.Duration
	// OutageWindow is how far back failures make an outage. Default 30s, and at least
	// a second.
	OutageWindow time.Duration
}

// Tracker holds what is known of each endpoint, and what other instances of the
// gateway said of it. All methods may be called concurrently.
type Tracker struct {
	options atomic.Pointer[Options]

	// endpoints are *[endpoint] by id. Plans of all cores read it at once, at which
	// [sync.Map] takes a third of the time that a map with a lock does.
	endpoints sync.Map
	opening   sync.Mutex // held to add or remove endpoints
	count     int        // of endpoints

	peersMu sync.Mutex
	peers   map[string]peer
}

// New returns a tracker to which every endpoint is healthy.
func New(options Options) *Tracker {
	t := &Tracker{peers: make(map[string]peer)}
	t.Configure(options)
	return t
}

// Configure changes the pace of cool-downs that start from now on, and keeps
// what is known. Another outage window begins empty.
func (t *Tracker) Configure(options Options) {
	t.options.Store(&Options{
		CoolDown:     cmp.Or(options.CoolDown, 5*time.Second),
		MaxCoolDown:  cmp.Or(options.MaxCoolDown, 2*time.Minute),
		OutageWindow: max(cmp.Or(options.OutageWindow, 30*time.Second), time.Second),
	})
}

// Record takes in what an attempt tells. It costs some 200 ns.
func (t *Tracker) Record(s Sample) {
	t.open(s.EndpointID, s.Now).record(s, *t.options.Load())
}

// Checked takes in how an active check of the endpoint's provider went, [None] if
// well. It counts in no statistic. One that failed to connect, timed out or met 5xx
// begins a cool-down; any other answer shows a provider that is up. One that went
// well ends a cool-down after [Connect] or [Timeout] alone, and leaves the endpoint
// half-open: only an attempt proves that it infers.
func (t *Tracker) Checked(endpointID string, class Class, now time.Time) {
	switch class {
	case None:
		if e := t.find(endpointID); e != nil {
			e.reached(now)
		}
	case Connect, Timeout, ServerError:
		t.open(endpointID, now).unreachable(class, *t.options.Load(), now)
	}
}

// Summary returns what is known of an endpoint. Cool-downs and outages are exact, the
// figures up to a second old. It costs some 60 ns, and 20 more for each other instance
// that reports. It allocates nothing, except that the first call in a second sums the
// endpoint's figures up.
func (t *Tracker) Summary(endpointID string, now time.Time) Summary {
	e := t.find(endpointID)
	if e == nil {
		return Summary{}
	}
	return e.summary(now)
}

// Snapshot is what the API tells of an endpoint (spec section 7), in the units of
// [Summary]: latency in seconds, throughput in tokens per second.
type Snapshot struct {
	Summary
	// Latency30m and Throughput30m are over 30 minutes.
	Latency30m, Throughput30m Percentiles
	// Errors are the attempts that failed over 30 minutes.
	Errors Errors
}

// Snapshot returns all that is known of an endpoint, at the cost of [Tracker.Summary].
func (t *Tracker) Snapshot(endpointID string, now time.Time) Snapshot {
	e := t.find(endpointID)
	if e == nil {
		return Snapshot{}
	}
	s := e.figuresAt(now).snapshot
	e.state(&s.Summary, now)
	return s
}

// Probe reports whether a request may try an endpoint that is half-open before
// the others. It is granted to one request at a time: whoever got it records a
// sample, or the grant ends by itself after 10 seconds. An endpoint that is not
// half-open needs no probe: it is granted unless it cools down.
func (t *Tracker) Probe(endpointID string, now time.Time) bool {
	e := t.find(endpointID)
	if e == nil {
		return true
	}
	var s Summary
	if e.state(&s, now); s.HalfOpen {
		return e.probe(now)
	}
	return s.CoolingUntil.IsZero()
}

// find returns an endpoint, or nil if nothing is known of it.
func (t *Tracker) find(id string) *endpoint {
	e, known := t.endpoints.Load(id)
	if !known {
		return nil
	}
	return e.(*endpoint)
}

// open returns an endpoint, new if nothing was known of it.
func (t *Tracker) open(id string, now time.Time) *endpoint {
	if e := t.find(id); e != nil {
		return e
	}
	t.opening.Lock()
	defer t.opening.Unlock()
	if e := t.find(id); e != nil {
		return e // another was faster
	}
	t.makeRoom()
	e := newEndpoint()
	e.touched.Store(now.UnixNano())
	t.endpoints.Store(id, e)
	t.count++
	return e
}

// all iterates over the endpoints, in no order.
func (t *Tracker) all() iter.Seq2[string, *endpoint] {
	return func(yield func(string, *endpoint) bool) {
		t.endpoints.Range(func(id, e any) bool { return yield(id.(string), e.(*endpoint)) })
	}
}
