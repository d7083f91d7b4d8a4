package api

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/switchyard/switchyard/policies/catalog"
)

// Bounds of a page of models (spec section 1.2).
const (
	defaultPage = 500
	largestPage = 1000
)

var modalities = []string{"text", "image", "file", "audio", "video", "embeddings", "rerank", "speech", "transcription"}

// models lists the catalog (rows 149 to 152). Nobody needs a key for it. The
// query can narrow it by output_modalities (any of them; "all" for all; text if
// not given), input_modalities and supported_parameters (all of them), and take
// a page of it by offset and limit.
func (s *server) models(w http.ResponseWriter, r *http.Request) {
	query := r.URL.Query()
	found, err := filter(s.Catalog().Models(), query)
	if err != nil {
		refuse(w, http.StatusBadRequest, "invalid_request", err.Error())
		return
	}
	from, to, err := page(query, len(found))
	if err != nil {
		refuse(w, http.StatusBadRequest, "invalid_request", err.Error())
		return
	}
	answer := struct {
		Data       []wireModel `json:"data"`
		TotalCount int         `json:"total_count"`
		Links      struct {
			Next *string `json:"next"`
		} `json:"links"`
	}{Data: make([]wireModel, 0, to-from), TotalCount: len(found)}
	for _, model := range found[from:to] {
		answer.Data = append(answer.Data, newModel(model))
	}
	if to < len(found) {
		query.Set("offset", strconv.Itoa(to))
		next := r.URL.Path + "?" + query.Encode()
		answer.Links.Next = &next
	}
	reply(w, http.StatusOK, answer)
}

// modelCount is row 155.
func (s *server) modelCount(w http.ResponseWriter, r *http.Request) {
	found, err := filter(s.Catalog().Models(), r.URL.Query())
	if err != nil {
		refuse(w, http.StatusBadRequest, "invalid_request", err.Error())
		return
	}
	type count struct {
		Count int `json:"count"`
	}
	reply(w, http.StatusOK, struct {
		Data count `json:"data"`
	}{count{len(found)}})
}

// model is row 154.
func (s *server) model(w http.ResponseWriter, r *http.Request) {
	if model, ok := s.find(w, r.PathValue("id")); ok {
		reply(w, http.StatusOK, struct {
			Data wireModel `json:"data"`
		}{newModel(model)})
	}
}

// modelDetails is row 153 for "<id>/endpoints", and for an id alone what
// OpenAI's clients expect of GET /models/<id>.
func (s *server) modelDetails(w http.ResponseWriter, r *http.Request) {
	id, endpoints := strings.CutSuffix(r.PathValue("id"), "/endpoints")
	model, ok := s.find(w, id)
	switch {
	case !ok:
	case endpoints:
		reply(w, http.StatusOK, struct {
			Data wireEndpoints `json:"data"`
		}{newEndpoints(model)})
	default:
		author, _, _ := strings.Cut(model.ID, "/")
		reply(w, http.StatusOK, openAIModel{model.ID, "model", model.Created, author})
	}
}

// find answers 404 itself if there is no such model.
func (s *server) find(w http.ResponseWriter, id string) (*catalog.Model, bool) {
	model, ok := s.Catalog().Model(id)
	if !ok {
		refuse(w, http.StatusNotFound, "not_found", fmt.Sprintf("Model %q not found", id))
	}
	return model, ok
}

func filter(models []*catalog.Model, query url.Values) ([]*catalog.Model, error) {
	outputs, err := listed(query, "output_modalities", slices.Concat(modalities, []string{"all"}))
	if err != nil {
		return nil, err
	}
	inputs, err := listed(query, "input_modalities", modalities)
	if err != nil {
		return nil, err
	}
	needed, err := listed(query, "supported_parameters", nil)
	if err != nil {
		return nil, err
	}
	if outputs == nil {
		outputs = []string{"text"}
	}
	found := make([]*catalog.Model, 0, len(models))
	for _, model := range models {
		if (slices.Contains(outputs, "all") || containsAny(model.OutputModalities, outputs)) &&
			containsAll(model.InputModalities, inputs) && containsAll(parameters(model), needed) {
			found = append(found, model)
		}
	}
	return found, nil
}

// listed reads a list with commas; valid, if not nil, are the entries it may have.
func listed(query url.Values, name string, valid []string) ([]string, error) {
	if query.Get(name) == "" {
		return nil, nil
	}
	entries := strings.Split(query.Get(name), ",")
	for i, entry := range entries {
		entries[i] = strings.TrimSpace(entry)
		if valid != nil && !slices.Contains(valid, entries[i]) {
			return nil, fmt.Errorf("%s: %q is not one of %s", name, entries[i], strings.Join(valid, ", "))
		}
	}
	return entries, nil
}

// page reads offset and limit. Without either, everything is one page.
func page(query url.Values, count int) (from, to int, err error) {
	if !query.Has("offset") && !query.Has("limit") {
		return 0, count, nil
	}
	offset, err := number(query, "offset", 0, 0, 1<<31)
	if err != nil {
		return 0, 0, err
	}
	limit, err := number(query, "limit", defaultPage, 1, largestPage)
	if err != nil {
		return 0, 0, err
	}
	from = min(offset, count)
	return from, min(from+limit, count), nil
}

func number(query url.Values, name string, fallback, least, most int) (int, error) {
	if !query.Has(name) {
		return fallback, nil
	}
	n, err := strconv.Atoi(query.Get(name))
	if err != nil || n < least || n > most {
		return 0, fmt.Errorf("%s: %q is not a whole number from %d to %d", name, query.Get(name), least, most)
	}
	return n, nil
}

func containsAny(list, wanted []string) bool {
	return slices.ContainsFunc(wanted, func(entry string) bool { return slices.Contains(list, entry) })
}

func containsAll(list, wanted []string) bool {
	return !slices.ContainsFunc(wanted, func(entry string) bool { return !slices.Contains(list, entry) })
}
