package api

import (
	"net/http"
	"slices"
	"time"

	"github.com/switchyard/switchyard/policies/identity"
	keystore "github.com/switchyard/switchyard/policies/identity/store"
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
	WorkspaceID      string    `json:"workspace_id,omitempty"` // if grouped by it
}

// routeUsage adds the routes that tell of all keys' usage under a base path.
func (s *server) routeUsage(mux *http.ServeMux, base string) {
	mux.HandleFunc("GET "+base+"/activity", s.managing(identity.ReadUsage, s.activity))
	mux.HandleFunc("GET "+base+"/usage", s.managing(identity.ReadUsage, s.usage))
	mux.HandleFunc("DELETE "+base+"/usage", s.managing(identity.PurgeUsage, s.purge))
}

// activity is row 171.
func (s *server) activity(w http.ResponseWriter, r *http.Request, by *identity.Key) error {
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
	if query.values.Get("user_id") != "" {
		query.fail("user_id is not supported; leave it out")
	}
	dimensions := []store.Dimension{store.ByDay, store.ByEndpoint}
	if query.oneOf("group_by", []string{"workspace"}) != "" {
		dimensions = append(dimensions, store.ByWorkspace)
	}
	if err := query.err(); err != nil {
		return badRequest("%v", err)
	}
	var err error
	if span.Workspaces, err = s.workspaces(r, by); err != nil {
		return err
	}
	sums, err := s.Ledger.Sums(r.Context(), span, dimensions...)
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
			Usage: sum.Cost, BYOK: sum.Upstream, Requests: sum.Requests,
			PromptTokens: sum.PromptTokens, CompletionTokens: sum.CompletionTokens, ReasoningTokens: sum.ReasoningTokens, CachedTokens: sum.CachedTokens,
			WorkspaceID: sum.Workspace,
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

// wireUsage is a sum as the gateway's own GET /usage tells it. What it is not made by is
// left out.
type wireUsage struct {
	Date             string    `json:"date,omitempty"`
	KeyHash          string    `json:"key_hash,omitempty"`
	KeyName          string    `json:"key_name,omitempty"`
	Model            string    `json:"model,omitempty"`
	WorkspaceID      string    `json:"workspace_id,omitempty"`
	Usage            money.USD `json:"usage"`
	BYOK             money.USD `json:"byok_usage_inference"`
	Requests         int64     `json:"requests"`
	PromptTokens     int64     `json:"prompt_tokens"`
	CompletionTokens int64     `json:"completion_tokens"`
	ReasoningTokens  int64     `json:"reasoning_tokens"`
	CachedTokens     int64     `json:"cached_tokens"`
}

// dimensions are what GET /usage sums by.
var dimensions = map[string]store.Dimension{"day": store.ByDay, "key": store.ByKey, "model": store.ByModel, "workspace": store.ByWorkspace}

// usage is the gateway's own: ?from=2026-11-01&to=2026-11-30&by=day,key,model,workspace,
// both days included, the last 30 days and today by default.
func (s *server) usage(w http.ResponseWriter, r *http.Request, caller *identity.Key) error {
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
	for _, name := range query.list("by", []string{"day", "key", "model", "workspace"}) {
		if !slices.Contains(by, dimensions[name]) {
			by = append(by, dimensions[name])
		}
	}
	if err := query.err(); err != nil {
		return badRequest("%v", err)
	}
	var err error
	if span.Workspaces, err = s.workspaces(r, caller); err != nil {
		return err
	}
	sums, err := s.Ledger.Sums(r.Context(), span, by...)
	if err != nil {
		return err
	}
	shown := make([]wireUsage, len(sums))
	for i, sum := range sums {
		shown[i] = wireUsage{
			KeyHash: sum.KeyHash, KeyName: sum.KeyName, Model: sum.Model, WorkspaceID: sum.Workspace, Usage: sum.Cost, BYOK: sum.Upstream, Requests: sum.Requests,
			PromptTokens: sum.PromptTokens, CompletionTokens: sum.CompletionTokens, ReasoningTokens: sum.ReasoningTokens, CachedTokens: sum.CachedTokens,
		}
		if !sum.Day.IsZero() {
			shown[i].Date = sum.Day.Format(time.DateOnly)
		}
	}
	reply(w, http.StatusOK, data[[]wireUsage]{shown})
	return nil
}

// purge is the gateway's own: ?before=2026-11-01 deletes the organisation's generations
// of before that day, which is yesterday at the latest: a generation is told again after a
// crash, and would count twice if it was gone. What they come to by day stays, so that no
// sum or budget changes; what end users spent stays under pseudonyms.
func (s *server) purge(w http.ResponseWriter, r *http.Request, by *identity.Key) error {
	query := parser{values: r.URL.Query()}
	before := query.date("before")
	if before.IsZero() {
		query.fail("before is missing: a date such as 2026-11-01")
	}
	if latest := identity.ResetDaily.Start(time.Now()).AddDate(0, 0, -1); before.After(latest) {
		query.fail("before: %s is too late: what is of yesterday or today may be written once more after a crash, and would count twice if it was gone; give %s or an earlier day", before.Format(time.DateOnly), latest.Format(time.DateOnly))
	}
	if err := query.err(); err != nil {
		return badRequest("%v", err)
	}
	workspaces, err := s.workspaces(r, by)
	if err != nil {
		return err
	}
	note := keystore.Entry{Action: "usage.purge", Target: before.Format(time.DateOnly), Before: struct {
		Workspaces []string `json:"workspace_ids"`
	}{workspaces}}
	if err := s.Identity.Store.Note(r.Context(), actor(by), note); err != nil {
		return err
	}
	deleted, err := s.Ledger.PurgeWorkspaces(r.Context(), before, workspaces)
	if err != nil {
		return err
	}
	type purged struct {
		Deleted int64 `json:"deleted_generations"`
	}
	reply(w, http.StatusOK, data[purged]{purged{deleted}})
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

// workspaces are the ids of those that a question is about: the one that it names, or
// all of the organisation.
func (s *server) workspaces(r *http.Request, by *identity.Key) ([]string, error) {
	if named := r.URL.Query().Get("workspace_id"); named != "" {
		found, err := s.Identity.Store.Workspace(r.Context(), by.Organization, named)
		return []string{found.ID}, err
	}
	return s.Identity.Store.WorkspaceIDs(r.Context(), by.Organization)
}
