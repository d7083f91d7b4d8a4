package quota

import (
	"context"
	"sync"
	"time"
)

// Memory keeps the limits of one process. A call costs about a microsecond, and none
// fails.
//
// Times from [time.Now] are monotonic and do not follow the wall clock when it is set;
// periods of the calendar do.
type Memory struct {
	mu       sync.Mutex
	base     time.Time // times are kept as nanoseconds since then
	counters map[string]*counter
	all      []*counter // the same counters, for the eviction to walk
	hand     int        // where in all the eviction goes on
}

var _ Store = (*Memory)(nil)

// NewMemory returns a Memory that has seen no request.
func NewMemory() *Memory { return &Memory{counters: make(map[string]*counter)} }

// Reserve implements [Store]. A claim is judged by the limit given with it: a lowered
// limit counts what was allowed before it, a longer window counts what is still
// remembered.
func (m *Memory) Reserve(_ context.Context, id string, claims []Claim, now time.Time) (Verdict, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	at := m.at(now)
	for range claims {
		m.evict(at)
	}
	var room [8]*counter
	counters := room[:0]
	var verdict Verdict
	for i := range claims {
		claim := &claims[i]
		c := m.counter(claim, at)
		counters = append(counters, c)
		switch {
		case !claim.calendar() || !c.unseeded(claim):
		case claim.seeded:
			c.seed(claim)
		default:
			verdict.Unseeded = append(verdict.Unseeded, i)
		}
	}
	if verdict.Unseeded != nil {
		return verdict, nil
	}
	for i, c := range counters {
		if !c.fits(&claims[i]) {
			verdict.Denial = c.deny(&claims[i], now)
			return verdict, nil
		}
	}
	for i, c := range counters {
		c.take(id, &claims[i])
	}
	return verdict, nil
}

// Settle implements [Store].
func (m *Memory) Settle(_ context.Context, id string, claims []Claim, actual Actual, now time.Time) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	at := m.at(now)
	for i := range claims {
		claim := &claims[i]
		c := m.counter(claim, at)
		c.drop(id)
		if amount := actual.of(&claim.Limit); amount > 0 {
			c.add(claim, amount)
		}
	}
	return nil
}

// Release implements [Store].
func (m *Memory) Release(_ context.Context, id string, claims []Claim, now time.Time) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	at := m.at(now)
	for i := range claims {
		m.counter(&claims[i], at).drop(id)
	}
	return nil
}

// Renew implements [Store].
func (m *Memory) Renew(_ context.Context, held []Held, now time.Time) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	at := m.at(now)
	for _, h := range held {
		for i := range h.Claims {
			if claim := &h.Claims[i]; claim.Measure != Requests {
				m.counter(claim, at).hold(h.ID, claim.Amount)
			}
		}
	}
	return nil
}

// Seed implements [Store].
func (m *Memory) Seed(_ context.Context, claim Claim, now time.Time) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.counter(&claim, m.at(now)).seed(&claim)
	return nil
}

// Used implements [Store].
func (m *Memory) Used(_ context.Context, claims []Claim, now time.Time) ([]int64, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	at := m.at(now)
	used := make([]int64, len(claims))
	for i := range claims {
		c := m.counter(&claims[i], at)
		used[i] = c.used()
		if claims[i].calendar() && c.unseeded(&claims[i]) {
			used[i] = -1
		}
	}
	return used, nil
}

// at is a time as counters have it.
func (m *Memory) at(now time.Time) int64 {
	if m.base.IsZero() {
		m.base = now
	}
	return int64(now.Sub(m.base))
}

// counter finds a claim's counter as it is at a time.
func (m *Memory) counter(claim *Claim, at int64) *counter {
	c, ok := m.counters[claim.name]
	if !ok {
		c = &counter{name: claim.name, latest: at}
		if next := claim.Reset.Next(m.base.Add(time.Duration(at))); claim.calendar() && !next.IsZero() {
			c.ends = int64(next.Sub(m.base))
		}
		m.counters[claim.name] = c
		m.all = append(m.all, c)
	}
	c.advance(&claim.Limit, at)
	return c
}

// evict forgets idle counters, a few for each claim: at most one is new each time and
// two are looked at, so the walk gets around while memory at most doubles, and no
// request pays for a sweep.
func (m *Memory) evict(at int64) {
	for range min(2, len(m.all)) {
		m.hand %= len(m.all)
		c := m.all[m.hand]
		if !c.idle(at) {
			m.hand++
			continue
		}
		last := len(m.all) - 1
		m.all[m.hand] = m.all[last]
		m.all[last] = nil
		m.all = m.all[:last]
		delete(m.counters, c.name)
	}
}
