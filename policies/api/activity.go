package api

import (
	"net/http"
	"slices"
	"time"

	"github.com/switchyard/switchyard/policies/identity"
	"github.com/switchyard/switchyard/policies/money"
	"github.com/switchyard/switchyard/policies/usage/store"
)

// activeDays is how many days GET /activity tells of: completed ones, in UTC.
const activeDays = 30

// activity is what one endpoint did on one day (spec section 1.3).
type activity struct {
	Date             string    `json:"date"`
	Model            string    `json:"model"`
	Permaslug        string    `json:"model_permaslug"`
	EndpointID       string    `json:"endpoint_id"`
	ProviderName     string    `json:"provider_name"`
	Usage            money.USD `json:"usage"`
	BYOK             money.USD `json:"byok_usage_inference"`
	Requests         int64     `json:"requests"`
	PromptTokens     int64     `json:"prompt_tokens"`
	CompletionTokens int64     `json:"completion_tokens"`
	ReasoningTokens  int64     `json:"reasoning_tokens"`
	CachedTokens     int64     `json:"cached_tokens"`
}

// routeUsage adds the routes that tell of all keys' usage under a base path.
func (s *server) routeUsage(mux *http.ServeMux, base string) {
	mux.HandleFunc("GET "+base+"/activity", s.managing(identity.ReadUsage, s.activity))
	mux.HandleFunc("GET "+base+"/credits", s.managing(identity.ReadUsage, s.credits))
	mux.HandleFunc("GET "+base+"/usage", s.managing(identity.ReadUsage, s.usage))
}

// activity is row 171.
func (s *server) activity(w http.ResponseWriter, r *http.Request, _ *identity.Key) error {
	today := identity.ResetDaily.Start(time.Now())
	span := store.Span{From: today.AddDate(0, 0, -activeDays), To: today}
	query := parser{values: r.URL.Query()}
	if date := query.date("date"); !date.IsZero() {
		if date.Before(span.From) || !date.Before(span.To) {
			query.fail("date: %s is not one of the last %d completed days in UTC", date.Format(time.DateOnly), activeDays)
		}
		span = store.Span{From: date, To: date.AddDate(0, 0, 1)}
	}
	span.KeyHash = query.keyHash("api_key_hash")
	query.unsupported("user_id", "workspace_id", "group_by")
	if err := query.err(); err != nil {
		return badRequest("%v", err)
	}
	sums, err := s.Ledger.Sums(r.Context(), span, store.ByDay, store.ByEndpoint)
	if err != nil {
		return err
	}
	names := make(map[string]string)
	for _, provider := range s.Catalog().Providers() {
		names[provider.Slug] = provider.Name
	}
	shown := make([]activity, len(sums))
	for i, sum := range sums {
		shown[i] = activity{
			Date: sum.Day.Format(time.DateOnly), Model: sum.Model, Permaslug: sum.Model, EndpointID: sum.Endpoint, ProviderName: sum.Provider,
			Usage: sum.Cost, Requests: sum.Requests,
			PromptTokens: sum.PromptTokens, CompletionTokens: sum.CompletionTokens, ReasoningTokens: sum.ReasoningTokens, CachedTokens: sum.CachedTokens,
		}
		if model, ok := s.Catalog().Model(sum.Model); ok {
			shown[i].Permaslug = model.CanonicalSlug
		}
		if name, ok := names[sum.Provider]; ok {
			shown[i].ProviderName = name
		}
	}
	reply(w, http.StatusOK, data[[]activity]{shown})
	return nil
}

// credits tells what all keys have used together. There are no credits to buy here.
func (s *server) credits(w http.ResponseWriter, r *http.Request, _ *identity.Key) error {
	type credits struct {
		Total money.USD `json:"total_credits"`
		Used  money.USD `json:"total_usage"`
	}
	sums, err := s.Ledger.Sums(r.Context(), store.Span{To: time.Now().AddDate(1, 0, 0), KeyHash: "*"})
	if err != nil {
		return err
	}
	reply(w, http.StatusOK, data[credits]{credits{Used: sums[0].Cost}})
	return nil
}

// wireUsage is a sum as the gateway's own GET /usage tells it. What it is not made by is
// left out.
type wireUsage struct {
	Date             string    `json:"date,omitempty"`
	KeyHash          string    `json:"key_hash,omitempty"`
	KeyName          string    `json:"key_name,omitempty"`
	Model            string    `json:"model,omitempty"`
	Usage            money.USD `json:"usage"`
	Requests         int64     `json:"requests"`
	PromptTokens     int64     `json:"prompt_tokens"`
	CompletionTokens int64     `json:"completion_tokens"`
	ReasoningTokens  int64     `json:"reasoning_tokens"`
	CachedTokens     int64     `json:"cached_tokens"`
}

// dimensions are what GET /usage sums by.
var dimensions = map[string]store.Dimension{"day": store.ByDay, "key": store.ByKey, "model": store.ByModel}

// usage is the gateway's own: ?from=2026-11-01&to=2026-11-30&by=day,key,model, both
// days included, the last 30 days and today by default.
func (s *server) usage(w http.ResponseWriter, r *http.Request, _ *identity.Key) error {
	today := identity.ResetDaily.Start(time.Now())
	query := parser{values: r.URL.Query()}
	span := store.Span{From: query.date("from"), To: query.date("to"), KeyHash: query.keyHash("api_key_hash")}
	if span.From.IsZero() {
		span.From = today.AddDate(0, 0, -activeDays)
	}
	if span.To.IsZero() {
		span.To = today
	}
	span.To = span.To.AddDate(0, 0, 1)
	by := []store.Dimension{}
	for _, name := range query.list("by", []string{"day", "key", "model"}) {
		if !slices.Contains(by, dimensions[name]) {
			by = append(by, dimensions[name])
		}
	}
	if err := query.err(); err != nil {
		return badRequest("%v", err)
	}
	sums, err := s.Ledger.Sums(r.Context(), span, by...)
	if err != nil {
		return err
	}
	shown := make([]wireUsage, len(sums))
	for i, sum := range sums {
		shown[i] = wireUsage{
			KeyHash: sum.KeyHash, KeyName: sum.KeyName, Model: sum.Model, Usage: sum.Cost, Requests: sum.Requests,
			PromptTokens: sum.PromptTokens, CompletionTokens: sum.CompletionTokens, ReasoningTokens: sum.ReasoningTokens, CachedTokens: sum.CachedTokens,
		}
		if !sum.Day.IsZero() {
			shown[i].Date = sum.Day.Format(time.DateOnly)
		}
	}
	reply(w, http.StatusOK, data[[]wireUsage]{shown})
	return nil
}

// date reads a day in UTC; none is the zero time.
func (p *parser) date(name string) time.Time {
	text := p.values.Get(name)
	if text == "" {
		return time.Time{}
	}
	date, err := time.Parse(time.DateOnly, text)
	if err != nil {
		p.fail("%s: %q is not a date such as 2026-11-28", name, text)
	}
	return date
}

// keyHash reads the hash of a key; none is "*", for all.
func (p *parser) keyHash(name string) string {
	text := p.values.Get(name)
	if text == "" {
		return "*"
	}
	if _, err := identity.ParseDigest(text); err != nil {
		p.fail("%s: %q is not the hash of a key, 64 lower-case hex digits", name, text)
	}
	return text
}

// unsupported refuses filters that would be left out in silence.
func (p *parser) unsupported(names ...string) {
	for _, name := range names {
		if p.values.Get(name) != "" {
			p.fail("%s is not supported; leave it out", name)
		}
	}
}
