package extproc

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/switchyard/switchyard/extproc/dialect/registry"
	"github.com/switchyard/switchyard/extproc/eventstream"
	"github.com/switchyard/switchyard/policies/config/configpb"
	"github.com/switchyard/switchyard/policies/health"
)

// oddBodies are what proxies in front of providers, and providers on a bad day, answer
// with. None is an answer of any dialect.
func oddBodies(t *testing.T) map[string]string {
	t.Helper()
	var zipped bytes.Buffer
	w := gzip.NewWriter(&zipped)
	if _, err := w.Write([]byte(wholeAnswer)); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	odd := map[string]string{
		"a proxy's page":   "<!DOCTYPE html><html><head><title>502 Bad Gateway</title></head><body><h1>nginx</h1></body></html>\n",
		"half of a gzip":   zipped.String()[:zipped.Len()/2],
		"a gzip":           zipped.String(),
		"a hundred levels": strings.Repeat(`{"choices":[`, 50),
		"a pile of levels": strings.Repeat("[", 20_000),
		"no UTF-8":         "{\"choices\":[{\"message\":{\"content\":\"\xff\xfe\xed\xa0\x80\"}}]",
		"NUL":              "\x00\x00\x00\x00",
		"half an answer":   wholeAnswer[:60],
		"two answers":      "{}{}",
	}
	for _, body := range []string{
		"", " ", "\n\n", "null", "true", "42", "-1e999", `"fine"`, "[]", "[null]", "[[]]", "{}", `{"":null}`, "OK",
		`{"error":null}`, `{"error":[]}`, `{"error":7}`, `{"type":7}`, `{"type":"error"}`, `{"type":"message"}`, `{"id":{}}`,
		`{"choices":null}`, `{"choices":{}}`, `{"choices":[null]}`, `{"choices":[{"message":null,"delta":null}]}`, `{"choices":[{"message":[],"delta":[]}],"usage":[]}`,
		`{"content":null}`, `{"content":[null,7,{}]}`, `{"content":"x","usage":7}`, `{"type":"content_block_delta","index":-1,"delta":null}`, `{"type":"message_start","message":null}`,
		`{"candidates":null}`, `{"candidates":[null,{}]}`, `{"candidates":[{"content":{"parts":[null,7,{"functionCall":null}]}}]}`, `{"promptFeedback":7}`,
		`{"output":null}`, `{"output":[null,7,{"type":"message","content":7}]}`, `{"type":"response.completed","response":null}`, `{"response":[]}`, `{"type":"response.output_item.done","item":null}`,
		`{"output":{"message":null}}`, `{"output":{"message":{"content":[null,{"toolUse":null}]}},"usage":[]}`, `{"contentBlockIndex":-1,"delta":null}`, `{"bytes":"bnVsbA=="}`, `{"bytes":7}`,
		`{"message":null}`, `{"message":7,"done":"yes"}`, `{"message":{"content":[null],"tool_calls":[null]}}`, `{"type":"message-end","delta":null}`, `{"type":"content-delta","delta":{"message":null}}`,
	} {
		odd[fmt.Sprintf("%q", body)] = body
	}
	return odd
}

// whatever is how an attempt has ended, by whichever of its ways.
type whatever struct {
	refusal *reply
	body    string
}

// ends takes all that the processor says until the attempt is over.
func (e *envoy) ends() (got whatever) {
	e.t.Helper()
	for {
		message := e.next()
		if immediate := message.GetImmediateResponse(); immediate != nil {
			e.end()
			return whatever{refusal: &reply{mutation: e.mutation(immediate.GetHeaders()), status: int(immediate.GetStatus().GetCode()), body: string(immediate.GetBody())}}
		}
		if message.GetResponseHeaders() != nil {
			continue
		}
		piece := message.GetResponseBody().GetResponse().GetBodyMutation().GetStreamedResponse()
		if piece == nil {
			e.t.Fatalf("message = %v, want headers, a piece of the body or a refusal", message)
		}
		if got.body += string(piece.GetBody()); piece.GetEndOfStream() {
			e.end()
			return got
		}
	}
}

