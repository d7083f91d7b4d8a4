package envoy_test

import (
	"fmt"
	"maps"
	"strconv"
	"sync"
	"time"

	"google.golang.org/protobuf/types/known/structpb"

	core "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	processor "github.com/envoyproxy/go-control-plane/envoy/service/ext_proc/v3"
	status "github.com/envoyproxy/go-control-plane/envoy/type/v3"

	"github.com/switchyard/switchyard/xds"
)

// candidate is where one attempt goes.
type candidate struct {
	cluster string
	host    string        // authority for the provider
	path    string        // of the provider's request; "" keeps the client's
	timeout time.Duration // for response headers; 0 sets none
	answer  int           // the processor answers itself with this status
}

// script is the plan of every request: candidate k for attempt k.
type script []candidate

// seen is what the processor saw of one attempt.
type seen struct {
	attempt    int
	request    map[string]string
	response   map[string]string
	attributes map[string]string
	ended      error // how the stream ended
}

// scriptedProcessor follows the script and echoes bodies in full duplex.
type scriptedProcessor struct {
	processor.UnimplementedExternalProcessorServer
	script script

	mu       sync.Mutex
	attempts []*seen
}

// all returns what was seen so far, and forgets it.
func (p *scriptedProcessor) all() []seen {
	p.mu.Lock()
	defer p.mu.Unlock()
	var copies []seen
	for _, one := range p.attempts {
		copies = append(copies, *one)
	}
	p.attempts = nil
	return copies
}

func (p *scriptedProcessor) Process(stream processor.ExternalProcessor_ProcessServer) error {
	attempt := &seen{}
	p.mu.Lock()
	p.attempts = append(p.attempts, attempt)
	p.mu.Unlock()
	for {
		request, err := stream.Recv()
		if err != nil {
			p.mu.Lock()
			attempt.ended = err
			p.mu.Unlock()
			return nil
		}
		p.mu.Lock()
		reply := p.answer(attempt, request)
		p.mu.Unlock()
		if reply == nil {
			continue
		}
		if err := stream.Send(reply); err != nil {
			return err
		}
	}
}

func (p *scriptedProcessor) answer(a *seen, request *processor.ProcessingRequest) *processor.ProcessingResponse {
	switch r := request.GetRequest().(type) {
	case *processor.ProcessingRequest_RequestHeaders:
		a.request = flatten(r.RequestHeaders.GetHeaders())
		a.attempt, _ = strconv.Atoi(a.request[xds.HeaderAttempt])
		return p.route(a)
	case *processor.ProcessingRequest_RequestBody:
		return &processor.ProcessingResponse{Response: &processor.ProcessingResponse_RequestBody{
			RequestBody: &processor.BodyResponse{Response: streamed(r.RequestBody)},
		}}
	case *processor.ProcessingRequest_ResponseHeaders:
		a.response = flatten(r.ResponseHeaders.GetHeaders())
		a.attributes = make(map[string]string)
		for name, value := range request.GetAttributes()["envoy.filters.http.ext_proc"].GetFields() {
			a.attributes[name] = fmt.Sprint(value.AsInterface())
		}
		return p.judge(a)
	case *processor.ProcessingRequest_ResponseBody:
		return &processor.ProcessingResponse{Response: &processor.ProcessingResponse_ResponseBody{
			ResponseBody: &processor.BodyResponse{Response: streamed(r.ResponseBody)},
		}}
	case *processor.ProcessingRequest_RequestTrailers:
		return &processor.ProcessingResponse{Response: &processor.ProcessingResponse_RequestTrailers{RequestTrailers: &processor.TrailersResponse{}}}
	case *processor.ProcessingRequest_ResponseTrailers:
		return &processor.ProcessingResponse{Response: &processor.ProcessingResponse_ResponseTrailers{ResponseTrailers: &processor.TrailersResponse{}}}
	}
	return nil
}

// route sends the attempt to its candidate; beyond the last it stays there.
func (p *scriptedProcessor) route(a *seen) *processor.ProcessingResponse {
	chosen := p.script[min(max(a.attempt, 1), len(p.script))-1]
	metadata := &structpb.Struct{Fields: map[string]*structpb.Value{xds.MetadataNamespace: structpb.NewStructValue(&structpb.Struct{
		Fields: map[string]*structpb.Value{
			"request_id": structpb.NewStringValue(a.request["x-request-id"]),
			"provider":   structpb.NewStringValue(chosen.cluster),
			"attempt":    structpb.NewNumberValue(float64(a.attempt)),
			"cost":       structpb.NewNumberValue(0.25),
		},
	})}}
	if chosen.answer != 0 {
		return &processor.ProcessingResponse{DynamicMetadata: metadata, Response: &processor.ProcessingResponse_ImmediateResponse{
			ImmediateResponse: &processor.ImmediateResponse{
				Status:  &status.HttpStatus{Code: status.StatusCode(chosen.answer)},
				Headers: mutation(map[string]string{"content-type": "application/json"}),
				Body:    []byte(`{"said":"by the processor"}`),
				Details: xds.ReplyDetails,
			},
		}}
	}
	headers := map[string]string{xds.HeaderCluster: chosen.cluster}
	if chosen.host != "" {
		headers["host"] = chosen.host
	}
	if chosen.path != "" {
		headers[":path"] = chosen.path
	}
	if chosen.timeout != 0 {
		headers[xds.HeaderResponseTimeout] = strconv.FormatInt(chosen.timeout.Milliseconds(), 10)
	}
	return &processor.ProcessingResponse{DynamicMetadata: metadata, Response: &processor.ProcessingResponse_RequestHeaders{
		RequestHeaders: &processor.HeadersResponse{Response: &processor.CommonResponse{
			HeaderMutation:  mutation(headers),
			ClearRouteCache: true,
		}},
	}}
}

// judge asks for the next candidate on every 5xx while there is one.
func (p *scriptedProcessor) judge(a *seen) *processor.ProcessingResponse {
	headers := map[string]string{}
	if a.response[":status"] >= "500" && a.attempt < len(p.script) {
		headers[xds.HeaderFailover] = "1"
	}
	return &processor.ProcessingResponse{Response: &processor.ProcessingResponse_ResponseHeaders{
		ResponseHeaders: &processor.HeadersResponse{Response: &processor.CommonResponse{HeaderMutation: mutation(headers)}},
	}}
}

func streamed(body *processor.HttpBody) *processor.CommonResponse {
	return &processor.CommonResponse{BodyMutation: &processor.BodyMutation{Mutation: &processor.BodyMutation_StreamedResponse{
		StreamedResponse: &processor.StreamedBodyResponse{Body: body.GetBody(), EndOfStream: body.GetEndOfStream()},
	}}}
}

func mutation(headers map[string]string) *processor.HeaderMutation {
	set := &processor.HeaderMutation{}
	for name, value := range maps.All(headers) {
		set.SetHeaders = append(set.SetHeaders, &core.HeaderValueOption{
			Header:       &core.HeaderValue{Key: name, RawValue: []byte(value)},
			AppendAction: core.HeaderValueOption_OVERWRITE_IF_EXISTS_OR_ADD,
		})
	}
	return set
}

func flatten(headers *core.HeaderMap) map[string]string {
	flat := make(map[string]string)
	for _, header := range headers.GetHeaders() {
		flat[header.GetKey()] = string(header.GetRawValue())
	}
	return flat
}
