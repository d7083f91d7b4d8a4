package provider

import (
	"bufio"
	"context"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const (
	testKey  = "sk-test-0123456789"
	chat     = `{"model":"gpt-4o-mini","messages":[{"role":"user","content":"hi"}]}`
	contents = `{"contents":[{"role":"user","parts":[{"text":"hi"}]}]}`
	message  = `{"model":"claude-sonnet-4-5","max_tokens":100,"messages":[{"role":"user","content":"hi"}]}`
)

// streaming turns a request into one that asks for a stream.
func streaming(body string) string { return `{"stream":true,` + body[1:] }

// fixture is a running fake with what a well-behaved gateway sends to it.
type fixture struct {
	*Provider
	server *Server
	client *http.Client
	url    string
	header http.Header
	body   string
}

func start(t *testing.T, fake *Provider, network Network) *fixture {
	t.Helper()
	server, err := fake.Start(network)
	if err != nil {
		t.Fatal(err)
	}
	transport := &http.Transport{DisableCompression: true}
	t.Cleanup(func() {
		transport.CloseIdleConnections()
		server.Close()
	})
	f := &fixture{
		Provider: fake,
		server:   server,
		client:   &http.Client{Transport: transport},
		url:      server.URL + "/chat/completions",
		header:   http.Header{"Content-Type": {"application/json"}, "Authorization": {"Bearer " + testKey}},
		body:     chat,
	}
	switch fake.dialect.(type) {
	case embeddings:
		f.url = server.URL + "/embeddings"
	case rerank:
		f.url = server.URL + "/rerank"
	case responses:
		f.url = server.URL + "/responses"
	case gemini:
		f.url = server.URL + "/models/gemini-3-flash-preview:generateContent"
		f.header = http.Header{"Content-Type": {"application/json"}, "X-Goog-Api-Key": {testKey}}
		f.body = contents
	case anthropic:
		f.url = server.URL + "/messages"
		f.header = http.Header{
			"Content-Type": {"application/json"}, "X-Api-Key": {testKey}, "Anthropic-Version": {version2023},
		}
		f.body = message
	}
	return f
}

func startOpenAI(t *testing.T) *fixture {
	t.Helper()
	return start(t, OpenAI(Config{Key: testKey, Secrets: []string{"sk-gateway"}}), Network{})
}

func startGemini(t *testing.T) *fixture {
	t.Helper()
	return start(t, Gemini(Config{Key: testKey, Secrets: []string{"sk-gateway"}}), Network{})
}

func startAnthropic(t *testing.T) *fixture {
	t.Helper()
	return start(t, Anthropic(Config{Key: testKey, Secrets: []string{"sk-gateway"}}), Network{})
}

// both runs a test against a fake of each vendor.
func both(t *testing.T, test func(*testing.T, *fixture)) {
	t.Run("OpenAI", func(t *testing.T) { test(t, startOpenAI(t)) })
	t.Run("Anthropic", func(t *testing.T) { test(t, startAnthropic(t)) })
}

// open sends a request and returns its answer unread.
func (f *fixture) open(ctx context.Context, t *testing.T, body string) (*http.Response, error) {
	t.Helper()
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, f.url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	request.Header = f.header.Clone()
	return f.client.Do(request)
}

// post returns a whole answer and the error that ended reading it.
func (f *fixture) post(t *testing.T, body string) (*http.Response, string, error) {
	t.Helper()
	response, err := f.open(t.Context(), t, body)
	if err != nil {
		return nil, "", err
	}
	defer response.Body.Close()
	read, err := io.ReadAll(response.Body)
	return response, string(read), err
}

func within(t *testing.T, event <-chan struct{}, what string) {
	t.Helper()
	select {
	case <-event:
	case <-time.After(5 * time.Second):
		t.Fatal("timed out waiting for: " + what)
	}
}

func TestScriptsArePlayedInOrderThenTheDefault(t *testing.T) {
	both(t, func(t *testing.T, f *fixture) {
		f.Enqueue(Failure{Status: 503}, Answer{Text: "second"})
		f.Default(Failure{Status: 500})
		for i, want := range []int{503, 200, 500, 500} {
			response, body, err := f.post(t, f.body)
			if err != nil || response.StatusCode != want {
				t.Fatalf("answer %d: status %v, error %v; want %d: %s", i, response.StatusCode, err, want, body)
			}
		}
		f.Reset()
		if response, _, _ := f.post(t, f.body); response.StatusCode != 200 {
			t.Errorf("after Reset: status %d, want 200", response.StatusCode)
		}
		if n := len(f.Exchanges()); n != 1 {
			t.Errorf("after Reset: %d exchanges, want 1", n)
		}
	})
}

func TestExchangeRecordsTheRequest(t *testing.T) {
	f := startOpenAI(t)
	go f.post(t, f.body)
	exchange, err := f.Await(t.Context(), 0)
	if err != nil {
		t.Fatal(err)
	}
	within(t, exchange.Done(), "the end of the answer")
	if string(exchange.Body) != f.body || exchange.JSON["model"] != "gpt-4o-mini" {
		t.Errorf("recorded body %s, JSON %v", exchange.Body, exchange.JSON)
	}
	if exchange.Status() != 200 || exchange.Written() == 0 || exchange.Billed().Output == 0 {
		t.Errorf("status %d, written %d, billed %+v", exchange.Status(), exchange.Written(), exchange.Billed())
	}
	if len(f.Violations()) != 0 {
		t.Errorf("violations: %v", f.Violations())
	}
}

func TestAwaitEndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := OpenAI(Config{}).Await(ctx, 0); err == nil {
		t.Error("Await returned no error though its context was over")
	}
}

