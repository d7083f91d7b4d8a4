package extproc

import (
	"net/http"
	"sync"
	"time"

	"github.com/switchyard/switchyard/policies/routing"
)

// requests remembers what attempts at one request know of each other, by
// request id. It is a cache: an attempt that finds nothing (another replica took
// the earlier ones) plans anew and is right all the same.
type requests struct {
	mu   sync.Mutex
	byID map[string]*request
}

// request is shared by the attempts at one client request.
type request struct {
	mu       sync.Mutex
	inFlight int
	changed  chan struct{}             // closed and replaced when an attempt ends
	lost     map[int]routing.Candidate // by the number of an attempt that ended unheard
	planned  bool
	plan     routing.Plan
	failed   []previousError
}

// rememberFor is how long a request that nobody works on is kept: the time that
// Envoy may take to start the next attempt, and ample.
const rememberFor = 30 * time.Second

func newRequests() *requests { return &requests{byID: make(map[string]*request)} }

// enter notes an attempt as in flight.
func (r *requests) enter(id string) *request {
	r.mu.Lock()
	defer r.mu.Unlock()
	q := r.byID[id]
	if q == nil {
		q = &request{changed: make(chan struct{})}
		r.byID[id] = q
	}
	q.mu.Lock()
	q.inFlight++
	q.mu.Unlock()
	return q
}

// leave notes that an attempt is over. The request is forgotten with its last
// attempt, or some time after an attempt that another one was to follow.
func (r *requests) leave(id string, q *request, last bool) {
	if q == nil {
		return
	}
	q.mu.Lock()
	q.inFlight--
	idle := q.inFlight == 0
	close(q.changed)
	q.changed = make(chan struct{})
	q.mu.Unlock()
	switch {
	case !idle:
	case last:
		r.forget(id, q)
	default:
		time.AfterFunc(rememberFor, func() { r.forget(id, q) })
	}
}

func (r *requests) forget(id string, q *request) {
	r.mu.Lock()
	defer r.mu.Unlock()
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.inFlight == 0 && r.byID[id] == q {
		delete(r.byID, id)
	}
}

// planOnce returns the request's plan, making it if no attempt has: later
// attempts must follow the order that the first one saw, although the failure
// they follow has changed the statistics since.
func (q *request) planOnce(plan func() (routing.Plan, error)) (routing.Plan, error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.planned {
		return q.plan, nil
	}
	made, err := plan()
	if err != nil {
		return routing.Plan{}, err
	}
	q.plan, q.planned = made, true
	return made, nil
}

// only tells whether no other attempt at the request is in flight.
func (q *request) only() bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.inFlight <= 1
}

// alone returns nil if no other attempt is in flight, else a channel that closes
// when that may have changed.
func (q *request) alone() <-chan struct{} {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.inFlight <= 1 {
		return nil
	}
	return q.changed
}

// lose notes an attempt whose stream ended before its answer had begun. Either
// the client hung up, and nothing follows; or the provider's connection was
// reset, of which no filter is told, and Envoy starts the next attempt.
func (q *request) lose(number int, candidate routing.Candidate) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.lost == nil {
		q.lost = make(map[int]routing.Candidate)
	}
	q.lost[number] = candidate
}

// takeLost returns the lost attempts that came before attempt number, each once:
// that there is a later attempt shows that the client is still there.
func (q *request) takeLost(number int) []routing.Candidate {
	q.mu.Lock()
	defer q.mu.Unlock()
	var before []routing.Candidate
	for n := 1; n < number; n++ {
		if candidate, ok := q.lost[n]; ok {
			before = append(before, candidate)
			delete(q.lost, n)
		}
	}
	return before
}

// remember keeps a failure for the client's error.
func (q *request) remember(candidate routing.Candidate, f *failure) {
	entry := previousError{
		Provider: candidate.Endpoint.Provider.Name, Model: candidate.Model.ID,
		Code: f.status, Status: http.StatusText(f.status), failure: f,
	}
	entry.Message = entry.said()
	q.mu.Lock()
	defer q.mu.Unlock()
	q.failed = append(q.failed, entry)
}

func (q *request) failures() []previousError {
	q.mu.Lock()
	defer q.mu.Unlock()
	return append([]previousError(nil), q.failed...)
}
