package config

import (
	"slices"

	"google.golang.org/protobuf/proto"

	"github.com/switchyard/switchyard/policies/config/configpb"
)

// layer puts a catalog over another: what the upper one says wins, field by field,
// of providers, models, and endpoints of the same tag. Endpoints that only the upper
// one has come last. The upper one is not changed, and shares nothing afterwards.
func layer(below, above *configpb.Config) {
	if below.Providers == nil {
		below.Providers = make(map[string]*configpb.Provider, len(above.GetProviders()))
	}
	for slug, provider := range above.GetProviders() {
		below.Providers[slug] = over(below.Providers[slug], provider)
	}
	if below.Models == nil {
		below.Models = make(map[string]*configpb.Model, len(above.GetModels()))
	}
	for id, model := range above.GetModels() {
		endpoints := below.Models[id].GetEndpoints()
		merged := over(below.Models[id], model)
		merged.Endpoints = layerEndpoints(endpoints, model.GetEndpoints())
		below.Models[id] = merged
	}
}

func layerEndpoints(below, above []*configpb.Endpoint) []*configpb.Endpoint {
	merged := slices.Clone(below)
	for _, endpoint := range above {
		if at := indexOfTag(merged, endpoint); at < 0 {
			merged = append(merged, proto.CloneOf(endpoint))
		} else {
			merged[at] = override(merged[at], endpoint)
		}
	}
	return merged
}

// indexOfTag is where the endpoint with the same tag is, or -1.
func indexOfTag(endpoints []*configpb.Endpoint, endpoint *configpb.Endpoint) int {
	tag := endpoint.TagOrDefault()
	return slices.IndexFunc(endpoints, func(e *configpb.Endpoint) bool { return e.TagOrDefault() == tag })
}

// over is [override], also of nothing.
func over[M interface {
	comparable
	proto.Message
}](below, above M) M {
	var none M
	if below == none {
		return proto.CloneOf(above)
	}
	return override(below, above)
}