// A client that hangs up is noticed at once and is billed what it was sent.
func TestDisconnectIsRecorded(t *testing.T) {
	for _, network := range []Network{{}, {HTTP2: true}} {
		for _, fake := range []*Provider{OpenAI(Config{Key: testKey}), Anthropic(Config{Key: testKey})} {
			f := start(t, fake, network)
			if network.HTTP2 {
				protocols := new(http.Protocols)
				protocols.SetUnencryptedHTTP2(true)
				f.client.Transport.(*http.Transport).Protocols = protocols
			}
			f.Enqueue(Stream{Answer: Answer{Text: "one two three"}, Pieces: 2, End: EndStall})
			ctx, cancel := context.WithCancel(t.Context())
			response, err := f.open(ctx, t, streaming(f.body))
			if err != nil {
				t.Fatal(err)
			}
			for lines := bufio.NewScanner(response.Body); lines.Scan() && !strings.Contains(lines.Text(), " two"); {
			}
			exchange := f.Exchanges()[0]
			select {
			case <-exchange.Cancelled():
				t.Fatal("cancelled before the client hung up")
			default:
			}
			hungUp := time.Now()
			cancel()
			response.Body.Close()
			within(t, exchange.Cancelled(), "the disconnect")
			within(t, exchange.Done(), "the end of the script")
			if took := exchange.CancelledAt().Sub(hungUp); took > time.Second {
				t.Errorf("%s: disconnect noticed after %v", exchange.Proto, took)
			}
			if got, want := exchange.Billed(), (Usage{Input: 11, Output: 2}); got != want {
				t.Errorf("%s: billed %+v, want %+v", exchange.Proto, got, want)
			}
		}
	}
}

func TestFinishedAnswerIsNotCancelled(t *testing.T) {
	both(t, func(t *testing.T, f *fixture) {
		f.post(t, streaming(f.body))
		within(t, f.Exchanges()[0].Done(), "the end of the answer")
		if at := f.Exchanges()[0].CancelledAt(); !at.IsZero() {
			t.Errorf("a finished exchange was recorded as cancelled at %v", at)
		}
	})
}

func TestClosedServerRefusesAndComesBack(t *testing.T) {
	f := startOpenAI(t)
	f.server.Close()
	if _, _, err := f.post(t, f.body); err == nil || !strings.Contains(err.Error(), "refused") {
		t.Errorf("after Close: error %v, want a refused connection", err)
	}
	again, err := f.Start(Network{Address: f.server.Address})
	if err != nil {
		t.Fatal(err)
	}
	defer again.Close()
	if response, _, err := f.post(t, f.body); err != nil || response.StatusCode != 200 {
		t.Errorf("back on the same address: %v, %v", response, err)
	}
}

// What no gateway may pass on is in every answer, errors included.
func TestVendorHeadersComeWithEveryAnswer(t *testing.T) {
	both(t, func(t *testing.T, f *fixture) {
		f.Enqueue(Answer{}, Failure{Status: 429, RetryAfter: "7"}, HTML(502))
		for range 3 {
			response, _, err := f.post(t, f.body)
			if err != nil {
				t.Fatal(err)
			}
			for name := range f.dialect.headers() {
				if !slices.Equal(response.Header[name], f.dialect.headers()[name]) {
					t.Errorf("status %d: header %s is %q", response.StatusCode, name, response.Header[name])
				}
			}
		}
	})
}
