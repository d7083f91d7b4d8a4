package extproc

import (
	"maps"
	"runtime/debug"
	"slices"
	"time"

	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	extprocv3 "github.com/envoyproxy/go-control-plane/envoy/service/ext_proc/v3"
	typev3 "github.com/envoyproxy/go-control-plane/envoy/type/v3"

	"github.com/switchyard/switchyard/extproc/dialect"
)

// largestPiece is the most that Envoy takes in one message of a full-duplex body.
const largestPiece = 64 << 10

// set writes headers over whatever stands there: Envoy's own default is to
// append, and a client could then choose its cluster.
func set(headers []dialect.Header) []*corev3.HeaderValueOption {
	// All of a kind in one piece of memory: this runs twice a request.
	options := make([]*corev3.HeaderValueOption, len(headers))
	pieces := make([]struct {
		option corev3.HeaderValueOption
		header corev3.HeaderValue
	}, len(headers))
	length := 0
	for _, h := range headers {
		length += len(h.Value)
	}
	values := make([]byte, 0, length)
	for i, h := range headers {
		from := len(values)
		values = append(values, h.Value...)
		p := &pieces[i]
		p.header.Key, p.header.RawValue = h.Name, values[from:len(values):len(values)]
		p.option.Header, p.option.AppendAction = &p.header, corev3.HeaderValueOption_OVERWRITE_IF_EXISTS_OR_ADD
		options[i] = &p.option
	}
	return options
}

// removedByRoute are headers that the inner route takes away at the very end.
// Until then Envoy needs them: it finds no route without x-forwarded-proto, and
// the access log shows the request's id.
var removedByRoute = map[string]bool{"x-forwarded-proto": true, "x-request-id": true}

// replace takes away every header of old and sets those of next instead.
// Pseudo-headers and host can be set but not removed.
func replace(old map[string]string, next []dialect.Header) *extprocv3.HeaderMutation {
	remove := make([]string, 0, len(old))
	for name := range old {
		kept := slices.ContainsFunc(next, func(h dialect.Header) bool { return h.Name == name }) // a dozen
		if name[0] != ':' && name != "host" && !kept {
			remove = append(remove, name)
		}
	}
	return &extprocv3.HeaderMutation{SetHeaders: set(next), RemoveHeaders: remove}
}

// requestHeaders replaces a client's headers by a provider's.
func requestHeaders(client map[string]string, provider []dialect.Header) *extprocv3.ProcessingResponse {
	mutation := replace(client, provider)
	mutation.RemoveHeaders = slices.DeleteFunc(mutation.RemoveHeaders, func(name string) bool { return removedByRoute[name] })
	return &extprocv3.ProcessingResponse{Response: &extprocv3.ProcessingResponse_RequestHeaders{
		RequestHeaders: &extprocv3.HeadersResponse{Response: &extprocv3.CommonResponse{
			HeaderMutation:  mutation,
			ClearRouteCache: true,
		}},
	}}
}

// responseHeaders replaces a provider's headers by the gateway's.
func responseHeaders(provider map[string]string, client []dialect.Header) *extprocv3.ProcessingResponse {
	return &extprocv3.ProcessingResponse{Response: &extprocv3.ProcessingResponse_ResponseHeaders{
		ResponseHeaders: &extprocv3.HeadersResponse{Response: &extprocv3.CommonResponse{
			HeaderMutation: replace(provider, client),
		}},
	}}
}

func body(piece []byte, end bool) *extprocv3.BodyResponse {
	return &extprocv3.BodyResponse{Response: &extprocv3.CommonResponse{
		BodyMutation: &extprocv3.BodyMutation{Mutation: &extprocv3.BodyMutation_StreamedResponse{
			StreamedResponse: &extprocv3.StreamedBodyResponse{Body: piece, EndOfStream: end},
		}},
	}}
}

func requestBody(piece []byte, end bool) *extprocv3.ProcessingResponse {
	return &extprocv3.ProcessingResponse{Response: &extprocv3.ProcessingResponse_RequestBody{RequestBody: body(piece, end)}}
}

func responseBody(piece []byte, end bool) *extprocv3.ProcessingResponse {
	return &extprocv3.ProcessingResponse{Response: &extprocv3.ProcessingResponse_ResponseBody{ResponseBody: body(piece, end)}}
}

