package quota

import (
	"context"
	"crypto/rand"
	"errors"
	"log/slog"
	"maps"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/singleflight"

	"github.com/switchyard/switchyard/policies/money"
	"github.com/switchyard/switchyard/policies/redis"
)

// Options are the parts that a Limiter works with.
type Options struct {
	// Store counts. Nil is a [Memory].
	Store Store
	// Spent tells what was spent under a budget from a time on. It may ask a database, and
	// take long: that is done a few times for each budget and period, not for each request.
	// Nil knows of nothing.
	Spent func(ctx context.Context, budget Limit, since time.Time) (money.USD, error)
	// Bound ends a context when a request has waited long enough for the store. Nil
	// does not.
	Bound func(context.Context) (context.Context, context.CancelFunc)
	// Log is told when an outage of the store begins and ends. Default: slog.Default().
	Log *slog.Logger
}

// Limiter holds requests to their limits. All methods may be called concurrently.
type Limiter struct {
	options Options
	// own counts while the store does not answer, and is the store of a gateway that
	// has no other.
	own      *Memory
	breaker  redis.Breaker
	failures atomic.Int64
	seeding  singleflight.Group
	asking   chan struct{}   // has room for those who ask the ledger
	due      chan struct{}   // something in seeds is not to wait
	answered chan struct{}   // an outage is over, in which leases may have ended
	serving  context.Context // ends with Run
	stop     context.CancelFunc
	refused  refusals
	process  string
	issued   atomic.Uint64

	mu      sync.Mutex
	live    map[string]*Reservation
	pending []settlement // what the store has not taken yet
	seeds   []seeded     // counters that began lately, or are to be corrected
	// rechecked are the budgets that were used since the last Recheck. Nil before the first.
	rechecked map[string]struct{}
}

// settlement is a reservation that is over, and the store does not know it.
type settlement struct {
	id     string
	claims []Claim
	actual Actual
}

// mostPending bounds what is kept for a store that does not answer. What is beyond it is in
// the ledger, but no longer in the store's counters.
const mostPending = 100_000

// New returns a limiter. Its [Limiter.Run] renews reservations.
func New(options Options) *Limiter {
	l := &Limiter{options: options, own: NewMemory(), process: rand.Text(), live: make(map[string]*Reservation), asking: make(chan struct{}, seedsAtOnce), due: make(chan struct{}, 1), answered: make(chan struct{}, 1)}
	l.serving, l.stop = context.WithCancel(context.Background())
	if l.options.Store == nil {
		l.options.Store = l.own
	}
	if l.options.Bound == nil {
		l.options.Bound = func(ctx context.Context) (context.Context, context.CancelFunc) { return ctx, func() {} }
	}
	if l.options.Log == nil {
		l.options.Log = slog.Default()
	}
	return l
}

// Failures is how many calls the store did not answer in time.
func (l *Limiter) Failures() int64 { return l.failures.Load() }

// Outage reports whether the store did not answer lately.
func (l *Limiter) Outage() bool { return l.breaker.Open() }

// Live is how many reservations are under way.
func (l *Limiter) Live() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.live)
}

// Waiting is how many settlements the store has not taken yet.
func (l *Limiter) Waiting() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.pending)
}

// errUnknown: a closed limit cannot be judged.
var errUnknown = errors.New("quota: nobody can tell whether the limit holds")

// Refused is a denial that still holds of an earlier request, nil if there is none: a
// request to one of the limits is then refused without asking the store.
func (l *Limiter) Refused(limits []Limit, now time.Time) *Denial {
	return l.refused.find(limits, now)
}

