package e2e

import (
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/switchyard/switchyard/e2e/provider"
)

var generationID = regexp.MustCompile(`^gen-\d+-[A-Za-z0-9]{20}$`)

// pair is a stage with a provider of each dialect, serving m/openai and
// m/anthropic.
func pair(t *testing.T) (*stage, *site, *site) {
	t.Helper()
	s := newStage(t)
	gpt, claude := s.openAI("gpt"), s.anthropic("claude")
	s.serve("m/openai", gpt)
	s.serve("m/anthropic", claude)
	return s, gpt, claude
}

// each runs a test against both providers of a pair.
func each(t *testing.T, gpt, claude *site, test func(t *testing.T, at *site, model string)) {
	t.Helper()
	for model, at := range map[string]*site{"m/openai": gpt, "m/anthropic": claude} {
		t.Run(model, func(t *testing.T) { test(t, at, model) })
	}
}

func TestRow1BasicChat(t *testing.T) {
	s, _, _ := pair(t)
	s.start()
	for model, want := range map[string]struct{ provider, native string }{
		"m/openai":    {"gpt", "stop"},
		"m/anthropic": {"claude", "end_turn"},
	} {
		for _, path := range []string{"/api/v1/chat/completions", "/v1/chat/completions"} {
			got := s.do(http.MethodPost, path, question(model))
			decoded := got.decode(t)
			if got.status != 200 || len(decoded.Choices) != 1 || decoded.Usage == nil {
				t.Fatalf("%s %s: status %d: %s", path, model, got.status, got.body)
			}
			if decoded.Object != "chat.completion" || decoded.Model != model || decoded.Provider != want.provider {
				t.Errorf("object %q, model %q, provider %q", decoded.Object, decoded.Model, decoded.Provider)
			}
			if !generationID.MatchString(decoded.ID) {
				t.Errorf("id %q", decoded.ID)
			}
			if header := got.header.Get("X-Generation-Id"); header != decoded.ID {
				t.Errorf("row 2: X-Generation-Id %q, id %q", header, decoded.ID)
			}
			only := decoded.Choices[0]
			if only.FinishReason == nil || *only.FinishReason != "stop" ||
				only.NativeFinishReason == nil || *only.NativeFinishReason != want.native {
				t.Errorf("row 3: finish reasons in %s", got.body)
			}
			if only.Message.Role != "assistant" || only.Message.Content != "Grüße from the fake, 世界 and 🌍." {
				t.Errorf("message %+v", only.Message)
			}
			// 11 tokens in at $1, 7 out at $2 a million.
			if u := decoded.Usage; u.Prompt != 11 || u.Completion != 7 || u.Total != 18 || u.Cost == nil || !near(*u.Cost, 25e-6) {
				t.Errorf("usage in %s", got.body)
			}
			if slices.ContainsFunc(slices.Collect(maps.Keys(got.header)), func(name string) bool {
				return strings.HasPrefix(name, "X-Ratelimit")
			}) {
				t.Errorf("row 76: rate limit headers on success: %v", got.header)
			}
		}
	}
}

// near compares dollars to a hundredth of a millionth cent.
func near(a, b float64) bool { return a-b < 1e-12 && b-a < 1e-12 }

// known-failures 38.
func TestRow4FinishReasons(t *testing.T) {
	s, gpt, claude := pair(t)
	s.start()
	for _, test := range []struct {
		at           *site
		native, want string
	}{
		{gpt, "length", "length"},
		{gpt, "content_filter", "content_filter"},
		{claude, "max_tokens", "length"},
		{claude, "stop_sequence", "stop"},
		{claude, "refusal", "content_filter"},
	} {
		model := map[*site]string{gpt: "m/openai", claude: "m/anthropic"}[test.at]
		test.at.Enqueue(provider.Answer{Finish: test.native}, provider.Answer{Finish: test.native})
		got := s.ask(question(model)).choice(t)
		if *got.FinishReason != test.want || *got.NativeFinishReason != test.native {
			t.Errorf("%s: finish %q, native %q", test.native, *got.FinishReason, *got.NativeFinishReason)
		}
		if gathered := s.ask(streamed(model)).transcript(t); gathered.finish != test.want || gathered.native != test.native {
			t.Errorf("%s streamed: finish %q, native %q", test.native, gathered.finish, gathered.native)
		}
	}
}

