package money

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"math/big"
	"strconv"
	"strings"
)

// Reasons for which a decimal is not an amount.
var (
	ErrSyntax    = errors.New("want a decimal number such as 2.50")
	ErrRange     = errors.New("out of range")
	ErrPrecision = errors.New("too many digits after the point")
)

// longest is how many bytes a decimal may have. The least and the largest float take 24
// of them; what is longer is no amount, and big numbers take quadratic time to read.
const longest = 64

// Parse reads an amount of US dollars: "2.50", "-1", "4.2e-7". It fails with
// [ErrSyntax], also for more than 64 bytes, with [ErrRange] beyond 9.2 million dollars, and with
// [ErrPrecision] where the amount is no whole number of picodollars, because a
// price that is rounded silently is a wrong price.
func Parse(text string) (USD, error) {
	return parse(text, 12)
}

// ParsePerMillion reads a price in US dollars per million tokens, as price
// lists have it, and returns the price of one token. The errors are those of
// [Parse]; the finest price is "0.000001".
func ParsePerMillion(text string) (USD, error) {
	return parse(text, 6)
}

// Excerpt is a text as errors quote it: as much of it as any amount has.
func Excerpt(text string) string {
	const most = 40
	if len(text) > most {
		return strings.ToValidUTF8(text[:most], "") + "..."
	}
	return text
}

// Bound reads an amount that something must not exceed: as [Parse] does, but what is
// finer than a picodollar is rounded down, and what is beyond the range is [Max]. No
// amount lies between such a bound and what was written, so that nothing is lost;
// programs write 0.1 + 0.2 as 0.30000000000000004.
func Bound(text string) (USD, error) { return bound(text, 12) }

// BoundPerMillion is Bound for a price in US dollars per million tokens.
func BoundPerMillion(text string) (USD, error) { return bound(text, 6) }

func bound(text string, scale int64) (USD, error) {
	amount, err := parse(text, int(scale))
	if !errors.Is(err, ErrPrecision) && !errors.Is(err, ErrRange) {
		return amount, err
	}
	if _, _, absurd := splitExponent(text); absurd != nil {
		return 0, err
	}
	exact, ok := new(big.Rat).SetString(text)
	if !ok {
		return 0, err
	}
	exact.Mul(exact, new(big.Rat).SetInt(new(big.Int).Exp(big.NewInt(10), big.NewInt(scale), nil)))
	whole := new(big.Int).Div(exact.Num(), exact.Denom()) // towards minus infinity
	switch {
	case whole.IsInt64():
		return USD(whole.Int64()), nil
	case whole.Sign() > 0:
		return Max, nil
	}
	return Min, nil
}

// parse reads a decimal and multiplies it by ten to the power of scale.
func parse(text string, scale int) (USD, error) {
	if len(text) > longest {
		return 0, refusal(text, scale, ErrSyntax)
	}
	mantissa, exponent, err := splitExponent(text)
	if err != nil {
		return 0, refusal(text, scale, err)
	}
	negative := strings.HasPrefix(mantissa, "-")
	whole, fraction, pointed := strings.Cut(strings.TrimPrefix(mantissa, "-"), ".")
	if !digits(whole) || pointed && !digits(fraction) {
		return 0, refusal(text, scale, ErrSyntax)
	}

	// Digits without a point, and the power of ten that they stand for.
	significant := strings.TrimLeft(whole+fraction, "0")
	power := scale + exponent - len(fraction)
	trimmed := strings.TrimRight(significant, "0")
	power += len(significant) - len(trimmed)

	switch {
	case trimmed == "":
		return 0, nil
	case power < 0:
		return 0, refusal(text, scale, ErrPrecision)
	case len(trimmed)+power > 19:
		return 0, refusal(text, scale, ErrRange)
	}
	amount, err := strconv.ParseUint(trimmed+strings.Repeat("0", power), 10, 64)
	if err != nil || amount > math.MaxInt64 {
		return 0, refusal(text, scale, ErrRange)
	}
	if negative {
		return -USD(amount), nil
	}
	return USD(amount), nil
}

// refusal says why text is no amount of so many digits after the point, and what is taken.
func refusal(text string, scale int, why error) error {
	switch {
	case errors.Is(why, ErrPrecision):
		return fmt.Errorf("%q: %w, of which %d are taken", Excerpt(text), why, scale)
	case errors.Is(why, ErrRange):
		largest := strconv.FormatInt(math.MaxInt64, 10)
		point := len(largest) - scale
		return fmt.Errorf("%q: %w, which ends at %s.%s", Excerpt(text), why, largest[:point], largest[point:])
	}
	return fmt.Errorf("%q: %w", Excerpt(text), why)
}

// splitExponent cuts the exponent off a number: programs write small prices
// as 4.2e-7.
func splitExponent(text string) (mantissa string, exponent int, err error) {
	at := strings.IndexAny(text, "eE")
	if at < 0 {
		return text, 0, nil
	}
	// Three digits are beyond every amount there is, and cannot overflow.
	magnitude := strings.TrimLeft(text[at+1:], "+-")
	if len(text[at+1:])-len(magnitude) > 1 || !digits(magnitude) {
		return "", 0, ErrSyntax
	}
	if len(strings.TrimLeft(magnitude, "0")) > 3 {
		return "", 0, ErrRange
	}
	exponent, err = strconv.Atoi(text[at+1:])
	return text[:at], exponent, err
}

// digits reports whether text is one or more decimal digits.
func digits(text string) bool {
	return text != "" && strings.Trim(text, "0123456789") == ""
}

// String is the shortest exact decimal in US dollars: "0.00042", "3", "-1.5".
// It is a valid JSON number and never has an exponent.
func (a USD) String() string {
	return string(a.Append(nil))
}

// Float64 is the nearest float in US dollars. It is for gauges and counters;
// nothing that is owed may be computed from it.
func (a USD) Float64() float64 { return float64(a) / float64(Dollar) }

// MarshalJSON writes the amount as an exact JSON number.
func (a USD) MarshalJSON() ([]byte, error) {
	return a.Append(nil), nil
}

// UnmarshalJSON reads a JSON number as [Parse] does.
func (a *USD) UnmarshalJSON(number []byte) error {
	amount, err := Parse(string(number))
	if err != nil {
		return err
	}
	*a = amount
	return nil
}

// Append appends what [USD.String] returns.
func (a USD) Append(dst []byte) []byte {
	if a < 0 {
		dst = append(dst, '-')
	}
	size := magnitude(int64(a))
	dst = strconv.AppendUint(dst, size/uint64(Dollar), 10)
	fraction := size % uint64(Dollar)
	if fraction == 0 {
		return dst
	}
	// A leading one keeps the zeros that follow the point, and gives way to it.
	point := len(dst)
	dst = strconv.AppendUint(dst, uint64(Dollar)+fraction, 10)
	dst[point] = '.'
	return bytes.TrimRight(dst, "0")
}
