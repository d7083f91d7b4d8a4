package extproc

import (
	"strings"

	"github.com/switchyard/switchyard/policies/health"
)

// verdict is what becomes of a request whose attempt failed.
type verdict uint8

const (
	// next: try the next candidate.
	next verdict = iota
	// final: the client is told.
	final
	// inBand: the client has part of the answer; it is told inside the stream.
	inBand
)

// judge is the whole failover policy: a pure function of what failed and of
// where the request stands. elsewhere says that what was refused as a bad request
// another candidate may take: one of another model where a provider refused (a prompt
// that is too long, for example; spec section 3.3), any one where the provider could
// not be given the request.
func judge(class health.Class, committed, last, elsewhere bool, stopOn map[health.Class]bool) verdict {
	switch {
	case committed:
		return inBand
	case class == health.BadRequest && !elsewhere, class == health.None, last, stopOn[class]:
		return final
	default:
		return next
	}
}

// viaUpstream is Envoy's response.code_details for an answer that came from the
// provider itself. Any other value is a local reply of Envoy's router.
const viaUpstream = "via_upstream"

// localFailure explains a local reply of Envoy's router: the provider was not
// reached, or did not answer. Details and transport are Envoy's own words
// (response.code_details, upstream.transport_failure_reason); they may carry
// addresses and are not shown to clients.
func localFailure(details, transport string) *failure {
	f := &failure{class: health.Connect, status: 502, local: strings.TrimSpace(details + " " + transport)}
	switch {
	case strings.Contains(details, "timeout"):
		f.class, f.status = health.Timeout, 504
		f.message = "The provider sent no response headers in time."
	case strings.HasPrefix(details, "no_healthy_upstream"):
		f.status = 503
		f.message = "The provider has no healthy host, or its name cannot be resolved."
	case strings.HasPrefix(details, "cluster_not_found"):
		f.status = 503
		f.message = "The provider is not known to Envoy yet."
	case strings.Contains(details, "overflow"):
		f.status = 503
		f.message = "Too many requests are in flight to the provider."
	case strings.Contains(transport, "TLS"), strings.Contains(transport, "CERTIFICATE"):
		f.message = "No trusted TLS connection to the provider could be made."
	case strings.Contains(details, "connection_failure"):
		f.message = "The connection to the provider failed."
	default:
		f.message = "The connection to the provider was lost before it answered."
	}
	return f
}
