// Package guard looks for what must not pass in the texts of requests and answers:
// the content rules of guardrails (spec section 5.6).
//
// Everything here is about one text at a time and knows nothing of JSON, dialects or
// Envoy. Rules are compiled once and shared by any number of goroutines; a [Stream]
// belongs to one text.
package guard

import (
	"errors"
	"fmt"
	"slices"

	"github.com/switchyard/switchyard/policies/config/configpb"
)

// Action is what becomes of what a rule finds. A greater one is stronger.
type Action uint8

// The actions.
const (
	Flag   Action = iota + 1 // it passes, and is counted
	Redact                   // the rule's label stands in its place
	Block                    // the request or the answer is refused
)

// String is the word of the API: "flag", "redact" or "block".
func (a Action) String() string {
	return [...]string{Flag: "flag", Redact: "redact", Block: "block"}[a]
}

// Role says whose text it is, as far as rules care.
type Role uint8

// The roles.
const (
	Other Role = iota
	User
)

// Rule is one thing to look for. It is immutable.
type Rule struct {
	// Guardrail is the name of the guardrail that the rule is of, or its id where it is
	// Managed: customers make and unmake those over the API.
	Guardrail string
	Managed   bool
	// Entity is what is looked for: a builtin's slug, or "pattern:" and a pattern. Of
	// several rules for one entity the strongest counts.
	Entity string
	// Label stands in the place of what is redacted.
	Label string
	// Title is what a refusal names. It is never the text that was found.
	Title  string
	Action Action
	// UserOnly: texts of others than users are not searched, and so no answers.
	UserOnly bool

	// othersOnly: a stronger rule for the same entity searches the texts of users.
	othersOnly bool
	patterns   []*pattern
}

// Injection reports whether the rule looks for attempts to talk a model out of its
// instructions, which have an error of their own.
func (r *Rule) Injection() bool { return r.Entity == slugInjection }

// searches reports whether the rule is for texts of a role.
func (r *Rule) searches(role Role) bool {
	return role == User && !r.othersOnly || role != User && !r.UserOnly
}

// covers reports whether the rule does all that another would.
func (r *Rule) covers(other *Rule) bool {
	return r.Entity == other.Entity && r.Action >= other.Action && (!r.UserOnly || other.UserOnly)
}

// Guardrail is a named set of rules. It is immutable.
type Guardrail struct {
	Name string
	// Input are the rules for what clients send, Output those for what models answer.
	Input, Output []*Rule
}

// New compiles the content rules of a guardrail. The error joins everything that is
// wrong, each with the path of its field; patterns that are refused are a [*PatternError].
func New(name string, from *configpb.Guardrail) (*Guardrail, error) {
	g := &Guardrail{Name: name}
	var failures []error
	steps, ranges := 0, 0
	for i, filter := range from.GetContentFilters() {
		compiled, err := compile(filter.GetPattern())
		if err != nil {
			failures = append(failures, fmt.Errorf("content_filters[%d].pattern: %w", i, err))
			continue
		}
		if steps += len(compiled.program.Inst); steps > largestPrograms {
			failures = append(failures, fmt.Errorf("content_filters: %w", &PatternError{fmt.Sprintf("they come to more than %d steps together; repeat less", largestPrograms)}))
			break
		}
		if ranges += compiled.ranges; ranges > mostRangesOfAll {
			failures = append(failures, fmt.Errorf("content_filters: %w", &PatternError{fmt.Sprintf("they come to more than %d ranges of characters together; use smaller classes", mostRangesOfAll)}))
			break
		}
		rule := &Rule{
			Guardrail: name, Entity: "pattern:" + filter.GetPattern(), Action: actions[filter.GetAction()],
			Label: filter.GetLabel(), Title: filter.GetLabel(), patterns: []*pattern{compiled},
		}
		if rule.Label == "" {
			rule.Label, rule.Title = "[REDACTED]", "[BLOCKED]"
		}
		g.add(rule, filter.GetDirection())
	}
	for i, filter := range from.GetContentFilterBuiltins() {
		builtin, err := builtinOf(filter.GetSlug())
		if err != nil {
			failures = append(failures, fmt.Errorf("content_filter_builtins[%d].slug: %w", i, err))
			continue
		}
		userOnly := filter.GetScanScope() == configpb.ScanScope_SCAN_SCOPE_USER_ONLY
		if filter.GetSlug() != slugInjection && filter.GetScanScope() != configpb.ScanScope_SCAN_SCOPE_UNSPECIFIED {
			failures = append(failures, fmt.Errorf("content_filter_builtins[%d].scan_scope: is only for %s", i, slugInjection))
		}
		if userOnly && filter.GetDirection() == configpb.GuardDirection_GUARD_DIRECTION_OUTPUT {
			failures = append(failures, fmt.Errorf("content_filter_builtins[%d].scan_scope: user_only leaves nothing of the output to search", i))
		}
		g.add(&Rule{
			Guardrail: name, Entity: filter.GetSlug(), Action: actions[filter.GetAction()],
			Label: builtin.label, Title: builtin.title, UserOnly: userOnly, patterns: builtin.patterns,
		}, filter.GetDirection())
	}
	if err := errors.Join(failures...); err != nil {
		return nil, err
	}
	return g, nil
}

