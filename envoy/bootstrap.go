package envoy

import (
	"bytes"
	"encoding/json"
	"fmt"
	"time"

	bootstrapv3 "github.com/envoyproxy/go-control-plane/envoy/config/bootstrap/v3"
	clusterv3 "github.com/envoyproxy/go-control-plane/envoy/config/cluster/v3"
	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	endpointv3 "github.com/envoyproxy/go-control-plane/envoy/config/endpoint/v3"
	internalv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/bootstrap/internal_listener/v3"
	upstreamv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/upstreams/http/v3"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/anypb"
	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/structpb"
	"google.golang.org/protobuf/types/known/wrapperspb"
)

// Sockets are the Unix sockets between Envoy and the gateway. Paths are at most
// 107 bytes long (unix(7)).
type Sockets struct {
	// XDS and Processor are the gateway's; Admin is Envoy's own.
	XDS, Processor, Admin string
}

// longestSocketPath is what fits into a sockaddr_un on Linux.
const longestSocketPath = 107

func (s Sockets) check() error {
	for _, path := range []string{s.XDS, s.Processor, s.Admin} {
		if path == "" || len(path) > longestSocketPath {
			return fmt.Errorf("envoy: socket %q: its path may have at most %d bytes; choose a shorter run directory", path, longestSocketPath)
		}
	}
	return nil
}

// Names of the clusters that the pushed configuration refers to.
const (
	xdsCluster       = "xds"
	processorCluster = "extproc"
)

// Bootstrap renders Envoy's start configuration as JSON. The gateway writes it
// for the Envoy it runs; people who run their own start theirs with it, and set
// what limits their machine needs.
func Bootstrap(sockets Sockets) ([]byte, error) {
	return bootstrap(sockets, limits{connections: mostConnections})
}

func bootstrap(sockets Sockets, limits limits) ([]byte, error) {
	if err := sockets.check(); err != nil {
		return nil, err
	}
	internal, err := packed(&internalv3.InternalListener{})
	if err != nil {
		return nil, fmt.Errorf("envoy: %w", err)
	}
	overload, err := overloadManager(limits)
	if err != nil {
		return nil, err
	}
	xds, err := grpcCluster(xdsCluster, sockets.XDS)
	if err != nil {
		return nil, err
	}
	processor, err := grpcCluster(processorCluster, sockets.Processor)
	if err != nil {
		return nil, err
	}
	overADS := &corev3.ConfigSource{
		ResourceApiVersion:    corev3.ApiVersion_V3,
		ConfigSourceSpecifier: &corev3.ConfigSource_Ads{Ads: &corev3.AggregatedConfigSource{}},
	}
	runtime, err := structpb.NewStruct(map[string]any{
		// At the end of a request the processor sees the stream end, not a reset.
		"envoy.reloadable_features.ext_proc_graceful_grpc_close": true,
	})
	if err != nil {
		return nil, fmt.Errorf("envoy: %w", err)
	}
	config := &bootstrapv3.Bootstrap{
		Node:  &corev3.Node{Id: "switchyard", Cluster: "switchyard"},
		Admin: &bootstrapv3.Admin{Address: pipe(sockets.Admin)},
		StaticResources: &bootstrapv3.Bootstrap_StaticResources{
			Clusters: []*clusterv3.Cluster{processor, xds},
		},
		DynamicResources: &bootstrapv3.Bootstrap_DynamicResources{
			AdsConfig: &corev3.ApiConfigSource{
				ApiType:             corev3.ApiConfigSource_DELTA_GRPC,
				TransportApiVersion: corev3.ApiVersion_V3,
				GrpcServices: []*corev3.GrpcService{{
					TargetSpecifier: &corev3.GrpcService_EnvoyGrpc_{EnvoyGrpc: &corev3.GrpcService_EnvoyGrpc{ClusterName: xdsCluster}},
				}},
			},
			CdsConfig: overADS,
			LdsConfig: overADS,
		},
		LayeredRuntime: &bootstrapv3.LayeredRuntime{Layers: []*bootstrapv3.RuntimeLayer{{
			Name: "static", LayerSpecifier: &bootstrapv3.RuntimeLayer_StaticLayer{StaticLayer: runtime},
		}}},
		BootstrapExtensions: []*corev3.TypedExtensionConfig{{Name: "envoy.bootstrap.internal_listener", TypedConfig: internal}},
		OverloadManager:     overload,
	}
	return render(config)
}

