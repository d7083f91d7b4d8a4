package extproc

import (
	"encoding/json"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"

	extprocv3 "github.com/envoyproxy/go-control-plane/envoy/service/ext_proc/v3"
)

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
				for i := range test.before {
					before, _ := g.askedAs(strconv.Itoa(i), "1", streamOf)
					before.hangUp()
				}
				if test.before > 0 { // a refusal is remembered
					e := g.attempt("1")
					e.asks(streamOf, true)
					e.refused()
				}
				if got := g.attempt("1", test.headers...).refused(); got.status != test.status || got.set[headerFailover] != "" {
					t.Errorf("status %d, failover %q; want %d and none", got.status, got.set[headerFailover], test.status)
				}
				g.wantCount(float64(test.before), "attempts_total")
				g.wantCount(float64(test.before), "settled_total", "cancelled")
				g.wantCount(float64(test.before), "settled_total")
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
