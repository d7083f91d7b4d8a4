package health

import (
	"encoding/binary"
	"fmt"
	"math"
	"time"

	"github.com/DataDog/sketches-go/ddsketch"
)

// Bounds of what an export may hold. Nothing that this program writes comes near.
const (
	maxExport   = 32 << 20 // bytes
	maxID       = 2 << 10  // bytes
	maxCount    = 1 << 40
	maxBinIndex = 1 << 12 // a bin of 10^71
)

// heard is an export as it was read.
type heard struct {
	number  int64
	reports map[string]report // by endpoint
	bytes   int               // about what the reports take in memory
}

// decode reads an export. Memory is bounded by the number of endpoints, which is that
// of a tracker, and by the bins of a sketch.
func decode(data []byte, now time.Time) (heard, error) {
	if len(data) > maxExport {
		return heard{}, fmt.Errorf("health: an export of %d bytes; at most %d are read", len(data), maxExport)
	}
	d := decoder{rest: data, now: now}
	if version := d.number("version", maxCount); d.err == nil && version != exportVersion {
		return heard{}, fmt.Errorf("health: an export of version %d; run the same release in all instances, version %d is read", version, exportVersion)
	}
	h := heard{number: d.number("number", math.MaxInt64), reports: make(map[string]report)}
	for d.err == nil && len(d.rest) > 0 {
		id, r := d.report()
		if d.err == nil && len(h.reports) == maxEndpoints {
			d.fail("report", "is one too many")
		}
		h.reports[id] = r
		h.bytes += len(id) + r.bytes()
	}
	if d.err != nil {
		return heard{}, d.err
	}
	return h, nil
}

// decoder reads an export. After an error it reads zeros.
type decoder struct {
	rest []byte
	now  time.Time
	err  error
}

func (d *decoder) report() (string, report) {
	id := d.text("id")
	r := report{at: d.now}
	r.cooling.class = Class(d.number("class", int64(len(classNames))-1))
	r.cooling.failures = int(d.number("failures", maxCount))
	r.cooling.until = d.remaining("until")
	r.cooling.wholeAt = d.remaining("whole at")
	r.recent = d.counts("recent attempts")
	r.recentUntil = d.remaining("recent until")
	r.figures.attempts.Last5m = d.counts("attempts of 5 minutes")
	r.figures.attempts.Last30m = d.counts("attempts of 30 minutes")
	r.figures.attempts.Last1d = d.counts("attempts of a day")
	r.figures.tools.calls = d.number("tool calls", maxCount)
	r.figures.tools.invalid = d.number("invalid tool calls", r.figures.tools.calls)
	for class := range r.figures.errors {
		r.figures.errors[class] = d.number("errors", maxCount)
	}
	r.figures.latency = spans{Last5m: d.sketch("latency of 5 minutes"), Last30m: d.sketch("latency of 30 minutes")}
	r.figures.throughput = spans{Last5m: d.sketch("throughput of 5 minutes"), Last30m: d.sketch("throughput of 30 minutes")}
	return id, r
}

func (d *decoder) counts(field string) counts {
	return counts{ok: d.number(field, maxCount), failed: d.number(field, maxCount)}
}

// remaining reads a time to come. The longest is a cool-down of a day with its
// half-open time.
func (d *decoder) remaining(field string) time.Time {
	return d.now.Add(time.Duration(d.number(field, 2*maxRetryAfter.Milliseconds())) * time.Millisecond)
}

// sketch reads a sketch, nil if it is empty.
func (d *decoder) sketch(field string) *ddsketch.DDSketch {
	held := d.number(field, maxBins)
	if held == 0 {
		return nil
	}
	sketch := newSketch()
	index := int64(0)
	for range held {
		distance, size := binary.Varint(d.rest)
		if size <= 0 || distance < -2*maxBinIndex || distance > 2*maxBinIndex {
			d.fail(field, "cannot be read")
			return nil
		}
		d.rest = d.rest[size:]
		index += distance
		if index < -maxBinIndex || index > maxBinIndex {
			d.fail(field, "has a bin out of range")
			return nil
		}
		sketch.GetPositiveValueStore().AddWithCount(int(index), float64(d.number(field, maxCount)))
	}
	if d.err != nil || sketch.IsEmpty() {
		return nil
	}
	return sketch
}

func (d *decoder) text(field string) string {
	size := d.number(field, maxID)
	if size > int64(len(d.rest)) {
		d.fail(field, "is cut off")
		return ""
	}
	text := string(d.rest[:size])
	d.rest = d.rest[size:]
	return text
}

// number reads a number from zero to the largest allowed.
func (d *decoder) number(field string, largest int64) int64 {
	if d.err != nil {
		return 0
	}
	n, size := binary.Uvarint(d.rest)
	switch {
	case size <= 0:
		d.fail(field, "cannot be read")
		return 0
	case n > uint64(largest):
		d.fail(field, fmt.Sprintf("is %d; at most %d is allowed", n, largest))
		return 0
	}
	d.rest = d.rest[size:]
	return int64(n)
}

func (d *decoder) fail(field, problem string) {
	if d.err == nil {
		d.err = fmt.Errorf("health: the export's field %q %s", field, problem)
	}
}
