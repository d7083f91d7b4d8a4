package envoy_test

import (
	"bufio"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/pem"
	"fmt"
	"io"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/switchyard/switchyard/xds"
)

// authority signs certificates for one test.
type authority struct {
	t           *testing.T
	certificate *x509.Certificate
	key         *ecdsa.PrivateKey
	pem         []byte // of the certificate
	file        string // which has that
}

func newAuthority(t *testing.T) *authority {
	t.Helper()
	a := &authority{t: t, file: filepath.Join(t.TempDir(), "ca.pem")}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "authority of a test"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}
	a.certificate, a.key, a.pem, _ = a.sign(template, template, nil)
	if err := os.WriteFile(a.file, a.pem, 0o600); err != nil {
		t.Fatal(err)
	}
	return a
}

// sign returns the certificate, its key, and both as PEM.
func (a *authority) sign(template, parent *x509.Certificate, parentKey *ecdsa.PrivateKey) (*x509.Certificate, *ecdsa.PrivateKey, []byte, []byte) {
	a.t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		a.t.Fatal(err)
	}
	if parentKey == nil {
		parentKey = key
	}
	der, err := x509.CreateCertificate(rand.Reader, template, parent, &key.PublicKey, parentKey)
	if err != nil {
		a.t.Fatal(err)
	}
	certificate, err := x509.ParseCertificate(der)
	if err != nil {
		a.t.Fatal(err)
	}
	keyDER, err := x509.MarshalECPrivateKey(key)
	if err != nil {
		a.t.Fatal(err)
	}
	return certificate, key,
		pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}),
		pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Bytes: keyDER})
}

// issue makes a server certificate for names and addresses.
func (a *authority) issue(valid time.Duration, hosts ...string) (certificatePEM, keyPEM []byte) {
	a.t.Helper()
	template := &x509.Certificate{
		SerialNumber: big.NewInt(time.Now().UnixNano()), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(valid),
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	for _, host := range hosts {
		if ip := net.ParseIP(host); ip != nil {
			template.IPAddresses = append(template.IPAddresses, ip)
		} else {
			template.DNSNames = append(template.DNSNames, host)
		}
	}
	_, _, certificatePEM, keyPEM = a.sign(template, a.certificate, a.key)
	return certificatePEM, keyPEM
}

// serveTLS starts a provider with the certificate; it answers with the protocol
// and the SNI that it was asked with.
func serveTLS(t *testing.T, certificatePEM, keyPEM []byte, change func(*tls.Config)) (address string) {
	t.Helper()
	pair, err := tls.X509KeyPair(certificatePEM, keyPEM)
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintf(w, "%s sni=%q", r.Proto, r.TLS.ServerName)
	}))
	server.Config.ErrorLog = quiet()
	server.TLS = &tls.Config{Certificates: []tls.Certificate{pair}, NextProtos: []string{"h2", "http/1.1"}}
	server.EnableHTTP2 = true
	if change != nil {
		change(server.TLS)
		server.EnableHTTP2 = len(server.TLS.NextProtos) > 0 && server.TLS.NextProtos[0] == "h2"
	}
	server.StartTLS()
	t.Cleanup(server.Close)
	return server.Listener.Addr().String()
}

