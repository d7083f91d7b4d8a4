package sticky

import (
	"sync"
	"time"
)

const (
	// tolerated failures in a row are slips; after one more it is an outage.
	tolerated = 2
	// pause is how long no one asks during an outage, and then one request does.
	pause = time.Second
)

// breaker keeps requests from waiting for a Redis that does not answer. It may be
// used concurrently; the zero value lets everyone through.
type breaker struct {
	mu       sync.Mutex
	failures int       // in a row
	until    time.Time // nobody asks before then
}

// allow reports whether to ask. During an outage it is true once in each pause.
func (b *breaker) allow(now time.Time) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.failures <= tolerated {
		return true
	}
	if now.Before(b.until) {
		return false
	}
	b.until = now.Add(pause)
	return true
}

// failed takes in that there was no answer, and reports whether an outage begins.
func (b *breaker) failed(now time.Time) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.failures++
	b.until = now.Add(pause)
	return b.failures == tolerated+1
}

// answered takes in an answer, and reports whether an outage ends.
func (b *breaker) answered() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	ended := b.failures > tolerated
	b.failures = 0
	return ended
}

// open reports whether there is an outage.
func (b *breaker) open() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.failures > tolerated
}
