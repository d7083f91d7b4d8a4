package cache

import (
	"context"
	"time"

	"github.com/jellydator/ttlcache/v3"
)

const (
	// overhead is about what an entry takes besides its body, in bytes.
	overhead = 1 << 10
	// sweepEvery is for how long an entry may lie in memory, where nobody gets it, after
	// its time is over.
	sweepEvery = 5 * time.Second
)

// Memory keeps the entries of one gateway. When it is full, those go that nobody asked
// for longest. Its clock is the process's.
type Memory struct {
	entries *ttlcache.Cache[Key, *Entry]
	most    uint64 // bytes that entries take
}

var _ Store = (*Memory)(nil)

// NewMemory returns an empty store whose entries take up to so many bytes together.
func NewMemory(maxBytes int64) *Memory {
	most := uint64(maxBytes)
	return &Memory{ttlcache.New(
		ttlcache.WithDisableTouchOnHit[Key, *Entry](),
		ttlcache.WithMaxCost(most, func(item ttlcache.CostItem[Key, *Entry]) uint64 { return cost(item.Value) }),
	), most}
}

// cost is about what an entry takes, in bytes.
func cost(entry *Entry) uint64 { return uint64(len(entry.Body) + overhead) }

// Run takes entries out of memory whose time is over, until ctx ends.
func (m *Memory) Run(ctx context.Context) {
	sweep := time.NewTicker(sweepEvery)
	defer sweep.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-sweep.C:
			m.entries.DeleteExpired()
		}
	}
}

// Get implements [Store].
func (m *Memory) Get(_ context.Context, key Key, _ time.Time) (*Entry, bool) {
	found := m.entries.Get(key)
	if found == nil {
		return nil, false
	}
	return found.Value(), true
}

// Put implements [Store]. An entry for which there is no room at all is not kept.
func (m *Memory) Put(_ context.Context, key Key, entry *Entry) {
	switch {
	case cost(entry) > m.most: // ttlcache would let go of all others for it, and then of it
		m.entries.Delete(key)
	case entry.TimeToLive > 0: // ttlcache keeps others for good
		m.entries.Set(key, entry, entry.TimeToLive)
	}
}

// Delete implements [Store].
func (m *Memory) Delete(_ context.Context, key Key, _ time.Time) { m.entries.Delete(key) }

// Clear forgets all entries.
func (m *Memory) Clear() { m.entries.DeleteAll() }
