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
	mu        sync.Mutex
	inFlight  int
	waiting   int           // of inFlight, those that only wait for the others
	changed   chan struct{} // closed and replaced when an attempt ends
	ended     string        // how the request ended for the client, once an attempt said so
	forgotten bool
	lost      map[int]routing.Candidate // by the number of an attempt that ended unheard
	planned   bool
	plan      routing.Plan
	taken     int       // candidates of the plan that have had their attempt, or were passed over
	asked     time.Time // when the latest attempt began to work
	failed    []previousError
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
		if id != "" { // else nothing tells two requests apart
			r.byID[id] = q
		}
	}
	q.mu.Lock()
	q.inFlight++
	q.mu.Unlock()
	return q
}

// leave notes that an attempt is over, and how it ended. more says that Envoy
// may start another one behind it. over is called once for each request, with
// how it ended for the client, when its last attempt is over: at once, or some
// time after an attempt that another one was to follow but none did.
func (r *requests) leave(id string, q *request, ended string, more bool, over func(ended string)) {
	if q == nil {
		over(ended)
		return
	}
	q.mu.Lock()
	q.inFlight--
	idle := q.inFlight == 0
	// The loser of a hedge is cancelled behind the winner: its word is not final.
	if !more && (q.ended == "" || q.ended == outcomeCancelled) {
		q.ended = ended
	}
	final := q.ended
	close(q.changed)
	q.changed = make(chan struct{})
	q.mu.Unlock()
	switch {
	case !idle:
	case final != "":
		r.forget(id, q)
		over(final)
	default:
		time.AfterFunc(rememberFor, func() {
			if r.forget(id, q) {
				over(outcomeCancelled)
			}
		})
	}
}

// forget drops a request that nobody works on. It reports whether it did.
func (r *requests) forget(id string, q *request) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.inFlight > 0 || q.forgotten {
		return false
	}
	q.forgotten = true
	if r.byID[id] == q {
		delete(r.byID, id)
	}
	return true
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

// take picks the candidate of attempt number and returns its place in the plan,
// which may be beyond its end. Where this process saw no earlier attempt, another
// replica did: it took as many candidates as there were attempts.
func (q *request) take(number int) int {
	q.mu.Lock()
	defer q.mu.Unlock()
	place := q.taken
	if place == 0 {
		place = number - 1
	}
	q.taken = place + 1
	q.asked = time.Now()
	return place
}

// passOver leaves out the candidates that follow and are of the same model: what
// was wrong with the request for one endpoint of it is wrong for all.
func (q *request) passOver(modelID string) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for q.taken < len(q.plan.Candidates) && q.plan.Candidates[q.taken].Model.ID == modelID {
		q.taken++
	}
}

// otherModelLeft tells whether a candidate of another model is left.
func (q *request) otherModelLeft(modelID string) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	for _, candidate := range q.plan.Candidates[min(q.taken, len(q.plan.Candidates)):] {
		if candidate.Model.ID != modelID {
			return true
		}
	}
	return false
}

// askedAt is when the latest attempt began to work.
func (q *request) askedAt() time.Time {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.asked
}

// only tells whether no other attempt at the request is at work.
func (q *request) only() bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.inFlight-q.waiting <= 1
}

// wait says that an attempt has nothing to do but to wait for the others. Two
// such attempts must not wait for each other.
func (q *request) wait() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.waiting++
}

// resume takes wait back.
func (q *request) resume() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.waiting--
}

// working returns nil if no attempt is at work, else a channel that closes when
// that may have changed.
func (q *request) working() <-chan struct{} {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.inFlight == q.waiting {
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
