package e2e

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/switchyard/switchyard/e2e/provider"
)

const compressing = `"plugins":[{"id":"context-compression"}]`

// turns are so many turns of a chat, with a text of so many bytes in each.
func turns(count, bytes int) string {
	all := make([]string, count)
	for i := range all {
		all[i] = fmt.Sprintf(`{"role":%q,"content":"turn %d %s."}`, []string{"user", "assistant"}[i%2], i, strings.Repeat("x", bytes))
	}
	return strings.Join(all, ",")
}

// smallSites serves m/x at two vendors whose contexts are 8192 tokens, and refuse more.
func smallSites(t *testing.T, order ...string) *routing {
	s := newStage(t)
	r := &routing{stage: s, a: s.openAI("a"), b: s.anthropic("b")}
	sites := map[string]*site{"a": r.a, "b": r.b}
	var endpoints []settings
	for _, slug := range order {
		sites[slug].Bound(provider.Bounds{Context: 8192})
		endpoints = append(endpoints, sites[slug].endpoint("1", "2", settings{"context_length": 8192}))
	}
	r.offer("m/x", endpoints...)
	return r
}

// Row 117: what does not fit a small context loses its middle, and is not refused. The
// fakes count what they get.
func TestRow117DefaultCompression(t *testing.T) {
	for _, slug := range []string{"a", "b"} {
		r := smallSites(t, slug)
		at := map[string]*site{"a": r.a, "b": r.b}[slug]
		r.start()
		body := `{"model":"m/x","max_tokens":1000,"messages":[{"role":"system","content":"be kind"},` + turns(20, 2000) + `,{"role":"user","content":"the question"}]`
		got := r.ask(body+"}", "X-OpenRouter-Metadata", "enabled")
		if got.status != http.StatusOK {
			t.Fatalf("%s: status %d: %s", slug, got.status, got.body)
		}
		sent := string(at.last(t).Body)
		for _, kept := range []string{"be kind", "turn 0 ", "turn 19 ", "the question"} {
			if !strings.Contains(sent, kept) {
				t.Errorf("%s does not get %q", slug, kept)
			}
		}
		if strings.Contains(sent, "turn 10 ") {
			t.Errorf("%s gets the middle", slug)
		}
		if !strings.Contains(got.body, `"pipeline":[{"type":"context_compression"`) {
			t.Errorf("%s: nothing of it is told: %s", slug, got.body)
		}
		if stream := r.ask(body+`,"stream":true}`, "X-OpenRouter-Metadata", "enabled"); stream.status != http.StatusOK || !strings.Contains(stream.body, `"type":"context_compression"`) {
			t.Errorf("%s: nothing of it is told in a stream: %d %s", slug, stream.status, stream.body)
		}
		r.quiet()
		for _, off := range []string{`,"plugins":[{"id":"context-compression","enabled":false}]}`, `,"transforms":[]}`} {
			got = r.ask(body + off)
			if told := got.decode(t).Error.Message; got.status != http.StatusBadRequest || at.calls() != 0 ||
				!strings.Contains(told, "maximum context length is 8192 tokens") || !strings.Contains(told, "context-compression") {
				t.Errorf("%s, off: status %d: %s", slug, got.status, got.body)
			}
		}
	}
}

