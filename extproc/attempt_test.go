package extproc

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	extprocv3 "github.com/envoyproxy/go-control-plane/envoy/service/ext_proc/v3"
	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
	"go.uber.org/goleak"
	"google.golang.org/grpc"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/structpb"

	"github.com/switchyard/switchyard/extproc/dialect"
	"github.com/switchyard/switchyard/extproc/dialect/anthropic"
	"github.com/switchyard/switchyard/extproc/dialect/openai"
	"github.com/switchyard/switchyard/policies/catalog"
	"github.com/switchyard/switchyard/policies/config/configpb"
	"github.com/switchyard/switchyard/policies/health"
	"github.com/switchyard/switchyard/policies/identity"
	"github.com/switchyard/switchyard/policies/quota"
	"github.com/switchyard/switchyard/policies/routing"
	"github.com/switchyard/switchyard/policies/sticky"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// The waits that the tests' providers and policy have. Time is synctest's.
const (
	headersWithin   = 20 * time.Second
	tokenWithin     = 10 * time.Second
	betweenTokens   = 5 * time.Second
	commentEvery    = 2 * time.Second
	clientKey       = "sk-client"
	path            = "/api/v1/chat/completions"
	streamOf        = `{"model":"m/x","stream":true,"messages":[{"role":"user","content":"hello"}]}`
	wholeOf         = `{"model":"m/x","messages":[{"role":"user","content":"hello"}]}`
	role            = "data: {\"choices\":[{\"index\":0,\"delta\":{\"role\":\"assistant\"}}]}\n\n"
	token           = "data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"hi\"}}]}\n\n"
	stop            = "data: {\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"stop\"}]}\n\n"
	counted         = "data: {\"choices\":[],\"usage\":{\"prompt_tokens\":10,\"completion_tokens\":4,\"total_tokens\":14}}\n\n"
	done            = "data: [DONE]\n\n"
	wholeAnswer     = `{"choices":[{"index":0,"message":{"role":"assistant","content":"hi"},"finish_reason":"stop"}],"usage":{"prompt_tokens":10,"completion_tokens":4,"total_tokens":14}}`
	costOf10And4    = 0.00005 // 10 tokens at $1 and 4 at $10 per million
	requestsAllowed = 3
)

// gateway is a Server over the model m/x, served by a (openai), then b (anthropic).
type gateway struct {
	*Server
	t        *testing.T
	registry *prometheus.Registry
}

func newGateway(t *testing.T, change ...func(*configpb.Config, *Policy)) *gateway {
	t.Helper()
	provider := func(dialect configpb.Dialect, base string) *configpb.Provider {
		return &configpb.Provider{Dialect: dialect, BaseUrl: base, Timeouts: &configpb.Timeouts{
			ResponseHeaders: durationpb.New(headersWithin), FirstToken: durationpb.New(tokenWithin), BetweenTokens: durationpb.New(betweenTokens),
		}}
	}
	prices := &configpb.Prices{Prompt: "1", Completion: "10"}
	cfg := &configpb.Config{
		Providers: map[string]*configpb.Provider{
			"a": provider(configpb.Dialect_DIALECT_OPENAI, "https://a.example/v1"),
			"b": provider(configpb.Dialect_DIALECT_ANTHROPIC, "https://b.example:8443/v1"),
		},
		Models: map[string]*configpb.Model{"m/x": {Endpoints: []*configpb.Endpoint{
			{Provider: "a", Model: "x-large", Prices: prices}, {Provider: "b", Model: "x-messages", Prices: prices},
		}}},
		// The tests say which endpoint comes first, not chance.
		Routing: &configpb.Routing{Balance: configpb.Balance_BALANCE_LISTED},
		Keys:    []*configpb.Key{{Name: "team", Hash: identity.Hash(clientKey), Limits: &configpb.Limits{Requests: requestsAllowed, Window: durationpb.New(time.Minute)}}},
	}
	policy := &Policy{
		MaxRequestBytes: 1 << 20, Routing: routing.Options{MaxCandidates: 8, MaxFallbackModels: 3}, StickyFor: 10 * time.Minute,
		KeepAliveComment: "PROCESSING", KeepAliveInterval: commentEvery,
	}
	for _, apply := range change {
		apply(cfg, policy)
	}
	var err error
	if policy.Catalog, err = catalog.New(cfg, func(name string) (string, bool) { return "secret-of-" + name, true }); err != nil {
		t.Fatal(err)
	}
	if policy.Keys, err = identity.NewKeyring(cfg); err != nil {
		t.Fatal(err)
	}
	registry := prometheus.NewRegistry()
	return &gateway{t: t, registry: registry, Server: NewServer(Options{
		Policy:    func() *Policy { return policy },
		Clients:   map[string]dialect.Client{path: openai.Client{}},
		Providers: map[string]dialect.Provider{openai.Name: openai.Provider{}, anthropic.Name: anthropic.Provider{}},
		Health:    health.New(health.Options{}),
		Quota:     quota.NewMemory(),
		Sticky:    sticky.NewMemory(),
		Preset: func(key *identity.Key, slug string) (dialect.Preset, bool) {
			return dialect.Preset{SystemPrompt: "Be brief."}, slug == "terse" && key.Name == "team"
		},
		Registry: registry,
		Log:      slog.New(slog.DiscardHandler),
	})}
}

