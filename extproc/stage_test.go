package extproc

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"slices"
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
		Clients:   dialect.Clients{path: openai.Client{}},
		Providers: map[string]dialect.Provider{openai.Name: openai.Provider{}, anthropic.Name: anthropic.Provider{}},
		Health:    health.New(health.Options{}),
		Limits:    quota.New(quota.Options{}),
		Sticky:    sticky.NewMemory(),
		PDF:       pdfs,
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

// waiting is how many messages the stream holds that the processor has not received
// yet; gRPC's windows hold more.
const waiting = 64

// attempt opens the stream of an attempt at the request "id". Of repeated headers
// the first counts, so that those given take the place of the usual ones.
func (g *gateway) attempt(number string, instead ...string) *envoy {
	e := &envoy{
		t: g.t, requests: make(chan *extprocv3.ProcessingRequest, waiting), ended: make(chan error, 1),
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

// elapse lets time pass, and what is due then be done: a timer has a goroutine of its own.
func elapse(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
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
