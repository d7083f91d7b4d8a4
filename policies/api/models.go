package api

import (
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/switchyard/switchyard/policies/catalog"
)

// model is a model as GET /models shows it (spec section 7). The OpenRouter SDKs
// want every key to be there, null or not.
type model struct {
	ID                  string       `json:"id"`
	CanonicalSlug       string       `json:"canonical_slug"`
	Name                string       `json:"name"`
	Created             int64        `json:"created"`
	Description         string       `json:"description"`
	ContextLength       int64        `json:"context_length"`
	Architecture        architecture `json:"architecture"`
	Pricing             pricing      `json:"pricing"`
	TopProvider         topProvider  `json:"top_provider"`
	PerRequestLimits    *struct{}    `json:"per_request_limits"`
	SupportedParameters []string     `json:"supported_parameters"`
	DefaultParameters   struct{}     `json:"default_parameters"`
	SupportedVoices     *[]string    `json:"supported_voices"`
	Links               links        `json:"links"`
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
	InputCacheRead    string `json:"input_cache_read"`
	InputCacheWrite   string `json:"input_cache_write"`
	InternalReasoning string `json:"internal_reasoning"`
}

type topProvider struct {
	ContextLength       *int64 `json:"context_length"`
	MaxCompletionTokens *int64 `json:"max_completion_tokens"`
	IsModerated         bool   `json:"is_moderated"`
}

type links struct {
	Details string `json:"details"`
}

// show describes a model by its first endpoint, as the one that is tried first.
func show(m *catalog.Model) model {
	top := m.Endpoints[0]
	parameters := []string{}
	for _, endpoint := range m.Endpoints {
		parameters = append(parameters, endpoint.Parameters()...)
	}
	slices.Sort(parameters)
	p := top.Prices
	return model{
		ID: m.ID, CanonicalSlug: m.CanonicalSlug, Name: m.Name, Created: m.Created,
		Description: m.Description, ContextLength: m.ContextLength,
		Architecture: architecture{
			Modality:        strings.Join(m.InputModalities, "+") + "->" + strings.Join(m.OutputModalities, "+"),
			InputModalities: m.InputModalities, OutputModalities: m.OutputModalities, Tokenizer: "Other",
		},
		Pricing: pricing{
			Prompt: p.Prompt.String(), Completion: p.Completion.String(), Request: p.Request.String(), Image: p.Image.String(),
			InputCacheRead: p.CacheRead.String(), InputCacheWrite: p.CacheWrite.String(), InternalReasoning: p.Reasoning.String(),
		},
		TopProvider:         topProvider{ContextLength: positive(top.ContextLength), MaxCompletionTokens: positive(top.MaxCompletionTokens)},
		SupportedParameters: slices.Compact(parameters),
		Links:               links{Details: "/api/v1/model/" + m.ID},
	}
}

func positive(n int64) *int64 {
	if n <= 0 {
		return nil
	}
	return &n
}

// Paging of GET /models (spec section 1.2): without offset and limit, all.
const (
	defaultLimit = 500
	largestLimit = 1000
)

// models answers GET /models: public, for text output unless asked otherwise
// (rows 149 to 152).
func (o Options) models(w http.ResponseWriter, r *http.Request) {
	query := r.URL.Query()
	found, err := o.find(query.Get("output_modalities"), query.Get("supported_parameters"))
	if err != nil {
		writeError(w, http.StatusBadRequest, err.Error())
		return
	}
	total := len(found)
	next := ""
	if query.Has("offset") || query.Has("limit") {
		offset, err := number(query.Get("offset"), "offset", 0, total+largestLimit)
		if err != nil {
			writeError(w, http.StatusBadRequest, err.Error())
			return
		}
		limit, err := number(query.Get("limit"), "limit", defaultLimit, largestLimit)
		if err != nil {
			writeError(w, http.StatusBadRequest, err.Error())
			return
		}
		end := min(offset+limit, total)
		if end < total {
			query.Set("offset", strconv.Itoa(end))
			query.Set("limit", strconv.Itoa(limit))
			next = r.URL.Path + "?" + query.Encode()
		}
		found = found[min(offset, total):end]
	}
	shown := make([]model, 0, len(found))
	for _, m := range found {
		shown = append(shown, show(m))
	}
	type paging struct {
		Next *string `json:"next"`
	}
	answer := struct {
		Data       []model `json:"data"`
		TotalCount int     `json:"total_count"`
		Links      paging  `json:"links"`
	}{Data: shown, TotalCount: total}
	if next != "" {
		answer.Links.Next = &next
	}
	writeJSON(w, http.StatusOK, answer)
}

func (o Options) modelCount(w http.ResponseWriter, r *http.Request) {
	found, err := o.find(r.URL.Query().Get("output_modalities"), "")
	if err != nil {
		writeError(w, http.StatusBadRequest, err.Error())
		return
	}
	type count struct {
		Count int `json:"count"`
	}
	writeJSON(w, http.StatusOK, struct {
		Data count `json:"data"`
	}{count{len(found)}})
}

func (o Options) model(w http.ResponseWriter, r *http.Request) {
	m, ok := o.Catalog().Model(r.PathValue("id"))
	if !ok {
		writeError(w, http.StatusNotFound, "There is no model "+r.PathValue("id")+".")
		return
	}
	writeJSON(w, http.StatusOK, struct {
		Data model `json:"data"`
	}{show(m)})
}

var modalities = []string{"text", "image", "audio", "video", "embeddings", "rerank", "speech", "transcription"}

// find returns the models with one of the output modalities, and an endpoint
// that takes all of the parameters.
func (o Options) find(output, parameters string) ([]*catalog.Model, error) {
	wanted := []string{"text"}
	if output != "" {
		wanted = strings.Split(output, ",")
	}
	all := slices.Equal(wanted, []string{"all"})
	for _, modality := range wanted {
		if !all && !slices.Contains(modalities, modality) {
			return nil, fmt.Errorf("output_modalities: %q is none of %s, or all", modality, strings.Join(modalities, ", "))
		}
	}
	var found []*catalog.Model
	for _, m := range o.Catalog().Models() {
		if !all && !slices.ContainsFunc(m.OutputModalities, func(made string) bool { return slices.Contains(wanted, made) }) {
			continue
		}
		if parameters != "" && !slices.ContainsFunc(m.Endpoints, func(e *catalog.Endpoint) bool { return takes(e, strings.Split(parameters, ",")) }) {
			continue
		}
		found = append(found, m)
	}
	return found, nil
}

func takes(endpoint *catalog.Endpoint, parameters []string) bool {
	for _, parameter := range parameters {
		if !slices.Contains(endpoint.Parameters(), parameter) {
			return false
		}
	}
	return true
}

func number(text, name string, fallback, largest int) (int, error) {
	if text == "" {
		return fallback, nil
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 0 || n > largest {
		return 0, fmt.Errorf("%s: %q: want a whole number from 0 to %d", name, text, largest)
	}
	return n, nil
}
