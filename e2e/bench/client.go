package main

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"net"
	"strconv"
	"time"
)

// client is one keep-alive HTTP/1.1 connection. It writes requests that are
// ready and reads answers without allocating: it shares the machine with what
// it measures, and net/http would take as much of it as Envoy does.
type client struct {
	conn net.Conn
	in   *bufio.Reader
	line []byte // an event's line that has not come to its end
}

// patience bounds every exchange. What takes longer is a failure, not a figure.
const patience = 30 * time.Second

func dial(address string) (*client, error) {
	conn, err := net.DialTimeout("tcp", address, patience)
	if err != nil {
		return nil, err
	}
	return &client{conn: conn, in: bufio.NewReaderSize(conn, 16<<10)}, nil
}

func (c *client) close() { _ = c.conn.Close() }

// exchange sends a request and reads its answer. Each line of the body with an
// event goes to onEvent, which must not keep it; an error of onEvent ends the
// exchange and is returned.
func (c *client) exchange(request []byte, onEvent func(line []byte) error) error {
	if err := c.conn.SetDeadline(time.Now().Add(patience)); err != nil {
		return err
	}
	if _, err := c.conn.Write(request); err != nil {
		return err
	}
	length, err := c.head()
	if err != nil {
		return err
	}
	if length >= 0 {
		_, err := c.in.Discard(length)
		return err
	}
	c.line = c.line[:0]
	for {
		size, err := c.chunkSize()
		if err != nil {
			return err
		}
		if size == 0 {
			_, err := c.in.Discard(len("\r\n"))
			return err
		}
		if err := c.chunk(size, onEvent); err != nil {
			return err
		}
	}
}

// head reads the status line and the headers. The length is -1 for a chunked
// body.
func (c *client) head() (length int, err error) {
	line, err := c.in.ReadSlice('\n')
	if err != nil {
		return 0, err
	}
	if !bytes.HasPrefix(line, []byte("HTTP/1.1 200 ")) {
		rest, _ := c.in.Peek(c.in.Buffered())
		return 0, fmt.Errorf("the answer is %q: %q", bytes.TrimSpace(line), rest)
	}
	framed := false
	for {
		if line, err = c.in.ReadSlice('\n'); err != nil {
			return 0, err
		}
		if line = bytes.TrimSpace(line); len(line) == 0 {
			break
		}
		name, value, _ := bytes.Cut(line, []byte(":"))
		switch {
		case bytes.EqualFold(name, []byte("content-length")):
			if length, err = strconv.Atoi(string(bytes.TrimSpace(value))); err != nil {
				return 0, err
			}
			framed = true
		case bytes.EqualFold(name, []byte("transfer-encoding")):
			length, framed = -1, true
		}
	}
	if !framed {
		return 0, errors.New("the answer has neither a length nor chunks")
	}
	return length, nil
}

func (c *client) chunkSize() (int, error) {
	line, err := c.in.ReadSlice('\n')
	if err != nil {
		return 0, err
	}
	size, err := strconv.ParseUint(string(bytes.TrimSpace(line)), 16, 31)
	return int(size), err
}

// chunk reads one chunk as its bytes come in. Events need not end where chunks
// do.
func (c *client) chunk(size int, onEvent func(line []byte) error) error {
	for size > 0 {
		if _, err := c.in.Peek(1); err != nil {
			return err
		}
		part, _ := c.in.Peek(min(size, c.in.Buffered()))
		if err := c.lines(part, onEvent); err != nil {
			return err
		}
		size -= len(part)
		_, _ = c.in.Discard(len(part)) // it is in the buffer
	}
	_, err := c.in.Discard(len("\r\n"))
	return err
}

// lines hands on the lines that carry data, each once it is whole.
func (c *client) lines(part []byte, onEvent func(line []byte) error) error {
	for len(part) > 0 {
		end := bytes.IndexByte(part, '\n')
		if end < 0 {
			c.line = append(c.line, part...)
			return nil
		}
		line := part[:end]
		if len(c.line) > 0 {
			c.line = append(c.line, line...)
			line = c.line
		}
		if bytes.HasPrefix(line, []byte("data:")) {
			if err := onEvent(line); err != nil {
				return err
			}
		}
		c.line = c.line[:0]
		part = part[end+1:]
	}
	return nil
}

// delayOf is how long an event has been on its way. Events that the gateway
// adds carry no time stamp.
func delayOf(line []byte) (delay time.Duration, ok bool) {
	_, rest, found := bytes.Cut(line, []byte(stampMark))
	if !found || len(rest) < stampDigits {
		return 0, false
	}
	var at int64
	for _, digit := range rest[:stampDigits] {
		if digit < '0' || digit > '9' {
			return 0, false
		}
		at = at*10 + int64(digit-'0')
	}
	return time.Duration(time.Now().UnixNano() - at), true
}
