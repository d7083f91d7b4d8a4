package sticky

import (
	"context"
	"sync"
	"time"

	"github.com/hashicorp/golang-lru/v2/simplelru"
)

// maxPins bounds a [Memory] to some 20 MB: conversations come and go for as long as
// the gateway runs.
const maxPins = 1 << 16

// Memory keeps the pins of one gateway. When it is full, the conversation that was
// silent for longest is forgotten. Get and Put cost well under a microsecond.
type Memory struct {
	mu   sync.Mutex
	pins *simplelru.LRU[Key, entry]
}

type entry struct {
	pin     Pin
	ttl     time.Duration
	expires time.Time
}

var _ Store = (*Memory)(nil)

// NewMemory returns an empty store of up to 65,536 pins.
func NewMemory() *Memory { return newMemory(maxPins) }

func newMemory(size int) *Memory {
	pins, err := simplelru.NewLRU[Key, entry](size, nil)
	if err != nil {
		panic(err) // only for a size that is not positive
	}
	return &Memory{pins: pins}
}

// Get implements [Store].
func (m *Memory) Get(_ context.Context, key Key, now time.Time) (Pin, bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	found, ok := m.pins.Get(key)
	if !ok {
		return Pin{}, false
	}
	if !now.Before(found.expires) {
		m.pins.Remove(key)
		return Pin{}, false
	}
	found.expires = now.Add(found.ttl)
	m.pins.Add(key, found)
	return found.pin, true
}

// Put implements [Store].
func (m *Memory) Put(_ context.Context, key Key, pin Pin, ttl time.Duration, now time.Time) {
	if ttl <= 0 {
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.pins.Add(key, entry{pin: pin, ttl: ttl, expires: now.Add(ttl)})
}
