// Package quota holds requests to their limits: so many requests, tokens and US dollars
// in a time, so many requests at once; for a key, an end user, a model, a provider, or
// all together.
//
// What a request will use is known only when it is over. It therefore reserves the most
// that it can come to before any provider is asked, and settles to the real figure
// afterwards: of any number of parallel requests none is admitted that could carry a
// limit beyond its bound. A request reserves all that it needs at once or nothing: one
// that is refused by one limit uses up no other.
//
// Windows slide: no span of time of their length has more in it than the limit, wherever
// it begins. A request counts from the moment at which it is admitted; tokens and money
// are held while it is under way and count from the moment at which it is over. Requests
// are logged one by one; for tokens and money, what is settled within a thousandth of
// the window is kept together and leaves it with the latest of them: a count is never
// too low. Budgets go by the calendar in UTC instead, and begin with what the ledger says
// was spent.
//
// A reservation lives for [Lease] and is renewed while its request does. One that its
// process never settles, because it was killed, expires; what it came to is then in the
// ledger alone. Settling an expired reservation counts the real figure all the same.
//
// Counters are in a [Store]: a [Memory] of one gateway, or a [Redis] that gateways
// share. [Limiter] is what requests use: it knows what to do when a Redis does not
// answer.
package quota

import (
	"time"

	"github.com/switchyard/switchyard/policies/identity"
	"github.com/switchyard/switchyard/policies/money"
)

// Measure is what a limit bounds.
type Measure uint8

// The measures.
const (
	// Requests count when they are admitted.
	Requests Measure = iota
	// Tokens are those of prompts and answers together.
	Tokens
	// Money is in nanodollars (1e-9 US dollars), see [Nanodollars].
	Money
	// Concurrency is the number of requests under way.
	Concurrency
)

// String is the measure's name in metrics and stores.
func (m Measure) String() string {
	return [...]string{"requests", "tokens", "money", "concurrency"}[m]
}

// Limit is the most of one measure in one name.
type Limit struct {
	// Scope says whose limit it is: "<kind>:<name>", such as "key:<hash>" or
	// "provider:openai". Limits of one scope and measure share a counter, unless they
	// are budgets of different periods.
	Scope   string
	Measure Measure
	// Most is not zero, but for money: what is not limited has no Limit. Money may be
	// less than nothing.
	Most int64
	// Window is the length of the sliding window. Zero is that of the calendar which
	// Reset names; for [Concurrency] neither counts.
	Window time.Duration
	Reset  identity.Reset
	// Of is whose spending the ledger is asked for, for a budget.
	Of Spender
	// IncludeBYOK counts towards a budget what providers bill keys of the client's own.
	IncludeBYOK bool
	// Since is when a budget came to hold, see [identity.Budget]. A counter from before it
	// missed what was spent while there was none: it goes on with what the ledger says, if
	// that is more, and keeps what requests under way hold. Zero for always.
	Since time.Time
	// Closed: requests are refused while nobody can tell whether the limit holds.
	Closed bool
}

// Spender is whose spending counts for a budget. Empty fields are everyone's, or any.
type Spender struct {
	KeyHash, User, Member, Model, Provider, Workspace, Organization string
}

// counter is the name of what counts for the limit at a time.
func (l *Limit) counter(now time.Time) string {
	name := l.Scope + "|" + l.Measure.String()
	if !l.calendar() {
		return name
	}
	if l.IncludeBYOK {
		name += "|byok" // another sum: who changes the limit's mind begins with what the ledger says
	}
	if l.Reset == identity.ResetNever {
		return name + "|total"
	}
	return name + "|" + l.Reset.String() + "|" + l.Reset.Start(now).Format(time.DateOnly)
}

// since is Since in microseconds, 0 for always.
func (l *Limit) since() int64 {
	if l.Since.IsZero() {
		return 0
	}
	return l.Since.UnixMicro()
}

// calendar reports whether the limit holds for a period, and what was used before it
// was counted here is in the ledger.
func (l *Limit) calendar() bool { return l.Window == 0 && l.Measure != Concurrency }

// Claim is what a request asks of a limit.
type Claim struct {
	Limit
	// Amount is the most that the request may come to.
	Amount int64

	name    string // of the counter
	seeded  bool   // seed is known
	seed    int64  // what was used before anyone counted
	lasting bool   // nobody could tell the seed again
}

