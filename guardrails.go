package main

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/switchyard/switchyard/extproc"
	"github.com/switchyard/switchyard/policies/config/configpb"
	"github.com/switchyard/switchyard/policies/guard"
	"github.com/switchyard/switchyard/policies/identity"
	keystore "github.com/switchyard/switchyard/policies/identity/store"
	"github.com/switchyard/switchyard/policies/routing"
)

// guardrail is one that is compiled.
type guardrail struct {
	rules       *guard.Guardrail
	constraints *routing.Constraints
	budget      identity.Limits
	managed     bool
}

// guardrails are those of a configuration, or of the database beside them, by name or
// id. They are immutable.
type guardrails struct {
	known map[string]guardrail
	// general holds for every key, "" for none; own are those of keys of the
	// configuration, by their hash.
	general string
	own     map[string]string
	// keys are the hashes of all keys of the configuration.
	keys []string
}

// newGuardrails compiles the guardrails of a configuration. The error joins everything
// that is wrong.
func newGuardrails(cfg *configpb.Config) (*guardrails, error) {
	g := &guardrails{known: make(map[string]guardrail, len(cfg.GetGuardrails())), general: cfg.GetDefaultGuardrail(), own: make(map[string]string)}
	var failures []error
	for _, name := range slices.Sorted(maps.Keys(cfg.GetGuardrails())) {
		from := cfg.GetGuardrails()[name]
		rules, err := guard.New(name, from)
		if err != nil {
			failures = append(failures, fmt.Errorf("guardrails[%q].%w", name, err))
		}
		constraints, err := routing.NewConstraints(from.GetPolicy())
		if err != nil {
			failures = append(failures, fmt.Errorf("guardrails[%q].policy: %w", name, err))
		}
		budget, err := identity.NewLimits(fmt.Sprintf("guardrails[%q]", name), &configpb.Limits{Budget: from.GetBudget(), BudgetReset: from.GetBudgetReset()})
		if err != nil {
			failures = append(failures, err)
		}
		g.known[name] = guardrail{rules: rules, constraints: constraints, budget: budget}
	}
	for _, key := range cfg.GetKeys() {
		g.keys = append(g.keys, key.GetHash())
		if own := key.GetGuardrail(); own != "" {
			g.own[key.GetHash()] = own
		}
	}
	return g, errors.Join(failures...)
}

// uniting unites guardrails that hold together. What is united once is shared by all
// keys that are held to the same.
type uniting struct {
	*guardrails
	united map[string]*extproc.Guard
}

func (g *guardrails) uniting() *uniting {
	return &uniting{g, make(map[string]*extproc.Guard)}
}

// of is the union of the general guardrail with others, of which a key may have one for
// the sake of the member whose it is; nil if that is none but the general one. Names that
// are not known, or "", are none.
func (u *uniting) of(names []string, member keystore.MemberGuardrail) *extproc.Guard {
	var held []string
	for _, name := range append(slices.Clone(names), u.general) {
		if _, ok := u.known[name]; ok && !slices.Contains(held, name) {
			held = append(held, name)
		}
	}
	if _, ok := u.known[member.Guardrail]; !ok {
		member = keystore.MemberGuardrail{}
		if len(held) == 0 || len(held) == 1 && held[0] == u.general {
			return nil
		}
	}
	return u.unite(held, member)
}

func (u *uniting) unite(names []string, member keystore.MemberGuardrail) *extproc.Guard {
	key := strings.Join(append(slices.Clone(names), "", member.Guardrail, member.Member), "\x00") // since when is the member's
	if known, ok := u.united[key]; ok {
		return known
	}
	united := &extproc.Guard{}
	var rules []*guard.Guardrail
	add := func(name, member string, since time.Time) {
		g, ok := u.known[name]
		if !ok {
			return
		}
		rules = append(rules, g.rules)
		united.Constraints = append(united.Constraints, g.constraints)
		if g.budget.Budget.Amount > 0 {
			g.budget.Budget.Since = latest(g.budget.Budget.Since, since)
			united.Budgets = append(united.Budgets, extproc.GuardBudget{Guardrail: name, Member: member, Managed: g.managed, Limits: g.budget})
		}
	}
	for _, name := range names {
		add(name, "", time.Time{})
	}
	add(member.Guardrail, member.Member, member.Since)
	united.Rules = guard.Combine(rules...)
	u.united[key] = united
	return united
}

// guards are what holds for all keys, and for those of the configuration that name a
// guardrail of their own.
func (g *guardrails) guards() (all *extproc.Guard, ofKeys map[string]*extproc.Guard) {
	u := g.uniting()
	ofKeys = make(map[string]*extproc.Guard)
	for hash, name := range g.own {
		if united := u.of([]string{name}, keystore.MemberGuardrail{}); united != nil {
			ofKeys[hash] = united
		}
	}
	return u.unite([]string{g.general}, keystore.MemberGuardrail{}), ofKeys
}
