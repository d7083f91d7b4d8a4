package e2e

import (
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
