package api

import (
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/switchyard/switchyard/policies/money"
)

var (
	modalities = []string{"text", "image", "file", "audio", "video", "embeddings", "rerank", "speech", "transcription"}
	regions    = []string{"eu", "us"}
	categories = []string{
		"programming", "roleplay", "marketing", "marketing/seo", "technology", "science",
		"translation", "legal", "finance", "health", "trivia", "academia",
	}
)

// query says which models a client wants to see, and in which order (spec section
// 1.2). The zero value is all of them, by id.
type query struct {
	// Any of outputs, authors and providers will do; all of inputs, parameters
	// and words must be there. Empty is no condition.
	outputs, authors, providers []string
	inputs, parameters, words   []string
	// nothing: the condition is one that no model meets.
	nothing bool
	// architecture is a tokenizer, in any case; "" is any.
	architecture string
	region       string
	noRetention  bool
	distillable  *bool
	context      int64
	// Prices are in US dollars for a token, ages in days, toolSuccess from 0 to 1.
	prompt, completion span[money.USD]
	age, toolSuccess   span[float64]
	order              order
	rss                bool
}

// span is the values from least to most; nil is no bound.
type span[T money.USD | float64] struct{ least, most *T }

func (s span[T]) bounded() bool { return s.least != nil || s.most != nil }

func (s span[T]) has(value T) bool {
	return (s.least == nil || value >= *s.least) && (s.most == nil || value <= *s.most)
}

// live reports whether the answer changes with time or statistics, and not with the
// catalog alone.
func (q *query) live() bool {
	return q.age.bounded() || q.toolSuccess.bounded() || q.order.live
}

// parseQuery reads the filters of GET /models. The error joins everything that is
// wrong, each with the name of its parameter.
func parseQuery(values url.Values) (query, error) {
	p := parser{values: values}
	for name := range values {
		if measure, ok := benchmark(name); ok {
			p.fail("%s: the gateway has no %s benchmark to compare with; leave it out", name, measure)
		}
	}
	q := query{
		outputs:      p.list("output_modalities", slices.Concat(modalities, []string{"all"})),
		inputs:       p.list("input_modalities", modalities),
		parameters:   p.list("supported_parameters", nil),
		authors:      p.list("model_authors", nil),
		providers:    p.list("providers", nil),
		words:        strings.Fields(strings.ToLower(values.Get("q"))),
		architecture: values.Get("arch"),
		region:       p.oneOf("region", regions),
		// No model says what it is popular for.
		nothing:     p.oneOf("category", categories) != "",
		noRetention: p.truth("zdr"),
		context:     int64(p.whole("context", 0, 0, 1<<53)),
		prompt:      span[money.USD]{p.price("min_price"), p.price("max_price")},
		completion:  span[money.USD]{p.price("min_output_price"), p.price("max_output_price")},
		age:         span[float64]{p.decimal("min_age_days", 1e6), p.decimal("max_age_days", 1e6)},
		toolSuccess: span[float64]{p.decimal("min_tool_success_rate", 1), p.decimal("max_tool_success_rate", 1)},
		order:       orders[p.oneOf("sort", orderNames)],
		rss:         p.truth("use_rss"),
	}
	// Chat links lead to the same place: the gateway has no page to chat on.
	p.truth("use_rss_chat_links")
	if values.Get("distillable") != "" {
		distillable := p.truth("distillable")
		q.distillable = &distillable
	}
	switch {
	case q.outputs == nil:
		q.outputs = []string{"text"}
	case slices.Contains(q.outputs, "all"):
		q.outputs = nil
	}
	return q, p.err()
}

// benchmark returns the measure that a filter such as min_coding_index is about.
func benchmark(name string) (string, bool) {
	bound, rest, _ := strings.Cut(name, "_")
	measure, index := strings.CutSuffix(rest, "_index")
	known := measure == "intelligence" || measure == "coding" || measure == "agentic"
	return measure, index && known && (bound == "min" || bound == "max")
}

// parser reads the parameters of a URL one by one. An empty one is none.
type parser struct {
	values   url.Values
	failures []string
}

func (p *parser) fail(format string, args ...any) {
	p.failures = append(p.failures, fmt.Sprintf(format, args...))
}

// err joins what is wrong into one line.
func (p *parser) err() error {
	if len(p.failures) == 0 {
		return nil
	}
	slices.Sort(p.failures) // those of a map come in any order
	return errors.New(strings.Join(p.failures, "; "))
}

// list reads entries with commas between; valid, if not nil, are those it may have.
func (p *parser) list(name string, valid []string) []string {
	if p.values.Get(name) == "" {
		return nil
	}
	entries := strings.Split(p.values.Get(name), ",")
	for i, entry := range entries {
		entries[i] = strings.TrimSpace(entry)
		if valid != nil && !slices.Contains(valid, entries[i]) {
			p.fail("%s: %q is not one of %s", name, entries[i], strings.Join(valid, ", "))
		}
	}
	return entries
}

func (p *parser) oneOf(name string, valid []string) string {
	text := p.values.Get(name)
	if text != "" && !slices.Contains(valid, text) {
		p.fail("%s: %q is not one of %s", name, text, strings.Join(valid, ", "))
	}
	return text
}

func (p *parser) truth(name string) bool {
	return p.oneOf(name, []string{"true", "false"}) == "true"
}

// whole insists on a number where the parameter is given at all.
func (p *parser) whole(name string, fallback, least, most int) int {
	if !p.values.Has(name) {
		return fallback
	}
	n, err := strconv.Atoi(p.values.Get(name))
	if err != nil || n < least || n > most {
		p.fail("%s: %q is not a whole number from %d to %d", name, p.values.Get(name), least, most)
	}
	return n
}

func (p *parser) decimal(name string, most float64) *float64 {
	text := p.values.Get(name)
	if text == "" {
		return nil
	}
	n, err := strconv.ParseFloat(text, 64)
	if err != nil || !(n >= 0 && n <= most) { // NaN is in no range
		p.fail("%s: %q is not a number from 0 to %g", name, text, most)
	}
	return &n
}

// price reads US dollars for a million tokens, exactly.
func (p *parser) price(name string) *money.USD {
	text := p.values.Get(name)
	if text == "" {
		return nil
	}
	price, err := money.ParsePerMillion(text)
	switch {
	case err != nil:
		p.fail("%s: %v; want US dollars for a million tokens", name, err)
	case price < 0:
		p.fail("%s: %q is not a price: none is negative", name, text)
	}
	return &price
}
