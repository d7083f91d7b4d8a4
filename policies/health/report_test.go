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
	if err := to.Import(name, from.Export(now), now); err != nil {
		t.Fatal(err)
	}
}

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
	export := there.Export(start)
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

func TestReportsAreBounded(t *testing.T) {
	full := New(options)
	for i := range maxEndpoints {
		succeed(full, fmt.Sprint(i), start)
	}
	here, export := New(options), full.Export(start)
	const most = maxReports / maxEndpoints
	for i := range most {
		if err := here.Import(fmt.Sprint(i), export, start); err != nil {
			t.Fatal(err)
		}
	}
	if err := here.Import("one more", export, start); err == nil || !strings.Contains(err.Error(), "at most 16384") {
		t.Errorf("one more: %v", err)
	}
	if err := here.Import("0", export, start); err != nil {
		t.Errorf("one that is known: %v", err)
	}
	if got := here.count; got > maxEndpoints {
		t.Errorf("%d endpoints, want at most %d", got, maxEndpoints)
	}
}

func TestExportPassesOverTheSilent(t *testing.T) {
	tracker := New(options)
	succeed(tracker, "old", start)
	succeed(tracker, "e", after(25*time.Hour))
	reports, err := decode(tracker.Export(after(25*time.Hour)), after(25*time.Hour))
	if err != nil {
		t.Fatal(err)
	}
	if _, told := reports["e"]; !told || len(reports) != 1 {
		t.Errorf("%d reports, want that of the endpoint which answered today", len(reports))
	}
}
