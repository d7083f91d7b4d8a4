package provider

import (
	"io"
	"net/http"
	"slices"
	"strings"
	"time"
)

// receive reads a request and judges it: first the line and headers, so that a
// bad one is refused without its body, then the body. The exchange it returns
// is complete; the refusal is nil for a request that the API would accept.
func (p *Provider) receive(r *http.Request, script Script) (*Exchange, request, *refusal) {
	exchange := newExchange(r, script)
	request, refused := p.judge(r, exchange, script)
	if refused != nil {
		exchange.Violations = append(exchange.Violations, refused.message)
	}
	exchange.Arrived = time.Now()
	return exchange, request, refused
}

func (p *Provider) judge(r *http.Request, exchange *Exchange, script Script) (request, *refusal) {
	at, refused := p.judgeTarget(r)
	if refused != nil {
		return request{}, refused
	}
	if refused := judgeHeaders(r, p.config.Secrets); refused != nil {
		return request{}, refused
	}
	if refused := p.byAnyKey(func(key string) *refusal { return p.dialect.admit(r.Header, key) }); refused != nil {
		return request{}, refused
	}
	var body io.Reader = r.Body
	if slow, ok := script.(SlowUpload); ok {
		body = slow.reader(body)
	}
	read, err := io.ReadAll(body)
	exchange.Body = read
	if err != nil {
		exchange.cancel()
		return request{}, &refusal{status: http.StatusBadRequest, message: "The upload broke off: " + err.Error()}
	}
	if proven, ok := p.dialect.(signed); ok {
		if refused := p.byAnyKey(func(key string) *refusal { return proven.verify(r, read, key) }); refused != nil {
			return request{}, refused
		}
	}
	return p.judgeBody(at, r.Header, exchange)
}

func (p *Provider) judgeTarget(r *http.Request) (address, *refusal) {
	target, below := strings.CutPrefix(r.URL.RequestURI(), p.config.Base)
	at, served := p.dialect.locate(target)
	if !below || !served {
		return at, &refusal{
			status:  http.StatusNotFound,
			message: "Invalid URL (" + r.Method + " " + r.URL.RequestURI() + ")",
		}
	}
	if r.Method != http.MethodPost {
		return at, &refusal{
			status:  http.StatusMethodNotAllowed,
			message: "Not allowed to " + r.Method + " on " + r.URL.Path + ".",
			code:    "method_not_supported",
		}
	}
	return at, nil
}

func (p *Provider) judgeBody(at address, header http.Header, exchange *Exchange) (request, *refusal) {
	for _, secret := range p.config.Secrets {
		if strings.Contains(string(exchange.Body), secret) {
			return request{}, leak("a secret in the body")
		}
	}
	var refused *refusal
	if exchange.JSON, refused = p.dialect.decode(at, header, exchange.Body); refused != nil {
		return request{}, refused
	}
	request, refused := p.dialect.judge(at, exchange.JSON, header)
	if refused != nil {
		return request, refused
	}
	p.mu.Lock()
	bounds := p.bounds
	p.mu.Unlock()
	if refused := bounds.judge(exchange.JSON); refused != nil {
		return request, refused
	}
	if known := p.config.Models; len(known) > 0 && !slices.Contains(known, request.model) {
		unknown := p.dialect.unknownModel(request.model)
		return request, &unknown
	}
	return request, nil
}
