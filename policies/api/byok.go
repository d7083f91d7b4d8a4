package api

import (
	"errors"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/switchyard/switchyard/policies/byok"
	"github.com/switchyard/switchyard/policies/catalog"
	"github.com/switchyard/switchyard/policies/identity"
	keystore "github.com/switchyard/switchyard/policies/identity/store"
)

// wireOwnKey is a customer's own key of a provider as clients get it (spec section 10);
// the members are those of OpenRouter's SDKs. What a provider takes of it is not among
// them (row 188).
type wireOwnKey struct {
	ID             string    `json:"id"`
	Provider       string    `json:"provider"`
	Name           *string   `json:"name"`
	Label          string    `json:"label"`
	WorkspaceID    *string   `json:"workspace_id"` // null for all
	Disabled       bool      `json:"disabled"`
	IsFallback     bool      `json:"is_fallback"`
	IsExclusive    bool      `json:"is_byok_only"`
	IsRequired     bool      `json:"is_required"`
	DeclaredZDR    *bool     `json:"declared_zdr"`
	DeclaredRegion *string   `json:"declared_region"` // there are no regional hosts here
	SortOrder      int64     `json:"sort_order"`
	Models         *[]string `json:"allowed_models"` // null for all
	KeyHashes      *[]string `json:"allowed_api_key_hashes"`
	Users          *[]string `json:"allowed_user_ids"`
	CreatedAt      time.Time `json:"created_at"`
}

func newOwnKey(from byok.Key) wireOwnKey {
	wire := wireOwnKey{
		ID: from.ID, Provider: from.Provider, Name: stated(from.Name), Label: from.Label, WorkspaceID: stated(from.Workspace),
		Disabled: from.Disabled, IsFallback: from.Fallback, IsExclusive: from.Exclusive, IsRequired: from.Required, SortOrder: from.Order,
		Models: listed(from.Models), KeyHashes: listed(from.KeyHashes), Users: listed(from.Users), CreatedAt: from.Created,
	}
	if from.Retains {
		wire.DeclaredZDR = new(false)
	}
	return wire
}

// listed is a list as clients get it, null if there is none.
func listed(list []string) *[]string {
	if list == nil {
		return nil
	}
	return &list
}

// routeOwnKeys adds the routes of customers' own keys under a base path.
func (s *server) routeOwnKeys(mux *http.ServeMux, base string) {
	mux.HandleFunc("GET "+base+"/byok", s.managing(identity.ReadOwnKeys, s.listOwnKeys))
	mux.HandleFunc("POST "+base+"/byok", s.managing(identity.WriteOwnKeys, s.createOwnKey))
	mux.HandleFunc("GET "+base+"/byok/{id}", s.managing(identity.ReadOwnKeys, s.showOwnKey))
	mux.HandleFunc("PATCH "+base+"/byok/{id}", s.managing(identity.WriteOwnKeys, s.updateOwnKey))
	mux.HandleFunc("DELETE "+base+"/byok/{id}", s.managing(identity.WriteOwnKeys, s.deleteOwnKey))
	mux.HandleFunc("POST "+base+"/byok/reseal", s.managing(identity.WriteOwnKeys, s.resealOwnKeys))
}

// ownKeyMembers are those of a request that makes or changes an own key. Nil is a member
// that is not there; a value may be null. To say the order is the gateway's own.
type ownKeyMembers struct {
	Provider       *string        `json:"provider"`
	Key            *string        `json:"key"`
	Name           jsontext.Value `json:"name"`
	WorkspaceID    jsontext.Value `json:"workspace_id"`
	Disabled       *bool          `json:"disabled"`
	IsFallback     *bool          `json:"is_fallback"`
	IsExclusive    *bool          `json:"is_byok_only"`
	IsRequired     *bool          `json:"is_required"`
	DeclaredZDR    jsontext.Value `json:"declared_zdr"`
	DeclaredRegion jsontext.Value `json:"declared_region"`
	SortOrder      *int64         `json:"sort_order"`
	Models         jsontext.Value `json:"allowed_models"`
	KeyHashes      jsontext.Value `json:"allowed_api_key_hashes"`
	Users          jsontext.Value `json:"allowed_user_ids"`
}

// largestOrder is more than anyone has keys.
const largestOrder = 1_000_000

var keyHashes = regexp.MustCompile(`^[0-9a-f]{64}$`)

