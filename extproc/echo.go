package extproc

import (
	"bytes"

	"github.com/switchyard/switchyard/extproc/dialect"
	"github.com/switchyard/switchyard/extproc/dialect/rawjson"
	"github.com/switchyard/switchyard/policies/routing"
)

// echo is what a provider was asked.
type echo struct {
	candidate routing.Candidate
	body      []byte
}

// echoer is the client's dialect if the client wants to see what providers are asked,
// which only streams have a place for (row 115), else nil.
func (a *attempt) echoer() dialect.Echoer {
	if echoer, ok := a.client.(dialect.Echoer); ok && a.request.EchoUpstream && a.request.Stream {
		return echoer
	}
	return nil
}

// keepEcho keeps the body of a provider's request for the client. What proves who asks
// is in headers; should some of it be in the body too, the client does not get that.
func (a *attempt) keepEcho(body []byte) error {
	if a.echoer() == nil || rawjson.Kind(body) != '{' {
		return nil
	}
	if err := a.hold("requests", &a.upload, len(body), a.policy.MaxHeldRequests); err != nil {
		return err
	}
	for _, secret := range a.secrets() {
		if len(secret) >= shortestSecret && bytes.Contains(body, []byte(secret)) {
			body = bytes.ReplaceAll(body, []byte(secret), []byte("[redacted]"))
		}
	}
	a.shared.echo(echo{a.candidate, body})
	return nil
}

// echoes are the first events of a stream, one for each attempt so far. The rest of meta
// is that of the answer.
func (a *attempt) echoes(meta dialect.Meta) (events []byte, count int64) {
	echoer := a.echoer()
	if echoer == nil {
		return nil, 0
	}
	for _, asked := range a.shared.echoes() {
		meta.Provider, meta.Model, meta.Preceding = asked.candidate.Endpoint.Provider.Name, asked.candidate.Model.ID, count
		events = echoer.Echo(events, meta, asked.body)
		count++
	}
	return events, count
}

// echo keeps what a provider was asked.
func (q *request) echo(asked echo) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.echoed = append(q.echoed, asked)
}

// echoes are what providers were asked so far.
func (q *request) echoes() []echo {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.echoed[:len(q.echoed):len(q.echoed)]
}
