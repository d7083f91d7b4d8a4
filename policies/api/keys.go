package api

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/switchyard/switchyard/policies/identity"
	keystore "github.com/switchyard/switchyard/policies/identity/store"
	"github.com/switchyard/switchyard/policies/money"
	"github.com/switchyard/switchyard/policies/usage/store"
)

const (
	// keyPage is how many keys a page of GET /keys has.
	keyPage = 100
	maxName = 100
	// maxList and maxEntry bound what a key may be held to.
	maxList  = 100
	maxEntry = 200
	// defaultOverlap is how long the old secret of a rotated key is good, maxOverlap
	// how long it may be.
	defaultOverlap = 24 * time.Hour
	maxOverlap     = 30 * 24 * time.Hour
)

// wireKey is a managed key as clients get it (spec section 1.3). Role is the gateway's
// own, null for an inference key, and so are the lists, which are left out for all.
type wireKey struct {
	Hash           string     `json:"hash"`
	Label          string     `json:"label"`
	Name           string     `json:"name"`
	Role           *string    `json:"role"`
	Disabled       bool       `json:"disabled"`
	Limit          *money.USD `json:"limit"`
	LimitRemaining *money.USD `json:"limit_remaining"`
	LimitReset     *string    `json:"limit_reset"`
	IncludeBYOK    bool       `json:"include_byok_in_limit"`
	keyUsage
	CreatedAt    time.Time  `json:"created_at"`
	UpdatedAt    time.Time  `json:"updated_at"`
	ExpiresAt    *time.Time `json:"expires_at"`
	LastUsedAt   *time.Time `json:"last_used_at"`
	Creator      *string    `json:"creator_user_id"`
	External     *string    `json:"external_user"`
	WorkspaceID  string     `json:"workspace_id"`
	StoreContent bool       `json:"store_content"` // the gateway's own
	Models       []string   `json:"allowed_models,omitempty"`
	Providers    []string   `json:"allowed_providers,omitempty"`
	IPs          []string   `json:"allowed_ips,omitempty"`
}

// secretKey is a key with what authenticates as it, which is shown this once.
type secretKey struct {
	Data wireKey `json:"data"`
	Key  string  `json:"key"`
}

// routeKeys adds the routes of managed keys under a base path.
func (s *server) routeKeys(mux *http.ServeMux, base string) {
	mux.HandleFunc("GET "+base+"/keys", s.managing(identity.ReadKeys, s.listKeys))
	mux.HandleFunc("POST "+base+"/keys", s.managing(identity.WriteKeys, s.createKey))
	mux.HandleFunc("GET "+base+"/keys/{hash}", s.managing(identity.ReadKeys, s.showKey))
	mux.HandleFunc("PATCH "+base+"/keys/{hash}", s.managing(identity.WriteKeys, s.updateKey))
	mux.HandleFunc("DELETE "+base+"/keys/{hash}", s.managing(identity.WriteKeys, s.deleteKey))
	mux.HandleFunc("POST "+base+"/keys/{hash}/rotate", s.managing(identity.WriteKeys, s.rotateKey))
	mux.HandleFunc("GET "+base+"/audit", s.managing(identity.ReadAudit, s.audit))
}

// mayChange refuses to change a management key that is above who asks.
func mayChange(by *identity.Key, role identity.Role) error {
	if role != "" && !(by.Role.May(identity.WriteManagementKeys) && by.Role.Reaches(role)) {
		return forbidden("The role %s may not make or change a management key with the role %s: that takes a role which may do at least as much.", by.Role, role)
	}
	return nil
}

