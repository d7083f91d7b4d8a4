package e2e

import (
	"strings"
	"testing"
	"time"

	"github.com/switchyard/switchyard/e2e/provider"
)

// said is what a fake answers when a test leaves it to the fake.
const said = "Grüße from the fake, 世界 and 🌍."

func TestRow80StreamFraming(t *testing.T) {
	s, _, _ := pair(t)
	s.start()
	for _, model := range []string{"m/openai", "m/anthropic"} {
		got := s.ask(streamed(model))
		gathered := got.transcript(t)
		if gathered.text != said || !gathered.done || gathered.finish != "stop" {
			t.Errorf("%s: %s", model, got.body)
		}
		if len(gathered.usage) != 1 || gathered.usage[0].Cost == nil || !near(*gathered.usage[0].Cost, 25e-6) {
			t.Errorf("row 82: %s: usage %+v in %s", model, gathered.usage, got.body)
		}
		finishes := 0
		for _, chunk := range gathered.chunks {
			if chunk.ID != gathered.chunks[0].ID || !generationID.MatchString(chunk.ID) {
				t.Errorf("%s: id %q", model, chunk.ID)
			}
			if chunk.Model != model || chunk.Object != "chat.completion.chunk" || chunk.Provider == "" {
				t.Errorf("%s: chunk %+v", model, chunk)
			}
			for _, c := range chunk.Choices {
				if c.Delta.Role != "assistant" {
					t.Errorf("row 85: %s: delta role %q", model, c.Delta.Role)
				}
				if c.FinishReason != nil {
					finishes++
				}
			}
		}
		if finishes != 1 {
			t.Errorf("row 84: %s: %d chunks with a finish reason, want 1", model, finishes)
		}
		if header := got.header.Get("X-Generation-Id"); header != gathered.chunks[0].ID {
			t.Errorf("row 2: %s: X-Generation-Id %q", model, header)
		}
	}
}

// However a provider cuts and ends its lines, the client gets the same answer in
// the gateway's own framing (known-failures 29).
func TestSplitAndMergedChunks(t *testing.T) {
	s, gpt, claude := pair(t)
	s.start()
	answer := provider.Answer{
		Text:      said,
		ToolCalls: []provider.ToolCall{{Name: "weather", Arguments: `{"city":"Köln","days":[1,2,3]}`}},
	}
	for name, framing := range map[string]provider.Framing{
		"an event a write":      {},
		"all in one write":      {Merged: true},
		"byte by byte":          {Trickle: -1},
		"CRLF":                  {LineEnd: "\r\n"},
		"CRLF byte by byte":     {LineEnd: "\r\n", Trickle: -1},
		"CR":                    {LineEnd: "\r"},
		"no space after data:":  {NoSpace: true},
		"comments":              {Comments: true},
		"data over many lines":  {MultiLine: true},
		"no blank line at last": {OmitBlank: true},
		"everything at once":    {LineEnd: "\r\n", NoSpace: true, Comments: true, MultiLine: true, Trickle: -1},
	} {
		t.Run(name, func(t *testing.T) {
			each(t, gpt, claude, func(t *testing.T, at *site, model string) {
				at.Enqueue(provider.Stream{Answer: answer, Framing: framing})
				got := s.ask(streamed(model, weatherTool))
				gathered := got.transcript(t)
				if gathered.text != said || gathered.finish != "tool_calls" || !gathered.done || len(gathered.errors) != 0 {
					t.Errorf("%s: %s", model, got.body)
				}
				if call := gathered.calls[0]; call == nil || call.Function.Arguments != answer.ToolCalls[0].Arguments {
					t.Errorf("%s: tool call %+v", model, call)
				}
			})
		})
	}
}

// weatherTool is a request's tools.
const weatherTool = `"tools":[{"type":"function","function":{"name":"weather","parameters":{"type":"object","properties":{"city":{"type":"string"}}}}}]`

// A compressed answer that nobody asked for is decoded or refused, never passed
// on as garbage.
func TestUnaskedCompression(t *testing.T) {
	s, gpt, claude := pair(t)
	s.start()
	each(t, gpt, claude, func(t *testing.T, at *site, model string) {
		at.Default(provider.Stream{Framing: provider.Framing{Gzip: true}})
		for _, body := range []string{question(model), streamed(model)} {
			got := s.ask(body)
			if got.status == 200 && !strings.Contains(got.body, "Gr") {
				t.Errorf("%s: passed on: %q", model, got.body)
			} else if got.status != 200 {
				got.failed(t, 502)
			}
		}
	})
}

// A stream that has said its last word is over, whether or not the provider
// closes it.
func TestProviderThatNeverClosesItsStream(t *testing.T) {
	s, gpt, claude := pair(t)
	s.start()
	each(t, gpt, claude, func(t *testing.T, at *site, model string) {
		at.Enqueue(provider.Stream{End: provider.EndLinger})
		if gathered := s.ask(streamed(model)).transcript(t); gathered.text != said || !gathered.done || len(gathered.errors) != 0 {
			t.Errorf("%s: %+v", model, gathered)
		}
		within(t, at.last(t).Done(), "the provider's connection to be given up")
	})
}

