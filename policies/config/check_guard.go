package config

import (
	"maps"
	"slices"

	"github.com/switchyard/switchyard/policies/config/configpb"
)

// checkGuardrails checks that guardrails are there which are named. Of their patterns
// package guard judges.
func (l *loader) checkGuardrails(config *configpb.Config) {
	if l.report.isFaulty(path{".guardrails"}) {
		return // every name would be wrong
	}
	known := slices.Sorted(maps.Keys(config.GetGuardrails()))
	used := map[string]bool{}
	named := func(name string, at path) {
		used[name] = true
		if name != "" && !slices.Contains(known, name) {
			l.report.fail(at, "there is no guardrail %q; %s", name, suggest(name, known))
		}
	}
	named(config.GetDefaultGuardrail(), path{".default_guardrail"})
	for i, key := range config.GetKeys() {
		named(key.GetGuardrail(), path{".keys"}.item(i).field("guardrail"))
	}
	for _, name := range known {
		if !used[name] {
			l.report.warn(path{".guardrails"}.key(name), "holds for nobody: name it as a key's guardrail, or as default_guardrail")
		}
	}
}
