package extproc

import (
	"cmp"
	"context"
	"errors"
	"net/http"
	"strconv"
	"time"

	"github.com/switchyard/switchyard/extproc/dialect"
	"github.com/switchyard/switchyard/extproc/signing"
	"github.com/switchyard/switchyard/extproc/tokenizer"
	"github.com/switchyard/switchyard/policies/config/configpb"
	"github.com/switchyard/switchyard/policies/health"
	"github.com/switchyard/switchyard/policies/routing"
)

// target is the endpoint that the request is written for.
func (a *attempt) target() dialect.Target { return targetOf(&a.candidate) }

func targetOf(candidate *routing.Candidate) dialect.Target {
	endpoint := candidate.Endpoint
	return dialect.Target{
		Model:               endpoint.ProviderModel,
		Endpoint:            endpointName(candidate),
		Base:                endpoint.Provider.PathPrefix,
		APIVersion:          endpoint.Provider.APIVersion,
		Supported:           endpoint.SupportedParameters,
		Refused:             endpoint.Provider.RefusedFields,
		Strict:              endpoint.Provider.Strict,
		Quirks:              quirksOf(endpoint.Provider.Quirks),
		MaxCompletionTokens: endpoint.MaxCompletionTokens,
		ServiceTier:         endpoint.ServiceTier,
		WebSearch:           candidate.WebSearch,
	}
}

// inline fetches the images and files that the client names by URL and the provider
// takes only as data (spec row 122), once for all attempts.
func (a *attempt) inline() error {
	if a.policy.Fetcher == nil {
		return nil
	}
	pieces, err := dialect.RemoteMedia(a.request, a.provider, a.target())
	if err != nil {
		return a.unsayable(err)
	}
	if len(pieces) == 0 {
		return nil
	}
	media, err := a.fetch(pieces)
	switch {
	case a.stream.Context().Err() != nil:
		return errEnded
	case err != nil:
		return a.unsayable(err)
	}
	for _, fetched := range media {
		if err := a.hold("requests", &a.upload, len(fetched.Data), a.policy.MaxHeldRequests); err != nil {
			return err
		}
	}
	a.request = a.request.WithMedia(media)
	return nil
}

// forward hands the provider's request to Envoy.
func (a *attempt) forward() error {
	a.request = a.request.WithToolNames(a.provider).WithTokenizer(tokenizer.For(a.candidate.Endpoint.ProviderModel))
	upstream, err := a.provider.Request(a.request, a.target())
	if err != nil {
		return a.unsayable(err)
	}
	if err := a.noteUnsaid(upstream.Dropped); err != nil {
		return err
	}
	headers, err := a.sign(a.providerHeaders(upstream), upstream.Body)
	if err != nil {
		return err
	}
	if err := a.keepEcho(upstream.Body); err != nil {
		return err
	}
	if err := a.begin(); err != nil {
		return err
	}
	a.sent = time.Now()
	a.worked = a.sent.Sub(a.arrived) - a.fetched
	if err := a.stream.Send(requestHeaders(a.headers, headers)); err != nil {
		return errEnded
	}
	err = pieces(upstream.Body, !a.trailers, func(piece []byte, end bool) error {
		return a.stream.Send(requestBody(piece, end))
	})
	if err == nil && a.trailers {
		err = a.stream.Send(requestTrailers())
	}
	if err != nil {
		return errEnded
	}
	a.outcome.forwarded = true
	return nil
}

// endpointName names the endpoint for what only it can read, see [dialect.Meta]. Another
// account at the provider cannot.
func endpointName(candidate *routing.Candidate) string {
	name := candidate.Model.ID + "|" + candidate.Endpoint.Provider.Slug
	if own := candidate.OwnKey; own != nil {
		name += "|own:" + own.ID
	}
	return name
}

// providerHeaders are all the headers of a provider's request: none of the
// client's own reaches a provider.
func (a *attempt) providerHeaders(upstream dialect.Upstream) []dialect.Header {
	provider := a.candidate.Endpoint.Provider
	wait := provider.Timeouts.ResponseHeaders
	if a.request.Stream {
		wait = min(wait, provider.Timeouts.FirstToken)
	}
	headers := []dialect.Header{
		{Name: headerCluster, Value: provider.Cluster},
		{Name: headerHeadersTimeout, Value: strconv.FormatInt(wait.Milliseconds(), 10)},
		{Name: ":method", Value: "POST"},
		{Name: ":scheme", Value: provider.Scheme},
		{Name: ":authority", Value: provider.Authority},
		{Name: ":path", Value: provider.PathPrefix + upstream.Path},
		{Name: "content-length", Value: strconv.Itoa(len(upstream.Body))},
		{Name: "user-agent", Value: userAgent},
	}
	headers = append(headers, upstream.Headers...)
	if key, needed := provider.Credential.Reveal(); needed && !a.signs() {
		headers = append(headers, a.provider.Credential(key)...)
	}
	for name, value := range provider.Headers {
		headers = append(headers, dialect.Header{Name: name, Value: value})
	}
	return headers
}

