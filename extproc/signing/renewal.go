package signing

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"
)

// renewal keeps something that is fetched and expires, and fetches it anew before it
// does. However many requests wait, one fetch is under way; while what is held is good
// none waits. After a failed fetch there is a pause, which grows: until it is over
// requests fail at once, and can move on to another provider. The zero value is ready.
type renewal[T any] struct {
	current atomic.Pointer[lease[T]]

	mu       sync.Mutex
	flight   *flight[T] // under way, or nil
	failed   error      // of the latest fetch
	failures int        // in a row
	resume   time.Time
}

// renewer fetches. Its method is called on a goroutine of its own.
type renewer[T any] interface {
	renew(context.Context) (*lease[T], error)
}

// lease is what requests use. It is immutable.
type lease[T any] struct {
	value T
	// From refresh on the next one is fetched; from expires on this one is not used.
	refresh, expires time.Time
}

// flight is one fetch. Lease and err are set before done is closed.
type flight[T any] struct {
	done  chan struct{}
	lease *lease[T]
	err   error
}

const (
	// longestFetch bounds a fetch, whoever waits for it.
	longestFetch = 30 * time.Second
	// patience is how long a request waits for a fetch behind one that failed: some
	// fail slowly, such as those that look for a metadata server where there is none.
	patience = time.Second
	// The pauses after failed fetches grow from the first to the longest.
	firstPause, longestPause = time.Second, time.Minute
	// ahead is how long before its end a lease is replaced. Google's metadata server
	// hands out the same token until four minutes before its end.
	ahead = 225 * time.Second
	// margin is what a request may take to arrive, and clocks may differ.
	margin = 10 * time.Second
)

// newLease decides for how long a value is good that expires some time after now.
func newLease[T any](value T, expires, now time.Time) *lease[T] {
	left := expires.Sub(now)
	return &lease[T]{value: value, refresh: expires.Add(-min(ahead, left/4)), expires: expires.Add(-min(margin, left/10))}
}

// get returns what is held, or waits for what is fetched.
func (r *renewal[T]) get(ctx context.Context, from renewer[T]) (T, error) {
	var none T
	now := time.Now()
	if held := r.current.Load(); held != nil && now.Before(held.refresh) {
		return held.value, nil
	}
	held, flight, failed := r.reserve(now, from)
	switch {
	case held != nil:
		return held.value, nil
	case flight == nil:
		return none, failed
	}
	var tired <-chan time.Time
	if failed != nil {
		timer := time.NewTimer(patience)
		defer timer.Stop()
		tired = timer.C
	}
	select {
	case <-flight.done:
	case <-tired:
		return none, failed
	case <-ctx.Done():
		return none, fmt.Errorf("not fetched in time: %w", context.Cause(ctx))
	}
	if flight.err != nil {
		return none, flight.err
	}
	return flight.lease.value, nil
}

// reserve sees to it that a fetch is under way if it is time for one, unless the last one
// failed a moment ago. It returns what is held if that is still good, else the fetch to
// wait for, if there is one, and why the last one failed.
func (r *renewal[T]) reserve(now time.Time, from renewer[T]) (*lease[T], *flight[T], error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	held := r.current.Load()
	if held != nil && !now.Before(held.expires) {
		held = nil
	}
	fresh := held != nil && now.Before(held.refresh) // another request was faster
	if !fresh && r.flight == nil && !now.Before(r.resume) {
		r.flight = &flight[T]{done: make(chan struct{})}
		go r.fly(r.flight, from)
	}
	return held, r.flight, r.failed
}

// fly fetches once. No request's end ends it: others wait for it too.
func (r *renewal[T]) fly(f *flight[T], from renewer[T]) {
	ctx, cancel := context.WithTimeout(context.Background(), longestFetch)
	defer cancel()
	f.lease, f.err = from.renew(ctx)

	r.mu.Lock()
	defer r.mu.Unlock()
	defer close(f.done)
	r.flight, r.failed = nil, f.err
	if f.err != nil {
		pause := min(firstPause<<min(r.failures, 10), longestPause)
		r.failures++
		r.resume = time.Now().Add(pause - pause/5 + rand.N(pause/5+1)) // gateways do not come all at once
		return
	}
	r.failures, r.resume = 0, time.Time{}
	r.current.Store(f.lease)
}
