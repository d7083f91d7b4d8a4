package api

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/switchyard/switchyard/policies/config/configpb"
	"github.com/switchyard/switchyard/policies/guard"
	"github.com/switchyard/switchyard/policies/identity"
	keystore "github.com/switchyard/switchyard/policies/identity/store"
	"github.com/switchyard/switchyard/policies/money"
)

// Bounds of a guardrail (spec section 5.6).
const (
	maxGuardrailName        = 200
	maxGuardrailDescription = 1000
	maxFilters              = 200
	maxPattern              = 100_000
	maxLabel                = 100
)

// routeGuardrails adds the routes of guardrails under a base path (spec sections 1.5 and
// 5.6).
func (s *server) routeGuardrails(mux *http.ServeMux, base string) {
	const one = "/guardrails/{id}"
	mux.HandleFunc("GET "+base+"/guardrails", s.managing(identity.ReadGuardrails, s.listGuardrails))
	mux.HandleFunc("POST "+base+"/guardrails", s.managing(identity.WriteGuardrails, s.createGuardrail))
	mux.HandleFunc("GET "+base+one, s.managing(identity.ReadGuardrails, s.showGuardrail))
	mux.HandleFunc("PATCH "+base+one, s.managing(identity.WriteGuardrails, s.updateGuardrail))
	mux.HandleFunc("DELETE "+base+one, s.managing(identity.WriteGuardrails, s.deleteGuardrail))
	mux.HandleFunc("GET "+base+"/guardrails/assignments/keys", s.managing(identity.ReadGuardrails, s.listAssignments(keystore.AssigneeKey)))
	mux.HandleFunc("GET "+base+"/guardrails/assignments/members", s.managing(identity.ReadGuardrails, s.listAssignments(keystore.AssigneeMember)))
	for kind, path := range map[keystore.Assignee]string{keystore.AssigneeKey: "/assignments/keys", keystore.AssigneeMember: "/assignments/members"} {
		mux.HandleFunc("GET "+base+one+path, s.managing(identity.ReadGuardrails, s.listAssignments(kind)))
		mux.HandleFunc("POST "+base+one+path, s.managing(identity.WriteGuardrails, s.assign(kind)))
		mux.HandleFunc("POST "+base+one+path+"/remove", s.managing(identity.WriteGuardrails, s.unassign(kind)))
	}
}

// wireGuardrail is a guardrail as clients get it. What the gateway does not have is null.
type wireGuardrail struct {
	ID               string         `json:"id"`
	WorkspaceID      *string        `json:"workspace_id"`
	Name             string         `json:"name"`
	Description      *string        `json:"description"`
	Limit            *money.USD     `json:"limit_usd"`
	Reset            *string        `json:"reset_interval"`
	IncludeBYOK      bool           `json:"include_byok_in_budgets"`
	AllowedModels    *[]string      `json:"allowed_models"`
	IgnoredModels    *[]string      `json:"ignored_models"`
	AllowedProviders *[]string      `json:"allowed_providers"`
	IgnoredProviders *[]string      `json:"ignored_providers"`
	ZDRAnthropic     *bool          `json:"enforce_zdr_anthropic"`
	ZDROpenAI        *bool          `json:"enforce_zdr_openai"`
	ZDRGoogle        *bool          `json:"enforce_zdr_google"`
	ZDRXAI           *bool          `json:"enforce_zdr_xai"`
	ZDROther         *bool          `json:"enforce_zdr_other"`
	FreeTraining     *bool          `json:"enable_free_model_training"`
	FreePublication  *bool          `json:"enable_free_model_publication"`
	PaidTraining     *bool          `json:"enable_paid_model_training"`
	Filters          *[]wireFilter  `json:"content_filters"`
	Builtins         *[]wireBuiltin `json:"content_filter_builtins"`
	CreatedAt        time.Time      `json:"created_at"`
	UpdatedAt        time.Time      `json:"updated_at"`
}

type wireFilter struct {
	Pattern string  `json:"pattern"`
	Action  string  `json:"action"`
	Label   *string `json:"label"`
}

