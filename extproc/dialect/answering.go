package dialect

// Answerer is a client dialect some of whose requests the gateway answers itself.
type Answerer interface {
	// Answer is the whole answer to a request that needs no provider; false leaves the
	// request to one.
	Answer(*Request) ([]byte, bool)
}
