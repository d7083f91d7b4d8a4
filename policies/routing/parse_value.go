package routing

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/switchyard/switchyard/policies/money"
)

// The errors of this file stand behind the path of a field, and so begin with the
// colon.

func wantError(form string) error { return fmt.Errorf(": want %s", form) }

// errMalformed stands for the decoder's words, which quote offsets into a part of
// the body that the client does not see as one.
var errMalformed = errors.New(": not valid JSON; mind that each member may be given once")

func boolean(value jsontext.Value) (bool, error) {
	switch value.Kind() {
	case 't':
		return true, nil
	case 'f':
		return false, nil
	}
	return false, wantError("true or false")
}

func text(value jsontext.Value) (string, error) {
	var s string
	if value.Kind() != '"' || json.Unmarshal(value, &s) != nil {
		return "", wantError("a string")
	}
	return s, nil
}

// maxListed bounds the lists of providers, regions and the like. Nobody names more
// providers than there are.
const maxListed = 256

// texts reads at most so many strings; the slice is not nil, so that an empty list
// is told from none at all.
func texts(value jsontext.Value, most int) ([]string, error) {
	list := []string{}
	if value.Kind() != '[' || json.Unmarshal(value, &list) != nil {
		return nil, wantError("an array of strings")
	}
	if len(list) > most {
		return nil, wantError(fmt.Sprintf("at most %d entries, not %d", most, len(list)))
	}
	return list, nil
}

func oneOf(value jsontext.Value, valid ...string) (string, error) {
	s, err := text(value)
	if err != nil {
		return "", wantError("one of " + strings.Join(valid, ", "))
	}
	if !slices.Contains(valid, s) {
		return "", fmt.Errorf(": %q is not valid; want one of %s", s, strings.Join(valid, ", "))
	}
	return s, nil
}

// textsOf reads strings, each of which is valid, and keeps each once.
func textsOf(value jsontext.Value, valid []string) ([]string, error) {
	list, err := texts(value, maxListed)
	if err != nil {
		return nil, err
	}
	once := list[:0]
	for i, s := range list {
		if !slices.Contains(valid, s) {
			return nil, fmt.Errorf("[%d]: %q is not valid; want one of %s", i, s, strings.Join(valid, ", "))
		}
		if !slices.Contains(once, s) {
			once = append(once, s)
		}
	}
	return once, nil
}

// number reads a threshold or a score: none of them is below zero.
func number(value jsontext.Value) (float64, error) {
	var n float64
	if value.Kind() != '0' || json.Unmarshal(value, &n) != nil || n < 0 || math.IsInf(n, 0) {
		return 0, wantError("a number that is not negative")
	}
	return n, nil
}

// price reads a number or a numeric string, exactly: it is never a float.
func price(value jsontext.Value, parse func(string) (money.USD, error)) (*money.USD, error) {
	amount := string(value)
	if value.Kind() == '"' {
		var err error
		if amount, err = text(value); err != nil {
			return nil, err
		}
	} else if value.Kind() != '0' {
		return nil, wantError("a price in US dollars, as a number or a string")
	}
	parsed, err := parse(amount) // rounded down: no price lies between
	switch {
	case err != nil:
		return nil, fmt.Errorf(": %w", err)
	case parsed < 0:
		return nil, errors.New(": a price is not negative")
	}
	return &parsed, nil
}

// set reads one member of `max_price`.
func (m *MaxPrice) set(name string, value jsontext.Value) (err error) {
	switch name {
	case "prompt":
		m.Prompt, err = price(value, money.BoundPerMillion)
	case "completion":
		m.Completion, err = price(value, money.BoundPerMillion)
	case "request":
		m.Request, err = price(value, money.Bound)
	case "image":
		m.Image, err = price(value, money.Bound)
	case "audio":
		m.Audio, err = price(value, money.Bound)
	}
	return err
}
