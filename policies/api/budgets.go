package api

import (
	"fmt"
	"net/http"
	"slices"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/switchyard/switchyard/policies/identity"
	keystore "github.com/switchyard/switchyard/policies/identity/store"
	"github.com/switchyard/switchyard/policies/money"
)

// routeBudgets adds the routes of workspaces' budgets under a base path (spec sections
// 1.5 and 5.7).
func (s *server) routeBudgets(mux *http.ServeMux, base string) {
	mux.HandleFunc("GET "+base+"/workspaces/{id}/budgets", s.managing(identity.ReadOrganization, s.listBudgets))
	mux.HandleFunc("GET "+base+"/workspaces/{id}/budgets/{interval}", s.managing(identity.ReadOrganization, s.showBudget))
	mux.HandleFunc("PUT "+base+"/workspaces/{id}/budgets/{interval}", s.managing(identity.WriteBudgets, s.setBudget))
	mux.HandleFunc("DELETE "+base+"/workspaces/{id}/budgets/{interval}", s.managing(identity.WriteBudgets, s.deleteBudget))
}

type wireBudget struct {
	ID          string    `json:"id"`
	WorkspaceID string    `json:"workspace_id"`
	Limit       money.USD `json:"limit_usd"`
	Reset       *string   `json:"reset_interval"` // null for lifetime
	CreatedAt   time.Time `json:"created_at"`
	UpdatedAt   time.Time `json:"updated_at"`
}

func newBudget(from keystore.WorkspaceBudget) wireBudget {
	return wireBudget{
		ID: from.ID, WorkspaceID: from.Workspace, Limit: from.Amount, Reset: stated(from.Reset.String()), CreatedAt: from.Created, UpdatedAt: from.Updated,
	}
}

// interval reads the period that a path names.
func interval(r *http.Request) (identity.Reset, error) {
	name := r.PathValue("interval")
	if name == "lifetime" {
		return identity.ResetNever, nil
	}
	reset, err := identity.ParseReset(name)
	if err != nil || reset == identity.ResetNever {
		return 0, badRequest("The interval of a budget is one of daily, weekly, monthly, lifetime.")
	}
	return reset, nil
}

func (s *server) listBudgets(w http.ResponseWriter, r *http.Request, by *identity.Key) error {
	in, err := s.Identity.Store.Workspace(r.Context(), by.Organization, r.PathValue("id"))
	if err != nil {
		return err
	}
	all, err := s.Identity.Store.WorkspaceBudgets(r.Context(), by.Organization, in.ID)
	if err != nil {
		return err
	}
	shown := make([]wireBudget, len(all))
	for i := range all {
		shown[i] = newBudget(all[i])
	}
	reply(w, http.StatusOK, struct {
		Data        []wireBudget `json:"data"`
		IncludeBYOK bool         `json:"include_byok_in_budgets"`
	}{shown, in.IncludeBYOK})
	return nil
}

func (s *server) showBudget(w http.ResponseWriter, r *http.Request, by *identity.Key) error {
	reset, err := interval(r)
	if err != nil {
		return err
	}
	all, err := s.Identity.Store.WorkspaceBudgets(r.Context(), by.Organization, r.PathValue("id"))
	if err != nil {
		return err
	}
	at := slices.IndexFunc(all, func(b keystore.WorkspaceBudget) bool { return b.Reset == reset })
	if at < 0 {
		return &refusal{http.StatusNotFound, "not_found", fmt.Sprintf("The workspace has no %s budget; PUT makes one.", r.PathValue("interval"))}
	}
	reply(w, http.StatusOK, data[wireBudget]{newBudget(all[at])})
	return nil
}

func (s *server) setBudget(w http.ResponseWriter, r *http.Request, by *identity.Key) error {
	reset, err := interval(r)
	if err != nil {
		return err
	}
	var members struct {
		Limit       jsontext.Value `json:"limit_usd"`
		IncludeBYOK *bool          `json:"include_byok_in_budgets"` // of all budgets of the workspace
	}
	if err := readBody(r, &members); err != nil {
		return err
	}
	amount, err := readBudget("limit_usd", members.Limit, "To let nothing be spent, disable the workspace's keys.")
	if err != nil {
		return err
	}
	set, err := s.Identity.Store.SetWorkspaceBudget(r.Context(), actor(by), r.PathValue("id"), identity.Budget{Amount: amount, Reset: reset}, members.IncludeBYOK, decreasing)
	if err != nil {
		return err
	}
	s.refresh(r)
	reply(w, http.StatusOK, data[wireBudget]{newBudget(set)})
	return nil
}

// decreasing is row 180: a budget that lasts longer is larger. One that is not would
// never be reached.
func decreasing(budgets []identity.Budget) error {
	lasting := func(b identity.Budget) int { // the lifetime's is the longest, and the zero value
		if b.Reset == identity.ResetNever {
			return int(identity.ResetMonthly) + 1
		}
		return int(b.Reset)
	}
	slices.SortFunc(budgets, func(a, b identity.Budget) int { return lasting(a) - lasting(b) })
	for i := 1; i < len(budgets); i++ {
		if budgets[i].Amount <= budgets[i-1].Amount {
			return badRequest("Budgets must grow with their interval: lifetime > monthly > weekly > daily, and $%s is not more than $%s.", budgets[i].Amount, budgets[i-1].Amount)
		}
	}
	return nil
}

func (s *server) deleteBudget(w http.ResponseWriter, r *http.Request, by *identity.Key) error {
	reset, err := interval(r)
	if err != nil {
		return err
	}
	if err := s.Identity.Store.DeleteWorkspaceBudget(r.Context(), actor(by), r.PathValue("id"), reset); err != nil {
		return err
	}
	s.refresh(r)
	replyDeleted(w)
	return nil
}
