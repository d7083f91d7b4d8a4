package e2e

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/switchyard/switchyard/e2e/provider"
)

// outage is one way in which the first candidate fails before a byte of its
// answer could be passed on.
type outage struct {
	name   string
	script provider.Script
	// prepare changes the failing site before the gateway starts.
	prepare func(*stage, *site)
	// streams restricts an outage to streamed answers, which alone have events.
	streams bool
	// unreached says that the request never gets to the provider.
	unreached bool
}

// streamedSuffix is that of the models that are only asked for streams.
const streamedSuffix = "-streamed"

// patience is the limit of the outages that are a silence.
const patience = "0.3s"

func impatient(_ *stage, at *site) {
	at.config["timeouts"] = settings{"response_headers": patience, "first_token": patience}
}

var outages = []outage{
	{name: "row 60: 500", script: provider.Failure{Status: 500}},
	{name: "row 60: 502 with a web page", script: provider.HTML(502)},
	{name: "row 60: 503", script: provider.Failure{Status: 503}},
	{name: "row 60: 504", script: provider.Failure{Status: 504}},
	{name: "row 60: 529", script: provider.Failure{Status: 529}},
	{name: "row 61: 429", script: provider.Failure{Status: 429}},
	{name: "401", script: provider.Failure{Status: 401}},
	{name: "403", script: provider.Failure{Status: 403}},
	{name: "404", script: provider.Failure{Status: 404}},
	{name: "408", script: provider.Failure{Status: 408}},

	{name: "connection refused", unreached: true, prepare: func(_ *stage, at *site) { at.server.Close() }},
	{name: "host name that does not resolve", unreached: true, prepare: func(_ *stage, at *site) {
		at.config["base_url"] = at.named("provider.invalid")
	}},
	{name: "TLS expected, clear text spoken", unreached: true, prepare: func(_ *stage, at *site) {
		at.config["base_url"] = strings.Replace(at.server.URL, "http://", "https://", 1)
	}},
	{name: "hang-up before the headers", script: provider.HangUp},
	{name: "reset before the headers", script: provider.Reset},
	{name: "reset after the headers", script: provider.ResetAfterHeaders},
	{name: "no headers in time", script: provider.Silence, prepare: impatient},

	{name: "web page in a 200", script: provider.HTML(200)},
	{name: "row 63: error in a 200", script: provider.Stream{End: provider.EndError}},
	{name: "malformed answer", script: provider.Stream{End: provider.EndMalformed}},
	{name: "empty answer", script: provider.Answer{Empty: true}},
	{name: "empty body", script: provider.Raw{}},
	{name: "row 87: body that breaks off", script: provider.Stream{End: provider.EndClean}},

	{name: "no first event in time", streams: true, script: provider.SilenceAfterHeaders, prepare: impatient},
	{name: "no first token in time", streams: true, prepare: impatient,
		script: provider.Stream{End: provider.EndStall, Opening: true}},
	{name: "row 63: error before the first token", streams: true,
		script: provider.Stream{End: provider.EndError, Opening: true}},
	{name: "stream that ends before the first token", streams: true,
		script: provider.Stream{End: provider.EndClean, Opening: true}},
	{name: "web page as the first event", streams: true, script: provider.Stream{End: provider.EndHTML, Opening: true}},
}

// Whatever happens to the first candidate before its first token, the client
// gets the second one's answer and nothing of the first's (known-failures 25).
func TestFailover(t *testing.T) {
	s := newStage(t)
	good := s.openAI("good")
	good.Default(provider.Answer{Text: "from the second candidate"})
	type failing struct {
		outage
		*site
		model string
	}
	var cases []failing
	for i, o := range outages {
		for dialect, add := range map[string]func(string, ...provider.Network) *site{
			"openai": s.openAI, "anthropic": s.anthropic,
		} {
			bad := add(slugged(dialect, i))
			bad.Default(o.script)
			if o.prepare != nil {
				o.prepare(s, bad)
			}
			model := "outage/" + bad.slug
			// The outage of the whole answer must not steer the streamed one.
			s.serve(model, bad, good)
			s.serve(model+streamedSuffix, bad, good)
			cases = append(cases, failing{o, bad, model})
		}
	}
	s.start()
	for _, c := range cases {
		t.Run(c.name+"/"+c.slug, func(t *testing.T) {
			for _, stream := range []bool{false, true} {
				if c.streams && !stream {
					continue
				}
				c.Reset()
				c.Default(c.script)
				good.Reset()
				good.Default(provider.Answer{Text: "from the second candidate"})
				checkFailover(t, s, c.model, stream)
				if want := 1; c.unreached && c.calls() != 0 || !c.unreached && c.calls() != want {
					t.Errorf("stream %v: %d requests reached the first candidate", stream, c.calls())
				}
				if good.calls() != 1 {
					t.Errorf("stream %v: %d requests reached the second candidate, want 1", stream, good.calls())
				}
			}
		})
	}
}

