package envoy_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/switchyard/switchyard/envoy"
	"github.com/switchyard/switchyard/xds"
)

// TestEveryErrorOfEnvoyIsTheAPIsJSON speaks raw HTTP/1.1, since no client library
// would send most of this.
func TestEveryErrorOfEnvoyIsTheAPIsJSON(t *testing.T) {
	t.Parallel()
	s := newStage(t, script{{cluster: "good"}}, func(in *xds.Inputs) {
		in.MaxRequestBytes = 1 << 20
		in.Clusters = []xds.Cluster{serve(t, "good", echo("good"))}
	})
	for name, test := range map[string]struct {
		request string
		status  int
	}{
		"no HTTP at all":          {"nonsense\r\n\r\n", 400},
		"wrong version":           {"GET / HTTP/7.0\r\n\r\n", 426},
		"HTTP/1.0":                {"GET / HTTP/1.0\r\n\r\n", 426},
		"no host":                 {"GET / HTTP/1.1\r\n\r\n", 400},
		"bad header name":         {"GET / HTTP/1.1\r\nHost: x\r\nbad header: 1\r\n\r\n", 400},
		"two lengths":             {"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n", 400},
		"length and chunked":      {"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n", 400},
		"headers too large":       {"GET / HTTP/1.1\r\nHost: x\r\nX-Long: " + strings.Repeat("x", 100<<10) + "\r\n\r\n", 431},
		"too many headers":        {"GET / HTTP/1.1\r\nHost: x\r\n" + strings.Repeat("X-Y: 1\r\n", 150) + "\r\n", 431},
		"upgrade":                 {"GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n", 403},
		"CONNECT":                 {"CONNECT x:443 HTTP/1.1\r\nHost: x:443\r\n\r\n", 404},
		"declared body too large": {"POST " + inferencePath + " HTTP/1.1\r\nHost: x\r\nContent-Length: 1048577\r\n\r\n", 413},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			status, body := exchange(t, s, test.request)
			if status != test.status {
				t.Errorf("status %d, want %d", status, test.status)
			}
			checkErrorBody(t, status, body)
		})
	}
}

func TestLargestBodyIsServed(t *testing.T) {
	t.Parallel()
	s := newStage(t, script{{cluster: "good"}}, func(in *xds.Inputs) {
		in.MaxRequestBytes = 1 << 20
		in.Clusters = []xds.Cluster{serve(t, "good", func(w http.ResponseWriter, r *http.Request) {
			_, _ = io.Copy(w, r.Body)
		})}
	})
	sent := strings.Repeat("x", 1<<20)
	if response, body := s.post(sent); response.StatusCode != http.StatusOK || body != sent {
		t.Errorf("status %d with %d bytes", response.StatusCode, len(body))
	}
}

func TestRequestThatNeverComesIsAnswered408(t *testing.T) {
	t.Parallel()
	s := newStage(t, script{{cluster: "good"}}, func(in *xds.Inputs) {
		in.RequestTimeout = 300 * time.Millisecond
		in.Clusters = []xds.Cluster{serve(t, "good", echo("good"))}
	})
	t.Run("body", func(t *testing.T) {
		t.Parallel()
		status, body := exchange(t, s, "POST "+inferencePath+" HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nhalf")
		if status != http.StatusRequestTimeout {
			t.Errorf("status %d, want 408", status)
		}
		checkErrorBody(t, status, body)
	})
	t.Run("headers", func(t *testing.T) {
		t.Parallel()
		status, body := exchange(t, s, "GET / HTTP/1.1\r\nHost: x\r\nX-Slow")
		if status != http.StatusRequestTimeout {
			t.Errorf("status %d, want 408", status)
		}
		checkErrorBody(t, status, body)
	})
}

func TestSilenceIsAnswered504(t *testing.T) {
	t.Parallel()
	for name, limit := range map[string]func(*xds.Inputs){
		"idle":           func(in *xds.Inputs) { in.StreamIdleTimeout = 200 * time.Millisecond },
		"over its limit": func(in *xds.Inputs) { in.MaxStreamDuration = 200 * time.Millisecond },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newStage(t, script{{cluster: "silent"}}, func(in *xds.Inputs) {
				in.Clusters = []xds.Cluster{serve(t, "silent", silent)}
				limit(in)
			})
			response, body := s.post("hello")
			if response.StatusCode != http.StatusGatewayTimeout {
				t.Errorf("status %d, want 504", response.StatusCode)
			}
			checkErrorBody(t, response.StatusCode, []byte(body))
		})
	}
}

