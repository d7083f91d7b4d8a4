package e2e

import (
	"crypto/tls"
	"crypto/x509"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
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

// inFlight begins a stream of some seconds at the site. What it returns waits for the end,
// and fails the test if the stream was cut.
func (s *stage) inFlight(at *site, model string) (uncut func()) {
	s.Helper()
	long := provider.Stream{Answer: provider.Answer{Text: strings.Repeat(" word", 60)}, Pace: 50 * time.Millisecond}
	at.Enqueue(long)
	answers := make(chan answer, 1)
	go func() { answers <- s.ask(streamed(model)) }()
	if _, err := at.Await(s.Context(), 0); err != nil {
		s.Fatal(err)
	}
	return func() {
		s.Helper()
		if got := (<-answers).transcript(s.T); got.text != long.Answer.Text || !got.done || len(got.errors) != 0 {
			s.Errorf("a stream was cut: %+v", got)
		}
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
			uncut := s.inFlight(gpt, "m/openai")

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
			uncut()
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
			uncut := s.inFlight(at, "m/private")
			renew(t, s, trusted, foreign.PEM())
			s.until("a provider is refused whose authority is trusted no more", func() bool {
				return s.ask(question("m/private")).status == http.StatusBadGateway
			})
			renew(t, s, trusted, s.authority.PEM())
			s.until("it is asked again", func() bool { return s.ask(question("m/private")).status == http.StatusOK })
			uncut()
		})
	}
}

// reconfigure writes the stage's configuration.
func (s *stage) reconfigure() {
	s.Helper()
	if err := s.WriteConfig(s.config); err != nil {
		s.Fatal(err)
	}
}

// Known failures 57: what a reload cannot change it names, once, and the rest it changes.
func TestSettingsThatWaitForARestart(t *testing.T) {
	s, _, _ := pair(t)
	s.config["telemetry"] = settings{"log_format": "json"}
	s.start()
	id := s.ask(question("m/openai")).header.Get("X-Generation-Id")
	known := func() int { return s.do(http.MethodGet, "/api/v1/generation?id="+id, "").status }
	s.until("the ledger has the generation", func() bool { return known() == http.StatusOK })
	if strings.Contains(s.Log(), `"level":"DEBUG"`) {
		t.Fatal("the log is of another level already")
	}

	s.config["telemetry"] = settings{"log_format": "text", "log_level": "debug"}
	s.config["identity"] = settings{"secret": settings{"value": strings.Repeat("0123456789", 4)}}
	s.config["ledger"] = settings{"max_journal": "1MiB", "retention": "0.001s"}
	s.reconfigure()
	const warning = `"msg":"settings have changed that take effect at a restart","settings":"identity.secret, ledger.max_journal, telemetry.log_format"`
	s.until("the settings are named", func() bool { return strings.Contains(s.Log(), warning) })
	s.until("what is older than the new retention is deleted", func() bool { return known() == http.StatusNotFound })
	s.ask(question("m/anthropic", `"seed":1`)) // for which that provider has no words
	s.until("the log is of the new level", func() bool { return strings.Contains(s.Log(), `"level":"DEBUG"`) })
	if n := strings.Count(s.Log(), "take effect at a restart"); n != 1 {
		t.Errorf("%d warnings of one reload", n)
	}
}