// onlyA leaves one candidate.
func onlyA(cfg *configpb.Config, _ *Policy) {
	cfg.Models["m/x"].Endpoints = cfg.Models["m/x"].Endpoints[:1]
}

// count adds up a counter over all series that carry these label values.
func (g *gateway) count(name string, values ...string) float64 {
	g.t.Helper()
	families, err := g.registry.Gather()
	if err != nil {
		g.t.Fatal(err)
	}
	sum := 0.0
	for _, family := range families {
		if family.GetName() != "switchyard_"+name {
			continue
		}
		for _, series := range family.GetMetric() {
			if !slices.ContainsFunc(values, func(value string) bool {
				return !slices.ContainsFunc(series.GetLabel(), func(l *dto.LabelPair) bool { return l.GetValue() == value })
			}) {
				sum += series.GetCounter().GetValue()
			}
		}
	}
	return sum
}

func (g *gateway) wantCount(want float64, name string, values ...string) {
	g.t.Helper()
	if got := g.count(name, values...); got < want-1e-12 || got > want+1e-12 {
		g.t.Errorf("%s%v = %v, want %v", name, values, got, want)
	}
}

// envoy plays Envoy's side of one attempt's stream.
type envoy struct {
	grpc.ServerStream
	t        *testing.T
	ctx      context.Context
	cancel   context.CancelFunc
	requests chan *extprocv3.ProcessingRequest
	answers  chan *extprocv3.ProcessingResponse
	ended    chan error
}

func (e *envoy) Context() context.Context { return e.ctx }

func (e *envoy) Recv() (*extprocv3.ProcessingRequest, error) {
	select {
	case message, open := <-e.requests:
		if !open {
			return nil, io.EOF
		}
		return message, nil
	case <-e.ctx.Done():
		return nil, e.ctx.Err()
	}
}

// Send copies, as gRPC does by marshalling: the processor uses its buffers again.
func (e *envoy) Send(message *extprocv3.ProcessingResponse) error {
	if e.ctx.Err() != nil {
		return e.ctx.Err()
	}
	e.answers <- proto.Clone(message).(*extprocv3.ProcessingResponse)
	return nil
}

// attempt opens the stream of an attempt at the request "id". Of repeated headers
// the first counts, so that those given take the place of the usual ones.
func (g *gateway) attempt(number string, instead ...string) *envoy {
	e := &envoy{
		t: g.t, requests: make(chan *extprocv3.ProcessingRequest), ended: make(chan error, 1),
		answers: make(chan *extprocv3.ProcessingResponse, 1<<10),
	}
	e.ctx, e.cancel = context.WithCancel(g.t.Context())
	go func() {
		err := g.Process(e)
		e.cancel() // as gRPC does
		e.ended <- err
	}()
	e.say(&extprocv3.ProcessingRequest{Request: &extprocv3.ProcessingRequest_RequestHeaders{RequestHeaders: &extprocv3.HttpHeaders{
		Headers: headers(append(instead, []string{
			":method", "POST", ":path", path + "?x=1", ":authority", "gateway", ":scheme", "https",
			"x-request-id", "id", "x-envoy-attempt-count", number, "x-switchyard-start", "1700000000.5",
			"x-forwarded-proto", "https", "authorization", "Bearer " + clientKey,
		}...)),
	}}})
	return e
}

// asked opens an attempt whose client asks for body, and takes what the provider gets.
func (g *gateway) asked(number, body string) (*envoy, upstream) {
	g.t.Helper()
	e := g.attempt(number)
	e.asks(body, true)
	return e, e.forwarded()
}

