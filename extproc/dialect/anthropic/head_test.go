package anthropic

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/switchyard/switchyard/extproc/dialect"
)

// headed reads a request with headers, and writes it for a provider of the same dialect.
func headed(t *testing.T, body string, sent map[string]string, target dialect.Target) map[string]string {
	t.Helper()
	client, err := Client{}.ReadHead(dialect.Head{Header: func(name string) string { return sent[name] }})
	if err != nil {
		t.Fatal(err)
	}
	request, err := client.Parse([]byte(body))
	if err != nil {
		t.Fatal(err)
	}
	target.Model = "claude"
	upstream, err := Provider{}.Request(request, target)
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]string{}
	for _, header := range upstream.Headers {
		if strings.HasPrefix(header.Name, "anthropic-") {
			got[header.Name] = header.Value
		}
	}
	return got
}

func TestHeadersReachTheSameDialect(t *testing.T) {
	const (
		managed = `"context_management":{"edits":[]},`
		// Text that is empty the API refuses: the request is written anew.
		rewritten = `"messages":[{"role":"user","content":[{"type":"text","text":""},{"type":"text","text":"hi"}]}]`
	)
	for _, test := range []struct {
		name, body     string
		betas, version string
		target         dialect.Target
		wantBetas      string
		wantVersion    string
	}{
		{name: "none", body: hi, wantVersion: "2023-06-01"},
		{name: "betas", body: hi, betas: "a-1, b-2", version: "2023-06-01", wantBetas: "a-1, b-2", wantVersion: "2023-06-01"},
		{name: "of a request that is rewritten", body: rewritten, betas: "a-1", version: "2026-10-21", wantBetas: "a-1", wantVersion: "2026-10-21"},
		{name: "rewritten and sampled", body: `"top_k":5,` + rewritten, version: "2026-10-21", wantVersion: "2023-06-01"},
		{name: "one of the gateway's own", body: managed + hi, wantBetas: contextBeta, wantVersion: "2023-06-01"},
		{name: "one more", body: managed + hi, betas: "a-1", wantBetas: "a-1," + contextBeta, wantVersion: "2023-06-01"},
		{name: "not one more", body: managed + hi, betas: "a-1 ," + contextBeta, wantBetas: "a-1 ," + contextBeta, wantVersion: "2023-06-01"},
		{name: "the newest version", body: hi, version: "2026-10-21", wantVersion: "2026-10-21"},
		{name: "an unknown version", body: hi, version: "2099-01-01", wantVersion: "2023-06-01"},
		{name: "temperature", body: `"temperature":0.5,` + hi, version: "2026-10-21", wantVersion: "2023-06-01"},
		{name: "top_p", body: `"top_p":0.5,` + hi, version: "2026-10-21", wantVersion: "2023-06-01"},
		{name: "a temperature that the endpoint does not take", body: `"temperature":0.5,` + hi, version: "2026-10-21",
			target: dialect.Target{Supported: []string{"max_tokens"}}, wantVersion: "2026-10-21"},
	} {
		t.Run(test.name, func(t *testing.T) {
			sent := map[string]string{"anthropic-beta": test.betas, "anthropic-version": test.version}
			want := map[string]string{"anthropic-version": test.wantVersion}
			if test.wantBetas != "" {
				want["anthropic-beta"] = test.wantBetas
			}
			if diff := cmp.Diff(want, headed(t, "{"+test.body+"}", sent, test.target)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestBetasAreBounded(t *testing.T) {
	long := strings.Repeat("a", mostBetas+1)
	_, err := Client{}.ReadHead(dialect.Head{Header: func(string) string { return long }})
	if err == nil || !strings.Contains(err.Error(), "'anthropic-beta'") {
		t.Errorf("%v", err)
	}
}

// Clouds refuse a request with a beta that they do not know.
func TestBetasOfClouds(t *testing.T) {
	cloud := Provider{Hosted: "v", Betas: HostedBetas("a-1", contextBeta)}
	for _, test := range []struct {
		name     string
		provider Provider
		said     string
		refused  []string
		want     string
		dropped  []string
	}{
		{"all are known", cloud, "a-1", nil, "a-1", nil},
		{"some are not", cloud, "claude-code-20250219, a-1,oauth-2025-04-20", nil, "a-1", []string{"anthropic-beta.claude-code-20250219", "anthropic-beta.oauth-2025-04-20"}},
		{"none is", cloud, "b-2", nil, "", []string{"anthropic-beta.b-2"}},
		{"another name", cloud, "advanced-tool-use-2025-11-20,tool-search-tool-2025-10-19", nil, "tool-search-tool-2025-10-19", nil},
		{"one that the operator names", cloud, "a-1", []string{"anthropic-beta.a-1"}, "", []string{"anthropic-beta.a-1"}},
		{"one at Anthropic that the operator names", Provider{}, "a-1, b-2", []string{"anthropic-beta.a-1"}, "b-2", []string{"anthropic-beta.a-1"}},
		{"all that the operator names", Provider{}, "a-1, b-2", []string{"anthropic-beta"}, "", []string{"anthropic-beta.a-1", "anthropic-beta.b-2"}},
		{"nothing at Anthropic", Provider{}, "a-1, b-2", nil, "a-1, b-2", nil},
	} {
		t.Run(test.name, func(t *testing.T) {
			client, err := Client{}.ReadHead(dialect.Head{Header: func(name string) string { return map[string]string{betaHeader: test.said}[name] }})
			if err != nil {
				t.Fatal(err)
			}
			for _, body := range []string{"{" + hi + "}", `{"messages":[{"role":"user","content":[{"type":"text","text":""},{"type":"text","text":"hi"}]}]}`} {
				request, err := client.Parse([]byte(body))
				if err != nil {
					t.Fatal(err)
				}
				made, err := test.provider.Request(request, dialect.Target{Model: "m", Refused: test.refused})
				if err != nil {
					t.Fatal(err)
				}
				got := ""
				for _, h := range made.Headers {
					if h.Name == betaHeader {
						got = h.Value
					}
				}
				if diff := cmp.Diff(test.dropped, made.Dropped); got != test.want || diff != "" {
					t.Errorf("betas %q, want %q; dropped (-want +got):\n%s", got, test.want, diff)
				}
			}
		})
	}
}
