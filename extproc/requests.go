package extproc

import (
	"context"
	"maps"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/switchyard/switchyard/extproc/dialect"
	"github.com/switchyard/switchyard/extproc/fetch"
	"github.com/switchyard/switchyard/policies/quota"
	"github.com/switchyard/switchyard/policies/routing"
	"github.com/switchyard/switchyard/policies/usage"
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
	planning chan struct{} // holds one attempt while it makes the plan; mu is held for moments only

	mu        sync.Mutex
	inFlight  int
	waiting   int           // of inFlight, those that only wait for the others
	changed   chan struct{} // closed and replaced when an attempt ends
	ended     string        // how the request ended for the client, once an attempt said so
	forgotten bool
	lost      map[int]routing.Candidate // by the number of an attempt that ended unheard
	planned   bool
	plan      routing.Plan
	first     int           // lowest number of an attempt that this process saw
	taken     int           // candidates of the plan that an attempt took, or that were passed over
	asked     time.Time     // when the latest attempt took one, or was let go to
	hedge     time.Duration // after which another attempt may race it; zero is never
	presets   map[string]*dialect.Preset
	reading   chan struct{} // holds one attempt while it reads files; guards filesRead and filesErr
	filesRead *filesRead
	filesErr  error
	fetching  chan struct{}  // holds one attempt while it fetches
	fetches   *fetch.Request // nil before the first; fetching guards it and found
	found     map[dialect.Remote]dialect.Media
	unfetched []dialect.Remote // not to be had together, for the reason in fetchErr
	fetchErr  error
	failed    []previousError
	echoed    []echo
	kept      share // what found, filesRead and echoed take of memory while no attempt is at work

	over         func()            // ends the request, while another attempt may still follow
	expire       *time.Timer       // does so when none has; nil before that
	generation   *usage.Generation // what the ledger will be told; nil while no attempt is over
	content      *usage.Content    // what was said; nil if that is not kept
	served       bool              // content has an answer that the client got whole
	reservations []*quota.Reservation
	covered      quota.Actual // what attempts came to that has been reserved beside the plan
}

// rememberFor is how long a request that nobody works on is kept: the time that
// Envoy may take to start the next attempt, and ample.
const rememberFor = 30 * time.Second

func newRequests() *requests { return &requests{byID: make(map[string]*request)} }

// enter notes an attempt, by its number, as in flight.
func (r *requests) enter(id string, number int) *request {
	r.mu.Lock()
	defer r.mu.Unlock()
	q := r.byID[id]
	if q == nil {
		q = &request{planning: make(chan struct{}, 1), fetching: make(chan struct{}, 1), reading: make(chan struct{}, 1), changed: make(chan struct{})}
		if id != "" { // else nothing tells two requests apart
			r.byID[id] = q
		}
	}
	q.mu.Lock()
	q.inFlight++
	q.kept.release() // the attempt counts what it finds as its own
	if q.expire != nil {
		q.expire.Stop()
	}
	if q.first == 0 || number < q.first {
		q.first = number
	}
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
	q.change()
	if idle && final == "" {
		q.over = func() {
			if r.forget(id, q) {
				over(outcomeCancelled)
			}
		}
		q.expire = time.AfterFunc(rememberFor, q.over)
	}
	q.mu.Unlock()
	// One may have entered meanwhile: the request ends with that one.
	if idle && final != "" && r.forget(id, q) {
		over(final)
	}
}

