package xds

import (
	"cmp"
	"slices"
	"time"

	"google.golang.org/protobuf/types/known/anypb"
	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/wrapperspb"

	cluster "github.com/envoyproxy/go-control-plane/envoy/config/cluster/v3"
	core "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	endpoint "github.com/envoyproxy/go-control-plane/envoy/config/endpoint/v3"
	upstream "github.com/envoyproxy/go-control-plane/envoy/extensions/upstreams/http/v3"
	"github.com/envoyproxy/go-control-plane/pkg/cache/types"
)

const (
	// circuitBreakerLimit takes the place of Envoy's defaults (1024 requests,
	// 3 concurrent retries), which make requests and failovers vanish under
	// load. Limits are the processor's business, where they can be explained.
	circuitBreakerLimit = 100_000
	// responseHeaderKilobytes: real providers send large cookies and policies.
	// The hop to the client allows more, so that nothing is lost on it.
	responseHeaderKilobytes    = 96
	hopResponseHeaderKilobytes = 128
	responseHeaders            = 200
	// apiConnectionIdle has to stay below the API server's own idle timeout,
	// or a request can meet a connection that is just being closed.
	apiConnectionIdle = 30 * time.Second
)

// clusters returns every cluster of the snapshot, sorted by name.
func (p *packer) clusters(in Inputs) []types.Resource {
	all := []*cluster.Cluster{p.attemptCluster(), p.apiCluster(in.APISocket)}
	for _, provider := range in.Clusters {
		all = append(all, p.providerCluster(provider, in.SystemCAFile))
	}
	slices.SortFunc(all, func(a, b *cluster.Cluster) int { return cmp.Compare(a.GetName(), b.GetName()) })
	resources := make([]types.Resource, len(all))
	for i, c := range all {
		resources[i] = c
	}
	return resources
}

// attemptCluster leads to the internal listener. HTTP/1.1 gives each attempt a
// connection of its own, in memory. On a shared HTTP/2 connection attempts
// could hurt each other: a few slow clients would use up its flow-control
// window, and enough hung-up clients would trip Envoy's guard against rapid
// resets, which closes the connection with every stream on it.
func (p *packer) attemptCluster() *cluster.Cluster {
	return &cluster.Cluster{
		Name:                 ListenerAttempt,
		ClusterDiscoveryType: &cluster.Cluster_Type{Type: cluster.Cluster_STATIC},
		ConnectTimeout:       durationpb.New(time.Second),
		LoadAssignment: oneEndpoint(ListenerAttempt, &core.Address{Address: &core.Address_EnvoyInternalAddress{
			EnvoyInternalAddress: &core.EnvoyInternalAddress{
				AddressNameSpecifier: &core.EnvoyInternalAddress_ServerListenerName{ServerListenerName: ListenerAttempt},
			},
		}}),
		CircuitBreakers:               raisedCircuitBreakers(),
		PerConnectionBufferLimitBytes: wrapperspb.UInt32(connectionBufferBytes),
		TypedExtensionProtocolOptions: p.httpOptions(http1Only(), &core.HttpProtocolOptions{
			MaxHeadersCount:      wrapperspb.UInt32(hopHeaders),
			MaxResponseHeadersKb: wrapperspb.UInt32(hopResponseHeaderKilobytes),
		}),
	}
}

// apiCluster is the API server of the same process, on a Unix socket.
func (p *packer) apiCluster(socket string) *cluster.Cluster {
	return &cluster.Cluster{
		Name:                 ClusterAPI,
		ClusterDiscoveryType: &cluster.Cluster_Type{Type: cluster.Cluster_STATIC},
		ConnectTimeout:       durationpb.New(time.Second),
		LoadAssignment: oneEndpoint(ClusterAPI, &core.Address{Address: &core.Address_Pipe{
			Pipe: &core.Pipe{Path: socket},
		}}),
		CircuitBreakers:               raisedCircuitBreakers(),
		PerConnectionBufferLimitBytes: wrapperspb.UInt32(connectionBufferBytes),
		TypedExtensionProtocolOptions: p.httpOptions(http1Only(), &core.HttpProtocolOptions{
			IdleTimeout: durationpb.New(apiConnectionIdle),
		}),
	}
}

// raisedCircuitBreakers is for clusters whose load is limited elsewhere.
func raisedCircuitBreakers() *cluster.CircuitBreakers {
	return &cluster.CircuitBreakers{Thresholds: []*cluster.CircuitBreakers_Thresholds{{
		MaxConnections:     wrapperspb.UInt32(circuitBreakerLimit),
		MaxPendingRequests: wrapperspb.UInt32(circuitBreakerLimit),
		MaxRequests:        wrapperspb.UInt32(circuitBreakerLimit),
		MaxRetries:         wrapperspb.UInt32(circuitBreakerLimit),
	}}}
}

// httpOptions is the cluster's HTTP configuration, in the form Envoy wants it.
func (p *packer) httpOptions(options *upstream.HttpProtocolOptions, common *core.HttpProtocolOptions) map[string]*anypb.Any {
	options.CommonHttpProtocolOptions = common
	return map[string]*anypb.Any{"envoy.extensions.upstreams.http.v3.HttpProtocolOptions": p.pack(options)}
}

func http1Only() *upstream.HttpProtocolOptions {
	return explicitly(&upstream.HttpProtocolOptions_ExplicitHttpConfig{
		ProtocolConfig: &upstream.HttpProtocolOptions_ExplicitHttpConfig_HttpProtocolOptions{
			HttpProtocolOptions: &core.Http1ProtocolOptions{},
		},
	})
}

func explicitly(config *upstream.HttpProtocolOptions_ExplicitHttpConfig) *upstream.HttpProtocolOptions {
	return &upstream.HttpProtocolOptions{
		UpstreamProtocolOptions: &upstream.HttpProtocolOptions_ExplicitHttpConfig_{ExplicitHttpConfig: config},
	}
}

// oneEndpoint puts the endpoint into the cluster itself. With EDS a cluster
// whose endpoints come late would warm for ever.
func oneEndpoint(name string, address *core.Address) *endpoint.ClusterLoadAssignment {
	return &endpoint.ClusterLoadAssignment{
		ClusterName: name,
		Endpoints: []*endpoint.LocalityLbEndpoints{{
			LbEndpoints: []*endpoint.LbEndpoint{{
				HostIdentifier: &endpoint.LbEndpoint_Endpoint{Endpoint: &endpoint.Endpoint{Address: address}},
			}},
		}},
	}
}
