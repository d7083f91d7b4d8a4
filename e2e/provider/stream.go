package provider

import (
	"net/http"
	"strconv"
	"time"
)

// Stream is an [Answer] with faults in how it is sent. A request that did not
// ask for a stream gets it in one body, to which the faults apply likewise:
// half of it is sent before a stall, a reset or a break.
type Stream struct {
	Answer  Answer
	Framing Framing
	// First is the pause between the headers and the first event, with Opening
	// the one before the first piece.
	First time.Duration
	// Pace is the pause before each piece of the answer but the first, and
	// before an early end, so that what came before it has been read.
	Pace time.Duration
	// End says how the stream ends.
	End Ending
	// Error is what EndError says: that the provider is overloaded, unless given.
	Error Failure
	// Pieces is the number of pieces sent before an early end; ignored for a
	// complete answer.
	Pieces int
	// Opening sends what precedes the first piece (OpenAI's role chunk,
	// Anthropic's message_start and ping) even if Pieces is 0.
	Opening bool
}

// Ending is the way in which a stream ends.
type Ending int

const (
	// EndComplete is a whole answer.
	EndComplete Ending = iota
	// EndLinger is a whole answer on a connection that is then left open.
	EndLinger
	// EndStall leaves the connection open and sends nothing more.
	EndStall
	// EndReset breaks the connection off.
	EndReset
	// EndClean ends the HTTP body as if nothing were missing.
	EndClean
	// EndError sends an error event, then ends the body.
	EndError
	// EndMalformed sends an event whose data is not JSON, then ends the body.
	EndMalformed
	// EndHTML sends a web page where an event should be, then ends the body.
	EndHTML
)

// midStreamError is what overloaded providers put into streams of status 200.
const midStreamError = "Overloaded: the fake broke off mid-answer."

func (s Stream) play(c *call) {
	s.Answer = s.Answer.complete()
	if !c.request.stream {
		s.playWhole(c)
		return
	}
	header := http.Header{"Content-Type": {c.streamType()}, "Cache-Control": {"no-cache"}}
	if s.Framing.Gzip {
		header.Set("Content-Encoding", "gzip")
	}
	c.begin(http.StatusOK, header)
	c.flush()
	if !s.Opening && !c.wait(s.First) {
		return
	}
	out := s.Framing.writer(c)
	events := c.dialect.events(c.request, s.Answer)
	billed := Usage{Input: s.Answer.Usage.Input, CacheRead: s.Answer.Usage.CacheRead,
		CacheWrite: s.Answer.Usage.CacheWrite, CacheWriteHour: s.Answer.Usage.CacheWriteHour}
	sent := 0
	for i, e := range events {
		if !s.whole() && s.over(events[i:], sent) {
			break
		}
		if e.piece && !c.wait(s.pause(sent)) {
			return
		}
		last := i == len(events)-1
		if last && s.Framing.OmitLast {
			break
		}
		if e.piece {
			sent++
			billed.Output++
			c.bill(billed)
		}
		if !out.event(e) {
			return
		}
	}
	if s.whole() {
		c.bill(s.Answer.Usage)
	}
	if out.close() && c.wait(s.Pace) {
		s.end(c, out)
	}
}

// pause is the one before a piece when so many have been sent.
func (s Stream) pause(sent int) time.Duration {
	switch {
	case sent > 0:
		return s.Pace
	case s.Opening:
		return s.First
	default:
		return 0
	}
}

// whole reports whether nothing of the answer is left out.
func (s Stream) whole() bool { return s.End == EndComplete || s.End == EndLinger }

// over reports whether an early end comes before the next of the events.
func (s Stream) over(left []event, sent int) bool {
	if sent == s.Pieces && sent == 0 {
		return !s.Opening || left[0].piece
	}
	return sent >= s.Pieces
}

func (s Stream) end(c *call, out *eventWriter) {
	switch s.End {
	case EndStall, EndLinger:
		c.hang()
	case EndReset:
		c.reset()
	case EndError:
		out.event(c.dialect.errorEvent(s.refusal()))
		out.close()
	case EndMalformed:
		out.event(event{data: `{"id":"chatcmpl-1","choices":[{"delta":{"content":`})
		out.close()
	case EndHTML:
		c.write([]byte(HTML(http.StatusBadGateway).Body))
	}
}

// refusal is the error of EndError.
func (s Stream) refusal() refusal {
	if s.Error == (Failure{}) {
		return refusal{status: statusOverloaded, message: midStreamError}
	}
	return refusal{status: s.Error.Status, message: s.Error.Message, code: s.Error.Code}
}

func (s Stream) playWhole(c *call) {
	body := c.dialect.whole(c.request, s.Answer)
	switch s.End {
	case EndHTML:
		HTML(http.StatusOK).play(c)
		return
	case EndError:
		body = c.dialect.errorBody(s.refusal())
	case EndMalformed:
		body = half(body)
	case EndComplete, EndLinger:
		defer c.bill(s.Answer.Usage)
	}
	header := http.Header{"Content-Type": {c.dialect.wholeType(c.request)}}
	if s.Framing.Gzip {
		header.Set("Content-Encoding", "gzip")
		body = zipped(body)
	}
	header.Set("Content-Length", strconv.Itoa(len(body)))
	c.begin(http.StatusOK, header)
	c.flush()
	if !c.wait(s.First) {
		return
	}
	switch s.End {
	case EndStall:
		c.write(half(body))
		c.hang()
	case EndReset:
		c.write(half(body))
		c.reset()
	case EndClean:
		// Short of its Content-Length: net/http closes the connection.
		c.write(half(body))
	default:
		s.Framing.write(c, body)
	}
}