type wireBuiltin struct {
	Slug      string `json:"slug"`
	Action    string `json:"action"`
	ScanScope string `json:"scan_scope,omitempty"`
}

func newGuardrail(from keystore.Guardrail) wireGuardrail {
	terms := &from.GuardrailTerms
	zdr := func(author string) *bool {
		if enforced, ok := terms.ZDR[author]; ok {
			return &enforced
		}
		return nil
	}
	wire := wireGuardrail{
		ID: from.ID, WorkspaceID: stated(from.Workspace), Name: terms.Name, Description: stated(terms.Description),
		Limit: terms.Limit, Reset: stated(terms.Reset.String()), IncludeBYOK: terms.IncludeBYOK,
		AllowedModels: nonEmpty(terms.AllowedModels), IgnoredModels: nonEmpty(terms.IgnoredModels),
		AllowedProviders: nonEmpty(terms.AllowedProviders), IgnoredProviders: nonEmpty(terms.IgnoredProviders),
		ZDRAnthropic: zdr("anthropic"), ZDROpenAI: zdr("openai"), ZDRGoogle: zdr("google"), ZDRXAI: zdr("xai"), ZDROther: zdr("other"),
		FreeTraining: terms.FreeTraining, FreePublication: terms.FreePublication, PaidTraining: terms.PaidTraining, CreatedAt: from.Created, UpdatedAt: from.Updated,
	}
	var filters []wireFilter
	for _, filter := range terms.Filters {
		filters = append(filters, wireFilter(filter))
	}
	var builtins []wireBuiltin
	for _, filter := range terms.Builtins {
		builtins = append(builtins, wireBuiltin(filter))
	}
	wire.Filters, wire.Builtins = nonEmpty(filters), nonEmpty(builtins)
	return wire
}

// nonEmpty is nil, which is null, for an empty list.
func nonEmpty[Entry any](list []Entry) *[]Entry {
	if len(list) == 0 {
		return nil
	}
	return &list
}

// guardrailMembers are those of a request that makes or changes a guardrail. Nil is a
// member that is not there; null takes back what was said.
type guardrailMembers struct {
	Name             *string        `json:"name"`
	Description      jsontext.Value `json:"description"`
	Limit            jsontext.Value `json:"limit_usd"`
	Reset            jsontext.Value `json:"reset_interval"`
	IncludeBYOK      *bool          `json:"include_byok_in_budgets"`
	AllowedModels    jsontext.Value `json:"allowed_models"`
	IgnoredModels    jsontext.Value `json:"ignored_models"`
	AllowedProviders jsontext.Value `json:"allowed_providers"`
	IgnoredProviders jsontext.Value `json:"ignored_providers"`
	ZDR              jsontext.Value `json:"enforce_zdr"` // deprecated: of all that are not said
	ZDRAnthropic     jsontext.Value `json:"enforce_zdr_anthropic"`
	ZDROpenAI        jsontext.Value `json:"enforce_zdr_openai"`
	ZDRGoogle        jsontext.Value `json:"enforce_zdr_google"`
	ZDRXAI           jsontext.Value `json:"enforce_zdr_xai"`
	ZDROther         jsontext.Value `json:"enforce_zdr_other"`
	FreeTraining     jsontext.Value `json:"enable_free_model_training"`
	FreePublication  jsontext.Value `json:"enable_free_model_publication"`
	PaidTraining     jsontext.Value `json:"enable_paid_model_training"`
	Filters          jsontext.Value `json:"content_filters"`
	Builtins         jsontext.Value `json:"content_filter_builtins"`
	WorkspaceID      *string        `json:"workspace_id"`
}

// applyGuardrail changes terms as the members of a request say, and sees to it that they
// can be kept, but for what checkFilters has seen.
func (s *server) applyGuardrail(m *guardrailMembers, terms *keystore.GuardrailTerms) error {
	for _, step := range []func() error{
		func() error { return m.applyWords(terms) },
		func() error { return m.applyBudget(terms) },
		func() error { return s.applyLists(m, terms) },
		func() error { return m.applySwitches(terms) },
		func() error { return m.applyFilters(terms) },
	} {
		if err := step(); err != nil {
			return err
		}
	}
	return nil
}

