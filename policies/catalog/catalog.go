// Package catalog is what the gateway can serve: models, the endpoints that
// serve them, their prices, and the providers behind the endpoints.
//
// A [Catalog] is built once for each generation of the configuration and never
// changes afterwards, so any number of goroutines may read it, and a request
// keeps the one that it started with. Everything is checked and every default
// is filled in while it is built; readers find no zero that means something else.
package catalog

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/switchyard/switchyard/policies/config/configpb"
)

// Catalog holds every model, endpoint and provider of one configuration.
type Catalog struct {
	models    map[string]*Model // by id
	canonical map[string]*Model // by canonical slug
	aliases   map[string]*Model
	providers map[string]*Provider
	sorted    []*Model
	index     index
	expiring  bool // a model is refused from some day on
}

// Expiring reports whether any model has a day from which on it is refused.
func (c *Catalog) Expiring() bool { return c.expiring }

// New builds the catalog of cfg, in which presets have been applied already.
// secret returns the credential of a provider, or false if it has none, as
// with servers on the local machine. The error joins everything that is wrong,
// each with the path of its field.
func New(cfg *configpb.Config, secret func(provider string) (string, bool)) (*Catalog, error) {
	c := &Catalog{
		models:    make(map[string]*Model, len(cfg.GetModels())),
		canonical: make(map[string]*Model, len(cfg.GetModels())),
		aliases:   make(map[string]*Model, len(cfg.GetAliases())),
		providers: make(map[string]*Provider, len(cfg.GetProviders())),
	}
	var failures []error
	for _, slug := range slices.Sorted(maps.Keys(cfg.GetProviders())) {
		provider, err := newProvider(slug, cfg.GetProviders()[slug], secret)
		failures = append(failures, err)
		c.providers[slug] = provider
	}
	for _, id := range slices.Sorted(maps.Keys(cfg.GetModels())) {
		model, err := newModel(id, cfg.GetModels()[id], c.providers, cfg.GetRouting().GetBalance() == configpb.Balance_BALANCE_LISTED)
		failures = append(failures, err)
		c.models[id] = model
		c.sorted = append(c.sorted, model)
		c.expiring = c.expiring || !model.Expires.IsZero()
		// Variants ("m/x:free") share the slug of their base, which sorts first.
		if _, taken := c.canonical[model.CanonicalSlug]; !taken {
			c.canonical[model.CanonicalSlug] = model
		}
	}
	for _, name := range slices.Sorted(maps.Keys(cfg.GetAliases())) {
		target, ok := c.Model(cfg.GetAliases()[name])
		switch {
		case !ok:
			failures = append(failures, fmt.Errorf("aliases[%q]: there is no model %q", name, cfg.GetAliases()[name]))
		case c.models[name] != nil:
			failures = append(failures, fmt.Errorf("aliases[%q]: a model has this id", name))
		default:
			c.aliases[name] = target
		}
	}
	if err := errors.Join(failures...); err != nil {
		return nil, err
	}
	c.index = newIndex(c.sorted)
	return c, nil
}

// Alias finds the model that an alias stands for (spec section 3.1).
func (c *Catalog) Alias(name string) (*Model, bool) {
	model, ok := c.aliases[name]
	return model, ok
}

// Model finds a model by its id or its canonical slug. An id "<slug>/<name>"
// that is not configured is made up on the spot if the provider <slug> serves
// any model, see [Model.OnDemand].
func (c *Catalog) Model(id string) (*Model, bool) {
	if model, ok := c.Configured(id); ok {
		return model, true
	}
	slug, name, _ := strings.Cut(id, "/")
	if provider, ok := c.providers[slug]; ok && provider.AnyModel && validName(name) {
		return onDemand(id, name, provider), true
	}
	return nil, false
}

// Endpoint finds an endpoint of a configured model by its id.
func (c *Catalog) Endpoint(id string) (*Endpoint, bool) {
	modelID, tag, _ := strings.Cut(id, "|")
	model, ok := c.models[modelID]
	if !ok {
		return nil, false
	}
	for _, endpoint := range model.Endpoints {
		if endpoint.Tag == tag {
			return endpoint, true
		}
	}
	return nil, false
}

// Models returns the configured models, sorted by id. The caller must not
// change the slice.
func (c *Catalog) Models() []*Model { return c.sorted }

// Provider finds a provider by its slug.
func (c *Catalog) Provider(slug string) (*Provider, bool) {
	provider, ok := c.providers[slug]
	return provider, ok
}

// Providers returns the providers, sorted by slug.
func (c *Catalog) Providers() []*Provider {
	return slices.SortedFunc(maps.Values(c.providers), func(a, b *Provider) int {
		return strings.Compare(a.Slug, b.Slug)
	})
}
