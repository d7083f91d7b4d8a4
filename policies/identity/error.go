package identity

// Reason is why a key was refused.
type Reason uint8

// The reasons. Only the holder of a key learns that it is disabled or expired, or may be
// used from elsewhere alone.
const (
	Missing Reason = iota
	Unknown
	Disabled
	Expired
	Elsewhere
	Unmapped
	// Waiting: it is not known yet what is managed over the API.
	Waiting
	// Unverifiable: the keys of the token's issuer are not known yet.
	Unverifiable
)

// Error refuses a request for want of a good key: HTTP 401, spec error_type
// "authentication"; or, if it is temporary, 503 and "provider_overloaded". It never holds
// what was presented.
type Error struct{ Reason Reason }

// Temporary reports whether the same request may be good a little later.
func (e *Error) Temporary() bool { return e.Reason == Waiting || e.Reason == Unverifiable }

// Error is a sentence for the client (spec section 5.4).
func (e *Error) Error() string {
	switch e.Reason {
	case Missing:
		return "No auth credentials found"
	case Disabled:
		return "This API key is disabled."
	case Expired:
		return "This API key has expired."
	case Unmapped:
		return "No rule of this gateway gives this token a key or a role."
	case Elsewhere:
		return "This API key may not be used from your IP address."
	case Unverifiable:
		return "The gateway has not reached the issuer of this token since it started, and cannot verify it. Try again later."
	case Waiting:
		return "The gateway has not reached its database since it started, and cannot tell what this request may do and spend. Try again later."
	}
	return "User not found."
}