// NewClaim claims an amount of a limit. A negative one is none.
func NewClaim(limit Limit, amount int64) Claim { return Claim{Limit: limit, Amount: max(0, amount)} }

// Actual is what a request came to.
type Actual struct {
	Tokens int64
	Money  money.USD
	// Upstream is what providers bill keys of the client's own.
	Upstream money.USD
}

// Add returns what both came to together.
func (a Actual) Add(b Actual) Actual {
	return Actual{a.Tokens + b.Tokens, a.Money.Add(b.Money), a.Upstream.Add(b.Upstream)}
}

// of is the part that counts for a limit when the request is over.
func (a Actual) of(l *Limit) int64 {
	switch l.Measure {
	case Tokens:
		return max(0, a.Tokens)
	case Money:
		if l.IncludeBYOK {
			return max(0, Nanodollars(a.Money.Add(a.Upstream)))
		}
		return max(0, Nanodollars(a.Money))
	}
	return 0
}

// Denial is a claim that does not fit, and explains itself.
type Denial struct {
	Claim Claim
	// Used is what counts already, Held what requests under way have reserved.
	Used, Held int64
	// RetryAfter is when the claim fits at the earliest, as far as can be told now;
	// zero if it never will. It is exact for requests. Where requests under way stand
	// in the way it is [heldRetry]: they may be over at any time. If nobody renews them
	// their gateway is gone, and it is when the first of their leases ends.
	RetryAfter time.Duration
	// ResetAt is when all of the limit is available again if nothing more is used.
	ResetAt time.Time
	// Unknown: the limit is closed, and nobody can tell whether it holds.
	Unknown bool
}

// Left is how much of the limit nobody has used or reserved.
func (d *Denial) Left() int64 { return max(0, d.Claim.Most-d.Used-d.Held) }

// Exhausted: the limit is used up, whatever the requests under way come to.
func (d *Denial) Exhausted() bool { return d.Used >= d.Claim.Most }

// Temporary: the claim would fit if no other request were under way.
func (d *Denial) Temporary() bool { return d.Used <= d.Claim.Most-d.Claim.Amount }

// time fills in RetryAfter and ResetAt. wait is how long the claim does not fit, not above
// zero if that cannot be told, and reset how long anything settled counts; a period of the
// calendar tells both itself.
func (d *Denial) time(wait, reset time.Duration, now time.Time) {
	d.ResetAt = now.Add(reset)
	if d.Claim.calendar() {
		d.ResetAt = d.Claim.Reset.Next(now)
	}
	switch {
	case d.Claim.Amount > d.Claim.Most: // never
	case d.Temporary():
		d.RetryAfter = heldRetry
		if wait > 0 {
			d.RetryAfter = wait
		}
	case !d.Claim.calendar():
		d.RetryAfter = wait
	case !d.ResetAt.IsZero():
		d.RetryAfter = d.ResetAt.Sub(now)
	}
}

const (
	// Lease is how long a reservation lives without being renewed.
	Lease = 20 * time.Second
	// renewEvery leaves room for two renewals that fail.
	renewEvery = Lease / 4
	// patience is how long a gateway that lives renews nothing at most, with room for it to
	// be late.
	patience = renewEvery + renewEvery/2
	// heldRetry is what is told a request that waits for others to end.
	heldRetry = time.Second
	// slack is how far the clock may go back unnoticed, as callers may come out of order.
	slack = time.Second
	// fineness is in how many parts a window is divided to keep tokens and money.
	fineness = 1024
)

// picosPerNano is how many picodollars a nanodollar is.
const picosPerNano = int64(money.Dollar) / 1e9

// Nanodollars rounds an amount up to nanodollars. All money up to the 9 million dollars
// that an amount can be is exact as such in a double, which is what scripts of Redis
// count in; picodollars are only up to 9,007.
func Nanodollars(amount money.USD) int64 {
	whole := int64(amount) / picosPerNano
	if int64(amount)%picosPerNano > 0 {
		whole++
	}
	return whole
}

// Dollars is an amount in nanodollars as money.
func Dollars(nanodollars int64) money.USD { return money.USD(picosPerNano).Mul(nanodollars) }