// checkFilters sees to it that the filters that members have can be compiled. It takes
// its time, which no transaction should wait for.
func (m *guardrailMembers) checkFilters() error {
	var terms keystore.GuardrailTerms
	if err := m.applyFilters(&terms); err != nil {
		return err
	}
	if _, err := guard.New("", ContentRules(&terms)); err != nil {
		return badRequest("%v.", err)
	}
	return nil
}

func (m *guardrailMembers) applyWords(terms *keystore.GuardrailTerms) error {
	if m.Name != nil {
		if terms.Name = strings.TrimSpace(*m.Name); terms.Name == "" || utf8.RuneCountInString(terms.Name) > maxGuardrailName {
			return badRequest("name must have from 1 to %d characters.", maxGuardrailName)
		}
	}
	if m.Description != nil {
		text, err := textOrNull(m.Description, maxGuardrailDescription)
		if err != nil {
			return badRequest("description: %v.", err)
		}
		terms.Description = text
	}
	return nil
}

func (m *guardrailMembers) applyBudget(terms *keystore.GuardrailTerms) error {
	if m.Limit != nil {
		terms.Limit = nil
		if m.Limit.Kind() != 'n' {
			amount, err := readBudget("limit_usd", m.Limit, "For no limit say null.")
			if err != nil {
				return err
			}
			terms.Limit = &amount
		}
	}
	if m.Reset != nil {
		text, err := textOrNull(m.Reset, 20)
		if err == nil {
			terms.Reset, err = readReset(text)
		}
		if err != nil {
			return badRequest("reset_interval: %v.", err)
		}
	}
	if m.IncludeBYOK != nil {
		terms.IncludeBYOK = *m.IncludeBYOK
	}
	return nil
}

func (s *server) applyLists(m *guardrailMembers, terms *keystore.GuardrailTerms) error {
	model := func(entry string) string {
		if found, ok := s.Catalog().Model(entry); ok {
			return found.ID
		}
		return entry
	}
	for _, list := range []struct {
		name  string
		value jsontext.Value
		into  *[]string
		check func(entry string) error
		canon func(entry string) string
	}{
		{"allowed_models", m.AllowedModels, &terms.AllowedModels, nil, model},
		{"ignored_models", m.IgnoredModels, &terms.IgnoredModels, nil, model},
		{"allowed_providers", m.AllowedProviders, &terms.AllowedProviders, s.checkProvider, nil},
		{"ignored_providers", m.IgnoredProviders, &terms.IgnoredProviders, s.checkProvider, nil},
	} {
		if list.value == nil {
			continue
		}
		entries, err := readList(list.name, list.value, list.check)
		if err != nil {
			return err
		}
		for i := range entries {
			if list.canon != nil {
				entries[i] = list.canon(entries[i])
			}
		}
		*list.into = entries
	}
	return nil
}

func (m *guardrailMembers) applySwitches(terms *keystore.GuardrailTerms) error {
	zdr := make(map[string]bool)
	for author, enforced := range terms.ZDR {
		zdr[author] = enforced
	}
	said := map[string]jsontext.Value{"anthropic": m.ZDRAnthropic, "openai": m.ZDROpenAI, "google": m.ZDRGoogle, "xai": m.ZDRXAI, "other": m.ZDROther}
	for author, value := range said {
		name := "enforce_zdr_" + author
		if value == nil {
			if _, known := zdr[author]; known || m.ZDR == nil {
				continue
			}
			name, value = "enforce_zdr", m.ZDR
		}
		enforced, err := switchOrNull(name, value)
		switch {
		case err != nil:
			return err
		case enforced == nil:
			delete(zdr, author)
		default:
			zdr[author] = *enforced
		}
	}
	terms.ZDR = nil
	if len(zdr) > 0 {
		terms.ZDR = zdr
	}
	var err error
	if m.FreeTraining != nil {
		terms.FreeTraining, err = switchOrNull("enable_free_model_training", m.FreeTraining)
	}
	if err == nil && m.FreePublication != nil {
		terms.FreePublication, err = switchOrNull("enable_free_model_publication", m.FreePublication)
		if err == nil && terms.FreePublication != nil && *terms.FreePublication {
			err = badRequest("enable_free_model_publication must be false or null: no endpoint of this gateway is one that publishes what it is sent.")
		}
	}
	if err == nil && m.PaidTraining != nil {
		terms.PaidTraining, err = switchOrNull("enable_paid_model_training", m.PaidTraining)
	}
	return err
}

