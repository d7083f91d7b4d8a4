package health

import (
	"math"
	"sync/atomic"
	"time"
)

const (
	// outageSteps is how finely the outage window is cut: at 30 s, a failure is
	// forgotten 30 to 31 s after it.
	outageSteps = 30
	// outageShare is the share of failed attempts that makes an outage, as one in so
	// many. OpenRouter does not publish its own. A quarter keeps an endpoint that
	// fails now and then, and finds one that fails often before it fails mostly.
	outageShare = 4
)

// outageRing counts the attempts of the outage window. Unlike [ring] it is read
// without a lock, for every endpoint of every plan, and exactly: one word holds the
// number of a step (32 bits of it), the attempts (16 bits) and the failures (16
// bits), so that a reader sees the three of one moment. Writers are serialised.
type outageRing struct {
	window time.Duration
	slots  [outageSteps + 1]atomic.Uint64
}

func (r *outageRing) step() time.Duration { return r.window / outageSteps }

func (r *outageRing) number(now time.Time) int64 { return now.UnixNano() / int64(r.step()) }

// add counts an attempt. More than 65535 in one step are no longer counted: the
// share of failures is known by then.
func (r *outageRing) add(failed bool, now time.Time) {
	number := r.number(now)
	slot := &r.slots[uint64(number)%uint64(len(r.slots))]
	word := slot.Load()
	if uint32(word>>32) != uint32(number) {
		word = uint64(uint32(number)) << 32
	}
	if word>>16&math.MaxUint16 == math.MaxUint16 {
		return
	}
	word += 1 << 16
	if failed {
		word++
	}
	slot.Store(word)
}

// counts sums the window that ends now. It costs some 20 ns.
func (r *outageRing) counts(now time.Time) counts {
	number := uint32(r.number(now))
	var attempts, failed int64
	for i := range r.slots {
		word := r.slots[i].Load()
		if age := number - uint32(word>>32); age <= outageSteps {
			attempts += int64(word >> 16 & math.MaxUint16)
			failed += int64(word & math.MaxUint16)
		}
	}
	return counts{ok: attempts - failed, failed: failed}
}

// outage reports whether counts over the outage window are an outage: at least one
// failure, and at least a quarter of the attempts (row 43).
func (c counts) outage() bool {
	return c.failed > 0 && c.failed*outageShare >= c.ok+c.failed
}
