package health

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// tell passes on what one instance knows to another.
func tell(t *testing.T, from *Tracker, name string, to *Tracker, now time.Time) {
	t.Helper()
	if err := to.Import(name, from.Export(now, all), now); err != nil {
		t.Fatal(err)
	}
}

// all is whether an endpoint is told of others: always.
func all(string) bool { return true }

// mixed is an attempt of a series with some of everything.
func mixed(i int) Sample {
	s := Sample{
		EndpointID: "e", FirstToken: time.Duration(100+i%700) * time.Millisecond,
		CompletionTokens: int64(10 + i%90), Duration: time.Duration(2+i%5) * time.Second,
		ToolCalls: 2, InvalidToolCalls: int64(i % 2), Now: after(time.Duration(i) * 100 * time.Millisecond),
	}
	if i%10 == 0 {
		s.Class, s.CompletionTokens, s.ToolCalls = ServerError, 0, 0
	}
	return s
}

// What two instances saw, half each, is what one that saw all of it tells.
func TestInstancesAddUp(t *testing.T) {
	whole, here, there := New(options), New(options), New(options)
	const attempts = 2001
	for i := range attempts {
		whole.Record(mixed(i))
		if i%3 == 0 {
			here.Record(mixed(i))
		} else {
			there.Record(mixed(i))
		}
	}
	now := after(attempts * 100 * time.Millisecond)
	tell(t, there, "there", here, now)
	want, got := whole.Snapshot("e", now), here.Snapshot("e", now)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-one instance +two instances)\n%s", diff)
	}
	if want.Requests.Last30m != attempts || want.ToolCalls == 0 || !want.Throughput30m.Known() || !want.Outage == (want.Uptime.Last5m < 75) {
		t.Errorf("the test tells nothing: %+v", want)
	}
}

func TestImportIsNotExportedAgain(t *testing.T) {
	first, second, third := New(options), New(options), New(options)
	fail(first, "e", ServerError, 0, start)
	tell(t, first, "first", second, start)
	tell(t, second, "second", third, start)
	if got := third.Snapshot("e", start); got != (Snapshot{}) {
		t.Errorf("hearsay of hearsay: %+v", got)
	}
}

func TestImportReplacesWhatTheInstanceSaid(t *testing.T) {
	here, there := New(options), New(options)
	succeed(there, "e", start)
	succeed(there, "f", start)
	for i := range 5 {
		tell(t, there, "there", here, after(time.Duration(i)*time.Second))
	}
	now := after(5 * time.Second)
	if got := here.Summary("e", now).Requests.Last5m; got != 1 {
		t.Errorf("%d requests, want the 1 that was told again and again", got)
	}
	tell(t, New(options), "there", here, now)
	if got := here.Summary("f", after(7*time.Second)).Requests.Last5m; got != 0 {
		t.Errorf("%d requests, want none after the instance began anew", got)
	}
}

func TestCoolDownsOfOtherInstancesCount(t *testing.T) {
	here, there := New(options), New(options)
	fail(there, "e", RateLimited, 20*time.Second, start)
	tell(t, there, "there", here, start)
	state := func(at time.Duration) Summary { return here.Summary("e", after(at)) }

	if s := state(20*time.Second - 1); s.Class != RateLimited || !s.CoolingUntil.Equal(after(20*time.Second)) || s.Outage {
		t.Errorf("rate limited there: %+v", s)
	}
	if s := state(20 * time.Second); !s.HalfOpen || !s.CoolingUntil.IsZero() {
		t.Errorf("when the limit is over: %+v", s)
	}
	if !here.Probe("e", after(20*time.Second)) || here.Probe("e", after(20*time.Second)) {
		t.Error("it is not probed by one request at a time")
	}
	fail(here, "e", ServerError, 0, after(21*time.Second))
	if s := state(22 * time.Second); s.Class != ServerError || !s.CoolingUntil.Equal(after(26*time.Second)) {
		t.Errorf("a failure here as well: %+v", s)
	}
	succeed(here, "e", after(27*time.Second))
	if s := state(27 * time.Second); s.HalfOpen {
		t.Error("half-open after a success here")
	}
}

// The longer cool-down counts, whoever has it.
func TestTheLongestCoolDownCounts(t *testing.T) {
	here, there := New(options), New(options)
	fail(here, "e", RateLimited, 30*time.Second, start)
	fail(there, "e", Connect, 0, start)
	tell(t, there, "there", here, start)
	if s := here.Summary("e", start); s.Class != RateLimited || !s.CoolingUntil.Equal(after(30*time.Second)) {
		t.Errorf("class %s until %v", s.Class, s.CoolingUntil)
	}
}

func TestRow44OutagesOfOtherInstancesEnd(t *testing.T) {
	here, there := New(options), New(options)
	fail(there, "e", ServerError, 0, start)
	tell(t, there, "there", here, after(10*time.Second))
	for _, at := range []struct {
		seconds time.Duration
		want    bool
	}{{10, true}, {29, true}, {30, false}} {
		if got := here.Summary("e", after(at.seconds*time.Second)).Outage; got != at.want {
			t.Errorf("after %d s: outage %t, want %t", at.seconds, got, at.want)
		}
	}
	succeed(here, "e", after(10*time.Second))
	if !here.Summary("e", after(10*time.Second)).Outage {
		t.Error("one failure there and one good answer here are no outage")
	}
	for range 3 {
		succeed(here, "e", after(10*time.Second))
	}
	if here.Summary("e", after(10*time.Second)).Outage {
		t.Error("one failure there and four good answers here are an outage")
	}
}

