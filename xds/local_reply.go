package xds

import (
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"google.golang.org/protobuf/types/known/wrapperspb"

	accesslog "github.com/envoyproxy/go-control-plane/envoy/config/accesslog/v3"
	core "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	cel "github.com/envoyproxy/go-control-plane/envoy/extensions/access_loggers/filters/cel/v3"
	hcm "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/network/http_connection_manager/v3"
)

// localReply is what a client reads when Envoy itself answers with a status.
// The text helps the client and says nothing about what is inside.
type localReply struct {
	status  uint32
	message string
}

func localReplies() []localReply {
	return []localReply{
		{http.StatusBadRequest, "The request is not valid HTTP."},
		{http.StatusForbidden, "This kind of request is not served here."},
		{http.StatusNotFound, "Nothing is served under this path."},
		{http.StatusRequestTimeout, "The request was not received in time. Send it again, and faster."},
		{http.StatusRequestEntityTooLarge, "The request body is too large."},
		{http.StatusUpgradeRequired, "Use HTTP/1.1 or HTTP/2."},
		{http.StatusTooManyRequests, "The gateway is overloaded. Try again in a moment."},
		{http.StatusRequestHeaderFieldsTooLarge, "The request headers are too large."},
		{http.StatusInternalServerError, internalError},
		{http.StatusBadGateway, internalError},
		{http.StatusServiceUnavailable, "The gateway is restarting or overloaded. Try again in a moment."},
		{http.StatusGatewayTimeout, "The request took too long."},
	}
}

// internalError stands for every status whose reason is not the client's: whatever
// happened, Envoy's own words about it are not for clients.
const internalError = "The gateway could not serve the request."

// errorShape is how the clients of some paths read errors.
type errorShape struct {
	paths []string // none stands for every other path
	body  func(status int, message string) []byte
}

// errorShapes are those of the inference paths, the one for all other paths last.
// Paths that are told of everything alike have one.
func errorShapes(in Inputs) []errorShape {
	of := func(path string) errorShape {
		return errorShape{body: func(status int, message string) []byte { return in.ErrorBody(path, status, message) }}
	}
	told := func(shape errorShape) string {
		var all []byte
		for _, reply := range localReplies() {
			all = append(all, shape.body(int(reply.status), reply.message)...)
		}
		return string(all)
	}
	var shapes []errorShape
	others := of("")
	at := map[string]int{told(others): -1}
	for _, path := range slices.Sorted(slices.Values(in.InferencePaths)) {
		shape := of(path)
		key := told(shape)
		if _, known := at[key]; !known {
			at[key] = len(shapes)
			shapes = append(shapes, shape)
		}
		if i := at[key]; i >= 0 {
			shapes[i].paths = append(shapes[i].paths, path)
		}
	}
	return append(shapes, others)
}

// asks is a CEL expression: condition holds, and path, an expression too, is one of the
// shape's.
func (s errorShape) asks(path, condition string) string {
	var exact, ways []string
	for _, one := range s.paths {
		if strings.HasSuffix(one, "/") {
			ways = append(ways, fmt.Sprintf("%s.startsWith(%q)", path, one))
		} else {
			exact = append(exact, strconv.Quote(one))
		}
	}
	if len(exact) > 0 {
		ways = append(ways, fmt.Sprintf("%s in [%s]", path, strings.Join(exact, ", ")))
	}
	switch {
	case len(ways) == 0:
		return condition
	case condition == anyReply:
		return strings.Join(ways, " || ")
	}
	return fmt.Sprintf("%s && (%s)", condition, strings.Join(ways, " || "))
}

// anyReply is a condition that always holds.
const anyReply = "true"

// clientPath is the path that an attempt's client asked for, as a CEL expression. The
// processor overwrites :path by the provider's.
var clientPath = fmt.Sprintf("metadata.filter_metadata[%q][%q]", metadataClient, metadataClientPath)

// ingressReplies gives every answer that Envoy makes for a client the error shape of
// the API that the client speaks, and OpenRouter's where the path tells none.
func (p *packer) ingressReplies(in Inputs) *hcm.LocalReplyConfig {
	return &hcm.LocalReplyConfig{Mappers: p.replies(in, "request.url_path", anyReply)}
}

