package quota

import (
	"context"
	"strconv"
	"time"

	"github.com/switchyard/switchyard/policies/money"
)

const (
	// seedWithin bounds how long a request waits for what was spent, which is asked once in
	// a period. The ledger has longer: the next request finds what it says then.
	seedWithin = 2 * time.Second
	seedAtMost = 10 * time.Minute
	// seedsAtOnce bounds how much of the database's time is theirs.
	seedsAtOnce = 2
	// mostSeeds bounds what is asked again. What is beyond it is in the ledger, but not in
	// the store's counters.
	mostSeeds = 100_000
	// mostRechecked bounds for how many budgets it is known that they are asked again.
	mostRechecked = 100_000
)

// askAgain is how long after a budget's counter has begun the ledger is asked again, twice;
// for one that counted before and may have missed something, at once too. Requests that were
// under way then are held in no counter of its, or in one that is gone: that of a process
// before, or of the limit as it was. What they come to is in the ledger.
var askAgain = [...]time.Duration{0, time.Minute, 10 * time.Minute}

// seeded is a counter that has begun.
type seeded struct {
	claim  Claim
	store  Store
	period time.Time // its beginning
	at     time.Time
	asked  int // how often since
}

// seed finds out what was spent before anyone counted.
func (l *Limiter) seed(ctx context.Context, store Store, claim *Claim, now time.Time) error {
	if l.options.Spent == nil || claim.Measure != Money {
		claim.seeded = true
		return nil
	}
	asked := *claim
	found := l.seeding.DoChan(claim.name+strconv.FormatInt(claim.since(), 36), func() (any, error) { return l.ask(context.WithoutCancel(ctx), store, asked, now) })
	waiting, cancel := context.WithTimeout(ctx, seedWithin)
	defer cancel()
	select {
	case <-waiting.Done():
		return waiting.Err()
	case told := <-found:
		if told.Err != nil {
			return told.Err
		}
		claim.seed, claim.seeded = told.Val.(int64), true
	}
	return nil
}

// ask asks the ledger for all who wait, of whom the first may hang up. If it takes so long
// that nobody waits any more, the store has the answer.
func (l *Limiter) ask(ctx context.Context, store Store, claim Claim, now time.Time) (int64, error) {
	late := time.AfterFunc(seedWithin, func() {
		l.options.Log.Warn("the ledger takes long to tell what was spent under a budget; who has it is refused until it does", "scope", claim.Scope)
	})
	defer late.Stop()
	began, period := time.Now(), claim.Reset.Start(now)
	spent, err := l.spent(ctx, claim.Limit, period)
	if err != nil {
		l.options.Log.Error("the ledger does not tell what was spent under a budget", "scope", claim.Scope, "error", err.Error())
		return 0, err
	}
	claim.seed, claim.seeded = Nanodollars(spent), true
	if took := time.Since(began); took >= seedWithin {
		if err := l.seedIn(ctx, store, claim, now.Add(took)); err != nil {
			return 0, err
		}
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.seeds) < mostSeeds {
		l.seeds = append(l.seeds, seeded{claim: claim, store: store, period: period, at: now, asked: 1})
	}
	return claim.seed, nil
}

// Recheck has the ledger asked again what was spent under each budget, when it is next used
// and beside that request: while a budget was not in force nobody counted for it. Until the
// answer is there, which takes as long as the ledger does, the counter holds as it was.
func (l *Limiter) Recheck() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.rechecked = make(map[string]struct{})
}

// recheck has the ledger asked again for budgets that are used for the first time since
// [Limiter.Recheck]. The caller holds the lock.
func (l *Limiter) recheck(store Store, claims []Claim, now time.Time) {
	if l.rechecked == nil || l.options.Spent == nil {
		return
	}
	for i := range claims {
		name := claims[i].name
		if _, known := l.rechecked[name]; known || claims[i].Measure != Money || len(l.rechecked) >= mostRechecked {
			continue
		}
		l.rechecked[name] = struct{}{}
		l.askSoon(store, claims[i:i+1], now)
	}
}

// askSoon has the ledger asked what was spent under budgets, beside requests. The caller
// holds the lock.
func (l *Limiter) askSoon(store Store, budgets []Claim, now time.Time) {
	for _, claim := range budgets[:min(len(budgets), max(0, mostSeeds-len(l.seeds)))] {
		l.seeds = append(l.seeds, seeded{claim: claim, store: store, period: claim.Reset.Start(now), at: now})
	}
	select {
	case l.due <- struct{}{}:
	default:
	}
}

// spent is what the ledger says, of which not too much is asked at once.
func (l *Limiter) spent(ctx context.Context, budget Limit, since time.Time) (money.USD, error) {
	ctx, cancel := context.WithTimeout(ctx, seedAtMost)
	defer cancel()
	defer context.AfterFunc(l.serving, cancel)()
	select {
	case <-ctx.Done():
		return 0, ctx.Err()
	case l.asking <- struct{}{}:
	}
	defer func() { <-l.asking }()
	return l.options.Spent(ctx, budget, since)
}

func (l *Limiter) seedIn(ctx context.Context, store Store, claim Claim, now time.Time) error {
	return l.call(ctx, store, now, func(ctx context.Context) error { return store.Seed(ctx, claim, now) })
}

// correct asks again until ctx ends.
func (l *Limiter) correct(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-l.due:
		case <-time.After(askAgain[1]):
		}
		l.seedAgain(ctx, time.Now())
	}
}

// seedAgain asks the ledger again for counters that began a while ago. What it knows is
// the least that counts: what it does not know yet counts all the same.
func (l *Limiter) seedAgain(ctx context.Context, now time.Time) {
	l.mu.Lock()
	var due, later []seeded
	for _, s := range l.seeds {
		if now.Before(s.at.Add(askAgain[s.asked])) {
			later = append(later, s)
		} else {
			due = append(due, s)
		}
	}
	l.seeds = later
	l.mu.Unlock()
	for _, s := range due {
		spent, err := l.spent(ctx, s.claim.Limit, s.period)
		if err == nil {
			s.claim.seed = Nanodollars(spent)
			err = l.seedIn(ctx, s.store, s.claim, now)
		}
		if err == nil {
			s.asked++
		}
		if s.asked < len(askAgain) {
			l.mu.Lock()
			l.seeds = append(l.seeds, s)
			l.mu.Unlock()
		}
	}
}
