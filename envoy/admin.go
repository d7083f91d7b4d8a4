package envoy

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"time"
)

// admin talks to Envoy's admin interface over its Unix socket.
type admin struct{ client http.Client }

func newAdmin(socket string) *admin {
	dialer := net.Dialer{}
	return &admin{client: http.Client{Transport: &http.Transport{
		DisableKeepAlives: true,
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return dialer.DialContext(ctx, "unix", socket)
		},
	}}}
}

func (a *admin) call(ctx context.Context, method, path string, into any) error {
	request, err := http.NewRequestWithContext(ctx, method, "http://envoy"+path, nil)
	if err != nil {
		return err
	}
	response, err := a.client.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("envoy: %s %s: %s", method, path, response.Status)
	}
	if into == nil {
		return nil
	}
	return json.NewDecoder(response.Body).Decode(into)
}

// drain closes the ingress listener and asks the clients of open connections to
// go elsewhere: HTTP/1.1 responses say "connection: close" from now on, HTTP/2
// connections get a GOAWAY. The internal listener stays, for the failovers of
// requests in flight. (Envoy's own graceful drain goes on accepting clients for
// all of --drain-time-s.)
func (a *admin) drain(ctx context.Context) error {
	if err := a.call(ctx, http.MethodPost, "/healthcheck/fail", nil); err != nil {
		return err
	}
	return a.call(ctx, http.MethodPost, "/drain_listeners?inboundonly", nil)
}

// waitIdle waits until no client stream is left, Envoy is dead, or ctx is done.
// It returns how many streams were left.
func (a *admin) waitIdle(ctx context.Context, dead <-chan struct{}) int {
	// Envoy tells of no event here; a stream that ended is noticed a little late.
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	left := 0
	for {
		var stats struct {
			Stats []struct {
				Name  string `json:"name"`
				Value int    `json:"value"`
			} `json:"stats"`
		}
		if err := a.call(ctx, http.MethodGet, `/stats?format=json&filter=^http\.ingress\.downstream_rq_active$`, &stats); err != nil {
			return left
		}
		left = 0
		for _, stat := range stats.Stats {
			left += stat.Value
		}
		if left == 0 {
			return 0
		}
		select {
		case <-tick.C:
		case <-dead:
			return 0
		case <-ctx.Done():
			return left
		}
	}
}

// Ready reports whether Envoy has its listeners up (its own /ready).
func (s *Supervisor) Ready(ctx context.Context) error {
	return newAdmin(s.Sockets.Admin).ready(ctx)
}

func (a *admin) ready(ctx context.Context) error {
	return a.call(ctx, http.MethodGet, "/ready", nil)
}