// say sends a message if the processor still listens.
func (e *envoy) say(message *extprocv3.ProcessingRequest) {
	select {
	case e.requests <- message:
	case <-e.ctx.Done():
	}
}

func (e *envoy) asks(body string, end bool) {
	e.say(&extprocv3.ProcessingRequest{Request: &extprocv3.ProcessingRequest_RequestBody{
		RequestBody: &extprocv3.HttpBody{Body: []byte(body), EndOfStream: end},
	}})
}

// replies sends response headers, with Envoy's word on where they come from.
func (e *envoy) replies(status, details string, more ...string) {
	attributes, err := structpb.NewStruct(map[string]any{"response.code_details": details})
	if err != nil {
		e.t.Error(err)
	}
	time.Sleep(time.Millisecond) // in synctest a provider could answer in no time at all
	e.say(&extprocv3.ProcessingRequest{
		Attributes: map[string]*structpb.Struct{"envoy.filters.http.ext_proc": attributes},
		Request: &extprocv3.ProcessingRequest_ResponseHeaders{ResponseHeaders: &extprocv3.HttpHeaders{
			Headers: headers(append([]string{":status", status}, more...)),
		}},
	})
}

func (e *envoy) streams() { e.replies("200", viaUpstream, "content-type", "text/event-stream") }

func (e *envoy) sends(body string, end bool) {
	e.say(&extprocv3.ProcessingRequest{Request: &extprocv3.ProcessingRequest_ResponseBody{
		ResponseBody: &extprocv3.HttpBody{Body: []byte(body), EndOfStream: end},
	}})
}

func headers(pairs []string) *corev3.HeaderMap {
	list := &corev3.HeaderMap{}
	for i := 0; i < len(pairs); i += 2 {
		list.Headers = append(list.Headers, &corev3.HeaderValue{Key: pairs[i], RawValue: []byte(pairs[i+1])})
	}
	return list
}

// next is the processor's next message.
func (e *envoy) next() *extprocv3.ProcessingResponse {
	e.t.Helper()
	select {
	case message := <-e.answers:
		return message
	case <-time.After(time.Hour):
		e.t.Fatal("the processor is silent")
		return nil
	}
}

// quiet fails if the processor has said anything yet.
func (e *envoy) quiet(why string) {
	e.t.Helper()
	synctest.Wait()
	select {
	case message := <-e.answers:
		e.t.Fatalf("%s, yet the processor said %v", why, message)
	case err := <-e.ended:
		e.t.Fatalf("%s, yet the attempt ended: %v", why, err)
	default:
	}
}

// end waits until the attempt is over.
func (e *envoy) end() {
	e.t.Helper()
	select {
	case err := <-e.ended:
		if err != nil {
			e.t.Errorf("Process = %v", err)
		}
	case <-time.After(time.Hour):
		e.t.Fatal("the attempt does not end")
	}
}

// hangUp is a client that goes away, a hedge that lost, or a reset.
func (e *envoy) hangUp() {
	e.t.Helper()
	e.cancel()
	e.end()
}

// mutation is what a HeaderMutation comes to.
type mutation struct {
	set     map[string]string
	removed []string
}

func (e *envoy) mutation(m *extprocv3.HeaderMutation) mutation {
	e.t.Helper()
	got := mutation{set: map[string]string{}, removed: m.GetRemoveHeaders()}
	for _, option := range m.GetSetHeaders() {
		if option.GetAppendAction() != corev3.HeaderValueOption_OVERWRITE_IF_EXISTS_OR_ADD {
			e.t.Errorf("%s is appended to what stands there", option.GetHeader().GetKey())
		}
		got.set[option.GetHeader().GetKey()] = string(option.GetHeader().GetRawValue())
	}
	return got
}

// upstream is the request that a provider gets.
type upstream struct {
	mutation
	body string
}

func (e *envoy) forwarded() upstream {
	e.t.Helper()
	first := e.next().GetRequestHeaders().GetResponse()
	if first == nil || !first.GetClearRouteCache() {
		e.t.Fatalf("first message = %v, want request headers and a new route", first)
	}
	got := upstream{mutation: e.mutation(first.GetHeaderMutation())}
	for {
		piece := e.next().GetRequestBody().GetResponse().GetBodyMutation().GetStreamedResponse()
		got.body += string(piece.GetBody())
		if piece == nil || piece.GetEndOfStream() {
			return got
		}
	}
}

// reply is an error in place of an answer.
type reply struct {
	mutation
	status int
	body   string
	error  struct {
		Code     int            `json:"code"`
		Message  string         `json:"message"`
		Metadata map[string]any `json:"metadata"`
	}
}

