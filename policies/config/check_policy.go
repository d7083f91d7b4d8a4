package config

import (
	"maps"
	"slices"
	"strings"

	"github.com/switchyard/switchyard/policies/config/configpb"
)

// checkPolicies checks the policies of the gateway, of its keys and of guardrails. A provider
// that does not exist is no error: a policy may be older or younger than it.
func (l *loader) checkPolicies(config *configpb.Config) {
	providers := providerNames(config)
	l.checkPolicy(config.GetPolicy(), path{".policy"}, config, providers)
	for i, key := range config.GetKeys() {
		l.checkPolicy(key.GetPolicy(), path{".keys"}.item(i).field("policy"), config, providers)
	}
	for name, guardrail := range config.GetGuardrails() {
		l.checkPolicy(guardrail.GetPolicy(), path{".guardrails"}.key(name).field("policy"), config, providers)
	}
}

func (l *loader) checkPolicy(policy *configpb.Policy, at path, config *configpb.Config, providers []string) {
	if policy == nil {
		return
	}
	l.checkProviderNames(policy.GetOnly(), at.field("only"), providers)
	l.checkProviderNames(policy.GetIgnore(), at.field("ignore"), providers)
	l.checkPatterns(policy.GetAllowedModels(), at.field("allowed_models"), config)
	l.checkPatterns(policy.GetIgnoredModels(), at.field("ignored_models"), config)

	least := configpb.QuantizationBits(policy.GetMinQuantization())
	admits := func(name string) bool { return configpb.QuantizationBits(name) >= least }
	if len(policy.GetQuantizations()) > 0 && !slices.ContainsFunc(policy.GetQuantizations(), admits) {
		l.report.fail(at.field("min_quantization"), "%s leaves none of quantizations: %s; no endpoint could answer",
			policy.GetMinQuantization(), enumerate(policy.GetQuantizations(), "and"))
	}
}

// providerNames are the words by which a provider can be meant: slugs, names and
// the tags of endpoints (spec section 2.1).
func providerNames(config *configpb.Config) []string {
	words := map[string]bool{}
	for slug, provider := range config.GetProviders() {
		words[slug], words[provider.GetName()] = true, true
	}
	for _, model := range config.GetModels() {
		for _, endpoint := range model.GetEndpoints() {
			words[endpoint.GetTag()] = true
		}
	}
	return slices.Sorted(maps.Keys(words))
}

func (l *loader) checkProviderNames(written []string, at path, known []string) {
	for i, name := range written {
		isMeant := func(known string) bool { return strings.EqualFold(known, name) }
		if name != "" && !slices.ContainsFunc(known, isMeant) {
			l.report.warn(at.item(i), "names no configured provider, %q; %s", name, suggest(name, known))
		}
	}
}

// checkPatterns warns of patterns that no model meets.
func (l *loader) checkPatterns(patterns []string, at path, config *configpb.Config) {
	for i, pattern := range patterns {
		if pattern != "" && !meetsAny(pattern, config) {
			l.report.warn(at.item(i), "%q meets no configured model; * stands for any text, as in openai/*", pattern)
		}
	}
}

func meetsAny(pattern string, config *configpb.Config) bool {
	start, _, open := strings.Cut(pattern, "*")
	for slug, provider := range config.GetProviders() {
		// What a provider of any model serves is not known.
		if provider.GetAnyModel() && (strings.HasPrefix(start, slug+"/") || open && strings.HasPrefix(slug+"/", start)) {
			return true
		}
	}
	for id := range config.GetModels() {
		if meets(pattern, id) {
			return true
		}
	}
	for name := range config.GetAliases() {
		if meets(pattern, name) {
			return true
		}
	}
	return false
}

// meets reports whether text is as the pattern says, where * stands for any text.
func meets(pattern, text string) bool {
	first, rest, open := strings.Cut(pattern, "*")
	if !open {
		return pattern == text
	}
	text, ok := strings.CutPrefix(text, first)
	if !ok {
		return false
	}
	parts := strings.Split(rest, "*")
	last := len(parts) - 1
	for _, part := range parts[:last] {
		_, after, found := strings.Cut(text, part)
		if !found {
			return false
		}
		text = after
	}
	return strings.HasSuffix(text, parts[last])
}
