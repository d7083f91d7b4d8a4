package provider

import (
	"bytes"
	"cmp"
	"io"
	"net/http"
	"strings"
	"time"
)

// Script is what a fake does with one request that it found in order. The types
// are [Answer], [Stream], [Echo], [Flood], [Failure], [Raw], [Fault], [Late],
// [SlowUpload] and [NoCapacity].
type Script interface {
	play(*call)
}

var _ = []Script{Answer{}, Stream{}, Echo{}, Flood{}, Failure{}, Raw{}, Fault(0), Late{}, SlowUpload{}, NoCapacity{}}

func (a Answer) play(c *call) { Stream{Answer: a}.play(c) }

// Echo answers with the text of the request's last message, so that a test of
// many requests at once sees an answer that went to the wrong one.
type Echo struct{}

func (Echo) play(c *call) { Answer{Text: c.request.question}.play(c) }

// Failure is an error answer in the vendor's own shape.
type Failure struct {
	Status  int
	Message string
	// Code is OpenAI's machine-readable code, such as "context_length_exceeded".
	Code string
	// RetryAfter is sent in the header of that name unless empty, and by Gemini in
	// the error's details.
	RetryAfter string
}

func (f Failure) play(c *call) {
	header := c.errorHeader(refusal{status: f.Status, code: f.Code})
	switch c.dialect.(type) {
	case gemini, vertexGemini:
	default:
		if f.RetryAfter != "" {
			header.Set("Retry-After", f.RetryAfter)
		}
	}
	c.begin(f.Status, header)
	c.write(c.dialect.errorBody(refusal{
		status:  f.Status,
		message: cmp.Or(f.Message, "The fake was told to answer "+http.StatusText(f.Status)+"."),
		code:    f.Code,
		wait:    f.RetryAfter,
	}))
}

// NoCapacity refuses requests for a service tier, as OpenAI does when flex
// processing is full, and plays another script for all other requests: an
// [Answer] if there is none.
type NoCapacity struct {
	Tier string
	Then Script
}

func (n NoCapacity) play(c *call) {
	switch {
	case c.request.tier == n.Tier:
		Failure{
			Status:  http.StatusTooManyRequests,
			Message: "Resource unavailable: there is no capacity for " + n.Tier + " processing at the moment.",
			Code:    "resource_unavailable",
		}.play(c)
	case n.Then == nil:
		Answer{}.play(c)
	default:
		n.Then.play(c)
	}
}

// Raw is an answer verbatim: a proxy's HTML page, a body that is no JSON.
type Raw struct {
	Status int // 200 when zero
	Header http.Header
	Body   string
}

// HTML is the page of a proxy in front of a provider.
func HTML(status int) Raw {
	return Raw{
		Status: status,
		Header: http.Header{"Content-Type": {"text/html; charset=UTF-8"}},
		Body: "<!DOCTYPE html><html><head><title>" + http.StatusText(status) +
			"</title></head><body><center><h1>cloudflare</h1></center></body></html>\n",
	}
}

func (r Raw) play(c *call) {
	c.begin(cmp.Or(r.Status, http.StatusOK), r.Header)
	c.write([]byte(r.Body))
}

// Fault is a connection that fails around the answer's headers. Refused
// connections are a closed [Server]; later faults are in [Stream].
type Fault int

const (
	// HangUp closes the connection before any header.
	HangUp Fault = iota
	// Reset breaks it off with a TCP RST, on HTTP/2 with a RST_STREAM.
	Reset
	// Silence sends nothing until the client gives up.
	Silence
	// ResetAfterHeaders sends the headers of a good answer first.
	ResetAfterHeaders
	// SilenceAfterHeaders sends the headers of a good answer and no body.
	SilenceAfterHeaders
)

func (f Fault) play(c *call) {
	switch f {
	case HangUp:
		c.hangUp()
	case Reset:
		c.reset()
	case Silence:
		c.hang()
	case ResetAfterHeaders:
		Stream{End: EndReset}.play(c)
	case SilenceAfterHeaders:
		Stream{End: EndStall}.play(c)
	}
}

// Late waits before it plays another script.
type Late struct {
	After time.Duration
	Then  Script
}

func (l Late) play(c *call) {
	if c.wait(l.After) {
		l.Then.play(c)
	}
}

// SlowUpload reads the request's body slowly, then plays another script.
type SlowUpload struct {
	BytesPerSecond int
	Then           Script
}

func (s SlowUpload) play(c *call) { s.Then.play(c) }

func (s SlowUpload) reader(body io.Reader) io.Reader {
	return &slowReader{body: body, rate: s.BytesPerSecond}
}

type slowReader struct {
	body io.Reader
	rate int // bytes per second
}

func (s *slowReader) Read(into []byte) (int, error) {
	const ticks = 50 // reads per second
	n, err := s.body.Read(into[:min(len(into), max(1, s.rate/ticks))])
	time.Sleep(time.Duration(n) * time.Second / time.Duration(s.rate))
	return n, err
}

// Flood answers with so many bytes of text as fast as the client takes them: as
// events of 16 KiB if the request asked for a stream, as so many bytes of sound if it
// asked for speech, else in one body.
type Flood struct {
	Bytes int
}

func (f Flood) play(c *call) {
	const piece = 16 << 10
	if kind := c.dialect.wholeType(c.request); strings.HasPrefix(kind, "audio/") {
		c.begin(http.StatusOK, http.Header{"Content-Type": {kind}})
		for sent := 0; sent < f.Bytes; sent += piece {
			if !c.write(bytes.Repeat([]byte("x"), min(piece, f.Bytes-sent))) {
				return
			}
		}
		return
	}
	if !c.request.stream {
		Answer{Text: strings.Repeat("x", f.Bytes), Usage: floodUsage}.play(c)
		return
	}
	events := c.dialect.events(c.request, Answer{Pieces: []string{strings.Repeat("x", piece)}, Usage: floodUsage})
	c.begin(http.StatusOK, http.Header{"Content-Type": {c.streamType()}})
	for _, e := range events {
		line := c.encode(Framing{}, e)
		for sent := 0; sent == 0 || e.piece && sent < f.Bytes; sent += piece {
			if !c.write(line) {
				return
			}
		}
	}
	c.bill(floodUsage)
}

// floodUsage saves counting the tokens of megabytes.
var floodUsage = Usage{Input: 11, Output: 1000}

// half is the part of a body that is sent before it breaks off.
func half(body []byte) []byte { return bytes.Clone(body[:len(body)/2]) }