// Reserve reserves all claims, or none and explains the first that does not fit. It
// asks the store once. Claims to limits that the store cannot judge, because it does
// not answer, are refused if they are closed; the others are judged by this gateway's
// own count. No claims are always granted.
func (l *Limiter) Reserve(ctx context.Context, claims []Claim, now time.Time) (*Reservation, *Denial) {
	if len(claims) == 0 {
		return nil, nil
	}
	for i := range claims {
		claims[i].name = claims[i].counter(now)
		claims[i].lasting = l.options.Spent == nil || claims[i].Measure != Money // the ledger tells of money alone
	}
	r := &Reservation{limiter: l, store: l.options.Store, id: l.process + strconv.FormatUint(l.issued.Add(1), 36), claims: claims}
	denial, err := l.reserveIn(ctx, r, now)
	if err != nil && ctx.Err() == nil {
		if denial = l.closed(claims); denial == nil && r.store != Store(l.own) {
			// A budget that is open goes by what this gateway knows of.
			r.store = l.own
			denial, err = l.reserveIn(ctx, r, now)
		}
		if denial == nil && err != nil {
			denial = unknown(&claims[0])
		}
	}
	if denial != nil {
		l.refused.note(denial, now)
		return nil, denial
	}
	l.mu.Lock()
	l.live[r.id] = r
	l.recheck(r.store, claims, now)
	l.mu.Unlock()
	return r, nil
}

// closed is the first claim that must not be granted unjudged.
func (l *Limiter) closed(claims []Claim) *Denial {
	for i := range claims {
		if claims[i].Closed {
			return unknown(&claims[i])
		}
	}
	return nil
}

func unknown(claim *Claim) *Denial {
	return &Denial{Claim: *claim, Unknown: true, RetryAfter: redis.Pause}
}

// reserveIn asks the reservation's store. A claim for which nobody counts yet is asked
// again with what the ledger knows.
func (l *Limiter) reserveIn(ctx context.Context, r *Reservation, now time.Time) (*Denial, error) {
	for range len(r.claims) + 1 {
		var verdict Verdict
		err := l.call(ctx, r.store, now, func(ctx context.Context) (err error) {
			verdict, err = r.store.Reserve(ctx, r.id, r.claims, now)
			return err
		})
		if err != nil || verdict.Unseeded == nil {
			return verdict.Denial, err
		}
		if r.store != Store(l.own) {
			// If it has lost its counters, it has lost what is held of them too.
			if err := l.renew(ctx, now); err != nil {
				return nil, err
			}
		}
		for _, i := range verdict.Unseeded {
			if err := l.seed(ctx, r.store, &r.claims[i], now); err != nil {
				return nil, err
			}
		}
	}
	return nil, errUnknown
}

// call asks a store and takes in whether it answered. The limiter's own never fails.
func (l *Limiter) call(ctx context.Context, store Store, now time.Time, ask func(context.Context) error) error {
	if store == Store(l.own) {
		return ask(ctx)
	}
	if !l.breaker.Allow(now) {
		return errUnknown
	}
	bounded, cancel := l.options.Bound(ctx)
	defer cancel()
	err := ask(bounded)
	switch {
	case ctx.Err() != nil: // the client hung up, which says nothing of the store
	case err == nil:
		if l.breaker.Answered() {
			l.options.Log.Info("Redis answers again: limits are kept by all gateways together")
			select {
			case l.answered <- struct{}{}:
			default:
			}
		}
	default:
		l.failures.Add(1)
		if l.breaker.Failed(now) {
			l.options.Log.Warn("Redis does not answer: limits are kept by each gateway alone, and closed ones refuse", "error", err.Error())
		}
	}
	return err
}

// Used is what counts for a limit, without what is held.
func (l *Limiter) Used(ctx context.Context, limit Limit, now time.Time) (int64, error) {
	claims := []Claim{{Limit: limit, name: limit.counter(now)}}
	var used []int64
	err := l.call(ctx, l.options.Store, now, func(ctx context.Context) (err error) {
		used, err = l.options.Store.Used(ctx, claims, now)
		return err
	})
	if err != nil {
		return 0, err
	}
	if used[0] >= 0 {
		l.mu.Lock()
		l.recheck(l.options.Store, claims, now)
		l.mu.Unlock()
		return used[0], nil
	}
	if err := l.seed(ctx, l.options.Store, &claims[0], now); err != nil {
		return 0, err
	}
	return claims[0].seed, nil
}

