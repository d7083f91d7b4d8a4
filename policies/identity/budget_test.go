package identity

import (
	"strings"
	"testing"
	"time"

	"github.com/switchyard/switchyard/policies/money"
)

// What cannot be kept to exactly is refused: another bound in its place would be a surprise.
func TestBudgetsThatCannotBeKept(t *testing.T) {
	for text, want := range map[string]money.USD{"0.000000001": MinBudget, "9000000": MaxBudget, "2.50": 5 * money.Dollar / 2, "4.2e-7": 420_000, "0.30000000000000004": 3 * money.Dollar / 10, "1.1000000000000001": 11 * money.Dollar / 10} {
		if got, err := ParseBudget(text); err != nil || got != want {
			t.Errorf("%s: %s, %v", text, got, err)
		}
	}
	for _, text := range []string{"1e30", "-1", "0", "0.0000000001", "0.3000000000001", "1e-300", "99999999999.0000000000000001", "9000000.000000001", "NaN", "Infinity", "1e99999", `"1"`, "null", ""} {
		_, err := ParseBudget(text)
		if want := "must be a number of US dollars from 0.000000001 to 9000000 with at most 9 digits after the point, not " + text; err == nil || err.Error() != want {
			t.Errorf("%s: %v", text, err)
		}
	}
	if _, err := ParseBudget(strings.Repeat("9", 1<<20)); len(err.Error()) > 200 {
		t.Errorf("an error of %d bytes", len(err.Error()))
	}
}

func TestRow163PeriodsAreThoseOfUTC(t *testing.T) {
	at := func(text string) time.Time {
		parsed, err := time.Parse(time.RFC3339, text)
		if err != nil {
			t.Fatal(err)
		}
		return parsed
	}
	for _, test := range []struct {
		reset             Reset
		now, start, ended string
	}{
		{ResetDaily, "2026-11-28T23:59:59Z", "2026-11-28T00:00:00Z", "2026-11-29T00:00:00Z"},
		{ResetDaily, "2026-11-29T00:00:00Z", "2026-11-29T00:00:00Z", "2026-11-30T00:00:00Z"},
		{ResetDaily, "2026-11-29T01:00:00+02:00", "2026-11-28T00:00:00Z", "2026-11-29T00:00:00Z"},
		{ResetWeekly, "2026-11-29T12:00:00Z", "2026-11-23T00:00:00Z", "2026-11-30T00:00:00Z"}, // a Sunday
		{ResetWeekly, "2026-11-30T00:00:00Z", "2026-11-30T00:00:00Z", "2026-12-07T00:00:00Z"}, // a Monday
		{ResetMonthly, "2026-12-31T23:59:59Z", "2026-12-01T00:00:00Z", "2027-01-01T00:00:00Z"},
		{ResetMonthly, "2028-02-29T00:00:00Z", "2028-02-01T00:00:00Z", "2028-03-01T00:00:00Z"},
	} {
		now := at(test.now)
		if start, next := test.reset.Start(now), test.reset.Next(now); !start.Equal(at(test.start)) || !next.Equal(at(test.ended)) {
			t.Errorf("%d at %s: from %v until %v", test.reset, test.now, start, next)
		}
	}
	if now := time.Now(); !ResetNever.Start(now).IsZero() || !ResetNever.Next(now).IsZero() {
		t.Error("a budget for good has a period")
	}
}
