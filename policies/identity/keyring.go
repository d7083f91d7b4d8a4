package identity

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"strings"
	"time"

	"github.com/switchyard/switchyard/policies/config/configpb"
)

// Keyring is the keys of the configuration and of the database at one time. It never
// changes, so any number of goroutines may use it.
type Keyring struct {
	keys map[[sha256.Size]byte]*Key
	// index is keys by their hash, and those of the configuration by their name.
	index map[string]*Key
	// everybody is who makes every request while there are no keys.
	everybody *Key
	// closed: nobody is let in for want of keys.
	closed bool
	// waiting: nobody but management keys is let in.
	waiting bool
	// tokens are taken besides keys; nil is none.
	tokens Tokens
}

// Credential is what authenticates as a managed key: its secret, or, while it is
// rotated, the one before. ExpiresAt of Key is that of the credential then.
type Credential struct {
	Digest [sha256.Size]byte // SHA-256 of what is presented
	Key    *Key
}

// NewKeyring reads the keys of cfg. The error joins everything that is wrong,
// each with the path of its field.
func NewKeyring(cfg *configpb.Config) (*Keyring, error) {
	k := &Keyring{
		keys:      make(map[[sha256.Size]byte]*Key, len(cfg.GetKeys())),
		index:     make(map[string]*Key, 2*len(cfg.GetKeys())),
		everybody: &Key{Name: "everybody", Organization: Default, Workspace: Default},
	}
	var failures []error
	var err error
	if k.everybody.Limits, k.everybody.User, err = newKeyLimits("limits", cfg.GetLimits()); err != nil {
		failures = append(failures, err)
	}
	for i, from := range cfg.GetKeys() {
		path := fmt.Sprintf("keys[%d]", i)
		digest, err := ParseDigest(from.GetHash())
		if err != nil {
			failures = append(failures, fmt.Errorf("%s.hash: %w", path, err))
			continue
		}
		if first, taken := k.keys[digest]; taken {
			failures = append(failures, fmt.Errorf("%s.hash: key %q has the same hash", path, first.Name))
		}
		expires, err := ParseExpiry(from.GetExpiresAt())
		if err != nil {
			failures = append(failures, fmt.Errorf("%s.expires_at: %w", path, err))
		}
		limits := from.GetLimits()
		if limits == nil {
			limits = cfg.GetLimits()
		}
		own, user, err := newKeyLimits(path+".limits", limits)
		if err != nil {
			failures = append(failures, err)
		}
		k.keys[digest] = &Key{
			Name:         from.GetName(),
			Hash:         from.GetHash(),
			Organization: Default, Workspace: Default,
			Disabled:  from.GetDisabled(),
			ExpiresAt: expires,

			StoreContent: from.GetStoreContent(),

			Limits: own,
			User:   user,
		}
		for j, text := range from.GetAllowedIps() {
			network, err := ParseNetwork(text)
			if err != nil {
				failures = append(failures, fmt.Errorf("%s.allowed_ips[%d]: %w", path, j, err))
			}
			k.keys[digest].Networks = append(k.keys[digest].Networks, network)
		}
		k.index[from.GetHash()], k.index[from.GetName()] = k.keys[digest], k.keys[digest]
		if from.GetManagement() {
			k.keys[digest].Role, k.keys[digest].Operator = Owner, true
		}
	}
	if err := errors.Join(failures...); err != nil {
		return nil, err
	}
	return k, nil
}

// With is the keyring with managed keys besides. They have the general limits, but a
// budget of their own. A key of the configuration wins over a managed one.
func (k *Keyring) With(managed []Credential) *Keyring {
	all := *k
	all.keys = make(map[[sha256.Size]byte]*Key, len(k.keys)+len(managed))
	all.index = make(map[string]*Key, len(k.index)+len(managed))
	for _, credential := range managed {
		key := *credential.Key
		key.Limits, key.User = k.everybody.Limits, k.everybody.User
		key.Budget = credential.Key.Budget
		all.keys[credential.Digest] = &key
		// Of a key that is being rotated, the secret that lasts counts.
		if other, ok := all.index[key.Hash]; !ok || !other.ExpiresAt.IsZero() && (key.ExpiresAt.IsZero() || key.ExpiresAt.After(other.ExpiresAt)) {
			all.index[key.Hash] = &key
		}
	}
	maps.Copy(all.keys, k.keys)
	maps.Copy(all.index, k.index)
	return &all
}