func TestProviderTLS(t *testing.T) {
	t.Parallel()
	ours, foreign := newAuthority(t), newAuthority(t)
	good, goodKey := ours.issue(time.Hour, "localhost", "127.0.0.1")
	for name, test := range map[string]struct {
		address string
		change  func(*xds.Cluster)
		body    string // of a good answer
		failure string // part of the transport's reason
	}{
		"HTTP/2 by ALPN": {
			address: serveTLS(t, good, goodKey, nil),
			body:    `HTTP/2.0 sni="localhost"`,
		},
		"HTTP/1.1 by ALPN": {
			address: serveTLS(t, good, goodKey, func(c *tls.Config) { c.NextProtos = []string{"http/1.1"} }),
			body:    `HTTP/1.1 sni="localhost"`,
		},
		"HTTP/1.1 without ALPN": {
			address: serveTLS(t, good, goodKey, func(c *tls.Config) { c.NextProtos = nil }),
			body:    `HTTP/1.1 sni="localhost"`,
		},
		"HTTP/1.1 if asked for": {
			address: serveTLS(t, good, goodKey, nil),
			change:  func(c *xds.Cluster) { c.Protocol = xds.ProtocolHTTP1 },
			body:    `HTTP/1.1 sni="localhost"`,
		},
		"TLS 1.2": {
			address: serveTLS(t, good, goodKey, func(c *tls.Config) { c.MaxVersion = tls.VersionTLS12 }),
			body:    `HTTP/2.0 sni="localhost"`,
		},
		"address, no SNI": {
			address: serveTLS(t, good, goodKey, nil),
			change:  func(c *xds.Cluster) { c.TLS.ServerName = "" },
			body:    `HTTP/2.0 sni=""`,
		},
		"name of the host": {
			address: serveTLS(t, good, goodKey, nil),
			change:  func(c *xds.Cluster) { c.Host, c.TLS.ServerName = "localhost", "" },
			body:    `HTTP/2.0 sni="localhost"`,
		},
		"wildcard": {
			address: func() string {
				certificate, key := ours.issue(time.Hour, "*.provider.example")
				return serveTLS(t, certificate, key, nil)
			}(),
			change: func(c *xds.Cluster) { c.TLS.ServerName = "api.provider.example" },
			body:   `HTTP/2.0 sni="api.provider.example"`,
		},
		"wrong name": {
			address: serveTLS(t, good, goodKey, nil),
			change:  func(c *xds.Cluster) { c.TLS.ServerName = "api.provider.example" },
			failure: "CERTIFICATE_VERIFY_FAILED",
		},
		"wrong address": {
			address: func() string {
				certificate, key := ours.issue(time.Hour, "localhost")
				return serveTLS(t, certificate, key, nil)
			}(),
			change:  func(c *xds.Cluster) { c.TLS.ServerName = "" },
			failure: "CERTIFICATE_VERIFY_FAILED",
		},
		"foreign authority": {
			address: serveTLS(t, good, goodKey, nil),
			change:  func(c *xds.Cluster) { c.TLS.AuthoritiesPEM = foreign.pem },
			failure: "CERTIFICATE_VERIFY_FAILED",
		},
		"expired": {
			address: func() string {
				certificate, key := ours.issue(-time.Minute, "localhost")
				return serveTLS(t, certificate, key, nil)
			}(),
			failure: "CERTIFICATE_VERIFY_FAILED",
		},
		"TLS 1.1": {
			address: serveTLS(t, good, goodKey, func(c *tls.Config) {
				c.MinVersion, c.MaxVersion = tls.VersionTLS10, tls.VersionTLS11
			}),
			failure: "TLS_error",
		},
		"no TLS at all": {
			address: func() string {
				cluster := serve(t, "plain", echo("plain"))
				return fmt.Sprintf("%s:%d", cluster.Host, cluster.Port)
			}(),
			failure: "WRONG_VERSION_NUMBER",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			cluster := site("provider", test.address)
			// By address, so that the one failure is the one that is told of.
			cluster.TLS = &xds.UpstreamTLS{ServerName: "localhost"}
			if test.change != nil {
				test.change(&cluster)
			}
			s := newStage(t, script{{cluster: "provider"}}, func(in *xds.Inputs) {
				in.SystemCAFile = ours.file
				in.Clusters = []xds.Cluster{cluster}
			})
			response, body := s.post("hello")
			saw := s.processor.all()[0].attributes
			if test.failure == "" {
				if response.StatusCode != http.StatusOK || body != test.body {
					t.Errorf("got %d %s %v", response.StatusCode, body, saw)
				}
				return
			}
			if response.StatusCode != http.StatusServiceUnavailable ||
				!strings.HasPrefix(saw[xds.AttributeCodeDetails], xds.DetailsConnectFailure) ||
				!strings.Contains(strings.ReplaceAll(saw[xds.AttributeTransportFailure], " ", "_"), test.failure) {
				t.Errorf("got %d %s %v", response.StatusCode, body, saw)
			}
		})
	}
}