// known-failures 43: no reply of a provider's host, of whichever dialect, kills anything.
// It moves the request on where there is who to move on to, and is an error that the
// client can read where there is not; and the request is over once.
func TestOddRepliesOfEveryDialect(t *testing.T) {
	odd := oddBodies(t)
	for number, name := range configpb.Dialect_name {
		dialect := configpb.Dialect(number)
		if dialect == configpb.Dialect_DIALECT_UNSPECIFIED {
			continue
		}
		t.Run(strings.ToLower(strings.TrimPrefix(name, "DIALECT_")), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				gateways := newOddGateways(t, dialect)
				for what, body := range odd {
					for _, as := range []struct {
						kind   string
						stream bool
					}{
						{"application/json", false}, {"text/html", false}, {"", false},
						{"text/event-stream", true}, {"application/x-ndjson", true}, {eventstream.ContentType, true}, {"application/json", true},
					} {
						sent := body
						if as.kind == "text/event-stream" {
							sent = "data: " + body + "\n\n"
						}
						gateways.reply(fmt.Sprintf("%s as %q, stream=%t", what, as.kind, as.stream), "200", as.kind, sent, as.stream)
					}
				}
				for _, status := range []string{"204", "304", "307", "401", "429", "500", "502", "503", "529"} {
					for _, what := range []string{"a proxy's page", `""`, `"null"`, `"[]"`, `"42"`, "half of a gzip", "a pile of levels", `"{\"error\":[]}"`} {
						gateways.reply(status+" with "+what, status, "application/json", odd[what], false)
					}
				}
				gateways.over()
			})
		})
	}
}

// oddGateways are a gateway with another candidate, and one without.
type oddGateways struct {
	t            *testing.T
	others, none *gateway
	replies      int
}

func newOddGateways(t *testing.T, dialect configpb.Dialect) *oddGateways {
	t.Helper()
	speaking := func(cfg *configpb.Config, _ *Policy) { cfg.Providers["a"].Dialect = dialect }
	o := &oddGateways{t: t, others: newGateway(t, limited(&configpb.Limits{}), speaking), none: newGateway(t, limited(&configpb.Limits{}), speaking, onlyA)}
	for _, g := range []*gateway{o.others, o.none} {
		g.Providers = registry.Providers()
	}
	return o
}

// reply has each gateway meet a reply, the second one in two pieces.
func (o *oddGateways) reply(how, status, kind, body string, stream bool) {
	o.t.Helper()
	o.replies++
	id := fmt.Sprint("request-", o.replies)
	ask := map[bool]string{false: wholeOf, true: streamOf}[stream]
	headers := []string{}
	if kind != "" {
		headers = append(headers, "content-type", kind)
	}
	o.others.Health = health.New(health.Options{}) // or the plan would begin elsewhere
	e, _ := o.others.askedAs(id, "1", ask)
	e.replies(status, viaUpstream, headers...)
	e.sends(body, true)
	if got := e.ends(); got.refusal == nil || got.refusal.set[headerFailover] == "" {
		o.t.Errorf("%s: with another candidate the request stays: %+v", how, got)
	}

	e, _ = o.none.askedAs(id, "1", ask)
	e.replies(status, viaUpstream, headers...)
	e.sends(body[:len(body)/2], false)
	e.sends(body[len(body)/2:], true)
	got := e.ends()
	switch {
	case got.refusal != nil:
		var told struct {
			Error struct {
				Code    int
				Message string
			}
		}
		if err := json.Unmarshal([]byte(got.refusal.body), &told); err != nil || told.Error.Code != got.refusal.status || told.Error.Message == "" || got.refusal.status < 400 {
			o.t.Errorf("%s: alone it is told as %d %s", how, got.refusal.status, got.refusal.body)
		}
	case stream:
		if !strings.HasSuffix(got.body, done) {
			o.t.Errorf("%s: alone it streams %q", how, got.body)
		}
		for event := range strings.SplitSeq(strings.TrimSuffix(got.body, done), "\n\n") {
			if data, is := strings.CutPrefix(event, "data: "); is && !json.Valid([]byte(data)) {
				o.t.Errorf("%s: nobody can read %q", how, event)
			}
		}
	case !json.Valid([]byte(got.body)):
		o.t.Errorf("%s: alone it gives %q", how, got.body)
	}
}

