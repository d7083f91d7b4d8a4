// Package xds turns the configuration into Envoy resources and serves them.
//
// The package has two halves. [Build] is a pure function from [Inputs] to a
// [Snapshot]: the same inputs give the same bytes, in this process and the
// next. [Server] is the shell around it: a delta ADS server which pushes
// snapshots, follows what every Envoy acknowledges, and returns to the last
// good snapshot when one is refused.
//
// The path of a request through what is built here: the listener "ingress"
// routes inference calls to the cluster "attempt", which is the internal
// listener of the same name. Its connection manager holds the external
// processor and routes by the header [HeaderCluster] to a provider's cluster.
// One retry of the outer route is one attempt at one provider.
package xds

import (
	"cmp"
	"time"
)

// Inputs is everything a snapshot depends on. The zero value of every field
// but Listen and APISocket has a meaning, given with the field.
type Inputs struct {
	// Listen is where the listener "ingress" accepts clients.
	Listen Address

	// TLS is the listener's certificate; nil serves clear text.
	TLS *ServerTLS

	// TrustedHops is the number of proxies in front whose x-forwarded-for
	// entry is believed (Envoy: xff_num_trusted_hops).
	TrustedHops uint32

	// ReusePort lets several Envoys share the port, each with its own socket,
	// as needed for two generations side by side. Off, a second gateway on the
	// same port is refused instead of silently taking half of the connections.
	ReusePort bool

	// MaxRequestBytes is the largest request body, in bytes; 0 means 32 MiB.
	// Envoy keeps up to this much of every request in flight, since each retry
	// replays the body. A declared content-length above it is answered 413 by
	// Envoy; a chunked body above it has to be refused by the processor.
	MaxRequestBytes uint64

	// APISocket is the Unix socket of the API server, which gets every request
	// that is not an inference call.
	APISocket string

	// InferencePaths are the paths, without query, whose POST goes to the
	// processor; one that ends in a slash stands for all below it. Any other
	// method on them goes to the API server.
	InferencePaths []string

	// ErrorBody writes an error that Envoy makes itself as the clients of an
	// inference path read it; path "" is every other one. It has to be pure, and of
	// paths that lie below one another tell the same. Nil writes OpenRouter's error
	// object for all.
	ErrorBody func(path string, status int, message string) []byte

	// HedgeAfter races the next candidate against one that has not sent
	// response headers for so long; 0 turns hedging off.
	HedgeAfter time.Duration

	// StreamIdleTimeout ends a request on which nothing moved in either
	// direction; 0 means 5 minutes. It has to exceed the time for which the
	// processor may hold response headers.
	StreamIdleTimeout time.Duration

	// MaxStreamDuration is the hard limit for one request with all its
	// attempts; 0 means 1 hour.
	MaxStreamDuration time.Duration

	// RequestTimeout is how long a client may take to send its whole request;
	// 0 means 5 minutes.
	RequestTimeout time.Duration

	// NoAccessLog leaves out both access logs.
	NoAccessLog bool

	// SystemCAFile is the bundle for upstreams which name none of their own.
	// It is an input since Build reads no disk; see [FindSystemCAFile].
	SystemCAFile string

	// Clusters are the provider sites, in any order.
	Clusters []Cluster
}

// Address is a TCP address to listen on.
type Address struct {
	Host string // an IP address
	Port uint32 // 0 to 65535; 0 lets the kernel choose
}

// ServerTLS is the certificate chain of the listener and its private key, in PEM.
// They are content and no file names: Envoy watches a file for renames alone, and a
// name that stays the same is nothing to push.
type ServerTLS struct {
	CertificatePEM []byte
	KeyPEM         []byte
	MinVersion     TLSVersion // the zero value is TLS 1.2
}

// TLSVersion is the lowest protocol version a listener speaks.
type TLSVersion int

// The versions a listener may be limited to.
const (
	TLS12 TLSVersion = iota
	TLS13
)

// Cluster is one provider site: a host to which attempts are routed by name.
type Cluster struct {
	// Name is the value the processor puts into [HeaderCluster]: letters,
	// digits, and any of - _ . / at most 128 of them.
	Name string

	// Host is a DNS name or an IP address without brackets; Port 1 to 65535.
	Host string
	Port uint32

	// TLS is nil for clear text.
	TLS *UpstreamTLS

	// Protocol chooses the HTTP version.
	Protocol Protocol

	// Spread makes every address of Host a host of its own, with requests
	// balanced among them and failing ones ejected for a while: right for a
	// headless service with one address per replica. Off, all addresses are
	// one site, tried in turn until one connects (RFC 8305).
	Spread bool

	// ConnectTimeout covers TCP and TLS together; 0 means 5 seconds.
	ConnectTimeout time.Duration
}

// UpstreamTLS is how a provider's certificate is checked.
type UpstreamTLS struct {
	// ServerName is sent as SNI and has to be in the certificate; empty means
	// the cluster's host.
	ServerName string

	// AuthoritiesPEM are the trusted authorities; empty means Inputs.SystemCAFile.
	// Other authorities are another cluster to Envoy: it finishes what is under way
	// on the connections that the old ones vouched for, and takes them for no more.
	AuthoritiesPEM []byte
}

// Protocol is the HTTP version spoken to a provider.
type Protocol int

const (
	// ProtocolAuto negotiates HTTP/2 or HTTP/1.1 by ALPN over TLS, and speaks
	// HTTP/1.1 in clear text.
	ProtocolAuto Protocol = iota
	// ProtocolHTTP1 speaks HTTP/1.1 only.
	ProtocolHTTP1
	// ProtocolHTTP2 speaks HTTP/2 only, with prior knowledge in clear text.
	ProtocolHTTP2
)

// Defaults for zero fields of Inputs and Cluster.
const (
	defaultMaxRequestBytes   = 32 << 20
	defaultStreamIdleTimeout = 5 * time.Minute
	defaultMaxStreamDuration = time.Hour
	defaultRequestTimeout    = 5 * time.Minute
	defaultConnectTimeout    = 5 * time.Second
)

// Keeping returns the inputs with those clusters of old added which in does
// not name. A reload pushes this union first, moves the planner over, and
// pushes in alone once the last request that may name an old cluster is over:
// Envoy then never sees a request for a cluster it does not have.
func (in Inputs) Keeping(old Inputs) Inputs {
	named := make(map[string]bool, len(in.Clusters))
	for _, cluster := range in.Clusters {
		named[cluster.Name] = true
	}
	union := append([]Cluster(nil), in.Clusters...)
	for _, cluster := range old.Clusters {
		if !named[cluster.Name] {
			union = append(union, cluster)
		}
	}
	in.Clusters = union
	// What is kept needs the bundle, even if nothing else in it does any more.
	in.SystemCAFile = cmp.Or(in.SystemCAFile, old.SystemCAFile)
	return in
}

func (in Inputs) withDefaults() Inputs {
	if in.MaxRequestBytes == 0 {
		in.MaxRequestBytes = defaultMaxRequestBytes
	}
	if in.ErrorBody == nil {
		in.ErrorBody = plainErrorBody
	}
	in.StreamIdleTimeout = orDefault(in.StreamIdleTimeout, defaultStreamIdleTimeout)
	in.MaxStreamDuration = orDefault(in.MaxStreamDuration, defaultMaxStreamDuration)
	in.RequestTimeout = orDefault(in.RequestTimeout, defaultRequestTimeout)
	return in
}

func orDefault(duration, fallback time.Duration) time.Duration {
	if duration == 0 {
		return fallback
	}
	return duration
}
