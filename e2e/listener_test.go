package e2e

import (
	"bufio"
	"crypto/tls"
	"crypto/x509"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// The listener serves HTTP/1.1 and HTTP/2 over TLS, streams included.
func TestTLSListener(t *testing.T) {
	s, gpt, claude := pair(t)
	certificate, key, err := s.authority.Issue()
	if err != nil {
		t.Fatal(err)
	}
	directory := t.TempDir()
	for name, text := range map[string][]byte{"server.pem": certificate, "server.key": key} {
		if err := os.WriteFile(filepath.Join(directory, name), text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	s.config["listener"] = settings{"tls": settings{
		"certificate_file": filepath.Join(directory, "server.pem"),
		"private_key_file": filepath.Join(directory, "server.key"),
	}}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(s.authority.PEM())
	trusting := func(major int) *http.Client {
		protocols := new(http.Protocols)
		protocols.SetHTTP1(major == 1)
		protocols.SetHTTP2(major == 2)
		transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots}, Protocols: protocols}
		t.Cleanup(transport.CloseIdleConnections)
		return &http.Client{Transport: transport}
	}
	s.client = trusting(1)
	s.start()
	for _, major := range []int{1, 2} {
		s.client = trusting(major)
		each(t, gpt, claude, func(t *testing.T, _ *site, model string) {
			response, err := s.send(t.Context(), http.MethodPost, "/api/v1/chat/completions", streamed(model))
			if err != nil {
				t.Fatal(err)
			}
			defer response.Body.Close()
			body, err := io.ReadAll(response.Body)
			if err != nil || response.ProtoMajor != major {
				t.Errorf("%v over %s", err, response.Proto)
			}
			if gathered := (answer{response.StatusCode, response.Header, string(body)}).transcript(t); gathered.text != said || !gathered.done {
				t.Errorf("%s", body)
			}
		})
	}
}

// HTTP/2 without TLS, by prior knowledge, as gRPC-minded clients speak it.
func TestClearTextHTTP2(t *testing.T) {
	s, _, _ := pair(t)
	protocols := new(http.Protocols)
	protocols.SetUnencryptedHTTP2(true)
	transport := &http.Transport{Protocols: protocols}
	t.Cleanup(transport.CloseIdleConnections)
	s.start()
	s.client = &http.Client{Transport: transport}
	if gathered := s.ask(streamed("m/openai")).transcript(t); gathered.text != said || !gathered.done {
		t.Errorf("%+v", gathered)
	}
}

// However a client uploads, the provider gets a body of known length.
func TestUploads(t *testing.T) {
	s, gpt, claude := pair(t)
	s.start()
	for name, send := range map[string]func(t *testing.T, body string) *http.Response{
		"waiting for 100-continue": func(t *testing.T, body string) *http.Response {
			response, err := s.send(t.Context(), http.MethodPost, "/api/v1/chat/completions", body, "Expect", "100-continue")
			if err != nil {
				t.Fatal(err)
			}
			return response
		},
		"in small chunks": func(t *testing.T, body string) *http.Response {
			const pace = time.Millisecond // else many letters make one chunk
			reader, writer := io.Pipe()
			go func() {
				for _, letter := range []byte(body) {
					_, _ = writer.Write([]byte{letter})
					time.Sleep(pace)
				}
				writer.Close()
			}()
			request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.URL+"/api/v1/chat/completions", bufio.NewReader(reader))
			if err != nil {
				t.Fatal(err)
			}
			request.Header.Set("Content-Type", "application/json")
			request.Header.Set("Authorization", "Bearer "+clientKey)
			response, err := http.DefaultClient.Do(request)
			if err != nil {
				t.Fatal(err)
			}
			return response
		},
	} {
		t.Run(name, func(t *testing.T) {
			each(t, gpt, claude, func(t *testing.T, _ *site, model string) {
				response := send(t, question(model))
				defer response.Body.Close()
				if body, err := io.ReadAll(response.Body); err != nil || response.StatusCode != 200 || !strings.Contains(string(body), "Gr") {
					t.Errorf("%v, status %d: %s", err, response.StatusCode, body)
				}
			})
		})
	}
}
