package xds

import (
	"math"
	"net/http"
	"slices"
	"strings"
	"time"

	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/wrapperspb"

	core "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	route "github.com/envoyproxy/go-control-plane/envoy/config/route/v3"
	matcher "github.com/envoyproxy/go-control-plane/envoy/type/matcher/v3"
	percent "github.com/envoyproxy/go-control-plane/envoy/type/v3"
)

const (
	// maxRetries is above any plan: the processor ends a request by leaving the
	// failover header out. The number is a fence against a loop.
	maxRetries = 64
	// failoverBackOff replaces Envoy's 25 ms: the next attempt goes elsewhere,
	// so there is nothing to be spared. 1 ms is the least Envoy accepts.
	failoverBackOff = time.Millisecond
	// apiIdleTimeout ends a call to the API server in which nothing moves.
	apiIdleTimeout = time.Minute
)

// ingressRoutes sends inference to the processor and all else to the API.
func ingressRoutes(in Inputs) *route.RouteConfiguration {
	routes := []*route.Route{oversized(in.MaxRequestBytes)}
	for _, path := range slices.Backward(slices.Sorted(slices.Values(in.InferencePaths))) { // the longest of a kind first
		routes = append(routes, inference(path, in))
	}
	routes = append(routes, &route.Route{
		Name:  ClusterAPI,
		Match: anyPath(),
		Action: &route.Route_Route{Route: &route.RouteAction{
			ClusterSpecifier: &route.RouteAction_Cluster{Cluster: ClusterAPI},
			Timeout:          durationpb.New(0),
			IdleTimeout:      durationpb.New(apiIdleTimeout),
		}},
	})
	return &route.RouteConfiguration{
		Name: ListenerIngress,
		VirtualHosts: []*route.VirtualHost{{
			Name:                       ListenerIngress,
			Domains:                    []string{"*"},
			Routes:                     routes,
			IncludeRequestAttemptCount: true,
			RequestHeadersToAdd:        []*core.HeaderValueOption{overwrite(HeaderClient, "%DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT%")},
		}},
	}
}

// oversized refuses a body by its declared length, before a byte of it is read.
func oversized(maxBytes uint64) *route.Route {
	return &route.Route{
		Name: "oversized",
		Match: &route.RouteMatch{
			PathSpecifier: &route.RouteMatch_Prefix{Prefix: "/"},
			Headers: []*route.HeaderMatcher{{
				Name: "content-length",
				HeaderMatchSpecifier: &route.HeaderMatcher_RangeMatch{RangeMatch: &percent.Int64Range{
					Start: int64(maxBytes) + 1, End: math.MaxInt64, //nolint:gosec // validated to fit 32 bits
				}},
			}},
		},
		Action: &route.Route_DirectResponse{DirectResponse: &route.DirectResponseAction{Status: http.StatusRequestEntityTooLarge}},
	}
}

// inference is the route of one path to the internal listener. A retry happens
// on the processor's word alone (see attemptReplies for where it cannot speak).
// The one exception is the hop itself: when it breaks before the request went
// over, no attempt was made.
func inference(path string, in Inputs) *route.Route {
	action := &route.RouteAction{
		ClusterSpecifier: &route.RouteAction_Cluster{Cluster: ListenerAttempt},
		Timeout:          durationpb.New(0),
		IdleTimeout:      durationpb.New(in.StreamIdleTimeout),
		RetryPolicy: &route.RetryPolicy{
			RetryOn:          "retriable-headers,reset-before-request",
			RetriableHeaders: []*route.HeaderMatcher{present(HeaderFailover)},
			NumRetries:       wrapperspb.UInt32(maxRetries),
			RetryBackOff: &route.RetryPolicy_RetryBackOff{
				BaseInterval: durationpb.New(failoverBackOff),
				MaxInterval:  durationpb.New(2 * failoverBackOff),
			},
		},
	}
	if in.HedgeAfter > 0 {
		action.RetryPolicy.PerTryTimeout = durationpb.New(in.HedgeAfter)
		action.HedgePolicy = &route.HedgePolicy{HedgeOnPerTryTimeout: true}
	}
	match := &route.RouteMatch{
		PathSpecifier: &route.RouteMatch_Path{Path: path},
		Headers:       []*route.HeaderMatcher{exactly(":method", http.MethodPost)},
	}
	if strings.HasSuffix(path, "/") {
		match.PathSpecifier = &route.RouteMatch_Prefix{Prefix: path}
	}
	return &route.Route{
		Name:                   path,
		Match:                  match,
		Action:                 &route.Route_Route{Route: action},
		RequestBodyBufferLimit: wrapperspb.UInt64(in.MaxRequestBytes + replaySlack),
		RequestHeadersToAdd:    []*core.HeaderValueOption{overwrite(HeaderStart, "%START_TIME(%s.%6f)%")},
	}
}

