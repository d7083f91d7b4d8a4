// Package demo is what answers when no provider key is configured: three small
// providers on loopback, so that a newcomer sees the whole gateway work. No
// model is behind them, and every answer says so.
package demo

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"google.golang.org/protobuf/types/known/durationpb"

	"github.com/switchyard/switchyard/policies/config/configpb"
)

// pace is the time between two words of a stream: slow enough to watch.
const pace = 30 * time.Millisecond

// Servers are the running demo providers.
type Servers struct {
	servers   []*http.Server
	serving   sync.WaitGroup
	providers map[string]*configpb.Provider
}

// Start starts the providers on ports that the kernel chooses. They run until
// Close, or until ctx is done.
func Start(ctx context.Context) (*Servers, error) {
	s := &Servers{providers: make(map[string]*configpb.Provider)}
	for _, site := range []struct {
		slug, name string
		dialect    configpb.Dialect
		handler    http.Handler
	}{
		{"demo-unreliable", "Demo Unreliable", configpb.Dialect_DIALECT_OPENAI, everyOtherFails(chatCompletions("Demo Unreliable"))},
		{"demo-parrot", "Demo Parrot", configpb.Dialect_DIALECT_OPENAI, chatCompletions("Demo Parrot")},
		{"demo-sage", "Demo Sage", configpb.Dialect_DIALECT_ANTHROPIC, messages("Demo Sage")},
	} {
		listener, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			s.Close()
			return nil, fmt.Errorf("demo provider %s: %w", site.slug, err)
		}
		server := &http.Server{Handler: site.handler, ReadHeaderTimeout: 10 * time.Second}
		s.servers = append(s.servers, server)
		s.serving.Go(func() {
			if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
				_ = server.Close()
			}
		})
		s.providers[site.slug] = &configpb.Provider{
			Name:     site.name,
			Dialect:  site.dialect,
			BaseUrl:  "http://" + listener.Addr().String() + "/v1",
			Timeouts: &configpb.Timeouts{Connect: durationpb.New(time.Second)},
		}
	}
	context.AfterFunc(ctx, s.Close)
	return s, nil
}

// Close stops the providers at once, and returns when they are gone.
func (s *Servers) Close() {
	for _, server := range s.servers {
		_ = server.Close()
	}
	s.serving.Wait()
}

// Config names the providers and their models. The first model is served by all
// of them, the unreliable one first: every other request fails over.
func (s *Servers) Config() *configpb.Config {
	endpoint := func(provider string) *configpb.Endpoint {
		return &configpb.Endpoint{
			Provider: provider, Model: "demo", MaxCompletionTokens: 4096, ContextLength: 32768,
			Prices: &configpb.Prices{Prompt: "1", Completion: "2"},
		}
	}
	return &configpb.Config{
		Providers: s.providers,
		Models: map[string]*configpb.Model{
			"demo/hello": {
				Name:        "Demo: failover",
				Description: "A demo without a model: an unreliable provider first, then two that answer.",
				Balance:     configpb.Balance_BALANCE_LISTED,
				Endpoints:   []*configpb.Endpoint{endpoint("demo-unreliable"), endpoint("demo-parrot"), endpoint("demo-sage")},
			},
			"demo/parrot": {
				Name:        "Demo: parrot",
				Description: "A demo without a model, over Chat Completions.",
				Endpoints:   []*configpb.Endpoint{endpoint("demo-parrot")},
			},
			"demo/sage": {
				Name:        "Demo: sage",
				Description: "A demo without a model, over Anthropic Messages.",
				Endpoints:   []*configpb.Endpoint{endpoint("demo-sage")},
			},
		},
	}
}

// everyOtherFails answers 503 to the first request, and to every second one
// after it.
func everyOtherFails(handler http.Handler) http.Handler {
	var requests atomic.Int64
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if requests.Add(1)%2 == 1 {
			w.Header().Set("Content-Type", "application/json")
			w.WriteHeader(http.StatusServiceUnavailable)
			_, _ = w.Write([]byte(`{"error":{"message":"This demo provider fails every other request.","type":"server_error"}}`))
			return
		}
		handler.ServeHTTP(w, r)
	})
}
