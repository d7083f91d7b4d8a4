package provider

import (
	"bytes"
	"cmp"
	"compress/gzip"
	"strings"
	"time"

	"github.com/go-json-experiment/json/jsontext"
)

// Framing is how events are put on the wire. The zero value is what the vendors
// do: an event a write, lines ended by LF, "data: " with its space.
type Framing struct {
	// LineEnd is "\n" unless given; "\r\n" and "\r" are as valid.
	LineEnd string
	// NoSpace leaves out the space after a field's colon.
	NoSpace bool
	// Comments puts a comment, an empty event and fields that nobody knows
	// before each event.
	Comments bool
	// MultiLine spreads each event's JSON over several data lines.
	MultiLine bool
	// Merged writes the whole stream at once.
	Merged bool
	// Trickle writes one byte at a time, so that characters, lines and events
	// are split everywhere, with this pause between bytes if it is positive.
	// Negative is no pause.
	Trickle time.Duration
	// OmitLast leaves out OpenAI's [DONE] and Anthropic's message_stop.
	OmitLast bool
	// OmitBlank leaves out the blank line after the last event.
	OmitBlank bool
	// Gzip compresses, though nobody asked for it.
	Gzip bool
}

// encode renders one event with its blank line.
func (f Framing) encode(e event) []byte {
	end := cmp.Or(f.LineEnd, "\n")
	colon := ": "
	if f.NoSpace {
		colon = ":"
	}
	var b bytes.Buffer
	if f.Comments {
		b.WriteString(": keep-alive" + end + end + "id" + colon + "7" + end + "retry" + colon + "5000" + end)
	}
	if e.name != "" {
		b.WriteString("event" + colon + e.name + end)
	}
	for line := range strings.SplitSeq(f.layout(e.data), "\n") {
		b.WriteString("data" + colon + line + end)
	}
	b.WriteString(end)
	return b.Bytes()
}

func (f Framing) layout(data string) string {
	value := jsontext.Value(data)
	if f.MultiLine && value.Indent() == nil {
		return string(value)
	}
	return data
}

// write sends one body in the pieces that the framing asks for.
func (f Framing) write(c *call, body []byte) bool {
	if f.Trickle == 0 {
		return c.write(body)
	}
	for i := range body {
		if !c.write(body[i:i+1]) || !c.wait(f.Trickle) {
			return false
		}
	}
	return true
}

// eventWriter writes events as the framing asks, some of them held back until
// it is closed.
type eventWriter struct {
	framing Framing
	call    *call
	held    []byte
}

func (f Framing) writer(c *call) *eventWriter { return &eventWriter{framing: f, call: c} }

// event sends an event and reports whether the client is still there.
func (w *eventWriter) event(e event) bool {
	line := w.call.encode(w.framing, e)
	switch {
	case w.framing.Merged || w.framing.Gzip:
		w.held = append(w.held, line...)
		return true
	case w.framing.OmitBlank:
		line, w.held = w.held, line
	}
	return w.framing.write(w.call, line)
}

// close sends what was held back.
func (w *eventWriter) close() bool {
	if len(w.held) == 0 {
		return true
	}
	held := w.held
	w.held = nil
	if w.framing.OmitBlank {
		held = bytes.TrimRight(held, "\r\n")
	}
	if w.framing.Gzip {
		held = zipped(held)
	}
	return w.framing.write(w.call, held)
}

func zipped(body []byte) []byte {
	var b bytes.Buffer
	compressor := gzip.NewWriter(&b)
	_, _ = compressor.Write(body) // a bytes.Buffer cannot fail
	_ = compressor.Close()
	return b.Bytes()
}

// encode puts an event on the wire as the dialect does.
func (c *call) encode(f Framing, e event) []byte {
	if framed, ok := c.dialect.(framer); ok {
		return framed.frame(e)
	}
	return f.encode(e)
}

// streamType is the content type of the dialect's streams.
func (c *call) streamType() string {
	if framed, ok := c.dialect.(framer); ok {
		return framed.streamType()
	}
	return "text/event-stream; charset=utf-8"
}
