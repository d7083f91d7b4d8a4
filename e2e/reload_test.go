package e2e

import (
	"crypto/tls"
	"crypto/x509"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/switchyard/switchyard/e2e/provider"
)

// renewals are the ways in which a file comes to have other content.
var renewals = map[string]func(t *testing.T, s *stage, path string, text []byte){
	"written in place": func(t *testing.T, _ *stage, path string, text []byte) { put(t, path, text) },
	"renamed over": func(t *testing.T, _ *stage, path string, text []byte) {
		put(t, path+".new", text)
		if err := os.Rename(path+".new", path); err != nil {
			t.Fatal(err)
		}
	},
	// As certbot does: unlink(2), then symlink(2).
	"another link": func(t *testing.T, _ *stage, path string, text []byte) {
		target := filepath.Join(t.TempDir(), "issued.pem")
		put(t, target, text)
		if err := os.Remove(path); err != nil {
			t.Fatal(err)
		}
		if err := os.Symlink(target, path); err != nil {
			t.Fatal(err)
		}
	},
	// Through a name in a directory that nobody watches.
	"unseen, and SIGHUP": func(t *testing.T, s *stage, path string, text []byte) {
		unwatched := filepath.Join(t.TempDir(), "same.pem")
		if err := os.Link(path, unwatched); err != nil {
			t.Fatal(err)
		}
		put(t, unwatched, text)
		if err := s.Signal(syscall.SIGHUP); err != nil {
			t.Fatal(err)
		}
	},
}

func put(t *testing.T, path string, text []byte) {
	t.Helper()
	if err := os.WriteFile(path, text, 0o600); err != nil {
		t.Fatal(err)
	}
}

// However a certificate is renewed, it is served; a key that does not fit it is refused by
// name, and the old ones stay; no stream is cut.
func TestRenewedCertificate(t *testing.T) {
	for name, renew := range renewals {
		t.Run(name, func(t *testing.T) {
			s, gpt, _ := pair(t)
			directory := t.TempDir()
			chain, private := filepath.Join(directory, "server.pem"), filepath.Join(directory, "server.key")
			issue := func() (certificate, key []byte) {
				t.Helper()
				certificate, key, err := s.authority.Issue()
				if err != nil {
					t.Fatal(err)
				}
				return certificate, key
			}
			certificate, key := issue()
			put(t, chain, certificate)
			put(t, private, key)
			s.config["listener"] = settings{"tls": settings{"certificate_file": chain, "private_key_file": private}}
			roots := x509.NewCertPool()
			roots.AppendCertsFromPEM(s.authority.PEM())
			transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots}}
			t.Cleanup(transport.CloseIdleConnections)
			s.client = &http.Client{Transport: transport}
			s.start()
			served := func() string {
				t.Helper()
				transport.CloseIdleConnections()
				response, err := s.client.Get(s.URL + "/health")
				if err != nil {
					t.Fatal(err)
				}
				defer response.Body.Close()
				return response.TLS.PeerCertificates[0].SerialNumber.String()
			}
			first := served()
			long := provider.Stream{Answer: provider.Answer{Text: strings.Repeat(" word", 60)}, Pace: 50 * time.Millisecond}
			gpt.Enqueue(long)
			answers := make(chan answer, 1)
			go func() { answers <- s.ask(streamed("m/openai")) }()
			if _, err := gpt.Await(t.Context(), 0); err != nil {
				t.Fatal(err)
			}

			certificate, key = issue()
			renew(t, s, chain, certificate)
			s.until("the half-way renewal is refused by name", func() bool {
				return strings.Contains(s.Log(), "listener.tls: the certificate and the private key do not serve together")
			})
			if served() != first {
				t.Error("a certificate is served without its key")
			}
			renew(t, s, private, key)
			s.until("the renewed certificate is served", func() bool { return served() != first })
			if got := (<-answers).transcript(t); got.text != long.Answer.Text || !got.done || len(got.errors) != 0 {
				t.Errorf("a stream was cut: %+v", got)
			}
			if strings.Contains(s.Log(), strings.Split(string(key), "\n")[1]) {
				t.Error("the log shows the private key")
			}
		})
	}
}

// However other authorities come into a ca_file, they are those that a provider's
// certificate is checked by; no stream is cut.
func TestRenewedAuthorities(t *testing.T) {
	for name, renew := range renewals {
		t.Run(name, func(t *testing.T) {
			s := newStage(t)
			foreign, err := provider.NewAuthority()
			if err != nil {
				t.Fatal(err)
			}
			trusted := filepath.Join(t.TempDir(), "ca.pem")
			put(t, trusted, s.authority.PEM())
			at := s.openAI("private", provider.Network{TLS: s.authority, HTTP2: true})
			at.config["base_url"] = at.named("localhost")
			at.config["ca_file"] = trusted
			s.serve("m/private", at)
			s.start()
			long := provider.Stream{Answer: provider.Answer{Text: strings.Repeat(" word", 60)}, Pace: 50 * time.Millisecond}
			at.Enqueue(long)
			answers := make(chan answer, 1)
			go func() { answers <- s.ask(streamed("m/private")) }()
			if _, err := at.Await(t.Context(), 0); err != nil {
				t.Fatal(err)
			}
			renew(t, s, trusted, foreign.PEM())
			s.until("a provider is refused whose authority is trusted no more", func() bool {
				return s.ask(question("m/private")).status == http.StatusBadGateway
			})
			renew(t, s, trusted, s.authority.PEM())
			s.until("it is asked again", func() bool { return s.ask(question("m/private")).status == http.StatusOK })
			if got := (<-answers).transcript(t); got.text != long.Answer.Text || !got.done || len(got.errors) != 0 {
				t.Errorf("a stream was cut: %+v", got)
			}
		})
	}
}