func overwrite(name, value string) *core.HeaderValueOption {
	return &core.HeaderValueOption{
		Header:       &core.HeaderValue{Key: name, Value: value},
		AppendAction: core.HeaderValueOption_OVERWRITE_IF_EXISTS_OR_ADD,
	}
}

// replaySlack lets a chunked body grow a little past the limit, so that the
// processor sees it is too large and says so in the client's dialect. Without
// it Envoy gives up on the replay, and with it on failover, first.
const replaySlack = 1 << 20

// attemptRoutes goes wherever the processor says. It neither retries nor keeps
// time: response headers are limited per request by HeaderResponseTimeout.
func attemptRoutes() *route.RouteConfiguration {
	return &route.RouteConfiguration{
		Name: ListenerAttempt,
		VirtualHosts: []*route.VirtualHost{{
			Name:    ListenerAttempt,
			Domains: []string{"*"},
			// Removed by the router at the very end: what Envoy or the processor
			// added on the way is none of the provider's business.
			RequestHeadersToRemove: []string{
				HeaderCluster, HeaderStart, HeaderClient, HeaderAttempt,
				"x-envoy-expected-rq-timeout-ms", "x-envoy-external-address", "x-envoy-internal",
				"x-forwarded-client-cert", "x-forwarded-for", "x-forwarded-host", "x-forwarded-port",
				"x-forwarded-proto", "x-request-id",
			},
			Routes: []*route.Route{
				{
					Name: "provider",
					Match: &route.RouteMatch{
						PathSpecifier: &route.RouteMatch_Prefix{Prefix: "/"},
						Headers:       []*route.HeaderMatcher{present(HeaderCluster)},
					},
					Action: &route.Route_Route{Route: &route.RouteAction{
						ClusterSpecifier:            &route.RouteAction_ClusterHeader{ClusterHeader: HeaderCluster},
						ClusterNotFoundResponseCode: route.RouteAction_SERVICE_UNAVAILABLE,
						Timeout:                     durationpb.New(0),
					}},
				},
				{
					// Chosen before the processor has spoken, and final only if it
					// never named a cluster.
					Name:   "undecided",
					Match:  anyPath(),
					Action: &route.Route_DirectResponse{DirectResponse: &route.DirectResponseAction{Status: http.StatusInternalServerError}},
				},
			},
		}},
	}
}

func anyPath() *route.RouteMatch {
	return &route.RouteMatch{PathSpecifier: &route.RouteMatch_Prefix{Prefix: "/"}}
}

func present(header string) *route.HeaderMatcher {
	return &route.HeaderMatcher{Name: header, HeaderMatchSpecifier: &route.HeaderMatcher_PresentMatch{PresentMatch: true}}
}

func exactly(header, value string) *route.HeaderMatcher {
	return &route.HeaderMatcher{Name: header, HeaderMatchSpecifier: &route.HeaderMatcher_StringMatch{
		StringMatch: &matcher.StringMatcher{MatchPattern: &matcher.StringMatcher_Exact{Exact: value}},
	}}
}
