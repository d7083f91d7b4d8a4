package provider

import (
	"io"
	"net/http"
	"strings"
	"testing"
	"time"
)

// posted is a request to a fake, judged.
func posted(t *testing.T, fake *Provider, path, body string, header ...string) (int, string) {
	t.Helper()
	server, err := fake.Start(Network{})
	if err != nil {
		t.Fatal(err)
	}
	defer server.Close()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, server.URL+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header["User-Agent"] = []string{"test"}
	for i := 0; i < len(header); i += 2 {
		request.Header.Set(header[i], header[i+1])
	}
	transport := &http.Transport{DisableCompression: true}
	defer transport.CloseIdleConnections()
	response, err := transport.RoundTrip(request)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, string(text)
}

func TestCloudsRefuse(t *testing.T) {
	const (
		claude = `{"anthropic_version":"vertex-2023-10-16","max_tokens":9,"messages":[{"role":"user","content":"hi"}]}`
		chat   = `{"model":"my-gpt","messages":[{"role":"user","content":"hi"}]}`
		hi     = `{"contents":[{"role":"user","parts":[{"text":"hi"}]}]}`
	)
	key := []string{"X-Goog-Api-Key", testKey}
	gemini := func() *Provider { return Vertex(Config{Key: testKey}, nil) }
	messages := func() *Provider { return VertexAnthropic(Config{Key: testKey}, nil) }
	azure := func(base string) func() *Provider {
		return func() *Provider { return Azure(Config{Key: testKey, Base: base, Models: []string{"my-gpt"}}) }
	}
	const classic = "/deployments/my-gpt/chat/completions?api-version=2024-10-21"
	for name, test := range map[string]struct {
		fake       func() *Provider
		path, body string
		header     []string
		status     int
		want       string
	}{
		"gemini":              {gemini, "/models/gemini-3-flash:generateContent", hi, key, 200, `"trafficType":"ON_DEMAND"`},
		"a tier in the body":  {gemini, "/models/gemini-3-flash:generateContent", `{"serviceTier":"flex",` + hi[1:], key, 400, "Unknown name"},
		"labels":              {gemini, "/models/gemini-3-flash:generateContent", `{"labels":{"a":7},` + hi[1:], key, 400, "labels.a"},
		"an id of old":        {gemini, "/models/gemini-2.5-flash:generateContent", `{"contents":[{"role":"model","parts":[{"functionCall":{"id":"a","name":"f"}}]}]}`, key, 400, "contents[0].parts[0].function_call"},
		"a file without type": {gemini, "/models/gemini-3-flash:generateContent", `{"contents":[{"role":"user","parts":[{"fileData":{"fileUri":"gs://b/c"}}]}]}`, key, 400, "mimeType parameter must be set"},
		"claude":              {messages, "/models/claude:rawPredict", claude, key, 200, `"type":"message"`},
		"claude's model":      {messages, "/models/claude:rawPredict", `{"model":"claude",` + claude[1:], key, 400, "model: Extra inputs are not permitted"},
		"claude's version":    {messages, "/models/claude:rawPredict", strings.Replace(claude, "vertex-2023-10-16", "2023-06-01", 1), key, 400, "anthropic_version"},
		"no version":          {messages, "/models/claude:rawPredict", `{` + claude[strings.Index(claude, `"max`):], key, 400, "anthropic_version"},
		"claude's tier":       {messages, "/models/claude:rawPredict", `{"service_tier":"auto",` + claude[1:], key, 400, "service_tier: Extra inputs"},
		"claude's method":     {messages, "/models/claude:streamRawPredict", claude, key, 400, "stream:"},
		"an image by URL": {messages, "/models/claude:rawPredict", strings.Replace(claude, `"hi"`, `[{"type":"image","source":{"type":"url","url":"https://a.example/b.png"}}]`, 1), key,
			400, "URL sources are not supported"},
		"azure":              {azure("/openai/v1"), "/chat/completions", chat, []string{"Api-Key", testKey}, 200, `"prompt_filter_results"`},
		"azure, classic":     {azure("/openai"), classic, chat, []string{"Api-Key", testKey}, 200, `"content_filter_results"`},
		"azure's version":    {azure("/openai"), "/deployments/my-gpt/chat/completions?api-version=2031-01-01", chat, []string{"Api-Key", testKey}, 404, "Invalid URL"},
		"azure's deployment": {azure("/openai"), strings.Replace(classic, "my-gpt", "other", 1), chat, []string{"Api-Key", testKey}, 404, `"code":"DeploymentNotFound"`},
		"azure's key":        {azure("/openai"), classic, chat, []string{"Api-Key", "another"}, 401, `"code":"401"`},
		"a bearer for azure": {azure("/openai/v1"), "/chat/completions", chat, []string{"Api-Key", testKey, "Authorization", "Bearer x"}, 400, "Leaked"},
		"azure's fields":     {azure("/openai/v1"), "/chat/completions", `{"unknown":1,` + chat[1:], []string{"Api-Key", testKey}, 400, "Unknown parameter"},
	} {
		t.Run(name, func(t *testing.T) {
			if status, body := posted(t, test.fake(), test.path, test.body, test.header...); status != test.status || !strings.Contains(body, test.want) {
				t.Errorf("%d %s", status, body)
			}
		})
	}
}

func TestGoogleTokensExpire(t *testing.T) {
	tokens, err := NewGoogleTokens(time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	defer tokens.Close()
	tokens.issued["ya29.good"] = time.Now().Add(time.Minute)
	tokens.issued["ya29.old"] = time.Now().Add(-time.Minute)
	for value, want := range map[string]bool{"Bearer ya29.good": true, "Bearer ya29.old": false, "Bearer made-up": false, "ya29.good": false, "": false} {
		if got := tokens.admitOnly(http.Header{"Authorization": {value}}) == nil; got != want {
			t.Errorf("%q is taken: %v", value, got)
		}
	}
	if tokens.admitOnly(http.Header{"Authorization": {"Bearer ya29.good"}, "X-Goog-Api-Key": {"k"}}) == nil {
		t.Error("two proofs are taken")
	}
}

func TestGoogleTokensRefuse(t *testing.T) {
	tokens, err := NewGoogleTokens(time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	defer tokens.Close()
	for _, form := range []string{"", "grant_type=client_credentials&assertion=x", "grant_type=" + assertion + "&assertion=a.b.c", "grant_type=" + assertion + "&assertion=e30.e30.e30"} {
		response, err := http.Post(tokens.server.URL+"/token", "application/x-www-form-urlencoded", strings.NewReader(form)) //nolint:noctx // a test's own server
		if err != nil {
			t.Fatal(err)
		}
		_ = response.Body.Close()
		if response.StatusCode != http.StatusBadRequest {
			t.Errorf("%q: %d", form, response.StatusCode)
		}
	}
	if len(tokens.Violations()) != 4 {
		t.Errorf("%q", tokens.Violations())
	}
}
