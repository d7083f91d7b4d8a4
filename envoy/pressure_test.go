package envoy_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/switchyard/switchyard/envoy"
	"github.com/switchyard/switchyard/xds"
)

// serveHTTP2 starts a provider that speaks HTTP/2 in clear text, so that all
// attempts share connections.
func serveHTTP2(t *testing.T, name string, handler http.HandlerFunc) xds.Cluster {
	t.Helper()
	server := httptest.NewUnstartedServer(handler)
	server.Config.ErrorLog = quiet()
	server.Config.Protocols = onlyHTTP2()
	server.Start()
	t.Cleanup(server.Close)
	cluster := site(name, server.Listener.Addr().String())
	cluster.Protocol = xds.ProtocolHTTP2
	return cluster
}

// TestLargeBodiesAreReplayed sends 20 MB to two providers, of which the second
// sends them back.
func TestLargeBodiesAreReplayed(t *testing.T) {
	t.Parallel()
	sent := bytes.Repeat([]byte("0123456789abcdef"), 20<<20/16)
	want := sha256.Sum256(sent)
	s := newStage(t, script{{cluster: "first"}, {cluster: "second"}}, func(in *xds.Inputs) {
		in.Clusters = []xds.Cluster{
			serve(t, "first", func(w http.ResponseWriter, r *http.Request) {
				_, _ = io.Copy(io.Discard, r.Body)
				w.WriteHeader(http.StatusServiceUnavailable)
			}),
			serve(t, "second", func(w http.ResponseWriter, r *http.Request) {
				body, _ := io.ReadAll(r.Body)
				if r.ContentLength != int64(len(sent)) || sha256.Sum256(body) != want {
					w.WriteHeader(http.StatusBadRequest)
				}
				_, _ = w.Write(body)
			}),
		}
	})
	response, body := s.post(string(sent))
	if response.StatusCode != http.StatusOK || sha256.Sum256([]byte(body)) != want {
		t.Errorf("got %d and %d bytes", response.StatusCode, len(body))
	}
}

// flood writes until it is stopped, and counts.
func flood(written *atomic.Int64) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("X-Quick") != "" {
			fmt.Fprint(w, "quick")
			return
		}
		chunk := bytes.Repeat([]byte("x"), 32<<10)
		for {
			n, err := w.Write(chunk)
			written.Add(int64(n))
			if err != nil {
				return
			}
		}
	}
}

// TestSlowReaders opens streams whose clients stop reading. What is under way
// has to stay bounded, and others have to be served as if nothing was, also
// where they share connections (known-failures 30).
func TestSlowReaders(t *testing.T) {
	t.Parallel()
	// One worker, and one stream less than a connection to a provider carries:
	// over HTTP/2 all of them, and the other client's, share that connection.
	const readers = 99
	for name, start := range map[string]func(*testing.T, string, http.HandlerFunc) xds.Cluster{
		"HTTP/1.1": serve, "HTTP/2": serveHTTP2,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var written atomic.Int64
			s := newStageWith(t, script{{cluster: "flooding"}}, func(in *xds.Inputs) {
				in.Clusters = []xds.Cluster{start(t, "flooding", flood(&written))}
			}, func(options *envoy.Options) { options.Concurrency = 1 })
			ctx, hangUp := context.WithCancel(context.Background())
			defer hangUp()
			for range readers {
				request, err := http.NewRequestWithContext(ctx, http.MethodPost, s.url+inferencePath, strings.NewReader("hello"))
				if err != nil {
					t.Fatal(err)
				}
				response, err := s.client.Do(request)
				if err != nil {
					t.Fatal(err)
				}
				defer response.Body.Close()
			}
			eventually(t, "the flood stands still", func() bool {
				const pause = 500 * time.Millisecond // longer than any other on a busy machine
				before := written.Load()
				time.Sleep(pause)
				return written.Load() == before
			})
			// The kernel's socket buffers hold some megabytes of each; Envoy must not.
			each := s.stat("server.memory_allocated") / readers
			t.Logf("for each of %d readers: %d KiB sent, %d KiB of memory in Envoy", readers, written.Load()/readers>>10, each>>10)
			if each > 6<<20 {
				t.Errorf("%d bytes of memory in Envoy for each reader that has stopped", each)
			}
			s.client = &http.Client{Timeout: 20 * time.Second}
			began := time.Now()
			response, body := s.post("hello", "X-Quick", "1")
			if took := time.Since(began); response.StatusCode != http.StatusOK || body != "quick" || took > 2*time.Second {
				t.Errorf("another client got %d %q after %s", response.StatusCode, body, took)
			}
		})
	}
}

// TestHangUpsLeaveOthersAlone has many clients give up at once, before they got
// a byte. Envoy's guard against rapid resets, meant for one client's
// connection, must not hit a connection that clients share.
func TestHangUpsLeaveOthersAlone(t *testing.T) {
	t.Parallel()
	finish := make(chan struct{})
	s := newStage(t, script{{cluster: "provider"}}, func(in *xds.Inputs) {
		in.Clusters = []xds.Cluster{serve(t, "provider", func(w http.ResponseWriter, r *http.Request) {
			if r.Header.Get("X-Stay") == "" {
				silent(w, r)
				return
			}
			fmt.Fprint(w, "begin ")
			w.(http.Flusher).Flush()
			<-finish
			fmt.Fprint(w, "end")
		})}
	})
	// As many as there are workers at least, and then some: connections are
	// spread over them at random.
	const streams = 8
	var staying []*http.Response
	for range streams {
		request, err := http.NewRequest(http.MethodPost, s.url+inferencePath, strings.NewReader("hello"))
		if err != nil {
			t.Fatal(err)
		}
		request.Header.Set("X-Stay", "1")
		response, err := s.client.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		defer response.Body.Close()
		staying = append(staying, response)
	}
	var group sync.WaitGroup
	for range 40 {
		group.Go(func() {
			for range 40 {
				ctx, cancel := context.WithTimeout(context.Background(), 20*time.Millisecond)
				request, err := http.NewRequestWithContext(ctx, http.MethodPost, s.url+inferencePath, strings.NewReader("hello"))
				if err != nil {
					t.Error(err)
				}
				if response, err := s.client.Do(request); err == nil {
					_ = response.Body.Close()
				}
				cancel()
			}
		})
	}
	group.Wait()
	close(finish)
	for i, response := range staying {
		if body, err := io.ReadAll(response.Body); err != nil || string(body) != "begin end" {
			t.Errorf("stream %d: %q, %v", i, body, err)
		}
	}
}
