package signing

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"github.com/switchyard/switchyard/extproc/dialect"
)

// bearer signs with a token that is fetched, kept, and fetched anew before it
// expires. However many requests wait, one fetch is under way; while the token is good
// none waits. After a failed fetch there is a pause, which grows: until it is over
// requests fail at once, and can move on to another provider.
type bearer struct {
	fetch func(context.Context) (fetched, error)

	current atomic.Pointer[token]

	mu       sync.Mutex
	flight   *flight // under way, or nil
	failed   error   // of the latest fetch
	failures int     // in a row
	resume   time.Time
}

// fetched is a token as it came.
type fetched struct {
	text    string
	expires time.Time
}

// token is one that requests carry. It is immutable.
type token struct {
	headers []dialect.Header
	// From refresh on the next token is fetched; from expires on this one is not used.
	refresh, expires time.Time
}

// flight is one fetch. Token and err are set before done is closed.
type flight struct {
	done  chan struct{}
	token *token
	err   error
}

const (
	// longestFetch bounds a fetch, whoever waits for it.
	longestFetch = 30 * time.Second
	// The pauses after failed fetches grow from the first to the longest.
	firstPause, longestPause = time.Second, time.Minute
	// ahead is how long before its end a token is replaced. Google's metadata server
	// hands out the same token until four minutes before its end.
	ahead = 225 * time.Second
	// margin is what a request may take to arrive, and clocks may differ.
	margin = 10 * time.Second
)

// Sign returns the header that carries the token.
func (b *bearer) Sign(ctx context.Context, _ Request) ([]dialect.Header, error) {
	now := time.Now()
	if held := b.current.Load(); held != nil && now.Before(held.refresh) {
		return held.headers, nil
	}
	held, flight, err := b.renew(now)
	switch {
	case held != nil:
		return held.headers, nil
	case err != nil:
		return nil, err
	}
	select {
	case <-flight.done:
	case <-ctx.Done():
		return nil, fmt.Errorf("no token in time: %w", context.Cause(ctx))
	}
	if flight.err != nil {
		return nil, flight.err
	}
	return flight.token.headers, nil
}

// renew sees to it that a token is being fetched, unless the last fetch failed a
// moment ago. It returns the token held if it is still good, else the fetch to wait
// for, else why there is none.
func (b *bearer) renew(now time.Time) (*token, *flight, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	held := b.current.Load()
	if held != nil && !now.Before(held.expires) {
		held = nil
	}
	fresh := held != nil && now.Before(held.refresh) // another request was faster
	if !fresh && b.flight == nil && !now.Before(b.resume) {
		b.flight = &flight{done: make(chan struct{})}
		go b.fly(b.flight)
	}
	if held == nil && b.flight == nil {
		return nil, nil, b.failed
	}
	return held, b.flight, nil
}

// fly fetches one token. No request's end ends it: others wait for it too.
func (b *bearer) fly(f *flight) {
	ctx, cancel := context.WithTimeout(context.Background(), longestFetch)
	defer cancel()
	got, err := b.fetch(ctx)
	if err == nil {
		f.token, err = newToken(got, time.Now())
	}
	f.err = err

	b.mu.Lock()
	defer b.mu.Unlock()
	defer close(f.done)
	b.flight, b.failed = nil, err
	if err != nil {
		pause := min(firstPause<<min(b.failures, 10), longestPause)
		b.failures++
		b.resume = time.Now().Add(pause - pause/5 + rand.N(pause/5+1)) // gateways do not come all at once
		return
	}
	b.failures, b.resume = 0, time.Time{}
	b.current.Store(f.token)
}

// newToken decides for how long a token is good.
func newToken(from fetched, now time.Time) (*token, error) {
	left := from.expires.Sub(now)
	if left <= 0 {
		return nil, fmt.Errorf("the token that was fetched has expired, or does not say when it will")
	}
	if from.text == "" {
		return nil, fmt.Errorf("the token that was fetched is empty")
	}
	for i := range len(from.text) {
		if c := from.text[i]; c <= ' ' || c >= 0x7f {
			return nil, fmt.Errorf("the token that was fetched has a character in it that no header can hold")
		}
	}
	return &token{
		headers: []dialect.Header{{Name: "authorization", Value: "Bearer " + from.text}},
		refresh: from.expires.Add(-min(ahead, left/4)),
		expires: from.expires.Add(-min(margin, left/10)),
	}, nil
}
