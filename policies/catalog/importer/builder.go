// Package importer makes model catalogs, in the configuration's schema, of what
// others publish: LiteLLM's price map, OpenRouter's model list, and a provider's
// own list of models. It reads what comes from the network: sizes are bounded,
// prices never pass through a float, and what cannot be taken over is reported.
//
// The rules are data: names.yaml says how names of models become ids, litellm.yaml
// what LiteLLM's providers are called here.
package importer

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/switchyard/switchyard/policies/config/configpb"
)

// MaxInput bounds what is read of one file or answer, in bytes.
const MaxInput = 64 << 20

// builder gathers endpoints into models.
type builder struct {
	models  map[string]*configpb.Model
	expires map[*configpb.Endpoint]string
	report  *Report
}

func newBuilder() *builder {
	return &builder{models: map[string]*configpb.Model{}, expires: map[*configpb.Endpoint]string{}, report: &Report{}}
}

// add puts an endpoint to its model. What an endpoint says of the whole model is
// in facts: modalities are united, and of other facts the first to be stated stays.
// Of two endpoints with one tag the one with the better name stays.
func (b *builder) add(id string, facts *configpb.Model, endpoint *configpb.Endpoint) {
	model, ok := b.models[id]
	if !ok {
		model = &configpb.Model{}
		b.models[id] = model
	}
	model.Name = cmp.Or(model.Name, facts.GetName())
	model.Description = cmp.Or(model.Description, facts.GetDescription())
	model.HuggingFaceId = cmp.Or(model.HuggingFaceId, facts.GetHuggingFaceId())
	model.KnowledgeCutoff = cmp.Or(model.KnowledgeCutoff, facts.GetKnowledgeCutoff())
	model.Created = cmp.Or(model.Created, facts.GetCreated())
	model.InputModalities = unite(model.InputModalities, facts.GetInputModalities())
	model.OutputModalities = unite(model.OutputModalities, facts.GetOutputModalities())
	if model.Reasoning == nil {
		model.Reasoning = facts.GetReasoning()
	}
	b.expires[endpoint] = facts.GetExpirationDate()
	at := slices.IndexFunc(model.Endpoints, func(e *configpb.Endpoint) bool { return e.TagOrDefault() == endpoint.TagOrDefault() })
	switch {
	case at < 0:
		model.Endpoints = append(model.Endpoints, endpoint)
	case preferred(endpoint.GetModel(), model.Endpoints[at].GetModel()):
		b.report.add(id+" at "+model.Endpoints[at].GetModel(), "another name of the same endpoint")
		model.Endpoints[at] = endpoint
	default:
		b.report.add(id+" at "+endpoint.GetModel(), "another name of the same endpoint")
	}
}

// catalog is what was gathered, in an order that depends on nothing but the input.
func (b *builder) catalog() *configpb.Config {
	for _, id := range slices.Sorted(maps.Keys(b.models)) {
		model := b.models[id]
		slices.SortFunc(model.Endpoints, func(x, y *configpb.Endpoint) int { return strings.Compare(x.TagOrDefault(), y.TagOrDefault()) })
		model.InputModalities, model.OutputModalities = textOmitted(model.InputModalities), textOmitted(model.OutputModalities)
		model.ExpirationDate = b.expiration(model)
	}
	return &configpb.Config{Models: b.models}
}

// expiration is the day on which the last endpoint of a model goes, or "" if one
// of them is to stay.
func (b *builder) expiration(model *configpb.Model) string {
	last := ""
	for _, endpoint := range model.Endpoints {
		day := b.expires[endpoint]
		if day == "" {
			return ""
		}
		last = max(last, day)
	}
	return last
}

// modalities in the order in which the API lists them.
var modalities = []string{"text", "image", "file", "audio", "video", "embeddings", "rerank", "speech", "transcription"}

// unite returns the modalities that are in either list.
func unite(a, b []string) []string {
	var both []string
	for _, modality := range modalities {
		if slices.Contains(a, modality) || slices.Contains(b, modality) {
			both = append(both, modality)
		}
	}
	return both
}

// textOmitted is nil for text alone, which is the schema's default.
func textOmitted(named []string) []string {
	if slices.Equal(named, []string{"text"}) {
		return nil
	}
	return named
}

// errTooLarge is of input beyond [MaxInput].
var errTooLarge = fmt.Errorf("larger than %d MiB", MaxInput>>20)
