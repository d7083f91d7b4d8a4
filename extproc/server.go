// Package extproc is the data path: Envoy's external processor.
//
// Envoy opens one gRPC stream for each attempt at one provider, and the
// processor answers on it. Read the files in the order in which a request meets
// them: server.go (the gRPC loop), attempt.go (the steps of one attempt, and the client's
// request), forward.go (the provider's request), relay.go (the answer). What a failure
// means is in verdict.go, what an attempt comes to in settle.go, Envoy's messages are in
// reply.go.
package extproc

import (
	"context"
	"log/slog"
	"net/http"
	"runtime"
	"time"

	extprocv3 "github.com/envoyproxy/go-control-plane/envoy/service/ext_proc/v3"
	"github.com/prometheus/client_golang/prometheus"
	"google.golang.org/grpc"
	"google.golang.org/grpc/keepalive"

	"github.com/switchyard/switchyard/extproc/dialect"
	"github.com/switchyard/switchyard/extproc/fetch"
	"github.com/switchyard/switchyard/extproc/pdftext"
	"github.com/switchyard/switchyard/extproc/signing"
	"github.com/switchyard/switchyard/policies/byok"
	"github.com/switchyard/switchyard/policies/cache"
	"github.com/switchyard/switchyard/policies/catalog"
	"github.com/switchyard/switchyard/policies/health"
	"github.com/switchyard/switchyard/policies/identity"
	"github.com/switchyard/switchyard/policies/quota"
	"github.com/switchyard/switchyard/policies/routing"
	"github.com/switchyard/switchyard/policies/sticky"
)

// Policy is everything of the configuration that the data path reads. It is
// immutable; an attempt keeps the one it started with.
type Policy struct {
	Catalog *catalog.Catalog
	Keys    *identity.Keyring
	// MaxRequestBytes bounds a request body; larger ones are answered 413.
	MaxRequestBytes int64
	// MaxHeldRequests and MaxHeldAnswers bound the bodies, in bytes, that all requests
	// under way, and all answers that are held until they are whole, take together. Zero
	// is no bound.
	MaxHeldRequests, MaxHeldAnswers int64
	// StopOn are failures that end a request instead of moving it on.
	StopOn map[health.Class]bool
	// HedgeAfter is when the next candidate is raced against one that has not
	// answered; zero is never. Hedging says that some model's is not zero.
	HedgeAfter time.Duration
	Hedging    bool
	// Routes are rules of their own for some models; the first that fits counts.
	Routes []Route
	// Routing is what plans are bounded by.
	Routing routing.Options
	// Gateway holds for every request, KeyConstraints, by the key's hash, for those
	// of a key. Missing ones are none.
	Gateway        *routing.Constraints
	KeyConstraints map[string]*routing.Constraints
	// Guards are the guardrails that hold for keys, by the key's hash, and Guard those that
	// hold for all others; nil is none.
	Guards map[string]*Guard
	Guard  *Guard
	// Signers are those of the providers, by slug, that want more than a key.
	Signers map[string]signing.Signer
	// OwnKeys are customers' own keys of providers, OwnSigners the signers of those that
	// want more than a key, by the key's id.
	OwnKeys    *byok.Set
	OwnSigners map[string]signing.Signer
	// OwnKeyFee is what requests with such a key cost.
	OwnKeyFee byok.Tariff
	// Fetcher gets media for providers that do not; nil if the gateway fetches nothing.
	Fetcher *fetch.Fetcher
	// Limits are those of the gateway, of models and of providers; nil is none. A key has
	// its own.
	Limits *quota.Rules
	// BudgetStatus is the HTTP status of a request whose key's budget is spent: 402, or
	// else 403.
	BudgetStatus int
	// MaxCacheEntry is the largest answer that is kept, in bytes; zero keeps none and gives
	// none.
	MaxCacheEntry int64
	// StickyFor is how long a conversation stays with an endpoint; zero is not at all.
	StickyFor time.Duration
	// KeepAliveComment is sent each KeepAliveInterval while a stream waits for
	// its first token and no other candidate is left (spec row 81).
	KeepAliveComment  string
	KeepAliveInterval time.Duration
}

// Options are the parts that a Server works with; all are needed.
type Options struct {
	// Policy returns the current policy. It is called once for each attempt.
	Policy  func() *Policy
	Clients dialect.Clients
	// Providers are the provider dialects by name.
	Providers map[string]dialect.Provider
	Health    *health.Tracker
	// Ledger is told of every request that a provider is asked. Nil is a gateway
	// that keeps no account.
	Ledger Ledger
	// Limits holds requests to their limits.
	Limits *quota.Limiter
	// Sticky remembers where conversations went.
	Sticky sticky.Store
	// Cache keeps answers for requests that ask for it.
	Cache cache.Store
	// PDF reads files for models that read none.
	PDF *pdftext.Parser
	// Preset finds a preset by its slug, among those that the key may use.
	Preset   func(key *identity.Key, slug string) (dialect.Preset, bool)
	Registry prometheus.Registerer
	Log      *slog.Logger
}

