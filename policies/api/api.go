// Package api answers everything over HTTP that is not inference: the catalog,
// the caller's own key, presets, health and metrics. It is plain net/http; Envoy stands
// before it.
package api

import (
	"cmp"
	"context"
	"log/slog"
	"net/http"
	"strings"
	"sync/atomic"
	"time"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/switchyard/switchyard/policies/catalog"
	"github.com/switchyard/switchyard/policies/identity"
	"github.com/switchyard/switchyard/policies/preset"
)

const (
	// maxBody is more than any request to the API needs.
	maxBody = 1 << 20
	// maxTime is more than any answer of the API takes.
	maxTime = 10 * time.Second
)

// Options are what the API shows. The functions are called for each request,
// concurrently, so that a reload needs no lock here.
type Options struct {
	// Catalog returns the current catalog.
	Catalog func() *catalog.Catalog
	// Keys returns the current keys. Nil is a gateway without keys.
	Keys func() *identity.Keyring
	// Checks returns the state of the gateway's parts.
	Checks func() []Check
	// Gatherer is where /metrics comes from.
	Gatherer prometheus.Gatherer
	// Ledger is the gateway's account of its requests. Nil is a gateway that keeps
	// none: what it would tell is 404, or left out.
	Ledger Ledger
	// KeyLimits tells what bounds a key at a time. It may be nil: then its own limit on
	// requests is all that is told.
	KeyLimits func(ctx context.Context, key *identity.Key, now time.Time) (KeyLimits, error)
	// Identity is the keys that are managed over the API; it needs a Ledger. Nil is a
	// gateway without: their paths are 404.
	Identity *Identity
	// FreeDaily tells how many requests to free models a key may make in the day that now
	// is in, and how many it has made; a limit of 0 is none. It may be nil.
	FreeDaily func(ctx context.Context, key *identity.Key, now time.Time) (limit, used int64, err error)
	// Presets are the presets of requests. Nil is a gateway without: their paths are
	// 404.
	Presets *preset.Store
	// CheckPreset says what is wrong with a preset that was made of a request to an API,
	// such as "chat/completions". The error is fit to be shown to the client. Nil is
	// nothing with any.
	CheckPreset func(api string, config jsontext.Value, systemPrompt string) error
	// Logger tells of what a client need not know. Default: slog.Default().
	Logger *slog.Logger
	// InferencePaths are served by the processor, for POST; any other method on
	// them comes here and is refused. What is below a path that ends in a slash
	// comes here too.
	InferencePaths []string
	// Routers are the ids of the pseudo models, such as "openrouter/auto".
	Routers []string
	// Eligible reports whether the policies of the gateway and of the key let the key
	// use an endpoint. Nil is always.
	Eligible func(key *identity.Key, endpoint *catalog.Endpoint) bool
	// CountTokens estimates the tokens of a request of the Messages API. The error is
	// what is wrong with it, fit to be shown to the client. Nil is a gateway that does
	// not count.
	CountTokens func(body []byte) (int64, error)
	// ErrorBody writes an error as the clients of an inference path read it. Nil is
	// OpenRouter's shape for all of them.
	ErrorBody func(path string, status int, message string) []byte
	// Statistics returns what is known of an endpoint. Nil is nothing of any.
	Statistics func(endpointID string) Statistics
}

// server holds the handlers.
type server struct {
	Options
	made atomic.Pointer[listing]
}

// postOnly refuses what the processor does not serve (RFC 9110 section 15.5.6).
func (s *server) postOnly(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Allow", http.MethodPost)
	s.refuseAt(w, r, http.StatusMethodNotAllowed, "invalid_request", "Inference is served for POST alone.")
}