// keyMembers are those of a request that makes or changes a key. Nil is a member that is
// not there; a value may be null.
type keyMembers struct {
	Name         *string        `json:"name"`
	Role         *identity.Role `json:"role"`
	Disabled     *bool          `json:"disabled"`
	Limit        jsontext.Value `json:"limit"`
	LimitReset   jsontext.Value `json:"limit_reset"`
	IncludeBYOK  *bool          `json:"include_byok_in_limit"`
	ExpiresAt    jsontext.Value `json:"expires_at"`
	Creator      jsontext.Value `json:"creator_user_id"`
	WorkspaceID  *string        `json:"workspace_id"`
	StoreContent *bool          `json:"store_content"`
	Models       jsontext.Value `json:"allowed_models"`
	Providers    jsontext.Value `json:"allowed_providers"`
	IPs          jsontext.Value `json:"allowed_ips"`
}

// applyKey changes k as the members of a request say.
func (s *server) applyKey(m *keyMembers, k *keystore.Key, now time.Time) error {
	if err := m.apply(k, now); err != nil {
		return err
	}
	for _, list := range []struct {
		name  string
		value jsontext.Value
		into  *[]string
		check func(entry string) error
	}{
		{"allowed_models", m.Models, &k.AllowedModels, nil},
		{"allowed_providers", m.Providers, &k.AllowedProviders, s.checkProvider},
		{"allowed_ips", m.IPs, &k.AllowedIPs, func(entry string) error { _, err := identity.ParseNetwork(entry); return err }},
	} {
		if list.value == nil {
			continue
		}
		entries, err := readList(list.name, list.value, list.check)
		if err != nil {
			return err
		}
		*list.into = entries
	}
	return nil
}

// readList reads a list of names, or null as nil. check, which may be nil, tells what is
// wrong with one.
func readList(name string, value jsontext.Value, check func(entry string) error) ([]string, error) {
	entries, err := listOrNull(value)
	for i := 0; i < len(entries) && err == nil && check != nil; i++ {
		err = check(entries[i])
	}
	if err != nil {
		return nil, badRequest("%s: %v.", name, err)
	}
	return entries, nil
}

// checkProvider refuses what names no provider, by slug, tag or name: a key that nobody
// may serve is a mistake.
func (s *server) checkProvider(named string) error {
	slug, _, _ := strings.Cut(named, "/")
	for _, provider := range s.Catalog().Providers() {
		if provider.Slug == slug || strings.EqualFold(provider.Name, named) {
			return nil
		}
	}
	return badRequest("%q is not a provider of this gateway; GET /providers lists them", named)
}

// apply changes k as the members say that need no catalog.
func (m *keyMembers) apply(k *keystore.Key, now time.Time) error {
	if m.Name != nil {
		var err error
		if k.Name, err = readName(*m.Name); err != nil {
			return err
		}
	}
	if m.Disabled != nil {
		k.Disabled = *m.Disabled
	}
	if m.WorkspaceID != nil {
		if k.Workspace = *m.WorkspaceID; k.Workspace == "" {
			return badRequest("workspace_id must be the id or the slug of a workspace.")
		}
	}
	if m.IncludeBYOK != nil {
		k.IncludeBYOK = *m.IncludeBYOK
	}
	if m.StoreContent != nil {
		k.StoreContent = *m.StoreContent
	}
	if m.Limit != nil {
		k.Limit = nil
		if m.Limit.Kind() != 'n' {
			amount, err := readBudget("limit", m.Limit, "For no limit say null; to stop a key, disable it.")
			if err != nil {
				return err
			}
			k.Limit = &amount
		}
	}
	for _, member := range []struct {
		name  string
		value jsontext.Value
		read  func(text string) error
	}{
		{"limit_reset", m.LimitReset, func(text string) (err error) { k.Reset, err = readReset(text); return err }},
		{"expires_at", m.ExpiresAt, func(text string) (err error) {
			if k.ExpiresAt, err = identity.ParseExpiry(text); err == nil && text != "" && !k.ExpiresAt.After(now) {
				return badRequest("%q is in the past", text)
			}
			return err
		}},
		{"creator_user_id", m.Creator, func(text string) error { k.Creator = text; return nil }},
	} {
		if member.value == nil {
			continue
		}
		text, err := textOrNull(member.value, maxName)
		if err == nil {
			err = member.read(text)
		}
		if err != nil {
			return badRequest("%s: %v.", member.name, err)
		}
	}
	return nil
}

