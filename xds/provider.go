package xds

import (
	"net/netip"
	"time"

	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/wrapperspb"

	cluster "github.com/envoyproxy/go-control-plane/envoy/config/cluster/v3"
	core "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	family "github.com/envoyproxy/go-control-plane/envoy/extensions/clusters/common/dns/v3"
	dns "github.com/envoyproxy/go-control-plane/envoy/extensions/clusters/dns/v3"
	cares "github.com/envoyproxy/go-control-plane/envoy/extensions/network/dns_resolver/cares/v3"
	upstream "github.com/envoyproxy/go-control-plane/envoy/extensions/upstreams/http/v3"
)

// Connections to providers. They are kept for minutes, since the handshake is
// the most expensive part of a short request.
const (
	providerConnectionIdle = 5 * time.Minute
	providerKeepalive      = 30 * time.Second
	providerPingTimeout    = 10 * time.Second

	// Many streams share a connection. Its window holds every stream's whole
	// window several times over, so that readers who have stopped cannot starve
	// the others: Envoy gives credit back only once half of the window is used.
	// What is buffered stays bounded by the windows of the streams.
	providerConcurrentStreams = 100
	providerStreamWindow      = 256 << 10
	providerConnectionWindow  = 4 * providerConcurrentStreams * providerStreamWindow
)

// Name resolution: the record's own lifetime counts within these bounds.
const (
	dnsRefresh        = 30 * time.Second // for records without a lifetime
	dnsMinRefresh     = 5 * time.Second
	dnsFailureRefresh = time.Second
	dnsFailureMax     = 30 * time.Second
	// A cluster is ready once its first query has ended, well or not. Dead name
	// servers must not hold up the start for c-ares' default of 20 s and more.
	dnsQueryTimeout = 2 // seconds
	dnsQueryTries   = 2
)

// providerCluster is one site. It has no health checks, which would cost the
// provider's quota, and no upstream filters: with a response body they crash
// Envoy as soon as a client reads slowly.
func (p *packer) providerCluster(site Cluster, systemCAFile string) *cluster.Cluster {
	c := &cluster.Cluster{
		Name:                          site.Name,
		ConnectTimeout:                durationpb.New(orDefault(site.ConnectTimeout, defaultConnectTimeout)),
		LoadAssignment:                oneEndpoint(site.Name, socketAddress(site.Host, site.Port)),
		CircuitBreakers:               raisedCircuitBreakers(),
		PerConnectionBufferLimitBytes: wrapperspb.UInt32(connectionBufferBytes),
		UpstreamConnectionOptions: &cluster.UpstreamConnectionOptions{TcpKeepalive: &core.TcpKeepalive{
			KeepaliveTime:     wrapperspb.UInt32(uint32(providerKeepalive.Seconds())),
			KeepaliveInterval: wrapperspb.UInt32(uint32(providerPingTimeout.Seconds())),
			KeepaliveProbes:   wrapperspb.UInt32(3),
		}},
		TypedExtensionProtocolOptions: p.httpOptions(providerProtocol(site), &core.HttpProtocolOptions{
			IdleTimeout:          durationpb.New(providerConnectionIdle),
			MaxHeadersCount:      wrapperspb.UInt32(responseHeaders),
			MaxResponseHeadersKb: wrapperspb.UInt32(responseHeaderKilobytes),
		}),
	}
	if _, err := netip.ParseAddr(site.Host); err == nil {
		c.ClusterDiscoveryType = &cluster.Cluster_Type{Type: cluster.Cluster_STATIC}
	} else {
		c.ClusterDiscoveryType = &cluster.Cluster_ClusterType{ClusterType: p.resolved(site.Spread)}
	}
	if site.Spread {
		c.LbPolicy = cluster.Cluster_LEAST_REQUEST
		c.OutlierDetection = ejection()
	}
	if site.TLS != nil {
		c.TransportSocket = p.providerTLS(site, systemCAFile)
	}
	return c
}

// resolved is how the host's name becomes addresses.
//
// Normally all addresses are one endpoint. Envoy then tries them one after the
// other for each connection (Happy Eyeballs), so an IPv6 address on a machine
// without IPv6 costs nothing; and addresses that come and go, as every large
// provider's do, close no connection. With one endpoint per address, each
// unreachable one would fail its share of the requests.
func (p *packer) resolved(spread bool) *cluster.Cluster_CustomClusterType {
	addresses := family.DnsLookupFamily_ALL
	if spread {
		addresses = family.DnsLookupFamily_V4_PREFERRED
	}
	return &cluster.Cluster_CustomClusterType{
		Name: "envoy.cluster.dns",
		TypedConfig: p.pack(&dns.DnsCluster{
			AllAddressesInSingleEndpoint: !spread,
			DnsLookupFamily:              addresses,
			RespectDnsTtl:                true,
			DnsRefreshRate:               durationpb.New(dnsRefresh),
			DnsMinRefreshRate:            durationpb.New(dnsMinRefresh),
			DnsFailureRefreshRate: &dns.DnsCluster_RefreshRate{
				BaseInterval: durationpb.New(dnsFailureRefresh),
				MaxInterval:  durationpb.New(dnsFailureMax),
			},
			TypedDnsResolverConfig: p.extension("envoy.network.dns_resolver.cares", &cares.CaresDnsResolverConfig{
				QueryTimeoutSeconds: wrapperspb.UInt64(dnsQueryTimeout),
				QueryTries:          wrapperspb.UInt32(dnsQueryTries),
			}),
		}),
	}
}

// ejection takes failing replicas out for a while, never more than half of
// them. It is for sites that are spread: with a single endpoint it could only
// turn the provider's own errors into "no healthy upstream", and what to do
// after errors of a whole site is the planner's decision.
func ejection() *cluster.OutlierDetection {
	return &cluster.OutlierDetection{
		SplitExternalLocalOriginErrors: true,
		Consecutive_5Xx:                wrapperspb.UInt32(5),
		ConsecutiveLocalOriginFailure:  wrapperspb.UInt32(3),
		Interval:                       durationpb.New(5 * time.Second),
		BaseEjectionTime:               durationpb.New(10 * time.Second),
		MaxEjectionPercent:             wrapperspb.UInt32(50),
	}
}

func providerProtocol(site Cluster) *upstream.HttpProtocolOptions {
	http2 := &core.Http2ProtocolOptions{
		MaxConcurrentStreams:        wrapperspb.UInt32(providerConcurrentStreams),
		InitialStreamWindowSize:     wrapperspb.UInt32(providerStreamWindow),
		InitialConnectionWindowSize: wrapperspb.UInt32(providerConnectionWindow),
		ConnectionKeepalive: &core.KeepaliveSettings{
			Interval: durationpb.New(providerKeepalive),
			Timeout:  durationpb.New(providerPingTimeout),
		},
	}
	switch {
	case site.Protocol == ProtocolHTTP2:
		return explicitly(&upstream.HttpProtocolOptions_ExplicitHttpConfig{
			ProtocolConfig: &upstream.HttpProtocolOptions_ExplicitHttpConfig_Http2ProtocolOptions{Http2ProtocolOptions: http2},
		})
	case site.Protocol == ProtocolAuto && site.TLS != nil:
		return &upstream.HttpProtocolOptions{UpstreamProtocolOptions: &upstream.HttpProtocolOptions_AutoConfig{
			AutoConfig: &upstream.HttpProtocolOptions_AutoHttpConfig{
				HttpProtocolOptions:  &core.Http1ProtocolOptions{},
				Http2ProtocolOptions: http2,
			},
		}}
	default:
		return http1Only()
	}
}
