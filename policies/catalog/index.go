package catalog

import (
	"cmp"
	"slices"
	"strings"

	"github.com/switchyard/switchyard/policies/money"
)

// Ranked is a model with its place in the catalog.
type Ranked struct {
	*Model
	// Percentile tells how the model's price compares: that percentage of the ranked
	// models are cheaper, 0 to 99. The price is that of its cheapest endpoint.
	Percentile int
}

// index is what routers choose from. It is made once, with the catalog, so that
// choosing does not cost a walk over all models.
type index struct {
	ranked []Ranked
	free   []*Model
}

// Ranked returns the configured models that make text, but for the free variants
// ("m/x:free"), the newest first and of those the cheapest. The caller must not change the slice.
func (c *Catalog) Ranked() []Ranked { return c.index.ranked }

// Free returns the models that make text and cost nothing at any endpoint, sorted by id. The
// caller must not change the slice.
func (c *Catalog) Free() []*Model { return c.index.free }

// The request by which prices are compared: usual prompts are longer than their
// answers.
const (
	nominalPrompt     = 3000
	nominalCompletion = 1000
	nominalCharacters = 1000 // of speech, a minute or so
	nominalSeconds    = 60
)

// Nominal is the price of a request with 3,000 prompt tokens and an answer of
// 1,000, in which no cache has a part; for other models, of an image, a minute of
// sound, or as much speech. It makes one number of a price list, to
// compare it with others.
func (p *Prices) Nominal() money.USD {
	return p.Prompt.Mul(nominalPrompt).Add(p.Completion.Mul(nominalCompletion)).Add(p.Request).
		Add(p.GeneratedImage).Add(p.Character.Mul(nominalCharacters)).Add(p.Second.Mul(nominalSeconds))
}

// Configured finds a configured model by its id or its canonical slug. Unlike
// [Catalog.Model] it makes none up.
func (c *Catalog) Configured(id string) (*Model, bool) {
	if model, ok := c.models[id]; ok {
		return model, true
	}
	model, ok := c.canonical[id]
	return model, ok
}

func newIndex(models []*Model) index {
	var built index
	priced := make(map[*Model]money.USD, len(models))
	for _, model := range models {
		if len(model.Endpoints) == 0 || !slices.Contains(model.OutputModalities, "text") {
			continue
		}
		if !slices.ContainsFunc(model.Endpoints, func(e *Endpoint) bool { return !e.Prices.Free() }) {
			built.free = append(built.free, model)
		}
		if !strings.Contains(model.ID, ":free") {
			priced[model] = model.Cheapest().Prices.Nominal()
			built.ranked = append(built.ranked, Ranked{Model: model})
		}
	}
	ranked := built.ranked
	slices.SortStableFunc(ranked, func(a, b Ranked) int { return cmp.Compare(priced[a.Model], priced[b.Model]) })
	for i := range ranked {
		if i > 0 && priced[ranked[i].Model] == priced[ranked[i-1].Model] {
			ranked[i].Percentile = ranked[i-1].Percentile
		} else {
			ranked[i].Percentile = i * 100 / len(ranked)
		}
	}
	slices.SortStableFunc(ranked, func(a, b Ranked) int { return cmp.Compare(b.Created, a.Created) })
	return built
}

// Cheapest returns the endpoint with the lowest [Prices.Nominal], the first of
// several; nil without endpoints. Those of a service tier count only where there is
// no other: a request is not sent there unless it asks. It costs a walk over the
// endpoints.
func (m *Model) Cheapest() *Endpoint {
	var found *Endpoint
	for _, endpoint := range m.Endpoints {
		if found == nil || found.ServiceTier != "" && endpoint.ServiceTier == "" ||
			(found.ServiceTier == "") == (endpoint.ServiceTier == "") && endpoint.Prices.Nominal() < found.Prices.Nominal() {
			found = endpoint
		}
	}
	return found
}
