package health

// Class is a kind of failed attempt.
type Class uint8

// The classes, in the order of an attempt: from the connection to the answer.
const (
	// None: the attempt did not fail.
	None Class = iota
	// Connect: connection refused or reset, DNS, TLS, or no healthy host.
	Connect
	// Authentication: the provider refused the gateway's own credential.
	Authentication
	// NotFound: the provider does not know the model.
	NotFound
	// Timeout: no connection, response headers or first token in time, or 408.
	Timeout
	// RateLimited: the provider answered 429. It is up, and says so.
	RateLimited
	// ServerError: the provider answered 5xx.
	ServerError
	// BadAnswer: an error inside a 200, an empty answer, or an unreadable one.
	BadAnswer
	// BadRequest: the client's own fault, which says nothing of the provider.
	BadRequest
)

var classNames = [...]string{
	None:           "none",
	Connect:        "connect",
	Authentication: "authentication",
	NotFound:       "not_found",
	Timeout:        "timeout",
	RateLimited:    "rate_limited",
	ServerError:    "server_error",
	BadAnswer:      "bad_answer",
	BadRequest:     "bad_request",
}

// String is the class in snake case. Metric labels use it: keep the names.
func (c Class) String() string {
	if int(c) < len(classNames) {
		return classNames[c]
	}
	return "unknown"
}

// coolsDown reports whether an endpoint is left alone for a while after a failure of
// this class.
func (c Class) coolsDown() bool {
	return c != None && c != BadRequest
}
