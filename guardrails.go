package main

import (
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/switchyard/switchyard/extproc"
	"github.com/switchyard/switchyard/policies/config/configpb"
	"github.com/switchyard/switchyard/policies/guard"
	"github.com/switchyard/switchyard/policies/routing"
)

// guardrail is one of the configuration's.
type guardrail struct {
	rules       *guard.Guardrail
	constraints *routing.Constraints
}

// newGuards compiles the guardrails of a configuration: those that hold for every key,
// and by the keys' hashes those of keys that name one of their own. The error joins
// everything that is wrong.
func newGuards(cfg *configpb.Config) (all *extproc.Guard, ofKeys map[string]*extproc.Guard, err error) {
	known := make(map[string]guardrail, len(cfg.GetGuardrails()))
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
		known[name] = guardrail{rules, constraints}
	}
	if err := errors.Join(failures...); err != nil {
		return nil, nil, err
	}
	unite := func(names ...string) *extproc.Guard {
		united := &extproc.Guard{}
		var rules []*guard.Guardrail
		for _, name := range names {
			if g, ok := known[name]; ok {
				rules = append(rules, g.rules)
				united.Constraints = append(united.Constraints, g.constraints)
			}
		}
		united.Rules = guard.Combine(rules...)
		return united
	}
	general := cfg.GetDefaultGuardrail()
	ofKeys = make(map[string]*extproc.Guard)
	for _, key := range cfg.GetKeys() {
		if own := key.GetGuardrail(); own != "" && own != general {
			ofKeys[key.GetHash()] = unite(own, general)
		}
	}
	return unite(general), ofKeys, nil
}
