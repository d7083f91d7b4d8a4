package xds

import (
	"net/http"
	"time"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/wrapperspb"

	mutation "github.com/envoyproxy/go-control-plane/envoy/config/common/mutation_rules/v3"
	core "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	processor "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/http/ext_proc/v3"
	headers "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/http/header_mutation/v3"
	tometadata "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/http/header_to_metadata/v3"
	router "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/http/router/v3"
	hcm "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/network/http_connection_manager/v3"
	early "github.com/envoyproxy/go-control-plane/envoy/extensions/http/early_header_mutation/header_mutation/v3"
	matcher "github.com/envoyproxy/go-control-plane/envoy/type/matcher/v3"
	status "github.com/envoyproxy/go-control-plane/envoy/type/v3"
)

func (p *packer) httpFilter(name string, config proto.Message) *hcm.HttpFilter {
	return &hcm.HttpFilter{Name: name, ConfigType: &hcm.HttpFilter_TypedConfig{TypedConfig: p.pack(config)}}
}

// externalProcessor is the Go side of every attempt: one gRPC stream, full
// duplex in both directions.
func (p *packer) externalProcessor() *hcm.HttpFilter {
	return p.httpFilter("envoy.filters.http.ext_proc", &processor.ExternalProcessor{
		GrpcService: &core.GrpcService{
			TargetSpecifier: &core.GrpcService_EnvoyGrpc_{EnvoyGrpc: &core.GrpcService_EnvoyGrpc{ClusterName: ClusterProcessor}},
			Timeout:         durationpb.New(0), // the stream lives as long as the attempt
		},
		ProcessingMode: &processor.ProcessingMode{
			RequestHeaderMode:  processor.ProcessingMode_SEND,
			RequestBodyMode:    processor.ProcessingMode_FULL_DUPLEX_STREAMED,
			RequestTrailerMode: processor.ProcessingMode_SEND, // full duplex demands it
			ResponseHeaderMode: processor.ProcessingMode_SEND,
			ResponseBodyMode:   processor.ProcessingMode_FULL_DUPLEX_STREAMED,

			ResponseTrailerMode: processor.ProcessingMode_SEND,
		},
		// Not applied in full duplex: every wait needs a deadline in Go.
		MessageTimeout: durationpb.New(5 * time.Second),
		MutationRules: &mutation.HeaderMutationRules{
			AllowAllRouting: wrapperspb.Bool(true),
			AllowEnvoy:      wrapperspb.Bool(true),
			// A mutation that was dropped in silence would be a request at the
			// wrong provider, or without its credentials.
			DisallowIsError: wrapperspb.Bool(true),
		},
		// Some providers refuse chunked uploads. The processor sets the exact
		// value, as it has the whole body by then.
		AllowContentLengthHeader: true,
		// Never fail open: that would be a request without a key's check.
		FailureModeAllow:   false,
		StatusOnError:      &status.HttpStatus{Code: http.StatusServiceUnavailable},
		ResponseAttributes: []string{AttributeCodeDetails, AttributeTransportFailure},
		MetadataOptions: &processor.MetadataOptions{
			ReceivingNamespaces: &processor.MetadataOptions_MetadataNamespaces{Untyped: []string{MetadataNamespace}},
		},
	})
}

// clientPathKeeper notes the path that the client asked for, without its query, for
// errors that Envoy has to tell without the processor. See clientPath.
func (p *packer) clientPathKeeper() *hcm.HttpFilter {
	return p.httpFilter("envoy.filters.http.header_to_metadata", &tometadata.Config{RequestRules: []*tometadata.Config_Rule{{
		Header: ":path",
		OnHeaderPresent: &tometadata.Config_KeyValuePair{
			MetadataNamespace: metadataClient,
			Key:               metadataClientPath,
			RegexValueRewrite: &matcher.RegexMatchAndSubstitute{Pattern: &matcher.RegexMatcher{Regex: `\?.*`}},
		},
	}}})
}

// responseCleaner removes from responses what is meant for Envoy or for the
// processor alone.
func (p *packer) responseCleaner(prefixes ...string) *hcm.HttpFilter {
	var mutations []*mutation.HeaderMutation
	for _, prefix := range prefixes {
		mutations = append(mutations, removePrefix(prefix))
	}
	return p.httpFilter("envoy.filters.http.header_mutation", &headers.HeaderMutation{
		Mutations: &headers.Mutations{ResponseMutations: mutations},
	})
}

// clientHeaderRemoval runs before anything else reads the request: a client
// cannot set retries, timeouts, clusters, or the id of its request.
func (p *packer) clientHeaderRemoval() []*core.TypedExtensionConfig {
	return []*core.TypedExtensionConfig{{
		Name: "envoy.http.early_header_mutation.header_mutation",
		TypedConfig: p.pack(&early.HeaderMutation{Mutations: []*mutation.HeaderMutation{
			removePrefix(prefixEnvoy), removePrefix(prefixSwitchyard), removePrefix("x-request-id"),
		}}),
	}}
}

func removePrefix(prefix string) *mutation.HeaderMutation {
	return &mutation.HeaderMutation{Action: &mutation.HeaderMutation_RemoveOnMatch_{
		RemoveOnMatch: &mutation.HeaderMutation_RemoveOnMatch{KeyMatcher: &matcher.StringMatcher{
			MatchPattern: &matcher.StringMatcher_Prefix{Prefix: prefix},
			IgnoreCase:   true,
		}},
	}}
}

// router keeps Envoy's own headers to itself, towards clients and providers.
func (p *packer) router() *hcm.HttpFilter {
	return p.httpFilter("envoy.filters.http.router", &router.Router{SuppressEnvoyHeaders: true})
}