// render writes JSON whose bytes depend on the configuration alone: protojson
// varies its spacing on purpose.
func render(config *bootstrapv3.Bootstrap) ([]byte, error) {
	text, err := protojson.MarshalOptions{UseProtoNames: true}.Marshal(config)
	if err != nil {
		return nil, fmt.Errorf("envoy: %w", err)
	}
	var indented bytes.Buffer
	if err := json.Indent(&indented, text, "", "  "); err != nil {
		return nil, fmt.Errorf("envoy: %w", err)
	}
	return indented.Bytes(), nil
}

// grpcCluster leads to a gRPC server of the gateway. Its circuit breakers are
// out of the way: each request in flight holds one stream, and Envoy's default
// of 1024 would turn every further one into a 500.
func grpcCluster(name, socket string) (*clusterv3.Cluster, error) {
	const many = 1 << 20
	http2 := &corev3.Http2ProtocolOptions{
		// Several connections share the load, and one GOAWAY does not stop all.
		MaxConcurrentStreams:        wrapperspb.UInt32(1024),
		InitialStreamWindowSize:     wrapperspb.UInt32(1 << 20),
		InitialConnectionWindowSize: wrapperspb.UInt32(16 << 20),
		ConnectionKeepalive: &corev3.KeepaliveSettings{
			Interval: durationpb.New(30 * time.Second), Timeout: durationpb.New(20 * time.Second),
		},
	}
	options, err := packed(&upstreamv3.HttpProtocolOptions{
		UpstreamProtocolOptions: &upstreamv3.HttpProtocolOptions_ExplicitHttpConfig_{ExplicitHttpConfig: &upstreamv3.HttpProtocolOptions_ExplicitHttpConfig{
			ProtocolConfig: &upstreamv3.HttpProtocolOptions_ExplicitHttpConfig_Http2ProtocolOptions{Http2ProtocolOptions: http2},
		}},
	})
	if err != nil {
		return nil, err
	}
	return &clusterv3.Cluster{
		Name:                          name,
		ClusterDiscoveryType:          &clusterv3.Cluster_Type{Type: clusterv3.Cluster_STATIC},
		ConnectTimeout:                durationpb.New(time.Second),
		TypedExtensionProtocolOptions: map[string]*anypb.Any{"envoy.extensions.upstreams.http.v3.HttpProtocolOptions": options},
		CircuitBreakers: &clusterv3.CircuitBreakers{Thresholds: []*clusterv3.CircuitBreakers_Thresholds{{
			MaxConnections: wrapperspb.UInt32(many), MaxPendingRequests: wrapperspb.UInt32(many),
			MaxRequests: wrapperspb.UInt32(many), MaxRetries: wrapperspb.UInt32(many),
		}}},
		LoadAssignment: &endpointv3.ClusterLoadAssignment{ClusterName: name, Endpoints: []*endpointv3.LocalityLbEndpoints{{
			LbEndpoints: []*endpointv3.LbEndpoint{{
				HostIdentifier: &endpointv3.LbEndpoint_Endpoint{Endpoint: &endpointv3.Endpoint{Address: pipe(socket)}},
			}},
		}}},
	}, nil
}

func packed(message proto.Message) (*anypb.Any, error) {
	any, err := anypb.New(message)
	if err != nil {
		return nil, fmt.Errorf("envoy: %w", err)
	}
	return any, nil
}

func pipe(path string) *corev3.Address {
	return &corev3.Address{Address: &corev3.Address_Pipe{Pipe: &corev3.Pipe{Path: path}}}
}