// NewManaged is New for a guardrail that is managed over the API.
func NewManaged(id string, from *configpb.Guardrail) (*Guardrail, error) {
	g, err := New(id, from)
	if err != nil {
		return nil, err
	}
	for _, rule := range slices.Concat(g.Input, g.Output) {
		rule.Managed = true
	}
	return g, nil
}

func (g *Guardrail) add(rule *Rule, direction configpb.GuardDirection) {
	if direction != configpb.GuardDirection_GUARD_DIRECTION_OUTPUT {
		g.Input = append(g.Input, rule)
	}
	switch direction {
	case configpb.GuardDirection_GUARD_DIRECTION_OUTPUT, configpb.GuardDirection_GUARD_DIRECTION_BOTH:
		g.Output = append(g.Output, rule)
	}
}

var actions = map[configpb.GuardAction]Action{
	configpb.GuardAction_GUARD_ACTION_FLAG:   Flag,
	configpb.GuardAction_GUARD_ACTION_REDACT: Redact,
	configpb.GuardAction_GUARD_ACTION_BLOCK:  Block,
}

// Combine unites the rules of guardrails that hold together; nil ones are none. Of
// rules for one entity the strongest counts (spec row 178), for each text that it
// searches, and of equally strong ones the first.
func Combine(guardrails ...*Guardrail) *Guardrail {
	all := &Guardrail{}
	for _, g := range guardrails {
		if g != nil {
			all.Input, all.Output = unite(all.Input, g.Input), unite(all.Output, g.Output)
		}
	}
	share(all.Input)
	share(all.Output)
	return all
}

func unite(rules, more []*Rule) []*Rule {
	for _, rule := range more {
		if slices.ContainsFunc(rules, func(have *Rule) bool { return have.covers(rule) }) {
			continue
		}
		at := slices.IndexFunc(rules, rule.covers)
		if at < 0 {
			rules = append(rules, rule)
			continue
		}
		rules[at] = rule
		rules = append(rules[:at+1], slices.DeleteFunc(rules[at+1:], rule.covers)...)
	}
	return rules
}

// share leaves each text to one of two rules for an entity: one of them is stronger, and
// only for users.
func share(rules []*Rule) {
	for i, rule := range rules {
		if !rule.UserOnly && slices.ContainsFunc(rules, func(other *Rule) bool { return other.UserOnly && other.Entity == rule.Entity }) {
			others := *rule
			others.othersOnly = true
			rules[i] = &others
		}
	}
}
