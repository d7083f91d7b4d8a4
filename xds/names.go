package xds

// Names of the resources that exist once, whatever the configuration.
const (
	// ListenerIngress is the listener and route configuration clients meet.
	ListenerIngress = "ingress"
	// ListenerAttempt is the internal listener, its route configuration and
	// the cluster that leads to it.
	ListenerAttempt = "attempt"
	// ClusterAPI is the Go server for everything that is not inference.
	ClusterAPI = "api"
	// ClusterProcessor is the external processor. It is in the bootstrap, not
	// in a snapshot: changing it over CDS would end every stream in flight.
	ClusterProcessor = "extproc"
	// ClusterControlPlane is the ADS server itself, in the bootstrap too.
	ClusterControlPlane = "xds"

	secretIngress = "ingress"
)

// Headers between Envoy and the processor. None of them reaches a client or a
// provider, and none is believed from outside: both prefixes are removed from
// client requests, provider responses and client responses.
const (
	// HeaderCluster is set by the processor on the request: the name of the
	// cluster for this attempt.
	HeaderCluster = "x-switchyard-cluster"
	// HeaderFailover is set by the processor on a response, with any value:
	// this attempt failed, retry with the next candidate.
	HeaderFailover = "x-switchyard-failover"
	// HeaderStart is set by the outer route on the request: when the client's
	// request began, in seconds since the epoch with six decimals. Every
	// attempt of one request sees the same value.
	HeaderStart = "x-switchyard-start"
	// HeaderAttempt is set by the outer router on the request: the number of
	// the attempt, counted from 1.
	HeaderAttempt = "x-envoy-attempt-count"
	// HeaderResponseTimeout is set by the processor on the request: for how
	// many milliseconds the inner router waits for response headers once the
	// request is sent. The stream that follows may take any time.
	HeaderResponseTimeout = "x-envoy-upstream-rq-per-try-timeout-ms"

	prefixEnvoy      = "x-envoy-"
	prefixSwitchyard = "x-switchyard-"
)

// MetadataNamespace is the only dynamic metadata of the processor that Envoy
// keeps. The attempt's access log reads its fields; see accessLogAttempt.
const MetadataNamespace = "switchyard"

// Attributes sent to the processor together with response headers. They tell a
// reply made by Envoy itself from one of the provider.
const (
	AttributeCodeDetails      = "response.code_details"
	AttributeFlags            = "response.flags"
	AttributeTransportFailure = "upstream.transport_failure_reason"
)
