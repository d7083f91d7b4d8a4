package money

import (
	"math"
	"math/big"
	"math/rand/v2"
	"testing"
)

func TestAddSaturates(t *testing.T) {
	tests := []struct {
		name       string
		a, b, want USD
	}{
		{"plain", 3, 4, 7},
		{"credit against charge", 3, -5, -2},
		{"beyond the largest", Max, 1, Max},
		{"beyond the smallest", Min, -1, Min},
		{"smallest twice", Min, Min, Min},
		{"opposite ends", Max, Min, -1},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if got := test.a.Add(test.b); got != test.want {
				t.Errorf("%d + %d = %d, want %d", test.a, test.b, got, test.want)
			}
		})
	}
}

func TestSumIsTheSameInAnyOrder(t *testing.T) {
	const nine = 9_000_000 * Dollar
	for _, test := range []struct {
		amounts []USD
		want    USD
		fits    bool
	}{
		{nil, 0, true},
		{[]USD{nine, nine, -nine}, nine, true},
		{[]USD{-nine, nine, nine}, nine, true},
		{[]USD{-nine, -nine, nine}, -nine, true},
		{[]USD{Max, Min}, -1, true},
		{[]USD{Max, 1}, Max, false},
		{[]USD{Min, -1}, Min, false},
		{[]USD{Min, Min, Max, Max, 2}, 0, true},
		{[]USD{Max, Max, Max, -3}, Max, false},
	} {
		for range 10 {
			rand.Shuffle(len(test.amounts), func(i, j int) { test.amounts[i], test.amounts[j] = test.amounts[j], test.amounts[i] })
			var sum Sum
			for _, amount := range test.amounts {
				sum.Add(amount)
			}
			if got, fits := sum.USD(); got != test.want || fits != test.fits {
				t.Errorf("%d: %d %v, want %d %v", test.amounts, got, fits, test.want, test.fits)
			}
		}
	}
}

func TestMulSaturates(t *testing.T) {
	tests := []struct {
		name string
		a    USD
		n    int64
		want USD
	}{
		{"price of tokens", 2_500_000, 1_000_000, 2*Dollar + Dollar/2},
		{"no tokens", 2_500_000, 0, 0},
		{"refund", 7, -3, -21},
		{"beyond the largest", Dollar, math.MaxInt64, Max},
		{"beyond the smallest", -Dollar, math.MaxInt64, Min},
		{"just the smallest", 1, math.MinInt64, Min},
		{"negated smallest", -1, math.MinInt64, Max},
		{"just past the largest", 1 << 32, 1 << 31, Max},
		{"just the smallest by product", -(1 << 32), 1 << 31, Min},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if got := test.a.Mul(test.n); got != test.want {
				t.Errorf("%d × %d = %d, want %d", test.a, test.n, got, test.want)
			}
		})
	}
}

// Against arbitrary precision: every sum and product is exact or saturated.
func TestArithmeticAgreesWithBigNumbers(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	any64 := func() int64 { return int64(random.Uint64() >> random.IntN(64) * (1 - 2*(random.Uint64()&1))) }
	for range 100_000 {
		a, b := any64(), any64()
		sum := new(big.Int).Add(big.NewInt(a), big.NewInt(b))
		if got := USD(a).Add(USD(b)); got != clamp(sum) {
			t.Fatalf("%d + %d = %d, want %s", a, b, got, sum)
		}
		product := new(big.Int).Mul(big.NewInt(a), big.NewInt(b))
		if got := USD(a).Mul(b); got != clamp(product) {
			t.Fatalf("%d × %d = %d, want %s", a, b, got, product)
		}
	}
}

func clamp(n *big.Int) USD {
	switch {
	case n.Cmp(big.NewInt(math.MaxInt64)) > 0:
		return Max
	case n.Cmp(big.NewInt(math.MinInt64)) < 0:
		return Min
	}
	return USD(n.Int64())
}

func BenchmarkMul(b *testing.B) {
	price := USD(2_500_000)
	for i := range b.N {
		_ = price.Mul(int64(i))
	}
}