// refused takes the immediate response that ends the attempt.
func (e *envoy) refused() reply {
	e.t.Helper()
	message := e.next()
	immediate := message.GetImmediateResponse()
	if immediate == nil {
		e.t.Fatalf("message = %v, want an immediate response", message)
	}
	e.end()
	got := reply{mutation: e.mutation(immediate.GetHeaders()), status: int(immediate.GetStatus().GetCode()), body: string(immediate.GetBody())}
	var shape struct{ Error *json.RawMessage }
	if err := errors.Join(json.Unmarshal(immediate.GetBody(), &shape), json.Unmarshal(*shape.Error, &got.error)); err != nil {
		e.t.Fatalf("error body %s: %v", immediate.GetBody(), err)
	}
	if got.error.Code != got.status {
		e.t.Errorf("error.code %d under status %d", got.error.Code, got.status)
	}
	return got
}

// begins takes the response headers that the client gets.
func (e *envoy) begins() mutation {
	e.t.Helper()
	message := e.next()
	if message.GetResponseHeaders() == nil {
		e.t.Fatalf("message = %v, want response headers", message)
	}
	return e.mutation(message.GetResponseHeaders().GetResponse().GetHeaderMutation())
}

// piece takes a piece of the client's body.
func (e *envoy) piece() (string, bool) {
	e.t.Helper()
	message := e.next()
	piece := message.GetResponseBody().GetResponse().GetBodyMutation().GetStreamedResponse()
	if piece == nil {
		e.t.Fatalf("message = %v, want a piece of the body", message)
	}
	return string(piece.GetBody()), piece.GetEndOfStream()
}

// rest takes the client's body to its end.
func (e *envoy) rest() string {
	e.t.Helper()
	for body := ""; ; {
		piece, end := e.piece()
		if body += piece; end {
			e.end()
			return body
		}
	}
}

func TestAdmissionComesBeforeTheBody(t *testing.T) {
	for _, test := range []struct {
		name    string
		headers []string // instead of what a good client sends
		before  int      // requests of the same key
		status  int
	}{
		{"no key", []string{"authorization", ""}, 0, 401},
		{"unknown key", []string{"authorization", "Bearer sk-other"}, 0, 401},
		{"too many requests", nil, requestsAllowed, 429},
		{"declared too large", []string{"content-length", "1048577"}, 0, 413},
		{"a path that no dialect serves", []string{":path", "/api/v1/nothing"}, 0, 500},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				g := newGateway(t)
				for range test.before {
					before := g.attempt("1")
					synctest.Wait()
					before.hangUp()
				}
				if got := g.attempt("1", test.headers...).refused(); got.status != test.status || got.set[headerFailover] != "" {
					t.Errorf("status %d, failover %q; want %d and none", got.status, got.set[headerFailover], test.status)
				}
				g.wantCount(0, "attempts_total")
				g.wantCount(0, "settled_total")
			})
		})
	}
}

func TestOnlyTheFirstAttemptCountsAgainstTheLimit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGateway(t)
		for i := range requestsAllowed + 1 {
			e, _ := g.askedAs(strconv.Itoa(i), "2", streamOf)
			e.hangUp()
		}
		e, _ := g.asked("1", streamOf)
		e.hangUp()
	})
}

func TestUndeclaredBodyIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := newGateway(t).attempt("1")
		for range 16 {
			e.asks(strings.Repeat(" ", 64<<10), false)
		}
		e.quiet("a body of just the limit came")
		e.asks(" ", false)
		if got := e.refused(); got.status != 413 {
			t.Errorf("status %d, want 413", got.status)
		}
	})
}

func TestProviderGetsNothingOfTheClients(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGateway(t)
		e := g.attempt("1", "cookie", "c=1", "x-api-key", "sk-other", "x-switchyard-cluster", "elsewhere", "accept-encoding", "br", "host", "gateway")
		e.asks(streamOf[:20], false)
		e.asks(streamOf[20:], false)
		e.asks("", true)
		got := e.forwarded()
		for name, want := range map[string]string{
			":method": "POST", ":scheme": "https", ":authority": "a.example", ":path": "/v1/chat/completions",
			"authorization": "Bearer secret-of-a", headerCluster: "provider/a", headerHeadersTimeout: "10000",
		} {
			if got.set[name] != want {
				t.Errorf("%s = %q, want %q", name, got.set[name], want)
			}
		}
		for _, name := range []string{"cookie", "x-api-key", "accept-encoding", "x-switchyard-start", "x-envoy-attempt-count"} {
			if !slices.Contains(got.removed, name) {
				t.Errorf("the client's %s stays", name)
			}
		}
		// Envoy refuses to remove the first two, and needs the others for a while.
		for _, name := range []string{":path", "host", "x-request-id", "x-forwarded-proto"} {
			if slices.Contains(got.removed, name) {
				t.Errorf("%s is removed", name)
			}
		}
		var body struct{ Model string }
		if err := json.Unmarshal([]byte(got.body), &body); err != nil || body.Model != "x-large" {
			t.Errorf("body %s: %v", got.body, err)
		}
		e.hangUp()
	})
}

