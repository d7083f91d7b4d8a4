package health

import "time"

// ring holds one T for each step of the time that just passed. Its memory is
// constant, whatever happens to the endpoint.
//
// A window is read in whole steps, the current one included. It therefore reaches
// back by the window and by up to one step more, never by less.
type ring[T any] struct {
	step   time.Duration
	newest int64 // number of the newest step since 1970
	slots  []T
}

func newRing[T any](window, step time.Duration) ring[T] {
	return ring[T]{step: step, slots: make([]T, window/step+1)}
}

// at returns the slot of a time, for writing, or nil for a time before the window.
func (r *ring[T]) at(now time.Time) *T {
	number := r.number(now)
	if number <= r.newest-int64(len(r.slots)) {
		return nil
	}
	// What the ring last held a whole turn ago makes room.
	for r.newest = max(r.newest, number-int64(len(r.slots))); r.newest < number; r.newest++ {
		var empty T
		*r.slot(r.newest + 1) = empty
	}
	return r.slot(number)
}

// each calls visit with the slots of the window that ends now. Reading changes
// nothing in the ring.
func (r *ring[T]) each(now time.Time, visit func(T)) {
	number := r.number(now)
	oldest := max(number, r.newest) - int64(len(r.slots)) + 1
	for i := oldest; i <= min(number, r.newest); i++ {
		visit(*r.slot(i))
	}
}

func (r *ring[T]) number(now time.Time) int64 { return now.UnixNano() / int64(r.step) }

func (r *ring[T]) slot(number int64) *T {
	return &r.slots[uint64(number)%uint64(len(r.slots))]
}