// over checks that nothing is left of what was asked.
func (o *oddGateways) over() {
	o.t.Helper()
	elapse(2 * rememberFor)
	for _, g := range []*gateway{o.others, o.none} {
		g.wantCount(0, "panics_total")
		g.wantCount(float64(o.replies), "requests_total")
		if len(g.requests.byID) != 0 {
			o.t.Errorf("%d requests are not forgotten", len(g.requests.byID))
		}
	}
}

// known-failures 43, at every other endpoint, and in the words of every client.
func TestOddRepliesAtEveryEndpoint(t *testing.T) {
	odd := oddBodies(t)
	speaks := map[string]configpb.Dialect{"openai": configpb.Dialect_DIALECT_OPENAI, "cohere": configpb.Dialect_DIALECT_COHERE, "gemini": configpb.Dialect_DIALECT_GEMINI, "ollama": configpb.Dialect_DIALECT_OLLAMA}
	const hello = `"messages":[{"role":"user","content":"hello"}]`
	for _, test := range []struct {
		path, body, makes string
		dialects          []string
	}{
		{"/api/v1/embeddings", `{"model":"m/x","input":["a"]}`, "embeddings", []string{"openai", "cohere", "gemini", "ollama"}},
		{"/api/v1/rerank", `{"model":"m/x","query":"q","documents":["a","b"]}`, "rerank", []string{"openai", "cohere"}},
		{"/api/v1/images/generations", `{"model":"m/x","prompt":"a cat"}`, "image", []string{"openai"}},
		{"/api/v1/images", `{"model":"m/x","prompt":"a cat"}`, "image", []string{"openai"}},
		{"/api/v1/completions", `{"model":"m/x","prompt":"hello"}`, "text", []string{"openai", "gemini"}},
		{"/api/v1/messages", `{"model":"m/x","max_tokens":9,` + hello + `}`, "text", []string{"openai", "gemini"}},
		{"/api/v1/responses", `{"model":"m/x","input":"hello"}`, "text", []string{"openai", "cohere"}},
		{"/api/v1/models/m/x:generateContent", `{"contents":[{"role":"user","parts":[{"text":"hello"}]}]}`, "text", []string{"openai", "ollama"}},
	} {
		for _, dialect := range test.dialects {
			t.Run(test.path+" at "+dialect, func(t *testing.T) {
				for _, last := range []bool{false, true} {
					synctest.Test(t, func(t *testing.T) {
						g := newGateway(t, limited(&configpb.Limits{}), func(cfg *configpb.Config, _ *Policy) {
							cfg.Providers["a"].Dialect = speaks[dialect]
							cfg.Providers["b"].Dialect = speaks[dialect]
							cfg.Models["m/x"].OutputModalities = []string{test.makes}
							if last {
								onlyA(cfg, nil)
							}
						})
						g.Providers, g.Clients = registry.Providers(), registry.Clients()
						for what, body := range odd {
							g.Health = health.New(health.Options{})
							e := g.attempt("1", ":path", test.path, "x-request-id", what)
							e.asks(test.body, true)
							e.forwarded()
							e.replies("200", viaUpstream, "content-type", "application/json")
							e.sends(body, true)
							got := e.ends()
							if got.refusal == nil && !last || got.refusal != nil && (got.refusal.set[headerFailover] != "") == last {
								t.Errorf("%s: %+v", what, got)
							}
							if told := got.refusal; told != nil && (!json.Valid([]byte(told.body)) || told.status < 400) || told == nil && !json.Valid([]byte(got.body)) {
								t.Errorf("%s: nobody can read %+v", what, got)
							}
						}
						g.wantCount(0, "panics_total")
					})
				}
			})
		}
	}
}
