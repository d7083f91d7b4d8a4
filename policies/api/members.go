package api

import (
	"net/http"
	"net/mail"
	"slices"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/switchyard/switchyard/policies/identity"
	keystore "github.com/switchyard/switchyard/policies/identity/store"
)

// wireMember is a member as clients get it (spec section 1.5). OpenRouter has two roles;
// GatewayRole is the one that counts here.
type wireMember struct {
	ID          string        `json:"id"`
	Email       string        `json:"email"`
	FirstName   *string       `json:"first_name"`
	LastName    *string       `json:"last_name"`
	Role        string        `json:"role"`
	GatewayRole identity.Role `json:"gateway_role"`
}

func newMember(from keystore.Member) wireMember {
	return wireMember{from.ID, from.Email, stated(from.FirstName), stated(from.LastName), "org:" + twoRoles(from.Role), from.Role}
}

// twoRoles is the one of OpenRouter's two roles that a role is like.
func twoRoles(role identity.Role) string {
	if role.May(identity.WriteMembers) {
		return "admin"
	}
	return "member"
}

// wireMembership is a member of a workspace as clients get it.
type wireMembership struct {
	ID          string    `json:"id"`
	CreatedAt   time.Time `json:"created_at"`
	Role        string    `json:"role"`
	UserID      string    `json:"user_id"`
	WorkspaceID string    `json:"workspace_id"`
}

func newMembership(from keystore.Membership) wireMembership {
	return wireMembership{from.ID, from.Created, twoRoles(from.Role), from.Member, from.Workspace}
}

// routeMembers adds the routes of members under a base path. To add, change and remove
// members of the organisation is the gateway's own.
func (s *server) routeMembers(mux *http.ServeMux, base string) {
	mux.HandleFunc("GET "+base+"/organization/members", s.managing(identity.ReadOrganization, s.listMembers))
	mux.HandleFunc("POST "+base+"/organization/members", s.managing(identity.WriteMembers, s.createMember))
	mux.HandleFunc("PATCH "+base+"/organization/members/{id}", s.managing(identity.WriteMembers, s.updateMember))
	mux.HandleFunc("DELETE "+base+"/organization/members/{id}", s.managing(identity.WriteMembers, s.deleteMember))
	mux.HandleFunc("GET "+base+"/workspaces/{id}/members", s.managing(identity.ReadOrganization, s.listMemberships))
	mux.HandleFunc("POST "+base+"/workspaces/{id}/members/add", s.managing(identity.WriteWorkspaces, s.enroll))
	mux.HandleFunc("POST "+base+"/workspaces/{id}/members/remove", s.managing(identity.WriteWorkspaces, s.expel))
}

// memberMembers are those of a request that adds or changes a member.
type memberMembers struct {
	Email     *string        `json:"email"`
	FirstName jsontext.Value `json:"first_name"`
	LastName  jsontext.Value `json:"last_name"`
	Role      *identity.Role `json:"gateway_role"`
}

func (m *memberMembers) apply(by *identity.Key, member *keystore.Member) error {
	if m.Email != nil {
		address, err := mail.ParseAddress(*m.Email)
		if err != nil || address.Address != *m.Email {
			return badRequest("email must be an address such as ada@example.com.")
		}
		member.Email = *m.Email
	}
	for _, each := range []struct {
		name  string
		value jsontext.Value
		into  *string
	}{{"first_name", m.FirstName, &member.FirstName}, {"last_name", m.LastName, &member.LastName}} {
		if each.value == nil {
			continue
		}
		text, err := textOrNull(each.value, maxName)
		if err != nil {
			return badRequest("%s: %v.", each.name, err)
		}
		*each.into = text
	}
	if m.Role == nil {
		return nil
	}
	if member.Role = *m.Role; !slices.Contains(identity.Roles(), member.Role) {
		return badRequest("gateway_role: %q is not one of %s.", member.Role, roleNames(identity.Roles()))
	}
	return mayChangeMember(by, member)
}

// mayChangeMember refuses to change a member whose role is above who asks.
func mayChangeMember(by *identity.Key, member *keystore.Member) error {
	if !by.Role.Reaches(member.Role) {
		return forbidden("The role %s may not add or change a member with the role %s: that takes a role which may do at least as much.", by.Role, member.Role)
	}
	return nil
}

