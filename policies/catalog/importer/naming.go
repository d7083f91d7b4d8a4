package importer

import (
	"cmp"
	_ "embed"
	"errors"
	"regexp"
	"slices"
	"strings"
	"sync"
	"unicode"

	"go.yaml.in/yaml/v3"
)

//go:embed names.yaml
var namesFile []byte

// names are the rules of names.yaml, ready for use.
type names struct {
	Authors       map[string]author
	Families      [][2]string
	Rewrites      [][2]string
	Paths         []string
	Quantizations []string
	Spellings     map[string]string

	organisations map[string]string // to authors
	rewrites      []*regexp.Regexp
}

type author struct {
	Name          string
	Organisations []string
}

var loadNames = sync.OnceValue(func() *names {
	rules := &names{organisations: map[string]string{}}
	if err := yaml.Unmarshal(namesFile, rules); err != nil {
		panic(err) // built into the binary, and tested
	}
	for slug, author := range rules.Authors {
		rules.organisations[slug] = slug
		for _, organisation := range author.Organisations {
			rules.organisations[organisation] = slug
		}
	}
	for _, rewrite := range rules.Rewrites {
		rules.rewrites = append(rules.rewrites, regexp.MustCompile(rewrite[0]))
	}
	return rules
})

var (
	errAuthor = errors.New("its author is not known")
	errName   = errors.New("the name cannot be one")
)

// identity is what the name that a provider has for a model tells of it.
type identity struct {
	// ID is "author/slug", the same for the model at every provider.
	ID string
	// Quantization is a name from the schema, or "".
	Quantization string
	// Variant is a second endpoint of the model at this provider ("turbo"), or "".
	Variant string
	// Name is for people.
	Name string
	// Created is the Unix time of a date in the provider's name, or zero.
	Created int64
}

// identify reads a provider's name for a model. owner is the author of the
// provider's models whose names say nothing else, and variants are the endings
// that mean another endpoint of the same model.
func (n *names) identify(name, owner string, variants []string) (identity, error) {
	organisation, slug := n.split(strings.ToLower(name))
	var found identity

	// Endings come in any order: -fp8-fast, -turbo-fp8.
	for trimmed := true; trimmed; {
		trimmed = false
		if ending := endingOf(slug, n.Quantizations); ending != "" && found.Quantization == "" {
			slug, found.Quantization, trimmed = slug[:len(slug)-len(ending)-1], ending, true
		}
		if ending := endingOf(slug, variants); ending != "" && found.Variant == "" {
			slug, found.Variant, trimmed = slug[:len(slug)-len(ending)-1], ending, true
		}
	}
	for i, pattern := range n.rewrites {
		slug = pattern.ReplaceAllString(slug, n.Rewrites[i][1])
	}
	if !idPart.MatchString(slug) {
		return identity{}, errName
	}
	by := n.author(organisation, slug, found.Quantization != "", owner)
	if by == "" {
		return identity{}, errAuthor
	}
	if !idPart.MatchString(by) {
		return identity{}, errName
	}
	found.ID = by + "/" + slug
	found.Created = createdOf(by, strings.ToLower(name))
	found.Name = cmp.Or(n.Authors[by].Name, by) + ": " + n.spell(slug)
	return found, nil
}

// idPart is what either half of an id may be. The schema takes more, but clients
// put ids in URLs, and read what follows a colon as a variant of their own wish.
var idPart = regexp.MustCompile(`^[a-z0-9][a-z0-9._+-]{0,127}$`)

// author finds who made a model. A known organisation may put another's weights
// under its name, and so may whoever converted them.
func (n *names) author(organisation, slug string, converted bool, owner string) string {
	known, isKnown := n.organisations[organisation]
	if organisation == "" || isKnown || converted {
		for _, family := range n.Families {
			if strings.HasPrefix(slug, family[0]) {
				return family[1]
			}
		}
	}
	if isKnown {
		return known
	}
	return cmp.Or(organisation, owner)
}

// spell writes a slug for people: "llama-3.3-70b-instruct" is "Llama 3.3 70B
// Instruct", and "gpt-4o" is "GPT-4o".
func (n *names) spell(slug string) string {
	var words []string
	for word := range strings.FieldsFuncSeq(slug, func(r rune) bool { return r == '-' || r == '_' }) {
		spelling, ok := n.Spellings[word]
		switch {
		case ok && spelling == "":
			continue
		case ok:
			word = spelling
		case size.MatchString(word):
			word = strings.ToUpper(word)
		default:
			word = string(unicode.ToUpper(rune(word[0]))) + word[1:]
		}
		words = append(words, word)
	}
	return strings.ReplaceAll(strings.Join(words, " "), "GPT ", "GPT-")
}

// size is a number of parameters, all or active.
var size = regexp.MustCompile(`^(a?[0-9.]+[bmt]|[0-9]+e|[0-9]+x[0-9.]+b)$`)

// endingOf returns the longest of the endings with which "name-ending" ends.
func endingOf(name string, endings []string) string {
	found := ""
	for _, ending := range endings {
		if strings.HasSuffix(name, "-"+ending) && len(ending) > len(found) {
			found = ending
		}
	}
	return found
}

// split cuts a name at its last slash, and keeps of what is before it only the
// part that names an organisation.
func (n *names) split(name string) (organisation, rest string) {
	parts := strings.Split(name, "/")
	if len(parts) == 1 || slices.Contains(n.Paths, parts[len(parts)-2]) {
		return "", parts[len(parts)-1]
	}
	return parts[len(parts)-2], parts[len(parts)-1]
}

// preferred reports whether a provider's name for a model is better than another:
// one without a date or an alias in it.
func preferred(name, other string) bool {
	return len(name) < len(other) || len(name) == len(other) && name < other
}
