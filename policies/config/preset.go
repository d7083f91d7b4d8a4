package config

import (
	"embed"
	"maps"
	"slices"
	"sync"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/switchyard/switchyard/policies/config/configpb"
)

//go:embed presets/*.yaml
var presetFiles embed.FS

// presets returns the built-in providers and models. They are a configuration
// like any other, and nobody may change them.
var presets = sync.OnceValue(func() *configpb.Config {
	all := &configpb.Config{}
	for _, name := range []string{"presets/providers.yaml", "presets/models.yaml"} {
		data, err := presetFiles.ReadFile(name)
		if err != nil {
			panic(err)
		}
		r := newReport(name)
		part := &configpb.Config{}
		decode(r, readDocument(r, data), part)
		if len(r.problems) > 0 {
			panic(r.problems) // built into the binary, and tested
		}
		proto.Merge(all, part)
	}
	return all
})

// applyPresets fills the providers and models with what the presets know.
func (l *loader) applyPresets(config *configpb.Config) {
	known := presets()
	// serving lists the slugs of the providers that start from each preset: one,
	// usually, but two for two accounts with one vendor.
	serving := map[string][]string{}
	for _, slug := range slices.Sorted(maps.Keys(config.GetProviders())) {
		provider := config.Providers[slug]
		name := provider.GetPreset()
		if name == "" {
			name = slug
		}
		preset, ok := known.GetProviders()[name]
		if ok {
			config.Providers[slug] = override(preset, provider)
			config.Providers[slug].Preset = name
			serving[name] = append(serving[name], slug)
		} else if provider.GetPreset() != "" {
			l.report.fail(path{".providers"}.key(slug).field("preset"), "there is no preset %q; %s",
				name, suggest(name, slices.Sorted(maps.Keys(known.GetProviders()))))
		}
	}
	for id, preset := range known.GetModels() {
		model, listed := config.GetModels()[id]
		if !listed && config.GetModelsFromPresets() == configpb.PresetModels_PRESET_MODELS_NONE {
			continue
		}
		merged := override(preset, model)
		if len(model.GetEndpoints()) == 0 {
			merged.Endpoints = enabledEndpoints(preset.GetEndpoints(), serving)
		}
		if listed || len(merged.Endpoints) > 0 {
			if config.Models == nil {
				config.Models = map[string]*configpb.Model{}
			}
			config.Models[id] = merged
		}
	}
}

// enabledEndpoints are the endpoints at the providers that are configured, in
// the preset's order.
func enabledEndpoints(endpoints []*configpb.Endpoint, serving map[string][]string) []*configpb.Endpoint {
	var enabled []*configpb.Endpoint
	for _, endpoint := range endpoints {
		for _, slug := range serving[endpoint.GetProvider()] {
			own := proto.CloneOf(endpoint)
			own.Provider = slug
			enabled = append(enabled, own)
		}
	}
	return enabled
}

// override returns the preset with every field replaced that is set in own.
// Only time limits and headers are merged, because each stands for itself.
func override[M proto.Message](preset, own M) M {
	merged := proto.CloneOf(preset)
	into := merged.ProtoReflect()
	own.ProtoReflect().Range(func(field protoreflect.FieldDescriptor, _ protoreflect.Value) bool {
		switch field.Name() {
		case "timeouts", "headers":
		default:
			into.Clear(field)
		}
		return true
	})
	proto.Merge(merged, own)
	return merged
}
