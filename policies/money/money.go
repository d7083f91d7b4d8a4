// Package money holds amounts of US dollars without ever rounding them.
//
// Prices of single tokens are millionths of a cent, and a ledger adds up
// millions of them: binary floating point drifts there, so amounts are whole
// numbers of picodollars.
package money

import (
	"math"
	"math/bits"
)

// USD is an amount in picodollars (1e-12 US dollars), from about -9.2 to +9.2
// million dollars. One picodollar per token is 0.000001 dollars per million
// tokens, finer than any price list. The zero value is nothing.
type USD int64

const (
	// Dollar is one US dollar.
	Dollar USD = 1e12

	// Max and Min are where arithmetic saturates.
	Max USD = math.MaxInt64
	Min USD = math.MinInt64
)

// Add returns a + b. A sum beyond the range is [Max] or [Min]: an absurd amount
// that every budget refuses, where wrapping around would turn a huge charge
// into a credit.
func (a USD) Add(b USD) USD {
	sum := a + b
	switch {
	case a > 0 && b > 0 && sum < 0:
		return Max
	case a < 0 && b < 0 && sum >= 0:
		return Min
	}
	return sum
}

// Sum adds amounts up exactly, however many they are and in whichever order they come. The
// zero value is nothing.
type Sum struct{ high, low int64 }

// Add adds an amount.
func (s *Sum) Add(a USD) {
	low, carry := bits.Add64(uint64(s.low), uint64(a), 0)
	s.low = int64(low)
	s.high += int64(a)>>63 + int64(carry) // the upper half of a, as two's complement has it
}

// USD returns the sum. Beyond the range it is [Max] or [Min], and fits is false.
func (s *Sum) USD() (sum USD, fits bool) {
	switch {
	case s.high == s.low>>63:
		return USD(s.low), true
	case s.high < 0:
		return Min, false
	}
	return Max, false
}

// Mul returns a × n, the price of n tokens. It saturates as [USD.Add] does.
func (a USD) Mul(n int64) USD {
	negative := (a < 0) != (n < 0)
	high, low := bits.Mul64(magnitude(int64(a)), magnitude(n))
	switch {
	case negative && (high != 0 || low > 1<<63):
		return Min
	case negative:
		return USD(-low)
	case high != 0 || low > math.MaxInt64:
		return Max
	}
	return USD(low)
}

// magnitude is |n|, also for the one number whose negation is not an int64.
func magnitude(n int64) uint64 {
	if n < 0 {
		return -uint64(n)
	}
	return uint64(n)
}
