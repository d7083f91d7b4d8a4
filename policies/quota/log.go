package quota

// log is what counts in a sliding window, oldest first, in a ring that grows as needed.
type log struct {
	entries []entry
	oldest  int   // index of the oldest entry
	count   int   // number of entries
	sum     int64 // of their amounts
	began   int64 // time of the first amount in the newest entry
}

type entry struct{ at, amount int64 }

// at returns the i-th entry, counted from the oldest.
func (l *log) at(i int) *entry { return &l.entries[(l.oldest+i)%len(l.entries)] }

// newest is the time of the newest entry; 0 if there is none.
func (l *log) newest() int64 {
	if l.count == 0 {
		return 0
	}
	return l.at(l.count - 1).at
}

// forget drops what was added at a time or before.
func (l *log) forget(until int64) {
	for l.count > 0 && l.at(0).at <= until {
		l.sum -= l.at(0).amount
		l.oldest = (l.oldest + 1) % len(l.entries)
		l.count--
	}
}

// add appends an amount, not before the newest entry. What was added within grain of
// the first amount in the newest entry goes in there, and leaves the window with it.
func (l *log) add(at, amount, grain int64) {
	l.sum += amount
	if l.count > 0 && at-l.began < grain {
		newest := l.at(l.count - 1)
		newest.at, newest.amount = at, newest.amount+amount
		return
	}
	if l.count == len(l.entries) {
		grown := make([]entry, max(8, 2*l.count))
		for i := range l.count {
			grown[i] = *l.at(i)
		}
		l.entries, l.oldest = grown, 0
	}
	l.count++
	*l.at(l.count - 1) = entry{at, amount}
	l.began = at
}

// freed is the time of the entry with which the amounts up to it come to so much. The
// log has as much.
func (l *log) freed(amount int64) int64 {
	for i := range l.count {
		if amount -= l.at(i).amount; amount <= 0 {
			return l.at(i).at
		}
	}
	return l.newest()
}
