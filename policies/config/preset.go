package config

import (
	"cmp"
	"embed"
	"maps"
	"slices"
	"strings"
	"sync"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/switchyard/switchyard/policies/config/configpb"
)

//go:embed presets/*.yaml
var presetFiles embed.FS

// presets returns the built-in providers and models. They are a configuration
// like any other, and nobody may change them.
var presets = sync.OnceValue(readPresets)

func readPresets() *configpb.Config {
	all := &configpb.Config{}
	for _, name := range []string{"presets/providers.yaml", "presets/catalog.yaml", "presets/models.yaml"} {
		data, err := presetFiles.ReadFile(name)
		if err != nil {
			panic(err)
		}
		r := newReport(name)
		part := &configpb.Config{}
		decode(r, data, catalogBounds, part)
		if len(r.problems) > 0 {
			panic(r.problems) // built into the binary, and tested
		}
		layer(all, part)
	}
	return all
}

// applyPresets fills the providers and models with what the presets and catalog
// files know. It copies only what is served, of catalogs that may know thousands
// of models. It returns who serves what a catalog says of each provider.
func (l *loader) applyPresets(config *configpb.Config) map[string][]string {
	serving := l.applyProviderPresets(config)
	if config.Models == nil {
		config.Models = map[string]*configpb.Model{}
	}
	for id, own := range config.GetModels() {
		if own.GetExpirationDate() != "" && own.RefuseExpired == nil {
			own.RefuseExpired = proto.Bool(true)
		}
		if preset, ok := l.known.GetModels()[id]; ok {
			config.Models[id] = overrideModel(preset, own, enabledEndpoints(preset.GetEndpoints(), serving))
		}
	}
	if config.GetModelsFromPresets() == configpb.PresetModels_PRESET_MODELS_NONE {
		return serving
	}
	for id, preset := range l.known.GetModels() {
		if config.Models[id] != nil {
			continue
		}
		if enabled := enabledEndpoints(preset.GetEndpoints(), serving); len(enabled) > 0 {
			config.Models[id] = withEndpoints(preset, enabled)
		}
	}
	return serving
}

// applyProviderPresets returns the slugs of the configured providers that serve
// what a catalog says of each provider. Of a preset it is the one that starts from
// it, usually, but two for two accounts with one vendor. A provider whose slug is no
// preset's is meant by that slug as well: catalogs of its own models name it so.
func (l *loader) applyProviderPresets(config *configpb.Config) map[string][]string {
	serving := map[string][]string{}
	for _, slug := range slices.Sorted(maps.Keys(config.GetProviders())) {
		provider := config.Providers[slug]
		name := cmp.Or(provider.GetPreset(), slug)
		preset, ok := l.known.GetProviders()[name]
		if ok {
			if provider.GetAuthentication() > configpb.Authentication_AUTHENTICATION_KEY && provider.GetCredential() == nil {
				// What the preset asks for is of another kind.
				preset = withoutCredential(preset)
			}
			config.Providers[slug] = override(preset, provider)
			config.Providers[slug].Preset = name
			serving[name] = append(serving[name], slug)
		} else if provider.GetPreset() != "" {
			l.report.fail(path{".providers"}.key(slug).field("preset"), "there is no preset %q; %s",
				name, suggest(name, slices.Sorted(maps.Keys(l.known.GetProviders()))))
		}
		if _, isPreset := l.known.GetProviders()[slug]; !isPreset {
			serving[slug] = append(serving[slug], slug)
		}
	}
	return serving
}

// withoutCredential copies a preset for a way of authentication that is not its own.
func withoutCredential(preset *configpb.Provider) *configpb.Provider {
	preset = proto.CloneOf(preset)
	preset.Credential = nil
	return preset
}

