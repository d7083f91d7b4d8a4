package provider

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"
)

// check judges one value of a decoded JSON body; nil means it is accepted. The
// checks below are combined into the vendors' request schemas.
type check func(at path, value any) *mistake

// path leads from the body's root to a value: object keys and array indices.
type path []any

func (p path) to(step any) path { return append(slices.Clip(p), step) }

// dotted is the path as most vendors word it: "messages.0.content".
func (p path) dotted() string {
	steps := make([]string, len(p))
	for i, step := range p {
		steps[i] = fmt.Sprint(step)
	}
	return strings.Join(steps, ".")
}

// mistake is a structural error, which each vendor words in its own way.
type mistake struct {
	at     path
	kind   mistakeKind
	expect string // what would have been right
	got    any    // the value at fault
}

type mistakeKind int

const (
	unknownField mistakeKind = iota
	missingField
	wrongType
	badValue
	outOfRange
	emptyArray
	tooLong
)

// fields are an object's permitted keys. Whatever is not listed is refused.
type fields map[string]field

type field struct {
	check    check
	required bool
}

func need(c check) field { return field{check: c, required: true} }
func may(c check) field  { return field{check: c} }

// with returns the union of two sets of fields.
func (f fields) with(more fields) fields {
	all := maps.Clone(f)
	maps.Copy(all, more)
	return all
}

func object(permitted fields) check {
	return func(at path, value any) *mistake {
		members, ok := value.(map[string]any)
		if !ok {
			return &mistake{at, wrongType, "an object", value}
		}
		for _, name := range slices.Sorted(maps.Keys(members)) {
			known, ok := permitted[name]
			if !ok {
				return &mistake{at.to(name), unknownField, "", members[name]}
			}
			if wrong := known.check(at.to(name), members[name]); wrong != nil {
				return wrong
			}
		}
		for _, name := range slices.Sorted(maps.Keys(permitted)) {
			if _, given := members[name]; permitted[name].required && !given {
				return &mistake{at.to(name), missingField, "", nil}
			}
		}
		return nil
	}
}

// tagged picks an object's schema by the value of its key, as in {"type": …}.
func tagged(key string, schemas map[string]check) check {
	return func(at path, value any) *mistake {
		members, ok := value.(map[string]any)
		if !ok {
			return &mistake{at, wrongType, "an object", value}
		}
		tag, given := members[key]
		if !given {
			return &mistake{at.to(key), missingField, "", nil}
		}
		name, _ := tag.(string)
		schema, known := schemas[name]
		if !known {
			return &mistake{at.to(key), badValue, oneOf(slices.Sorted(maps.Keys(schemas))), tag}
		}
		return schema(at, value)
	}
}

func list(least int, element check) check {
	return func(at path, value any) *mistake {
		elements, ok := value.([]any)
		if !ok {
			return &mistake{at, wrongType, "an array", value}
		}
		if len(elements) < least {
			return &mistake{at, emptyArray, "", value}
		}
		for i, e := range elements {
			if wrong := element(at.to(i), e); wrong != nil {
				return wrong
			}
		}
		return nil
	}
}

// either tries a string first, then the other check: a content or stop field.
func either(asText, other check) check {
	return func(at path, value any) *mistake {
		if _, ok := value.(string); ok {
			return asText(at, value)
		}
		return other(at, value)
	}
}

func nullable(c check) check {
	return func(at path, value any) *mistake {
		if value == nil {
			return nil
		}
		return c(at, value)
	}
}

// text accepts strings of at most so many characters; 0 is any length.
func text(most int) check {
	return func(at path, value any) *mistake {
		s, ok := value.(string)
		switch {
		case !ok:
			return &mistake{at, wrongType, "a string", value}
		case most > 0 && utf8.RuneCountInString(s) > most:
			return &mistake{at, tooLong, "", value}
		}
		return nil
	}
}

func matching(pattern string) check {
	compiled := regexp.MustCompile(pattern)
	return func(at path, value any) *mistake {
		if s, ok := value.(string); !ok {
			return &mistake{at, wrongType, "a string", value}
		} else if !compiled.MatchString(s) {
			return &mistake{at, badValue, "a string that matches " + pattern, value}
		}
		return nil
	}
}

func enum(values ...string) check {
	return func(at path, value any) *mistake {
		if s, ok := value.(string); !ok || !slices.Contains(values, s) {
			return &mistake{at, badValue, oneOf(values), value}
		}
		return nil
	}
}

func number(least, most float64) check {
	return func(at path, value any) *mistake {
		n, ok := value.(float64)
		switch {
		case !ok:
			return &mistake{at, wrongType, "a number", value}
		case n < least || n > most:
			return &mistake{at, outOfRange, encode(least) + " to " + encode(most), value}
		}
		return nil
	}
}

func integer(least, most float64) check {
	return func(at path, value any) *mistake {
		if n, ok := value.(float64); !ok || n != float64(int64(n)) {
			return &mistake{at, wrongType, "an integer", value}
		}
		return number(least, most)(at, value)
	}
}

func boolean(at path, value any) *mistake {
	if _, ok := value.(bool); !ok {
		return &mistake{at, wrongType, "a boolean", value}
	}
	return nil
}

// mapOf accepts objects with any keys.
func mapOf(element check) check {
	return func(at path, value any) *mistake {
		members, ok := value.(map[string]any)
		if !ok {
			return &mistake{at, wrongType, "an object", value}
		}
		for _, name := range slices.Sorted(maps.Keys(members)) {
			if wrong := element(at.to(name), members[name]); wrong != nil {
				return wrong
			}
		}
		return nil
	}
}

// anything accepts what the caller judges elsewhere or the vendor leaves open.
func anything(path, any) *mistake { return nil }

// allOf stops at the first check that refuses.
func allOf(checks ...check) check {
	return func(at path, value any) *mistake {
		for _, c := range checks {
			if wrong := c(at, value); wrong != nil {
				return wrong
			}
		}
		return nil
	}
}

func oneOf(values []string) string {
	quoted := ""
	for i, value := range values {
		if i > 0 {
			quoted += ", "
		}
		quoted += "'" + value + "'"
	}
	return "one of " + quoted
}

// kindOf names a JSON value's type with its article.
func kindOf(value any) string {
	switch value.(type) {
	case nil:
		return "null"
	case bool:
		return "a boolean"
	case float64:
		return "a number"
	case string:
		return "a string"
	case []any:
		return "an array"
	default:
		return "an object"
	}
}