// Row 117: a tool loop stays one, and the next provider gets its own part of the request.
func TestRow117CompressedToolLoopFailsOver(t *testing.T) {
	r := smallSites(t, "a", "b")
	r.start()
	r.quiet(r.a)
	loop := make([]string, 12)
	for i := range loop {
		loop[i] = fmt.Sprintf(`{"role":"assistant","content":null,"tool_calls":[{"id":"call_%d","type":"function","function":{"name":"read","arguments":"{\"page\":%d}"}}]},`+
			`{"role":"tool","tool_call_id":"call_%d","content":"page %d %s"}`, i, i, i, i, strings.Repeat("x", 3000))
	}
	got := r.ask(`{"model":"m/x","max_tokens":500,"provider":{"order":["a","b"]},"tools":[{"type":"function","function":{"name":"read","parameters":{"type":"object","properties":{"page":{"type":"integer"}}}}}],` +
		`"messages":[{"role":"user","content":"read it all"},` + strings.Join(loop, ",") + `]}`)
	if got.status != http.StatusOK || r.asked() != "a b" {
		t.Fatalf("asked %q, status %d: %s", r.asked(), got.status, got.body)
	}
	for _, at := range []*site{r.a, r.b} {
		sent := string(at.last(t).Body)
		if !strings.Contains(sent, "page 0 ") || !strings.Contains(sent, "page 11 ") || strings.Contains(sent, "page 6 ") {
			t.Errorf("%s gets %s", at.slug, sent)
		}
		if calls, results := strings.Count(sent, `"page\":`)+strings.Count(sent, `"page":`), strings.Count(sent, "page "); calls == 0 || results == 0 || results >= 12 {
			t.Errorf("%s gets %d calls and %d results", at.slug, calls, results)
		}
	}
}

// Row 118: Anthropic gets the first 500 messages and the last 500.
func TestRow118ClaudesMessages(t *testing.T) {
	s := newStage(t)
	claude := s.anthropic("claude")
	claude.Bound(provider.Bounds{Messages: 1000})
	s.serve("m/claude", claude)
	s.start()
	chat := `{"model":"m/claude","max_tokens":100,` + compressing + `,"messages":[` + turns(1200, 1) + `]}`
	for _, path := range []string{"/api/v1/chat/completions", "/api/v1/messages"} {
		if got := s.do(http.MethodPost, path, chat); got.status != http.StatusOK {
			t.Fatalf("%s: status %d: %s", path, got.status, got.body)
		}
		messages, _ := claude.last(t).JSON["messages"].([]any)
		sent := string(claude.last(t).Body)
		if len(messages) != 1000 || strings.Contains(sent, "turn 500 ") || strings.Contains(sent, "turn 699 ") {
			t.Errorf("%s: Anthropic gets %d messages", path, len(messages))
		}
		for _, kept := range []string{"turn 0 ", "turn 499 ", "turn 700 ", "turn 1199 "} {
			if !strings.Contains(sent, kept) {
				t.Errorf("%s: %s is gone", path, kept)
			}
		}
	}
}

// Every scenario of the matrix holds with a prompt that is cut for the provider, one that
// speaks the client's own API too.
func TestCompressionMatrix(t *testing.T) {
	s := newStage(t)
	sites := vendors(s)
	for name, at := range sites {
		at.Bound(provider.Bounds{Context: 16384})
		s.models["m/"+name] = settings{
			"input_modalities": []any{"text", "image"},
			"endpoints":        []any{at.endpoint("1", "2", settings{"context_length": 16384})},
		}
	}
	s.start()
	prompt := `"the start ` + strings.Repeat("lorem ipsum ", 6000) + `the end"`
	t.Run("pairs", func(t *testing.T) {
		for vendor, at := range sites {
			t.Run(vendor, func(t *testing.T) {
				t.Parallel()
				for client, speaks := range speakers {
					p := &pairing{s: s, name: vendor, at: at, model: "m/" + vendor, client: speaks}
					p.client.ask = func(model string, a asked) (string, string) {
						path, body := speaks.ask(model, a)
						body = strings.Replace(body, `"hi"`, prompt, 1)
						return path, strings.Replace(body, "{", "{"+compressing+",", 1)
					}
					for scenario := range scenarios {
						p.try(t, client, scenario)
					}
					h, err := p.whole(asked{})
					if err = errors.Join(err, p.finished(h), p.got("the start", `\n[...]\n`, "the end")); err != nil {
						t.Errorf("%s to %s: %v", client, vendor, err)
					}
				}
			})
		}
	})
}