func checkFailover(t *testing.T, s *stage, model string, stream bool) {
	t.Helper()
	began := time.Now()
	if stream {
		got := s.ask(streamed(model + streamedSuffix))
		gathered := got.transcript(t)
		if gathered.text != "from the second candidate" || !gathered.done || len(gathered.usage) != 1 || len(gathered.errors) != 0 {
			t.Errorf("stream: %s", got.body)
		}
		if gathered.chunks[0].Provider != "good" {
			t.Errorf("stream: provider %q", gathered.chunks[0].Provider)
		}
	} else {
		got := s.ask(question(model))
		decoded := got.decode(t)
		if got.status != 200 || len(decoded.Choices) != 1 || decoded.Provider != "good" ||
			decoded.Choices[0].Message.Content != "from the second candidate" {
			t.Errorf("status %d: %s", got.status, got.body)
		}
	}
	if took := time.Since(began); took > 5*time.Second {
		t.Errorf("stream %v: took %v", stream, took)
	}
}

func slugged(dialect string, i int) string {
	return dialect + "-" + string(rune('a'+i/26)) + string(rune('a'+i%26))
}

// The certificate decides, both ways: one that does not name the host, or that
// nobody trusted has signed, is as good as no connection.
func TestTLSToProviders(t *testing.T) {
	s := newStage(t)
	ca := s.trusted()
	good := s.openAI("good", provider.Network{})
	good.Default(provider.Answer{Text: "from the second candidate"})
	for _, test := range []struct {
		slug    string
		network provider.Network
		host    string
		ca      string
	}{
		{"wrong-name", provider.Network{TLS: s.authority, Names: []string{"elsewhere.example"}}, "localhost", ca},
		{"untrusted", provider.Network{TLS: s.authority}, "localhost", ""},
		{"right", provider.Network{TLS: s.authority}, "localhost", ca},
		{"right-http2", provider.Network{TLS: s.authority, HTTP2: true}, "localhost", ca},
	} {
		at := s.openAI(test.slug, test.network)
		at.config["base_url"] = at.named(test.host)
		if test.ca != "" {
			at.config["ca_file"] = test.ca
		}
		s.serve("tls/"+test.slug, at, good)
	}
	s.start()
	for i, want := range []string{"good", "good", "right", "right-http2"} {
		at := s.sites[i+1]
		t.Run(at.slug, func(t *testing.T) {
			got := s.ask(question("tls/" + at.slug))
			if decoded := got.decode(t); got.status != 200 || decoded.Provider != want {
				t.Fatalf("status %d, provider %q, want %q: %s", got.status, decoded.Provider, want, got.body)
			}
			if want == "good" {
				return
			}
			if exchange := at.last(t); exchange.ServerName != "localhost" {
				t.Errorf("server name %q", exchange.ServerName)
			}
			if proto := at.last(t).Proto; (proto == "HTTP/2.0") != (at.slug == "right-http2") {
				t.Errorf("protocol %s", proto)
			}
		})
	}
}

// A provider that finds fault with the request ends it: the client hears what
// the provider said, and nobody else is asked.
func TestRow89ProviderRefusalEndsTheRequest(t *testing.T) {
	s := newStage(t)
	first, claude, second := s.openAI("first"), s.anthropic("claude"), s.openAI("second")
	s.serve("m/openai", first, second)
	s.serve("m/anthropic", claude, second)
	s.start()
	for _, at := range []*site{first, claude} {
		model := "m/openai"
		if at == claude {
			model = "m/anthropic"
		}
		for _, status := range []int{400, 413, 422} {
			for _, body := range []string{question(model), streamed(model)} {
				at.Enqueue(provider.Failure{Status: status, Message: "tokens: too many of them"})
				said := s.ask(body).failed(t, status)
				if !strings.Contains(said.Message, "tokens: too many of them") {
					t.Errorf("%s, %d: message %q does not say what the provider said", at.slug, status, said.Message)
				}
				if said.Metadata["provider_name"] != at.slug {
					t.Errorf("%s, %d: provider_name %v", at.slug, status, said.Metadata["provider_name"])
				}
				if raw, _ := said.Metadata["raw"].(string); !strings.Contains(raw, `"tokens: too many of them"`) {
					t.Errorf("%s, %d: metadata.raw is not the provider's body: %v", at.slug, status, said.Metadata["raw"])
				}
			}
		}
	}
	if second.calls() != 0 {
		t.Errorf("the second candidate was asked %d times", second.calls())
	}
}

