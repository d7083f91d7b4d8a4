package xds

import (
	"time"

	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/wrapperspb"

	core "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	hcm "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/network/http_connection_manager/v3"
)

// Limits for clients; see Envoy's "Configuring Envoy as an edge proxy".
const (
	clientHeaderKilobytes   = 64 // cookies and long bearer tokens included
	clientHeaderTimeout     = 10 * time.Second
	clientConnectionIdle    = 5 * time.Minute
	clientConcurrentStreams = 100
	clientStreamWindow      = 256 << 10
	clientConnectionWindow  = 1 << 20
)

// Limits of the internal hop: above the client's, so that no request passes
// the first manager only to be refused by the second.
const (
	hopHeaderKilobytes = 96
	hopHeaders         = 200
)

// ingressManager faces the client: it terminates HTTP, enforces limits, writes
// one access log line per request, and retries.
func (p *packer) ingressManager(in Inputs) *hcm.HttpConnectionManager {
	return &hcm.HttpConnectionManager{
		StatPrefix:     ListenerIngress,
		CodecType:      hcm.HttpConnectionManager_AUTO,
		RouteSpecifier: routesOverADS(ListenerIngress),
		HttpFilters:    []*hcm.HttpFilter{p.responseCleaner(prefixEnvoy, prefixSwitchyard), p.router()},

		UseRemoteAddress:              wrapperspb.Bool(true),
		XffNumTrustedHops:             in.TrustedHops,
		EarlyHeaderMutationExtensions: p.clientHeaderRemoval(),
		// The processor and the routes have to read one and the same path.
		NormalizePath: wrapperspb.Bool(true),
		MergeSlashes:  true,
		// SDKs ask for /models/author%2Fslug. Routes are exact paths and one
		// prefix, so an escaped slash leads nowhere else.
		PathWithEscapedSlashesAction: hcm.HttpConnectionManager_KEEP_UNCHANGED,
		AlwaysSetRequestIdInResponse: true,

		MaxRequestHeadersKb:   wrapperspb.UInt32(clientHeaderKilobytes),
		RequestHeadersTimeout: durationpb.New(clientHeaderTimeout),
		RequestTimeout:        durationpb.New(in.RequestTimeout),
		StreamIdleTimeout:     durationpb.New(in.StreamIdleTimeout),
		CommonHttpProtocolOptions: &core.HttpProtocolOptions{
			IdleTimeout:       durationpb.New(clientConnectionIdle),
			MaxStreamDuration: durationpb.New(in.MaxStreamDuration),
			// Behind many servers x_api_key and x-api-key are the same header.
			HeadersWithUnderscoresAction: core.HttpProtocolOptions_DROP_HEADER,
		},
		Http2ProtocolOptions: &core.Http2ProtocolOptions{
			MaxConcurrentStreams:        wrapperspb.UInt32(clientConcurrentStreams),
			InitialStreamWindowSize:     wrapperspb.UInt32(clientStreamWindow),
			InitialConnectionWindowSize: wrapperspb.UInt32(clientConnectionWindow),
			// One bad request answers 400 and leaves its neighbours alone.
			OverrideStreamErrorOnInvalidHttpMessage: wrapperspb.Bool(true),
		},
		LocalReplyConfig: p.ingressReplies(in),
		AccessLog:        p.accessLog(in, requestLogFields()),
		ServerName:       "switchyard",
	}
}

// attemptManager is passed once per attempt. It trusts what it gets, since only
// ingressManager can reach it, and it keeps no clock of its own: the outer
// manager and the processor end an attempt.
func (p *packer) attemptManager(in Inputs) *hcm.HttpConnectionManager {
	return &hcm.HttpConnectionManager{
		StatPrefix:     ListenerAttempt,
		CodecType:      hcm.HttpConnectionManager_HTTP1,
		RouteSpecifier: routesOverADS(ListenerAttempt),
		// The cleaner stands between the router and the processor: a provider
		// cannot speak to Envoy. What the processor answers before the request
		// went on passes the cleaner too, so that our own headers have to stay;
		// a provider's are replaced by the processor like all that it sends.
		HttpFilters: []*hcm.HttpFilter{p.clientPathKeeper(), p.externalProcessor(), p.responseCleaner(prefixEnvoy), p.router()},

		UseRemoteAddress:          wrapperspb.Bool(false),
		SkipXffAppend:             true,
		GenerateRequestId:         wrapperspb.Bool(false),
		PreserveExternalRequestId: true,

		MaxRequestHeadersKb: wrapperspb.UInt32(hopHeaderKilobytes),
		StreamIdleTimeout:   durationpb.New(0),
		// Nothing is lost on the way over the hop, so that a stream which breaks
		// off need not linger for its last bytes, by default for a second.
		DelayedCloseTimeout: durationpb.New(0),
		CommonHttpProtocolOptions: &core.HttpProtocolOptions{
			MaxHeadersCount: wrapperspb.UInt32(hopHeaders),
		},
		LocalReplyConfig: p.attemptReplies(in),
		AccessLog:        p.accessLog(in, attemptLogFields()),
		ServerName:       "switchyard",
	}
}

func routesOverADS(name string) *hcm.HttpConnectionManager_Rds {
	return &hcm.HttpConnectionManager_Rds{Rds: &hcm.Rds{
		RouteConfigName: name,
		ConfigSource:    overADS(),
	}}
}

func overADS() *core.ConfigSource {
	return &core.ConfigSource{
		ResourceApiVersion:    core.ApiVersion_V3,
		ConfigSourceSpecifier: &core.ConfigSource_Ads{Ads: &core.AggregatedConfigSource{}},
	}
}
