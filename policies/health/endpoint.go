package health

import (
	"net/http"
	"sync"
	"sync/atomic"
	"time"
)

const (
	// viewFor is how long figures are told before they are summed up again.
	viewFor = time.Second
	// probeFor is how long a probe that never reports keeps others from trying.
	probeFor = 10 * time.Second
)

// endpoint is what is known of one endpoint. What a plan reads is read without the
// lock; it guards the statistics, and whoever changes the rest holds it.
type endpoint struct {
	cooling atomic.Pointer[coolDown]   // nil: none
	recent  atomic.Pointer[outageRing] // nil until the first attempt
	peers   atomic.Pointer[[]report]   // what other instances know; nil: nothing
	view    atomic.Pointer[view]       // nil until it is first asked for

	// Times in nanoseconds since 1970; zero is never.
	failed    atomic.Int64 // when an attempt last failed
	succeeded atomic.Int64 // when one last went well
	touched   atomic.Int64 // when anything was last heard
	probing   atomic.Int64 // until when the probe that is under way counts

	mu         sync.Mutex
	statistics statistics
	total      Errors // since the endpoint is known
}

// view is the figures as of a time, summed up over all instances. Its cool-downs and
// outage are left open: those are looked up each time.
type view struct {
	at       time.Time
	snapshot Snapshot
}

func newEndpoint() *endpoint { return &endpoint{statistics: newStatistics()} }

// record takes in one attempt.
func (e *endpoint) record(s Sample, options Options) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.statistics.add(s)
	if s.Class != None {
		e.total[s.Class]++
	}
	e.touched.Store(s.Now.UnixNano())
	if one, known := s.counts(); known {
		recent := e.recent.Load()
		if recent == nil || recent.window != options.OutageWindow {
			recent = &outageRing{window: options.OutageWindow}
			e.recent.Store(recent)
		}
		recent.add(one.failed > 0, s.Now)
		if one.failed > 0 {
			e.failed.Store(max(e.failed.Load(), s.Now.UnixNano()))
		}
	}
	e.cool(s, options)
	e.probing.Store(0)
}

// cool starts, lengthens or ends the cool-down. A request that is its client's own
// fault does none of these, nor does one that the provider refuses with 403: it may
// be that client's prompt which is not to its taste.
func (e *endpoint) cool(s Sample, options Options) {
	var cooling coolDown
	if before := e.cooling.Load(); before != nil {
		cooling = *before
	}
	switch {
	case s.Class == None:
		e.succeeded.Store(s.Now.UnixNano())
		if cooling == (coolDown{}) {
			return // most attempts end here
		}
		cooling = cooling.succeed(s.Now)
	case s.Class.coolsDown() && s.Status != http.StatusForbidden:
		cooling = cooling.fail(s.Class, s.RetryAfter, options, s.Now)
	default:
		return
	}
	e.setCooling(cooling)
}

// reached is a check that went well.
func (e *endpoint) reached(now time.Time) {
	e.mu.Lock()
	defer e.mu.Unlock()
	cooling := e.cooling.Load()
	if cooling == nil || !now.Before(cooling.until) || cooling.class != Connect && cooling.class != Timeout {
		return
	}
	ended := *cooling
	ended.until = now
	e.setCooling(ended)
}

// unreachable is a check that failed. While the endpoint cools down it tells nothing
// new.
func (e *endpoint) unreachable(class Class, options Options, now time.Time) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.touched.Store(max(e.touched.Load(), now.UnixNano()))
	var cooling coolDown
	if before := e.cooling.Load(); before != nil {
		cooling = *before
	}
	if !now.Before(cooling.until) {
		e.setCooling(cooling.fail(class, 0, options, now))
	}
}

func (e *endpoint) setCooling(cooling coolDown) {
	if cooling == (coolDown{}) {
		e.cooling.Store(nil)
		return
	}
	e.cooling.Store(&cooling)
}

// figuresAt returns the figures of all instances, at most a second old. At most once
// a second it sums them up anew, which costs some 5 µs and a few allocations.
func (e *endpoint) figuresAt(now time.Time) *view {
	if v := e.view.Load(); v.fresh(now) {
		return v
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if v := e.view.Load(); v.fresh(now) {
		return v // another was faster
	}
	all := e.statistics.figures(now)
	for _, report := range e.reports() {
		if report.fresh(now) {
			all = all.plus(report.figures)
		}
	}
	v := &view{at: now, snapshot: all.snapshot()}
	e.view.Store(v)
	return v
}

func (v *view) fresh(now time.Time) bool {
	return v != nil && now.Sub(v.at).Abs() < viewFor
}

// summary is [Tracker.Summary] of the endpoint.
func (e *endpoint) summary(now time.Time) Summary {
	s := e.figuresAt(now).snapshot.Summary
	e.state(&s, now)
	return s
}

// errors are the failed attempts since the endpoint is known.
func (e *endpoint) errors() Errors {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.total
}

// state fills in what must be exact now. It takes no lock.
func (e *endpoint) state(s *Summary, now time.Time) {
	if cooling := e.cooling.Load(); cooling != nil {
		s.cool(*cooling, now)
	}
	var heard counts
	reports := e.reports()
	for i := range reports {
		report := &reports[i]
		if !report.fresh(now) {
			continue
		}
		if now.Before(report.recentUntil) {
			heard = heard.plus(report.recent)
		}
		if !now.Before(report.cooling.wholeAt) {
			continue // there is none, as most often
		}
		// An attempt that went well here after a cool-down there was its probe.
		if now.Before(report.cooling.until) || e.succeeded.Load() < report.cooling.until.UnixNano() {
			s.cool(report.cooling, now)
		}
	}
	s.Outage = e.outage(heard, now)
}

// outage reports whether the endpoint mostly fails, together with what was heard of
// other instances. Attempts need not be counted where none failed.
func (e *endpoint) outage(heard counts, now time.Time) bool {
	recent := e.recent.Load()
	if recent == nil {
		return heard.outage()
	}
	if heard.failed == 0 && now.UnixNano()-e.failed.Load() > int64(recent.window+recent.step()) {
		return false
	}
	return heard.plus(recent.counts(now)).outage()
}

// cool adds one instance's cool-down: the longest counts.
func (s *Summary) cool(c coolDown, now time.Time) {
	switch {
	case now.Before(c.until) && c.until.After(s.CoolingUntil):
		s.CoolingUntil, s.Class, s.HalfOpen = c.until, c.class, false
	case s.CoolingUntil.IsZero() && c.halfOpen(now):
		s.HalfOpen = true
	}
}

// probe grants a half-open endpoint to one request at a time.
func (e *endpoint) probe(now time.Time) bool {
	until := e.probing.Load()
	if now.UnixNano() < until {
		return false
	}
	return e.probing.CompareAndSwap(until, now.Add(probeFor).UnixNano())
}