func TestOldReportsDoNotCount(t *testing.T) {
	here, there := New(options), New(options)
	fail(there, "e", RateLimited, time.Hour, start)
	succeed(there, "e", start)
	tell(t, there, "there", here, start)
	if s := here.Summary("e", after(reportFor)); s.CoolingUntil.IsZero() || s.Requests.Last5m != 1 {
		t.Errorf("after a minute: %+v", s)
	}
	if s := here.Summary("e", after(reportFor+time.Second)); s != (Summary{}) {
		t.Errorf("a minute later it still counts: %+v", s)
	}
}

func TestForget(t *testing.T) {
	here, there := New(options), New(options)
	fail(there, "e", ServerError, 0, start)
	tell(t, there, "there", here, start)
	tell(t, there, "elsewhere", here, start)
	here.Forget("there")
	here.Forget("unheard of")
	if s := here.Summary("e", start); s.Requests.Last5m != 1 || s.CoolingUntil.IsZero() {
		t.Errorf("the other instance's report: %+v", s)
	}
	here.Forget("elsewhere")
	if s := here.Summary("e", after(time.Second)); s != (Summary{}) {
		t.Errorf("nobody's report: %+v", s)
	}
}

func TestPeersAreBounded(t *testing.T) {
	here, there := New(options), New(options)
	succeed(there, "e", start)
	for i := range maxPeers {
		tell(t, there, fmt.Sprint(i), here, start)
	}
	export := there.Export(start, all)
	if err := here.Import("one more", export, start); err == nil || !strings.Contains(err.Error(), "64 instances") {
		t.Errorf("one more instance: %v", err)
	}
	if err := here.Import("0", export, start); err != nil {
		t.Errorf("one that is known: %v", err)
	}
	later := after(reportFor + 1)
	if err := here.Import("one more", export, later); err != nil {
		t.Errorf("when the others are silent: %v", err)
	}
	if len(here.peers) != 1 || len(here.find("e").reports()) != 1 {
		t.Errorf("%d instances are kept, and %d reports", len(here.peers), len(here.find("e").reports()))
	}
}

// Nine gateways that serve a large catalog, all of it busy.
func TestManyGatewaysWithManyEndpoints(t *testing.T) {
	const gateways, endpoints = 9, 1900
	there := New(options)
	for i := range endpoints {
		for step := range 20 {
			there.Record(answer(fmt.Sprint(i), 30*step))
		}
	}
	now := after(10 * time.Minute)
	export := there.Export(now, all)
	here := New(options)
	for i := range gateways {
		if err := here.Import(fmt.Sprint(i), export, now); err != nil {
			t.Fatal(err)
		}
	}
	if got, want := here.Snapshot("1", now).Requests.Last30m, int64(gateways*20); got != want {
		t.Errorf("%d attempts are known, want %d", got, want)
	}
}

func TestReportsAreBounded(t *testing.T) {
	there := New(options)
	for i := range 500 {
		for _, first := range []time.Duration{time.Millisecond, 20 * time.Second} { // all bins between
			there.Record(Sample{EndpointID: fmt.Sprint(i), FirstToken: first, Duration: first, CompletionTokens: 100, Now: start})
		}
	}
	export := there.Export(start, all)
	h, err := decode(export, start)
	if err != nil {
		t.Fatal(err)
	}
	here := New(options)
	fill := func() (refused string) {
		for i := range maxPeers {
			if err := here.Import(fmt.Sprint(i), export, start); err != nil {
				refused = err.Error()
			}
		}
		return refused
	}
	before := heap()
	if got := fill(); !strings.Contains(got, "at most 256 MiB are kept") {
		t.Errorf("%d times %d bytes are refused with %q", maxPeers, h.bytes, got)
	}
	taken := heap() - before
	t.Logf("%d MiB for what counts as %d", taken>>20, maxHeard>>20)
	if taken > maxHeard*5/4 || taken < maxHeard*3/4 {
		t.Errorf("%d MiB are taken when %d MiB are full", taken>>20, maxHeard>>20)
	}
	if err := here.Import("0", there.Export(after(time.Second), all), after(time.Second)); err != nil {
		t.Errorf("one that is known: %v", err)
	}
}

func TestExportPassesOverTheSilent(t *testing.T) {
	tracker := New(options)
	succeed(tracker, "old", start)
	succeed(tracker, "made up", after(40*time.Minute))
	succeed(tracker, "e", after(40*time.Minute))
	now := after(40 * time.Minute)
	h, err := decode(tracker.Export(now, func(id string) bool { return id != "made up" }), now)
	if err != nil {
		t.Fatal(err)
	}
	if _, told := h.reports["e"]; !told || len(h.reports) != 1 {
		t.Errorf("%d reports, want that of the endpoint which answered lately", len(h.reports))
	}
}

// What a crashed instance said is read again until it expires.
func TestTheSameExportRestartsNoCoolDown(t *testing.T) {
	here, there := New(options), New(options)
	fail(there, "e", ServerError, 0, start)
	export := there.Export(start, all)
	for seconds := range time.Duration(10) {
		if err := here.Import("there", export, after(seconds*time.Second)); err != nil {
			t.Fatal(err)
		}
	}
	now := after(9 * time.Second)
	if got := cooling(here, now); got != 0 {
		t.Errorf("cools down for %v more, want no longer than the 5s there", got)
	}
	if s := here.Summary("e", now); !s.HalfOpen || s.Requests.Last5m != 1 {
		t.Errorf("%+v, want what was told to stand", s)
	}
	if s := here.Summary("e", after(reportFor+time.Second)); s != (Summary{}) {
		t.Errorf("it is made young by being read: %+v", s)
	}
}
