package e2e

import (
	"testing"
	"time"

	"github.com/switchyard/switchyard/e2e/provider"
)

// A slow first candidate is raced by the next one, whose answer wins, and is
// cancelled.
func TestHedging(t *testing.T) {
	s := newStage(t)
	slow, quick := s.openAI("slow"), s.openAI("quick")
	s.serve("m/x", slow, quick)
	s.routing(settings{"hedge_after": "0.2s"})
	s.start()
	for _, stream := range []bool{false, true} {
		slow.Reset()
		slow.Default(provider.Silence)
		body := question("m/x")
		if stream {
			body = streamed("m/x")
		}
		began := time.Now()
		got := s.ask(body)
		took := time.Since(began)
		if stream {
			if gathered := got.transcript(t); !gathered.done || gathered.chunks[0].Provider != "quick" {
				t.Errorf("stream: %s", got.body)
			}
		} else if got.status != 200 || got.decode(t).Provider != "quick" {
			t.Errorf("status %d: %s", got.status, got.body)
		}
		if took < 190*time.Millisecond || // Envoy counts whole milliseconds from its own start
			took > 2*time.Second {
			t.Errorf("stream %v: took %v, want a little over 0.2s", stream, took)
		}
		within(t, slow.last(t).Cancelled(), "the loser's cancellation")
	}
}

// A first candidate that answers in time is not raced.
func TestNoHedgeWithinTheDelay(t *testing.T) {
	s := newStage(t)
	first, second := s.openAI("first"), s.openAI("second")
	s.serve("m/x", first, second)
	s.routing(settings{"hedge_after": "2s"})
	s.start()
	first.Default(provider.Stream{Pace: 50 * time.Millisecond})
	if gathered := s.ask(streamed("m/x")).transcript(t); !gathered.done {
		t.Errorf("the stream is incomplete: %q", gathered.text)
	}
	if second.calls() != 0 {
		t.Errorf("the second candidate was asked %d times", second.calls())
	}
}

// within waits for an event that a test cannot go on without.
func within(t *testing.T, event <-chan struct{}, what string) {
	t.Helper()
	select {
	case <-event:
	case <-time.After(10 * time.Second):
		t.Fatal("timed out waiting for " + what)
	}
}
