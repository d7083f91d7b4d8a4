package envoy_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/switchyard/switchyard/xds"
)

// TestReloadCutsNoStream changes everything that a reload can change while a
// stream is open, down to the removal of the cluster it comes from.
func TestReloadCutsNoStream(t *testing.T) {
	t.Parallel()
	next := make(chan struct{})
	s := newStage(t, script{{cluster: "streaming"}}, func(in *xds.Inputs) {
		in.Clusters = []xds.Cluster{serve(t, "streaming", func(w http.ResponseWriter, _ *http.Request) {
			for i := 0; ; i++ {
				fmt.Fprintf(w, "event %d\n", i)
				w.(http.Flusher).Flush()
				if _, more := <-next; !more {
					return
				}
			}
		})}
	})
	response, err := s.client.Post(s.url+inferencePath, "application/json", strings.NewReader("hello"))
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	events := bufio.NewScanner(response.Body)
	count := 0
	expectEvent := func(after string) {
		t.Helper()
		if !events.Scan() || events.Text() != fmt.Sprintf("event %d", count) {
			t.Fatalf("%s: got %q, %v", after, events.Text(), events.Err())
		}
		count++
	}
	expectEvent("start")

	streaming, other := s.inputs.Clusters[0], serve(t, "other", echo("other"))
	for _, step := range []struct {
		name   string
		change func()
	}{
		{"a provider more", func() { s.inputs.Clusters = []xds.Cluster{streaming, other} }},
		{"its own cluster changed", func() { s.inputs.Clusters[0].ConnectTimeout = time.Second }},
		{"hedging on", func() { s.inputs.HedgeAfter = time.Minute }},
		{"its own cluster gone", func() { s.inputs.Clusters = []xds.Cluster{other} }},
	} {
		step.change()
		s.update()
		next <- struct{}{}
		expectEvent(step.name)
	}
	if modified := s.stat("listener_manager.listener_modified"); modified != 0 {
		t.Errorf("%d listeners were modified, and drained", modified)
	}

	s.inputs.RequestTimeout = time.Hour // in the listener itself
	s.update()
	next <- struct{}{}
	expectEvent("the listener changed")
	close(next)
	if events.Scan() || events.Err() != nil {
		t.Errorf("the end: %q, %v", events.Text(), events.Err())
	}
}

func TestNewProviderServesOnceAcknowledged(t *testing.T) {
	t.Parallel()
	s := newStage(t, script{{cluster: "new"}}, nil)
	s.inputs.Clusters = []xds.Cluster{serve(t, "new", echo("new"))}
	s.update()
	if response, body := s.post("hello"); response.StatusCode != http.StatusOK || body != "new got hello" {
		t.Errorf("got %d %s", response.StatusCode, body)
	}
}

// TestWhatEnvoyRefusesChangesNothing offers what only Envoy can know to be bad.
func TestWhatEnvoyRefusesChangesNothing(t *testing.T) {
	t.Parallel()
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	s := newStage(t, script{{cluster: "good"}}, func(in *xds.Inputs) {
		in.Clusters = []xds.Cluster{serve(t, "good", echo("good"))}
	})
	good := s.inputs
	for name, test := range map[string]struct {
		change func(*xds.Inputs)
		typ    string
		reason string
	}{
		"a port that is taken": {
			func(in *xds.Inputs) { in.Listen.Port = uint32(taken.Addr().(*net.TCPAddr).Port) },
			"listener", "Address already in use",
		},
		"a bundle that does not exist": {
			func(in *xds.Inputs) {
				in.SystemCAFile = "/does/not/exist"
				in.Clusters = append(in.Clusters, xds.Cluster{Name: "bad", Host: "127.0.0.1", Port: 443, TLS: &xds.UpstreamTLS{}})
			},
			"cluster", "/does/not/exist",
		},
		"authorities that are none": {
			func(in *xds.Inputs) {
				in.Clusters = append(in.Clusters, xds.Cluster{Name: "bad", Host: "127.0.0.1", Port: 443, TLS: &xds.UpstreamTLS{AuthoritiesPEM: []byte("nonsense")}})
			},
			"cluster", "certificate",
		},
		"a certificate that is none": {
			func(in *xds.Inputs) {
				in.TLS = &xds.ServerTLS{CertificatePEM: []byte("nonsense"), KeyPEM: []byte("nonsense")}
			},
			"secret", "certificate",
		},
	} {
		bad := good
		test.change(&bad)
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		version, err := s.control.Update(ctx, bad)
		if err != nil {
			t.Fatal(err)
		}
		var nack *xds.Nack
		if err := s.control.WaitAcked(ctx, version); !errors.As(err, &nack) || nack.Type != test.typ || !strings.Contains(nack.Reason, test.reason) {
			t.Errorf("%s: %v", name, err)
		}
		cancel()
		// Envoy puts a listener to work whose certificate it has just refused, so
		// it takes until the withdrawal arrives.
		eventually(t, name+": the good configuration serves", func() bool {
			response, err := s.client.Post(s.url+inferencePath, "application/json", strings.NewReader("hello"))
			if err != nil {
				return false
			}
			defer response.Body.Close()
			return response.StatusCode == http.StatusOK
		})
	}
	s.inputs.HedgeAfter = time.Minute
	s.update()
	if response, _ := s.post("hello"); response.StatusCode != http.StatusOK {
		t.Errorf("after a good update: %d", response.StatusCode)
	}
}
