package config

import (
	"fmt"
	"slices"
	"strings"
)

// suggest ends a message about a name that does not exist: with the name that
// was probably meant, or with all there are if they are few.
func suggest(name string, names []string) string {
	switch meant := nearest(name, names); {
	case meant != "":
		return "did you mean " + meant + "?"
	case len(names) == 0:
		return "there are none"
	case len(names) > 30:
		return "there is none like it"
	default:
		return "there are " + enumerate(names, "and")
	}
}

// oneOf says what could have been written instead of a word, after "must be".
func oneOf(words []string, written string) string {
	text := fmt.Sprintf("%s, not %q", enumerate(words, "or"), written)
	if meant := nearest(written, words); meant != "" {
		text += "; did you mean " + meant + "?"
	}
	return text
}

// nearest finds the name that was probably meant, or none: a third of the
// letters may be wrong, but not more than five.
func nearest(name string, names []string) string {
	meant, limit := "", 1+min(len(name), 12)/3
	for _, candidate := range names {
		if distance := editDistance(name, candidate, limit); distance <= limit {
			meant, limit = candidate, distance-1
		}
	}
	return meant
}

// enumerate writes "a", "a or b", "a, b or c".
func enumerate(names []string, last string) string {
	if len(names) < 2 {
		return strings.Join(names, "")
	}
	end := len(names) - 1
	return strings.Join(names[:end], ", ") + " " + last + " " + names[end]
}

// editDistance counts the characters to insert, delete, replace or swap with
// their neighbour to get from a to b. Beyond the limit it returns limit+1
// without looking closer.
func editDistance(a, b string, limit int) int {
	if diff := len(a) - len(b); diff > limit || -diff > limit {
		return limit + 1
	}
	// The rows of the usual table for a's prefixes of length i-2, i-1 and i.
	before, above, row := make([]int, len(b)+1), make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := 1; i <= len(a); i++ {
		before, above, row = above, row, before
		row[0] = i
		for j := 1; j <= len(b); j++ {
			replace := above[j-1]
			if a[i-1] != b[j-1] {
				replace++
			}
			row[j] = min(above[j]+1, row[j-1]+1, replace)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				row[j] = min(row[j], before[j-2]+1)
			}
		}
		if slices.Min(row) > limit {
			return limit + 1
		}
	}
	return row[len(b)]
}