// signer is that of the candidate, nil if there is none.
func (a *attempt) signer() signing.Signer {
	if own := a.candidate.OwnKey; own != nil {
		return a.policy.OwnSigners[own.ID]
	}
	return a.policy.Signers[a.candidate.Endpoint.Provider.Slug]
}

// signs tells whether the provider's key is for a signer, and must not be sent itself.
func (a *attempt) signs() bool {
	if own := a.candidate.OwnKey; own != nil {
		return own.Provider.Authentication > configpb.Authentication_AUTHENTICATION_KEY
	}
	return a.signer() != nil
}

// sign adds what proves to the provider who asks, where a key does not do.
func (a *attempt) sign(headers []dialect.Header, body []byte) ([]dialect.Header, error) {
	if !a.signs() {
		return headers, nil
	}
	signer := a.signer()
	if signer == nil { // the key was taken away since the request was planned
		return nil, &failure{
			class: health.Authentication, status: http.StatusBadGateway,
			message: "The gateway cannot sign the request for the provider any more.", unasked: true,
		}
	}
	// As long as the provider's own answer may take: a token comes from a server too.
	ctx, cancel := context.WithTimeout(a.stream.Context(), a.candidate.Endpoint.Provider.Timeouts.ResponseHeaders)
	defer cancel()
	proof, err := signer.Sign(ctx, signing.Request{Headers: headers, Body: body})
	if a.stream.Context().Err() != nil {
		return nil, errEnded
	}
	if err != nil {
		return nil, &failure{
			class: health.Authentication, status: http.StatusBadGateway,
			message: "The gateway could not sign the request for the provider.", local: err.Error(), unasked: true,
		}
	}
	a.proof = proof
	return append(headers, proof...), nil
}

// await takes the provider's response headers. They are answered only when the
// answer has proved to be one.
func (a *attempt) await() error {
	provider := a.candidate.Endpoint.Provider
	// Envoy keeps this limit itself (x-envoy-upstream-rq-per-try-timeout-ms); the
	// slack makes ours a second line only.
	const slack = 2 * time.Second
	deadline := time.NewTimer(provider.Timeouts.ResponseHeaders + slack)
	defer deadline.Stop()
	for {
		message, err := a.next(deadline.C)
		if errors.Is(err, errDeadline) {
			return &failure{class: health.Timeout, status: 504, message: "The provider sent no response headers in time."}
		}
		if err != nil {
			return err
		}
		headers := message.GetResponseHeaders()
		if headers == nil {
			continue // what is left of the client's side: its trailers
		}
		h := readHeaders(headers)
		a.answer.headers = h
		a.answer.status = atoi(h[":status"])
		a.answer.events = eventReader(h["content-type"])
		a.answer.ended = headers.GetEndOfStream()
		if details := attribute(message, "response.code_details"); details != viaUpstream {
			return localFailure(details, attribute(message, "upstream.transport_failure_reason"))
		}
		if encoding := h["content-encoding"]; encoding != "" && encoding != "identity" {
			return &failure{class: health.BadAnswer, status: 502, message: "The provider compressed its answer although it was not asked to."}
		}
		if a.answer.status < 200 || a.answer.status > 299 {
			return a.readFailure(h)
		}
		return nil
	}
}

// saidOfFailure is what the provider's dialect makes of an answer that is an error.
func (a *attempt) saidOfFailure(headers map[string]string, body []byte) dialect.ProviderFailure {
	if failer, ok := a.provider.(dialect.HeaderFailer); ok {
		return failer.FailureWith(func(name string) string { return headers[name] }, a.answer.status, body)
	}
	return a.provider.Failure(a.answer.status, body)
}

// readFailure reads what a provider says about its own failure.
func (a *attempt) readFailure(headers map[string]string) error {
	const (
		longest = 64 << 10
		wait    = 5 * time.Second
	)
	deadline := time.NewTimer(wait)
	defer deadline.Stop()
	var body []byte
	for !a.answer.ended && len(body) < longest {
		message, err := a.next(deadline.C)
		if errors.Is(err, errDeadline) {
			break // the status says enough
		}
		if err != nil {
			return err
		}
		piece := message.GetResponseBody()
		body = append(body, piece.GetBody()...)
		a.answer.ended = piece.GetEndOfStream() || message.GetResponseTrailers() != nil
	}
	said := a.saidOfFailure(headers, body)
	return a.withoutCredential(&failure{
		class:      health.ClassOf(said.Status),
		status:     said.Status,
		message:    said.Message,
		code:       said.Code,
		raw:        string(body[:min(len(body), longestRaw)]),
		retryAfter: cmp.Or(retryAfter(headers, a.began), said.RetryAfter),
	})
}
