package quota

import (
	"google.golang.org/protobuf/proto"

	"github.com/switchyard/switchyard/policies/config/configpb"
)

// SameBudgets reports whether no budget holds after a change of the configuration that did
// not hold before: one that did not may have a counter from an earlier time, which missed
// what was spent since, and [Limiter.Recheck] is due. It may say no without need. A key that
// is new has spent nothing while it was not there.
func SameBudgets(before, after *configpb.Config) bool {
	if !proto.Equal(before.GetLimits(), after.GetLimits()) || !proto.Equal(before.GetTotalLimits(), after.GetTotalLimits()) ||
		!proto.Equal(before.GetOrganizationLimits(), after.GetOrganizationLimits()) || before.GetDefaultGuardrail() != after.GetDefaultGuardrail() {
		return false
	}
	for name, guardrail := range after.GetGuardrails() {
		if !proto.Equal(before.GetGuardrails()[name], guardrail) {
			return false
		}
	}
	for id, model := range after.GetModels() {
		if !proto.Equal(before.GetModels()[id].GetLimits(), model.GetLimits()) {
			return false
		}
	}
	for slug, provider := range after.GetProviders() {
		if !proto.Equal(before.GetProviders()[slug].GetLimits(), provider.GetLimits()) {
			return false
		}
	}
	keys := make(map[string]*configpb.Key, len(before.GetKeys()))
	for _, key := range before.GetKeys() {
		keys[key.GetHash()] = key
	}
	for _, key := range after.GetKeys() {
		known, ok := keys[key.GetHash()]
		if ok && (!proto.Equal(known.GetLimits(), key.GetLimits()) || known.GetGuardrail() != key.GetGuardrail()) {
			return false
		}
	}
	return true
}