// Run renews reservations, and tells the store what it has missed, until ctx ends. The
// ledger is not asked any more then.
func (l *Limiter) Run(ctx context.Context) {
	var beside sync.WaitGroup
	defer beside.Wait()
	beside.Go(func() { l.correct(ctx) })
	for {
		select {
		case <-ctx.Done():
			l.stop()
			last, cancel := context.WithTimeout(context.WithoutCancel(ctx), seedWithin)
			l.settlePending(last, time.Now())
			cancel()
			return
		case <-l.answered:
		case <-time.After(renewEvery):
		}
		now := time.Now()
		_ = l.renew(ctx, now) // counted and logged; the next one is soon
		l.settlePending(ctx, now)
	}
}

// renewAtOnce is how many reservations are renewed in one call of the store.
const renewAtOnce = 200

// renew renews what is under way, each reservation in its store.
func (l *Limiter) renew(ctx context.Context, now time.Time) error {
	stores := make(map[Store][]*Reservation, 2)
	l.mu.Lock()
	for _, r := range l.live {
		stores[r.store] = append(stores[r.store], r)
	}
	l.mu.Unlock()
	for store, live := range stores {
		for some := range slices.Chunk(live, renewAtOnce) {
			if err := l.renewIn(ctx, store, some, now); err != nil {
				return err
			}
		}
	}
	return nil
}

func (l *Limiter) renewIn(ctx context.Context, store Store, live []*Reservation, now time.Time) error {
	held := make([]Held, 0, len(live))
	for _, r := range live {
		if claims := r.holding(); len(claims) > 0 {
			held = append(held, Held{r.id, claims})
		}
	}
	err := l.call(ctx, store, now, func(ctx context.Context) error { return store.Renew(ctx, held, now) })
	if err != nil {
		return err
	}
	for _, r := range live {
		// What ended meanwhile may have been taken again.
		if gone := r.gone(); len(gone) > 0 {
			_ = l.call(ctx, store, now, func(ctx context.Context) error { return store.Release(ctx, r.id, gone, now) })
		}
	}
	return nil
}

// settlePending tells the store what it did not take when it was over.
func (l *Limiter) settlePending(ctx context.Context, now time.Time) {
	l.mu.Lock()
	pending := l.pending
	l.pending = nil
	l.mu.Unlock()
	budgets := make(map[string]Claim)
	defer func() {
		l.mu.Lock()
		defer l.mu.Unlock()
		l.askSoon(l.options.Store, slices.Collect(maps.Values(budgets)), now)
	}()
	for i, s := range pending {
		if err := l.settleLate(ctx, s, budgets, now); err != nil {
			l.mu.Lock()
			l.pending = append(pending[i:], l.pending...)
			l.mu.Unlock()
			return
		}
	}
}

// settleLate settles what the store did not take in time. What it came to in money the ledger
// is to tell, for the budgets that are added: the store may have lost its counters meanwhile,
// and have begun them with that sum. A gateway that stops asks nobody any more.
func (l *Limiter) settleLate(ctx context.Context, s settlement, budgets map[string]Claim, now time.Time) error {
	var told, others []Claim
	for _, claim := range s.claims {
		if claim.Measure == Money && !claim.lasting && l.serving.Err() == nil {
			told = append(told, claim)
		} else {
			others = append(others, claim)
		}
	}
	if len(told) > 0 {
		err := l.call(ctx, l.options.Store, now, func(ctx context.Context) error { return l.options.Store.Release(ctx, s.id, told, now) })
		if err != nil {
			return err
		}
		for _, claim := range told {
			budgets[claim.name] = claim
		}
	}
	if len(others) == 0 {
		return nil
	}
	return l.settleIn(ctx, l.options.Store, settlement{s.id, others, s.actual}, now)
}

func (l *Limiter) settleIn(ctx context.Context, store Store, s settlement, now time.Time) error {
	return l.call(ctx, store, now, func(ctx context.Context) error {
		return store.Settle(ctx, s.id, s.claims, s.actual, now)
	})
}

// Reservation is what a request has reserved. Nil is a reservation of nothing. Its
// methods may be called concurrently.
type Reservation struct {
	limiter *Limiter
	store   Store
	id      string
	claims  []Claim

	mu       sync.Mutex
	released bool // its concurrency
	settled  bool
}

