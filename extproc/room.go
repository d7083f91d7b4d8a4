package extproc

import (
	"container/list"
	"context"
	"errors"
	"net/http"
	"sync"
	"time"

	"github.com/switchyard/switchyard/extproc/dialect"
)

// room is the memory that bodies of one kind may take together. Who finds none left
// waits, and takes nothing more from Envoy meanwhile: gRPC's and Envoy's flow control
// then stop the sender. Turns are in the order of asking.
//
// Of bodies that all have a part and wait for the rest, none would ever be whole. So
// one at a time may go beyond the limit: together they take at most the limit and one
// largest body. The zero value is ready, and safe for concurrent use.
type room struct {
	mu      sync.Mutex
	held    int64 // bytes
	beyond  *share
	waiting list.List // of *turn
}

// share is what one body takes of a room. It belongs to one goroutine.
type share struct {
	room *room
	size int64 // bytes
}

// turn is a share that waits to grow.
type turn struct {
	share       *share
	more, limit int64
	granted     chan struct{}
}

// longestForRoom is how long a body waits for room. Most answers are read by their
// clients long before.
const longestForRoom = 10 * time.Second

// errNoRoom: the room has stayed full.
var errNoRoom = errors.New("extproc: no room")

// grow takes more bytes, of a room of limit bytes; a limit of zero is none. The error is
// errNoRoom, or errEnded when ctx has ended.
func (s *share) grow(ctx context.Context, more, limit int64) error {
	if limit == 0 {
		return nil
	}
	r := s.room
	r.mu.Lock()
	if (r.waiting.Len() == 0 || r.beyond == s) && r.grant(s, more, limit) {
		r.mu.Unlock()
		return nil
	}
	next := &turn{share: s, more: more, limit: limit, granted: make(chan struct{})}
	place := r.waiting.PushBack(next)
	r.mu.Unlock()

	patience := time.NewTimer(longestForRoom)
	defer patience.Stop()
	err := errNoRoom
	select {
	case <-next.granted:
		return nil
	case <-ctx.Done():
		err = errEnded
	case <-patience.C:
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	select {
	case <-next.granted: // just now
		return nil
	default:
	}
	r.waiting.Remove(place)
	r.admit() // those behind may have waited for this one alone
	return err
}

// growAtOnce takes more bytes if that much is free, and reports whether it did: it neither
// waits nor goes beyond the limit. It is for what can be done without.
func (s *share) growAtOnce(more, limit int64) bool {
	if limit == 0 {
		return true
	}
	r := s.room
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.waiting.Len() == 0 && r.held+more <= limit && r.grant(s, more, limit)
}

// release gives all of the share back.
func (s *share) release() {
	if s.size == 0 {
		return
	}
	r := s.room
	r.mu.Lock()
	defer r.mu.Unlock()
	r.held -= s.size
	s.size = 0
	if r.beyond == s {
		r.beyond = nil
	}
	r.admit()
}

// pass has another share of the room hold what this one does.
func (s *share) pass(to *share) {
	if s.size == 0 {
		return
	}
	r := s.room
	r.mu.Lock()
	defer r.mu.Unlock()
	to.room = r
	to.size, s.size = to.size+s.size, 0
	if r.beyond == s {
		r.beyond = to
	}
}

// grant lets a share grow if it may.
func (r *room) grant(s *share, more, limit int64) bool {
	if r.held+more > limit {
		if r.beyond != nil && r.beyond != s {
			return false
		}
		r.beyond = s
	}
	r.held += more
	s.size += more
	return true
}

// admit grants the turns that have come.
func (r *room) admit() {
	for first := r.waiting.Front(); first != nil; first = r.waiting.Front() {
		next := first.Value.(*turn)
		if !r.grant(next.share, next.more, next.limit) {
			return
		}
		r.waiting.Remove(first)
		close(next.granted)
	}
}

// taken is how many bytes the room holds.
func (r *room) taken() int64 {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.held
}

// hold takes room for more of a body of a kind, "requests" or "answers".
func (a *attempt) hold(kind string, s *share, more int, limit int64) error {
	err := s.grow(a.stream.Context(), int64(more), limit)
	if !errors.Is(err, errNoRoom) {
		return err
	}
	a.metrics.noRoom.WithLabelValues(kind).Inc()
	return &dialect.Error{
		Status: http.StatusServiceUnavailable, Type: "provider_overloaded",
		Message:      "The gateway holds as much of " + kind + " in memory as it may. Try again in a moment.",
		Availability: &dialect.Availability{Code: "temporarily_unavailable", Retryable: true, RetryAfter: seconds(longestForRoom)},
	}
}
