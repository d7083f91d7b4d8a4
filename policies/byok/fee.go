package byok

import (
	"math/bits"

	"github.com/switchyard/switchyard/policies/money"
)

// Fee is what requests with an own key cost, as a part of the list price in millionths.
// The zero value is nothing.
type Fee uint32

const millionths = 1_000_000

// FeePercent is a fee of 0 to 100 percent, to the ten-thousandth of a percent.
func FeePercent(percent float64) Fee {
	return Fee(min(max(0, percent), 100)*(millionths/100) + 0.5)
}

// Of returns the fee for a list price, rounded up to a picodollar. Nothing costs nothing.
func (f Fee) Of(list money.USD) money.USD {
	if list <= 0 {
		return 0
	}
	high, low := bits.Mul64(uint64(list), uint64(f))
	fee, rest := bits.Div64(high, low, millionths) // f is at most one: it fits
	if rest > 0 {
		fee++
	}
	return money.USD(fee)
}

// Tariff says what an organisation pays. It is immutable.
type Tariff struct {
	Fee Fee
	// Allowance is what an organisation has in a month without a fee, by the list price;
	// Used is what each has used of it, as far as is known.
	Allowance money.USD
	Used      map[string]money.USD
}

// For is the fee for an organisation now.
func (t *Tariff) For(organization string) Fee {
	if t.Used[organization] < t.Allowance {
		return 0
	}
	return t.Fee
}
