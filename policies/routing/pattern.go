package routing

import (
	"regexp"
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

// stars is more than one star in a row, which mean what one does.
var stars = regexp.MustCompile(`\*{2,}`)

// patternSet is a client's list of patterns. Those without a star cost the same
// however many they are.
type patternSet struct {
	exact   map[string]bool
	starred []string
}

func newPatternSet(patterns []string) patternSet {
	set := patternSet{exact: make(map[string]bool, len(patterns))}
	for _, pattern := range patterns {
		if strings.Contains(pattern, "*") {
			set.starred = append(set.starred, pattern)
		} else {
			set.exact[pattern] = true
		}
	}
	return set
}

// names reports whether one of the patterns is the model's id or canonical slug.
func (p patternSet) names(model *catalog.Model) bool {
	return p.exact[model.ID] || p.exact[model.CanonicalSlug] || names(p.starred, model)
}

// names reports whether one of the patterns is the model's id or canonical slug.
func names(patterns []string, model *catalog.Model) bool {
	for _, pattern := range patterns {
		if matches(pattern, model.ID) || model.CanonicalSlug != model.ID && matches(pattern, model.CanonicalSlug) {
			return true
		}
	}
	return false
}

// MatchModel reports whether a pattern, in which * stands for any text, names a
// model's id.
func MatchModel(pattern, id string) bool { return matches(pattern, id) }
