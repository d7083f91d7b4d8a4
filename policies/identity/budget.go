package identity

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"time"

	"github.com/switchyard/switchyard/policies/money"
)

// Budget is the most that may be spent in each period. The zero value is no budget. As
// JSON it has the members of a workspace's (spec section 1.5).
type Budget struct {
	Amount money.USD `json:"limit_usd"`
	Reset  Reset     `json:"reset_interval"`
	// IncludeBYOK counts towards it what providers bill their own keys for (row 164).
	IncludeBYOK bool `json:"include_byok_in_budgets"`
	// ID is that of a workspace's budget, "" of others.
	ID string `json:"-"`
	// Since is when the budget came to hold, or was set otherwise than in its amount: what
	// was spent while there was none is in the ledger alone. Zero for always.
	Since time.Time `json:"-"`
}

// The smallest and the largest budget. Limits count in nanodollars: a finer budget could
// not be kept to.
const (
	MinBudget = money.Dollar / 1e9
	MaxBudget = 9_000_000 * money.Dollar
)

// ParseBudget reads the amount of a budget in US dollars, such as "2.50" or "4.2e-7". It
// fails for what is not from [MinBudget] to [MaxBudget], or finer than a nanodollar: no
// bound is put in the place of the one that was asked for. What programs write for want of
// decimals, such as 0.30000000000000004 for 0.1 + 0.2, is the amount that is meant. The
// error quotes the text and says what is allowed.
func ParseBudget(text string) (money.USD, error) {
	amount, err := money.Parse(text)
	if errors.Is(err, money.ErrPrecision) {
		amount, err = meant(text)
	}
	if err != nil || amount < MinBudget || amount > MaxBudget || amount%MinBudget != 0 {
		return 0, fmt.Errorf("must be a number of US dollars from %s to %s with at most 9 digits after the point, not %s", MinBudget, MaxBudget, money.Excerpt(text))
	}
	return amount, nil
}

// meant is the whole number of nanodollars that is next to a double, a few of its last
// bits away at most.
func meant(text string) (money.USD, error) {
	dollars, err := strconv.ParseFloat(text, 64)
	nanodollars := math.Round(dollars * 1e9)
	if err != nil || dollars > MaxBudget.Float64() || math.Abs(nanodollars/1e9-dollars) > math.Abs(dollars)*0x1p-50 {
		return 0, money.ErrPrecision
	}
	return MinBudget.Mul(int64(nanodollars)), nil
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