// Closed is the keyring that lets nobody in for want of keys: of a gateway whose managed
// ones were all deleted.
func (k *Keyring) Closed() *Keyring {
	closed := *k
	closed.closed = true
	return &closed
}

// Waiting is the keyring of a gateway that does not know yet what is managed over the API:
// keys, and what organisations, workspaces and guardrails bound, of keys of the
// configuration too. Management keys and tokens that spend nothing are let in.
func (k *Keyring) Waiting() *Keyring {
	waiting := *k
	waiting.closed, waiting.waiting = true, true
	return &waiting
}

// Open reports whether there are no keys, so that everybody may come in. The
// configuration allows that on loopback alone.
func (k *Keyring) Open() bool { return len(k.keys) == 0 && !k.closed }

// Named finds a key by its name, for tools that have no key to present.
func (k *Keyring) Named(name string) (*Key, error) {
	for _, key := range k.keys {
		if key.Name == name {
			return key, nil
		}
	}
	return nil, fmt.Errorf("there is no key %q", name)
}

// ByHash finds a key by its hash, which stays when the key is rotated.
func (k *Keyring) ByHash(hash string) (*Key, bool) {
	key, ok := k.index[hash]
	return key, ok && key.Hash == hash
}

// Authenticate finds out whose request it is from the values of the headers
// Authorization and x-api-key (or x-goog-api-key), of which the first counts if it is a
// bearer token (RFC 6750; the scheme's case does not matter). The error is an [*Error].
//
// Whatever was presented is hashed before anything is compared: how long the
// comparison takes tells of a hash that nobody can choose, not of the key.
func (k *Keyring) Authenticate(authorization, apiKey string, now time.Time) (*Key, error) {
	if k.Open() {
		return k.everybody, nil
	}
	presented := cmp.Or(bearer(authorization), strings.TrimSpace(apiKey))
	switch {
	case presented == "" && k.waiting && len(k.keys) == 0: // there may be none
		return nil, &Error{Reason: Waiting}
	case presented == "":
		return nil, &Error{Reason: Missing}
	}
	key, ok := k.keys[sha256.Sum256([]byte(presented))]
	if !ok {
		var err error
		if key, err = k.granted(presented, now); err != nil {
			return nil, k.orWaiting(err)
		}
	}
	switch {
	case key.Disabled:
		return nil, &Error{Reason: Disabled}
	case !key.ExpiresAt.IsZero() && !now.Before(key.ExpiresAt):
		return nil, &Error{Reason: Expired}
	case k.waiting && !key.Management():
		return nil, &Error{Reason: Waiting}
	}
	return key, nil
}

// orWaiting is why a key is refused that may be a managed one, or stand for one.
func (k *Keyring) orWaiting(err error) error {
	var refused *Error
	if k.waiting && errors.As(err, &refused) && (refused.Reason == Unknown || refused.Reason == Unmapped) {
		return &Error{Reason: Waiting}
	}
	return err
}

// bearer returns the token of an Authorization header, or "" if it has none.
func bearer(authorization string) string {
	scheme, token, _ := strings.Cut(strings.TrimSpace(authorization), " ")
	if !strings.EqualFold(scheme, "Bearer") {
		return ""
	}
	return strings.TrimSpace(token)
}

// ParseDigest reads the hash of a key, in 64 lower-case hex digits.
func ParseDigest(text string) (digest [sha256.Size]byte, err error) {
	raw, err := hex.DecodeString(text)
	if err != nil || len(raw) != sha256.Size || strings.ToLower(text) != text {
		return digest, errors.New("want 64 lower-case hex digits, as `switchyard keys create` prints them")
	}
	return [sha256.Size]byte(raw), nil
}

// ParseExpiry reads an RFC 3339 time; "" is the zero time, for never. It insists on UTC
// (spec row 161): an offset is nearly always a mistake about which midnight is meant.
func ParseExpiry(text string) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	at, err := time.Parse(time.RFC3339, text)
	if err != nil || !strings.HasSuffix(text, "Z") && !strings.HasSuffix(text, "+00:00") {
		return time.Time{}, fmt.Errorf("%q: want a time in UTC such as 2030-01-31T00:00:00Z", text)
	}
	return at.UTC(), nil
}
