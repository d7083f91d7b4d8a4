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
)

// Error refuses a request for want of a good key: HTTP 401, spec error_type
// "authentication". It never holds what was presented.
type Error struct{ Reason Reason }

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
	}
	return "User not found."
}
