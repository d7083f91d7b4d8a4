package health

import (
	"fmt"
	"net/http"
	"runtime"
	"sync"
	"testing"
	"time"
)

func TestUptimeCountsWhatTheProviderIsToBlameFor(t *testing.T) {
	tests := []struct {
		name   string
		sample Sample
		counts bool
		uptime float64
	}{
		{"a good answer", Sample{}, true, 100},
		{"401 and 402", Sample{Class: Authentication, Status: http.StatusPaymentRequired}, true, 0},
		{"403", Sample{Class: Authentication, Status: http.StatusForbidden}, false, 0},
		{"404", Sample{Class: NotFound, Status: http.StatusNotFound}, true, 0},
		{"5xx", Sample{Class: ServerError, Status: http.StatusBadGateway}, true, 0},
		{"an error in mid-stream", Sample{Class: BadAnswer, FirstToken: time.Second}, true, 0},
		{"no connection", Sample{Class: Connect}, true, 0},
		{"no answer", Sample{Class: Timeout}, true, 0},
		{"400 and 413", Sample{Class: BadRequest, Status: http.StatusRequestEntityTooLarge}, false, 0},
		{"429", Sample{Class: RateLimited, Status: http.StatusTooManyRequests}, false, 0},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			tracker := New(options)
			test.sample.EndpointID, test.sample.Now = "e", start
			tracker.Record(test.sample)
			s := tracker.Snapshot("e", start)
			if got := s.Requests.Last5m == 1; got != test.counts {
				t.Errorf("counts: %t, want %t", got, test.counts)
			}
			if s.Uptime.Last5m != test.uptime {
				t.Errorf("uptime %v %%, want %v", s.Uptime.Last5m, test.uptime)
			}
			if s.Outage != (test.counts && test.uptime == 0) {
				t.Errorf("outage: %t", s.Outage)
			}
			if class := test.sample.Class; class != None && s.Errors[class] != 1 {
				t.Errorf("errors %v, want one of class %s", s.Errors, class)
			}
		})
	}
}

func TestWindowsOfUptime(t *testing.T) {
	tracker := New(options)
	fail(tracker, "e", ServerError, 0, start)
	for _, test := range []struct {
		after time.Duration
		want  Windows[int64]
	}{
		{0, Windows[int64]{1, 1, 1}},
		{5 * time.Minute, Windows[int64]{1, 1, 1}},
		{5*time.Minute + 10*time.Second, Windows[int64]{0, 1, 1}},
		{30 * time.Minute, Windows[int64]{0, 1, 1}},
		{31 * time.Minute, Windows[int64]{0, 0, 1}},
		{24 * time.Hour, Windows[int64]{0, 0, 1}},
		{24*time.Hour + 30*time.Minute, Windows[int64]{0, 0, 0}},
	} {
		if got := tracker.Summary("e", after(test.after)).Requests; got != test.want {
			t.Errorf("after %v: requests %v, want %v", test.after, got, test.want)
		}
	}
}

func TestUptimeInPercent(t *testing.T) {
	tracker := New(options)
	for i := range 100 {
		if i%10 == 0 {
			fail(tracker, "e", ServerError, 0, start)
		} else {
			succeed(tracker, "e", start)
		}
	}
	s := tracker.Summary("e", after(10*time.Minute))
	if want := (Windows[float64]{Last30m: 90, Last1d: 90}); s.Uptime != want {
		t.Errorf("uptime %v, want %v", s.Uptime, want)
	}
}

func TestToolCallsOverTwoHours(t *testing.T) {
	tracker := New(options)
	tracker.Record(Sample{EndpointID: "e", ToolCalls: 3, InvalidToolCalls: 1, Now: start})
	tracker.Record(Sample{EndpointID: "e", ToolCalls: 1, InvalidToolCalls: 7, Now: start})
	if s := tracker.Summary("e", after(2*time.Hour)); s.ToolCalls != 4 || s.ToolSuccess != 0.5 {
		t.Errorf("%d calls, %v well; want 4 and half of them", s.ToolCalls, s.ToolSuccess)
	}
	if s := tracker.Summary("e", after(2*time.Hour+4*time.Minute)); s.ToolCalls != 0 || s.ToolSuccess != 0 {
		t.Errorf("%d calls are left, %v well", s.ToolCalls, s.ToolSuccess)
	}
}

func TestFiguresAreUpToASecondOld(t *testing.T) {
	tracker := New(options)
	succeed(tracker, "e", start)
	tracker.Summary("e", start)
	fail(tracker, "e", ServerError, 0, start)
	early := tracker.Summary("e", after(time.Second-1))
	if early.Requests.Last5m != 1 {
		t.Errorf("%d requests within the second, want the 1 of its beginning", early.Requests.Last5m)
	}
	if !early.Outage || early.CoolingUntil.IsZero() {
		t.Errorf("the failure is not seen at once: %+v", early)
	}
	if got := tracker.Summary("e", after(time.Second)).Requests.Last5m; got != 2 {
		t.Errorf("%d requests after a second, want 2", got)
	}
}

func TestEndpointsAreIndependent(t *testing.T) {
	tracker := New(options)
	fail(tracker, "other", ServerError, 0, start)
	if got := tracker.Summary("unheard of", start); got != (Summary{}) {
		t.Errorf("an endpoint nobody tried is %+v", got)
	}
	succeed(tracker, "e", start)
	if got := cooling(tracker, start); got != 0 {
		t.Errorf("cools down for %v through another endpoint", got)
	}
	if tracker.Summary("other", start).CoolingUntil.IsZero() {
		t.Error("the success of one endpoint ended the cool-down of another")
	}
}

