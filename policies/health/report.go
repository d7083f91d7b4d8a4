package health

import (
	"fmt"
	"maps"
	"slices"
	"time"
)

const (
	// reportFor is how long what an instance said counts. One that is gone would
	// otherwise keep endpoints down.
	reportFor = time.Minute
	// maxPeers bounds the instances that are listened to, and maxReports what they say
	// together: to some 20 MiB, and to 150 MiB if all their sketches were full.
	maxPeers   = 64
	maxReports = 4 * maxEndpoints
)

// report is what another instance said of an endpoint. It does not change. Its times
// are by this instance's clock.
type report struct {
	instance string
	at       time.Time
	cooling  coolDown
	// recent is over the outage window. It counts until its latest failure leaves the
	// window: the attempts behind it are not told one by one.
	recent      counts
	recentUntil time.Time
	figures     figures
}

// peer is another instance: when it last spoke, and of which endpoints.
type peer struct {
	at  time.Time
	ids []string
}

func (r *report) fresh(now time.Time) bool { return now.Sub(r.at) <= reportFor }

// Export returns what this instance itself knows, for [Tracker.Import] in others: some
// 200 to 500 bytes for each endpoint that answered in the last half hour. What others
// said is not passed on, so that nothing is counted twice. It costs some 7 µs for each
// endpoint.
func (t *Tracker) Export(now time.Time) []byte {
	endpoints := maps.Collect(t.all())
	var said encoder
	said.begin()
	for _, id := range slices.Sorted(maps.Keys(endpoints)) {
		if r := endpoints[id].report(now); r.says(now) {
			said.report(id, &r, now)
		}
	}
	return said.bytes
}

// report is what this instance says of the endpoint.
func (e *endpoint) report(now time.Time) report {
	e.mu.Lock()
	defer e.mu.Unlock()
	r := report{figures: e.statistics.figures(now)}
	if cooling := e.cooling.Load(); cooling != nil {
		r.cooling = *cooling
	}
	if recent := e.recent.Load(); recent != nil {
		r.recent = recent.counts(now)
		r.recentUntil = time.Unix(0, e.failed.Load()).Add(recent.window)
	}
	return r
}

// says reports whether there is anything in the report. An endpoint of which nothing
// was heard for a day is passed over.
func (r *report) says(now time.Time) bool {
	return now.Before(r.cooling.wholeAt) || r.figures.attempts.Last1d != counts{} || r.figures.errors != Errors{}
}

// Import takes in what another instance exported, in place of what it said before. It
// counts for a minute; an instance that lives says it again before that. At most 64
// instances are listened to, and at most 16384 reports are kept.
//
// data may come from anybody on the network: it is read within bounds, and an error
// leaves everything as it was.
func (t *Tracker) Import(instance string, data []byte, now time.Time) error {
	reports, err := decode(data, now)
	if err != nil {
		return err
	}
	t.peersMu.Lock()
	defer t.peersMu.Unlock()
	for name, other := range t.peers {
		if now.Sub(other.at) > reportFor {
			t.forget(name)
		}
	}
	if err := t.admit(instance, len(reports)); err != nil {
		return err
	}
	for id, r := range reports {
		r.instance = instance
		t.open(id, now).hear(r)
	}
	for _, id := range t.peers[instance].ids {
		if _, again := reports[id]; !again {
			t.unhear(id, instance)
		}
	}
	t.peers[instance] = peer{at: now, ids: slices.Collect(maps.Keys(reports))}
	return nil
}

// admit refuses reports beyond what is kept. The caller holds the peers' lock.
func (t *Tracker) admit(instance string, reports int) error {
	if _, known := t.peers[instance]; !known && len(t.peers) >= maxPeers {
		return fmt.Errorf("health: %d instances already report; give each instance a name that it keeps", maxPeers)
	}
	for name, other := range t.peers {
		if name != instance {
			reports += len(other.ids)
		}
	}
	if reports > maxReports {
		return fmt.Errorf("health: the instances report of %d endpoints together; at most %d are kept", reports, maxReports)
	}
	return nil
}

// Forget drops what an instance said, when it is known to be gone.
func (t *Tracker) Forget(instance string) {
	t.peersMu.Lock()
	defer t.peersMu.Unlock()
	t.forget(instance)
}

// forget is [Tracker.Forget] for whoever holds the lock.
func (t *Tracker) forget(instance string) {
	for _, id := range t.peers[instance].ids {
		t.unhear(id, instance)
	}
	delete(t.peers, instance)
}

// unhear drops what an instance said of one endpoint, which may be gone itself.
func (t *Tracker) unhear(id, instance string) {
	if e := t.find(id); e != nil {
		e.mu.Lock()
		defer e.mu.Unlock()
		e.setReports(without(e.reports(), instance))
	}
}

// hear takes in what an instance said, in place of what it said before.
func (e *endpoint) hear(r report) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.touched.Store(max(e.touched.Load(), r.at.UnixNano()))
	e.setReports(append(without(e.reports(), r.instance), r))
}

// without copies the reports, because readers hold them, except that of an instance.
func without(reports []report, instance string) []report {
	return slices.DeleteFunc(slices.Clone(reports), func(r report) bool { return r.instance == instance })
}

func (e *endpoint) reports() []report {
	if reports := e.peers.Load(); reports != nil {
		return *reports
	}
	return nil
}

func (e *endpoint) setReports(reports []report) { e.peers.Store(&reports) }
