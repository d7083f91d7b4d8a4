// Package sticky remembers where a conversation went, so that its next request
// finds the provider which has its prompt cached (spec section 4.7).
//
// A pin is a preference. Losing one costs the price of an uncached prompt, never a
// request: no store returns an error, and a request goes on without an answer.
package sticky

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"time"
)

// Pin is where a conversation went.
type Pin struct {
	// Model is the id of the model that answered; under a router ("openrouter/auto")
	// it is the one that the router chose.
	Model string
	// EndpointID is the endpoint, Provider the slug of its provider.
	EndpointID, Provider string
	// Bound: the conversation carries reasoning that only this provider can read.
	Bound bool
}

// Store keeps pins. All methods may be called concurrently.
type Store interface {
	// Get returns the pin of a conversation, and keeps it for its whole time to live
	// again: that counts from the last use.
	Get(ctx context.Context, key Key, now time.Time) (Pin, bool)
	// Put sets the pin after a successful answer. It outlives ctx, because the client
	// may hang up as soon as it has its answer. A ttl that is not positive keeps
	// nothing and forgets nothing.
	Put(ctx context.Context, key Key, pin Pin, ttl time.Duration, now time.Time)
}

// Key names a conversation of an account. It is a hash: whoever reads the store
// learns neither prompts nor session ids.
type Key [sha256.Size]byte

// SessionKey is the key of a session that the client named itself. account is the
// gateway's key that the request came with, model the id that it asked for.
// Accounts never share a pin, whatever sessions they name.
func SessionKey(account, model, session string) Key {
	return newKey("session", account, model, session)
}

// ConversationKey is the key of a conversation that is known by how it began:
// conversation is a hash of its first messages.
func ConversationKey(account, model string, conversation [16]byte) Key {
	return newKey("conversation", account, model, string(conversation[:]))
}

// newKey hashes the parts, each after its length: no two lists of parts are the
// same text.
func newKey(parts ...string) Key {
	var text []byte
	for _, part := range parts {
		text = binary.BigEndian.AppendUint64(text, uint64(len(part)))
		text = append(text, part...)
	}
	return sha256.Sum256(text)
}
