package quota

import (
	"context"
	"time"
)

// Store counts for limits. All methods may be called concurrently. Errors are those of
// a store that does not answer: whether the call had an effect is then not known.
type Store interface {
	// Reserve takes all claims under an id that no other reservation has, or none.
	Reserve(ctx context.Context, id string, claims []Claim, now time.Time) (Verdict, error)
	// Settle ends a reservation, also one that has expired, and counts what it came to.
	// It may be called again after an error, within [Lease], and counts once.
	Settle(ctx context.Context, id string, claims []Claim, actual Actual, now time.Time) error
	// Release lets go of what a reservation holds of these claims, and counts nothing.
	Release(ctx context.Context, id string, claims []Claim, now time.Time) error
	// Renew has reservations live for another [Lease], and takes again, without asking,
	// what the store has lost of them.
	Renew(ctx context.Context, held []Held, now time.Time) error
	// Seed has a budget count the claim's seed at least, as what was spent. One that nobody
	// has seeded begins with it.
	Seed(ctx context.Context, claim Claim, now time.Time) error
	// Used is what counts for each claim, without what is held. What nobody has seeded
	// is -1.
	Used(ctx context.Context, claims []Claim, now time.Time) ([]int64, error)
}

// Held is a reservation under way.
type Held struct {
	ID     string
	Claims []Claim
}

// Verdict is what becomes of a reservation: it is taken if the verdict is zero.
type Verdict struct {
	// Denial is the first claim that does not fit.
	Denial *Denial
	// Unseeded are the indices of claims to limits of the calendar for which nobody
	// counts yet: the caller is to find out what was used, and to ask again.
	Unseeded []int
}