func switchOrNull(name string, value jsontext.Value) (*bool, error) {
	var on *bool
	if err := json.Unmarshal(value, &on); err != nil {
		return nil, badRequest("%s must be true, false or null.", name)
	}
	return on, nil
}

func (m *guardrailMembers) applyFilters(terms *keystore.GuardrailTerms) error {
	if m.Filters != nil {
		filters, err := readFilters[wireFilter]("content_filters", m.Filters)
		if err != nil {
			return err
		}
		terms.Filters = nil
		for i, filter := range filters {
			if filter.Pattern == "" || utf8.RuneCountInString(filter.Pattern) > maxPattern || filter.Label != nil && utf8.RuneCountInString(*filter.Label) > maxLabel {
				return badRequest("content_filters[%d]: pattern must have from 1 to %d characters, label up to %d.", i, maxPattern, maxLabel)
			}
			terms.Filters = append(terms.Filters, keystore.ContentFilter(filter))
		}
	}
	if m.Builtins != nil {
		builtins, err := readFilters[wireBuiltin]("content_filter_builtins", m.Builtins)
		if err != nil {
			return err
		}
		terms.Builtins = nil
		for i, filter := range builtins {
			if _, ok := scanScopes[filter.ScanScope]; !ok {
				return badRequest("content_filter_builtins[%d].scan_scope must be user_only or all_messages.", i)
			}
			terms.Builtins = append(terms.Builtins, keystore.BuiltinFilter(filter))
		}
	}
	for i, filter := range terms.Filters {
		if _, ok := guardActions[filter.Action]; !ok {
			return badRequest("content_filters[%d].action must be flag, redact or block.", i)
		}
	}
	for i, filter := range terms.Builtins {
		if _, ok := guardActions[filter.Action]; !ok {
			return badRequest("content_filter_builtins[%d].action must be flag, redact or block.", i)
		}
	}
	return nil
}

// readFilters reads a list of filters, or null.
func readFilters[Filter any](name string, value jsontext.Value) ([]Filter, error) {
	var filters []Filter
	if err := json.Unmarshal(value, &filters, json.RejectUnknownMembers(true)); err != nil {
		return nil, unreadable(err, jsontext.Pointer("/"+name))
	}
	if filters != nil && len(filters) == 0 || len(filters) > maxFilters {
		return nil, badRequest("%s must be a list of 1 to %d filters, or null for none.", name, maxFilters)
	}
	return filters, nil
}

var guardActions = map[string]configpb.GuardAction{
	"flag":   configpb.GuardAction_GUARD_ACTION_FLAG,
	"redact": configpb.GuardAction_GUARD_ACTION_REDACT,
	"block":  configpb.GuardAction_GUARD_ACTION_BLOCK,
}

var scanScopes = map[string]configpb.ScanScope{
	"":             configpb.ScanScope_SCAN_SCOPE_UNSPECIFIED,
	"user_only":    configpb.ScanScope_SCAN_SCOPE_USER_ONLY,
	"all_messages": configpb.ScanScope_SCAN_SCOPE_ALL_MESSAGES,
}

