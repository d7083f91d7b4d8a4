package xds

import (
	"google.golang.org/protobuf/types/known/structpb"

	accesslog "github.com/envoyproxy/go-control-plane/envoy/config/accesslog/v3"
	core "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	stream "github.com/envoyproxy/go-control-plane/envoy/extensions/access_loggers/stream/v3"
)

const timeFormat = "%START_TIME(%Y-%m-%dT%H:%M:%S.%3fZ)%"

// requestLogFields is the line for one client request. Times are milliseconds,
// sizes are bytes. The query is left out, since people put secrets there.
func requestLogFields() map[string]string {
	return map[string]string{
		"log":                "request",
		"time":               timeFormat,
		"request_id":         "%REQ(X-REQUEST-ID)%",
		"method":             "%REQ(:METHOD)%",
		"path":               "%PATH(NQ)%",
		"protocol":           "%PROTOCOL%",
		"status":             "%RESPONSE_CODE%",
		"details":            "%RESPONSE_CODE_DETAILS%",
		"flags":              "%RESPONSE_FLAGS%",
		"attempts":           "%UPSTREAM_REQUEST_ATTEMPT_COUNT%",
		"generation_id":      "%RESP(X-GENERATION-ID)%",
		"bytes_received":     "%BYTES_RECEIVED%",
		"bytes_sent":         "%BYTES_SENT%",
		"duration":           "%DURATION%",
		"time_to_first_byte": "%RESPONSE_DURATION%",
		"client":             "%DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT%",
		"user_agent":         "%REQ(USER-AGENT)%",
	}
}

// attemptLogFields is the line for one attempt. What starts with the metadata
// namespace is the processor's word; a field it did not set is null.
func attemptLogFields() map[string]string {
	fields := map[string]string{
		"log":        "attempt",
		"time":       timeFormat,
		"cluster":    "%UPSTREAM_CLUSTER%",
		"upstream":   "%UPSTREAM_HOST%",
		"status":     "%RESPONSE_CODE%",
		"details":    "%RESPONSE_CODE_DETAILS%",
		"flags":      "%RESPONSE_FLAGS%",
		"transport":  "%UPSTREAM_TRANSPORT_FAILURE_REASON%",
		"bytes_sent": "%BYTES_SENT%",
		"duration":   "%DURATION%",
	}
	for _, name := range []string{
		"request_id", "generation_id", "model", "provider", "key", "attempt", "final",
		"prompt_tokens", "completion_tokens", "cost", "outcome", "reason",
	} {
		fields[name] = "%DYNAMIC_METADATA(" + MetadataNamespace + ":" + name + ")%"
	}
	return fields
}

// accessLog writes JSON lines to Envoy's standard output.
func (p *packer) accessLog(in Inputs, fields map[string]string) []*accesslog.AccessLog {
	if in.NoAccessLog {
		return nil
	}
	format := &structpb.Struct{Fields: make(map[string]*structpb.Value, len(fields))}
	for name, operator := range fields {
		format.Fields[name] = structpb.NewStringValue(operator)
	}
	return []*accesslog.AccessLog{{
		Name: "envoy.access_loggers.stdout",
		ConfigType: &accesslog.AccessLog_TypedConfig{TypedConfig: p.pack(&stream.StdoutAccessLog{
			AccessLogFormat: &stream.StdoutAccessLog_LogFormat{LogFormat: &core.SubstitutionFormatString{
				Format: &core.SubstitutionFormatString_JsonFormat{JsonFormat: format},
			}},
		})},
	}}
}
