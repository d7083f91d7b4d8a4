package byok

import (
	"testing"

	"github.com/switchyard/switchyard/policies/money"
)

func TestFee(t *testing.T) {
	for _, test := range []struct {
		percent    float64
		list, want money.USD
	}{
		{0, money.Max, 0},
		{5, money.Dollar, money.Dollar / 20},
		{5, 1, 1}, // rounded up
		{5, 20, 1},
		{5, 21, 2},
		{0.0001, 1_000_000, 1},
		{12.5, money.Dollar, money.Dollar / 8},
		{100, money.Max, money.Max},
		{5, 0, 0},
		{5, -1, 0},
	} {
		if got := FeePercent(test.percent).Of(test.list); got != test.want {
			t.Errorf("%v%% of %d: %d, want %d", test.percent, test.list, got, test.want)
		}
	}
}

func TestTariff(t *testing.T) {
	tariff := Tariff{Fee: 5, Allowance: 10, Used: map[string]money.USD{"within": 9, "beyond": 10}}
	for organization, want := range map[string]Fee{"new": 0, "within": 0, "beyond": 5} {
		if got := tariff.For(organization); got != want {
			t.Errorf("%s: %d, want %d", organization, got, want)
		}
	}
	if none := (&Tariff{Fee: 5}); none.For("any") != 5 {
		t.Error("without an allowance there is no fee")
	}
}
