package e2e

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/switchyard/switchyard/e2e/provider"
)

// known-failures 57: a reload takes effect as a whole. While requests go on and the file
// is written anew, an answer is one configuration's: who serves, what it costs and what
// the key may do belong together, and none is refused in between.
func TestReloadIsAllOrNothing(t *testing.T) {
	s, gpt, claude := pair(t)
	become := func(at *site, price string) {
		s.models["m/x"] = settings{"endpoints": []any{at.endpoint(price, price)}}
	}
	become(gpt, "1")
	s.start()
	gpt.Default(provider.Answer{Text: "hello", Usage: provider.Usage{Input: 100, Output: 100}})
	claude.Default(provider.Answer{Text: "hello", Usage: provider.Usage{Input: 100, Output: 100}})
	stop := make(chan struct{})
	var asking sync.WaitGroup
	var mu sync.Mutex
	served := map[string]int{}
	for range 4 {
		asking.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				got := s.ask(question("m/x"))
				var told reply
				if err := json.Unmarshal([]byte(got.body), &told); err != nil || got.status != 200 || told.Usage == nil || told.Usage.Cost == nil {
					t.Errorf("during a reload: %d %s", got.status, got.body)
					return
				}
				if want := map[string]float64{"gpt": 200e-6, "claude": 400e-6}[told.Provider]; !near(*told.Usage.Cost, want) {
					t.Errorf("%s answers at $%v, want %v", told.Provider, *told.Usage.Cost, want)
				}
				mu.Lock()
				served[told.Provider]++
				mu.Unlock()
			}
		})
	}
	for n := range 8 {
		at, price := claude, "2"
		if n%2 == 1 {
			at, price = gpt, "1"
		}
		become(at, price)
		if err := s.WriteConfig(s.config); err != nil {
			t.Fatal(err)
		}
		s.until("the new endpoint serves", func() bool { return s.ask(question("m/x")).decode(t).Provider == at.slug })
	}
	close(stop)
	asking.Wait()
	if served["gpt"] == 0 || served["claude"] == 0 {
		t.Errorf("served %v", served)
	}
}

// known-failures 46: bodies around every size at which a buffer on the way might end
// reach the provider whole, and the next one after a provider that failed.
func TestBodiesAroundTheSizesOfBuffers(t *testing.T) {
	s, gpt, claude := pair(t)
	down := s.openAI("down")
	s.serve("m/second-try", down, gpt)
	s.start()
	down.Default(provider.Failure{Status: 503})
	bare := len(question("m/second-try")) - len("hi")
	for _, size := range []int{4 << 10, 16 << 10, 32 << 10, 64 << 10, 256 << 10, 1 << 20, 10 << 20} {
		for _, more := range []int{-1, 0, 1} {
			var text strings.Builder
			for n := 0; text.Len() < size+more-bare; n++ {
				fmt.Fprintf(&text, "%d ", n)
			}
			want := text.String()[:size+more-bare]
			for model, at := range map[string]*site{"m/second-try": gpt, "m/anthropic": claude} {
				got := s.ask(strings.Replace(question(model), "hi", want, 1))
				if got.status != 200 {
					t.Fatalf("%d%+d bytes to %s: %d %.300s", size, more, model, got.status, got.body)
				}
				if arrived := string(at.last(t).Body); !strings.Contains(arrived, want) {
					t.Errorf("%d%+d bytes to %s: another text arrives, of %d bytes and the hash %x", size, more, model, len(arrived), sha256.Sum256([]byte(arrived)))
				}
			}
		}
	}
}
