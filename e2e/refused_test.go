package e2e

import (
	"io"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
)

// Whoever is turned away before the end of the upload reads why: an answer that comes
// while Envoy still writes the body to its inner listener used to be lost now and then.
func TestRow6RefusalIsReadWhateverTheUpload(t *testing.T) {
	s, _, _ := pair(t)
	s.start()
	body := `{"model":"m/openai","messages":[{"role":"user","content":"` + strings.Repeat("hello ", 4000) + `"}]}`
	var others atomic.Int64
	var workers sync.WaitGroup
	for range 8 {
		workers.Go(func() {
			for range 100 {
				request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.URL+"/api/v1/chat/completions", strings.NewReader(body))
				if err != nil {
					t.Error(err)
					return
				}
				request.Header.Set("Authorization", "Bearer sk-or-v1-bad")
				request.Header.Set("Content-Type", "application/json")
				response, err := s.client.Do(request)
				if err != nil {
					t.Error(err)
					return
				}
				_ = response.Body.Close()
				if response.StatusCode != http.StatusUnauthorized {
					others.Add(1)
				}
			}
		})
	}
	workers.Wait()
	if others.Load() > 0 {
		t.Errorf("%d of 800 clients do not read 401", others.Load())
	}
}

// Bodies whose length nobody declared are refused while they still come, however much of
// them there is.
func TestBodiesBeyondTheLimitAreRefusedWhileTheyCome(t *testing.T) {
	s, _, _ := pair(t)
	s.config["listener"] = settings{"max_request_body": "1MiB"}
	s.start()
	largeBody := strings.Repeat("a", 12<<20)
	others := map[int]int{}
	for i := range 60 {
		path := []string{"/api/v1/chat/completions", "/api/v1/messages", "/api/v1/responses"}[i%3]
		request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.URL+path, io.NopCloser(strings.NewReader(largeBody)))
		if err != nil {
			t.Fatal(err)
		}
		request.Header.Set("Authorization", "Bearer "+clientKey)
		request.Header.Set("Content-Type", "application/json")
		response, err := s.client.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		_ = response.Body.Close()
		if response.StatusCode != http.StatusRequestEntityTooLarge {
			others[response.StatusCode]++
		}
	}
	if len(others) > 0 {
		t.Errorf("of 60 clients, some read another status than 413: %v", others)
	}
}
