package api

import (
	"context"
	"net/http"
	"time"

	"github.com/switchyard/switchyard/policies/identity"
	keystore "github.com/switchyard/switchyard/policies/identity/store"
)

// wireKeyAssignment and wireMemberAssignment say who is held to a guardrail.
type wireKeyAssignment struct {
	ID         string    `json:"id"`
	Guardrail  string    `json:"guardrail_id"`
	KeyHash    string    `json:"key_hash"`
	KeyName    string    `json:"key_name"`
	KeyLabel   string    `json:"key_label"`
	AssignedBy *string   `json:"assigned_by"`
	CreatedAt  time.Time `json:"created_at"`
}

type wireMemberAssignment struct {
	ID           string    `json:"id"`
	Guardrail    string    `json:"guardrail_id"`
	UserID       string    `json:"user_id"`
	Organization string    `json:"organization_id"`
	AssignedBy   *string   `json:"assigned_by"`
	CreatedAt    time.Time `json:"created_at"`
}

// listAssignments lists those of the guardrail that the path names, or of all.
func (s *server) listAssignments(kind keystore.Assignee) func(http.ResponseWriter, *http.Request, *identity.Key) error {
	return func(w http.ResponseWriter, r *http.Request, by *identity.Key) error {
		all, err := s.Identity.Store.Assignments(r.Context(), by.Organization, r.PathValue("id"), kind)
		if err != nil {
			return err
		}
		if kind == keystore.AssigneeMember {
			replyPage(w, r, all, func(a keystore.Assignment) wireMemberAssignment {
				return wireMemberAssignment{a.ID, a.Guardrail, a.Assignee, by.Organization, stated(a.Actor), a.Created}
			})
			return nil
		}
		replyPage(w, r, all, func(a keystore.Assignment) wireKeyAssignment {
			return wireKeyAssignment{a.ID, a.Guardrail, a.Assignee, a.KeyName, a.KeyLabel, stated(a.Actor), a.Created}
		})
		return nil
	}
}

// assignees reads whom a request is about.
func assignees(r *http.Request, kind keystore.Assignee) ([]string, error) {
	var members struct {
		Keys  []string `json:"key_hashes"`
		Users []string `json:"member_user_ids"`
	}
	if err := readBody(r, &members); err != nil {
		return nil, err
	}
	name, named, other := "key_hashes", members.Keys, members.Users
	if kind == keystore.AssigneeMember {
		name, named, other = "member_user_ids", members.Users, members.Keys
	}
	if len(named) == 0 || len(named) > largestManagedPage || other != nil {
		return nil, badRequest("%s must have from 1 to %d entries, and nothing else is taken.", name, largestManagedPage)
	}
	return named, nil
}

func (s *server) assign(kind keystore.Assignee) func(http.ResponseWriter, *http.Request, *identity.Key) error {
	return s.changeAssignments(kind, s.Identity.Store.Assign, func(n int) any {
		return struct {
			N int `json:"assigned_count"`
		}{n}
	})
}

func (s *server) unassign(kind keystore.Assignee) func(http.ResponseWriter, *http.Request, *identity.Key) error {
	return s.changeAssignments(kind, s.Identity.Store.Unassign, func(n int) any {
		return struct {
			N int `json:"unassigned_count"`
		}{n}
	})
}

// changeOf changes who of a kind is held to the guardrail with an id, and returns how
// many that was.
type changeOf func(ctx context.Context, by keystore.Actor, id string, kind keystore.Assignee, of []string) (int, error)

func (s *server) changeAssignments(kind keystore.Assignee, change changeOf, answer func(n int) any) func(http.ResponseWriter, *http.Request, *identity.Key) error {
	return func(w http.ResponseWriter, r *http.Request, by *identity.Key) error {
		of, err := assignees(r, kind)
		if err != nil {
			return err
		}
		n, err := change(r.Context(), actor(by), r.PathValue("id"), kind, of)
		if err != nil {
			return err
		}
		s.refresh(r)
		reply(w, http.StatusOK, answer(n))
		return nil
	}
}