// applyOwnKey changes k as the members of a request say.
func (s *server) applyOwnKey(r *http.Request, by *identity.Key, m *ownKeyMembers, k *byok.Key) error {
	for _, flag := range []struct{ value, into *bool }{
		{m.Disabled, &k.Disabled}, {m.IsFallback, &k.Fallback}, {m.IsExclusive, &k.Exclusive}, {m.IsRequired, &k.Required},
	} {
		if flag.value != nil {
			*flag.into = *flag.value
		}
	}
	if k.Fallback && k.Exclusive {
		return badRequest("is_fallback and is_byok_only cannot be combined.")
	}
	if m.SortOrder != nil {
		if k.Order = *m.SortOrder; k.Order < 0 || k.Order > largestOrder {
			return badRequest("sort_order must be from 0 to %d.", largestOrder)
		}
	}
	if m.Name != nil {
		name, err := textOrNull(m.Name, maxName)
		if err != nil {
			return badRequest("name: %v.", err)
		}
		k.Name = strings.TrimSpace(name)
	}
	if err := m.declare(k); err != nil {
		return err
	}
	if m.Key != nil {
		if err := s.applyCredential(*m.Key, k); err != nil {
			return err
		}
	}
	for _, list := range []struct {
		name  string
		value jsontext.Value
		into  *[]string
		check func(entries []string) error
	}{
		{"allowed_models", m.Models, &k.Models, func([]string) error { return nil }},
		{"allowed_api_key_hashes", m.KeyHashes, &k.KeyHashes, func(hashes []string) error { return s.checkHashes(r, by, hashes) }},
		{"allowed_user_ids", m.Users, &k.Users, func(users []string) error { return s.checkUsers(r, by, users) }},
	} {
		if list.value == nil {
			continue
		}
		entries, err := listOrNull(list.value)
		if err == nil {
			err = list.check(entries)
		}
		var told *refusal
		if errors.As(err, &told) {
			return badRequest("%s: %v.", list.name, told)
		}
		if err != nil {
			return err
		}
		*list.into = entries
	}
	return nil
}

// declare reads what a customer says of the account. A stricter policy is kept; a laxer
// one would go round the policies of the gateway.
func (m *ownKeyMembers) declare(k *byok.Key) error {
	if m.DeclaredZDR != nil {
		switch string(m.DeclaredZDR) {
		case "null":
			k.Retains = false
		case "false":
			k.Retains = true
		default:
			return badRequest("declared_zdr must be false or null: an own key is not used where the policies of the gateway would not let its endpoint be.")
		}
	}
	if region := string(m.DeclaredRegion); m.DeclaredRegion != nil && region != "null" && region != `"global"` {
		return badRequest("declared_region must be global or null: the gateway has no regional hosts.")
	}
	return nil
}

// applyCredential takes a credential as far as the provider can be reached with it.
func (s *server) applyCredential(text string, k *byok.Key) error {
	provider, ok := s.Catalog().Provider(k.Provider)
	if !ok {
		return badRequest("provider: %q is not a provider of this gateway; GET /providers lists them.", k.Provider)
	}
	check := s.Identity.CheckOwnKey
	if check == nil {
		check = func(provider *catalog.Provider, key string) (string, error) {
			reached, err := byok.Reach(provider, key)
			return reached.Label, err
		}
	}
	label, err := check(provider, text)
	if err != nil {
		return badRequest("key: %v.", err)
	}
	k.Label, k.Credential = label, catalog.NewCredential(strings.TrimSpace(text))
	return nil
}

// checkHashes refuses hashes that are none of the organisation's inference keys.
func (s *server) checkHashes(r *http.Request, by *identity.Key, hashes []string) error {
	for _, hash := range hashes {
		if !keyHashes.MatchString(hash) {
			return badRequest("a hash has 64 lower-case hex digits")
		}
		if key, ok := s.Keys().ByHash(hash); ok && key.Organization == by.Organization {
			continue
		}
		switch _, err := s.Identity.Store.Key(r.Context(), by.Organization, hash); {
		case errors.Is(err, keystore.ErrNone):
			return badRequest("%s is not the hash of a key of your organization; GET /keys lists them", hash)
		case err != nil:
			return err
		}
	}
	return nil
}

// checkUsers refuses ids that are none of the organisation's members.
func (s *server) checkUsers(r *http.Request, by *identity.Key, users []string) error {
	if len(users) == 0 {
		return nil
	}
	members, err := s.Identity.Store.Members(r.Context(), by.Organization)
	if err != nil {
		return err
	}
	for _, user := range users {
		if !slices.ContainsFunc(members, func(m keystore.Member) bool { return m.ID == user }) {
			return badRequest("%q is not a member of your organization; GET /organization/members lists them", user)
		}
	}
	return nil
}

