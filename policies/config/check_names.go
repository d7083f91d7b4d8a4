package config

import (
	"maps"
	"slices"
	"strings"

	"github.com/switchyard/switchyard/policies/config/configpb"
)

// routers are the models that choose another (spec section 3.5).
var routers = []string{
	"openrouter/auto", "openrouter/auto-beta", "openrouter/free", "openrouter/pareto-code",
	"switchyard/auto", "switchyard/auto-beta", "switchyard/free", "switchyard/pareto-code",
}

// variants are the endings that change how a model is routed, not which it is
// (spec section 3.4).
var variants = []string{":nitro", ":floor", ":exacto", ":online"}

// askable is what a request may name as its model.
type askable struct {
	models    map[string]bool // ids and canonical slugs
	aliases   map[string]string
	presets   map[string]*configpb.Preset
	providers map[string]*configpb.Provider
}

func newAskable(config *configpb.Config) askable {
	models := make(map[string]bool, 2*len(config.GetModels()))
	for id, model := range config.GetModels() {
		models[id], models[model.GetCanonicalSlug()] = true, true
	}
	return askable{models, config.GetAliases(), config.GetPresets(), config.GetProviders()}
}

// isModel reports whether an id is a model's, one of a provider of any model
// included.
func (a askable) isModel(id string) bool {
	slug, name, _ := strings.Cut(id, "/")
	return a.models[id] || name != "" && a.providers[slug].GetAnyModel()
}

// has reports whether a request can name this. What presets there are is not
// known here alone: clients create some.
func (a askable) has(name string) bool {
	name, preset, _ := strings.Cut(name, "@preset/")
	if name == "" {
		return preset != ""
	}
	if _, ok := a.aliases[name]; ok || a.isModel(name) || slices.Contains(routers, name) {
		return true
	}
	for _, variant := range variants {
		if base, ok := strings.CutSuffix(name, variant); ok && base != "" {
			return a.has(base)
		}
	}
	return false
}

func (a askable) suggest(name string) string {
	known := slices.Concat(slices.Collect(maps.Keys(a.models)), slices.Collect(maps.Keys(a.aliases)), routers)
	slices.Sort(known)
	return suggest(name, known)
}

// checkNames checks where the configuration names models.
func (l *loader) checkNames(config *configpb.Config) {
	if l.report.isFaulty(path{".models"}) || l.report.isFaulty(path{".providers"}) {
		return // every name would be wrong
	}
	known := newAskable(config)
	for name, target := range config.GetAliases() {
		at := path{".aliases"}.key(name)
		if !known.isModel(target) {
			l.report.fail(at, "there is no model %q; %s", target, suggest(target, slices.Sorted(maps.Keys(known.models))))
		}
		if known.models[name] || slices.Contains(routers, name) {
			l.report.failKey(at, "a model has this id; give the alias another name")
		}
	}
	l.checkDefaultModel(config.GetRouting().GetDefaultModel(), known)
	for slug, preset := range config.GetPresets() {
		at, members := path{".presets"}.key(slug).field("config"), preset.GetConfig().GetFields()
		l.warnUnknown(known, members["model"].GetStringValue(), at.key("model"))
		for i, entry := range members["models"].GetListValue().GetValues() {
			l.warnUnknown(known, entry.GetStringValue(), at.key("models").item(i))
		}
	}
}

// checkDefaultModel: presets are applied to what a request says, which does not name
// the default model.
func (l *loader) checkDefaultModel(name string, known askable) {
	at := path{".routing", ".default_model"}
	switch {
	case strings.Contains(name, "@preset/"):
		l.report.fail(at, "a preset cannot be the default, %q; name the model that it should stand for", name)
	case name != "" && !known.has(name):
		l.report.fail(at, "there is no model %q; %s", name, known.suggest(name))
	}
}

func (l *loader) warnUnknown(known askable, name string, at path) {
	if name != "" && !known.has(name) {
		l.report.warn(at, "there is no model %q; %s", name, known.suggest(name))
	}
}

func (l *loader) checkRouting(config *configpb.Config) {
	routing, at := config.GetRouting(), path{".routing"}
	if routing.GetCoolDown().AsDuration() > routing.GetMaxCoolDown().AsDuration() {
		l.report.fail(at.field("max_cool_down"), "must be at least cool_down, which is %s", durationText(routing.GetCoolDown()))
	}
	l.checkPatterns(routing.GetAutoModels(), at.field("auto_models"), config)
	earlier := map[string]int{}
	for i, route := range routing.GetRoutes() {
		at := at.field("routes").item(i)
		l.checkPatterns(route.GetModels(), at.field("models"), config)
		if route.GetNoHedge() && route.GetHedgeAfter().AsDuration() > 0 {
			l.report.fail(at.field("no_hedge"), "contradicts hedge_after: %s; remove one of the two", durationText(route.GetHedgeAfter()))
		}
		for j, pattern := range route.GetModels() {
			if first, ok := earlier[pattern]; ok {
				l.report.warn(at.field("models").item(j), "is in routes[%d] as well, which counts; remove one of the two", first)
			} else if first, ok := earlier["*"]; ok {
				l.report.warn(at.field("models").item(j), "never counts, because routes[%d] is for all models; put that last", first)
			} else {
				earlier[pattern] = i
			}
		}
	}
}
