package health

import (
	"encoding/binary"
	"math"
	"time"

	"github.com/DataDog/sketches-go/ddsketch"
)

// An export is its version and number, then one report after another to its end.
// Numbers are variable in length (encoding/binary); times are milliseconds from the
// export on, so that instances need not agree on the time; strings and lists begin with
// their length. The export's number tells it from the instance's others: it is the time
// in nanoseconds by the instance's own clock, which says nothing to anybody else.
//
//	export  = version number report*
//	report  = id class failures until wholeAt
//	          recent recentUntil
//	          attempts5m attempts30m attempts1d toolCalls invalidToolCalls errors
//	          latency5m latency30m throughput5m throughput30m
//	counts  = ok failed
//	errors  = one number for each class
//	sketch  = number of bins, then for each its distance from the one before (signed)
//	          and its count
//
// Whoever changes this, a class or the accuracy of the sketches changes the version.
const exportVersion = 2

// encoder writes an export.
type encoder struct{ bytes []byte }

func (e *encoder) begin(now time.Time) {
	e.number(exportVersion)
	e.number(now.UnixNano())
}

func (e *encoder) report(id string, r *report, now time.Time) {
	e.number(int64(len(id)))
	e.bytes = append(e.bytes, id...)
	e.number(int64(r.cooling.class))
	e.number(int64(r.cooling.failures))
	e.remaining(r.cooling.until, now)
	e.remaining(r.cooling.wholeAt, now)
	e.counts(r.recent)
	e.remaining(r.recentUntil, now)
	e.counts(r.figures.attempts.Last5m)
	e.counts(r.figures.attempts.Last30m)
	e.counts(r.figures.attempts.Last1d)
	e.number(r.figures.tools.calls)
	e.number(r.figures.tools.invalid)
	for _, count := range r.figures.errors {
		e.number(count)
	}
	e.sketch(r.figures.latency.Last5m)
	e.sketch(r.figures.latency.Last30m)
	e.sketch(r.figures.throughput.Last5m)
	e.sketch(r.figures.throughput.Last30m)
}

func (e *encoder) counts(c counts) {
	e.number(c.ok)
	e.number(c.failed)
}

// remaining writes how long it is until a time, zero if it is over.
func (e *encoder) remaining(until, now time.Time) {
	e.number(max(0, until.Sub(now).Milliseconds()))
}

func (e *encoder) sketch(sketch *ddsketch.DDSketch) {
	if sketch == nil {
		e.number(0)
		return
	}
	type bin struct{ index, count int64 }
	var held []bin
	sketch.GetPositiveValueStore().ForEach(func(index int, count float64) bool {
		held = append(held, bin{int64(index), int64(math.Round(count))})
		return false
	})
	e.number(int64(len(held)))
	before := int64(0)
	for _, b := range held {
		e.bytes = binary.AppendVarint(e.bytes, b.index-before)
		e.number(b.count)
		before = b.index
	}
}

func (e *encoder) number(n int64) { e.bytes = binary.AppendUvarint(e.bytes, uint64(n)) }
