package provider

import (
	"net/http"
	"sync"
	"time"
)

// Exchange records one request and what became of it. The fields are the
// request's and never change; the methods follow the answer and may be called
// at any time.
type Exchange struct {
	Method     string
	Path       string // with the query, as it was on the wire
	Proto      string // "HTTP/1.1" or "HTTP/2.0"
	Host       string
	ServerName string // TLS server name indication, empty on plain connections
	Header     http.Header
	Body       []byte
	JSON       map[string]any // the decoded body, also of a form; nil if it could not be read
	Script     Script         // what the fake was told to do
	Arrived    time.Time      // when the request was complete
	Violations []string       // why the fake refused it, empty when it did not

	mu          sync.Mutex
	status      int
	written     int64
	billed      Usage
	cancelledAt time.Time
	cancelled   chan struct{}
	done        chan struct{}
}

func newExchange(r *http.Request, script Script) *Exchange {
	exchange := &Exchange{
		Method:    r.Method,
		Path:      r.URL.RequestURI(),
		Proto:     r.Proto,
		Host:      r.Host,
		Header:    r.Header.Clone(),
		Script:    script,
		cancelled: make(chan struct{}),
		done:      make(chan struct{}),
	}
	if r.TLS != nil {
		exchange.ServerName = r.TLS.ServerName
	}
	return exchange
}

// Done is closed when the fake has finished with the request.
func (e *Exchange) Done() <-chan struct{} { return e.done }

// Cancelled is closed when the fake notices that its client has hung up before
// the script came to its end.
func (e *Exchange) Cancelled() <-chan struct{} { return e.cancelled }

// CancelledAt is when [Exchange.Cancelled] was closed, zero if it was not.
func (e *Exchange) CancelledAt() time.Time {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.cancelledAt
}

// Status is the answer's status code, 0 while none has been sent.
func (e *Exchange) Status() int {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.status
}

// Written is the number of body bytes handed to the connection so far.
func (e *Exchange) Written() int64 {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.written
}

// Billed is what a provider that stops at a disconnect charges for: the whole
// answer's usage once it is complete, until then the input and one output token
// for each piece sent. It is zero for refused and failed requests.
func (e *Exchange) Billed() Usage {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.billed
}

func (e *Exchange) bill(usage Usage) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.billed = usage
}

func (e *Exchange) sent(status, bytes int) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.status = status
	e.written += int64(bytes)
}

func (e *Exchange) cancel() {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.cancelledAt.IsZero() {
		e.cancelledAt = time.Now()
		close(e.cancelled)
	}
}

func (e *Exchange) finish() { close(e.done) }