// Server is the external processor. It is safe for concurrent use.
type Server struct {
	extprocv3.UnimplementedExternalProcessorServer
	Options
	requests *requests
	metrics  *metrics

	heldRequests, heldAnswers room
	searches                  *searches
}

// NewServer registers its metrics with options.Registry.
func NewServer(options Options) *Server {
	s := &Server{
		Options: options, requests: newRequests(), metrics: newMetrics(options.Registry),
		searches: newSearches(max(1, runtime.GOMAXPROCS(0)-1)),
	}
	registerHeld(options.Registry, "requests", &s.heldRequests)
	registerHeld(options.Registry, "answers", &s.heldAnswers)
	return s
}

// Flush ends what waits for another attempt at a request. It is for when the gRPC
// server has stopped, and none can come.
func (s *Server) Flush() { s.requests.flush() }

// NewGRPCServer returns a gRPC server that serves s over the socket that Envoy
// connects to. Envoy sends bodies in pieces, but one piece may be as large as
// its buffers; gRPC's default of 4 MiB would break those streams.
func NewGRPCServer(s *Server) *grpc.Server {
	const (
		largestMessage = 16 << 20
		// workers are goroutines that are kept for one stream after another: on a new one
		// the stack grows, and is copied, with each request (a tenth of the processor's
		// time at 32 connections). Streams beyond them have goroutines of their own.
		workers = 64
	)
	server := grpc.NewServer(
		grpc.MaxRecvMsgSize(largestMessage),
		grpc.NumStreamWorkers(workers),
		grpc.InitialWindowSize(1<<20),
		grpc.InitialConnWindowSize(16<<20),
		grpc.MaxConcurrentStreams(1<<20),
		grpc.WriteBufferSize(64<<10),
		grpc.ReadBufferSize(64<<10),
		// Envoy pings a connection without traffic every 30 s; by default gRPC takes
		// more than one ping in 5 minutes for an attack and ends every stream on it.
		grpc.KeepaliveEnforcementPolicy(keepalive.EnforcementPolicy{MinTime: 10 * time.Second, PermitWithoutStream: true}),
	)
	extprocv3.RegisterExternalProcessorServer(server, s)
	return server
}

// Process handles one attempt. A panic ends that attempt alone, with the
// generic error of row 88.
func (s *Server) Process(stream extprocv3.ExternalProcessor_ProcessServer) (err error) {
	a := &attempt{
		Server: s,
		policy: s.Policy(),
		stream: stream,
		began:  time.Now(),
		upload: share{room: &s.heldRequests},
	}
	a.answer.held.room = &s.heldAnswers
	defer a.upload.release()
	defer a.answer.held.release()
	defer a.settle()
	defer s.contain("an attempt", &a.requestID)
	defer func() {
		if cause := recover(); cause != nil {
			s.panicked("an attempt", a.requestID, cause)
			a.outcome.denied, a.outcome.moved = http.StatusInternalServerError, false
			err = errCut // should not even that be sayable
			err = a.answerPanic()
		}
	}()
	return a.run()
}

// contain, deferred, keeps a panic from the rest of the process.
func (s *Server) contain(what string, requestID *string) {
	if cause := recover(); cause != nil {
		s.panicked(what, *requestID, cause)
	}
}

func (s *Server) panicked(what, requestID string, cause any) {
	s.metrics.panics.Inc()
	s.Log.Error("panicked", "in", what, "request_id", requestID, "cause", cause, "stack", stack())
}

// receive reads a stream on a goroutine of its own, so that an attempt can wait
// for a message and for a deadline at once. The channel closes when the stream
// ends for whatever reason: the end of a request, a client that hung up, and a
// reset all look alike. Each message costs two switches of goroutines more than
// [attempt.next] without a deadline, which is why that reads the stream itself.
func receive(ctx context.Context, stream extprocv3.ExternalProcessor_ProcessServer) <-chan *extprocv3.ProcessingRequest {
	messages := make(chan *extprocv3.ProcessingRequest)
	go func() {
		defer close(messages)
		for {
			message, err := stream.Recv()
			if err != nil {
				return
			}
			select {
			case messages <- message:
			case <-ctx.Done():
				return
			}
		}
	}()
	return messages
}