func TestRow68AllFail(t *testing.T) {
	s := newStage(t)
	first, second := s.openAI("first"), s.anthropic("second")
	s.serve("m/x", first, second)
	s.start()
	first.Default(provider.Failure{Status: 500, Message: "first's trouble"})
	second.Default(provider.Failure{Status: 503, Message: "second's trouble"})
	for _, body := range []string{question("m/x"), streamed("m/x")} {
		got := s.ask(body)
		said := got.failed(t, 503)
		previous, _ := said.Metadata["previous_errors"].([]any)
		if len(previous) != 1 || !strings.Contains(got.body, "first's trouble") {
			t.Errorf("want what the first candidate said, and nothing twice: %s", got.body)
		}
		if said.Metadata["provider_name"] != "second" {
			t.Errorf("provider_name %v", said.Metadata["provider_name"])
		}
	}
}

func TestRow69All429(t *testing.T) {
	s := newStage(t)
	first, second := s.openAI("first"), s.openAI("second")
	s.serve("m/x", first, second)
	s.start()
	first.Enqueue(provider.Failure{Status: 429, RetryAfter: "7"})
	second.Enqueue(provider.Failure{Status: 429, RetryAfter: "3"})
	got := s.ask(question("m/x"))
	got.failed(t, http.StatusTooManyRequests)
	if after := got.header.Get("Retry-After"); after != "3" {
		t.Errorf("Retry-After %q, want the least of the hints, 3", after)
	}
}

// known-failures 49.
func TestStopOnKeepsAFailureClassFromFailingOver(t *testing.T) {
	s := newStage(t)
	first, second := s.openAI("first"), s.openAI("second")
	s.serve("m/x", first, second)
	s.routing(settings{"stop_on": []any{"rate_limited"}})
	s.start()
	first.Enqueue(provider.Failure{Status: 429}, provider.Failure{Status: 503})
	s.ask(question("m/x")).failed(t, 429)
	if second.calls() != 0 {
		t.Error("the second candidate was asked after a failure that ends the request")
	}
	if got := s.ask(question("m/x")); got.status != 200 || second.calls() != 1 {
		t.Errorf("a failure of another class did not fail over: %d %s", got.status, got.body)
	}
}

// A failed endpoint goes behind the others until it has cooled down, or for as
// long as it asked for (known-failures 48).
func TestCoolDownSteersTheNextPlan(t *testing.T) {
	s := newStage(t)
	failing, limited, good := s.openAI("failing"), s.openAI("limited"), s.openAI("good")
	s.serve("m/failing", failing, good)
	s.serve("m/limited", limited, good)
	s.routing(settings{"cool_down": "60s", "max_cool_down": "60s"})
	s.start()
	failing.Enqueue(provider.Failure{Status: 500})
	limited.Enqueue(provider.Failure{Status: 429, RetryAfter: "60"})
	for _, at := range []*site{failing, limited} {
		for range 3 {
			if got := s.ask(question("m/" + at.slug)); got.status != 200 || got.decode(t).Provider != "good" {
				t.Errorf("%s: status %d: %s", at.slug, got.status, got.body)
			}
		}
		if at.calls() != 1 {
			t.Errorf("%s was asked %d times while cooling down, want once", at.slug, at.calls())
		}
	}
	// The only endpoint left is tried all the same.
	good.Default(provider.Failure{Status: 500})
	if got := s.ask(question("m/failing")); got.status != 200 || got.decode(t).Provider != "failing" {
		t.Errorf("with the others failing: status %d: %s", got.status, got.body)
	}
}

func TestRow64ModelsFallback(t *testing.T) {
	s := newStage(t)
	x, y := s.openAI("serves-x"), s.anthropic("serves-y")
	s.serve("m/x", x)
	s.serve("m/y", y)
	s.start()
	x.Default(provider.Failure{Status: 503})
	for name, body := range map[string]string{
		"row 64: models":           strings.Replace(question("m/x"), `"model":"m/x"`, `"models":["m/x","m/y"]`, 1),
		"row 65: model and models": question("m/x", `"models":["m/y"]`),
	} {
		t.Run(name, func(t *testing.T) {
			x.Reset()
			x.Default(provider.Failure{Status: 503})
			got := s.ask(body)
			if decoded := got.decode(t); got.status != 200 || decoded.Model != "m/y" || decoded.Provider != "serves-y" {
				t.Errorf("status %d: %s", got.status, got.body)
			}
			if x.calls() != 1 {
				t.Errorf("m/x was tried %d times, want once", x.calls())
			}
		})
	}
	t.Run("row 66: more than three models", func(t *testing.T) {
		said := s.ask(question("m/x", `"models":["m/x","m/y","m/x","m/y"]`)).failed(t, 400)
		if said.Message != "'models' array must have 3 items or fewer." {
			t.Errorf("message %q", said.Message)
		}
	})
}
