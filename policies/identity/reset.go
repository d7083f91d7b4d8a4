package identity

import "fmt"

// MarshalText is String, for JSON.
func (r Reset) MarshalText() ([]byte, error) { return []byte(r.String()), nil }

// UnmarshalText is [ParseReset].
func (r *Reset) UnmarshalText(text []byte) (err error) {
	*r, err = ParseReset(string(text))
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