func (s *server) listMembers(w http.ResponseWriter, r *http.Request, by *identity.Key) error {
	all, err := s.Identity.Store.Members(r.Context(), by.Organization)
	if err == nil {
		replyPage(w, r, all, newMember)
	}
	return err
}

func (s *server) createMember(w http.ResponseWriter, r *http.Request, by *identity.Key) error {
	var members memberMembers
	if err := readBody(r, &members); err != nil {
		return err
	}
	switch {
	case members.Email == nil:
		return missing("email")
	case members.Role == nil:
		return missing("gateway_role")
	}
	var wanted keystore.Member
	if err := members.apply(by, &wanted); err != nil {
		return err
	}
	created, err := s.Identity.Store.CreateMember(r.Context(), actor(by), wanted)
	if err == nil {
		reply(w, http.StatusCreated, data[wireMember]{newMember(created)})
	}
	return err
}

func (s *server) updateMember(w http.ResponseWriter, r *http.Request, by *identity.Key) error {
	return patch[memberMembers, keystore.Member, keystore.Member]{
		apply: func(m *memberMembers, member *keystore.Member) error {
			if err := mayChangeMember(by, member); err != nil {
				return err
			}
			return m.apply(by, member)
		},
		update: s.Identity.Store.UpdateMember,
		reply:  replyWith(w, newMember),
	}.serve(s, r, by)
}

func (s *server) deleteMember(w http.ResponseWriter, r *http.Request, by *identity.Key) error {
	refuse := func(m *keystore.Member) error { return mayChangeMember(by, m) }
	if err := s.Identity.Store.DeleteMember(r.Context(), actor(by), r.PathValue("id"), refuse); err != nil {
		return err
	}
	s.refresh(r)
	replyDeleted(w)
	return nil
}

func (s *server) memberships(r *http.Request, by *identity.Key) ([]keystore.Membership, error) {
	in, err := s.Identity.Store.Workspace(r.Context(), by.Organization, r.PathValue("id"))
	if err != nil {
		return nil, err
	}
	return s.Identity.Store.Memberships(r.Context(), by.Organization, in.ID)
}

func (s *server) listMemberships(w http.ResponseWriter, r *http.Request, by *identity.Key) error {
	all, err := s.memberships(r, by)
	if err == nil {
		replyPage(w, r, all, newMembership)
	}
	return err
}

// userIDs reads who is to be put into a workspace, or taken out.
func userIDs(r *http.Request) ([]string, error) {
	var request struct {
		UserIDs []string `json:"user_ids"`
	}
	err := readBody(r, &request)
	if err == nil && (len(request.UserIDs) == 0 || len(request.UserIDs) > largestManagedPage) {
		err = badRequest("user_ids must have from 1 to %d entries.", largestManagedPage)
	}
	return request.UserIDs, err
}

func (s *server) enroll(w http.ResponseWriter, r *http.Request, by *identity.Key) error {
	ids, err := userIDs(r)
	if err != nil {
		return err
	}
	added, err := s.Identity.Store.Enroll(r.Context(), actor(by), r.PathValue("id"), ids)
	if err != nil {
		return err
	}
	all, err := s.memberships(r, by)
	if err != nil {
		return err
	}
	named := []wireMembership{}
	for _, each := range all {
		if slices.Contains(ids, each.Member) {
			named = append(named, newMembership(each))
		}
	}
	reply(w, http.StatusOK, struct {
		Added int              `json:"added_count"`
		Data  []wireMembership `json:"data"`
	}{added, named})
	return nil
}

func (s *server) expel(w http.ResponseWriter, r *http.Request, by *identity.Key) error {
	ids, err := userIDs(r)
	if err != nil {
		return err
	}
	removed, err := s.Identity.Store.Expel(r.Context(), actor(by), r.PathValue("id"), ids)
	if err != nil {
		return err
	}
	s.refresh(r)
	reply(w, http.StatusOK, struct {
		Removed int `json:"removed_count"`
	}{removed})
	return nil
}