// TestErrorsOverHTTP2: the same shape. Only headers over the limits cannot be
// answered there; Envoy's codec resets the stream (INTERNAL_ERROR).
func TestErrorsOverHTTP2(t *testing.T) {
	t.Parallel()
	s := newStage(t, script{{cluster: "good"}}, func(in *xds.Inputs) {
		in.MaxRequestBytes = 1 << 20
		in.Clusters = []xds.Cluster{serve(t, "good", echo("good"))}
	})
	s.client.Transport = &http.Transport{Protocols: onlyHTTP2()}
	if response, body := s.post("hello"); response.Proto != "HTTP/2.0" || body != "good got hello" {
		t.Fatalf("got %s %d %s", response.Proto, response.StatusCode, body)
	}
	response, body := s.post(strings.Repeat("x", 1<<20+1))
	if response.StatusCode != http.StatusRequestEntityTooLarge {
		t.Errorf("status %d, want 413", response.StatusCode)
	}
	checkErrorBody(t, response.StatusCode, []byte(body))
	s.stopGRPC()
	response, body = s.post("hello")
	if response.StatusCode != http.StatusServiceUnavailable {
		t.Errorf("status %d, want 503", response.StatusCode)
	}
	checkErrorBody(t, response.StatusCode, []byte(body))
}

func onlyHTTP2() *http.Protocols {
	protocols := new(http.Protocols)
	protocols.SetUnencryptedHTTP2(true)
	return protocols
}

func TestProcessorDownIsAnswered503(t *testing.T) {
	t.Parallel()
	s := newStage(t, script{{cluster: "good"}}, func(in *xds.Inputs) {
		in.Clusters = []xds.Cluster{serve(t, "good", echo("good"))}
	})
	s.stopGRPC()
	response, body := s.post("hello")
	if response.StatusCode != http.StatusServiceUnavailable {
		t.Errorf("status %d, want 503", response.StatusCode)
	}
	checkErrorBody(t, response.StatusCode, []byte(body))
}

func TestFullHeapIsAnswered503(t *testing.T) {
	t.Parallel()
	s := newStageWith(t, script{{cluster: "good"}}, func(in *xds.Inputs) {
		in.Clusters = []xds.Cluster{serve(t, "good", echo("good"))}
	}, func(options *envoy.Options) { options.HeapLimit = 1 << 20 })
	eventually(t, "requests are turned away", func() bool {
		response, body := s.post("hello")
		if response.StatusCode == http.StatusOK {
			return false // Envoy has not looked at its heap yet
		}
		if response.StatusCode != http.StatusServiceUnavailable {
			t.Errorf("status %d, want 503", response.StatusCode)
		}
		checkErrorBody(t, response.StatusCode, []byte(body))
		return true
	})
}

func TestProcessorsOwnAnswerIsLeftAlone(t *testing.T) {
	t.Parallel()
	for _, status := range []int{400, 401, 429, 502, 503, 504} {
		s := newStage(t, script{{answer: status}}, nil)
		response, body := s.post("hello")
		if response.StatusCode != status || body != `{"said":"by the processor"}` {
			t.Errorf("got %d %s", response.StatusCode, body)
		}
	}
}

func TestProcessorWithoutDecisionIsAnswered500(t *testing.T) {
	t.Parallel()
	s := newStage(t, script{{cluster: ""}}, nil)
	response, body := s.post("hello")
	if response.StatusCode < 500 {
		t.Errorf("status %d, want 5xx", response.StatusCode)
	}
	checkErrorBody(t, response.StatusCode, []byte(body))
}

// exchange sends bytes and reads one response.
func exchange(t *testing.T, s *stage, request string) (status int, body []byte) {
	t.Helper()
	connection, err := net.Dial("tcp", strings.TrimPrefix(s.url, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer connection.Close()
	if err := connection.SetDeadline(time.Now().Add(20 * time.Second)); err != nil {
		t.Fatal(err)
	}
	// The answer may come, and the connection go, before all is written.
	go func() { _, _ = io.WriteString(connection, request) }()
	response, err := http.ReadResponse(bufio.NewReader(connection), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	body, err = io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	if got := response.Header.Get("Content-Type"); got != "application/json" {
		t.Errorf("content type %q", got)
	}
	return response.StatusCode, body
}

// checkErrorBody wants the API's error object and nothing else in it.
func checkErrorBody(t *testing.T, status int, body []byte) {
	t.Helper()
	var reply struct {
		Error struct {
			Code    int    `json:"code"`
			Message string `json:"message"`
		} `json:"error"`
	}
	decoder := json.NewDecoder(bytes.NewReader(body))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&reply); err != nil {
		t.Fatalf("%v: %s", err, body)
	}
	if reply.Error.Code != status || reply.Error.Message == "" {
		t.Errorf("body %s does not say %d", body, status)
	}
	for _, internal := range []string{"upstream", "cluster", "envoy", "127.0.0.1", "ext_proc", "gRPC"} {
		if strings.Contains(strings.ToLower(string(body)), strings.ToLower(internal)) {
			t.Errorf("body %s mentions %q", body, internal)
		}
	}
}
