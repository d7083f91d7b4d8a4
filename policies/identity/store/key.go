package store

import (
	"database/sql"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/switchyard/switchyard/policies/identity"
	"github.com/switchyard/switchyard/policies/money"
)

// Key is a managed key. It is a value; the audit log keeps it as JSON, so that it holds
// no secret, and has the API's names.
type Key struct {
	// Hash is the SHA-256 of the key as it was made. It stays when the key is rotated.
	Hash string `json:"hash"`
	Name string `json:"name"`
	// Label is what may be shown of the key, the newest secret of it.
	Label string `json:"label"`
	// Role is that of a management key, "" of one for inference.
	Role     identity.Role `json:"role,omitempty"`
	Disabled bool          `json:"disabled"`
	// Limit is the most that may be spent in each period that Reset ends; nil is no
	// limit.
	Limit *money.USD     `json:"limit"`
	Reset identity.Reset `json:"limit_reset"`
	// IncludeBYOK counts what own keys of providers spent towards the limit.
	IncludeBYOK bool `json:"include_byok_in_limit"`
	// StoreContent: what is said with the key is kept, and not counts alone.
	StoreContent bool `json:"store_content,omitzero"`
	// Creator is the member whose key it is, "" if nobody's.
	Creator string `json:"creator_user_id,omitempty"`
	// Workspace is the id of the one that the key is in.
	Workspace string `json:"workspace_id"`
	// AllowedModels and AllowedProviders are what the key may ask for, AllowedIPs where it
	// may be used from: addresses and networks. Nil is no bound.
	AllowedModels    []string `json:"allowed_models,omitempty"`
	AllowedProviders []string `json:"allowed_providers,omitempty"`
	AllowedIPs       []string `json:"allowed_ips,omitempty"`
	// Created and Updated are to the microsecond. ExpiresAt is zero for never.
	Created   time.Time `json:"created_at"`
	Updated   time.Time `json:"updated_at"`
	ExpiresAt time.Time `json:"expires_at,omitzero"`
	// Limited is when the limit was last set otherwise than in its amount, Joined when the
	// key came into its workspace; zero if that was not since it was made.
	Limited time.Time `json:"-"`
	Joined  time.Time `json:"-"`
}

const keyColumns = `hash, name, label, role, disabled, spend_limit, limit_reset, include_byok, store_content, creator, workspace_id, models, providers, ips, created, updated, expires, limited, joined`

// row is what keyColumns hold.
type row struct {
	limit                                      sql.Null[int64]
	reset                                      string
	models, providers, ips                     string
	created, updated, expires, limited, joined int64
}

func (r *row) fields(k *Key) []any {
	return []any{&k.Hash, &k.Name, &k.Label, &k.Role, &k.Disabled, &r.limit, &r.reset, &k.IncludeBYOK, &k.StoreContent, &k.Creator, &k.Workspace, &r.models, &r.providers, &r.ips, &r.created, &r.updated, &r.expires, &r.limited, &r.joined}
}

// fill reads into k what fields could not.
func (r *row) fill(k *Key) error {
	var err error
	if k.Reset, err = identity.ParseReset(r.reset); err != nil {
		return err
	}
	if r.limit.Valid {
		k.Limit = new(money.USD(r.limit.V))
	}
	for text, into := range map[*string]*[]string{&r.models: &k.AllowedModels, &r.providers: &k.AllowedProviders, &r.ips: &k.AllowedIPs} {
		if err := json.Unmarshal([]byte(*text), into); err != nil {
			return err
		}
	}
	k.Created, k.Updated, k.ExpiresAt, k.Limited, k.Joined = instant(r.created), instant(r.updated), instant(r.expires), instant(r.limited), instant(r.joined)
	return nil
}

// values are what keyColumns shall hold.
func (k *Key) values() []any {
	var limit sql.Null[int64]
	if k.Limit != nil {
		limit = sql.Null[int64]{V: int64(*k.Limit), Valid: true}
	}
	return []any{k.Hash, k.Name, k.Label, string(k.Role), k.Disabled, limit, k.Reset.String(), k.IncludeBYOK, k.StoreContent, k.Creator, k.Workspace, listed(k.AllowedModels), listed(k.AllowedProviders), listed(k.AllowedIPs), micros(k.Created), micros(k.Updated), micros(k.ExpiresAt), micros(k.Limited), micros(k.Joined)}
}

// listed is a list as JSON, null if it is empty.
func listed(entries []string) string {
	if len(entries) == 0 {
		return "null"
	}
	text, err := json.Marshal(entries, jsontext.AllowInvalidUTF8(true))
	if err != nil {
		panic(err) // strings always marshal
	}
	return string(text)
}

// sameLimit reports whether what was counted for the limit of a key counts for it as it is
// now: nothing was spent that was not.
func (k *Key) sameLimit(before *Key) bool {
	return (k.Limit == nil) == (before.Limit == nil) && k.Reset == before.Reset && k.IncludeBYOK == before.IncludeBYOK
}

// known is what the data path sees of the key, by one of its secrets.
func (k *Key) known(in *Workspace, secretExpires time.Time) (*identity.Key, error) {
	key := &identity.Key{
		Managed: true, Name: k.Name, Hash: k.Hash, Role: k.Role, Organization: in.Organization, Workspace: in.ID,
		DefaultModel: in.DefaultTextModel, DefaultSort: in.DefaultSort, Disabled: k.Disabled, ExpiresAt: k.ExpiresAt,
		AllowedModels: k.AllowedModels, AllowedProviders: k.AllowedProviders, Creator: k.Creator, StoreContent: k.StoreContent, Joined: k.Joined,
	}
	for _, text := range k.AllowedIPs {
		network, err := identity.ParseNetwork(text)
		if err != nil {
			return nil, err
		}
		key.Networks = append(key.Networks, network)
	}
	if !secretExpires.IsZero() && (key.ExpiresAt.IsZero() || secretExpires.Before(key.ExpiresAt)) {
		key.ExpiresAt = secretExpires
	}
	if k.Limit != nil {
		key.Budget = identity.Budget{Amount: *k.Limit, Reset: k.Reset, IncludeBYOK: k.IncludeBYOK, Since: k.Limited}
	}
	return key, nil
}

func micros(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMicro()
}

func instant(micros int64) time.Time {
	if micros == 0 {
		return time.Time{}
	}
	return time.UnixMicro(micros).UTC()
}
