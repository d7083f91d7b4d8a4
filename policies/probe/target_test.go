package probe

import (
	"context"
	"encoding/pem"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/switchyard/switchyard/policies/catalog"
	"github.com/switchyard/switchyard/policies/health"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// providerAt is a provider at a server of a test.
func providerAt(t *testing.T, base string) *catalog.Provider {
	t.Helper()
	location, err := url.Parse(base)
	if err != nil {
		t.Fatal(err)
	}
	return &catalog.Provider{
		Slug: "p", Scheme: location.Scheme, Authority: location.Host, PathPrefix: "/v1",
		Timeouts:    catalog.Timeouts{Connect: 10 * time.Second},
		HealthCheck: catalog.HealthCheck{Interval: time.Minute, Path: "/models", Timeout: 10 * time.Second},
	}
}

func ask(t *testing.T, provider *catalog.Provider) (health.Class, error) {
	t.Helper()
	target, err := newTarget(provider, carrying("Bearer sesame"))
	if err != nil {
		t.Fatal(err)
	}
	return target.ask(t.Context())
}

func TestClassOfStatus(t *testing.T) {
	for status, want := range map[int]health.Class{
		200: health.None, 204: health.None, 302: health.BadAnswer, 400: health.BadRequest, 401: health.Authentication,
		404: health.NotFound, 429: health.RateLimited, 500: health.ServerError, 503: health.ServerError,
	} {
		t.Run(strconv.Itoa(status), func(t *testing.T) {
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				w.Header().Set("Location", "/elsewhere")
				w.WriteHeader(status)
			}))
			defer server.Close()
			got, err := ask(t, providerAt(t, server.URL))
			if got != want || (err == nil) != (want == health.None) {
				t.Errorf("class %v, %v; want %v", got, err, want)
			}
		})
	}
}

func TestRequest(t *testing.T) {
	asked := make(chan *http.Request, 1)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { asked <- r }))
	defer server.Close()
	provider := providerAt(t, server.URL)
	provider.Headers = map[string]string{"openai-organization": "org-1"}
	if class, err := ask(t, provider); class != health.None {
		t.Fatalf("class %v, %v", class, err)
	}
	r := <-asked
	if r.Method != "GET" || r.URL.Path != "/v1/models" || r.Header.Get("Authorization") != "Bearer sesame" ||
		r.Header.Get("OpenAI-Organization") != "org-1" {
		t.Errorf("%s %s with %v", r.Method, r.URL, r.Header)
	}
}

// What proves who asks is made for each request: a token does not last.
func TestProofIsMadeForEachCheck(t *testing.T) {
	asked := make(chan *http.Request, 1)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { asked <- r }))
	defer server.Close()
	made := 0
	target, err := newTarget(providerAt(t, server.URL), func(_ context.Context, provider *catalog.Provider, request *http.Request) error {
		if made++; made == 3 {
			return errors.New("no token to be had")
		}
		request.Header.Set("Authorization", provider.Slug+strconv.Itoa(made))
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"p1", "p2"} {
		if class, err := target.ask(t.Context()); class != health.None {
			t.Fatalf("class %v, %v", class, err)
		}
		if got := (<-asked).Header["Authorization"]; len(got) != 1 || got[0] != want {
			t.Errorf("authorization %q, want %q", got, want)
		}
	}
	if class, err := target.ask(t.Context()); class != health.Authentication || err == nil {
		t.Errorf("class %v, %v; want %v", class, err, health.Authentication)
	}
}

// A redirect must not carry the credential to another host.
func TestRedirectIsNotFollowed(t *testing.T) {
	elsewhere := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		t.Error("the redirect is followed")
	}))
	defer elsewhere.Close()
	server := httptest.NewServer(http.RedirectHandler(elsewhere.URL, http.StatusTemporaryRedirect))
	defer server.Close()
	if class, _ := ask(t, providerAt(t, server.URL)); class != health.BadAnswer {
		t.Errorf("class %v, want %v", class, health.BadAnswer)
	}
}

func TestTimeout(t *testing.T) {
	stop := make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { <-stop }))
	defer server.Close()
	defer close(stop)
	provider := providerAt(t, server.URL)
	provider.HealthCheck.Timeout = 20 * time.Millisecond
	if class, err := ask(t, provider); class != health.Timeout {
		t.Errorf("class %v, %v; want %v", class, err, health.Timeout)
	}
}

// closedPort is where nobody listens.
func closedPort(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	return listener.Addr().String()
}

func TestNobodyListens(t *testing.T) {
	if class, err := ask(t, providerAt(t, "http://"+closedPort(t))); class != health.Connect {
		t.Errorf("class %v, %v; want %v", class, err, health.Connect)
	}
}

func TestCertificateIsVerified(t *testing.T) {
	server := httptest.NewTLSServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	defer server.Close()
	provider := providerAt(t, server.URL)
	if class, err := ask(t, provider); class != health.Connect || !strings.Contains(err.Error(), "x509") {
		t.Errorf("with the system's authorities: class %v, %v; want %v and x509", class, err, health.Connect)
	}
	provider.CAFile = filepath.Join(t.TempDir(), "ca.pem")
	text := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})
	if err := os.WriteFile(provider.CAFile, text, 0o600); err != nil {
		t.Fatal(err)
	}
	if class, err := ask(t, provider); class != health.None {
		t.Errorf("with its own authority: class %v, %v; want %v", class, err, health.None)
	}
}

func TestProvidersThatCannotBeChecked(t *testing.T) {
	empty := filepath.Join(t.TempDir(), "empty.pem")
	if err := os.WriteFile(empty, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for field, provider := range map[string]*catalog.Provider{
		`providers["p"].ca_file: open `:             {CAFile: empty + "-not"},
		`providers["p"].ca_file: ` + empty:          {CAFile: empty},
		`providers["p"].health_check.path: parse "`: {HealthCheck: catalog.HealthCheck{Path: "/%zz"}},
	} {
		provider.Slug, provider.Scheme, provider.Authority = "p", "https", "provider.example"
		if _, err := newTarget(provider, nil); err == nil || !strings.HasPrefix(err.Error(), field) {
			t.Errorf("error %v, want %s…", err, field)
		}
	}
}
