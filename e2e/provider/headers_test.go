package provider

import (
	"io"
	"net/http"
	"strings"
	"testing"
)

func TestHeadersThatNoGatewayMaySend(t *testing.T) {
	both(t, func(t *testing.T, f *fixture) {
		for name, value := range map[string]string{
			"Accept-Encoding":                "gzip",
			"Connection":                     "keep-alive",
			"Cookie":                         "session=1",
			"Expect":                         "100-continue",
			"Forwarded":                      "for=10.0.0.1",
			"Http-Referer":                   "https://app.example",
			"Te":                             "trailers",
			"User-Agent":                     "app sk-gateway",
			"Via":                            "1.1 proxy",
			"X-Envoy-Attempt-Count":          "1",
			"X-Forwarded-For":                "10.0.0.1",
			"X-Forwarded-Proto":              "http",
			"X-Openrouter-Title":             "app",
			"X-Request-Id":                   "1",
			"X-Stainless-Os":                 "Linux",
			"X-Switchyard-Cluster":           "a",
			"X-Envoy-Expected-Rq-Timeout-Ms": "1",
			"X-Envoy-Upstream-Rq-Timeout-Ms": "1",
		} {
			t.Run(name, func(t *testing.T) {
				f.Reset()
				f.header.Set(name, value)
				defer f.header.Del(name)
				response, body, err := f.post(t, f.body)
				if err != nil || response.StatusCode != http.StatusBadRequest {
					t.Fatalf("status %v, error %v: %s", response, err, body)
				}
				if len(f.Violations()) != 1 || !strings.HasPrefix(f.Violations()[0], "Leaked to the provider: ") {
					t.Errorf("violations: %q, want one leak", f.Violations())
				}
			})
		}
	})
}

func TestForeignCredentials(t *testing.T) {
	openAI := startOpenAI(t)
	openAI.header.Set("X-Api-Key", "another provider's")
	claude := startAnthropic(t)
	claude.header.Set("Authorization", "Bearer another provider's")
	chat, messages := startOpenAI(t), startAnthropic(t)
	for _, f := range []*fixture{chat, messages} {
		f.header.Set("X-Goog-Api-Key", "another provider's")
	}
	for _, f := range []*fixture{openAI, claude, chat, messages} {
		response, body, err := f.post(t, f.body)
		if err != nil || response.StatusCode != http.StatusBadRequest || !strings.Contains(body, "Leaked") {
			t.Errorf("status %d, error %v: %s", response.StatusCode, err, body)
		}
	}
}

func TestFramingHeaders(t *testing.T) {
	both(t, func(t *testing.T, f *fixture) {
		for name, test := range map[string]struct {
			change func(*http.Request)
			want   int
		}{
			"chunked upload":  {func(r *http.Request) { r.ContentLength = -1 }, http.StatusLengthRequired},
			"no content type": {func(r *http.Request) { r.Header.Del("Content-Type") }, http.StatusBadRequest},
			"two content types": {func(r *http.Request) {
				r.Header.Add("Content-Type", "application/json")
			}, http.StatusBadRequest},
			"text":        {func(r *http.Request) { r.Header.Set("Content-Type", "text/plain") }, http.StatusBadRequest},
			"wrong verb":  {func(r *http.Request) { r.Method = http.MethodPut }, http.StatusMethodNotAllowed},
			"wrong path":  {func(r *http.Request) { r.URL.Path += "/x" }, http.StatusNotFound},
			"query added": {func(r *http.Request) { r.URL.RawQuery = "beta=true" }, http.StatusNotFound},
		} {
			t.Run(name, func(t *testing.T) {
				request, err := http.NewRequest(http.MethodPost, f.url, strings.NewReader(f.body))
				if err != nil {
					t.Fatal(err)
				}
				request.Header = f.header.Clone()
				test.change(request)
				response, err := f.client.Do(request)
				if err != nil {
					t.Fatal(err)
				}
				defer response.Body.Close()
				if body, _ := io.ReadAll(response.Body); response.StatusCode != test.want {
					t.Errorf("status %d, want %d: %s", response.StatusCode, test.want, body)
				}
			})
		}
	})
}