// enabledEndpoints are the endpoints at the providers that are configured, in
// the preset's order. What is said of a provider lies over what is said of the
// preset that it starts from, as the later of two layers.
func enabledEndpoints(endpoints []*configpb.Endpoint, serving map[string][]string) []*configpb.Endpoint {
	var enabled []*configpb.Endpoint
	for _, endpoint := range endpoints {
		for _, slug := range serving[endpoint.GetProvider()] {
			own := endpointAt(slug, endpoint)
			if at := indexOfTag(enabled, own); at < 0 {
				enabled = append(enabled, own)
			} else {
				enabled[at] = override(enabled[at], own)
			}
		}
	}
	return enabled
}

// endpointAt copies a preset's endpoint for a provider that may have another
// slug: a tag such as deepinfra/turbo moves along.
func endpointAt(slug string, endpoint *configpb.Endpoint) *configpb.Endpoint {
	own := proto.CloneOf(endpoint)
	own.Provider = slug
	if rest, ok := strings.CutPrefix(own.GetTag(), endpoint.GetProvider()); ok && (rest == "" || rest[0] == '/') {
		own.Tag = slug + rest
	}
	return own
}

// withEndpoints is the model with other endpoints. It copies none of its own.
func withEndpoints(model *configpb.Model, endpoints []*configpb.Endpoint) *configpb.Model {
	copied := &configpb.Model{}
	model.ProtoReflect().Range(func(field protoreflect.FieldDescriptor, value protoreflect.Value) bool {
		if field.Name() != "endpoints" {
			copied.ProtoReflect().Set(field, value)
		}
		return true
	})
	copied = proto.CloneOf(copied) // lists and messages are still the preset's
	copied.Endpoints = endpoints
	return copied
}

// overrideModel is override for a model. Its own endpoints inherit what they
// leave open from those that are enabled; without any it has all of these.
func overrideModel(preset, own *configpb.Model, enabled []*configpb.Endpoint) *configpb.Model {
	merged := override(preset, own)
	if len(own.GetEndpoints()) == 0 {
		merged.Endpoints = enabled
	}
	for i, endpoint := range own.GetEndpoints() {
		for _, known := range enabled {
			if known.GetProvider() == endpoint.GetProvider() && isMeant(endpoint, known) {
				merged.Endpoints[i] = override(known, endpoint)
				break
			}
		}
	}
	return merged
}

// isMeant reports whether an endpoint refers to the known one of its provider:
// by its tag if it has one, else by its service tier.
func isMeant(endpoint, known *configpb.Endpoint) bool {
	if tag := endpoint.GetTag(); tag != "" && tag != known.TagOrDefault() {
		return false
	}
	if endpoint.GetTag() != "" && endpoint.GetServiceTier() == "" {
		return true
	}
	return endpoint.GetServiceTier() == known.GetServiceTier()
}

// override returns the preset with every field replaced that is set in own. Only
// prices, time limits, quirks and headers are merged one by one, because each stands
// for itself.
func override[M proto.Message](preset, own M) M {
	merged := proto.CloneOf(preset)
	overlay(merged.ProtoReflect(), proto.CloneOf(own).ProtoReflect())
	return merged
}

func overlay(into, own protoreflect.Message) {
	own.Range(func(field protoreflect.FieldDescriptor, value protoreflect.Value) bool {
		switch field.Name() {
		case "prices":
			overlayPrices(into.Mutable(field).Message(), value.Message())
		case "timeouts", "quirks":
			overlay(into.Mutable(field).Message(), value.Message())
		case "headers":
			headers := into.Mutable(field).Map()
			value.Map().Range(func(name protoreflect.MapKey, header protoreflect.Value) bool {
				headers.Set(name, header)
				return true
			})
		default:
			into.Set(field, value)
		}
		return true
	})
}

// overlayPrices is overlay for prices. Overrides go with the prices of prompt and
// answer that they were made for: beside others they would charge what nobody asks.
func overlayPrices(into, own protoreflect.Message) {
	if prices := own.Interface().(*configpb.Prices); prices.GetPrompt() != "" || prices.GetCompletion() != "" {
		into.Interface().(*configpb.Prices).Overrides = nil
	}
	overlay(into, own)
}
