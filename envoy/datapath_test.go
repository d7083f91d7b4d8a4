package envoy_test

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/switchyard/switchyard/xds"
)

// site makes a cluster of a test server.
func site(name, address string) xds.Cluster {
	at := netip.MustParseAddrPort(address)
	return xds.Cluster{Name: name, Host: at.Addr().String(), Port: uint32(at.Port())}
}

// serve starts a provider in clear text.
func serve(t *testing.T, name string, handler http.HandlerFunc) xds.Cluster {
	t.Helper()
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	return site(name, server.Listener.Addr().String())
}

// refusing is an address at which nothing listens.
func refusing(t *testing.T, name string) xds.Cluster {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	return site(name, listener.Addr().String())
}

func echo(name string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		fmt.Fprintf(w, "%s got %s", name, body)
	}
}

// silent takes the request and never answers.
func silent(_ http.ResponseWriter, r *http.Request) {
	_, _ = io.Copy(io.Discard, r.Body) // only then does the server watch for a hang-up
	<-r.Context().Done()
}

// TestEveryFailureMovesOn walks one request through every way in which an
// attempt can fail without the provider's word, and one with it. Each has to
// reach the processor, tell what it was, and lead to the next candidate.
func TestEveryFailureMovesOn(t *testing.T) {
	t.Parallel()
	attempts := []struct {
		cluster xds.Cluster
		timeout time.Duration
		details string
		status  string
	}{
		{cluster: refusing(t, "refusing"), details: xds.DetailsConnectFailure, status: "503"},
		{cluster: xds.Cluster{Name: "unresolvable", Host: "provider.invalid", Port: 80}, details: xds.DetailsNoHost, status: "503"},
		{cluster: xds.Cluster{Name: ""}, details: xds.DetailsUnknownCluster, status: "503"},
		{cluster: serve(t, "silent", silent), timeout: 150 * time.Millisecond, details: xds.DetailsResponseTimeout, status: "504"},
		{cluster: serve(t, "closing", func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }), details: xds.DetailsClosed, status: "503"},
		{cluster: serve(t, "not_http", func(w http.ResponseWriter, _ *http.Request) {
			connection, _, err := w.(http.Hijacker).Hijack()
			if err == nil {
				_, _ = io.WriteString(connection, "SSH-2.0-OpenSSH\r\n\r\n")
				_ = connection.Close()
			}
		}), details: xds.DetailsNotHTTP, status: "502"},
		{cluster: serve(t, "failing", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(500) }), details: xds.DetailsProvider, status: "500"},
		{cluster: serve(t, "good", echo("good")), details: xds.DetailsProvider, status: "200"},
	}
	var plan script
	for _, attempt := range attempts {
		name := attempt.cluster.Name
		if name == "" {
			name = "unknown"
		}
		plan = append(plan, candidate{cluster: name, timeout: attempt.timeout})
	}
	s := newStage(t, plan, func(in *xds.Inputs) {
		for _, attempt := range attempts {
			if attempt.cluster.Name != "" {
				in.Clusters = append(in.Clusters, attempt.cluster)
			}
		}
	})
	before := time.Now()
	response, body := s.post("hello")
	if response.StatusCode != http.StatusOK || body != "good got hello" {
		t.Fatalf("got %d %s", response.StatusCode, body)
	}
	all := s.processor.all()
	if len(all) != len(attempts) {
		t.Fatalf("%d attempts, want %d", len(all), len(attempts))
	}
	starts := map[string]bool{}
	for i, saw := range all {
		want := attempts[i]
		if saw.attempt != i+1 {
			t.Errorf("attempt %d says it is number %d", i+1, saw.attempt)
		}
		if got := saw.attributes[xds.AttributeCodeDetails]; !strings.HasPrefix(got, want.details) || saw.response[":status"] != want.status {
			t.Errorf("%s: got %s %s, want %s %s", plan[i].cluster, saw.response[":status"], got, want.status, want.details)
		}
		starts[saw.request[xds.HeaderStart]] = true
	}
	if got := all[0].attributes[xds.AttributeTransportFailure]; !strings.Contains(got, "Connection refused") {
		t.Errorf("transport failure %q of a refused connection", got)
	}
	// One start for all attempts, from which the deadline of the request runs.
	if len(starts) != 1 {
		t.Fatalf("%d different starts: %v", len(starts), starts)
	}
	start, err := strconv.ParseFloat(slices.Collect(maps.Keys(starts))[0], 64)
	if off := start - float64(before.UnixMicro())/1e6; err != nil || off < -0.01 || off > 1 {
		t.Errorf("start %v is off by %.3f s: %v", starts, off, err)
	}
}

