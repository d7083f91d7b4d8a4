package provider

import (
	"context"
	"maps"
	"net"
	"net/http"
	"time"
)

// call is one request being answered: what a [Script] acts through.
type call struct {
	*Exchange
	dialect dialect
	request request
	writer  http.ResponseWriter
	flusher *http.ResponseController
	ctx     context.Context
	conn    net.Conn // nil on HTTP/2, where a stream is not a connection
	stop    func() bool
}

func newCall(w http.ResponseWriter, r *http.Request, e *Exchange, d dialect, req request) *call {
	c := &call{
		Exchange: e,
		dialect:  d,
		request:  req,
		writer:   w,
		flusher:  http.NewResponseController(w),
		ctx:      r.Context(),
		stop:     context.AfterFunc(r.Context(), e.cancel),
	}
	if r.ProtoMajor == 1 {
		c.conn, _ = r.Context().Value(connKey{}).(net.Conn)
	}
	return c
}

// begin sends the status and headers. The vendor's own headers come with every
// answer, as they do from the real API.
func (c *call) begin(status int, header http.Header) {
	for _, headers := range []http.Header{c.dialect.headers(), header} {
		for name, values := range headers {
			c.writer.Header()[http.CanonicalHeaderKey(name)] = values
		}
	}
	c.writer.WriteHeader(status)
	c.sent(status, 0)
}

// flush pushes what was written onto the wire.
func (c *call) flush() { _ = c.flusher.Flush() }

// write sends part of the body at once and reports whether the client is still
// there to take more.
func (c *call) write(part []byte) bool {
	n, err := c.writer.Write(part)
	c.sent(c.Status(), n)
	if err != nil {
		c.cancel()
		return false
	}
	c.flush()
	return c.connected()
}

// connected reports whether the client is still there.
func (c *call) connected() bool {
	if c.ctx.Err() != nil {
		// The watch that newCall set up may not have come to it yet, and
		// is over when the script ends.
		c.cancel()
		return false
	}
	return true
}

// wait pauses and reports whether the client is still there afterwards.
func (c *call) wait(pause time.Duration) bool {
	if pause > 0 {
		timer := time.NewTimer(pause)
		defer timer.Stop()
		select {
		case <-timer.C:
		case <-c.ctx.Done():
		}
	}
	return c.connected()
}

// hang does nothing until the client leaves or the server is closed.
func (c *call) hang() {
	<-c.ctx.Done()
	c.connected()
}

// reset breaks the connection off with a TCP RST, on HTTP/2 the stream with a
// RST_STREAM. It does not return.
func (c *call) reset() {
	if c.conn != nil {
		if tcp := tcpConn(c.conn); tcp != nil {
			_ = tcp.SetLinger(0)
		}
	}
	c.hangUp()
}

// hangUp closes the connection with a FIN, on HTTP/2 it resets the stream. It
// does not return.
func (c *call) hangUp() {
	c.stop()
	if c.conn != nil {
		if tcp := tcpConn(c.conn); tcp != nil {
			_ = tcp.Close()
		}
	}
	panic(http.ErrAbortHandler)
}

// refuse answers with an error in the vendor's shape.
func (c *call) refuse(r refusal) {
	c.begin(r.status, c.errorHeader(r))
	c.write(c.dialect.errorBody(r))
}

// errorHeader are the headers of an error answer, but for those of every answer.
func (c *call) errorHeader(r refusal) http.Header {
	header := http.Header{"Content-Type": {"application/json"}}
	if typed, ok := c.dialect.(typedErrors); ok {
		maps.Copy(header, typed.errorHeader(r))
	}
	return header
}
