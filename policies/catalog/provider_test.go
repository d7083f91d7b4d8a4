package catalog

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/types/known/durationpb"

	"github.com/switchyard/switchyard/policies/config/configpb"
)

func TestBaseURLIsTakenApart(t *testing.T) {
	type location struct {
		scheme, host string
		port         uint16
		authority    string
		prefix       string
	}
	tests := []struct {
		name, url string
		want      location
	}{
		{"https", "https://api.openai.com/v1", location{"https", "api.openai.com", 443, "api.openai.com", "/v1"}},
		{"no path", "https://api.anthropic.com", location{"https", "api.anthropic.com", 443, "api.anthropic.com", ""}},
		{"slash at the end", "https://api.anthropic.com/v1/", location{"https", "api.anthropic.com", 443, "api.anthropic.com", "/v1"}},
		{"http on a port", "http://localhost:11434/v1", location{"http", "localhost", 11434, "localhost:11434", "/v1"}},
		{"default port stated", "https://a.example:443", location{"https", "a.example", 443, "a.example", ""}},
		{"the other scheme's port", "http://a.example:443", location{"http", "a.example", 443, "a.example:443", ""}},
		{"port that ends like the default", "http://a.example:8080", location{"http", "a.example", 8080, "a.example:8080", ""}},
		{"IPv6", "http://[::1]:8000/v1", location{"http", "::1", 8000, "[::1]:8000", "/v1"}},
		{"IPv6 without a port", "https://[2001:db8::443]", location{"https", "2001:db8::443", 443, "[2001:db8::443]", ""}},
		{"capitals", "HTTPS://API.Example/V1", location{"https", "api.example", 443, "api.example", "/V1"}},
		{"escaped path", "https://a.example/a%2Fb", location{"https", "a.example", 443, "a.example", "/a%2Fb"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			var p Provider
			if err := p.locate(test.url); err != nil {
				t.Fatal(err)
			}
			got := location{p.Scheme, p.Host, p.Port, p.Authority, p.PathPrefix}
			if diff := cmp.Diff(test.want, got, cmp.AllowUnexported(location{})); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestBaseURLIsRefused(t *testing.T) {
	for name, url := range map[string]string{
		"empty":             "",
		"no scheme":         "api.openai.com/v1",
		"another scheme":    "ftp://api.openai.com",
		"no host":           "https:///v1",
		"query":             "https://a.example/v1?key=hunter2",
		"empty query":       "https://a.example/v1?",
		"fragment":          "https://a.example/v1#hunter2",
		"user information":  "https://user:hunter2@a.example",
		"port out of range": "https://a.example:65536",
		"port zero":         "https://a.example:0",
		"unreadable":        "https://hunter2 a.example:x",
	} {
		t.Run(name, func(t *testing.T) {
			err := new(Provider).locate(url)
			if err == nil {
				t.Fatalf("%q was accepted", url)
			}
			if strings.Contains(err.Error(), "hunter2") {
				t.Errorf("error %q shows what may be a secret", err)
			}
		})
	}
}

func TestProvider(t *testing.T) {
	from := &configpb.Provider{
		Name: "Alpha", Dialect: configpb.Dialect_DIALECT_ANTHROPIC, BaseUrl: "https://alpha.example",
		Headers: map[string]string{"X-Team": "Blue"}, Region: "eu", CaFile: "ca.pem",
		DataPolicy:    &configpb.DataPolicy{NoTraining: true, NoRetention: true},
		RefusedFields: []string{"seed"}, AnyModel: new(true),
		Timeouts: &configpb.Timeouts{FirstToken: durationpb.New(3 * time.Second)},
	}
	p, err := newProvider("alpha", from, func(slug string) (string, bool) { return "key of " + slug, true })
	if err != nil {
		t.Fatal(err)
	}
	if p.Name != "Alpha" || p.Dialect != "anthropic" || p.Cluster != "provider/alpha" || p.Region != "eu" || p.CAFile != "ca.pem" || !p.NoTraining || !p.NoRetention || !p.AnyModel {
		t.Errorf("%+v", p)
	}
	if key, _ := p.Credential.Reveal(); key != "key of alpha" {
		t.Error("not the credential of this provider")
	}
	if diff := cmp.Diff(map[string]string{"x-team": "Blue"}, p.Headers); diff != "" {
		t.Errorf("headers (-want +got):\n%s", diff)
	}
	want := Timeouts{Connect: 5 * time.Second, ResponseHeaders: 2 * time.Minute, FirstToken: 3 * time.Second, BetweenTokens: time.Minute}
	if diff := cmp.Diff(want, p.Timeouts); diff != "" {
		t.Errorf("timeouts (-want +got):\n%s", diff)
	}
}
