package e2e

import (
	"bufio"
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/switchyard/switchyard/e2e/provider"
)

// cancelledWithin is how soon a provider must hear that nobody listens any more.
const cancelledWithin = 100 * time.Millisecond

// begin sends a streamed request and reads until the stream holds some text; an
// empty text does not wait for the answer at all. What it returns hangs up.
func (s *stage) begin(t *testing.T, body, until string) (hangUp func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	t.Cleanup(cancel)
	if until == "" {
		go func() {
			if response, err := s.send(ctx, http.MethodPost, "/api/v1/chat/completions", body); err == nil {
				response.Body.Close()
			}
		}()
		return cancel
	}
	response, err := s.send(ctx, http.MethodPost, "/api/v1/chat/completions", body)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { response.Body.Close() })
	for lines := bufio.NewScanner(response.Body); lines.Scan(); {
		if strings.Contains(lines.Text(), until) {
			return cancel
		}
	}
	t.Fatalf("the stream ended before %q", until)
	return nil
}

// eventually polls a metric, which has no event to wait for.
func (s *stage) eventually(want float64, metric string, labels ...string) {
	s.Helper()
	got, err := 0.0, error(nil)
	for deadline := time.Now().Add(5 * time.Second); time.Now().Before(deadline); time.Sleep(10 * time.Millisecond) {
		if got, err = s.Metric(metric, labels...); err == nil && got == want {
			return
		}
	}
	s.Errorf("metric %s%v is %v (%v), want %v", metric, labels, got, err, want)
}

// Row 90: a client that hangs up frees the provider at once, wherever the answer
// stands, and the attempt is settled once (known-failures 11, 28).
func TestRow90ClientHangsUp(t *testing.T) {
	s, gpt, claude := pair(t)
	s.start()
	stall := func(pieces int) provider.Script {
		return provider.Stream{Answer: provider.Answer{Text: "one two three four"}, Pieces: pieces, End: provider.EndStall}
	}
	settled := map[string]float64{}
	for name, test := range map[string]struct {
		script provider.Script
		until  string
	}{
		"before the headers":      {provider.Silence, ""}, // the provider has read the prompt
		"after the headers":       {provider.SilenceAfterHeaders, ""},
		"after the first token":   {stall(1), "one"},
		"after the third token":   {stall(3), "three"},
		"while tokens are coming": {provider.Stream{Answer: provider.Answer{Text: strings.Repeat("word ", 1000)}, Pace: 5 * time.Millisecond}, "word"},
	} {
		t.Run(name, func(t *testing.T) {
			each(t, gpt, claude, func(t *testing.T, at *site, model string) {
				at.Reset()
				at.Enqueue(test.script)
				hangUp := s.begin(t, streamed(model), test.until)
				exchange, err := at.Await(t.Context(), 0)
				if err != nil {
					t.Fatal(err)
				}
				select {
				case <-exchange.Cancelled():
					t.Fatalf("%s: cancelled before the client hung up", model)
				default:
				}
				hungUp := time.Now()
				hangUp()
				within(t, exchange.Cancelled(), "the provider's cancellation")
				if took := exchange.CancelledAt().Sub(hungUp); took > cancelledWithin {
					t.Errorf("%s: cancelled after %v, want %v", model, took, cancelledWithin)
				}
				settled[model]++
				s.eventually(settled[model], "switchyard_settled_total", `model="`+model+`"`, `outcome="cancelled"`)
			})
		})
	}
	// Nothing settles late, and nothing twice.
	for model, want := range settled {
		s.eventually(want, "switchyard_settled_total", `model="`+model+`"`)
	}
}

// A client that leaves with the last event, as the SDKs do, has had its answer.
func TestHangUpAfterDone(t *testing.T) {
	s, gpt, claude := pair(t)
	s.start()
	const clients = 20
	each(t, gpt, claude, func(t *testing.T, at *site, model string) {
		for range clients {
			s.begin(t, streamed(model), "[DONE]")()
		}
		s.eventually(clients, "switchyard_settled_total", `model="`+model+`"`)
		s.eventually(clients*11, "switchyard_tokens_total", `model="`+model+`"`, `class="prompt"`)
		s.eventually(clients*7, "switchyard_tokens_total", `model="`+model+`"`, `class="completion"`)
		if at.calls() != clients {
			t.Errorf("%s: %d requests", model, at.calls())
		}
	})
}

// A request that is not streamed is cancelled likewise (known-failures 11).
func TestHangUpOnWholeAnswer(t *testing.T) {
	s, gpt, claude := pair(t)
	s.start()
	each(t, gpt, claude, func(t *testing.T, at *site, model string) {
		at.Enqueue(provider.Silence)
		hangUp := s.begin(t, question(model), "")
		exchange, err := at.Await(t.Context(), 0)
		if err != nil {
			t.Fatal(err)
		}
		hungUp := time.Now()
		hangUp()
		within(t, exchange.Cancelled(), "the provider's cancellation")
		if took := exchange.CancelledAt().Sub(hungUp); took > cancelledWithin {
			t.Errorf("%s: cancelled after %v", model, took)
		}
	})
}
