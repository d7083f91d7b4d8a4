package config

import (
	"maps"
	"slices"

	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/switchyard/switchyard/policies/config/configpb"
)

// readCatalogs returns the presets with the catalog files laid over them, in
// their order, and whether all could be read. What is wrong with a file is
// reported with its own name and lines.
func (l *loader) readCatalogs(config *configpb.Config) (*configpb.Config, bool) {
	known, ok := presets(), true
	if len(config.GetCatalogFiles()) == 0 {
		return known, ok
	}
	known = &configpb.Config{Providers: maps.Clone(known.GetProviders()), Models: maps.Clone(known.GetModels())}
	for i, name := range config.GetCatalogFiles() {
		file, fine := l.readCatalog(name, path{".catalog_files"}.item(i))
		if !fine {
			ok = false
			continue
		}
		layer(known, file)
		l.catalogs = append(l.catalogs, file)
	}
	return known, ok
}

// warnIdleCatalogs warns of catalog files without which the same would be served.
// It runs when all files could be read.
func (l *loader) warnIdleCatalogs(config *configpb.Config, serving map[string][]string) {
	for i, file := range l.catalogs {
		if isUsed(file, config, serving) {
			continue
		}
		at := path{".catalog_files"}.item(i)
		if providers := providersOf(file); len(providers) > 0 {
			l.report.warn(at, "contributes nothing to what is served; its endpoints are at %s", enumerate(providers, "and"))
		} else {
			l.report.warn(at, "contributes nothing to what is served")
		}
	}
}

// providersOf are the providers whose endpoints a catalog has, the first few.
func providersOf(file *configpb.Config) []string {
	const few = 5
	slugs := map[string]bool{}
	for _, model := range file.GetModels() {
		for _, endpoint := range model.GetEndpoints() {
			slugs[endpoint.GetProvider()] = true
		}
	}
	sorted := slices.Sorted(maps.Keys(slugs))
	if len(sorted) > few {
		return append(sorted[:few], "others")
	}
	return sorted
}

// isUsed reports whether something of a catalog file is served: a provider, or an
// endpoint of a model, or what else is said of one.
func isUsed(file, config *configpb.Config, serving map[string][]string) bool {
	for slug := range file.GetProviders() {
		if serving[slug] != nil {
			return true
		}
	}
	for id, model := range file.GetModels() {
		atConfigured := func(e *configpb.Endpoint) bool { return serving[e.GetProvider()] != nil }
		if config.Models[id] != nil && (len(model.GetEndpoints()) == 0 || slices.ContainsFunc(model.GetEndpoints(), atConfigured)) {
			return true
		}
	}
	return false
}

// readCatalog reads one catalog file: a configuration of models and providers,
// without credentials in clear, in YAML or in JSON, which is YAML as well.
func (l *loader) readCatalog(name string, at path) (*configpb.Config, bool) {
	data, ok := l.readNamed(name, at)
	if !ok {
		return nil, false
	}
	file, r := &configpb.Config{}, newReport(name)
	decode(r, data, catalogBounds, file)
	file.ProtoReflect().Range(func(field protoreflect.FieldDescriptor, _ protoreflect.Value) bool {
		if field.Name() != "models" && field.Name() != "providers" {
			r.failKey(path{}.field(field.Name()), "does not belong in a catalog file; only models and providers do")
		}
		return true
	})
	for slug, provider := range file.GetProviders() {
		if provider.GetPreset() != "" {
			r.fail(path{".providers"}.key(slug).field("preset"), "does not belong in a catalog file, whose providers are presets themselves; remove it")
		}
		if provider.GetCredential().GetValue() != "" {
			r.fail(path{".providers"}.key(slug).field("credential"), "a catalog file holds no secret; give env, or the credential in the configuration")
		}
	}
	for _, id := range slices.Sorted(maps.Keys(file.GetModels())) {
		model, at := file.Models[id], path{".models"}.key(id)
		if len(model.GetEndpoints()) == 0 {
			r.faulty[at.field("endpoints").String()] = true // no fault here: those of a lower layer stay
		}
		checkEndpoints(r, model, at)
	}
	checkRules(r, file)
	l.report.problems = append(l.report.problems, r.problems...)
	return file, len(r.problems) == 0
}