// ContentRules are what a guardrail looks for, as the configuration would have it. As the
// spec has it, only what clients send is searched.
func ContentRules(terms *keystore.GuardrailTerms) *configpb.Guardrail {
	rules := &configpb.Guardrail{}
	for _, filter := range terms.Filters {
		label := ""
		if filter.Label != nil {
			label = *filter.Label
		}
		rules.ContentFilters = append(rules.ContentFilters, &configpb.ContentFilter{Pattern: filter.Pattern, Action: guardActions[filter.Action], Label: label})
	}
	for _, filter := range terms.Builtins {
		rules.ContentFilterBuiltins = append(rules.ContentFilterBuiltins, &configpb.BuiltinFilter{
			Slug: filter.Slug, Action: guardActions[filter.Action], ScanScope: scanScopes[filter.ScanScope],
		})
	}
	return rules
}

func (s *server) listGuardrails(w http.ResponseWriter, r *http.Request, by *identity.Key) error {
	all, err := s.Identity.Store.Guardrails(r.Context(), by.Organization)
	if err != nil {
		return err
	}
	if named := r.URL.Query().Get("workspace_id"); named != "" {
		in, err := s.Identity.Store.Workspace(r.Context(), by.Organization, named)
		if err != nil {
			return err
		}
		all = slices.DeleteFunc(all, func(g keystore.Guardrail) bool { return g.Workspace != in.ID })
	}
	replyPage(w, r, all, newGuardrail)
	return nil
}

func (s *server) showGuardrail(w http.ResponseWriter, r *http.Request, by *identity.Key) error {
	found, err := s.Identity.Store.Guardrail(r.Context(), by.Organization, r.PathValue("id"))
	if err == nil {
		reply(w, http.StatusOK, data[wireGuardrail]{newGuardrail(found)})
	}
	return err
}

func (s *server) createGuardrail(w http.ResponseWriter, r *http.Request, by *identity.Key) error {
	var members guardrailMembers
	if err := readBody(r, &members); err != nil {
		return err
	}
	if members.Name == nil {
		return missing("name")
	}
	if err := s.checkGuardrailWorkspace(r.Context(), members.WorkspaceID, by); err != nil {
		return err
	}
	if err := members.checkFilters(); err != nil {
		return err
	}
	var terms keystore.GuardrailTerms
	if err := s.applyGuardrail(&members, &terms); err != nil {
		return err
	}
	created, err := s.Identity.Store.CreateGuardrail(r.Context(), actor(by), terms)
	if err == nil {
		reply(w, http.StatusCreated, data[wireGuardrail]{newGuardrail(created)})
	}
	return err
}

// checkGuardrailWorkspace takes what clients say for want of another: the caller's own
// workspace, or the default one. Guardrails that are assigned are of no workspace here.
func (s *server) checkGuardrailWorkspace(ctx context.Context, named *string, by *identity.Key) error {
	if named == nil {
		return nil
	}
	in, err := s.Identity.Store.Workspace(ctx, by.Organization, *named)
	if err == nil && in.ID != by.Workspace && in.ID != keystore.DefaultWorkspace(by.Organization) {
		err = badRequest("workspace_id: what holds for all keys of a workspace is its default guardrail; change the one of its default_guardrail_id.")
	}
	return err
}

func (s *server) updateGuardrail(w http.ResponseWriter, r *http.Request, by *identity.Key) error {
	return patch[guardrailMembers, keystore.GuardrailTerms, keystore.Guardrail]{
		check: func(m *guardrailMembers) error {
			if m.WorkspaceID != nil {
				return badRequest("workspace_id: a guardrail stays where it is; leave it out, or make another guardrail.")
			}
			return m.checkFilters()
		},
		apply:  s.applyGuardrail,
		update: s.Identity.Store.UpdateGuardrail,
		reply:  replyWith(w, newGuardrail),
	}.serve(s, r, by)
}

func (s *server) deleteGuardrail(w http.ResponseWriter, r *http.Request, by *identity.Key) error {
	if err := s.Identity.Store.DeleteGuardrail(r.Context(), actor(by), r.PathValue("id")); err != nil {
		return err
	}
	s.refresh(r)
	replyDeleted(w)
	return nil
}
