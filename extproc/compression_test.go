package extproc

import (
	"fmt"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/switchyard/switchyard/extproc/dialect"
	"github.com/switchyard/switchyard/extproc/dialect/openai"
	"github.com/switchyard/switchyard/policies/catalog"
	"github.com/switchyard/switchyard/policies/config/configpb"
	"github.com/switchyard/switchyard/policies/routing"
)

func TestExcess(t *testing.T) {
	for _, test := range []struct {
		prompt, answer, context, most int64 // tokens
		want                          int64 // tokens
	}{
		{prompt: 8000, context: 8000},
		{prompt: 7000, answer: 1000, context: 8000},
		{prompt: 1 << 40},
		{prompt: 8001, context: 8000, want: 8001 - 5250},               // a quarter for the answer, and an eighth of the rest
		{prompt: 7001, answer: 1000, context: 8000, want: 7001 - 6125}, // an eighth
		{prompt: 4001, context: 8000, most: 4000, want: 4001 - 3500},
		{prompt: 10, answer: 8000, context: 8000, want: 10},
	} {
		endpoint := &catalog.Endpoint{ContextLength: test.context, MaxPromptTokens: test.most}
		request := &dialect.Request{PromptBytes: test.prompt * dialect.BytesPerToken, MaxTokens: test.answer}
		if got := excess(request, endpoint); got != test.want*dialect.BytesPerToken {
			t.Errorf("%+v: %d bytes", test, got)
		}
	}
}

// smallContext gives all endpoints of m/x a context of 8192 tokens.
func smallContext(cfg *configpb.Config, _ *Policy) {
	for _, endpoint := range cfg.Models["m/x"].Endpoints {
		endpoint.ContextLength = 8192
	}
}

// tooLong is a conversation of 40,000 bytes and more, which ends with a question.
func tooLong(members string) string {
	turns := make([]string, 20)
	for i := range turns {
		turns[i] = fmt.Sprintf(`{"role":%q,"content":"turn %d %s"}`, []string{"user", "assistant"}[i%2], i, strings.Repeat("x", 2000))
	}
	return withMembers(`{"model":"m/x","messages":[`+strings.Join(turns, ",")+`,{"role":"user","content":"the question"}]}`, members)
}

// Row 117: the provider gets what fits, and the client is told of it.
func TestRow117DefaultCompression(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGateway(t, smallContext, onlyA)
		e, upstream := g.askedAs("id", "1", tooLong(`"temperature":0.5,"top_logprobs":2,"logprobs":true`), "x-openrouter-metadata", "enabled")
		for _, kept := range []string{"turn 0 ", "turn 19 ", "the question", `"temperature":0.5`, `"top_logprobs":2`} {
			if !strings.Contains(upstream.body, kept) {
				t.Errorf("the provider does not get %s", kept)
			}
		}
		if strings.Contains(upstream.body, "turn 10 ") || len(upstream.body) > (8192-8192/4)*4 {
			t.Errorf("the provider gets %d bytes, with the middle", len(upstream.body))
		}
		e.replies("200", viaUpstream, "content-type", "application/json")
		e.sends(wholeAnswer, true)
		e.begins()
		answer := e.rest()
		for _, want := range []string{`"pipeline":[{"type":"context_compression","name":"context-compression"`, `"data":{"engine":"middle-out","messages_removed":9,"texts_shortened":1,"prompt_tokens_before":10040,"prompt_tokens_after":5376}`} {
			if !strings.Contains(answer, want) {
				t.Errorf("the client gets %s, without %s", answer, want)
			}
		}
	})
}

func TestRow117CompressionOff(t *testing.T) {
	for _, off := range []string{`"plugins":[{"id":"context-compression","enabled":false}]`, `"transforms":[]`} {
		synctest.Test(t, func(t *testing.T) {
			g := newGateway(t, smallContext)
			e := g.attempt("1")
			e.asks(tooLong(off), true)
			if got := e.refused(); got.status != 400 || !strings.Contains(got.error.Message, "maximum context length is 8192 tokens") {
				t.Errorf("%s: %d %s", off, got.status, got.error.Message)
			}
		})
	}
}

// What fits passes as it is, byte for byte.
func TestWhatFitsIsNotCompressed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGateway(t, smallContext, onlyA)
		e, upstream := g.asked("1", withMembers(wholeOf, `"plugins":[{"id":"context-compression"}],"unheard_of" : 1`))
		if want := `"unheard_of" : 1`; !strings.Contains(upstream.body, want) {
			t.Errorf("the provider gets %s, without %s", upstream.body, want)
		}
		e.hangUp()
	})
}

// What has no neutral form passes as it is to who speaks its dialect.
func TestWhatCannotBeReadIsNotCompressed(t *testing.T) {
	request := &dialect.Request{PromptBytes: 1 << 20, Chat: func() (*dialect.Chat, error) { return nil, dialect.Invalid("no") }}
	a := &attempt{request: request, provider: openai.Provider{}, candidate: routing.Candidate{Compress: true, Endpoint: &catalog.Endpoint{ContextLength: 100}}}
	if a.compress(); a.request != request || a.pipeline != nil {
		t.Errorf("%+v", a.request)
	}
}

// Row 118: Anthropic takes 1000 messages. Its dialect is b's, whose contexts are not
// bounded here.
func TestRow118AnthropicsMessages(t *testing.T) {
	messages := make([]string, 1200)
	for i := range messages {
		messages[i] = fmt.Sprintf(`{"role":%q,"content":"turn %d."}`, []string{"user", "assistant"}[i%2], i)
	}
	body := `{"model":"m/x","max_tokens":9,"messages":[` + strings.Join(messages, ",") + `]}`
	for plugins, want := range map[string]int{`"plugins":[{"id":"context-compression"}]`: 1000, `"transforms":["middle-out"]`: 1000, `"top_k":1`: 1200} {
		synctest.Test(t, func(t *testing.T) {
			g := newGateway(t, onlyB)
			e, upstream := g.asked("1", withMembers(body, plugins))
			if got := strings.Count(upstream.body, "turn "); got != want {
				t.Errorf("%s: the provider gets %d messages, want %d", plugins, got, want)
			}
			for _, gone := range []string{"turn 500.", "turn 699."} {
				if strings.Contains(upstream.body, gone) != (want == 1200) {
					t.Errorf("%s: %s", plugins, gone)
				}
			}
			for _, kept := range []string{"turn 0.", "turn 499.", "turn 700.", "turn 1199."} {
				if !strings.Contains(upstream.body, kept) {
					t.Errorf("%s: %s is gone", plugins, kept)
				}
			}
			e.hangUp()
		})
	}
}
