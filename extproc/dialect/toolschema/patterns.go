package toolschema

import (
	"errors"
	"regexp"
	"regexp/syntax"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// mostInstructions bounds a regular expression: "(?:abcd){999}" is longer than it looks.
const mostInstructions = 2048

// patterns makes the regular expressions of one schema. They are those of Go, which
// never backtrack without bound; schemas with others, with lookarounds, are not used.
type patterns struct {
	checker *checker
	// spent: there was no work left for a match, and no verdict is worth anything.
	spent bool
}

var errCostly = errors.New("toolschema: the pattern costs too much")

func (p *patterns) compile(text string) (jsonschema.Regexp, error) {
	if !p.checker.spend(64 * len(text)) {
		return nil, errCostly
	}
	tree, err := syntax.Parse(text, syntax.Perl)
	if err != nil {
		return nil, err
	}
	size := instructions(tree)
	if size > mostInstructions || !p.checker.spend(64*size) {
		return nil, errCostly
	}
	expression, err := regexp.Compile(text)
	if err != nil {
		return nil, err
	}
	return &pattern{Regexp: expression, size: size, patterns: p}, nil
}

// instructions is about how many steps the expression takes for a character at worst,
// told before repetitions are written out.
func instructions(tree *syntax.Regexp) int {
	count := 1
	if tree.Op == syntax.OpLiteral {
		count = len(tree.Rune)
	}
	for _, part := range tree.Sub {
		count += instructions(part)
	}
	if tree.Op == syntax.OpRepeat {
		count *= max(1, tree.Min, tree.Max)
	}
	return count
}

type pattern struct {
	*regexp.Regexp
	size     int
	patterns *patterns
}

// MatchString shadows the expression's own, and takes what it may cost, four units for
// each instruction and byte, off the work that is left.
func (p *pattern) MatchString(text string) bool {
	if p.patterns.spent = p.patterns.spent || !p.patterns.checker.spend(4*p.size*(len(text)+1)); p.patterns.spent {
		return false
	}
	return p.Regexp.MatchString(text)
}