// flush ends the requests that wait for another attempt. None comes any more.
func (r *requests) flush() {
	r.mu.Lock()
	waiting := slices.Collect(maps.Values(r.byID))
	r.mu.Unlock()
	for _, q := range waiting {
		q.mu.Lock()
		over := q.over
		q.mu.Unlock()
		if over != nil {
			over()
		}
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
	q.kept.release()
	if r.byID[id] == q {
		delete(r.byID, id)
	}
	return true
}

// planOnce returns the request's plan, making it if no attempt has: later
// attempts must follow the order that the first one saw, although the failure
// they follow has changed the statistics since.
func (q *request) planOnce(plan func() (routing.Plan, error)) (routing.Plan, error) {
	q.planning <- struct{}{}
	defer func() { <-q.planning }()
	q.mu.Lock()
	made, planned := q.plan, q.planned
	q.mu.Unlock()
	if planned {
		return made, nil
	}
	made, err := plan()
	if err != nil {
		return routing.Plan{}, err
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	q.plan, q.planned = made, true
	return made, nil
}

// preset returns the preset of a slug, as the first attempt found it: later ones must
// send the body that was planned for. Nil is no preset.
func (q *request) preset(slug string, find func() (dialect.Preset, bool)) *dialect.Preset {
	q.mu.Lock()
	defer q.mu.Unlock()
	if found, known := q.presets[slug]; known {
		return found
	}
	if q.presets == nil {
		q.presets = make(map[string]*dialect.Preset, 1)
	}
	if preset, ok := find(); ok {
		q.presets[slug] = &preset
	} else {
		q.presets[slug] = nil
	}
	return q.presets[slug]
}

// media returns what stands at the URLs of pieces, and fetches what no earlier attempt
// has. What could not be fetched for one attempt is not to be had for the others.
func (q *request) media(ctx context.Context, pieces []dialect.Remote, fetch func([]dialect.Remote) (map[dialect.Remote]dialect.Media, error)) (map[dialect.Remote]dialect.Media, error) {
	select {
	case q.fetching <- struct{}{}:
		defer func() { <-q.fetching }()
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	all := make(map[dialect.Remote]dialect.Media, len(pieces))
	var missing []dialect.Remote
	for _, piece := range pieces {
		if media, known := q.found[piece]; known {
			all[piece] = media
		} else {
			missing = append(missing, piece)
		}
	}
	if len(missing) == 0 {
		return all, nil
	}
	if q.fetchErr != nil && !slices.ContainsFunc(q.unfetched, func(piece dialect.Remote) bool { return !slices.Contains(missing, piece) }) {
		return nil, q.fetchErr
	}
	fetched, err := fetch(missing)
	if err != nil {
		if ctx.Err() == nil {
			q.unfetched, q.fetchErr = missing, err
		}
		return nil, err
	}
	maps.Copy(all, fetched)
	if q.found == nil {
		q.found = make(map[dialect.Remote]dialect.Media, len(fetched))
	}
	maps.Copy(q.found, fetched)
	return all, nil
}

// keep takes over what an attempt holds of memory that another one is to follow, if that
// is for more than itself. It is for the last attempt at work, before it leaves.
func (q *request) keep(held *share) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.inFlight == 1 && q.keeps() {
		held.pass(&q.kept)
	}
}

// keeps tells whether anything is kept for the next attempt that takes memory. The caller
// holds the lock, and no other attempt is at work.
func (q *request) keeps() bool { return q.found != nil || q.filesRead != nil || q.echoed != nil }

// drop gives up what takes memory: an attempt that comes so late fetches and reads anew,
// and echoes itself alone. The caller holds the lock, and no attempt is at work.
func (q *request) drop() {
	q.found, q.filesRead, q.echoed = nil, nil, nil
	q.kept.release()
}

// turn lets an attempt go on that Envoy started beside another one. The attempt has
// said that it waits; where it may go on it no longer does, and changed is nil. Else
// it asks again when changed closes, or after wait if that is not zero.
//
// One attempt goes at a time: the next one counts from there.
func (q *request) turn(now time.Time) (wait time.Duration, changed <-chan struct{}) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.inFlight > q.waiting {
		if q.asked.IsZero() || q.hedge == 0 {
			return 0, q.changed
		}
		if wait := q.asked.Add(q.hedge).Sub(now); wait > 0 {
			return wait, q.changed
		}
	}
	q.waiting--
	q.asked = now
	q.change()
	return 0, nil
}

// take picks an attempt's candidate, if one is left, and tells whether it
// is the last. Attempts that this process did not see were another replica's, and
// took a candidate each. hedge is when another attempt may race this one; zero is
// never.
func (q *request) take(hedge time.Duration) (candidate routing.Candidate, last, ok bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	place := max(q.taken, q.first-1)
	q.taken = place + 1
	q.asked, q.hedge = time.Now(), hedge
	q.change()
	if place >= len(q.plan.Candidates) {
		return routing.Candidate{}, true, false
	}
	return q.plan.Candidates[place], place == len(q.plan.Candidates)-1, true
}

// change wakes those that wait for others. The caller holds the lock.
func (q *request) change() {
	close(q.changed)
	q.changed = make(chan struct{})
}

// passOver leaves out all candidates that are left of a model: what was wrong with
// the request for one endpoint of it is wrong for all.
func (q *request) passOver(modelID string) {
	q.mu.Lock()
	defer q.mu.Unlock()
	taken := min(q.taken, len(q.plan.Candidates))
	left := slices.Clone(q.plan.Candidates[taken:])
	left = slices.DeleteFunc(left, func(c routing.Candidate) bool { return c.Model.ID == modelID })
	q.plan.Candidates = slices.Concat(q.plan.Candidates[:taken], left)
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
			q.discharge(n)
		}
	}
	return before
}

// remember keeps a failure for the client's error.
func (q *request) remember(candidate routing.Candidate, f *failure) {
	entry := previousError{
		Provider: candidate.Endpoint.Provider.Name, Model: candidate.Model.ID,
		Code: f.status, Status: http.StatusText(f.status), failure: f, own: candidate.OwnKey != nil,
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