// refuseAt refuses in the words of the API that a path is of: that of the inference path
// which it is, or is below.
func (s *server) refuseAt(w http.ResponseWriter, r *http.Request, status int, errorType, message string) {
	for _, path := range s.InferencePaths {
		below, ours := strings.CutPrefix(r.URL.Path, strings.TrimSuffix(path, "/"))
		// What is below models and has no method is the catalog's.
		if !ours || below != "" && below[0] != '/' || strings.HasSuffix(path, "/") && !strings.Contains(below, ":") || s.ErrorBody == nil {
			continue
		}
		replyText(w, status, "application/json", s.ErrorBody(path, status, message))
		return
	}
	refuse(w, status, errorType, message)
}

// New returns the handler of the whole API. Paths under /api/v1 are served under
// /v1 as well, for clients that take the host for their base URL.
func New(options Options) http.Handler {
	if options.Keys == nil {
		none, _ := identity.NewKeyring(nil) // fails only on faulty keys
		options.Keys = func() *identity.Keyring { return none }
	}
	options.Logger = cmp.Or(options.Logger, slog.Default())
	if options.Eligible == nil {
		options.Eligible = func(*identity.Key, *catalog.Endpoint) bool { return true }
	}
	if options.Statistics == nil {
		options.Statistics = func(string) Statistics { return Statistics{} }
	}
	s := &server{Options: options}
	mux := http.NewServeMux()
	for _, base := range []string{"/api/v1", "/v1"} {
		mux.HandleFunc("GET "+base+"/models", forClient(googleKey, s.googleModels, forClient(anthropicVersion, s.anthropicModels, s.models)))
		mux.HandleFunc("GET "+base+"/models/count", s.modelCount)
		mux.HandleFunc("GET "+base+"/models/user", s.userModels)
		mux.HandleFunc("GET "+base+"/models/{id...}", s.modelDetails)
		mux.HandleFunc("GET "+base+"/model/{id...}", s.model)
		mux.HandleFunc("GET "+base+"/embeddings/models", s.modelsMaking("embeddings"))
		mux.HandleFunc("GET "+base+"/images/models", s.imageModels)
		mux.HandleFunc("GET "+base+"/videos/models", s.videoModels)
		mux.HandleFunc("GET "+base+"/endpoints/zdr", s.noRetention)
		mux.HandleFunc("GET "+base+"/providers", s.providers)
		mux.HandleFunc("GET "+base+"/parameters/{id...}", s.parameters)
		mux.HandleFunc("GET "+base+"/key", s.key)
		mux.HandleFunc("GET "+base+"/auth/key", s.key)
		if options.Ledger != nil {
			mux.HandleFunc("GET "+base+"/generation", s.generation)
			mux.HandleFunc("GET "+base+"/generation/content", s.content)
		}
		if options.Identity != nil {
			s.routeKeys(mux, base)
			s.routeUsage(mux, base)
			s.routeCredits(mux, base)
			s.routeBudgets(mux, base)
			s.routeWorkspaces(mux, base)
			s.routeMembers(mux, base)
			s.routeCodes(mux, base)
			s.routeGuardrails(mux, base)
			s.routeOwnKeys(mux, base)
		}
		if options.CountTokens != nil {
			mux.HandleFunc("POST "+base+countTokensPath, s.countTokens)
		}
		if options.Presets != nil {
			s.routePresets(mux, base)
		}
	}
	for _, base := range []string{"/api/v1beta", "/v1beta"} {
		mux.HandleFunc("GET "+base+"/models", s.googleModels)
		mux.HandleFunc("GET "+base+"/models/{id...}", s.googleModel)
	}
	for _, path := range options.InferencePaths {
		if !strings.HasSuffix(path, "/") {
			mux.HandleFunc(path, s.postOnly)
		}
	}
	mux.HandleFunc("GET /health", s.health)
	mux.HandleFunc("GET /health/ready", s.health)
	mux.HandleFunc("GET /health/live", live)
	mux.Handle("GET /metrics", promhttp.HandlerFor(options.Gatherer, promhttp.HandlerOpts{}))
	return maskPanics(s.crossOrigin(bound(maxTime, s.inJSON(mux))))
}
