package api

import (
	"net/url"
	"slices"
	"strings"

	"github.com/switchyard/switchyard/policies/catalog"
)

// The catalog as clients get it (spec section 7). Pointers are what may be null;
// OpenRouter's own clients insist on the keys that are here.

type wireModel struct {
	ID                  string       `json:"id"`
	CanonicalSlug       string       `json:"canonical_slug"`
	Name                string       `json:"name"`
	Created             int64        `json:"created"`
	Description         string       `json:"description"`
	ContextLength       *int64       `json:"context_length"`
	Architecture        architecture `json:"architecture"`
	Pricing             pricing      `json:"pricing"`
	TopProvider         topProvider  `json:"top_provider"`
	PerRequestLimits    *struct{}    `json:"per_request_limits"`
	SupportedParameters []string     `json:"supported_parameters"`
	DefaultParameters   *struct{}    `json:"default_parameters"`
	SupportedVoices     *struct{}    `json:"supported_voices"`
	HuggingFaceID       *string      `json:"hugging_face_id"`
	KnowledgeCutoff     *string      `json:"knowledge_cutoff"`
	ExpirationDate      *string      `json:"expiration_date"`
	Reasoning           *reasoning   `json:"reasoning,omitempty"`
	AliasTarget         *aliasTarget `json:"alias_target,omitempty"`
	Links               modelLinks   `json:"links"`
}

type architecture struct {
	Modality         string   `json:"modality"`
	InputModalities  []string `json:"input_modalities"`
	OutputModalities []string `json:"output_modalities"`
	Tokenizer        string   `json:"tokenizer"`
	InstructType     *string  `json:"instruct_type"`
}

type topProvider struct {
	ContextLength       *int64 `json:"context_length"`
	MaxCompletionTokens *int64 `json:"max_completion_tokens"`
	IsModerated         bool   `json:"is_moderated"`
}

type modelLinks struct {
	Details string `json:"details"`
}

// reasoning is left out of models that do not think. Efforts
// that are null are any.
type reasoning struct {
	Mandatory         bool      `json:"mandatory"`
	DefaultEnabled    bool      `json:"default_enabled"`
	DefaultEffort     *string   `json:"default_effort"`
	SupportedEfforts  *[]string `json:"supported_efforts"`
	SupportsMaxTokens bool      `json:"supports_max_tokens,omitzero"`
}

// aliasTarget is the model that an alias stands for (row 79).
type aliasTarget struct {
	Name string `json:"name"`
	Slug string `json:"slug"`
}

// openAIModel is what OpenAI's own clients expect of one model.
type openAIModel struct {
	ID      string `json:"id"`
	Object  string `json:"object"`
	Created int64  `json:"created"`
	OwnedBy string `json:"owned_by"`
}

// newModel needs a model with an endpoint: the cheapest, which is asked first most
// often, stands for its prices.
func newModel(model *catalog.Model) wireModel {
	top := model.Cheapest()
	return wireModel{
		ID:            model.ID,
		CanonicalSlug: model.CanonicalSlug,
		Name:          model.Name,
		Created:       model.Created,
		Description:   model.Description,
		ContextLength: stated(model.ContextLength),
		Architecture:  newArchitecture(model.InputModalities, model.OutputModalities, model.Tokenizer),
		Pricing:       newPricing(&top.Prices),
		TopProvider: topProvider{
			ContextLength:       stated(top.ContextLength),
			MaxCompletionTokens: stated(top.MaxCompletionTokens),
		},
		SupportedParameters: parameters(model),
		HuggingFaceID:       stated(model.HuggingFaceID),
		KnowledgeCutoff:     stated(model.KnowledgeCutoff),
		ExpirationDate:      stated(model.ExpirationDate),
		Reasoning:           newReasoning(model.Reasoning),
		Links:               newLinks(model.ID),
	}
}

// newRouter describes a pseudo model (spec section 3.5), which can do what any of the
// models can that it may choose.
func newRouter(id string, models []*entry) wireModel {
	var inputs, parameters []string
	for _, e := range models {
		if slices.Contains(e.shown.Architecture.OutputModalities, "text") {
			inputs = append(inputs, e.shown.Architecture.InputModalities...)
			parameters = append(parameters, e.shown.SupportedParameters...)
		}
	}
	return wireModel{
		ID: id, CanonicalSlug: id, Name: id,
		Description:         "Chooses a model for each request. The price is that of the model chosen.",
		Architecture:        newArchitecture(distinct(inputs), []string{"text"}, "Router"),
		Pricing:             routerPricing,
		SupportedParameters: distinct(parameters),
		Links:               newLinks(id),
	}
}

func newLinks(id string) modelLinks {
	return modelLinks{Details: (&url.URL{Path: "/api/v1/models/" + id + "/endpoints"}).EscapedPath()}
}

// efforts are in the order in which clients expect them.
var efforts = []string{"max", "xhigh", "high", "medium", "low", "minimal", "none"}

func newReasoning(from *catalog.Reasoning) *reasoning {
	if from == nil {
		return nil
	}
	var supported *[]string
	if from.SupportedEfforts != nil {
		sorted := slices.SortedFunc(slices.Values(from.SupportedEfforts), func(a, b string) int {
			return slices.Index(efforts, a) - slices.Index(efforts, b)
		})
		supported = &sorted
	}
	return &reasoning{
		Mandatory:         from.Mandatory,
		DefaultEnabled:    from.DefaultEnabled || from.Mandatory,
		DefaultEffort:     stated(from.DefaultEffort),
		SupportedEfforts:  supported,
		SupportsMaxTokens: from.SupportsMaxTokens,
	}
}

func newArchitecture(inputs, outputs []string, tokenizer string) architecture {
	return architecture{
		Modality:         strings.Join(inputs, "+") + "->" + strings.Join(outputs, "+"),
		InputModalities:  inputs,
		OutputModalities: outputs,
		Tokenizer:        tokenizer,
	}
}

// parameters is the union over the endpoints, sorted.
func parameters(model *catalog.Model) []string {
	var union []string
	for _, endpoint := range model.Endpoints {
		union = append(union, endpoint.Parameters()...)
	}
	return distinct(union)
}

// distinct sorts entries, and is never nil.
func distinct(entries []string) []string {
	slices.Sort(entries)
	return append([]string{}, slices.Compact(entries)...)
}

// stated is null for what is not known.
func stated[T comparable](value T) *T {
	if value == *new(T) {
		return nil
	}
	return &value
}