func TestClientTrailersAreAnswered(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := newGateway(t).attempt("1")
		e.asks(streamOf, false)
		e.say(&extprocv3.ProcessingRequest{Request: &extprocv3.ProcessingRequest_RequestTrailers{RequestTrailers: &extprocv3.HttpTrailers{}}})
		e.next() // headers
		if piece := e.next().GetRequestBody().GetResponse().GetBodyMutation().GetStreamedResponse(); piece == nil || piece.GetEndOfStream() {
			t.Errorf("piece = %v, want the body, and its end left to the trailers", piece)
		}
		if message := e.next(); message.GetRequestTrailers() == nil {
			t.Errorf("message = %v, want trailers", message)
		}
		e.hangUp()
	})
}

func TestFailureMovesOnAndTheLastOneIsTold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGateway(t)
		e, _ := g.asked("1", wholeOf)
		e.replies("503", viaUpstream, "content-type", "application/json")
		e.sends(`{"error":{"message":"a is`, false)
		e.sends(` busy"}}`, true)
		if got := e.refused(); got.set[headerFailover] == "" || got.error.Metadata["previous_errors"] != nil {
			t.Errorf("failover %q, metadata %v", got.set[headerFailover], got.error.Metadata)
		}
		e, got := g.asked("2", wholeOf)
		if got.set[headerCluster] != "provider/b" || got.set[":authority"] != "b.example:8443" || got.set["x-api-key"] != "secret-of-b" || got.set["authorization"] != "" {
			t.Errorf("second attempt goes to %v", got.set)
		}
		if !slices.Contains(got.removed, "authorization") {
			t.Error("the client's key reaches the second provider")
		}
		e.replies("200", "upstream_reset_before_response_started{connection_failure}")
		told := e.refused()
		if told.status != 502 || told.set[headerFailover] != "" {
			t.Errorf("status %d, failover %q; want 502 and none", told.status, told.set[headerFailover])
		}
		if previous, _ := told.error.Metadata["previous_errors"].([]any); len(previous) != 2 || !strings.Contains(told.body, "a is busy") {
			t.Errorf("the client is told %s", told.body)
		}
		g.wantCount(1, "failovers_total", "a", "server_error")
		g.wantCount(1, "attempts_total", "a", "failed_over")
		g.wantCount(1, "attempts_total", "b", "failed")
		g.wantCount(1, "requests_total")
		g.wantCount(0, "settled_total")
		if len(g.requests.byID) != 0 {
			t.Error("the request is not forgotten")
		}
	})
}

func TestProvidersNoToTheRequestIsFinal(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e, _ := newGateway(t).asked("1", wholeOf)
		e.replies("400", viaUpstream)
		e.sends(`{"error":{"message":"no such role"}}`, true)
		if got := e.refused(); got.status != 400 || got.set[headerFailover] != "" || got.error.Message != "no such role" {
			t.Errorf("%d %q, failover %q", got.status, got.error.Message, got.set[headerFailover])
		}
	})
}

func TestHeadersAreHeldUntilTheFirstToken(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGateway(t)
		e, _ := g.asked("1", streamOf)
		e.streams()
		e.sends(role, false)
		time.Sleep(tokenWithin - time.Second)
		e.quiet("no token has come and a candidate is left")
		e.sends(token[:10], false)
		e.quiet("half a token has come")
		e.sends(token[10:], false)
		if got := e.begins(); got.set[":status"] != "200" || got.set["content-type"] != "text/event-stream" || !strings.HasPrefix(got.set["x-generation-id"], "gen-1700000000-") {
			t.Errorf("headers = %v", got.set)
		}
		if piece, end := e.piece(); !strings.Contains(piece, `"hi"`) || end {
			t.Errorf("first piece = %q, %t", piece, end)
		}
		e.sends(stop+counted+done, true)
		if body := e.rest(); !strings.HasSuffix(body, "data: [DONE]\n\n") || !strings.Contains(body, `"cost":`) {
			t.Errorf("the rest is %q", body)
		}
		g.wantCount(1, "requests_total", "m/x", "ok")
		g.wantCount(1, "settled_total", "m/x", "a", "ok")
		g.wantCount(costOf10And4, "cost_usd_total")
	})
}