// While a provider thinks, the client hears that it is not forgotten, and no
// byte of the answer is lost by it. Envoy takes nothing from the processor for
// the client before the provider's first body byte, so that silence until then
// is silence for the client too.
func TestRow81KeepAliveComments(t *testing.T) {
	s, gpt, claude := pair(t)
	s.routing(settings{"keep_alive_interval": "0.1s"})
	s.start()
	for name, test := range map[string]struct {
		script   provider.Script
		comments bool
	}{
		"after the opening":  {provider.Stream{Opening: true, First: 500 * time.Millisecond}, true},
		"after the headers":  {provider.Stream{First: 500 * time.Millisecond}, false},
		"before the headers": {provider.Late{After: 500 * time.Millisecond, Then: provider.Answer{}}, false},
	} {
		t.Run(name, func(t *testing.T) {
			each(t, gpt, claude, func(t *testing.T, at *site, model string) {
				at.Enqueue(test.script)
				got := s.ask(streamed(model))
				gathered := got.transcript(t)
				if gathered.text != said || !gathered.done || len(gathered.errors) != 0 {
					t.Errorf("%s", got.body)
				}
				waiting, _, _ := strings.Cut(got.body, "Gr")
				if test.comments && strings.Count(waiting, ": OPENROUTER PROCESSING\n\n") < 2 {
					t.Errorf("comments %q in %s", gathered.comments, got.body)
				}
			})
		})
	}
}

// breaks are the ways in which an answer ends after its first token.
var breaks = map[string]provider.Ending{
	"an error event":       provider.EndError,
	"a clean end":          provider.EndClean,
	"a malformed event":    provider.EndMalformed,
	"a web page":           provider.EndHTML,
	"silence":              provider.EndStall,
	"a connection's reset": provider.EndReset,
}

// apart is long enough for an event to be passed on before the next one comes.
// Without it, an answer and its break would arrive at once, and the client would
// rightly get an error in place of the answer.
const apart = 50 * time.Millisecond

// Rows 62 and 86: what breaks off after the first byte is an error inside the
// stream, and no other provider is asked. A reset is the known limit: Envoy
// resets the client's stream too, which no client takes for an end (known-failures 24).
func TestRow86MidStreamErrors(t *testing.T) {
	s := newStage(t)
	gpt, claude, second := s.openAI("gpt"), s.anthropic("claude"), s.openAI("second")
	for _, at := range []*site{gpt, claude} {
		at.config["timeouts"] = settings{"between_tokens": patience}
		s.serve("m/"+at.slug, at, second)
	}
	s.start()
	for name, end := range breaks {
		t.Run(name, func(t *testing.T) {
			for _, at := range []*site{gpt, claude} {
				at.Enqueue(provider.Stream{Answer: provider.Answer{Text: "one two three four"}, Pieces: 3, Pace: apart, End: end})
				began := time.Now()
				// The break before is an outage: without an order the second would be first.
				got := s.ask(streamed("m/"+at.slug, `"provider":{"order":["`+at.slug+`"]}`))
				if took := time.Since(began); took > 2*time.Second {
					t.Errorf("%s: told after %v", at.slug, took)
				}
				if end == provider.EndReset {
					if !strings.Contains(got.body, " two") || strings.Contains(got.body, "[DONE]") {
						t.Errorf("%s: %s", at.slug, got.body)
					}
					continue
				}
				gathered := got.transcript(t)
				if gathered.text != "one two three" || gathered.finish != "error" || !gathered.done {
					t.Errorf("%s: text %q, finish %q, done %v in %s", at.slug, gathered.text, gathered.finish, gathered.done, got.body)
				}
				if len(gathered.errors) != 1 || gathered.errors[0].Code < 400 || gathered.errors[0].Message == "" ||
					gathered.errors[0].Metadata["error_type"] == nil {
					t.Errorf("%s: errors %+v", at.slug, gathered.errors)
				}
			}
		})
	}
	if second.calls() != 0 {
		t.Errorf("row 62: the second candidate was asked %d times", second.calls())
	}
}

// An answer that is long in coming but never silent for too long is no stall.
func TestSlowStreamIsNoStall(t *testing.T) {
	s := newStage(t)
	slow := s.openAI("slow")
	slow.config["timeouts"] = settings{"between_tokens": "0.5s", "first_token": "0.5s", "response_headers": "0.5s"}
	s.serve("m/x", slow)
	s.start()
	slow.Default(provider.Stream{Answer: provider.Answer{Text: strings.Repeat(" word", 12)}, Pace: 100 * time.Millisecond})
	if gathered := s.ask(streamed("m/x")).transcript(t); len(gathered.errors) != 0 || !gathered.done {
		t.Errorf("cut off after %q: %v", gathered.text, gathered.errors)
	}
}