// holding is what is to be renewed.
func (r *Reservation) holding() []Claim {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.claimsWhere(func(c *Claim) bool {
		return !r.settled && c.Measure != Requests && (c.Measure != Concurrency || !r.released)
	})
}

// gone is what is no longer held.
func (r *Reservation) gone() []Claim {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.claimsWhere(func(c *Claim) bool {
		return c.Measure != Requests && (r.settled || c.Measure == Concurrency && r.released)
	})
}

func (r *Reservation) claimsWhere(fits func(*Claim) bool) []Claim {
	var found []Claim
	for i := range r.claims {
		if fits(&r.claims[i]) {
			found = append(found, r.claims[i])
		}
	}
	return found
}

// Release frees the request's place among those under way, while what it used is not
// known yet.
func (r *Reservation) Release(ctx context.Context, now time.Time) {
	if r == nil {
		return
	}
	places := r.claimsWhere(func(c *Claim) bool { return c.Measure == Concurrency })
	r.mu.Lock()
	again := r.released || r.settled || len(places) == 0
	r.released = true
	r.mu.Unlock()
	if !again {
		_ = r.limiter.call(context.WithoutCancel(ctx), r.store, now, func(ctx context.Context) error {
			return r.store.Release(ctx, r.id, places, now)
		})
	}
}

// Settle ends the reservation and counts what the request came to. Only the first call
// has an effect. It outlives ctx, since the client may hang up as soon as it has its
// answer. What the store does not take now it is told later.
func (r *Reservation) Settle(ctx context.Context, actual Actual, now time.Time) {
	if r == nil {
		return
	}
	r.mu.Lock()
	again := r.settled
	r.settled = true
	r.mu.Unlock()
	if again {
		return
	}
	l := r.limiter
	l.mu.Lock()
	delete(l.live, r.id)
	l.mu.Unlock()
	over := r.claimsWhere(func(c *Claim) bool { return c.Measure != Requests })
	if len(over) == 0 {
		return
	}
	ctx = context.WithoutCancel(ctx)
	s := settlement{r.id, over, actual}
	if r.store == Store(l.own) {
		_ = l.settleIn(ctx, r.store, s, now) // it never fails
		if l.options.Store == Store(l.own) {
			return
		}
		// It was judged alone, and counts for all.
		s.claims = r.claimsWhere(func(c *Claim) bool { return c.Measure == Tokens || c.Measure == Money })
		if len(s.claims) == 0 {
			return
		}
	}
	if l.settleIn(ctx, l.options.Store, s, now) != nil {
		l.mu.Lock()
		defer l.mu.Unlock()
		if len(l.pending) < mostPending {
			l.pending = append(l.pending, s)
		}
	}
}

// refusals remembers denials that nothing but time ends.
type refusals struct {
	mu    sync.RWMutex
	until map[Limit]refusal
}

type refusal struct {
	denial Denial
	until  time.Time
}

// mostRefusals bounds what is remembered; it is a shortcut, and may be forgotten.
const mostRefusals = 10_000

// note remembers a denial of a request by its number alone: others depend on the
// request's size, or on what is under way.
func (r *refusals) note(d *Denial, now time.Time) {
	if d.Claim.Measure != Requests || d.RetryAfter <= 0 || d.Unknown {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.until == nil {
		r.until = make(map[Limit]refusal)
	}
	if len(r.until) >= mostRefusals {
		maps.DeleteFunc(r.until, func(_ Limit, known refusal) bool { return !now.Before(known.until) })
		if len(r.until) >= mostRefusals {
			return
		}
	}
	r.until[d.Claim.Limit] = refusal{*d, now.Add(d.RetryAfter)}
}

func (r *refusals) find(limits []Limit, now time.Time) *Denial {
	r.mu.RLock()
	defer r.mu.RUnlock()
	if len(r.until) == 0 {
		return nil
	}
	for _, limit := range limits {
		if known, ok := r.until[limit]; ok && now.Before(known.until) {
			denial := known.denial
			denial.RetryAfter = known.until.Sub(now)
			return &denial
		}
	}
	return nil
}
