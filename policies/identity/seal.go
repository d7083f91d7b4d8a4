package identity

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
)

// Sealer vouches for the keys in a database by a secret that is not in it. Who can
// write to the database alone can neither add a key nor give one more rights: what the
// seal does not fit is not a key. The zero value has no secret and must not be used.
type Sealer struct{ secret []byte }

// NewSealer needs at least 32 bytes that nobody can guess.
func NewSealer(secret []byte) Sealer { return Sealer{secret} }

// Seal is the HMAC-SHA-256, in hex, of the hash of what a client presents, of the key
// that it stands for, and of that one's role and organisation.
func (s Sealer) Seal(digest string, key *Key) string {
	return s.sum("key", digest, key.Hash, string(key.Role), key.Organization)
}

// SealCode is the HMAC-SHA-256, in hex, of a code that is exchanged for a key: of the
// code's hash, and of all that is kept with it.
func (s Sealer) SealCode(digest string, kept ...string) string {
	return s.sum(append([]string{"code", digest}, kept...)...)
}

// Pseudonym is what stands for an end user of a key where the name is not to be kept: 32
// hex digits, the same for the same name and key, from which nobody without the secret can
// tell the name, or whether it is one that they try.
func (s Sealer) Pseudonym(keyHash, user string) string {
	return s.sum("end user", keyHash, user)[:32]
}

// Fits reports whether a seal is that of its key. How long it takes tells nothing of
// the seal that would.
func (s Sealer) Fits(seal, digest string, key *Key) bool {
	return hmac.Equal([]byte(seal), []byte(s.Seal(digest, key)))
}

// Fingerprint is the same for the same secret, and tells nothing of it.
func (s Sealer) Fingerprint() string { return s.sum("fingerprint") }

// sum is injective in its parts: none of them has a zero byte, which databases do not
// keep.
func (s Sealer) sum(parts ...string) string {
	mac := hmac.New(sha256.New, s.secret)
	for _, part := range parts {
		mac.Write([]byte(part))
		mac.Write([]byte{0})
	}
	return hex.EncodeToString(mac.Sum(nil))
}
