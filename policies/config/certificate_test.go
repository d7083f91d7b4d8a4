package config

import (
	"strings"
	"testing"
)

// What Envoy is given is what was checked, not what the files hold by then.
func TestCertificatesAsTheyWereRead(t *testing.T) {
	certificate, key := newCertificate()
	both, reads := append(certificate, key...), 0
	options := world()
	options.ReadFile = func(name string) ([]byte, error) {
		if !strings.HasSuffix(name, "both.pem") {
			return world().ReadFile(name)
		}
		reads++
		return both, nil
	}
	effective, err := Parse("gateway.yaml", []byte(`
listener: {tls: {certificate_file: both.pem, private_key_file: both.pem}}
providers: {openai: {ca_file: server.pem}, mistral: }
`), options)
	if err != nil {
		t.Fatal(err)
	}
	chain, private := effective.ListenerCertificate()
	if string(chain) != string(both) || private.Reveal() != string(both) || reads != 1 {
		t.Errorf("%s\n%s\nafter %d reads of one file", chain, private.Reveal(), reads)
	}
	if got := effective.Authorities("openai"); string(got) != string(testFiles()["server.pem"]) {
		t.Errorf("openai's authorities: %s", got)
	}
	if got := effective.Authorities("mistral"); got != nil {
		t.Errorf("mistral's authorities: %s", got)
	}
	without, err := Parse("gateway.yaml", []byte("providers: {openai: }"), options)
	if err != nil {
		t.Fatal(err)
	}
	if chain, private := without.ListenerCertificate(); len(chain) != 0 || private != (Secret{}) {
		t.Error("there is a certificate, and no TLS")
	}
}
