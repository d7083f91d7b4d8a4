package identity

import "testing"

func TestResetsAreNamedAsInTheSpec(t *testing.T) {
	for name, want := range map[string]Reset{"": ResetNever, "daily": ResetDaily, "weekly": ResetWeekly, "monthly": ResetMonthly} {
		got, err := ParseReset(name)
		if err != nil || got != want || got.String() != name {
			t.Errorf("%q: %v, %v", name, got, err)
		}
	}
	if _, err := ParseReset("hourly"); err == nil {
		t.Error("hourly is a reset")
	}
}