// attemptReplies does the same for an attempt, but only where the processor has
// not spoken: its own immediate responses are local replies too. A provider that
// breaks off while the processor still holds its response headers is answered by
// Envoy alone, past all filters: only here can such a reply be made to move the
// request on.
func (p *packer) attemptReplies(in Inputs) *hcm.LocalReplyConfig {
	config := &hcm.LocalReplyConfig{}
	for _, shape := range errorShapes(in) {
		config.Mappers = append(config.Mappers, &hcm.ResponseMapper{
			Filter:             p.matching(shape.asks(clientPath, `response.code_details.startsWith("upstream_reset_after_response_started")`)),
			HeadersToAdd:       []*core.HeaderValueOption{{Header: &core.HeaderValue{Key: HeaderFailover, Value: "connect"}}},
			StatusCode:         wrapperspb.UInt32(http.StatusBadGateway),
			BodyFormatOverride: errorBody(shape.body(http.StatusBadGateway, internalError)),
		})
	}
	withoutProcessor := fmt.Sprintf("!response.code_details.startsWith(%q)", ReplyDetails)
	config.Mappers = append(config.Mappers, p.replies(in, clientPath, withoutProcessor)...)
	return config
}

// replies has a mapper for each shape and each status, of replies for which condition
// holds. That and path are CEL expressions.
func (p *packer) replies(in Inputs, path, condition string) []*hcm.ResponseMapper {
	var mappers []*hcm.ResponseMapper
	for _, shape := range errorShapes(in) {
		asks := shape.asks(path, condition)
		for _, reply := range localReplies() {
			mappers = append(mappers, &hcm.ResponseMapper{
				Filter:             p.both(statusIs(accesslog.ComparisonFilter_EQ, reply.status), asks),
				BodyFormatOverride: errorBody(shape.body(int(reply.status), reply.message)),
			})
		}
		mappers = append(mappers, &hcm.ResponseMapper{
			Filter: p.both(statusIs(accesslog.ComparisonFilter_GE, http.StatusBadRequest), asks),
			// So that the body tells the true status.
			StatusCode:         wrapperspb.UInt32(http.StatusInternalServerError),
			BodyFormatOverride: errorBody(shape.body(http.StatusInternalServerError, internalError)),
		})
	}
	return mappers
}

// both asks for expression only if the status fits.
func (p *packer) both(status *accesslog.AccessLogFilter, expression string) *accesslog.AccessLogFilter {
	if expression == anyReply {
		return status
	}
	return &accesslog.AccessLogFilter{FilterSpecifier: &accesslog.AccessLogFilter_AndFilter{
		AndFilter: &accesslog.AndFilter{Filters: []*accesslog.AccessLogFilter{status, p.matching(expression)}},
	}}
}

// matching is a CEL expression over Envoy's attributes.
func (p *packer) matching(expression string) *accesslog.AccessLogFilter {
	return &accesslog.AccessLogFilter{FilterSpecifier: &accesslog.AccessLogFilter_ExtensionFilter{
		ExtensionFilter: &accesslog.ExtensionFilter{
			Name: "envoy.access_loggers.extension_filters.cel",
			ConfigType: &accesslog.ExtensionFilter_TypedConfig{TypedConfig: p.pack(&cel.ExpressionFilter{
				Expression: expression,
			})},
		},
	}}
}

func statusIs(operator accesslog.ComparisonFilter_Op, status uint32) *accesslog.AccessLogFilter {
	return &accesslog.AccessLogFilter{FilterSpecifier: &accesslog.AccessLogFilter_StatusCodeFilter{
		StatusCodeFilter: &accesslog.StatusCodeFilter{Comparison: &accesslog.ComparisonFilter{
			Op: operator,
			// Envoy demands a runtime key; nothing sets this one.
			Value: &core.RuntimeUInt32{DefaultValue: status, RuntimeKey: fmt.Sprintf("switchyard.local_reply.%d", status)},
		}},
	}}
}

// errorBody is a fixed body. Envoy takes a percent sign for a command.
func errorBody(body []byte) *core.SubstitutionFormatString {
	return &core.SubstitutionFormatString{
		ContentType: "application/json",
		Format: &core.SubstitutionFormatString_TextFormatSource{TextFormatSource: &core.DataSource{
			Specifier: &core.DataSource_InlineString{InlineString: strings.ReplaceAll(string(body), "%", "%%")},
		}},
	}
}

// plainErrorBody is the API's error object (OpenRouter's API reference, section "Errors").
func plainErrorBody(_ string, status int, message string) []byte {
	return fmt.Appendf(nil, `{"error":{"code":%d,"message":%q}}`, status, message)
}
