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

// openRouterModel is a model as spec section 7 has it; of GET
// /models/{author}/{slug}/endpoints it carries the endpoints.
type openRouterModel struct {
	ID            string `json:"id"`
	CanonicalSlug string `json:"canonical_slug"`
	HuggingFaceID string `json:"hugging_face_id"`
	Name          string `json:"name"`
	Description   string `json:"description"`
	Created       int64  `json:"created"`
	ContextLength int64  `json:"context_length"`
	Architecture  struct {
		Input     []string `json:"input_modalities"`
		Output    []string `json:"output_modalities"`
		Tokenizer string   `json:"tokenizer"`
	} `json:"architecture"`
	Pricing     openRouterPricing `json:"pricing"`
	TopProvider struct {
		MaxCompletionTokens int64 `json:"max_completion_tokens"`
	} `json:"top_provider"`
	Parameters      []string             `json:"supported_parameters"`
	ExpirationDate  string               `json:"expiration_date"`
	KnowledgeCutoff string               `json:"knowledge_cutoff"`
	Endpoints       []openRouterEndpoint `json:"endpoints"`
}

type openRouterEndpoint struct {
	Tag                 string            `json:"tag"`
	Quantization        string            `json:"quantization"`
	ContextLength       int64             `json:"context_length"`
	MaxCompletionTokens int64             `json:"max_completion_tokens"`
	MaxPromptTokens     int64             `json:"max_prompt_tokens"`
	Pricing             openRouterPricing `json:"pricing"`
	Parameters          []string          `json:"supported_parameters"`
}

// OpenRouter reads what OpenRouter's API answers: to GET /models, models that the
// provider openrouter serves; to GET /models/{author}/{slug}/endpoints, one model
// with its endpoints at the providers of their tags. The error is of an answer that
// is neither; what is wrong with one model is in the report.
func OpenRouter(data []byte) (*configpb.Config, *Report, error) {
	if len(data) > MaxInput {
		return nil, nil, errTooLarge
	}
	var answer struct {
		Data jsontext.Value `json:"data"`
	}
	if err := json.Unmarshal(data, &answer); err != nil {
		return nil, nil, fmt.Errorf("no answer of the API: %w", err)
	}
	list := []jsontext.Value{answer.Data}
	switch answer.Data.Kind() {
	case '[':
		if err := json.Unmarshal(answer.Data, &list); err != nil {
			return nil, nil, fmt.Errorf("data: %w", err)
		}
	case '{':
	default:
		return nil, nil, fmt.Errorf("data: want a list of models, or a model with its endpoints")
	}
	b := newBuilder()
	for i, raw := range list {
		var model openRouterModel
		if err := json.Unmarshal(raw, &model); err != nil {
			b.report.add(fmt.Sprintf("data[%d]", i), "cannot be read")
			continue
		}
		b.addOpenRouter(&model)
	}
	return b.catalog(), b.report, nil
}

func (b *builder) addOpenRouter(model *openRouterModel) {
	author, slug, _ := strings.Cut(model.ID, "/")
	if !idPart.MatchString(author) || !idPart.MatchString(slug) {
		b.report.add(model.ID, "not an id of author and slug; routers and aliases have others")
		return
	}
	facts := &configpb.Model{
		Name: model.Name, Description: model.Description,
		Created:       cmp.Or(max(0, model.Created), createdByID(model.CanonicalSlug, model.ID)),
		HuggingFaceId: model.HuggingFaceID, KnowledgeCutoff: model.KnowledgeCutoff, ExpirationDate: model.ExpirationDate,
		InputModalities: model.Architecture.Input, OutputModalities: model.Architecture.Output,
	}
	endpoints := model.Endpoints
	if endpoints == nil {
		endpoints = []openRouterEndpoint{{
			Tag: "openrouter", ContextLength: model.ContextLength, MaxCompletionTokens: model.TopProvider.MaxCompletionTokens,
			Pricing: model.Pricing, Parameters: model.Parameters,
		}}
	}
	for _, from := range endpoints {
		endpoint, err := from.endpoint()
		if err != nil {
			b.report.add(model.ID+" at "+from.Tag, "%v", err)
			continue
		}
		if model.Endpoints == nil {
			endpoint.Model = model.ID
		} else {
			b.report.add(model.ID+" at "+from.Tag, "the provider's own name for the model is not stated; it is asked for by the slug")
		}
		b.add(model.ID, facts, endpoint)
	}
	if added := b.models[model.ID]; added != nil {
		added.CanonicalSlug = model.CanonicalSlug
		added.Tokenizer = cmp.Or(added.Tokenizer, model.Architecture.Tokenizer)
	}
}

// openRouterProviders are the slugs that are others here.
var openRouterProviders = map[string]string{
	"amazon-bedrock": "bedrock", "google-ai-studio": "gemini", "google-vertex": "vertex", "alibaba": "dashscope",
	"moonshotai": "moonshot", "z-ai": "zai", "sambanova-cloud": "sambanova", "friendli-ai": "friendli",
}

func (e *openRouterEndpoint) endpoint() (*configpb.Endpoint, error) {
	slug, _, refined := strings.Cut(e.Tag, "/")
	provider := cmp.Or(openRouterProviders[slug], slug)
	if !idPart.MatchString(provider) {
		return nil, fmt.Errorf("no tag that names a provider")
	}
	prices, err := e.Pricing.prices()
	if err != nil {
		return nil, err
	}
	endpoint := &configpb.Endpoint{
		Provider: provider, Prices: prices,
		ContextLength: max(0, e.ContextLength), MaxCompletionTokens: max(0, e.MaxCompletionTokens), MaxPromptTokens: max(0, e.MaxPromptTokens),
		SupportedParameters: slices.Sorted(slices.Values(e.Parameters)),
	}
	if slices.Contains(loadNames().Quantizations, e.Quantization) {
		endpoint.Quantization = e.Quantization
	}
	if refined {
		endpoint.Tag = provider + strings.TrimPrefix(e.Tag, slug)
	}
	return endpoint, nil
}
