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
	// maxPeers bounds the instances that are listened to, and maxHeard the memory that
	// what they say takes together. An endpoint that answers takes some 4 KiB of it.
	maxPeers = 64
	maxHeard = 256 << 20 // bytes
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

// peer is another instance: when it last said something new, the number of that
// export, and of which endpoints it was.
type peer struct {
	at     time.Time
	number int64
	ids    []string
	bytes  int // about what its reports take in memory
}

func (r *report) fresh(now time.Time) bool { return now.Sub(r.at) <= reportFor }

// bytes is about what the report takes in memory.
func (r *report) bytes() int {
	const itself = 512 // with its places in maps and lists
	f := &r.figures
	return itself + sketchBytes(f.latency.Last5m) + sketchBytes(f.latency.Last30m) +
		sketchBytes(f.throughput.Last5m) + sketchBytes(f.throughput.Last30m)
}

// Export returns what this instance itself knows, for [Tracker.Import] in others: some
// 200 to 500 bytes for each endpoint that was asked in the last half hour. Of the others
// it says nothing, nor of those that shares says no to: no instance must fill the
// others' memory with ids that clients make up. What others said is not passed on, so
// that nothing is counted twice. It costs some 7 µs for each endpoint.
func (t *Tracker) Export(now time.Time, shares func(endpointID string) bool) []byte {
	endpoints := maps.Collect(t.all())
	var said encoder
	said.begin(now)
	for _, id := range slices.Sorted(maps.Keys(endpoints)) {
		if !shares(id) {
			continue
		}
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

// says reports whether the report is worth telling. An endpoint that nobody asked for
// half an hour is passed over, though it is part of the figures of a day.
func (r *report) says(now time.Time) bool {
	return now.Before(r.cooling.wholeAt) || r.figures.attempts.Last30m != counts{} || r.figures.errors != Errors{}
}

// Import takes in what another instance exported, in place of what it said before. It
// counts for a minute; an instance that lives says something newer before that. The
// same export again changes nothing: its cool-downs run from when it was first heard.
// At most 64 instances are listened to, and at most some 256 MiB are kept of them.
//
// data may come from anybody on the network: it is read within bounds, and an error
// leaves everything as it was.
func (t *Tracker) Import(instance string, data []byte, now time.Time) error {
	h, err := decode(data, now)
	if err != nil {
		return err
	}
	t.peersMu.Lock()
	defer t.peersMu.Unlock()
	for name, other := range t.peers {
		if now.Sub(other.at) > reportFor && name != instance {
			t.forget(name)
		}
	}
	before, known := t.peers[instance]
	if known && before.number == h.number {
		return nil
	}
	if err := t.admit(instance, h.bytes); err != nil {
		return err
	}
	for id, r := range h.reports {
		r.instance = instance
		t.open(id, now).hear(r)
	}
	for _, id := range before.ids {
		if _, again := h.reports[id]; !again {
			t.unhear(id, instance)
		}
	}
	t.peers[instance] = peer{at: now, number: h.number, ids: slices.Collect(maps.Keys(h.reports)), bytes: h.bytes}
	return nil
}

// admit refuses reports beyond what is kept. The caller holds the peers' lock.
func (t *Tracker) admit(instance string, bytes int) error {
	if _, known := t.peers[instance]; !known && len(t.peers) >= maxPeers {
		return fmt.Errorf("health: %d instances already report; give each instance a name that it keeps", maxPeers)
	}
	for name, other := range t.peers {
		if name != instance {
			bytes += other.bytes
		}
	}
	if bytes > maxHeard {
		return fmt.Errorf("health: the reports of all instances would take some %d MiB together; at most %d MiB are kept", bytes>>20, maxHeard>>20)
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
