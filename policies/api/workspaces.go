package api

import (
	"net/http"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/google/uuid"

	"github.com/switchyard/switchyard/policies/identity"
	keystore "github.com/switchyard/switchyard/policies/identity/store"
	"github.com/switchyard/switchyard/policies/money"
	"github.com/switchyard/switchyard/policies/usage/store"
)

// Bounds of what a workspace is called (spec section 1.5).
const (
	maxWorkspaceName = 100
	maxSlug          = 50
	maxDescription   = 500
)

var slugs = regexp.MustCompile(`^[a-z0-9]+(?:-[a-z0-9]+)*$`)

// wireWorkspace is a workspace as clients get it (spec section 1.5). What this gateway
// does not have is false, null or empty.
type wireWorkspace struct {
	ID                string    `json:"id"`
	Name              string    `json:"name"`
	Slug              string    `json:"slug"`
	Description       *string   `json:"description"`
	CreatedAt         time.Time `json:"created_at"`
	CreatedBy         *string   `json:"created_by"`
	UpdatedAt         time.Time `json:"updated_at"`
	DefaultTextModel  *string   `json:"default_text_model"`
	DefaultImageModel *string   `json:"default_image_model"`
	DefaultSort       *string   `json:"default_provider_sort"`
	DefaultGuardrail  string    `json:"default_guardrail_id"`
	BYOKInBudgets     bool      `json:"include_byok_in_budgets"`
	Logging           bool      `json:"is_observability_io_logging_enabled"`
	Broadcast         bool      `json:"is_observability_broadcast_enabled"`
	DiscountLogging   bool      `json:"is_data_discount_logging_enabled"`
	SamplingRate      float64   `json:"io_logging_sampling_rate"`
	LoggedKeys        *[]int64  `json:"io_logging_api_key_ids"`
}

func newWorkspace(from keystore.Workspace) wireWorkspace {
	return wireWorkspace{
		ID: from.ID, Name: from.Name, Slug: from.Slug, Description: stated(from.Description),
		CreatedAt: from.Created, CreatedBy: stated(from.Creator), UpdatedAt: from.Updated,
		DefaultTextModel: stated(from.DefaultTextModel), DefaultSort: stated(from.DefaultSort), SamplingRate: 1,
		DefaultGuardrail: keystore.DefaultGuardrail(from.ID), BYOKInBudgets: from.IncludeBYOK,
	}
}

// routeWorkspaces adds the routes of workspaces and organisations under a base path.
func (s *server) routeWorkspaces(mux *http.ServeMux, base string) {
	mux.HandleFunc("GET "+base+"/workspaces", s.managing(identity.ReadOrganization, s.listWorkspaces))
	mux.HandleFunc("POST "+base+"/workspaces", s.managing(identity.WriteWorkspaces, s.createWorkspace))
	mux.HandleFunc("GET "+base+"/workspaces/{id}", s.managing(identity.ReadOrganization, s.showWorkspace))
	mux.HandleFunc("PATCH "+base+"/workspaces/{id}", s.managing(identity.WriteWorkspaces, s.updateWorkspace))
	mux.HandleFunc("DELETE "+base+"/workspaces/{id}", s.managing(identity.WriteWorkspaces, s.deleteWorkspace))
	mux.HandleFunc("GET "+base+"/organizations", s.managing(identity.WriteOrganizations, s.listOrganizations))
	mux.HandleFunc("POST "+base+"/organizations", s.managing(identity.WriteOrganizations, s.createOrganization))
	mux.HandleFunc("POST "+base+"/organizations/{id}/owners", s.managing(identity.WriteOrganizations, s.createOwner))
}

// workspaceMembers are those of a request that makes or changes a workspace.
type workspaceMembers struct {
	Name             *string        `json:"name"`
	Slug             *string        `json:"slug"`
	Description      jsontext.Value `json:"description"`
	DefaultTextModel jsontext.Value `json:"default_text_model"`
	DefaultSort      jsontext.Value `json:"default_provider_sort"`
}

// sorts are the orders that a workspace may have for requests that ask for none.
var sorts = []string{"price", "throughput", "latency", "exacto"}

func (m *workspaceMembers) apply(w *keystore.Workspace) error {
	if m.Name != nil {
		if w.Name = strings.TrimSpace(*m.Name); w.Name == "" || utf8.RuneCountInString(w.Name) > maxWorkspaceName {
			return badRequest("name must have from 1 to %d characters.", maxWorkspaceName)
		}
	}
	if m.Slug != nil {
		if w.Slug = *m.Slug; len(w.Slug) > maxSlug || !slugs.MatchString(w.Slug) {
			return badRequest("slug must be up to %d lower-case letters and digits, with single hyphens between.", maxSlug)
		}
		if len(w.Slug) == 36 && uuid.Validate(w.Slug) == nil {
			return badRequest("slug must not be a UUID: those are ids.")
		}
	}
	for _, member := range []struct {
		name  string
		value jsontext.Value
		most  int
		valid []string
		into  *string
	}{
		{"description", m.Description, maxDescription, nil, &w.Description},
		{"default_text_model", m.DefaultTextModel, 200, nil, &w.DefaultTextModel},
		{"default_provider_sort", m.DefaultSort, 20, sorts, &w.DefaultSort},
	} {
		if member.value == nil {
			continue
		}
		text, err := textOrNull(member.value, member.most)
		if err == nil && text != "" && member.valid != nil && !slices.Contains(member.valid, text) {
			err = badRequest("%q is not one of %s", text, strings.Join(member.valid, ", "))
		}
		if err != nil {
			return badRequest("%s: %v.", member.name, err)
		}
		*member.into = text
	}
	return nil
}

