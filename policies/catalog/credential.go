package catalog

import "log/slog"

// Credential is a provider's key. It shows itself only to those who call
// [Credential.Reveal]: printed, logged or marshalled it is a placeholder. The
// zero value is no credential.
type Credential struct {
	// Behind a pointer, because fmt prints unexported fields of enclosing types
	// without asking them.
	key *string
}

// NewCredential hides key; an empty key is no credential.
func NewCredential(key string) Credential {
	if key == "" {
		return Credential{}
	}
	return Credential{key: &key}
}

// Reveal returns the key itself, and false if there is none.
func (c Credential) Reveal() (string, bool) {
	if c.key == nil {
		return "", false
	}
	return *c.key, true
}

// String says whether there is a key.
func (c Credential) String() string {
	if c.key == nil {
		return "none"
	}
	return "redacted"
}

// GoString keeps %#v from looking behind the pointer.
func (c Credential) GoString() string { return c.String() }

// LogValue is [Credential.String].
func (c Credential) LogValue() slog.Value { return slog.StringValue(c.String()) }

// MarshalText is [Credential.String].
func (c Credential) MarshalText() ([]byte, error) { return []byte(c.String()), nil }
