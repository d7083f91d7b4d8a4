package e2e

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/switchyard/switchyard/e2e/provider"
)

// Many requests at once, some of them hanging up, some failing over: each gets
// its own answer, whole, and nothing of another's.
func TestCrowd(t *testing.T) {
	s := newStage(t)
	down, gpt, claude := s.openAI("down"), s.openAI("gpt"), s.anthropic("claude")
	s.serve("m/openai", gpt)
	s.serve("m/anthropic", claude)
	s.serve("m/second-try", down, claude)
	s.start()
	down.Default(provider.Failure{Status: 503})
	gpt.Default(provider.Echo{})
	claude.Default(provider.Echo{})
	type asked struct {
		model, mine     string
		streamed, whole answer
	}
	const clients, requests = 32, 12
	answers := make(chan asked, clients*requests)
	var crowd sync.WaitGroup
	for client := range clients {
		crowd.Go(func() {
			for n := range requests {
				model := []string{"m/openai", "m/anthropic", "m/second-try"}[(client+n)%3]
				mine := fmt.Sprintf("I am %d, 我是 %d,%s", client, n, strings.Repeat(fmt.Sprintf(" %d", client*1000+n), 50))
				stream := strings.Replace(streamed(model), "hi", mine, 1)
				if n%4 == 3 {
					s.leave(stream)
					continue
				}
				answers <- asked{model, mine, s.ask(stream), s.ask(strings.Replace(question(model), "hi", mine, 1))}
			}
		})
	}
	crowd.Wait()
	close(answers)
	for a := range answers {
		if got := a.streamed.transcript(t); got.text != a.mine || !got.done || len(got.usage) != 1 {
			t.Errorf("%s: asked %.40q, got %.80q, done %v", a.model, a.mine, got.text, got.done)
		}
		if got := a.whole.choice(t).Message.Content; got != a.mine {
			t.Errorf("%s: asked %.40q, got %.80q", a.model, a.mine, got)
		}
	}
}

// leave asks for a stream and hangs up after its first bytes.
func (s *stage) leave(body string) {
	ctx, cancel := context.WithCancel(s.Context())
	defer cancel()
	if response, err := s.send(ctx, http.MethodPost, "/api/v1/chat/completions", body); err == nil {
		_, _ = io.CopyN(io.Discard, response.Body, 100)
		response.Body.Close()
	}
}
