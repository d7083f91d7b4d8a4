package provider

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net/http"
	"testing"
)

// trust makes the fixture's client believe in an authority and ask for a name.
func (f *fixture) trust(t *testing.T, authority *Authority, name string) {
	t.Helper()
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(authority.PEM()) {
		t.Fatal("the authority's PEM holds no certificate")
	}
	transport := f.client.Transport.(*http.Transport)
	transport.TLSClientConfig = &tls.Config{RootCAs: roots, ServerName: name}
	transport.ForceAttemptHTTP2 = true
}

func TestTLSChecksNamesAndRecordsThem(t *testing.T) {
	authority, err := NewAuthority()
	if err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct {
		network Network
		asks    string
		proto   string // empty for a handshake that fails
	}{
		"default names":   {Network{}, "localhost", "HTTP/1.1"},
		"own name":        {Network{Names: []string{"api.example.com"}}, "api.example.com", "HTTP/1.1"},
		"HTTP/2 by ALPN":  {Network{HTTP2: true}, "localhost", "HTTP/2.0"},
		"not in the SANs": {Network{Names: []string{"evil.example.com"}}, "api.example.com", ""},
	} {
		t.Run(name, func(t *testing.T) {
			test.network.TLS = authority
			f := start(t, OpenAI(Config{Key: testKey}), test.network)
			f.trust(t, authority, test.asks)
			_, _, err := f.post(t, f.body)
			if test.proto == "" {
				if wrong := (x509.HostnameError{}); !errors.As(err, &wrong) {
					t.Errorf("error %v, want a host name error", err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if got := f.Exchanges()[0]; got.Proto != test.proto || got.ServerName != test.asks {
				t.Errorf("proto %s, server name %q; want %s and %q", got.Proto, got.ServerName, test.proto, test.asks)
			}
		})
	}
}
