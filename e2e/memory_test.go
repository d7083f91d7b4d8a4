package e2e

import (
	"context"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/switchyard/switchyard/e2e/provider"
)

// held is how much memory answers take just now that are held until they are whole.
func (s *stage) held(t *testing.T) float64 {
	t.Helper()
	held, err := s.Metric("switchyard_held_bytes", `bodies="answers"`)
	if err != nil {
		t.Fatal(err)
	}
	return held
}

// An answer that finds no room is not read: its provider is held back, and goes on when
// the answer before is gone.
func TestAnswerWithoutRoomHoldsItsProviderBack(t *testing.T) {
	const size, limit = 40 * megabyte, 16 * megabyte
	s, gpt, _ := pair(t)
	s.config["memory"] = settings{"answers": strconv.Itoa(limit)}
	s.start()
	// Half of the first is beyond the limit already.
	gpt.Enqueue(provider.Stream{Answer: provider.Answer{Text: strings.Repeat("x", size)}, End: provider.EndStall}, provider.Flood{Bytes: size})
	ctx, hangUp := context.WithCancel(t.Context())
	defer hangUp()
	go func() {
		if response, err := s.send(ctx, http.MethodPost, "/api/v1/chat/completions", question("m/openai")); err == nil {
			response.Body.Close()
		}
	}()
	s.until("half of the first answer is held", func() bool { return s.held(t) >= size/2 })
	answered := make(chan answer, 1)
	go func() { answered <- s.ask(question("m/openai")) }()
	second, err := gpt.Await(t.Context(), 1)
	if err != nil {
		t.Fatal(err)
	}
	// It writes its answer at once, and cannot: what is written is all or nothing.
	if written := writtenAhead(second); written > 0 {
		t.Errorf("%d MB of the answer were read without room", written/megabyte)
	}
	hangUp()
	if got := <-answered; got.status != 200 || len(got.body) < size {
		t.Errorf("the second answer: %d with %d bytes", got.status, len(got.body))
	}
}

// However many large answers there are, they take what they may, and all are given.
func TestManyLargeAnswersAreBoundedTogether(t *testing.T) {
	const clients, size, limit = 32, 8 * megabyte, 32 * megabyte
	s, gpt, claude := pair(t)
	s.config["memory"] = settings{"answers": strconv.Itoa(limit)}
	s.start()
	gpt.Default(provider.Flood{Bytes: size})
	claude.Default(provider.Flood{Bytes: size})
	var asking sync.WaitGroup
	for i := range clients {
		asking.Go(func() {
			got := s.ask(question([]string{"m/openai", "m/anthropic"}[i%2]))
			if n := strings.Count(got.body, "x"); got.status != 200 || n < size {
				t.Errorf("status %d with %d bytes: %.300s", got.status, n, got.body)
			}
		})
	}
	answered := make(chan struct{})
	go func() { asking.Wait(); close(answered) }()
	most := 0.0
	for done := false; !done; {
		select {
		case <-answered:
			done = true
		default:
			most = max(most, s.held(t))
		}
	}
	if most > limit+size+megabyte || most == 0 {
		t.Errorf("answers took %v bytes of %d", most, limit)
	}
	if held := s.held(t); held != 0 {
		t.Errorf("%v bytes are still held", held)
	}
}
