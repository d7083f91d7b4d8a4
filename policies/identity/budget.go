package identity

import (
	"time"

	"github.com/switchyard/switchyard/policies/money"
)

// Budget is the most that may be spent in each period. The zero value is no budget.
type Budget struct {
	Amount money.USD
	Reset  Reset
	// IncludeBYOK counts towards it what providers bill their own keys for (row 164).
	IncludeBYOK bool
	// Since is when the budget came to hold, or was set otherwise than in its amount: what
	// was spent while there was none is in the ledger alone. Zero for always.
	Since time.Time `json:"-"`
}

// Reset is when a budget begins anew: at midnight in UTC, each day, on Mondays, or on
// the first of the month (spec section 1.3).
type Reset uint8

// The resets. A budget that is never reset is for good.
const (
	ResetNever Reset = iota
	ResetDaily
	ResetWeekly
	ResetMonthly
)

// String is the word of the API: "daily", "weekly" or "monthly", and "" for
// [ResetNever].
func (r Reset) String() string {
	return [...]string{"", "daily", "weekly", "monthly"}[r]
}

// Start is when the period began that holds at a time; the zero time for
// [ResetNever].
func (r Reset) Start(now time.Time) time.Time {
	now = now.UTC()
	midnight := time.Date(now.Year(), now.Month(), now.Day(), 0, 0, 0, 0, time.UTC)
	switch r {
	case ResetDaily:
		return midnight
	case ResetWeekly:
		return midnight.AddDate(0, 0, -(int(now.Weekday())+6)%7)
	case ResetMonthly:
		return midnight.AddDate(0, 0, 1-now.Day())
	}
	return time.Time{}
}

// Next is when the period ends that holds at a time; the zero time for [ResetNever].
func (r Reset) Next(now time.Time) time.Time {
	start := r.Start(now)
	switch r {
	case ResetDaily:
		return start.AddDate(0, 0, 1)
	case ResetWeekly:
		return start.AddDate(0, 0, 7)
	case ResetMonthly:
		return start.AddDate(0, 1, 0)
	}
	return time.Time{}
}
