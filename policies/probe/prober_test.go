package probe

import (
	"bytes"
	"context"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/switchyard/switchyard/policies/catalog"
	"github.com/switchyard/switchyard/policies/health"
)

// reports keeps what was reported, and when.
type reports struct {
	mu    sync.Mutex
	times map[string][]time.Time // by provider
}

func (r *reports) report(provider string, _ health.Class) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.times == nil {
		r.times = make(map[string][]time.Time)
	}
	r.times[provider] = append(r.times[provider], time.Now())
}

// take returns the reports of a provider since the last call.
func (r *reports) take(provider string) []time.Time {
	r.mu.Lock()
	defer r.mu.Unlock()
	times := r.times[provider]
	delete(r.times, provider)
	return times
}

// newProber checks without a credential. Nobody listens where its providers are:
// such a check takes no time, also in a bubble.
func newProber(report func(string, health.Class)) *Prober {
	return New(Options{
		Authorize: carrying(""),
		Report:    report,
		Log:       slog.New(slog.DiscardHandler),
	})
}

// carrying puts a credential into each request.
func carrying(credential string) func(context.Context, *catalog.Provider, *http.Request) error {
	return func(_ context.Context, _ *catalog.Provider, request *http.Request) error {
		request.Header.Set("Authorization", credential)
		return nil
	}
}

func checkedProvider(slug, authority string, interval time.Duration) *catalog.Provider {
	return &catalog.Provider{
		Slug: slug, Scheme: "http", Authority: authority,
		HealthCheck: catalog.HealthCheck{Interval: interval, Path: "/models", Timeout: time.Second},
	}
}

// pass lets time pass in a bubble.
func pass(d time.Duration) {
	<-time.After(d)
	synctest.Wait()
}

// wantMinutes checks that there is about a minute between two times, and returns the
// different gaps.
func wantMinutes(t *testing.T, times []time.Time) map[time.Duration]bool {
	t.Helper()
	gaps := map[time.Duration]bool{}
	for i := 1; i < len(times); i++ {
		gap := times[i].Sub(times[i-1])
		gaps[gap] = true
		if gap < 54*time.Second || gap > 66*time.Second {
			t.Errorf("%v between two checks, want 54s to 66s", gap)
		}
	}
	return gaps
}

func TestRhythm(t *testing.T) {
	closed := closedPort(t)
	synctest.Test(t, func(t *testing.T) {
		var reported reports
		prober := newProber(reported.report)
		began := time.Now()
		prober.Configure([]*catalog.Provider{checkedProvider("p", closed, time.Minute), checkedProvider("never", closed, 0)})
		pass(time.Hour)
		times := reported.take("p")
		if len(times) < 54 || len(times) > 67 {
			t.Fatalf("%d checks in an hour, want about 60", len(times))
		}
		if first := times[0].Sub(began); first > time.Minute {
			t.Errorf("the first check came after %v, want within a minute", first)
		}
		if gaps := wantMinutes(t, times); len(gaps) < 10 {
			t.Errorf("%d different gaps: all gateways check at the same time", len(gaps))
		}
		if times := reported.take("never"); len(times) != 0 {
			t.Errorf("%d checks of a provider that is not to be checked", len(times))
		}
		prober.Close()
		pass(time.Hour)
		if times := reported.take("p"); len(times) != 0 {
			t.Errorf("%d checks after the end", len(times))
		}
	})
}

func TestReload(t *testing.T) {
	closed := closedPort(t)
	synctest.Test(t, func(t *testing.T) {
		var reported reports
		prober := newProber(reported.report)
		defer prober.Close()
		configure := func(interval time.Duration) {
			prober.Configure([]*catalog.Provider{checkedProvider("p", closed, interval)})
		}
		for range 600 { // an hour of reloads, faster than checks
			configure(time.Minute)
			pass(6 * time.Second)
		}
		times := reported.take("p")
		if len(times) < 54 {
			t.Errorf("%d checks in an hour of reloads, want about 60", len(times))
		}
		wantMinutes(t, times)
		configure(time.Second)
		pass(time.Minute)
		if times := reported.take("p"); len(times) < 54 || len(times) > 67 {
			t.Errorf("%d checks in a minute at a new interval, want about 60", len(times))
		}
		prober.Configure([]*catalog.Provider{checkedProvider("q", closed, time.Second)})
		pass(time.Minute)
		if p, q := reported.take("p"), reported.take("q"); len(p) != 0 || len(q) < 54 {
			t.Errorf("%d checks of the provider that is gone and %d of the new one", len(p), len(q))
		}
	})
}

// A reload that is late at the end of the gateway starts nothing.
func TestReloadAfterTheEnd(t *testing.T) {
	closed := closedPort(t)
	synctest.Test(t, func(t *testing.T) {
		var reported reports
		prober := newProber(reported.report)
		configure := func() {
			prober.Configure([]*catalog.Provider{checkedProvider("p", closed, time.Second)})
		}
		var late sync.WaitGroup
		for range 4 {
			late.Go(configure)
		}
		prober.Close()
		late.Wait()
		reported.take("p")
		configure()
		pass(time.Minute)
		if times := reported.take("p"); len(times) != 0 {
			t.Errorf("%d checks after the end", len(times))
		}
	})
}

// A reload brings a credential that works, the provider fails, and it is well again.
// Only the changes are logged, and never the credential.
func TestChangesAreReportedAndLogged(t *testing.T) {
	var failing atomic.Bool
	failing.Store(true)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if failing.Load() {
			w.WriteHeader(http.StatusServiceUnavailable)
		}
	}))
	defer server.Close()
	var logged bytes.Buffer
	classes := make(chan health.Class)
	done := make(chan struct{})
	prober := New(Options{
		Authorize: carrying("Bearer sesame\n"),
		Report: func(_ string, class health.Class) {
			select {
			case classes <- class:
			case <-done:
			}
		},
		Log: slog.New(slog.NewTextHandler(&logged, nil)),
	})
	await := func(want health.Class) {
		t.Helper()
		deadline := time.After(20 * time.Second)
		for {
			select {
			case class := <-classes:
				if class == want {
					return
				}
			case <-deadline:
				t.Fatalf("%v is not reported", want)
			}
		}
	}
	provider := checkedProvider("p", strings.TrimPrefix(server.URL, "http://"), 10*time.Millisecond)

	prober.Configure([]*catalog.Provider{provider})
	await(health.Connect) // no header can carry such a credential
	prober.options.Authorize = carrying("Bearer sesame")
	prober.Configure([]*catalog.Provider{provider})
	await(health.ServerError)
	await(health.ServerError)
	failing.Store(false)
	await(health.None)
	await(health.None)
	close(done)
	prober.Close()

	got := logged.String()
	if strings.Count(got, "\n") != 3 || !strings.Contains(got, "class=server_error") || !strings.Contains(got, "well again") {
		t.Errorf("logged:\n%swant one line for each of three changes", got)
	}
	if strings.Contains(got, "sesame") {
		t.Errorf("the credential is logged:\n%s", got)
	}
}