func requestTrailers() *extprocv3.ProcessingResponse {
	return &extprocv3.ProcessingResponse{Response: &extprocv3.ProcessingResponse_RequestTrailers{RequestTrailers: &extprocv3.TrailersResponse{}}}
}

// pieces cuts a body into messages that Envoy takes. With end, the last one,
// possibly empty, ends the stream.
func pieces(whole []byte, end bool, send func(piece []byte, last bool) error) error {
	for len(whole) > largestPiece {
		if err := send(whole[:largestPiece], false); err != nil {
			return err
		}
		whole = whole[largestPiece:]
	}
	if len(whole) == 0 && !end {
		return nil
	}
	return send(whole, end)
}

// answerError ends the attempt with an error response. With failover, Envoy's
// outer router does not show it to the client but starts the next attempt; the
// body is complete all the same, for the case that it cannot.
func (a *attempt) answerError(told *dialect.Error, failover string) error {
	a.takeUpload()
	var headers []dialect.Header
	if failover != "" {
		headers = append(headers, dialect.Header{Name: headerFailover, Value: failover})
	}
	headers = append(headers, retryHeaders(told)...)
	headers = append(headers, a.crossOrigin()...)
	a.sendLocal(told.Status, a.renderError(told), headers)
	return nil
}

// sendLocal answers the client with JSON that no provider made.
func (a *attempt) sendLocal(status int, body []byte, headers []dialect.Header) {
	a.sendAtOnce(status, body, append(headers, dialect.Header{Name: "content-type", Value: "application/json"}))
}

// sendAtOnce answers the client before any provider is asked.
func (a *attempt) sendAtOnce(status int, body []byte, headers []dialect.Header) {
	message := &extprocv3.ProcessingResponse{
		DynamicMetadata: a.metadata(),
		Response: &extprocv3.ProcessingResponse_ImmediateResponse{ImmediateResponse: &extprocv3.ImmediateResponse{
			Status:  &typev3.HttpStatus{Code: typev3.StatusCode(status)},
			Headers: &extprocv3.HeaderMutation{SetHeaders: set(headers)},
			Body:    body,
			Details: "switchyard",
		}},
	}
	// The client may be gone; there is nobody to report that to.
	_ = a.stream.Send(message)
}

// takeUpload takes the rest of a request that is turned away. An answer before its end
// makes Envoy close the hop between its listeners, and while the other side still
// writes there the answer is lost: one in thirty clients read 503 instead of 401
// (measured on 1.40.0). Nothing of it is kept. What an upload still sends after the
// largest of bodies or a long while is not waited for.
func (a *attempt) takeUpload() {
	const (
		largest  = 64 << 20
		patience = 10 * time.Second
	)
	deadline := time.NewTimer(patience)
	defer deadline.Stop()
	for size := 0; !a.uploaded && size <= largest; {
		message, err := a.next(deadline.C)
		if err != nil {
			return
		}
		size += len(message.GetRequestBody().GetBody())
		a.uploaded = message.GetRequestBody().GetEndOfStream() || message.GetRequestTrailers() != nil
	}
}

// renderError writes an error in the client's dialect. Without a client dialect
// (the path was not read yet) the gateway's own shape serves.
func (a *attempt) renderError(told *dialect.Error) []byte {
	if a.client == nil {
		return []byte(`{"error":{"code":500,"message":"Internal Server Error"}}`)
	}
	if len(a.plan.Candidates) > 0 {
		routed := *told
		if len(a.files) > 0 { // which need not be read again (spec section 4.9)
			routed.Metadata = maps.Clone(told.Metadata)
			if routed.Metadata == nil {
				routed.Metadata = make(map[string]any, 1)
			}
			routed.Metadata["file_annotations"] = a.annotations()
		}
		routed.GenerationID = a.generationID()
		told = &routed
	}
	return a.client.Error(told)
}

// answerPanic is the last word of an attempt whose code is wrong. If the client
// has part of the answer, the stream is cut by the error.
func (a *attempt) answerPanic() error {
	if a.answer.committed {
		return errEnded
	}
	return a.answerError(internalError(), "")
}

func stack() string { return string(debug.Stack()) }