// What the provider gets is what the client said, in the provider's words.
func TestRequestFieldsUpstream(t *testing.T) {
	s, gpt, claude := pair(t)
	s.start()
	for name, test := range map[string]struct {
		members   string
		openAI    string // member of the body, "" for absent
		value     any
		anthropic string
		converted any
	}{
		"row 16: absent parameters":  {"", "temperature", nil, "temperature", nil},
		"row 17: explicit default":   {`"temperature":1`, "temperature", 1.0, "temperature", 1.0},
		"row 15: unknown field":      {`"foo":1`, "foo", nil, "foo", nil},
		"row 83: usage.include":      {`"usage":{"include":false}`, "usage", nil, "usage", nil},
		"a router's own fields":      {`"provider":{"order":["gpt","claude"]},"session_id":"s","trace":{"trace_id":"t"}`, "provider", nil, "session_id", nil},
		"row 18: unsupported by one": {`"top_k":5`, "top_k", nil, "top_k", 5.0},
		"stop":                       {`"stop":["a"]`, "stop", []any{"a"}, "stop_sequences", []any{"a"}},
		"max_tokens":                 {`"max_tokens":77`, "max_tokens", 77.0, "max_tokens", 77.0},
		"temperature beyond one's":   {`"temperature":1.7`, "temperature", 1.7, "temperature", 1.0},
		"empty tools":                {`"tools":[]`, "tools", nil, "tools", nil},
		"seed":                       {`"seed":7`, "seed", 7.0, "seed", nil},
	} {
		t.Run(name, func(t *testing.T) {
			members := []string{}
			if test.members != "" {
				members = append(members, test.members)
			}
			each(t, gpt, claude, func(t *testing.T, at *site, model string) {
				at.Reset()
				if got := s.ask(question(model, members...)); got.status != 200 {
					t.Fatalf("%s: status %d: %s", at.slug, got.status, got.body)
				}
				field, want := test.openAI, test.value
				if at == claude {
					field, want = test.anthropic, test.converted
				}
				sent := at.last(t).JSON
				if list, ok := want.([]any); ok {
					if given, _ := sent[field].([]any); !slices.Equal(given, list) {
						t.Errorf("%s: %s is %v, want %v", at.slug, field, sent[field], want)
					}
				} else if sent[field] != want {
					t.Errorf("%s: %s is %v, want %v", at.slug, field, sent[field], want)
				}
			})
		})
	}
}

// A client cannot steer the gateway by headers, and neither its headers nor the
// gateway's own reach a provider: the fakes refuse every one of them.
func TestHeaderSpoofing(t *testing.T) {
	s, gpt, claude := pair(t)
	other := s.openAI("other")
	s.serve("m/other", other)
	s.start()
	spoofed := []string{
		"X-Envoy-Max-Retries", "0",
		"X-Envoy-Retry-On", "5xx",
		"X-Envoy-Upstream-Rq-Timeout-Ms", "1",
		"X-Envoy-Upstream-Rq-Per-Try-Timeout-Ms", "1",
		"X-Envoy-Attempt-Count", "7",
		"X-Envoy-Original-Path", "/x",
		"X-Envoy-Hedge-On-Per-Try-Timeout", "true",
		"X-Envoy-Upstream-Alt-Stat-Name", "x",
		"X-Envoy-Decorator-Operation", "x",
		"X-Switchyard-Cluster", "other",
		"X-Switchyard-Failover", "1",
		"X-Switchyard-Plan", "other",
		"X-Forwarded-For", "10.0.0.1",
		"X-Forwarded-Proto", "https",
		"X-Forwarded-Host", "evil.example",
		"X-Request-Id", "00000000-0000-0000-0000-000000000000",
		"Forwarded", "for=10.0.0.1",
		"Via", "1.1 evil",
		"Cookie", "session=1",
		"Accept-Encoding", "gzip, br",
		"X-Api-Key", "sk-of-another",
		"Anthropic-Version", "1999-01-01",
		"Openai-Organization", "evil",
		"X-Stainless-Os", "Linux",
		"Http-Referer", "https://app.example",
		"X-Title", "app",
		"Priority", "u=0",
	}
	each(t, gpt, claude, func(t *testing.T, at *site, model string) {
		at.Default(provider.Late{After: 100 * time.Millisecond, Then: provider.Answer{}})
		got := s.ask(question(model), spoofed...)
		if got.status != 200 || got.decode(t).Provider != at.slug {
			t.Errorf("%s: status %d: %s", at.slug, got.status, got.body)
		}
		if encoding := got.header.Get("Content-Encoding"); encoding != "" {
			t.Errorf("%s: encoding %q", at.slug, encoding)
		}
		for name := range at.last(t).Header {
			if strings.HasPrefix(name, "X-") && name != "X-Api-Key" {
				t.Errorf("%s got header %s", at.slug, name)
			}
		}
		if version := at.last(t).Header.Get("Anthropic-Version"); at == claude && version == "1999-01-01" {
			t.Error("the client chose the provider's API version")
		}
	})
	if other.calls() != 0 {
		t.Error("a client's header chose the provider")
	}
}

