package api

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/switchyard/switchyard/policies/catalog"
)

// listing is everything that GET /models can show of one catalog, sorted by id. It is
// made once for each catalog and never changes, so that an answer is no more than a
// choice of texts.
type listing struct {
	catalog *catalog.Catalog
	entries []*entry
	// tag changes with any of the texts: an ETag (RFC 9110 section 8.8.3).
	tag string
}

// entry is one model of a listing.
type entry struct {
	shown   wireModel
	text    jsontext.Value // of shown
	context int64
	// model is nil for a router.
	model *catalog.Model
}

// listing returns that of the current catalog. After a reload several requests may
// make it at the same time; they make the same one.
func (s *server) listing() *listing {
	current := s.Catalog()
	if made := s.made.Load(); made != nil && made.catalog == current {
		return made
	}
	made := newListing(current, s.Routers)
	s.made.Store(made)
	return made
}

// newListing leaves out the models whose endpoints are all disabled: nobody can ask
// for them.
func newListing(from *catalog.Catalog, routers []string) *listing {
	l := &listing{catalog: from}
	for _, model := range from.Models() {
		if len(model.Endpoints) > 0 {
			l.entries = append(l.entries, newEntry(newModel(model), model))
		}
	}
	served := slices.Clone(l.entries)
	for _, id := range routers {
		l.entries = append(l.entries, newEntry(newRouter(id, served), nil))
	}
	slices.SortFunc(l.entries, func(a, b *entry) int { return strings.Compare(a.shown.ID, b.shown.ID) })
	digest := sha256.New()
	for _, e := range l.entries {
		digest.Write(e.text)
	}
	l.tag = `"` + hex.EncodeToString(digest.Sum(nil)[:12]) + `"`
	return l
}

func newEntry(shown wireModel, model *catalog.Model) *entry {
	text, err := json.Marshal(shown)
	if err != nil {
		panic(fmt.Sprintf("api: model %q does not marshal: %v", shown.ID, err))
	}
	e := &entry{shown: shown, text: text, model: model}
	if shown.ContextLength != nil {
		e.context = *shown.ContextLength
	}
	return e
}

// router finds the entry of a router.
func (l *listing) router(id string) (*entry, bool) {
	at, ok := slices.BinarySearchFunc(l.entries, id, func(e *entry, id string) int { return strings.Compare(e.shown.ID, id) })
	if !ok || l.entries[at].model != nil {
		return nil, false
	}
	return l.entries[at], true
}

// find returns the entries that q is after, in its order.
func (s *server) find(l *listing, q *query, now time.Time) []*entry {
	var found []*entry
	for _, e := range l.entries {
		if q.meets(e, now) && s.servedAsAsked(e, q) {
			found = append(found, e)
		}
	}
	s.sort(found, q.order)
	return found
}

// meets looks at what a model says of itself. A router has no price, age or author's
// word to go by: it meets no condition on them.
func (q *query) meets(e *entry, now time.Time) bool {
	shown := &e.shown
	author, _, _ := strings.Cut(shown.ID, "/")
	switch {
	case q.nothing,
		q.outputs != nil && !containsAny(shown.Architecture.OutputModalities, q.outputs),
		q.authors != nil && !slices.Contains(q.authors, author),
		!containsAll(shown.Architecture.InputModalities, q.inputs),
		!containsAll(shown.SupportedParameters, q.parameters),
		q.architecture != "" && !strings.EqualFold(q.architecture, shown.Architecture.Tokenizer),
		e.context < q.context,
		!q.named(shown):
		return false
	}
	if q.distillable != nil && (e.model == nil || e.model.Distillable != *q.distillable) {
		return false
	}
	if q.prompt.bounded() || q.completion.bounded() {
		if e.model == nil {
			return false
		}
		prices := &e.model.Cheapest().Prices
		if !q.prompt.has(prices.Prompt) || !q.completion.has(prices.Completion) {
			return false
		}
	}
	if !q.age.bounded() {
		return true
	}
	days := now.Sub(time.Unix(shown.Created, 0)).Hours() / 24
	return shown.Created != 0 && q.age.has(days)
}

// named reports whether every word is in the id, the name or the description.
func (q *query) named(shown *wireModel) bool {
	if len(q.words) == 0 {
		return true
	}
	text := strings.ToLower(shown.ID + " " + shown.Name + " " + shown.Description)
	return !slices.ContainsFunc(q.words, func(word string) bool { return !strings.Contains(text, word) })
}

// servedAsAsked reports whether one endpoint meets all the conditions on endpoints.
func (s *server) servedAsAsked(e *entry, q *query) bool {
	if q.providers == nil && q.region == "" && !q.noRetention && !q.toolSuccess.bounded() {
		return true
	}
	return slices.ContainsFunc(e.endpoints(), func(endpoint *catalog.Endpoint) bool {
		if q.providers != nil && !slices.Contains(q.providers, endpoint.Provider.Slug) ||
			q.region != "" && endpoint.Region != q.region || q.noRetention && !endpoint.NoRetention {
			return false
		}
		if !q.toolSuccess.bounded() {
			return true
		}
		success := s.Statistics(endpoint.ID).ToolSuccess
		return success != nil && q.toolSuccess.has(*success)
	})
}

func containsAny(list, wanted []string) bool {
	return slices.ContainsFunc(wanted, func(entry string) bool { return slices.Contains(list, entry) })
}

func containsAll(list, wanted []string) bool {
	return !slices.ContainsFunc(wanted, func(entry string) bool { return !slices.Contains(list, entry) })
}
