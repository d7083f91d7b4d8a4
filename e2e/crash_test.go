package e2e

import (
	"net/http"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/switchyard/switchyard/e2e/provider"
)

// The supervisor brings a killed Envoy back, again and again, and nothing else
// has to be done.
func TestEnvoyKilled(t *testing.T) {
	s, _, _ := pair(t)
	s.start()
	for range 2 {
		killed := s.envoyPID()
		if err := syscall.Kill(killed, syscall.SIGKILL); err != nil {
			t.Fatal(err)
		}
		began := time.Now()
		answered := false
		for time.Since(began) < 20*time.Second && !answered {
			response, err := s.send(t.Context(), http.MethodPost, "/api/v1/chat/completions", question("m/openai"))
			if err != nil {
				time.Sleep(10 * time.Millisecond)
				continue
			}
			answered = response.StatusCode == 200
			response.Body.Close()
		}
		if !answered || s.envoyPID() == killed {
			t.Fatalf("no answer %v after Envoy was killed", time.Since(began))
		}
		t.Logf("answered again %v after Envoy was killed", time.Since(began).Round(time.Millisecond))
	}
}

// A stop lets the streams in flight finish, lets nobody new in, and exits 0
// (which every test's end checks).
func TestStopDrains(t *testing.T) {
	s, gpt, claude := pair(t)
	s.start()
	slow := provider.Stream{Answer: provider.Answer{Text: strings.Repeat(" word", 20)}, Pace: 50 * time.Millisecond}
	answers := make(chan answer, 2)
	for at, model := range map[*site]string{gpt: "m/openai", claude: "m/anthropic"} {
		at.Enqueue(slow)
		go func() { answers <- s.ask(streamed(model)) }()
		if _, err := at.Await(t.Context(), 0); err != nil {
			t.Fatal(err)
		}
	}
	began := time.Now()
	if err := s.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if gathered := (<-answers).transcript(t); gathered.text != slow.Answer.Text || !gathered.done || len(gathered.errors) != 0 {
			t.Errorf("a stream was cut by the stop: %+v", gathered)
		}
	}
	within(t, s.Exited(), "the gateway's exit")
	if took := time.Since(began); took > 10*time.Second {
		t.Errorf("stopped after %v, though the streams took about one second", took)
	}
	if _, err := s.send(t.Context(), http.MethodGet, "/health", ""); err == nil {
		t.Error("somebody still listens after the stop")
	}
}

// A new configuration takes effect while streams go on; a wrong one changes
// nothing and is reported (known-failures 57).
func TestReloadCutsNoStream(t *testing.T) {
	s, gpt, _ := pair(t)
	added := s.anthropic("added")
	delete(s.providers, "added")
	s.start()
	long := provider.Stream{Answer: provider.Answer{Text: strings.Repeat(" word", 40)}, Pace: 50 * time.Millisecond}
	gpt.Enqueue(long)
	answers := make(chan answer, 1)
	go func() { answers <- s.ask(streamed("m/openai")) }()
	if _, err := gpt.Await(t.Context(), 0); err != nil {
		t.Fatal(err)
	}

	s.providers["added"] = added.config
	s.serve("m/added", added)
	if err := s.WriteConfig(s.config); err != nil {
		t.Fatal(err)
	}
	s.until("the added model is served", func() bool { return s.ask(question("m/added")).status == 200 })

	s.config["nonsense"] = true
	if err := s.WriteConfig(s.config); err != nil {
		t.Fatal(err)
	}
	if err := s.Signal(syscall.SIGHUP); err != nil {
		t.Fatal(err)
	}
	s.until("/health reports the wrong file", func() bool {
		return strings.Contains(s.do(http.MethodGet, "/health", "").body, "nonsense")
	})
	if got := s.do(http.MethodGet, "/health", ""); got.status != 200 {
		t.Errorf("a wrong file made the gateway unhealthy: %s", got.body)
	}
	if got := s.ask(question("m/added")); got.status != 200 {
		t.Errorf("a wrong file changed what is served: %d %s", got.status, got.body)
	}
	if g := (<-answers).transcript(t); g.text != long.Answer.Text || !g.done || len(g.errors) != 0 {
		t.Errorf("the stream was cut by a reload: %+v", g)
	}
}

// until polls for what has no event to wait for.
func (s *stage) until(what string, happened func() bool) {
	s.Helper()
	for deadline := time.Now().Add(15 * time.Second); time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
		if happened() {
			return
		}
	}
	s.Fatal("waited in vain until " + what)
}
