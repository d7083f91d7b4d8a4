package byok

import (
	"cmp"
	"errors"
	"fmt"
	"slices"

	"github.com/switchyard/switchyard/policies/catalog"
	"github.com/switchyard/switchyard/policies/identity"
	"github.com/switchyard/switchyard/policies/routing"
)

// Set is the keys that can be used, at one time and with one catalog. It never changes,
// so any number of goroutines may use it, and nil is an empty one.
type Set struct{ byOrganization map[string][]usable }

type usable struct {
	key Key
	own routing.OwnKey
}

// NewSet leaves out keys of providers that the catalog does not have, and keys that do
// not reach theirs any more, since it was moved; the error names those.
func NewSet(keys []Key, models *catalog.Catalog) (*Set, error) {
	s := &Set{byOrganization: make(map[string][]usable)}
	var failures []error
	for _, key := range keys {
		provider, ok := models.Provider(key.Provider)
		if !ok {
			continue
		}
		credential, _ := key.Credential.Reveal()
		reached, err := Reach(provider, credential)
		if err != nil {
			failures = append(failures, fmt.Errorf("own key %s of %s: %w", key.ID, key.Provider, err))
			continue
		}
		s.byOrganization[key.Organization] = append(s.byOrganization[key.Organization], usable{key, routing.OwnKey{
			ID: key.ID, Name: cmp.Or(key.Name, key.ID), Provider: reached.Provider,
			Fallback: key.Fallback, Exclusive: key.Exclusive, Required: key.Required, Retains: key.Retains, Models: key.Models,
		}})
	}
	for _, own := range s.byOrganization {
		slices.SortFunc(own, func(a, b usable) int {
			return cmp.Or(cmp.Compare(a.key.Order, b.key.Order), a.key.Created.Compare(b.key.Created), cmp.Compare(a.key.ID, b.key.ID))
		})
	}
	return s, errors.Join(failures...)
}

// For returns the keys that a caller may use, in the order in which they are tried.
func (s *Set) For(caller *identity.Key) []*routing.OwnKey {
	if s == nil {
		return nil
	}
	all := s.byOrganization[caller.Organization]
	var own []*routing.OwnKey
	for i := range all {
		if all[i].key.admits(caller) {
			own = append(own, &all[i].own)
		}
	}
	return own
}

// Providers are the providers as they are reached with the keys, by the key's id.
func (s *Set) Providers() map[string]*catalog.Provider {
	providers := make(map[string]*catalog.Provider)
	for _, own := range s.byOrganization {
		for i := range own {
			providers[own[i].key.ID] = own[i].own.Provider
		}
	}
	return providers
}
