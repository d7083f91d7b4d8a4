package identity

import (
	"fmt"
	"strconv"
)

// MarshalJSON writes the word of the API, or null for [ResetNever].
func (r Reset) MarshalJSON() ([]byte, error) {
	if r == ResetNever {
		return []byte("null"), nil
	}
	return strconv.AppendQuote(nil, r.String()), nil
}

// UnmarshalJSON reads null or a word as [ParseReset] does.
func (r *Reset) UnmarshalJSON(value []byte) (err error) {
	name := ""
	if string(value) != "null" {
		if name, err = strconv.Unquote(string(value)); err != nil {
			return err
		}
	}
	*r, err = ParseReset(name)
	return err
}

// ParseReset reads the spec's name of a reset (section 1.3); "" is [ResetNever].
func ParseReset(name string) (Reset, error) {
	for reset := ResetNever; reset <= ResetMonthly; reset++ {
		if reset.String() == name {
			return reset, nil
		}
	}
	return ResetNever, fmt.Errorf("%q is not one of daily, weekly, monthly", name)
}
