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
	// HeaderClient is set by the outer route on the request: the client's IP
	// address, which is that of the connection, or, behind trusted proxies, what
	// they say it is.
	HeaderClient = "x-switchyard-client"
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

// The path that an attempt's client asked for, in dynamic metadata that stays in Envoy.
const (
	metadataClient     = "switchyard.client"
	metadataClientPath = "path"
)

// ReplyDetails is how the details of every ImmediateResponse of the processor
// have to begin. It keeps Envoy from replacing the body, as it does with the
// replies it makes of its own accord.
const ReplyDetails = "switchyard"

// Attributes sent to the processor together with response headers.
const (
	// AttributeCodeDetails tells who made the response: DetailsProvider, or one
	// of the other Details when it was Envoy's router.
	AttributeCodeDetails = "response.code_details"
	// AttributeTransportFailure is what went wrong with TCP or TLS, in words of
	// Envoy and BoringSSL; empty or absent otherwise.
	AttributeTransportFailure = "upstream.transport_failure_reason"
)

// Values of AttributeCodeDetails, measured on Envoy 1.40.0 but for connect
// timeouts, HTTP/2 resets and overflow, which are from its source. Those that end in
// an open brace are prefixes: Envoy adds the transport's words.
const (
	// DetailsProvider: the provider has answered, whatever its status.
	DetailsProvider = "via_upstream"
	// DetailsUnknownCluster: 503, Envoy has no cluster of that name (yet).
	DetailsUnknownCluster = "cluster_not_found"
	// DetailsNoHost: 503, the provider's name has no address.
	DetailsNoHost = "no_healthy_upstream"
	// DetailsConnectFailure: 503, no connection, or no TLS session, came about;
	// AttributeTransportFailure has the reason.
	DetailsConnectFailure = "upstream_reset_before_response_started{remote_connection_failure"
	// DetailsConnectTimeout: 503, neither did within the connect timeout.
	DetailsConnectTimeout = "upstream_reset_before_response_started{connection_timeout"
	// DetailsClosed: 503, the provider closed the connection before it answered.
	DetailsClosed = "upstream_reset_before_response_started{connection_termination"
	// DetailsReset: 503, the provider reset the HTTP/2 stream before it answered.
	DetailsReset = "upstream_reset_before_response_started{remote_reset"
	// DetailsNotHTTP: 502, what the provider sent is not HTTP.
	DetailsNotHTTP = "upstream_reset_before_response_started{protocol_error"
	// DetailsOverflow: 503, a circuit breaker of the cluster is open.
	DetailsOverflow = "upstream_reset_before_response_started{overflow"
	// DetailsResponseTimeout: 504, no response headers within the limit set with
	// HeaderResponseTimeout.
	DetailsResponseTimeout = "upstream_per_try_timeout"
)