// TestIngressTLS serves a client over TLS, and a renewed certificate without
// touching the listener.
func TestIngressTLS(t *testing.T) {
	t.Parallel()
	ca := newAuthority(t)
	certificate, key := ca.issue(time.Hour, "gateway.example")
	s := newStage(t, script{{cluster: "good"}}, func(in *xds.Inputs) {
		in.TLS = &xds.ServerTLS{CertificatePEM: certificate, KeyPEM: key}
		in.Clusters = []xds.Cluster{serve(t, "good", echo("good"))}
	})
	s.url = strings.Replace(s.url, "http:", "https:", 1)
	connect := func() (serial string) {
		t.Helper()
		roots := x509.NewCertPool()
		roots.AddCert(ca.certificate)
		transport := &http.Transport{
			TLSClientConfig:   &tls.Config{RootCAs: roots, ServerName: "gateway.example"},
			ForceAttemptHTTP2: true,
		}
		defer transport.CloseIdleConnections()
		s.client = &http.Client{Transport: transport}
		response, body := s.post("hello")
		if response.StatusCode != http.StatusOK || response.Proto != "HTTP/2.0" || body != "good got hello" {
			t.Fatalf("got %s %d %s", response.Proto, response.StatusCode, body)
		}
		return response.TLS.PeerCertificates[0].SerialNumber.String()
	}
	first := connect()
	renewed, renewedKey := ca.issue(time.Hour, "gateway.example")
	s.inputs.TLS = &xds.ServerTLS{CertificatePEM: renewed, KeyPEM: renewedKey}
	s.update()
	eventually(t, "the renewed certificate", func() bool { return connect() != first })
	if modified := s.stat("listener_manager.listener_modified"); modified != 0 {
		t.Errorf("%d listeners were modified, and drained", modified)
	}
	dump := s.admin(http.MethodGet, "/config_dump")
	if !strings.Contains(dump, base64.StdEncoding.EncodeToString(renewed)) || !strings.Contains(dump, base64.StdEncoding.EncodeToString([]byte("[redacted]"))) {
		t.Error("config_dump does not show the certificate, or nothing in place of the private key")
	}
	for _, shown := range []string{dump, s.log.String(), s.admin(http.MethodGet, "/certs")} {
		for _, secret := range [][]byte{key, renewedKey} {
			if strings.Contains(shown, "PRIVATE KEY") || strings.Contains(shown, base64.StdEncoding.EncodeToString(secret)) {
				t.Errorf("the private key is shown:\n%s", shown)
			}
		}
	}
}

// TestOtherAuthorities exchanges those of a provider: who is asked next is checked by
// the new ones, on a new connection, and a stream in flight goes on.
func TestOtherAuthorities(t *testing.T) {
	t.Parallel()
	ours, foreign := newAuthority(t), newAuthority(t)
	certificate, key := ours.issue(time.Hour, "localhost")
	pair, err := tls.X509KeyPair(certificate, key)
	if err != nil {
		t.Fatal(err)
	}
	next := make(chan struct{})
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		fmt.Fprintln(w, "first")
		w.(http.Flusher).Flush()
		if string(body) == "stream" {
			<-next
			fmt.Fprintln(w, "last")
		}
	}))
	server.Config.ErrorLog = quiet()
	server.TLS = &tls.Config{Certificates: []tls.Certificate{pair}, NextProtos: []string{"h2"}}
	server.EnableHTTP2 = true
	server.StartTLS()
	t.Cleanup(server.Close)
	cluster := site("provider", server.Listener.Addr().String())
	s := newStage(t, script{{cluster: "provider"}}, func(in *xds.Inputs) {
		cluster.TLS = &xds.UpstreamTLS{ServerName: "localhost", AuthoritiesPEM: ours.pem}
		in.Clusters = []xds.Cluster{cluster}
	})
	response, err := s.client.Post(s.url+inferencePath, "application/json", strings.NewReader("stream"))
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	stream := bufio.NewReader(response.Body)
	if line, err := stream.ReadString('\n'); err != nil || line != "first\n" {
		t.Fatalf("%q, %v", line, err)
	}
	trust := func(a *authority) int {
		t.Helper()
		cluster.TLS = &xds.UpstreamTLS{ServerName: "localhost", AuthoritiesPEM: a.pem}
		s.inputs.Clusters = []xds.Cluster{cluster}
		s.update()
		response, _ := s.post("hello")
		return response.StatusCode
	}
	if status := trust(foreign); status != http.StatusServiceUnavailable {
		t.Errorf("%d of a provider that the new authority does not vouch for", status)
	}
	if status := trust(ours); status != http.StatusOK {
		t.Errorf("%d of one that it does", status)
	}
	close(next)
	if line, err := stream.ReadString('\n'); err != nil || line != "last\n" {
		t.Errorf("the stream in flight: %q, %v", line, err)
	}
}