// known-failures 49.
func TestLastFailureReachesTheClient(t *testing.T) {
	t.Parallel()
	s := newStage(t, script{{cluster: "first"}, {cluster: "second"}}, func(in *xds.Inputs) {
		in.Clusters = []xds.Cluster{
			serve(t, "first", func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "one", 500) }),
			serve(t, "second", func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "two", 529) }),
		}
	})
	if response, body := s.post("hello"); response.StatusCode != 529 || body != "two\n" {
		t.Errorf("got %d %q", response.StatusCode, body)
	}
}

// TestResponseTimeoutLimitsHeadersOnly: a stream may go on for longer.
func TestResponseTimeoutLimitsHeadersOnly(t *testing.T) {
	t.Parallel()
	const limit, apart = 200 * time.Millisecond, 150 * time.Millisecond // four events take longer than the limit
	s := newStage(t, script{{cluster: "slow", timeout: limit}}, func(in *xds.Inputs) {
		in.Clusters = []xds.Cluster{serve(t, "slow", func(w http.ResponseWriter, _ *http.Request) {
			for range 4 {
				fmt.Fprint(w, "event ")
				w.(http.Flusher).Flush()
				time.Sleep(apart)
			}
		})}
	})
	if response, body := s.post("hello"); response.StatusCode != http.StatusOK || body != "event event event event " {
		t.Errorf("got %d %q", response.StatusCode, body)
	}
}

// TestNobodySpeaksInOurHeaders: not a client to the processor, not a provider
// to the router or the client, and not the gateway to either of them. That a provider
// cannot ask for a failover is the processor's doing, which replaces all its headers:
// a request that fails before it has left needs the header to pass here.
func TestNobodySpeaksInOurHeaders(t *testing.T) {
	t.Parallel()
	var received atomic.Value
	s := newStage(t, script{{cluster: "good", host: "api.provider.example"}, {cluster: "other"}}, func(in *xds.Inputs) {
		in.Clusters = []xds.Cluster{serve(t, "good", func(w http.ResponseWriter, r *http.Request) {
			headers := r.Header.Clone()
			headers.Set("Host", r.Host)
			received.Store(headers)
			w.Header().Set("Server", "provider")
			w.Header().Set("Content-Type", "text/plain")
			w.Header().Set("X-Envoy-Ratelimited", "1")
			echo("good")(w, r)
		})}
	})
	response, body := s.post("hello",
		"X-Envoy-Max-Retries", "0", "X-Envoy-Retry-On", "5xx", "X-Envoy-Upstream-Rq-Timeout-Ms", "1",
		"X-Envoy-Attempt-Count", "9", "x-switchyard-cluster", "other", "X-Switchyard-Start", "1",
		"X-Switchyard-Failover", "1", "X-Request-Id", "mine", "X_Switchyard_Cluster", "other",
		"X-Forwarded-For", "203.0.113.9", "X-Forwarded-Host", "spoofed", "User-Agent", "test")
	if response.StatusCode != http.StatusOK || body != "good got hello" {
		t.Fatalf("got %d %s", response.StatusCode, body)
	}
	all := s.processor.all()
	if len(all) != 1 {
		t.Fatalf("%d attempts", len(all))
	}
	saw := all[0].request
	id := saw["x-request-id"]
	if len(id) != 36 {
		t.Errorf("request id %q", id)
	}
	if got := slices.Sorted(maps.Keys(saw)); !cmp.Equal(got, []string{
		":authority", ":method", ":path", ":scheme", "content-length", "user-agent",
		"x-envoy-attempt-count", "x-envoy-external-address", "x-forwarded-for", "x-forwarded-host", "x-forwarded-proto",
		"x-request-id", "x-switchyard-client", "x-switchyard-start",
	}) {
		t.Errorf("the processor sees %v", got)
	}
	if saw[xds.HeaderAttempt] != "1" || saw[xds.HeaderStart] == "1" || saw[xds.HeaderClient] != "127.0.0.1" || !strings.HasPrefix(saw["x-forwarded-for"], "203.0.113.9,") {
		t.Errorf("the processor sees %v", saw)
	}
	if len(all[0].response) != 5 {
		t.Errorf("the processor sees the response headers %v", all[0].response)
	}
	want := http.Header{"Host": {"api.provider.example"}, "User-Agent": {"test"}, "Content-Length": {"5"}}
	if diff := cmp.Diff(want, received.Load()); diff != "" {
		t.Errorf("the provider sees (-want +got):\n%s", diff)
	}
	response.Header.Del("Date")
	want = http.Header{"Server": {"switchyard"}, "Content-Type": {"text/plain"}, "Content-Length": {"14"}, "X-Request-Id": {id}}
	if diff := cmp.Diff(want, response.Header); diff != "" {
		t.Errorf("the client sees (-want +got):\n%s", diff)
	}
}

