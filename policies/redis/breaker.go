package redis

import (
	"sync"
	"time"
)

const (
	// Tolerated failures in a row are slips; after one more it is an outage.
	Tolerated = 2
	// Pause is how long no one asks during an outage, and then one request does.
	Pause = time.Second
)

// Breaker keeps requests from waiting for a Redis that does not answer. It may be
// used concurrently; the zero value lets everyone through.
type Breaker struct {
	mu       sync.Mutex
	failures int       // in a row
	until    time.Time // nobody asks before then
}

// Allow reports whether to ask. During an outage it is true once in each pause.
func (b *Breaker) Allow(now time.Time) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.failures <= Tolerated {
		return true
	}
	if now.Before(b.until) {
		return false
	}
	b.until = now.Add(Pause)
	return true
}

// Failed takes in that there was no answer, and reports whether an outage begins.
func (b *Breaker) Failed(now time.Time) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.failures++
	b.until = now.Add(Pause)
	return b.failures == Tolerated+1
}

// Answered takes in an answer, and reports whether an outage ends.
func (b *Breaker) Answered() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	ended := b.failures > Tolerated
	b.failures = 0
	return ended
}

// Open reports whether there is an outage.
func (b *Breaker) Open() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.failures > Tolerated
}