func TestClientGetsNothingOfTheProviders(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e, _ := newGateway(t).asked("1", wholeOf)
		e.replies("200", viaUpstream, "content-type", "application/json", "content-length", "9", "set-cookie", "c=1", "openai-organization", "acme", "server", "cloud")
		e.sends(wholeAnswer[:30], false)
		e.quiet("half an answer is none")
		e.sends(wholeAnswer[30:], true)
		got := e.begins()
		for _, name := range []string{"set-cookie", "openai-organization", "server"} {
			if !slices.Contains(got.removed, name) {
				t.Errorf("the provider's %s stays", name)
			}
		}
		body := e.rest()
		if want := strconv.Itoa(len(body)); body == "" || got.set["content-length"] != want {
			t.Errorf("content-length %s of %s bytes", got.set["content-length"], want)
		}
	})
}

// What comes of a stream while its headers are held, and moves the request on.
func TestHeldStreamMovesOn(t *testing.T) {
	for _, test := range []struct {
		name   string
		sends  string
		end    bool
		wait   time.Duration
		reason string
	}{
		{"an error in the first event", "data: {\"error\":{\"message\":\"overloaded\",\"code\":503}}\n\n", false, 0, "server_error"},
		{"an empty answer", role + stop + done, true, 0, "bad_answer"},
		{"no event at all", "", true, 0, "bad_answer"},
		{"broken off before the first token", role, true, 0, "bad_answer"},
		{"what nobody can read", "data: {]\n\n", false, 0, "bad_answer"},
		{"no first token in time", role, false, tokenWithin, "timeout"},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				g := newGateway(t)
				began := time.Now()
				e, _ := g.asked("1", streamOf)
				e.streams()
				e.sends(test.sends, test.end)
				if got := e.refused(); got.set[headerFailover] != test.reason {
					t.Errorf("failover %q, want %q", got.set[headerFailover], test.reason)
				}
				if waited := time.Since(began).Truncate(time.Second); waited != test.wait {
					t.Errorf("moved on after %v, want %v", waited, test.wait)
				}
				g.wantCount(1, "failovers_total", "a", test.reason)
				g.wantCount(0, "requests_total")
			})
		})
	}
}

func TestSilentProviderIsLeft(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e, _ := newGateway(t).asked("1", wholeOf)
		if got := e.refused(); got.set[headerFailover] != "timeout" {
			t.Errorf("failover %q", got.set[headerFailover])
		}
	})
}

func TestCompressedAnswerMovesOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e, _ := newGateway(t).asked("1", wholeOf)
		e.replies("200", viaUpstream, "content-encoding", "gzip")
		if got := e.refused(); got.set[headerFailover] != "bad_answer" {
			t.Errorf("failover %q", got.set[headerFailover])
		}
	})
}

// Once the client has a token, a failure is told inside the stream.
func TestCommittedStreamEndsInBand(t *testing.T) {
	for _, test := range []struct {
		name, sends string
		end         bool
		wait        time.Duration
	}{
		{"stalled", "", false, betweenTokens},
		{"comments are no tokens", ": ping\n\n", false, betweenTokens},
		{"broken off", "", true, 0},
		{"an error event", "data: {\"error\":{\"message\":\"gone\",\"code\":500}}\n\n", false, 0},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				g := newGateway(t)
				e, _ := g.asked("1", streamOf)
				e.streams()
				e.sends(token, false)
				e.begins()
				e.piece()
				began := time.Now()
				e.sends(test.sends, test.end)
				if body := e.rest(); !strings.Contains(body, `"finish_reason":"error"`) || !strings.Contains(body, `"error":{`) {
					t.Errorf("the stream ends with %q", body)
				}
				if waited := time.Since(began); waited != test.wait {
					t.Errorf("after %v, want %v", waited, test.wait)
				}
				g.wantCount(1, "requests_total", "m/x", "failed")
				g.wantCount(1, "settled_total", "m/x", "a", "failed")
				g.wantCount(0, "failovers_total")
				if class := g.Health.Summary("m/x|a", time.Now()).Class; class == health.None {
					t.Error("the provider counts as healthy")
				}
			})
		})
	}
}

func TestLastCandidateSendsCommentsWhileItWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e, _ := newGateway(t, onlyA).asked("1", streamOf)
		e.streams()
		time.Sleep(2 * commentEvery)
		e.quiet("Envoy takes no body before it has sent some")
		e.sends(role, false)
		e.begins()
		for range 2 {
			if piece, end := e.piece(); piece != ": PROCESSING\n\n" || end {
				t.Errorf("piece = %q, %t; want a comment", piece, end)
			}
		}
		e.sends(token, false)
		if piece, _ := e.piece(); strings.Index(piece, `"role"`) < 0 || !strings.Contains(piece, `"hi"`) {
			t.Errorf("piece = %q, want what was held and the token", piece)
		}
		time.Sleep(betweenTokens - time.Second)
		e.quiet("tokens have come: comments end")
		e.sends(stop+done, true)
		e.rest()
	})
}

func TestLastCandidatesEmptyAnswerIsShown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGateway(t, onlyA)
		e, _ := g.asked("1", streamOf)
		e.streams()
		e.sends(role+stop+done, true)
		e.begins()
		if body := e.rest(); !strings.Contains(body, `"finish_reason":"stop"`) {
			t.Errorf("body = %q", body)
		}
	})
}

// However a stream ends, its attempt is charged once, and the charge is the same.
func TestSettlesOnce(t *testing.T) {
	for _, test := range []struct {
		name, outcome string
		run           func(*envoy)
	}{
		{"to the last byte", "ok", func(e *envoy) {
			e.sends(stop+counted+done, true)
			e.rest()
		}},
		{"the client hangs up behind [DONE]", "ok", func(e *envoy) {
			e.sends(stop+counted+done, false)
			synctest.Wait()
			e.hangUp()
		}},
		{"the provider never closes its connection", "ok", func(e *envoy) {
			e.sends(stop+counted+done, false)
			e.rest()
		}},
		{"the client hangs up behind the usage", "cancelled", func(e *envoy) {
			e.sends(counted, false)
			synctest.Wait()
			e.hangUp()
		}},
		{"Envoy ends its half", "cancelled", func(e *envoy) {
			e.sends(counted, false)
			close(e.requests)
			e.end()
		}},
		{"broken off behind the usage", "failed", func(e *envoy) {
			e.sends(counted, true)
			e.rest()
		}},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				g := newGateway(t)
				e, _ := g.asked("1", streamOf)
				e.streams()
				e.sends(token, false)
				e.begins()
				e.piece()
				test.run(e)
				synctest.Wait()
				g.wantCount(1, "requests_total", test.outcome)
				g.wantCount(1, "requests_total")
				g.wantCount(1, "settled_total", test.outcome)
				g.wantCount(1, "settled_total")
				g.wantCount(costOf10And4, "cost_usd_total")
				if len(g.requests.byID) != 0 {
					t.Error("the request is not forgotten")
				}
			})
		})
	}
}

func TestHangUpBeforeUsageIsEstimated(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGateway(t)
		e, _ := g.asked("1", streamOf)
		e.streams()
		e.sends(token, false)
		e.begins()
		e.piece()
		e.hangUp()
		// "hello" is taken for two tokens, "hi" for one.
		g.wantCount(2, "tokens_total", "prompt")
		g.wantCount(1, "tokens_total", "completion")
		g.wantCount(0.000012, "cost_usd_total")
		if class := g.Health.Summary("m/x|a", time.Now()).Class; class != health.None {
			t.Errorf("the client's going away is the provider's failure: %v", class)
		}
	})
}

func TestHangUpWhileTheProviderThinksCostsNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGateway(t)
		e, _ := g.asked("1", streamOf)
		e.hangUp()
		g.wantCount(0, "settled_total")
		g.wantCount(1, "attempts_total", "a", "cancelled")
		time.Sleep(rememberFor)
		synctest.Wait()
		if len(g.requests.byID) != 0 {
			t.Error("the request is never forgotten")
		}
	})
}

