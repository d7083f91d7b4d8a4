package routing

import (
	"strings"

	"github.com/switchyard/switchyard/policies/catalog"
)

// matches reports whether a pattern, in which * stands for any text, is all of s.
// It costs one pass over s for each star, and no allocation.
func matches(pattern, s string) bool {
	head, rest, starred := strings.Cut(pattern, "*")
	if !starred {
		return pattern == s
	}
	if !strings.HasPrefix(s, head) {
		return false
	}
	s = s[len(head):]
	for {
		part, after, more := strings.Cut(rest, "*")
		if !more {
			return strings.HasSuffix(s, part)
		}
		at := strings.Index(s, part)
		if at < 0 {
			return false
		}
		s, rest = s[at+len(part):], after
	}
}

// names reports whether one of the patterns is the model's id or canonical slug.
func names(patterns []string, model *catalog.Model) bool {
	for _, pattern := range patterns {
		if matches(pattern, model.ID) || matches(pattern, model.CanonicalSlug) {
			return true
		}
	}
	return false
}

// MatchModel reports whether a pattern, in which * stands for any text, names a
// model's id.
func MatchModel(pattern, id string) bool { return matches(pattern, id) }
