package main

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strconv"
	"sync"
	"sync/atomic"
	"time"
)

// answerKind is how the upstream answers. It is the first segment of the path.
type answerKind string

const (
	unary answerKind = "unary" // one JSON document
	burst answerKind = "burst" // burstEvents at once
	paced answerKind = "paced" // one event every pace, until the client hangs up
	held  answerKind = "held"  // one event every holdPace, until the client hangs up
	open  answerKind = "open"  // the number of streams that are being written
)

const (
	burstEvents = 20
	pace        = 20 * time.Millisecond // a fast model's
	holdPace    = time.Second
	// longestStream ends a stream whose client is lost.
	longestStream = 2 * time.Minute
)

// upstream is the provider that all three ways lead to. The end-to-end suite's
// fake providers check every field of every request and record it, which costs
// more than the gateway does; this one looks at the path, skips the body, and
// writes bytes that are ready.
type upstream struct {
	listener net.Listener
	serving  sync.WaitGroup
	mu       sync.Mutex
	conns    map[net.Conn]bool
	streams  atomic.Int64 // being written
}

func startUpstream() (*upstream, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	u := &upstream{listener: listener, conns: make(map[net.Conn]bool)}
	u.serving.Go(u.accept)
	return u, nil
}

func (u *upstream) address() string { return u.listener.Addr().String() }

func (u *upstream) close() {
	_ = u.listener.Close()
	u.mu.Lock()
	for conn := range u.conns {
		_ = conn.Close()
	}
	u.conns = nil
	u.mu.Unlock()
	u.serving.Wait()
}

func (u *upstream) accept() {
	for {
		conn, err := u.listener.Accept()
		if err != nil {
			return
		}
		if !u.enter(conn) {
			_ = conn.Close()
			return
		}
		u.serving.Go(func() {
			u.serve(conn)
			u.mu.Lock()
			defer u.mu.Unlock()
			delete(u.conns, conn)
		})
	}
}

// enter reports whether the upstream is still serving.
func (u *upstream) enter(conn net.Conn) bool {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.conns == nil {
		return false
	}
	u.conns[conn] = true
	return true
}

// serve answers requests until the connection ends, one way or the other.
func (u *upstream) serve(conn net.Conn) {
	defer conn.Close()
	in := bufio.NewReaderSize(conn, 4<<10)
	for {
		kind, err := skipRequest(in)
		if err == nil {
			err = u.answer(conn, kind)
		}
		if err != nil {
			return
		}
	}
}

func (u *upstream) answer(conn net.Conn, kind answerKind) error {
	switch kind {
	case unary:
		_, err := conn.Write(wholeAnswer)
		return err
	case burst:
		return u.stream(conn, func(piece []byte) error {
			for range burstEvents {
				if _, err := conn.Write(stamped(piece)); err != nil {
					return err
				}
			}
			return nil
		})
	case paced:
		return u.stream(conn, func(piece []byte) error { return writePaced(conn, piece, pace) })
	case held:
		return u.stream(conn, func(piece []byte) error { return writePaced(conn, piece, holdPace) })
	case open:
		_, err := conn.Write(httpResponse("text/plain", strconv.FormatInt(u.streams.Load(), 10)))
		return err
	default:
		_, err := io.WriteString(conn, "HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n")
		return errors.Join(err, fmt.Errorf("no such answer: %q", kind))
	}
}

func (u *upstream) stream(conn net.Conn, events func(piece []byte) error) error {
	u.streams.Add(1)
	defer u.streams.Add(-1)
	if _, err := conn.Write(streamHead); err != nil {
		return err
	}
	if err := events(bytes.Clone(streamEvent)); err != nil {
		return err
	}
	_, err := conn.Write(streamEnd)
	return err
}

// writePaced writes events until the other side hangs up. Reading with a deadline is
// both the clock and the watch for the hang-up.
func writePaced(conn net.Conn, piece []byte, interval time.Duration) error {
	defer conn.SetReadDeadline(time.Time{})
	next, end := time.Now(), time.Now().Add(longestStream)
	for next.Before(end) {
		if _, err := conn.Write(stamped(piece)); err != nil {
			return err
		}
		next = next.Add(interval)
		if err := conn.SetReadDeadline(next); err != nil {
			return err
		}
		var one [1]byte
		if _, err := conn.Read(one[:]); !errors.Is(err, os.ErrDeadlineExceeded) {
			return errors.Join(err, errors.New("hung up"))
		}
	}
	return nil
}

// stamped puts the time into a piece of the stream. It is the wall clock, which
// the client's process shares.
func stamped(piece []byte) []byte {
	stamp := piece[streamStamp : streamStamp+stampDigits]
	left := time.Now().UnixNano()
	for i := range stamp {
		stamp[len(stamp)-1-i] = byte('0' + left%10)
		left /= 10
	}
	return piece
}

// skipRequest reads a request to its end. A body without a length is an error:
// some real providers refuse it, so the gateway must not send it.
func skipRequest(in *bufio.Reader) (answerKind, error) {
	line, err := in.ReadSlice('\n')
	if err != nil {
		return "", err
	}
	_, rest, _ := bytes.Cut(line, []byte(" /"))
	first, _, _ := bytes.Cut(rest, []byte("/"))
	kind := answerKind(first)
	length := -1
	for {
		if line, err = in.ReadSlice('\n'); err != nil {
			return "", err
		}
		if line = bytes.TrimSpace(line); len(line) == 0 {
			break
		}
		name, value, _ := bytes.Cut(line, []byte(":"))
		if bytes.EqualFold(name, []byte("content-length")) {
			if length, err = strconv.Atoi(string(bytes.TrimSpace(value))); err != nil {
				return "", err
			}
		}
	}
	if length < 0 {
		return "", errors.New("the request has no content-length")
	}
	_, err = in.Discard(length)
	return kind, err
}
