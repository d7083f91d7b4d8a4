package xds

import (
	"fmt"
	"net/http"

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
		{http.StatusServiceUnavailable, "The gateway is restarting or overloaded. Try again in a moment."},
		{http.StatusGatewayTimeout, "The request took too long."},
	}
}

// internalError stands for every status that is not listed: whatever happened,
// Envoy's own words about it are not for clients.
const internalError = "The gateway could not serve the request."

// ingressReplies gives every answer that Envoy makes for a client the API's
// error shape (OpenRouter's API reference, section "Errors").
func ingressReplies() *hcm.LocalReplyConfig {
	config := &hcm.LocalReplyConfig{BodyFormat: errorBody(internalError)}
	for _, reply := range localReplies() {
		config.Mappers = append(config.Mappers, &hcm.ResponseMapper{
			Filter:             statusIs(reply.status),
			BodyFormatOverride: errorBody(reply.message),
		})
	}
	return config
}

// attemptReplies does the same for an attempt, but only where the processor has
// not spoken: its own immediate responses are local replies too. A provider that
// breaks off while the processor still holds its response headers is answered by
// Envoy alone, past all filters: only here can such a reply be made to move the
// request on.
func (p *packer) attemptReplies() *hcm.LocalReplyConfig {
	config := &hcm.LocalReplyConfig{Mappers: []*hcm.ResponseMapper{{
		Filter:             p.matching(`response.code_details.startsWith("upstream_reset_after_response_started")`),
		HeadersToAdd:       []*core.HeaderValueOption{{Header: &core.HeaderValue{Key: HeaderFailover, Value: "connect"}}},
		BodyFormatOverride: errorBody(internalError),
	}}}
	for _, reply := range localReplies() {
		config.Mappers = append(config.Mappers, &hcm.ResponseMapper{
			Filter: &accesslog.AccessLogFilter{FilterSpecifier: &accesslog.AccessLogFilter_AndFilter{AndFilter: &accesslog.AndFilter{
				Filters: []*accesslog.AccessLogFilter{statusIs(reply.status), p.withoutProcessor()},
			}}},
			BodyFormatOverride: errorBody(reply.message),
		})
	}
	config.Mappers = append(config.Mappers, &hcm.ResponseMapper{
		Filter:             p.withoutProcessor(),
		BodyFormatOverride: errorBody(internalError),
	})
	return config
}

// withoutProcessor matches replies that Envoy made of its own accord.
func (p *packer) withoutProcessor() *accesslog.AccessLogFilter {
	return p.matching(fmt.Sprintf("!response.code_details.startsWith(%q)", ReplyDetails))
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

func statusIs(status uint32) *accesslog.AccessLogFilter {
	return &accesslog.AccessLogFilter{FilterSpecifier: &accesslog.AccessLogFilter_StatusCodeFilter{
		StatusCodeFilter: &accesslog.StatusCodeFilter{Comparison: &accesslog.ComparisonFilter{
			Op: accesslog.ComparisonFilter_EQ,
			// Envoy demands a runtime key; nothing sets this one.
			Value: &core.RuntimeUInt32{DefaultValue: status, RuntimeKey: fmt.Sprintf("switchyard.local_reply.%d", status)},
		}},
	}}
}

// errorBody is the API's error object around a fixed message. The message is
// our own text, without quotes or percent signs, so that %q is valid JSON.
func errorBody(message string) *core.SubstitutionFormatString {
	return &core.SubstitutionFormatString{
		ContentType: "application/json",
		Format: &core.SubstitutionFormatString_TextFormatSource{TextFormatSource: &core.DataSource{
			Specifier: &core.DataSource_InlineString{
				InlineString: fmt.Sprintf(`{"error":{"code":%%RESPONSE_CODE%%,"message":%q}}`, message),
			},
		}},
	}
}
