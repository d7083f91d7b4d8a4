package e2e

import (
	"encoding/base64"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/switchyard/switchyard/e2e/provider"
)

// album serves an image on this machine, as a bucket in an intranet does.
func album(t *testing.T) (url string, asked *atomic.Int32) {
	t.Helper()
	asked = new(atomic.Int32)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked.Add(1)
		switch {
		case r.Header.Get("Authorization") != "" || r.Header.Get("Cookie") != "":
			t.Errorf("the file server was told %v", r.Header)
		case r.URL.Path == "/photo":
			_, _ = w.Write(pixel)
		case r.URL.Path == "/page":
			_, _ = w.Write([]byte("<html>no image</html>"))
		default:
			http.NotFound(w, r)
		}
	}))
	t.Cleanup(server.Close)
	return server.URL, asked
}

var pixel, _ = base64.StdEncoding.DecodeString("iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==")

// Row 122: what the provider does not fetch arrives as bytes, whichever API the client
// speaks.
func TestRow122ImageIsInlined(t *testing.T) {
	s, google := googler(t)
	down := s.gemini("down")
	down.Default(provider.Failure{Status: 503})
	s.serve("m/second", down, google)
	s.models["m/second"].(settings)["input_modalities"] = []any{"text", "image"}
	s.config["fetch"] = settings{"allow": []any{"127.0.0.1"}}
	s.start()
	url, asked := album(t)
	url += "/photo?signature=s3cr3t"
	for path, body := range map[string]string{
		"/api/v1/chat/completions": `{"model":"m/gemini","messages":[{"role":"user","content":[{"type":"text","text":"what?"},{"type":"image_url","image_url":{"url":"` + url + `"}},{"type":"image_url","image_url":{"url":"` + url + `"}}]}]}`,
		"/api/v1/messages":         `{"model":"m/gemini","max_tokens":99,"messages":[{"role":"user","content":[{"type":"text","text":"what?"},{"type":"image","source":{"type":"url","url":"` + url + `"}}]}]}`,
		"/api/v1/responses":        `{"model":"m/gemini","input":[{"role":"user","content":[{"type":"input_text","text":"what?"},{"type":"input_image","image_url":"` + url + `"}]}]}`,
	} {
		asked.Store(0)
		if got := s.do(http.MethodPost, path, body); got.status != http.StatusOK {
			t.Errorf("%s: %d %s", path, got.status, got.body)
			continue
		}
		want := `{"inlineData":{"mimeType":"image/png","data":"` + base64.StdEncoding.EncodeToString(pixel) + `"}}`
		if sent := string(google.last(t).Body); !strings.Contains(sent, want) || strings.Contains(sent, "s3cr3t") {
			t.Errorf("%s: the provider got %s", path, sent)
		}
		if asked.Load() != 1 {
			t.Errorf("%s: fetched %d times", path, asked.Load())
		}
	}
	t.Run("once for all attempts", func(t *testing.T) {
		asked.Store(0)
		got := s.ask(`{"model":"m/second","messages":[{"role":"user","content":[{"type":"image_url","image_url":{"url":"` + url + `"}}]}]}`)
		if got.status != http.StatusOK || down.calls() != 1 || asked.Load() != 1 {
			t.Errorf("%d attempts at the first provider, fetched %d times, answer %d %s", down.calls(), asked.Load(), got.status, got.body)
		}
	})
	t.Run("bad URL", func(t *testing.T) {
		before := google.calls()
		for path, want := range map[string]string{"/page": "what is there is not a PNG", "/missing": "its server answered 404"} {
			got := s.ask(`{"model":"m/gemini","messages":[{"role":"user","content":[{"type":"image_url","image_url":{"url":"` + strings.TrimSuffix(url, "/photo?signature=s3cr3t") + path + `?signature=s3cr3t"}}]}]}`)
			failure := got.failed(t, http.StatusBadRequest)
			if !strings.Contains(failure.Message, want) || !strings.Contains(got.body, `"image_download_failed"`) || strings.Contains(got.body, "s3cr3t") {
				t.Errorf("%s: %s", path, got.body)
			}
		}
		if google.calls() != before {
			t.Error("the provider was asked")
		}
	})
}

// Row 122: the same for providers that fetch nothing at all, and for those of the client's
// own dialect among them.
func TestRow122ImageForProvidersThatFetchNothing(t *testing.T) {
	s, sites := bedrocks(t)
	sites["m/ollama"] = s.ollama("llama", "llama3.2")
	sites["m/claude"] = s.vertexAnthropic("claude", s.googleTokens(time.Hour))
	for _, model := range []string{"m/ollama", "m/claude"} {
		s.serve(model, sites[model])
		s.models[model].(settings)["input_modalities"] = []any{"text", "image"}
	}
	s.config["fetch"] = settings{"allow": []any{"127.0.0.1"}}
	s.start()
	url, asked := album(t)
	url += "/photo"
	for model, at := range sites {
		for path, body := range map[string]string{
			"/api/v1/chat/completions": `"messages":[{"role":"user","content":[{"type":"image_url","image_url":{"url":"` + url + `"}}]}]`,
			"/api/v1/messages":         `"max_tokens":99,"messages":[{"role":"user","content":[{"type":"image","source":{"type":"url","url":"` + url + `"}}]}]`,
		} {
			asked.Store(0)
			if got := s.do(http.MethodPost, path, `{"model":"`+model+`",`+body+`}`); got.status != http.StatusOK {
				t.Errorf("%s of %s: %d %s", path, model, got.status, got.body)
				continue
			}
			if sent := string(at.last(t).Body); !strings.Contains(sent, base64.StdEncoding.EncodeToString(pixel)) || strings.Contains(sent, url) {
				t.Errorf("%s of %s: the provider got %s", path, model, sent)
			}
			if asked.Load() != 1 {
				t.Errorf("%s of %s: fetched %d times", path, model, asked.Load())
			}
		}
	}
}

// known-failures 51: no URL leads to where the client could not go itself.
func TestRow122PrivateAddressesAreClosed(t *testing.T) {
	s, google := googler(t)
	s.start()
	url, asked := album(t)
	for _, at := range []string{url + "/photo", strings.Replace(url, "127.0.0.1", "localhost", 1), "http://169.254.169.254/latest/meta-data/", "https://[::1]/x"} {
		got := s.ask(`{"model":"m/gemini","messages":[{"role":"user","content":[{"type":"image_url","image_url":{"url":"` + at + `"}}]}]}`)
		if failure := got.failed(t, http.StatusBadRequest); !strings.Contains(failure.Message, "not at a public address") || !strings.Contains(got.body, `"image_download_failed"`) {
			t.Errorf("%s: %s", at, got.body)
		}
	}
	if asked.Load() != 0 || google.calls() != 0 {
		t.Errorf("the file server was asked %d times, the provider %d", asked.Load(), google.calls())
	}
}
