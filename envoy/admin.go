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

// drain stops new connections and asks clients of open ones to go elsewhere.
func (a *admin) drain(ctx context.Context) error {
	return a.call(ctx, http.MethodPost, "/drain_listeners?graceful&skip_exit", nil)
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
	return newAdmin(s.Sockets.Admin).call(ctx, http.MethodGet, "/ready", nil)
}
