package main

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"net"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
	"testing/synctest"
	"time"
)

var streamed = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" +
	string(chunk("data: a\n\n")) +
	string(chunk(": wait\n")) + // a comment is no event
	string(chunk("\ndata:")) + // an event in two chunks
	string(chunk(" b\n\ndata: c\n\ndata: [DONE]\n\n")) + // three in one
	"0\r\n\r\n"

func TestStreamIsReadTheSameHoweverItsBytesArrive(t *testing.T) {
	want := []string{"data: a", "data: b", "data: c", "data: [DONE]"}
	for name, arrive := range map[string]func(io.Reader) io.Reader{
		"at once":      func(r io.Reader) io.Reader { return r },
		"halved":       iotest.HalfReader,
		"byte by byte": iotest.OneByteReader,
	} {
		t.Run(name, func(t *testing.T) {
			got, err := readAnswers(arrive(strings.NewReader(streamed+streamed)), 2)
			if err != nil || !slices.Equal(got, append(want, want...)) {
				t.Errorf("events %q, %v; want %q twice", got, err, want)
			}
		})
	}
}

func TestAnswerWithALengthLeavesTheNextOneWhole(t *testing.T) {
	answers := "HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello" + streamed
	got, err := readAnswers(strings.NewReader(answers), 2)
	if err != nil || len(got) != 4 {
		t.Errorf("events %q, %v; want those of the second answer", got, err)
	}
}

func TestBadAnswersAreErrors(t *testing.T) {
	for name, answer := range map[string]string{
		"not 200":          "HTTP/1.1 503 Service Unavailable\r\ncontent-length: 0\r\n\r\n",
		"no framing":       "HTTP/1.1 200 OK\r\n\r\nhello",
		"cut off":          streamed[:len(streamed)-20],
		"length cut off":   "HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhell",
		"no chunk size":    "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nhello\r\n",
		"length no number": "HTTP/1.1 200 OK\r\ncontent-length: five\r\n\r\nhello",
	} {
		t.Run(name, func(t *testing.T) {
			if got, err := readAnswers(strings.NewReader(answer), 1); err == nil {
				t.Errorf("no error; events %q", got)
			}
		})
	}
}

func TestCallerCanHangUp(t *testing.T) {
	c := &client{conn: deaf{}, in: bufio.NewReader(strings.NewReader(streamed))}
	if err := c.exchange(nil, func([]byte) error { return errHungUp }); !errors.Is(err, errHungUp) {
		t.Errorf("exchange = %v, want %v", err, errHungUp)
	}
}

func TestDelayIsTheTimeSinceTheStamp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		event := stamped(bytes.Clone(streamEvent))
		time.Sleep(2 * time.Millisecond)
		if delay, ok := delayOf(event); !ok || delay != 2*time.Millisecond {
			t.Errorf("delayOf = %v, %v; want 2ms", delay, ok)
		}
	})
	for _, line := range []string{
		`data: {"delta":{"content":"Twelve and some more text"}}`,
		`data: {"delta":{"content":"T00"}}`,
		`data: [DONE]`,
	} {
		if delay, ok := delayOf([]byte(line)); ok {
			t.Errorf("delayOf(%s) = %v, want none", line, delay)
		}
	}
}

// readAnswers makes a number of exchanges on one connection and returns the
// lines with events.
func readAnswers(in io.Reader, count int) (events []string, err error) {
	c := &client{conn: deaf{}, in: bufio.NewReader(in)}
	for range count {
		if err := c.exchange(nil, func(line []byte) error {
			events = append(events, string(line))
			return nil
		}); err != nil {
			return events, err
		}
	}
	return events, nil
}

// deaf is a connection that takes everything and says nothing.
type deaf struct{ net.Conn }

func (deaf) Write(part []byte) (int, error) { return len(part), nil }
func (deaf) SetDeadline(time.Time) error    { return nil }
