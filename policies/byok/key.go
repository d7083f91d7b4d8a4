// Package byok is about customers' own keys of providers (spec section 10): how they are
// kept, who may use them, how a provider is reached with one, and what that costs.
package byok

import (
	"slices"
	"time"

	"github.com/switchyard/switchyard/policies/catalog"
	"github.com/switchyard/switchyard/policies/identity"
)

// Key is a customer's own key of a provider. It is a value; the audit log keeps it as
// JSON, so that what is secret of it is not in that.
type Key struct {
	ID string `json:"id"`
	// Organization is whose key it is, Workspace the only one that may use it, "" for all
	// of the organisation's.
	Organization string `json:"organization_id"`
	Workspace    string `json:"workspace_id,omitempty"`
	// Provider is a slug.
	Provider string `json:"provider"`
	Name     string `json:"name,omitempty"`
	// Label is what may be shown of the credential.
	Label    string `json:"label"`
	Disabled bool   `json:"disabled"`
	// Fallback keys are tried after the gateway's own; the others before.
	Fallback bool `json:"is_fallback"`
	// Exclusive keys take the provider's shared endpoints out of every plan of whoever may
	// use the key, Required ones out of those for the models that the key may be used for.
	Exclusive bool `json:"is_byok_only"`
	Required  bool `json:"is_required"`
	// Retains: the account may retain data, whatever the provider promises the gateway.
	Retains bool `json:"-"` // declared_zdr says the contrary
	// Order is the place among the keys of the provider, the lowest first.
	Order int64 `json:"sort_order"`
	// Models, KeyHashes and Users bound what the key is used for, and by whom; nil is no
	// bound. Models may be patterns, users are members.
	Models    []string `json:"allowed_models,omitempty"`
	KeyHashes []string `json:"allowed_api_key_hashes,omitempty"`
	Users     []string `json:"allowed_user_ids,omitempty"`
	// Creator is the hash of the management key that made it.
	Creator string    `json:"created_by"`
	Created time.Time `json:"created_at"`
	Updated time.Time `json:"updated_at"`

	// Credential is what the customer gave, for the data path alone.
	Credential catalog.Credential `json:"-"`
}

// admits reports whether a caller of the organisation may use the key, whatever is asked
// for.
func (k *Key) admits(caller *identity.Key) bool {
	return !k.Disabled &&
		(k.Workspace == "" || k.Workspace == caller.Workspace) &&
		(k.KeyHashes == nil || slices.Contains(k.KeyHashes, caller.Hash)) &&
		(k.Users == nil || caller.Creator != "" && slices.Contains(k.Users, caller.Creator))
}
