package quota

import "time"

// log is the times of one key's allowed requests, oldest first, in a ring that
// grows up to the largest limit seen.
type log struct {
	key    string
	window int64 // of the latest request, in nanoseconds
	times  []int64
	oldest int // index of the oldest time
	count  int // number of times
}

// take judges a request at a time in nanoseconds, which now also is.
func (l *log) take(limit Limit, at int64, now time.Time) Decision {
	if l.count > 0 {
		at = max(at, l.at(l.count-1))
	}
	l.window = int64(limit.Window)
	for l.count > 0 && l.at(0) <= at-l.window {
		l.oldest = (l.oldest + 1) % len(l.times)
		l.count--
	}
	decision := Decision{Limit: limit.Requests}
	if l.count < limit.Requests {
		l.add(at, limit.Requests)
		decision.Allowed = true
		decision.Remaining = limit.Requests - l.count
	} else {
		// The limit may have been lowered: the request that must leave the
		// window first is then not the oldest.
		blocking := l.at(l.count - limit.Requests)
		decision.RetryAfter = time.Duration(blocking + l.window - at)
	}
	decision.ResetAt = now.Add(time.Duration(l.at(l.count-1) + l.window - at))
	return decision
}

// idle reports whether nothing in the log counts any more.
func (l *log) idle(at int64) bool {
	return l.count == 0 || l.at(l.count-1) <= at-l.window
}

// at returns the i-th time, counted from the oldest.
func (l *log) at(i int) int64 {
	return l.times[(l.oldest+i)%len(l.times)]
}

// add appends a time, and doubles the ring when it is full: most keys never
// come near a large limit.
func (l *log) add(at int64, limit int) {
	if l.count == len(l.times) {
		grown := make([]int64, min(max(8, 2*l.count), max(limit, l.count+1)))
		for i := range l.count {
			grown[i] = l.at(i)
		}
		l.times, l.oldest = grown, 0
	}
	l.times[(l.oldest+l.count)%len(l.times)] = at
	l.count++
}