func TestOnlyPostOfInferencePathsGoesToTheProcessor(t *testing.T) {
	t.Parallel()
	s := newStage(t, script{{cluster: "good"}}, func(in *xds.Inputs) {
		in.Clusters = []xds.Cluster{serve(t, "good", echo("good"))}
	})
	for _, test := range []struct {
		method, path string
		processor    bool
	}{
		{"POST", inferencePath, true},
		{"POST", inferencePath + "?beta=true", true},
		{"POST", "//api/v1/./models/../chat//completions", true},
		{"GET", inferencePath, false},
		{"OPTIONS", inferencePath, false},
		{"POST", inferencePath + "/", false},
		{"POST", strings.ToUpper(inferencePath), false},
		{"POST", strings.Replace(inferencePath, "/chat/", "%2Fchat%2F", 1), false},
		{"GET", "/api/v1/models/author%2Fslug", false},
		{"GET", "/health", false},
	} {
		request, err := http.NewRequest(test.method, s.url+test.path, strings.NewReader("hello"))
		if err != nil {
			t.Fatal(err)
		}
		response, _ := s.do(request)
		if api := response.Header.Get("X-Served-By") == "api"; api == test.processor || response.StatusCode != http.StatusOK {
			t.Errorf("%s %s: status %d, served by the API: %t", test.method, test.path, response.StatusCode, api)
		}
	}
}

// TestDeadAddressIsPassedOver: localhost is ::1 and 127.0.0.1, and the provider
// listens on the second one only, as if the machine had no IPv6.
func TestDeadAddressIsPassedOver(t *testing.T) {
	t.Parallel()
	s := newStage(t, script{{cluster: "good"}}, func(in *xds.Inputs) {
		cluster := serve(t, "good", func(w http.ResponseWriter, _ *http.Request) { w.Header().Set("Connection", "close") })
		cluster.Host = "localhost"
		in.Clusters = []xds.Cluster{cluster}
	})
	for range 20 {
		if response, body := s.post("hello"); response.StatusCode != http.StatusOK {
			t.Fatalf("got %d %s", response.StatusCode, body)
		}
	}
}

