package identity

import (
	"testing"
	"time"
)

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
