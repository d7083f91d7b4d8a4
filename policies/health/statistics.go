package health

import (
	"net/http"
	"time"
)

// counts are attempts that say whether an endpoint is up.
type counts struct{ ok, failed int64 }

func (c counts) plus(other counts) counts {
	return counts{c.ok + other.ok, c.failed + other.failed}
}

// uptime is the share of attempts that did not fail, in percent.
func (c counts) uptime() float64 {
	if c.ok+c.failed == 0 {
		return 0
	}
	return 100 * float64(c.ok) / float64(c.ok+c.failed)
}

// toolCounts are tool calls, and those of them with arguments that do not fit.
type toolCounts struct{ calls, invalid int64 }

func (c toolCounts) plus(other toolCounts) toolCounts {
	return toolCounts{c.calls + other.calls, c.invalid + other.invalid}
}

// Errors counts failed attempts by class; the index is the [Class].
type Errors [len(classNames)]int64

func (e Errors) plus(other Errors) Errors {
	for class, count := range other {
		e[class] += count
	}
	return e
}

// statistics is what one endpoint did over the last day. An endpoint takes 5 KiB, and
// one that answers up to 26 sketches of 2 KiB more: measured, 24 to 64 KiB in all.
//
// The steps are how much further than its window a ring may reach: a thirtieth of it
// and less where it is counted, a fifth or sixth where it is sketched.
type statistics struct {
	last5m, last30m, last1d ring[counts]
	tools                   ring[toolCounts]
	errors                  ring[Errors]
	latency, throughput     distribution
}

func newStatistics() statistics {
	return statistics{
		last5m:     newRing[counts](5*time.Minute, 10*time.Second),
		last30m:    newRing[counts](30*time.Minute, time.Minute),
		last1d:     newRing[counts](24*time.Hour, 30*time.Minute),
		tools:      newRing[toolCounts](2*time.Hour, 4*time.Minute),
		errors:     newRing[Errors](30*time.Minute, time.Minute),
		latency:    newDistribution(),
		throughput: newDistribution(),
	}
}

// add takes in one attempt.
func (s *statistics) add(sample Sample) {
	if one, known := sample.counts(); known {
		for _, ring := range []*ring[counts]{&s.last5m, &s.last30m, &s.last1d} {
			if slot := ring.at(sample.Now); slot != nil {
				*slot = slot.plus(one)
			}
		}
	}
	if sample.Class != None {
		if slot := s.errors.at(sample.Now); slot != nil {
			slot[sample.Class]++
		}
	}
	if sample.ToolCalls > 0 {
		if slot := s.tools.at(sample.Now); slot != nil {
			*slot = slot.plus(toolCounts{sample.ToolCalls, min(sample.InvalidToolCalls, sample.ToolCalls)})
		}
	}
	if sample.FirstToken > 0 {
		s.latency.add(sample.FirstToken.Seconds(), sample.Now)
	}
	// Tokens over the whole time, waiting included (spec section 2.2). What broke off
	// says little about the pace.
	if sample.Class == None && sample.CompletionTokens > 0 && sample.Duration > 0 {
		s.throughput.add(float64(sample.CompletionTokens)/sample.Duration.Seconds(), sample.Now)
	}
}

// counts is what the attempt says of the endpoint's uptime, if it says anything
// (spec section 2.2): not that of a client whose request was at fault, and neither
// a rate limit nor a 403, with which a working provider refuses.
func (s Sample) counts() (counts, bool) {
	switch {
	case s.Class == None:
		return counts{ok: 1}, true
	case s.Class == BadRequest, s.Class == RateLimited, s.Status == http.StatusForbidden:
		return counts{}, false
	default:
		return counts{failed: 1}, true
	}
}

// figures are what statistics come to at one time. Those of several instances add
// up.
type figures struct {
	attempts            Windows[counts]
	tools               toolCounts
	errors              Errors
	latency, throughput spans
}

// figures sums up the windows that end now. It costs some 3 µs.
func (s *statistics) figures(now time.Time) figures {
	f := figures{latency: s.latency.spans(now), throughput: s.throughput.spans(now)}
	s.last5m.each(now, func(c counts) { f.attempts.Last5m = f.attempts.Last5m.plus(c) })
	s.last30m.each(now, func(c counts) { f.attempts.Last30m = f.attempts.Last30m.plus(c) })
	s.last1d.each(now, func(c counts) { f.attempts.Last1d = f.attempts.Last1d.plus(c) })
	s.tools.each(now, func(c toolCounts) { f.tools = f.tools.plus(c) })
	s.errors.each(now, func(e Errors) { f.errors = f.errors.plus(e) })
	return f
}

func (f figures) plus(other figures) figures {
	return figures{
		attempts: Windows[counts]{
			Last5m:  f.attempts.Last5m.plus(other.attempts.Last5m),
			Last30m: f.attempts.Last30m.plus(other.attempts.Last30m),
			Last1d:  f.attempts.Last1d.plus(other.attempts.Last1d),
		},
		tools:      f.tools.plus(other.tools),
		errors:     f.errors.plus(other.errors),
		latency:    f.latency.merge(other.latency),
		throughput: f.throughput.merge(other.throughput),
	}
}

// snapshot is how the figures are told.
func (f figures) snapshot() Snapshot {
	s := Snapshot{
		Summary: Summary{
			Uptime: Windows[float64]{
				Last5m:  f.attempts.Last5m.uptime(),
				Last30m: f.attempts.Last30m.uptime(),
				Last1d:  f.attempts.Last1d.uptime(),
			},
			Requests: Windows[int64]{
				Last5m:  f.attempts.Last5m.ok + f.attempts.Last5m.failed,
				Last30m: f.attempts.Last30m.ok + f.attempts.Last30m.failed,
				Last1d:  f.attempts.Last1d.ok + f.attempts.Last1d.failed,
			},
			Latency:    percentiles(f.latency.Last5m),
			Throughput: percentiles(f.throughput.Last5m),
			ToolCalls:  f.tools.calls,
		},
		Latency30m:    percentiles(f.latency.Last30m),
		Throughput30m: percentiles(f.throughput.Last30m),
		Errors:        f.errors,
	}
	if f.tools.calls > 0 {
		s.ToolSuccess = 1 - float64(f.tools.invalid)/float64(f.tools.calls)
	}
	return s
}