// readReset reads the name of a reset; "" is null.
func readReset(text string) (identity.Reset, error) {
	reset, err := identity.ParseReset(text)
	if err != nil {
		err = badRequest("%v, and null, for never", err)
	}
	return reset, err
}

// createKey is row 160. A key whose user is not named is of the member who makes it: what
// they are held to holds for it.
func (s *server) createKey(w http.ResponseWriter, r *http.Request, by *identity.Key) error {
	var members keyMembers
	if err := readBody(r, &members); err != nil {
		return err
	}
	k := keystore.Key{Creator: by.Creator}
	if members.Name == nil {
		return missing("name")
	}
	if members.Role != nil {
		k.Role = *members.Role
		if !slices.Contains(identity.Roles(), k.Role) {
			return badRequest("role: %q is not one of %s; leave it out for an inference key.", k.Role, roleNames(identity.Roles()))
		}
		if err := mayChange(by, k.Role); err != nil {
			return err
		}
	}
	if err := s.applyKey(&members, &k, time.Now()); err != nil {
		return err
	}
	plaintext, _ := identity.NewKey()
	created, err := s.Identity.Store.Create(r.Context(), actor(by), k, plaintext)
	if err != nil {
		return err
	}
	s.refresh(r)
	reply(w, http.StatusCreated, secretKey{newKey(&created, store.Spending{}), plaintext})
	return nil
}

// readName reads the name of a key or an organisation.
func readName(text string) (string, error) {
	name := strings.TrimSpace(text)
	if name == "" || utf8.RuneCountInString(name) > maxName {
		return "", badRequest("name must have from 1 to %d characters.", maxName)
	}
	return name, nil
}

func (s *server) listKeys(w http.ResponseWriter, r *http.Request, by *identity.Key) error {
	query := parser{values: r.URL.Query()}
	page := keystore.Page{Offset: query.whole("offset", 0, 0, 1<<31), Limit: keyPage, Disabled: query.truth("include_disabled")}
	if err := query.err(); err != nil {
		return badRequest("%v", err)
	}
	if named := query.values.Get("workspace_id"); named != "" {
		in, err := s.Identity.Store.Workspace(r.Context(), by.Organization, named)
		if err != nil {
			return err
		}
		page.Workspace = in.ID
	}
	keys, err := s.Identity.Store.Keys(r.Context(), by.Organization, page)
	if err != nil {
		return err
	}
	shown, err := s.withSpending(r.Context(), keys)
	if err != nil {
		return err
	}
	reply(w, http.StatusOK, data[[]wireKey]{shown})
	return nil
}

func (s *server) showKey(w http.ResponseWriter, r *http.Request, by *identity.Key) error {
	found, err := s.Identity.Store.Key(r.Context(), by.Organization, r.PathValue("hash"))
	if err != nil {
		return err
	}
	return s.replyKey(w, r, found)
}

func (s *server) replyKey(w http.ResponseWriter, r *http.Request, k keystore.Key) error {
	shown, err := s.withSpending(r.Context(), []keystore.Key{k})
	if err == nil {
		reply(w, http.StatusOK, data[wireKey]{shown[0]})
	}
	return err
}

func (s *server) updateKey(w http.ResponseWriter, r *http.Request, by *identity.Key) error {
	return patch[keyMembers, keystore.Key, keystore.Key]{
		check: func(m *keyMembers) error {
			if m.Role != nil {
				return badRequest("role: a key keeps the role that it was made with; make another key.")
			}
			return nil
		},
		apply: func(m *keyMembers, k *keystore.Key) error {
			if err := mayChange(by, k.Role); err != nil {
				return err
			}
			return s.applyKey(m, k, time.Now())
		},
		update: s.Identity.Store.Update,
		reply:  func(k keystore.Key) error { return s.replyKey(w, r, k) },
	}.serve(s, r, by)
}