// The encryption key is exchanged in a gateway that runs, as README says: `byok reseal`
// encrypts by the new one, so that the previous one can go.
func TestEncryptionKeyThatIsExchanged(t *testing.T) {
	s, gpt, claude := withKeys(t)
	s.manageable()
	secret := func(of string) settings { return settings{"value": strings.Repeat(of, 32)} }
	s.config["byok"] = settings{"encryption_key": secret("a")}
	s.start()
	s.makeOwnKey(`{"provider":"claude","key":"` + ownSecret + `","is_byok_only":true}`)
	own := func() bool {
		gpt.Reset()
		claude.Reset()
		s.ask(question("m/y"))
		return slices.Equal(askedBy(gpt, claude), []string{"own"})
	}
	s.until("the own key is used", own)
	loaded := 0
	exchange := func(keys settings) {
		t.Helper()
		s.config["byok"] = keys
		s.reconfigure()
		loaded++
		s.until("the configuration is reloaded", func() bool {
			return strings.Count(s.Log(), `"configuration reloaded"`) == loaded
		})
	}
	exchange(settings{"encryption_key": secret("b"), "previous_encryption_key": secret("a")})
	if got := s.manage(http.MethodPost, "/byok/reseal", ""); got.body != `{"resealed":1}`+"\n" {
		t.Errorf("%d %s", got.status, got.body)
	}
	exchange(settings{"encryption_key": secret("b")})
	s.until("the own key is used without the previous secret", own)
	if strings.Contains(s.Log(), "cannot be read") {
		t.Error("the own key was unreadable for a while")
	}
	exchange(settings{"encryption_key": secret("a")})
	s.until("the gateway says what it cannot read", func() bool {
		return strings.Contains(s.Log(), "cannot be read: who is held to it is refused, and own keys are left out")
	})
}

// A request that came before two reloads, and one that Envoy refused, goes to the provider
// of its own configuration.
func TestUploadThroughReloads(t *testing.T) {
	s := newStage(t)
	first, second, third := s.openAI("first"), s.openAI("second"), s.openAI("third")
	only := func(at *site) {
		for _, each := range s.sites {
			delete(s.providers, each.slug)
		}
		s.providers[at.slug] = at.config
		s.serve("m/x", at)
	}
	only(first)
	s.start()
	reader, writer := io.Pipe()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.URL+"/api/v1/chat/completions", reader)
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("Authorization", "Bearer "+clientKey)
	type result struct {
		response *http.Response
		err      error
	}
	results := make(chan result, 1)
	go func() {
		response, err := s.client.Do(request)
		results <- result{response, err}
	}()
	body := question("m/x")
	if _, err := writer.Write([]byte(body[:20])); err != nil {
		t.Fatal(err)
	}
	s.until("the gateway has begun with the request", func() bool {
		held, err := s.Metric("switchyard_held_bytes", `bodies="requests"`)
		return err == nil && held > 0
	})
	moved := func(to *site) {
		t.Helper()
		only(to)
		s.reconfigure()
		s.until("the model is served by "+to.slug, func() bool { return s.ask(question("m/x")).decode(t).Provider == to.slug })
	}
	moved(second)

	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	listener := s.config["listener"]
	s.config["listener"] = settings{"address": taken.Addr().String()}
	s.reconfigure()
	s.until("Envoy refuses a port that is taken", func() bool { return strings.Contains(s.Log(), "configuration refused") })
	s.config["listener"] = listener
	moved(third)

	if _, err := writer.Write([]byte(body[20:])); err != nil {
		t.Fatal(err)
	}
	writer.Close()
	got := <-results
	if got.err != nil {
		t.Fatal(got.err)
	}
	defer got.response.Body.Close()
	text, err := io.ReadAll(got.response.Body)
	if err != nil || got.response.StatusCode != http.StatusOK || !strings.Contains(string(text), `"provider":"first"`) {
		t.Errorf("%d %s, %v", got.response.StatusCode, text, err)
	}
	if failed, err := s.Metric("switchyard_attempts_total", `outcome="failed_over"`); err != nil || failed != 0 {
		t.Errorf("%v attempts failed over, %v", failed, err)
	}
}

// What was replaced is kept for the drain time, and no longer.
func TestReplacedProvidersGo(t *testing.T) {
	s := newStage(t)
	sites := []*site{s.openAI("first"), s.openAI("second"), s.openAI("third")}
	s.config["envoy"] = settings{"drain_time": "1s"}
	s.start()
	for _, at := range sites[:2] {
		delete(s.providers, at.slug)
		s.reconfigure()
		s.until(at.slug+" is replaced", func() bool {
			return !strings.Contains(s.do(http.MethodGet, "/api/v1/providers", "").body, `"`+at.slug+`"`)
		})
	}
	s.until("both clusters are removed", func() bool {
		removed, err := s.Metric("switchyard_xds_pushed_resources_total", `type="cluster"`, `change="removed"`)
		return err == nil && removed == 2
	})
}