// TestLoneReplicaIsNeverEjected: of a site that is spread, failing replicas are
// taken out, but never the last one.
func TestLoneReplicaIsNeverEjected(t *testing.T) {
	t.Parallel()
	var requests atomic.Int64
	s := newStage(t, script{{cluster: "lone"}}, func(in *xds.Inputs) {
		cluster := serve(t, "lone", func(w http.ResponseWriter, _ *http.Request) {
			if requests.Add(1) <= 20 {
				w.WriteHeader(http.StatusInternalServerError)
			}
		})
		cluster.Host, cluster.Spread = "localhost", true
		in.Clusters = []xds.Cluster{cluster}
	})
	for range 20 {
		if response, body := s.post("hello"); response.StatusCode != http.StatusInternalServerError {
			t.Fatalf("got %d %s", response.StatusCode, body)
		}
	}
	if response, body := s.post("hello"); response.StatusCode != http.StatusOK {
		t.Errorf("got %d %s", response.StatusCode, body)
	}
	if s.stat("cluster.lone.outlier_detection.ejections_overflow") == 0 || s.stat("cluster.lone.outlier_detection.ejections_active") != 0 {
		t.Error("the ejection was not considered, or done")
	}
}

// TestHedge races the second candidate against a silent first one.
func TestHedge(t *testing.T) {
	t.Parallel()
	cancelled := make(chan struct{})
	s := newStage(t, script{{cluster: "silent"}, {cluster: "good"}}, func(in *xds.Inputs) {
		in.HedgeAfter = 100 * time.Millisecond
		in.Clusters = []xds.Cluster{
			serve(t, "silent", func(w http.ResponseWriter, r *http.Request) { silent(w, r); close(cancelled) }),
			serve(t, "good", echo("good")),
		}
	})
	began := time.Now()
	response, body := s.post("hello")
	if took := time.Since(began); response.StatusCode != http.StatusOK || body != "good got hello" || took < 90*time.Millisecond { // Envoy rounds to its own clock
		t.Fatalf("got %d %s after %s", response.StatusCode, body, took)
	}
	select {
	case <-cancelled:
	case <-time.After(5 * time.Second):
		t.Error("the loser was not cancelled at its provider")
	}
}

// TestAccessLog wants one line for the request and one for each attempt, whole.
func TestAccessLog(t *testing.T) {
	t.Parallel()
	s := newStage(t, script{{cluster: "first"}, {cluster: "second"}}, func(in *xds.Inputs) {
		in.Clusters = []xds.Cluster{
			serve(t, "first", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(500) }),
			serve(t, "second", echo("second")),
		}
	})
	request, err := http.NewRequest(http.MethodPost, s.url+inferencePath+"?key=secret", strings.NewReader("hello"))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("User-Agent", `quote"and\slash`)
	response, _ := s.do(request)
	eventually(t, "three lines of access log", func() bool { return strings.Count(s.accessLog.String(), "\n") == 3 })
	if strings.Contains(s.accessLog.String(), "secret") {
		t.Errorf("the query was logged: %s", s.accessLog)
	}
	var attempts int
	for line := range strings.Lines(s.accessLog.String()) {
		var entry map[string]any
		if err := json.Unmarshal([]byte(line), &entry); err != nil {
			t.Fatalf("%v: %s", err, line)
		}
		want := map[string]any{"request_id": response.Header.Get("X-Request-Id")}
		switch entry["log"] {
		case "request":
			maps.Copy(want, map[string]any{
				"method": "POST", "path": inferencePath, "protocol": "HTTP/1.1", "status": 200.0, "attempts": 2.0,
				"user_agent": `quote"and\slash`, "client": "127.0.0.1", "bytes_received": 5.0, "bytes_sent": 16.0,
			})
		case "attempt":
			attempts++
			maps.Copy(want, map[string]any{
				"attempt": float64(attempts), "provider": []string{"first", "second"}[attempts-1], "cost": 0.25,
				"cluster": []string{"first", "second"}[attempts-1], "status": []float64{500, 200}[attempts-1],
				"details": xds.DetailsProvider, "model": nil,
			})
		}
		for field, value := range want {
			if got, ok := entry[field]; !ok || got != value {
				t.Errorf("%s: %s is %v, want %v", entry["log"], field, got, value)
			}
		}
	}
	if attempts != 2 {
		t.Errorf("%d lines of attempts", attempts)
	}
}
