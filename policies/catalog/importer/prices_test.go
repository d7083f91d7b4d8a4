package importer

import (
	"errors"
	"strings"
	"testing"
)

func TestPricesAreExact(t *testing.T) {
	for _, test := range []struct {
		number  string
		scale   scale
		want    string
		rounded bool
	}{
		{"2.5e-06", tokens, "2.5", false},
		{"2.5E-6", tokens, "2.5", false},
		{"0.0000025", tokens, "2.5", false},
		{"1.5e-05", tokens, "15", false},
		{"1e-4", tokens, "100", false},
		{"3e-09", tokens, "0.003", false},
		{"1e-12", tokens, "0.000001", false},
		{"0", tokens, "0", false},
		{"0.0", tokens, "0", false},
		{"1.4999999999999999e-06", tokens, "1.5", true}, // the noise of a float
		{"7.000000000000001e-08", tokens, "0.07", true},
		{"0.01", units, "0.01", false},
		{"5e-3", units, "0.005", false},
		{"0.0000000001", units, "0", true},
	} {
		got, rounded, err := test.scale.price(test.number)
		if err != nil || got != test.want || rounded != test.rounded {
			t.Errorf("%s is %q, rounded: %t, %v; want %q, %t", test.number, got, rounded, err, test.want, test.rounded)
		}
	}
}

func TestWhatIsNoPrice(t *testing.T) {
	for _, number := range []string{"", "free", "-0.5", "1e999999999", "1e-999", ".5", "5.", "0x10", "1/3", "Inf", "NaN", "1_000", strings.Repeat("9", 41), "1e9"} {
		if got, _, err := tokens.price(number); !errors.Is(err, errPrice) {
			t.Errorf("%q is %q, %v", number, got, err)
		}
	}
	if _, _, err := tokens.price("-1"); !errors.Is(err, errMarket) {
		t.Errorf("-1, the price of routers: %v", err)
	}
}
