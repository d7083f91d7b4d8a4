package main

import (
	"bytes"
	"errors"
	"net"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// newDirect is the shortest way: to an upstream in the same process.
func newDirect(t *testing.T) (*upstream, *way) {
	t.Helper()
	u, err := startUpstream()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(u.close)
	return u, &way{name: "direct", address: u.address(), path: plainPath, upstream: u.address()}
}

func TestClosedLoopMeasuresEveryAnswer(t *testing.T) {
	_, w := newDirect(t)
	for _, kind := range []answerKind{unary, burst} {
		f, err := closedLoop(t.Context(), w, kind, 3, 100*time.Millisecond)
		if err != nil {
			t.Fatal(err)
		}
		if f.answers < 3 || f.whole.p50 <= 0 || f.whole.p50 > f.whole.p99 || f.elapsed < 100*time.Millisecond {
			t.Errorf("%s: %+v", kind, f)
		}
		if stream := kind == burst; stream != (f.first.p50 > 0) || f.first.p50 > f.whole.p50 {
			t.Errorf("%s: first event after %v, whole answer after %v", kind, f.first.p50, f.whole.p50)
		}
	}
}

func TestClosedLoopFailsRatherThanCountingErrors(t *testing.T) {
	_, w := newDirect(t)
	w.path = func(answerKind) string { return "/elsewhere" }
	if f, err := closedLoop(t.Context(), w, unary, 1, 100*time.Millisecond); err == nil {
		t.Errorf("404 is measured as an answer: %+v", f)
	}
}

func TestPacedStreamsAreMeasuredWhileTheyGoOn(t *testing.T) {
	u, w := newDirect(t)
	const streams, duration = 10, 200 * time.Millisecond
	f, err := pacedStreams(t.Context(), w, streams, duration)
	if err != nil {
		t.Fatal(err)
	}
	want := streams * int(duration/pace)
	if f.events < want/2 || f.events > want*3/2 {
		t.Errorf("%d events, want about %d", f.events, want)
	}
	if f.delay.p50 <= 0 || f.delay.p50 > pace {
		t.Errorf("an event takes %v on loopback", f.delay.p50)
	}
	if open := u.streams.Load(); open != 0 {
		t.Errorf("%d streams go on after the measurement", open)
	}
}

func TestStreamThatEndsIsAFailure(t *testing.T) {
	_, w := newDirect(t)
	w.path = func(answerKind) string { return plainPath(burst) }
	f, err := pacedStreams(t.Context(), w, 2, time.Second)
	if !errors.Is(err, errOver) {
		t.Errorf("pacedStreams = %+v, %v; want %v", f, err, errOver)
	}
}

func TestUpstreamRefusesABodyWithoutALength(t *testing.T) {
	u, _ := newDirect(t)
	conn, err := net.Dial("tcp", u.address())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	request := "POST /unary/v1/chat/completions HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n"
	if _, err := conn.Write([]byte(request)); err != nil {
		t.Fatal(err)
	}
	if n, err := conn.Read(make([]byte, 1)); err == nil {
		t.Errorf("the upstream answers (%d bytes)", n)
	}
}

func TestMessagesHaveTheSizeThatTheReportSays(t *testing.T) {
	for name, message := range map[string][]byte{
		"request":      requestTo("/", gatewayKey, burst),
		"whole answer": wholeAnswer,
	} {
		_, body, _ := bytes.Cut(message, []byte("\r\n\r\n"))
		if len(body) != bodyBytes {
			t.Errorf("%s: %d bytes, want %d", name, len(body), bodyBytes)
		}
	}
}
