// Package identity knows the gateway's keys and says whose request it is.
//
// Keys come from the configuration and from the gateway's database. Both hold only
// their hashes. A key is 256 random bits, so that one round of SHA-256 is enough: there
// is no dictionary to try, and a slow password hash would cost every request.
package identity

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"log/slog"
	"net/netip"
	"time"
)

// Prefix marks a key of this gateway, for people and for scanners that look for
// leaked secrets.
const Prefix = "sk-sy-v1-"

// Default is the id of the organisation, and of its workspace, that the keys of the
// configuration are in.
const Default = "default"

// Key is who makes a request. It is immutable.
type Key struct {
	// Name is for logs and metrics.
	Name string
	// Hash is the SHA-256 of the key in 64 lower-case hex digits, or "" for
	// everybody at a gateway without keys. It stays when the key is rotated: what was
	// used, and what may be, goes by it.
	Hash string
	// Role is what a management key may do; "" is a key for inference, and only that
	// may be used for it.
	Role Role
	// Organization and Workspace are where the key is. What a management key sees and
	// changes is its organisation's.
	Organization, Workspace string
	// Operator keys are management keys of the configuration, which may make
	// organisations.
	Operator bool
	// Managed keys are of the database, and changed over the API.
	Managed bool
	// Token: it is no key that was presented, but an issuer's token. No key has its Hash.
	Token bool
	// Creator is the id of the member whose key it is, "" if nobody's.
	Creator string
	// DefaultModel answers requests that name none, and DefaultSort is the order of
	// those that ask for none; "" is as the gateway has it.
	DefaultModel, DefaultSort string
	// Networks are where the key may be used from, nil for everywhere.
	Networks []netip.Prefix
	// AllowedModels and AllowedProviders are what the key may ask for, of a managed key;
	// nil for all. Those of a key of the configuration are its policy's.
	AllowedModels, AllowedProviders []string
	// Joined is when the key came into its workspace; zero if it was made there.
	Joined time.Time
	// Disabled keys are refused.
	Disabled bool
	// ExpiresAt is when the key stops being accepted; zero means never.
	ExpiresAt time.Time
	// StoreContent: what is said with the key is kept, and not counts alone.
	StoreContent bool
	// Limits bound what is done with the key, User what each end user of it does that a
	// request names.
	Limits
	User Limits
}

// LogValue is the name and the beginning of the hash.
func (k *Key) LogValue() slog.Value {
	return slog.GroupValue(slog.String("name", k.Name), slog.String("hash", k.Hash[:min(8, len(k.Hash))]))
}

// NewKey makes a key. plaintext is "sk-sy-v1-" and 64 hex digits, to be shown
// once to whoever will use it; hash goes into the configuration.
func NewKey() (plaintext, hash string) {
	var secret [32]byte
	rand.Read(secret[:]) // never fails: it ends the process instead
	plaintext = Prefix + hex.EncodeToString(secret[:])
	return plaintext, Hash(plaintext)
}

// Management reports whether the key manages the gateway, and asks no model.
func (k *Key) Management() bool { return k.Role != "" }

// Label is what may be shown of a key: its ends. It authenticates nobody.
func Label(plaintext string) string {
	const shown = 3
	if len(plaintext) < len(Prefix)+2*shown {
		return "..."
	}
	return plaintext[:len(Prefix)+shown] + "..." + plaintext[len(plaintext)-shown:]
}

// Hash is the SHA-256 of a key in 64 lower-case hex digits.
func Hash(plaintext string) string {
	sum := sha256.Sum256([]byte(plaintext))
	return hex.EncodeToString(sum[:])
}
