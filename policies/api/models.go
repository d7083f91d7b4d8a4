package api

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/switchyard/switchyard/policies/catalog"
)

// Bounds of a page of models (spec section 1.2).
const (
	defaultPage = 500
	largestPage = 1000
)

// data is the envelope of most answers.
type data[T any] struct {
	Data T `json:"data"`
}

// pageEnd is what follows `data` in a page of models.
type pageEnd struct {
	TotalCount int `json:"total_count"`
	Links      struct {
		Next *string `json:"next"`
	} `json:"links"`
}

// models lists the catalog (rows 149 to 152). Nobody needs a key for it.
func (s *server) models(w http.ResponseWriter, r *http.Request) {
	s.list(w, r, r.URL.Query(), nil)
}

// modelsMaking lists the models of one output, whatever the query says of outputs.
func (s *server) modelsMaking(output string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		values := r.URL.Query()
		values.Set("output_modalities", output)
		s.list(w, r, values, nil)
	}
}

// userModels is row 156: the models of which the caller may use an endpoint. Routers
// are not among them: which models one chooses from depends on the request.
func (s *server) userModels(w http.ResponseWriter, r *http.Request) {
	key, err := s.caller(r)
	if err != nil {
		refuseCaller(w, err)
		return
	}
	w.Header().Set("Cache-Control", "no-store")
	s.list(w, r, r.URL.Query(), func(e *entry) bool {
		return slices.ContainsFunc(e.endpoints(), func(endpoint *catalog.Endpoint) bool { return s.Eligible(key, endpoint) })
	})
}

// list answers with the models that values ask for and may, if not nil, lets through.
// It copies texts that are made once for each catalog. Answers that depend on nothing
// else have an ETag: a cache must ask whether it still holds, so that a reload shows
// at once.
func (s *server) list(w http.ResponseWriter, r *http.Request, values url.Values, may func(*entry) bool) {
	q, err := parseQuery(values)
	if err != nil {
		refuse(w, http.StatusBadRequest, "invalid_request", err.Error())
		return
	}
	listed := s.listing()
	if may == nil && !q.live() {
		w.Header().Set("Cache-Control", "no-cache")
		w.Header().Set("ETag", listed.tag)
		if r.Header.Get("If-None-Match") == listed.tag {
			w.WriteHeader(http.StatusNotModified)
			return
		}
	}
	found := s.find(listed, &q, time.Now())
	if may != nil {
		found = slices.DeleteFunc(found, func(e *entry) bool { return !may(e) })
	}
	from, to, err := bounds(values, len(found))
	if err != nil {
		refuse(w, http.StatusBadRequest, "invalid_request", err.Error())
		return
	}
	if q.rss {
		replyFeed(w, r, found[from:to])
		return
	}
	end := pageEnd{TotalCount: len(found)}
	if to < len(found) {
		following := r.URL.Query()
		following.Set("offset", strconv.Itoa(to))
		next := r.URL.Path + "?" + following.Encode()
		end.Links.Next = &next
	}
	replyText(w, http.StatusOK, "application/json", newPage(found[from:to], end))
}

// newPage puts texts together by hand: marshalling them would parse each one again,
// which took half a millisecond more for 500 models.
func newPage(entries []*entry, end pageEnd) []byte {
	closing, err := json.Marshal(end)
	if err != nil {
		panic("api: the end of a page does not marshal: " + err.Error())
	}
	size := len(closing) + 16
	for _, e := range entries {
		size += len(e.text) + 1
	}
	text := append(make([]byte, 0, size), `{"data":[`...)
	for i, e := range entries {
		if i > 0 {
			text = append(text, ',')
		}
		text = append(text, e.text...)
	}
	text = append(append(text, "],"...), closing[1:]...)
	return append(text, '\n')
}

// modelCount is row 155.
func (s *server) modelCount(w http.ResponseWriter, r *http.Request) {
	q, err := parseQuery(r.URL.Query())
	if err != nil {
		refuse(w, http.StatusBadRequest, "invalid_request", err.Error())
		return
	}
	type count struct {
		Count int `json:"count"`
	}
	reply(w, http.StatusOK, data[count]{count{len(s.find(s.listing(), &q, time.Now()))}})
}

// model is row 154.
func (s *server) model(w http.ResponseWriter, r *http.Request) {
	if found, ok := s.lookUp(w, r.PathValue("id")); ok {
		reply(w, http.StatusOK, data[wireModel]{found.shown})
	}
}

// modelDetails is row 153 for "<id>/endpoints", and for an id alone what
// OpenAI's clients expect of GET /models/<id>.
func (s *server) modelDetails(w http.ResponseWriter, r *http.Request) {
	if forMethod(r.PathValue("id")) {
		s.postOnly(w, r)
		return
	}
	id, endpoints := strings.CutSuffix(r.PathValue("id"), "/endpoints")
	found, ok := s.lookUp(w, id)
	switch {
	case !ok:
	case endpoints:
		s.endpoints(w, r, found)
	case r.Header.Get(googleKey) != "":
		reply(w, http.StatusOK, newGoogleModel(&found.shown))
	case r.Header.Get(anthropicVersion) != "":
		reply(w, http.StatusOK, newAnthropicModel(&found.shown))
	default:
		author, _, _ := strings.Cut(found.shown.ID, "/")
		reply(w, http.StatusOK, openAIModel{found.shown.ID, "model", found.shown.Created, author})
	}
}

// dynamicVariants ask for another order of the same endpoints (spec section 3.4).
var dynamicVariants = []string{":nitro", ":floor", ":exacto", ":online"}

// lookUp answers 404 itself if there is no such model, router or alias, or if nobody
// serves it. Dynamic variants are the model that they are of.
func (s *server) lookUp(w http.ResponseWriter, id string) (*entry, bool) {
	listed := s.listing()
	if found, ok := listed.router(id); ok {
		return found, true
	}
	target, isAlias := listed.catalog.Alias(id)
	if isAlias && len(target.Endpoints) > 0 {
		shown := newModel(target)
		shown.ID, shown.AliasTarget = id, &aliasTarget{Name: target.Name, Slug: target.ID}
		return &entry{shown: shown, model: target}, true
	}
	if model, ok := listed.catalog.Model(id); ok && len(model.Endpoints) > 0 {
		return &entry{shown: newModel(model), model: model}, true
	}
	for _, variant := range dynamicVariants {
		if base, ok := strings.CutSuffix(id, variant); ok {
			return s.lookUp(w, base)
		}
	}
	refuse(w, http.StatusNotFound, "not_found", fmt.Sprintf("Model %q not found", id))
	return nil, false
}

// bounds reads offset and limit. Without either, everything is one page.
func bounds(values url.Values, count int) (from, to int, err error) {
	if !values.Has("offset") && !values.Has("limit") {
		return 0, count, nil
	}
	p := parser{values: values}
	from = min(p.whole("offset", 0, 0, 1<<31), count)
	to = min(from+p.whole("limit", defaultPage, 1, largestPage), count)
	return from, to, p.err()
}
