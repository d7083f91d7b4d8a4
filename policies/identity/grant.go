package identity

import "time"

// Tokens tells what a bearer token that is no key stands for. It must not wait for a
// network.
type Tokens interface {
	// Verify reads a token. The error is an [*Error].
	Verify(token string, now time.Time) (Grant, error)
}

// Grant is what a token stands for: a role, or a key.
type Grant struct {
	// Name is who it is, for logs; Hash, in 64 lower-case hex digits, is the same for
	// the same one.
	Name, Hash string
	// Role is that of a management key, "" if the token stands for a key. Its
	// organisation is the default one.
	Role Role
	// Key is the hash of a key, or the name of one of the configuration.
	Key string
	// ExpiresAt is when the token ends.
	ExpiresAt time.Time
}

// Trusting is the keyring of a gateway that takes tokens as well. It is not open.
func (k *Keyring) Trusting(tokens Tokens) *Keyring {
	trusting := *k
	trusting.closed, trusting.tokens = true, tokens
	return &trusting
}

// granted is the key that a token stands for.
func (k *Keyring) granted(token string, now time.Time) (*Key, error) {
	if k.tokens == nil {
		return nil, &Error{Reason: Unknown}
	}
	grant, err := k.tokens.Verify(token, now)
	if err != nil {
		return nil, err
	}
	if grant.Role != "" {
		return &Key{
			Name: grant.Name, Hash: grant.Hash, Role: grant.Role, Organization: Default, Workspace: Default,
			Token: true, ExpiresAt: grant.ExpiresAt, Limits: Limits{Limit: k.everybody.Limit},
		}, nil
	}
	if key, ok := k.index[grant.Key]; ok {
		return key, nil
	}
	return nil, &Error{Reason: Unmapped}
}
