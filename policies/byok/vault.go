package byok

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"strings"
)

// Vault encrypts credentials for the database: with AES-256-GCM, by a key that HKDF
// makes of the gateway's secret. It is immutable.
type Vault struct{ keys []vaultKey }

// vaultKey is one of a secret. Its name tells which of them opens a text, and nothing of
// the secret.
type vaultKey struct {
	name string
	aead cipher.AEAD
}

// Place is where a credential is kept. A text that is moved to another place, such as
// to another organisation's row, does not open there.
type Place struct{ ID, Organization, Provider string }

// Why a text does not open. Neither tells anything of it.
var (
	ErrOtherKey = errors.New("byok: a credential is encrypted by another key than byok.encryption_key and byok.previous_encryption_key")
	ErrDamaged  = errors.New("byok: a credential is damaged, or was moved")
)

const vaultVersion = "v1"

// NewVault returns a vault that encrypts by the secret, and opens what the previous one
// encrypted too; "" is none. Both should be 32 bytes or more that nobody can guess.
func NewVault(secret, previous string) *Vault {
	v := &Vault{keys: []vaultKey{newVaultKey(secret)}}
	if previous != "" {
		v.keys = append(v.keys, newVaultKey(previous))
	}
	return v
}

func newVaultKey(secret string) vaultKey {
	// None of these fails for these sizes.
	derive := func(use string, length int) []byte {
		key, err := hkdf.Key(sha256.New, []byte(secret), nil, "switchyard byok "+vaultVersion+" "+use, length)
		if err != nil {
			panic(err)
		}
		return key
	}
	block, err := aes.NewCipher(derive("encryption", 32))
	if err != nil {
		panic(err)
	}
	aead, err := cipher.NewGCMWithRandomNonce(block)
	if err != nil {
		panic(err)
	}
	return vaultKey{name: hex.EncodeToString(derive("name", 4)), aead: aead}
}

// Seal encrypts a credential for its place.
func (v *Vault) Seal(at Place, credential string) string {
	key := v.keys[0]
	sealed := key.aead.Seal(nil, nil, []byte(credential), at.bound())
	return strings.Join([]string{vaultVersion, key.name, base64.RawStdEncoding.EncodeToString(sealed)}, ".")
}

// Open returns the credential, or [ErrOtherKey] or [ErrDamaged].
func (v *Vault) Open(at Place, sealed string) (string, error) {
	version, rest, _ := strings.Cut(sealed, ".")
	name, text, found := strings.Cut(rest, ".")
	if version != vaultVersion || !found {
		return "", ErrDamaged
	}
	for _, key := range v.keys {
		if key.name != name {
			continue
		}
		raw, err := base64.RawStdEncoding.DecodeString(text)
		if err != nil {
			return "", ErrDamaged
		}
		credential, err := key.aead.Open(nil, nil, raw, at.bound())
		if err != nil {
			return "", ErrDamaged
		}
		return string(credential), nil
	}
	return "", ErrOtherKey
}

// Current reports whether a text is encrypted by the secret, and not by the previous one.
func (v *Vault) Current(sealed string) bool {
	return strings.HasPrefix(sealed, vaultVersion+"."+v.keys[0].name+".")
}

// bound is injective: none of the parts has a zero byte.
func (p Place) bound() []byte {
	return []byte(strings.Join([]string{"byok", p.ID, p.Organization, p.Provider}, "\x00"))
}
