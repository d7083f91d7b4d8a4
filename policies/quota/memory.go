package quota

import (
	"sync"
	"time"
)

// Memory keeps the limits of one process. All methods may be called
// concurrently.
//
// It logs the time of every allowed request for as long as the window lasts,
// eight bytes each. That is what makes the limit exact: counters for fixed
// windows let twice the limit pass around their edges.
type Memory struct {
	mu   sync.Mutex
	base time.Time // times are kept as nanoseconds since then
	keys map[string]*log
	all  []*log // the same logs, for the eviction to walk
	hand int    // where in all the eviction goes on
}

// NewMemory returns a Memory that has seen no request.
func NewMemory() *Memory {
	return &Memory{keys: make(map[string]*log)}
}

// Take asks for one request under key, and counts it if it is allowed. Every
// request is judged by the limit given with it: a lowered limit counts what was
// allowed before it, a longer window counts what is still remembered.
//
// Times that go backwards count as the latest one seen for the key, so that
// requests which overtake each other cannot exceed the limit. Times from
// [time.Now] are monotonic and do not follow the wall clock when it is set.
func (m *Memory) Take(key string, limit Limit, now time.Time) Decision {
	if limit.unlimited() {
		return Decision{Allowed: true, ResetAt: now}
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.base.IsZero() {
		m.base = now
	}
	at := int64(now.Sub(m.base))
	m.evict(at)
	entry, ok := m.keys[key]
	if !ok {
		entry = &log{key: key}
		m.keys[key] = entry
		m.all = append(m.all, entry)
	}
	return entry.take(limit, at, now)
}

// evict forgets idle keys, a few at each request: at most one key is new each
// time and two are looked at, so the walk gets around while memory at most
// doubles, and no request pays for a sweep.
func (m *Memory) evict(at int64) {
	for range min(2, len(m.all)) {
		m.hand %= len(m.all)
		entry := m.all[m.hand]
		if !entry.idle(at) {
			m.hand++
			continue
		}
		last := len(m.all) - 1
		m.all[m.hand] = m.all[last]
		m.all[last] = nil
		m.all = m.all[:last]
		delete(m.keys, entry.key)
	}
}
