// Package cache keeps whole answers, so that a request which is asked again byte for
// byte gets the first one's answer (spec section 4.8).
//
// An answer that is kept saves money, and one that is lost costs no more than asking: no
// store returns an error, and a request goes on without an answer. What is kept are the
// answers alone. The requests are not: their names are hashes.
package cache

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"time"
)

// Entry is an answer as its client got it. It never changes, and any number of
// goroutines may read it.
type Entry struct {
	// SourceID is the id of the generation that made it.
	SourceID string
	// EndpointID is whose answer it is, by its id in the catalog.
	EndpointID string
	// MediaType is that of the body.
	MediaType string
	// FinishReason is normalised (spec row 4), NativeFinishReason the provider's own;
	// "" where none was given.
	FinishReason, NativeFinishReason string
	// BoundReasoning: the answer holds reasoning that only its provider can read or
	// verify.
	BoundReasoning bool
	// Stored is when it was put, to the millisecond, by the clock of the gateway that did;
	// TimeToLive counts from there.
	Stored     time.Time
	TimeToLive time.Duration
	Body       []byte
}

// Age is how old the entry is, never less than nothing: gateways' clocks differ.
func (e *Entry) Age(now time.Time) time.Duration { return max(0, now.Sub(e.Stored)) }

// Left is for how long it will still be given, never less than nothing.
func (e *Entry) Left(now time.Time) time.Duration { return max(0, e.TimeToLive-e.Age(now)) }

// Store keeps entries. All methods may be called concurrently.
type Store interface {
	// Get returns the entry of a key, and false if there is none, if its time is over, or
	// if the store does not know or does not answer.
	Get(ctx context.Context, key Key, now time.Time) (*Entry, bool)
	// Put keeps an entry for its time to live, in place of the key's last one. It outlives
	// ctx: the client may hang up as soon as it has its answer. An entry whose time to live
	// is not positive is not kept.
	Put(ctx context.Context, key Key, entry *Entry)
	// Delete forgets the entry of a key.
	Delete(ctx context.Context, key Key, now time.Time)
}

// Key names a request of an account. It is a hash: whoever reads the store learns
// nothing of what was asked, and no account can come by the name of another's entry
// (known-failures 50).
type Key [sha256.Size]byte

// NewKey hashes whose request it is and all that its answer depends on, each part after
// its length, so that no two lists of parts are the same text. account is the hash of the
// gateway's key that the request came with.
func NewKey(account string, body []byte, parts ...string) Key {
	hash := sha256.New()
	var length [8]byte
	begin := func(n int) {
		binary.BigEndian.PutUint64(length[:], uint64(n))
		hash.Write(length[:])
	}
	for _, part := range append([]string{account}, parts...) {
		begin(len(part))
		hash.Write([]byte(part))
	}
	begin(len(body))
	hash.Write(body)
	return Key(hash.Sum(nil))
}
