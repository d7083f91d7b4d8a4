package api

import (
	"net/http"
	"slices"
	"strings"
)

// googleKey is the header in which Google's clients send their key. The list of models
// has one path for them and for all others: it tells them apart.
const googleKey = "X-Goog-Api-Key"

// googleModel is a model as Google's clients read it
// (https://ai.google.dev/api/models#Model).
type googleModel struct {
	Name                       string   `json:"name"` // "models/author/slug"
	BaseModelID                string   `json:"baseModelId"`
	Version                    string   `json:"version"`
	DisplayName                string   `json:"displayName"`
	Description                string   `json:"description,omitzero"`
	InputTokenLimit            int64    `json:"inputTokenLimit,omitzero"`
	OutputTokenLimit           int64    `json:"outputTokenLimit,omitzero"`
	SupportedGenerationMethods []string `json:"supportedGenerationMethods"`
	Thinking                   bool     `json:"thinking,omitzero"`
}

func newGoogleModel(shown *wireModel) googleModel {
	model := googleModel{
		Name: "models/" + shown.ID, BaseModelID: shown.ID, Version: shown.CanonicalSlug, DisplayName: shown.Name,
		Description: shown.Description, SupportedGenerationMethods: []string{}, Thinking: shown.Reasoning != nil,
	}
	if slices.Contains(shown.Architecture.OutputModalities, "text") {
		model.SupportedGenerationMethods = []string{"generateContent", "streamGenerateContent", "countTokens"}
	}
	if shown.ContextLength != nil {
		model.InputTokenLimit = *shown.ContextLength
	}
	if most := shown.TopProvider.MaxCompletionTokens; most != nil {
		model.OutputTokenLimit = *most
	}
	return model
}

// googleModels lists the catalog on one page.
func (s *server) googleModels(w http.ResponseWriter, _ *http.Request) {
	page := struct {
		Models []googleModel `json:"models"`
	}{[]googleModel{}}
	for _, e := range s.listing().entries {
		page.Models = append(page.Models, newGoogleModel(&e.shown))
	}
	reply(w, http.StatusOK, page)
}

// googleModel shows one model, whose id has slashes.
func (s *server) googleModel(w http.ResponseWriter, r *http.Request) {
	if forMethod(r.PathValue("id")) {
		s.postOnly(w, r)
		return
	}
	if found, ok := s.lookUp(w, r.PathValue("id")); ok {
		reply(w, http.StatusOK, newGoogleModel(&found.shown))
	}
}

// forMethod reports whether what stands for a model's id asks it for something, as Google's
// clients do with POST. Ids have variants behind a colon; none is called so.
func forMethod(id string) bool {
	_, method, _ := strings.Cut(id, ":")
	return strings.HasSuffix(method, "Content") || strings.HasSuffix(method, "Contents") || method == "countTokens" || method == "predict"
}

// forClient answers the clients that send a header in their own words.
func forClient(header string, theirs, others http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get(header) != "" {
			// A cache asks before it gives the others' answer again, and keeps none of these.
			w.Header().Set("Cache-Control", "no-store")
			theirs(w, r)
			return
		}
		others(w, r)
	}
}
