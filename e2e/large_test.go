package e2e

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/switchyard/switchyard/e2e/provider"
)

const megabyte = 1 << 20

// known-failures 46.
func TestTwentyMegabyteRequest(t *testing.T) {
	s, gpt, claude := pair(t)
	down := s.openAI("down")
	s.serve("m/second-try", down, gpt)
	s.start()
	down.Default(provider.Failure{Status: 503})
	text := strings.Repeat("x", 20*megabyte)
	for model, at := range map[string]*site{"m/openai": gpt, "m/anthropic": claude, "m/second-try": gpt} {
		body := strings.Replace(question(model), "hi", text, 1)
		if got := s.ask(body); got.status != 200 {
			t.Errorf("%s: status %d: %.300s", model, got.status, got.body)
		}
		if n := strings.Count(string(at.last(t).Body), "x"); n < len(text) {
			t.Errorf("%s: %d bytes of text reached the provider, want %d", model, n, len(text))
		}
	}
}

// A provider may put megabytes into a single event (known-failures 29).
func TestEventOfTwoMegabytes(t *testing.T) {
	s, gpt, claude := pair(t)
	s.start()
	each(t, gpt, claude, func(t *testing.T, at *site, model string) {
		at.Enqueue(provider.Answer{Pieces: []string{"begin ", strings.Repeat("x", 2*megabyte), " end"}})
		if gathered := s.ask(streamed(model)).transcript(t); len(gathered.text) != 2*megabyte+10 || !gathered.done || len(gathered.errors) != 0 {
			t.Errorf("%d bytes of text, errors %v", len(gathered.text), gathered.errors)
		}
	})
}

// One slow client must not take the gateway down: Envoy 1.36 to 1.40 crash when
// a per-cluster ext_proc filter with a response body mode meets a client that
// reads slower than the provider writes.
func TestTwentyMegabyteAnswerToASlowReader(t *testing.T) {
	s, gpt, claude := pair(t)
	s.start()
	before := s.envoyPID()
	each(t, gpt, claude, func(t *testing.T, at *site, model string) {
		for _, body := range []string{question(model), streamed(model)} {
			at.Enqueue(provider.Flood{Bytes: 20 * megabyte})
			read, err := io.ReadAll(&slowReader{s.slowly(body), 64 << 10, 4 * time.Millisecond})
			if err != nil {
				t.Errorf("%s: %v", model, err)
			}
			if n := strings.Count(string(read), "x"); n < 20*megabyte {
				t.Errorf("%s: %d bytes of text, want 20 MB", model, n)
			}
		}
	})
	if after := s.envoyPID(); after != before {
		t.Errorf("Envoy was replaced: process %d, then %d", before, after)
	}
}

// A provider is not read ahead of the client, so that no slow client fills the
// gateway's memory (known-failures 30).
func TestBackPressureReachesTheProvider(t *testing.T) {
	s, gpt, _ := pair(t)
	s.start()
	const flood, ahead = 200 * megabyte, 40 * megabyte
	gpt.Enqueue(provider.Flood{Bytes: flood})
	body := s.slowly(streamed("m/openai"))
	if _, err := io.CopyN(io.Discard, body, 100<<10); err != nil {
		t.Fatal(err)
	}
	exchange := gpt.last(t)
	if written := writtenAhead(exchange); written > ahead {
		t.Errorf("the provider was read %d MB ahead of the client", written/megabyte)
	}
	if _, err := io.Copy(io.Discard, body); err != nil {
		t.Errorf("after the pause: %v", err)
	}
	if exchange.Written() < flood {
		t.Errorf("the provider wrote %d MB, want all", exchange.Written()/megabyte)
	}
}

// writtenAhead is how far the provider gets with its answer while the client reads
// nothing: soon it can write nothing.
func writtenAhead(exchange *provider.Exchange) int64 {
	written := int64(-1)
	for deadline := time.Now().Add(10 * time.Second); written != exchange.Written() && time.Now().Before(deadline); {
		written = exchange.Written()
		time.Sleep(500 * time.Millisecond)
	}
	return written
}

// slowly sends a request on a connection with small buffers and returns the
// answer's body.
func (s *stage) slowly(body string) io.Reader {
	s.Helper()
	return s.slowlyAt("/api/v1/chat/completions", body)
}

// slowlyAt is slowly at another path.
func (s *stage) slowlyAt(path, body string) io.Reader {
	s.Helper()
	transport := &http.Transport{
		ReadBufferSize: 4 << 10,
		Dial: func(network, address string) (net.Conn, error) {
			conn, err := net.Dial(network, address)
			if err == nil {
				err = conn.(*net.TCPConn).SetReadBuffer(16 << 10)
			}
			return conn, err
		},
	}
	s.Cleanup(transport.CloseIdleConnections)
	request, err := http.NewRequestWithContext(s.Context(), http.MethodPost, s.URL+path, strings.NewReader(body))
	if err != nil {
		s.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("Authorization", "Bearer "+clientKey)
	response, err := transport.RoundTrip(request)
	if err != nil {
		s.Fatal(err)
	}
	s.Cleanup(func() { response.Body.Close() })
	if response.StatusCode != http.StatusOK {
		s.Fatal(fmt.Sprint("status ", response.Status))
	}
	return response.Body
}

// slowReader takes a little at a time.
type slowReader struct {
	io.Reader
	most  int
	pause time.Duration
}

func (s *slowReader) Read(into []byte) (int, error) {
	time.Sleep(s.pause)
	return s.Reader.Read(into[:min(len(into), s.most)])
}

// envoyPID is the Envoy's process; a test cannot go on without one.
func (s *stage) envoyPID() int {
	s.Helper()
	pid, err := s.EnvoyPID()
	if err != nil {
		s.Fatal(err)
	}
	return pid
}
