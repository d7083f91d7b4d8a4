package api

import (
	"net/url"
	"slices"
	"strings"

	"github.com/switchyard/switchyard/policies/catalog"
	"github.com/switchyard/switchyard/policies/money"
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
	Links               modelLinks   `json:"links"`
}

type architecture struct {
	Modality         string   `json:"modality"`
	InputModalities  []string `json:"input_modalities"`
	OutputModalities []string `json:"output_modalities"`
	Tokenizer        string   `json:"tokenizer"`
	InstructType     *string  `json:"instruct_type"`
}

// pricing is in US dollars per token or unit, as decimal text.
type pricing struct {
	Prompt            string `json:"prompt"`
	Completion        string `json:"completion"`
	Request           string `json:"request"`
	Image             string `json:"image"`
	InternalReasoning string `json:"internal_reasoning,omitempty"`
	InputCacheRead    string `json:"input_cache_read,omitempty"`
	InputCacheWrite   string `json:"input_cache_write,omitempty"`
	InputCacheWrite1h string `json:"input_cache_write_1h,omitempty"`
}

type topProvider struct {
	ContextLength       *int64 `json:"context_length"`
	MaxCompletionTokens *int64 `json:"max_completion_tokens"`
	IsModerated         bool   `json:"is_moderated"`
}

type modelLinks struct {
	Details string `json:"details"`
}

type wireEndpoints struct {
	ID           string         `json:"id"`
	Name         string         `json:"name"`
	Created      int64          `json:"created"`
	Description  string         `json:"description"`
	Architecture architecture   `json:"architecture"`
	Endpoints    []wireEndpoint `json:"endpoints"`
}

// wireEndpoint leaves the statistics null: none are kept yet. There are neither
// server tools nor speech, but strict clients want to be told.
type wireEndpoint struct {
	Name                    string    `json:"name"`
	ModelID                 string    `json:"model_id"`
	ModelName               string    `json:"model_name"`
	ProviderName            string    `json:"provider_name"`
	Tag                     string    `json:"tag"`
	Quantization            string    `json:"quantization"`
	ContextLength           int64     `json:"context_length"`
	MaxCompletionTokens     *int64    `json:"max_completion_tokens"`
	MaxPromptTokens         *int64    `json:"max_prompt_tokens"`
	Pricing                 pricing   `json:"pricing"`
	SupportedParameters     []string  `json:"supported_parameters"`
	SupportsImplicitCaching bool      `json:"supports_implicit_caching"`
	SupportsToolChoice      choices   `json:"supports_tool_choice"`
	ServiceTier             *string   `json:"service_tier"`
	NativeTools             struct{}  `json:"native_tools"`
	SupportsDiarization     bool      `json:"supports_diarization"`
	UptimeLast5m            *float64  `json:"uptime_last_5m"`
	UptimeLast30m           *float64  `json:"uptime_last_30m"`
	UptimeLast1d            *float64  `json:"uptime_last_1d"`
	LatencyLast30m          *struct{} `json:"latency_last_30m"`
	ThroughputLast30m       *struct{} `json:"throughput_last_30m"`
}

// choices are the values of tool_choice that an endpoint takes.
type choices struct {
	Auto     bool `json:"auto"`
	Function bool `json:"function"`
	None     bool `json:"none"`
	Required bool `json:"required"`
}

// openAIModel is what OpenAI's own clients expect of one model.
type openAIModel struct {
	ID      string `json:"id"`
	Object  string `json:"object"`
	Created int64  `json:"created"`
	OwnedBy string `json:"owned_by"`
}

func newModel(model *catalog.Model) wireModel {
	top := model.Endpoints[0]
	return wireModel{
		ID:            model.ID,
		CanonicalSlug: model.CanonicalSlug,
		Name:          model.Name,
		Created:       model.Created,
		Description:   model.Description,
		ContextLength: known(model.ContextLength),
		Architecture:  newArchitecture(model),
		Pricing:       newPricing(top.Prices),
		TopProvider: topProvider{
			ContextLength:       known(top.ContextLength),
			MaxCompletionTokens: known(top.MaxCompletionTokens),
		},
		SupportedParameters: parameters(model),
		Links:               modelLinks{Details: (&url.URL{Path: "/api/v1/models/" + model.ID + "/endpoints"}).EscapedPath()},
	}
}

func newArchitecture(model *catalog.Model) architecture {
	return architecture{
		Modality:         strings.Join(model.InputModalities, "+") + "->" + strings.Join(model.OutputModalities, "+"),
		InputModalities:  model.InputModalities,
		OutputModalities: model.OutputModalities,
		Tokenizer:        "Other",
	}
}

// newPricing leaves out the classes that cost what the class around them costs.
func newPricing(p catalog.Prices) pricing {
	unlike := func(price, around money.USD) string {
		if price == around {
			return ""
		}
		return price.String()
	}
	return pricing{
		Prompt:            p.Prompt.String(),
		Completion:        p.Completion.String(),
		Request:           p.Request.String(),
		Image:             p.Image.String(),
		InternalReasoning: unlike(p.Reasoning, p.Completion),
		InputCacheRead:    unlike(p.CacheRead, p.Prompt),
		InputCacheWrite:   unlike(p.CacheWrite, p.Prompt),
		InputCacheWrite1h: unlike(p.CacheWrite1h, p.CacheWrite),
	}
}

func newEndpoints(model *catalog.Model) wireEndpoints {
	endpoints := make([]wireEndpoint, 0, len(model.Endpoints))
	for _, endpoint := range model.Endpoints {
		chooses := slices.Contains(endpoint.Parameters(), "tool_choice")
		endpoints = append(endpoints, wireEndpoint{
			Name:                endpoint.Provider.Name + " | " + model.ID,
			ModelID:             model.ID,
			ModelName:           model.Name,
			ProviderName:        endpoint.Provider.Name,
			Tag:                 endpoint.Tag,
			Quantization:        endpoint.Quantization,
			ContextLength:       endpoint.ContextLength,
			MaxCompletionTokens: known(endpoint.MaxCompletionTokens),
			Pricing:             newPricing(endpoint.Prices),
			SupportedParameters: endpoint.Parameters(),
			// Anthropic's dialect caches what it is told to; of the others, those
			// that give a discount do so unasked.
			SupportsImplicitCaching: endpoint.Provider.Dialect != catalog.DialectAnthropic && endpoint.Prices.CacheRead < endpoint.Prices.Prompt,
			ServiceTier:             named(endpoint.ServiceTier),
			SupportsToolChoice:      choices{Auto: chooses, Function: chooses, None: chooses, Required: chooses},
		})
	}
	return wireEndpoints{
		ID: model.ID, Name: model.Name, Created: model.Created, Description: model.Description,
		Architecture: newArchitecture(model), Endpoints: endpoints,
	}
}

// parameters is the union over the endpoints, sorted.
func parameters(model *catalog.Model) []string {
	union := []string{}
	for _, endpoint := range model.Endpoints {
		union = append(union, endpoint.Parameters()...)
	}
	slices.Sort(union)
	return slices.Compact(union)
}

// named is null for a word that is not given.
func named(word string) *string {
	if word == "" {
		return nil
	}
	return &word
}

// known is null for a number that is not known.
func known(n int64) *int64 {
	if n == 0 {
		return nil
	}
	return &n
}