func (s *server) listWorkspaces(w http.ResponseWriter, r *http.Request, by *identity.Key) error {
	all, err := s.Identity.Store.Workspaces(r.Context(), by.Organization)
	if err == nil {
		replyPage(w, r, all, newWorkspace)
	}
	return err
}

func (s *server) showWorkspace(w http.ResponseWriter, r *http.Request, by *identity.Key) error {
	found, err := s.Identity.Store.Workspace(r.Context(), by.Organization, r.PathValue("id"))
	if err == nil {
		reply(w, http.StatusOK, data[wireWorkspace]{newWorkspace(found)})
	}
	return err
}

func (s *server) createWorkspace(w http.ResponseWriter, r *http.Request, by *identity.Key) error {
	var members workspaceMembers
	if err := readBody(r, &members); err != nil {
		return err
	}
	switch {
	case members.Name == nil:
		return missing("name")
	case members.Slug == nil:
		return missing("slug")
	}
	var wanted keystore.Workspace
	if err := s.applyWorkspace(&members, &wanted); err != nil {
		return err
	}
	created, err := s.Identity.Store.CreateWorkspace(r.Context(), actor(by), wanted)
	if err == nil {
		reply(w, http.StatusCreated, data[wireWorkspace]{newWorkspace(created)})
	}
	return err
}

// applyWorkspace also sees to it that there is such a model.
func (s *server) applyWorkspace(m *workspaceMembers, w *keystore.Workspace) error {
	if err := m.apply(w); err != nil || m.DefaultTextModel == nil || w.DefaultTextModel == "" {
		return err
	}
	if _, ok := s.Catalog().Model(w.DefaultTextModel); ok {
		return nil
	}
	if _, ok := s.Catalog().Alias(w.DefaultTextModel); ok {
		return nil
	}
	return badRequest("default_text_model: %q is not a model of this gateway; GET /models lists them.", w.DefaultTextModel)
}

func (s *server) updateWorkspace(w http.ResponseWriter, r *http.Request, by *identity.Key) error {
	return patch[workspaceMembers, keystore.Workspace, keystore.Workspace]{
		apply: s.applyWorkspace, update: s.Identity.Store.UpdateWorkspace, reply: replyWith(w, newWorkspace),
	}.serve(s, r, by)
}

func (s *server) deleteWorkspace(w http.ResponseWriter, r *http.Request, by *identity.Key) error {
	err := s.Identity.Store.DeleteWorkspace(r.Context(), actor(by), r.PathValue("id"))
	if err == nil {
		replyDeleted(w)
	}
	return err
}

// asOperator refuses keys that are not of the configuration.
func asOperator(by *identity.Key) error {
	if !by.Operator {
		return forbidden("Only a management key of the gateway's configuration can perform this operation")
	}
	return nil
}

// listOrganizations is the gateway's own, as is createOrganization.
func (s *server) listOrganizations(w http.ResponseWriter, r *http.Request, by *identity.Key) error {
	if err := asOperator(by); err != nil {
		return err
	}
	all, err := s.Identity.Store.Organizations(r.Context())
	if err == nil {
		replyPage(w, r, all, func(o keystore.Organization) keystore.Organization { return o })
	}
	return err
}

// createOrganization answers with the organisation's first management key, which is
// shown this once. Credits, if they are given, are all that it may spend.
func (s *server) createOrganization(w http.ResponseWriter, r *http.Request, by *identity.Key) error {
	var request struct {
		Name    string         `json:"name"`
		Credits jsontext.Value `json:"credits"`
	}
	if err := asOperator(by); err != nil {
		return err
	}
	if err := readBody(r, &request); err != nil {
		return err
	}
	name, err := readName(request.Name)
	if err != nil {
		return err
	}
	var credits *money.USD
	if request.Credits != nil {
		amount, err := readAmount("credits", request.Credits)
		if err != nil {
			return err
		}
		if amount < 0 {
			return badRequest("credits must be at least 0, not %s. Leave them out for an organization that spends without bound.", amount)
		}
		credits = &amount
	}
	plaintext, _ := identity.NewKey()
	created, err := s.Identity.Store.CreateOrganization(r.Context(), actor(by), name, plaintext, credits)
	if err != nil {
		return err
	}
	s.refresh(r)
	reply(w, http.StatusCreated, struct {
		Data keystore.Organization `json:"data"`
		Key  string                `json:"key"`
	}{created, plaintext})
	return nil
}

// createOwner answers with a management key of an owner, which is shown this once: an
// organisation that has lost its own has nobody else who could make one.
func (s *server) createOwner(w http.ResponseWriter, r *http.Request, by *identity.Key) error {
	var request struct {
		Name string `json:"name"`
	}
	if err := asOperator(by); err != nil {
		return err
	}
	if err := readBody(r, &request); err != nil {
		return err
	}
	name, err := readName(request.Name)
	if err != nil {
		return err
	}
	plaintext, _ := identity.NewKey()
	created, err := s.Identity.Store.CreateOwner(r.Context(), actor(by), r.PathValue("id"), name, plaintext)
	if err != nil {
		return err
	}
	s.refresh(r)
	reply(w, http.StatusCreated, secretKey{newKey(&created, store.Spending{}), plaintext})
	return nil
}
