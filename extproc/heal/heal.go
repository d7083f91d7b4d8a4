// Package heal makes JSON of what a model wrote that shall be JSON and nearly is (spec
// section 4.9, response-healing; row 119).
//
// It takes time in proportion to the text, whatever that holds: a model writes what its
// user makes it write.
package heal

import (
	"strings"

	"github.com/go-json-experiment/json/jsontext"
)

const (
	// largest is how much text is looked at, in bytes.
	largest = 1 << 20
	// mostStarts is how many places are tried at which the JSON may begin.
	mostStarts = 8
)

// lenient is what clients read, too.
var lenient = []jsontext.Options{jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true)}

// JSON finds the JSON that text is meant to be: an object, or an array too if arrays is
// set. It takes off what stands around it (prose, the fences of Markdown), and mends
//
//   - commas that are missing, or too many,
//   - quotes that are single, typographic, missing around names, missing at the end, or
//     not escaped,
//   - line ends and other control characters in strings, and escapes that JSON has not,
//   - brackets that are missing at the end, or closed out of order,
//   - comments, and Python's True, False and None.
//
// It reports false, with text as it is, if text is JSON already or if it would have to
// guess: no word of the answer is lost but for the prose, and none is made up.
func JSON(text string, arrays bool) (healed string, changed bool) {
	if len(text) > largest || jsontext.Value(strings.TrimSpace(text)).IsValid(lenient...) {
		return text, false
	}
	best, end := "", 0
	for tried := 0; tried < mostStarts; tried++ {
		next := strings.IndexAny(text[end:], "{[")
		if next < 0 {
			break
		}
		begin := end + next
		value, length := asItStands(text[begin:])
		if length == 0 {
			value, length = mended(text[begin:])
		}
		if length == 0 {
			if looksMeant(text[begin:]) {
				return text, false
			}
			end = begin + 1
			continue
		}
		end = begin + length
		if strings.HasPrefix(strings.TrimLeft(text[end:], space), ",") {
			return text, false // it goes on, and so this was not all
		}
		// Shorter ones are examples, or references in the prose.
		if len(value) > len(best) {
			best = value
		}
	}
	if best == "" || best[0] == '[' && !arrays {
		return text, false
	}
	return best, true
}

// space is what JSON has between its tokens.
const space = " \t\r\n"

// looksMeant tells an object or an array that cannot be read from prose in brackets.
func looksMeant(text string) bool {
	inner := strings.TrimLeft(text[1:], space)
	return startsString(inner) || text[0] == '{' && startsName(inner) || text[0] == '[' && strings.HasPrefix(inner, "{")
}

// asItStands reads the value that text begins with, without a change.
func asItStands(text string) (value string, length int) {
	decoder := jsontext.NewDecoder(strings.NewReader(text), lenient...)
	if err := decoder.SkipValue(); err != nil {
		return "", 0
	}
	end := int(decoder.InputOffset())
	return text[:end], end
}

// mended reads the value that text begins with as [reader] does.
func mended(text string) (value string, length int) {
	r := reader{text: text, out: make([]byte, 0, len(text)+16)}
	if !r.value() || !jsontext.Value(r.out).IsValid(lenient...) {
		return "", 0
	}
	return string(r.out), r.at
}