// createOwnKey makes an own key, of the default workspace unless the request names
// another, or null for all.
func (s *server) createOwnKey(w http.ResponseWriter, r *http.Request, by *identity.Key) error {
	var members ownKeyMembers
	if err := readBody(r, &members); err != nil {
		return err
	}
	switch {
	case members.Provider == nil:
		return missing("provider")
	case members.Key == nil:
		return missing("key")
	}
	wanted := byok.Key{Provider: *members.Provider, Workspace: keystore.DefaultWorkspace(by.Organization), Order: -1}
	if members.WorkspaceID != nil {
		var err error
		if wanted.Workspace, err = textOrNull(members.WorkspaceID, maxName); err != nil {
			return badRequest("workspace_id: %v.", err)
		}
	}
	if err := s.applyOwnKey(r, by, &members, &wanted); err != nil {
		return err
	}
	created, err := s.Identity.Store.CreateOwnKey(r.Context(), actor(by), wanted)
	if err != nil {
		return err
	}
	s.refresh(r)
	reply(w, http.StatusCreated, data[wireOwnKey]{newOwnKey(created)})
	return nil
}

// listOwnKeys lists what a workspace may use, the default one unless the request names
// another.
func (s *server) listOwnKeys(w http.ResponseWriter, r *http.Request, by *identity.Key) error {
	workspace := keystore.DefaultWorkspace(by.Organization)
	if named := r.URL.Query().Get("workspace_id"); named != "" {
		found, err := s.Identity.Store.Workspace(r.Context(), by.Organization, named)
		if err != nil {
			return err
		}
		workspace = found.ID
	}
	all, err := s.Identity.Store.OwnKeys(r.Context(), by.Organization, workspace, r.URL.Query().Get("provider"))
	if err == nil {
		replyPage(w, r, all, newOwnKey)
	}
	return err
}

func (s *server) showOwnKey(w http.ResponseWriter, r *http.Request, by *identity.Key) error {
	found, err := s.Identity.Store.OwnKey(r.Context(), by.Organization, r.PathValue("id"))
	if err == nil {
		reply(w, http.StatusOK, data[wireOwnKey]{newOwnKey(found)})
	}
	return err
}

// updateOwnKey changes what the request names; with key it replaces the credential.
func (s *server) updateOwnKey(w http.ResponseWriter, r *http.Request, by *identity.Key) error {
	var members ownKeyMembers
	if err := readBody(r, &members); err != nil {
		return err
	}
	if members.Provider != nil || members.WorkspaceID != nil {
		return badRequest("provider and workspace_id of an own key do not change: leave them out, or make another key.")
	}
	// What is asked of the database is asked before the change, which holds it.
	var checked byok.Key
	before, err := s.Identity.Store.OwnKey(r.Context(), by.Organization, r.PathValue("id"))
	if err != nil {
		return err
	}
	checked.Provider = before.Provider
	lists := ownKeyMembers{Key: members.Key, Models: members.Models, KeyHashes: members.KeyHashes, Users: members.Users}
	if err := s.applyOwnKey(r, by, &lists, &checked); err != nil {
		return err
	}
	members.Key, members.Models, members.KeyHashes, members.Users = nil, nil, nil, nil
	updated, err := s.Identity.Store.UpdateOwnKey(r.Context(), actor(by), before.ID, func(k *byok.Key) error {
		for _, list := range []struct {
			given jsontext.Value
			from  []string
			into  *[]string
		}{{lists.Models, checked.Models, &k.Models}, {lists.KeyHashes, checked.KeyHashes, &k.KeyHashes}, {lists.Users, checked.Users, &k.Users}} {
			if list.given != nil {
				*list.into = list.from
			}
		}
		if lists.Key != nil {
			k.Label, k.Credential = checked.Label, checked.Credential
		}
		return s.applyOwnKey(r, by, &members, k)
	})
	if err != nil {
		return err
	}
	s.refresh(r)
	reply(w, http.StatusOK, data[wireOwnKey]{newOwnKey(updated)})
	return nil
}

func (s *server) deleteOwnKey(w http.ResponseWriter, r *http.Request, by *identity.Key) error {
	if err := s.Identity.Store.DeleteOwnKey(r.Context(), actor(by), r.PathValue("id")); err != nil {
		return err
	}
	s.refresh(r)
	replyDeleted(w)
	return nil
}

// resealOwnKeys is the gateway's own: it encrypts anew, in all organisations, what the
// previous encryption key did.
func (s *server) resealOwnKeys(w http.ResponseWriter, r *http.Request, by *identity.Key) error {
	if err := asOperator(by); err != nil {
		return err
	}
	resealed, err := s.Identity.Store.ResealOwnKeys(r.Context(), actor(by))
	if err != nil {
		return err
	}
	reply(w, http.StatusOK, struct {
		Resealed int `json:"resealed"`
	}{resealed})
	return nil
}
