package importer

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/switchyard/switchyard/policies/config/configpb"
)

// listedModel is a model in a provider's own list. Only the id is sure to be
// there; the lengths have different names at different providers.
type listedModel struct {
	ID               string            `json:"id"`
	Type             string            `json:"type"`
	Created          int64             `json:"created"`
	ContextLength    int64             `json:"context_length"`
	ContextWindow    int64             `json:"context_window"`
	MaxModelLength   int64             `json:"max_model_len"`
	MaxOutputLength  int64             `json:"max_output_length"`
	MaxCompletion    int64             `json:"max_completion_tokens"`
	Quantization     string            `json:"quantization"`
	Pricing          openRouterPricing `json:"pricing"`
	InputModalities  []string          `json:"input_modalities"`
	OutputModalities []string          `json:"output_modalities"`

	// Google's own names for the same.
	Name        string   `json:"name"` // "models/" and the id
	InputLimit  int64    `json:"inputTokenLimit"`
	OutputLimit int64    `json:"outputTokenLimit"`
	Methods     []string `json:"supportedGenerationMethods"`
}

// Models reads a provider's own answer to GET /models: {"data": [...]} as OpenAI
// has it, {"models": [...]} as Google and Cohere have it, or the list alone. slug is the provider's in the configuration, and
// preset what it starts from, whose rules for names hold. A price is taken only
// where it is a text in US dollars for one token, as OpenRouter asks providers to
// state it: numbers mean one thing here and another there.
func Models(data []byte, slug, preset string) (*configpb.Config, *Report, error) {
	if len(data) > MaxInput {
		return nil, nil, errTooLarge
	}
	var list []jsontext.Value
	var answer struct {
		Data   []jsontext.Value `json:"data"`
		Models []jsontext.Value `json:"models"`
	}
	if err := json.Unmarshal(data, &list); err != nil {
		if err := json.Unmarshal(data, &answer); err != nil {
			return nil, nil, fmt.Errorf("no list of models: %w", err)
		}
		list = append(answer.Data, answer.Models...)
	}
	rules := vendorOf(preset)
	b := newBuilder()
	for i, raw := range list {
		var model listedModel
		// The fields beside the id are a courtesy, and providers disagree on them.
		if err := json.Unmarshal(raw, &model); err != nil {
			model = listedModel{}
			var named struct {
				ID string `json:"id"`
			}
			if err := json.Unmarshal(raw, &named); err != nil {
				b.report.add(fmt.Sprintf("[%d]", i), "cannot be read")
				continue
			}
			model.ID = named.ID
			b.report.add(model.ID, "only the id can be read")
		}
		if len(answer.Models) > 0 {
			// Google's and Cohere's models have names where others' have ids.
			model.ID = cmp.Or(model.ID, strings.TrimPrefix(model.Name, "models/"))
		}
		b.addListed(&model, slug, rules)
	}
	return b.catalog(), b.report, nil
}

func (b *builder) addListed(model *listedModel, slug string, rules vendor) {
	if model.Type != "" && model.Type != "chat" && model.Type != "model" && model.Type != "language" {
		b.report.add(model.ID, "type %q is not served", model.Type)
		return
	}
	if len(model.Methods) > 0 && !slices.Contains(model.Methods, "generateContent") {
		b.report.add(model.ID, "it does not converse")
		return
	}
	found, err := loadNames().identify(strings.TrimPrefix(model.ID, rules.Prefix), cmp.Or(rules.Author, slug), rules.Tags)
	if err != nil {
		b.report.add(model.ID, "no id: %v", err)
		return
	}
	endpoint := &configpb.Endpoint{
		Provider: slug, Model: model.ID, Quantization: found.Quantization,
		ContextLength:       max(0, model.ContextLength, model.ContextWindow, model.MaxModelLength, model.InputLimit),
		MaxCompletionTokens: max(0, model.MaxOutputLength, model.MaxCompletion, model.OutputLimit),
	}
	if slices.Contains(loadNames().Quantizations, model.Quantization) {
		endpoint.Quantization = model.Quantization
	}
	if found.Variant != "" {
		endpoint.Tag = slug + "/" + found.Variant
	}
	if model.Pricing["prompt"].Kind() == '"' {
		if endpoint.Prices, err = model.Pricing.prices(); err != nil {
			b.report.add(model.ID, "%v; left out", err)
		}
	}
	if endpoint.Prices == nil {
		b.report.add(model.ID, "no price is stated: it would count as free")
	}
	b.add(found.ID, &configpb.Model{
		Name: found.Name, Created: cmp.Or(found.Created, max(0, model.Created)),
		InputModalities: model.InputModalities, OutputModalities: model.OutputModalities,
	}, endpoint)
}

// vendorOf are the rules for a preset's names, or none.
func vendorOf(preset string) vendor {
	for _, vendor := range loadLiteLLM().Providers {
		if vendor.Slug == preset {
			return vendor
		}
	}
	return vendor{}
}
