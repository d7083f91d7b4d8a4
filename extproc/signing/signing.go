// Package signing proves to providers that requests come from the gateway, where a
// key in a header does not do: the proof depends on the request, or has to be
// fetched first.
package signing

import (
	"context"

	"github.com/switchyard/switchyard/extproc/dialect"
)

// Signer signs requests to one provider. It is safe for concurrent use.
type Signer interface {
	// Sign returns the headers that the request needs besides its own. It may
	// wait for a token, no longer than ctx allows. Its errors hold no secret.
	Sign(ctx context.Context, request Request) ([]dialect.Header, error)
}

// Request is a provider's request with nothing missing but the proof. It must not
// be changed.
type Request struct {
	// Headers include the pseudo-headers (RFC 9113, section 8.3.1). Of a repeated
	// name the last counts.
	Headers []dialect.Header
	Body    []byte
}