// A provider that resets its connection ends the attempt without a word.
func TestLostAttemptIsAFailureWhenAnotherFollows(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGateway(t)
		e, _ := g.asked("1", wholeOf)
		e.hangUp()
		if class := g.Health.Summary("m/x|a", time.Now()).Class; class != health.None {
			t.Errorf("it may have been the client: %v", class)
		}
		e, got := g.asked("2", wholeOf)
		if got.set[headerCluster] != "provider/b" {
			t.Errorf("the second attempt goes to %s", got.set[headerCluster])
		}
		if class := g.Health.Summary("m/x|a", time.Now()).Class; class != health.Connect {
			t.Errorf("class %v, want connect", class)
		}
		g.wantCount(1, "failovers_total", "a", "connect")
		e.replies("500", viaUpstream)
		e.sends("", true)
		if got := e.refused(); !strings.Contains(got.body, "was lost before it answered") {
			t.Errorf("the lost attempt is not told of: %s", got.body)
		}
	})
}

func TestResetOfTheLastCandidateIsTold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGateway(t, onlyA)
		e, _ := g.asked("1", wholeOf)
		e.hangUp()
		e = g.attempt("2")
		e.asks(wholeOf, true)
		if got := e.refused(); got.status != 502 || got.set[headerFailover] != "" || !strings.Contains(got.error.Message, "was lost") {
			t.Errorf("%d %q, failover %q", got.status, got.error.Message, got.set[headerFailover])
		}
	})
}

func TestHedgeBeyondThePlanWaits(t *testing.T) {
	t.Run("and gives way to an answer", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			g := newGateway(t, onlyA)
			slow, _ := g.asked("1", wholeOf)
			hedge := g.attempt("2")
			hedge.asks(wholeOf, true)
			time.Sleep(time.Second)
			hedge.quiet("the first attempt is under way")
			slow.replies("200", viaUpstream)
			slow.sends(wholeAnswer, true)
			slow.begins()
			hedge.cancel()
			slow.rest()
			hedge.end()
			g.wantCount(1, "settled_total")
			g.wantCount(1, "attempts_total")
		})
	})
	t.Run("and speaks when all have failed", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			g := newGateway(t, onlyA)
			slow, _ := g.asked("1", wholeOf)
			hedge := g.attempt("2")
			hedge.asks(wholeOf, true)
			hedge.quiet("the first attempt is under way")
			slow.replies("500", viaUpstream)
			slow.sends(`{"error":{"message":"a broke"}}`, true)
			slow.refused()
			if got := hedge.refused(); got.status != 500 || got.set[headerFailover] != "" || !strings.Contains(got.body, "a broke") {
				t.Errorf("%d %s", got.status, got.body)
			}
		})
	})
}

func TestPanicEndsOneAttempt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGateway(t)
		g.Providers = map[string]dialect.Provider{openai.Name: faulty{}}
		e := g.attempt("1")
		e.asks(wholeOf, true)
		if got := e.refused(); got.status != 500 || got.error.Message != "Internal Server Error" {
			t.Errorf("%d %s", got.status, got.body)
		}
		g.wantCount(1, "panics_total")
	})
}

// faulty is a provider dialect with a mistake in it.
type faulty struct{ openai.Provider }

func (faulty) Request(*dialect.Request, dialect.Target) (dialect.Upstream, error) {
	panic("secret-of-a")
}

func TestAnswerOfAnotherDialectIsTranslated(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGateway(t)
		e, got := g.asked("2", streamOf)
		if got.set[":path"] != "/v1/messages" || got.set["anthropic-version"] == "" {
			t.Errorf("headers = %v", got.set)
		}
		e.streams()
		e.sends("event: message_start\ndata: {\"type\":\"message_start\",\"message\":{\"id\":\"msg_1\",\"role\":\"assistant\",\"usage\":{\"input_tokens\":10}}}\n\n", false)
		e.quiet("no token has come")
		e.sends("event: content_block_start\ndata: {\"type\":\"content_block_start\",\"index\":0,\"content_block\":{\"type\":\"text\",\"text\":\"\"}}\n\n"+
			"event: content_block_delta\ndata: {\"type\":\"content_block_delta\",\"index\":0,\"delta\":{\"type\":\"text_delta\",\"text\":\"hi\"}}\n\n"+
			"event: message_delta\ndata: {\"type\":\"message_delta\",\"delta\":{\"stop_reason\":\"end_turn\"},\"usage\":{\"output_tokens\":4}}\n\n"+
			"event: message_stop\ndata: {\"type\":\"message_stop\"}\n\n", true)
		e.begins()
		if body := e.rest(); !strings.Contains(body, `"content":"hi"`) || !strings.HasSuffix(body, "data: [DONE]\n\n") {
			t.Errorf("body = %q", body)
		}
		g.wantCount(costOf10And4, "cost_usd_total", "b")
	})
}