// deleteKey is row 167.
func (s *server) deleteKey(w http.ResponseWriter, r *http.Request, by *identity.Key) error {
	refuse := func(k *keystore.Key) error { return mayChange(by, k.Role) }
	if err := s.Identity.Store.Delete(r.Context(), actor(by), r.PathValue("hash"), refuse); err != nil {
		return err
	}
	s.refresh(r)
	replyDeleted(w)
	return nil
}

// rotateKey is the gateway's own: the key gets a new secret, and the old one is good
// for overlap_seconds more. Its hash stays, and what it has used.
func (s *server) rotateKey(w http.ResponseWriter, r *http.Request, by *identity.Key) error {
	request := struct {
		Overlap *int64 `json:"overlap_seconds"`
	}{}
	if r.ContentLength != 0 {
		if err := readBody(r, &request); err != nil {
			return err
		}
	}
	overlap := defaultOverlap
	if request.Overlap != nil {
		if most := int64(maxOverlap / time.Second); *request.Overlap < 0 || *request.Overlap > most {
			return badRequest("overlap_seconds must be from 0 to %d.", most)
		}
		overlap = time.Duration(*request.Overlap) * time.Second
	}
	plaintext, _ := identity.NewKey()
	refuse := func(k *keystore.Key) error { return mayChange(by, k.Role) }
	rotated, previous, err := s.Identity.Store.Rotate(r.Context(), actor(by), r.PathValue("hash"), plaintext, overlap, refuse)
	if err != nil {
		return err
	}
	s.refresh(r)
	// The secret exists nowhere else: it is told even if what was used cannot be.
	shown, err := s.withSpending(r.Context(), []keystore.Key{rotated})
	if err != nil {
		s.Logger.Warn("what a key has used cannot be told", "error", err.Error())
		shown = []wireKey{newKey(&rotated, store.Spending{})}
	}
	reply(w, http.StatusOK, struct {
		secretKey
		Previous time.Time `json:"previous_expires_at"`
	}{secretKey{shown[0], plaintext}, previous})
	return nil
}

// withSpending are keys with what they have used.
func (s *server) withSpending(ctx context.Context, keys []keystore.Key) ([]wireKey, error) {
	hashes := make([]string, len(keys))
	for i := range keys {
		hashes[i] = keys[i].Hash
	}
	spending, err := s.Ledger.Spending(ctx, hashes, periods(time.Now()))
	if err != nil {
		return nil, err
	}
	shown := make([]wireKey, len(keys))
	for i := range keys {
		shown[i] = newKey(&keys[i], spending[keys[i].Hash])
	}
	return shown, nil
}

func newKey(from *keystore.Key, spent store.Spending) wireKey {
	wire := wireKey{
		Hash: from.Hash, Label: from.Label, Name: from.Name, Role: stated(string(from.Role)), Disabled: from.Disabled,
		Limit: from.Limit, LimitReset: stated(from.Reset.String()), IncludeBYOK: from.IncludeBYOK,
		keyUsage:  newKeyUsage(spent),
		CreatedAt: from.Created, UpdatedAt: from.Updated, ExpiresAt: stated(from.ExpiresAt), LastUsedAt: stated(spent.Last),
		Creator: stated(from.Creator), WorkspaceID: from.Workspace, StoreContent: from.StoreContent,
		Models: from.AllowedModels, Providers: from.AllowedProviders, IPs: from.AllowedIPs,
	}
	if from.Limit != nil {
		used := spentSince(from.Reset, spent.Spent)
		if from.IncludeBYOK {
			used = used.Add(spentSince(from.Reset, spent.Upstream))
		}
		wire.LimitRemaining = new(max(0, *from.Limit-used))
	}
	return wire
}

// spentSince is what was spent in the period of a reset.
func spentSince(reset identity.Reset, spent store.Spent) money.USD {
	return map[identity.Reset]money.USD{
		identity.ResetNever: spent.Ever, identity.ResetDaily: spent.Day, identity.ResetWeekly: spent.Week, identity.ResetMonthly: spent.Month,
	}[reset]
}
