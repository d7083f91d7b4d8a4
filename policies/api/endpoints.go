package api

import (
	"net/http"
	"slices"

	"github.com/switchyard/switchyard/policies/catalog"
)

// wireEndpoints is row 153.
type wireEndpoints struct {
	ID           string         `json:"id"`
	Name         string         `json:"name"`
	Created      int64          `json:"created"`
	Description  string         `json:"description"`
	Architecture architecture   `json:"architecture"`
	Endpoints    []wireEndpoint `json:"endpoints"`
}

type wireEndpoint struct {
	Name                    string              `json:"name"`
	ModelID                 string              `json:"model_id"`
	ModelName               string              `json:"model_name"`
	ProviderName            string              `json:"provider_name"`
	Tag                     string              `json:"tag"`
	Quantization            string              `json:"quantization"`
	ContextLength           int64               `json:"context_length"`
	MaxCompletionTokens     *int64              `json:"max_completion_tokens"`
	MaxPromptTokens         *int64              `json:"max_prompt_tokens"`
	Pricing                 pricing             `json:"pricing"`
	SupportedParameters     []string            `json:"supported_parameters"`
	ServiceTier             *string             `json:"service_tier"`
	SupportsImplicitCaching bool                `json:"supports_implicit_caching"`
	SupportsToolChoice      choices             `json:"supports_tool_choice"`
	SupportsDiarization     bool                `json:"supports_diarization"`
	NativeTools             map[string]struct{} `json:"native_tools"`
	Status                  Status              `json:"status"`
	UptimeLast5m            *float64            `json:"uptime_last_5m"`
	UptimeLast30m           *float64            `json:"uptime_last_30m"`
	UptimeLast1d            *float64            `json:"uptime_last_1d"`
	LatencyLast30m          *Percentiles        `json:"latency_last_30m"`
	ThroughputLast30m       *Percentiles        `json:"throughput_last_30m"`
}

// choices are the values of tool_choice that an endpoint takes.
type choices struct {
	Auto     bool `json:"auto"`
	Function bool `json:"function"`
	None     bool `json:"none"`
	Required bool `json:"required"`
}

// endpoints answers row 153. How fast endpoints are is for callers with a key; at a
// gateway without keys everybody is one. A router has no endpoints of its own.
func (s *server) endpoints(w http.ResponseWriter, r *http.Request, e *entry) {
	shown := &e.shown
	replyLive(w, http.StatusOK, data[wireEndpoints]{wireEndpoints{
		ID: shown.ID, Name: shown.Name, Created: shown.Created, Description: shown.Description,
		Architecture: shown.Architecture, Endpoints: s.newEndpoints(r, e.endpoints()),
	}})
}

// noRetention is row 157.
func (s *server) noRetention(w http.ResponseWriter, r *http.Request) {
	var found []*catalog.Endpoint
	for _, model := range s.Catalog().Models() {
		for _, endpoint := range model.Endpoints {
			if endpoint.NoRetention {
				found = append(found, endpoint)
			}
		}
	}
	replyLive(w, http.StatusOK, data[[]wireEndpoint]{s.newEndpoints(r, found)})
}

func (s *server) newEndpoints(r *http.Request, from []*catalog.Endpoint) []wireEndpoint {
	_, err := s.caller(r)
	endpoints := make([]wireEndpoint, 0, len(from))
	for _, endpoint := range from {
		known := s.Statistics(endpoint.ID)
		if err != nil {
			known.Latency, known.Throughput = nil, nil
		}
		endpoints = append(endpoints, newEndpoint(endpoint, known))
	}
	return endpoints
}

func newEndpoint(from *catalog.Endpoint, known Statistics) wireEndpoint {
	chooses := slices.Contains(from.Parameters(), "tool_choice")
	return wireEndpoint{
		Name:                from.Provider.Name + " | " + from.Model.ID,
		ModelID:             from.Model.ID,
		ModelName:           from.Model.Name,
		ProviderName:        from.Provider.Name,
		Tag:                 from.Tag,
		Quantization:        from.Quantization,
		ContextLength:       from.ContextLength,
		MaxCompletionTokens: stated(from.MaxCompletionTokens),
		MaxPromptTokens:     stated(from.MaxPromptTokens),
		Pricing:             newPricing(&from.Prices),
		SupportedParameters: from.Parameters(),
		ServiceTier:         stated(from.ServiceTier),
		// Anthropic's dialect caches what it is told to; of the others, those
		// that give a discount do so unasked.
		SupportsImplicitCaching: from.Provider.Dialect != "anthropic" && from.Prices.CacheRead < from.Prices.Prompt,
		SupportsToolChoice:      choices{Auto: chooses, Function: chooses, None: chooses, Required: chooses},
		NativeTools:             map[string]struct{}{},
		Status:                  known.Status,
		UptimeLast5m:            known.Uptime5m,
		UptimeLast30m:           known.Uptime30m,
		UptimeLast1d:            known.Uptime1d,
		LatencyLast30m:          known.Latency,
		ThroughputLast30m:       known.Throughput,
	}
}