func TestConfigureKeepsWhatIsKnown(t *testing.T) {
	tracker := New(options)
	fail(tracker, "e", ServerError, 0, start)
	tracker.Configure(Options{CoolDown: time.Second, MaxCoolDown: time.Minute})
	if got := cooling(tracker, start); got != 5*time.Second {
		t.Errorf("the running cool-down became %v", got)
	}
	fail(tracker, "e", ServerError, 0, after(5*time.Second))
	if got := cooling(tracker, after(5*time.Second)); got != 2*time.Second {
		t.Errorf("the next cools down for %v, want 2s", got)
	}
	if got := tracker.Summary("e", after(5*time.Second)).Requests.Last5m; got != 2 {
		t.Errorf("%d requests are known, want 2", got)
	}
}

func TestDefaults(t *testing.T) {
	tracker := New(Options{})
	now := start
	for range 20 {
		fail(tracker, "e", ServerError, 0, now)
		now = now.Add(cooling(tracker, now))
	}
	fail(tracker, "e", ServerError, 0, now)
	if got := cooling(tracker, now); got != 2*time.Minute {
		t.Errorf("the longest default cool-down is %v, want 2m", got)
	}
}

// Clients can make up ids without end where a provider serves any model.
func TestEndpointsAreBounded(t *testing.T) {
	tracker := New(options)
	succeed(tracker, "answers", start)
	for i := range 2 * maxEndpoints {
		fail(tracker, fmt.Sprint("made up ", i), NotFound, 0, after(time.Duration(i)*time.Second))
	}
	if got := tracker.count; got > maxEndpoints {
		t.Errorf("%d endpoints, want at most %d", got, maxEndpoints)
	}
	if tracker.find("answers") == nil {
		t.Error("an endpoint that answers made room for ids that are made up")
	}
	if tracker.find("made up 0") != nil || tracker.find(fmt.Sprint("made up ", 2*maxEndpoints-1)) == nil {
		t.Error("it was not the oldest that made room")
	}
}

// However much happens, an endpoint takes no more than it says.
func TestMemoryOfAnEndpointIsBounded(t *testing.T) {
	const endpoints, rounds = 16, 10_000
	before := heap()
	tracker := New(options)
	for round := range rounds {
		for i := range endpoints {
			tracker.Record(Sample{
				EndpointID: fmt.Sprint(i), ToolCalls: 1, CompletionTokens: 1,
				// From a microsecond to a quarter of an hour, within each minute.
				FirstToken: time.Microsecond << (round % 30), Duration: time.Microsecond << (round % 30),
				Now: after(time.Duration(round) * time.Second),
			})
		}
	}
	now := after(rounds * time.Second)
	for i := range endpoints {
		tracker.Summary(fmt.Sprint(i), now)
	}
	each := (heap() - before) / endpoints
	t.Logf("%d KiB for each endpoint that answers", each/1024)
	if each > 72<<10 {
		t.Errorf("an endpoint takes %d bytes, want at most 72 KiB", each)
	}
	runtime.KeepAlive(tracker)
}

func heap() int64 {
	runtime.GC()
	var stats runtime.MemStats
	runtime.ReadMemStats(&stats)
	return int64(stats.HeapAlloc)
}

func TestConcurrentUse(t *testing.T) {
	tracker := New(options)
	peer := New(options)
	fail(peer, "1", ServerError, 0, start)
	export := peer.Export(start, all)
	var group sync.WaitGroup
	for worker := range 8 {
		group.Go(func() {
			for i := range 500 {
				id, now := fmt.Sprint((worker+i)%5), after(time.Duration(i)*time.Second)
				fail(tracker, id, ServerError, 0, now)
				tracker.Record(Sample{EndpointID: id, FirstToken: time.Second, Duration: time.Minute, CompletionTokens: 9, Now: now})
				tracker.Summary(id, now)
				tracker.Snapshot(id, now)
				tracker.Probe(id, now)
				tracker.Checked(id, Class(i%2), now)
				if i%50 == 0 {
					tracker.Configure(options)
					tracker.Export(now, all)
					if err := tracker.Import(fmt.Sprint(worker), export, now); err != nil {
						t.Error(err)
					}
					tracker.Forget(fmt.Sprint(worker - 1))
				}
			}
		})
	}
	group.Wait()
	var requests int64
	for i := range 5 {
		id := fmt.Sprint(i)
		s := tracker.find(id).statistics.figures(after(499 * time.Second))
		requests += s.attempts.Last30m.ok + s.attempts.Last30m.failed
	}
	if requests != 8*500*2 {
		t.Errorf("%d attempts were counted, want %d", requests, 8*500*2)
	}
}

func TestClassNames(t *testing.T) {
	seen := make(map[string]bool)
	for class := None; class <= BadRequest; class++ {
		if name := class.String(); name == "" || name == "unknown" || seen[name] {
			t.Errorf("class %d is called %q", class, name)
		}
		seen[class.String()] = true
	}
	if got := (BadRequest + 1).String(); got != "unknown" {
		t.Errorf("a class that does not exist is called %q", got)
	}
}