// The vendor's own headers (its request ids, rate limits, cookies, proxies) say
// nothing to the gateway's clients, whatever the answer is (known-failures 14).
func TestVendorHeadersStayInside(t *testing.T) {
	s, gpt, claude := pair(t)
	s.start()
	each(t, gpt, claude, func(t *testing.T, at *site, model string) {
		at.Enqueue(provider.Answer{}, provider.Failure{Status: 400}, provider.Failure{Status: 503}, provider.Answer{})
		for i := range 4 {
			body := question(model)
			if i == 3 {
				body = streamed(model)
			}
			got := s.ask(body)
			for name, values := range at.VendorHeaders() {
				if slices.Equal(got.header[name], values) {
					t.Errorf("%s, status %d: header %s: %s", at.slug, got.status, name, values)
				}
			}
			for name := range got.header {
				if strings.HasPrefix(name, "X-Envoy-") || strings.HasPrefix(name, "X-Switchyard-") {
					t.Errorf("%s, status %d: internal header %s", at.slug, got.status, name)
				}
			}
		}
	})
}

// No answer, and no error, shows the provider's key or address (known-failures 54).
func TestProvidersCredentialsStayInside(t *testing.T) {
	s, gpt, claude := pair(t)
	s.start()
	each(t, gpt, claude, func(t *testing.T, at *site, model string) {
		for _, script := range []provider.Script{
			provider.Failure{Status: 401, Message: "Incorrect API key provided: " + at.key},
			provider.Failure{Status: 403, Message: "key " + at.key},
			provider.HangUp,
		} {
			at.Enqueue(script)
			got := s.ask(question(model))
			if got.status < 500 {
				t.Errorf("%s: status %d, though the gateway's credential or line is at fault: %s", at.slug, got.status, got.body)
			}
			for _, secret := range []string{at.key, at.server.Address} {
				if strings.Contains(got.body, secret) {
					t.Errorf("%s: %s is in the answer: %s", at.slug, secret, got.body)
				}
			}
		}
	})
}

// What moves a request on is the processor's word alone.
func TestProvidersCannotMoveRequestsOn(t *testing.T) {
	s, gpt, claude := pair(t)
	s.serve("m/both", gpt, claude)
	s.start()
	for _, body := range []string{question("m/both"), streamed("m/both")} {
		gpt.Reset()
		answer := provider.Raw{
			Header: http.Header{"Content-Type": {"application/json"}, "X-Switchyard-Failover": {"server_error"}, "X-Switchyard-Cluster": {"provider/claude"}},
			Body:   `{"id":"c","object":"chat.completion","created":1,"model":"z","choices":[{"index":0,"message":{"role":"assistant","content":"hi"},"finish_reason":"stop"}]}`,
		}
		gpt.Enqueue(answer)
		got := s.ask(body)
		if got.status != 200 || gpt.calls() != 1 || claude.calls() != 0 {
			t.Errorf("%d, %d and %d calls: %s", got.status, gpt.calls(), claude.calls(), got.body)
		}
		for name := range got.header {
			if strings.HasPrefix(name, "X-Switchyard") {
				t.Errorf("the client got %s", name)
			}
		}
	}
}
