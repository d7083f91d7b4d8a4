package main

import (
	"fmt"

	"github.com/switchyard/switchyard/extproc/signing"
	"github.com/switchyard/switchyard/policies/catalog"
	"github.com/switchyard/switchyard/policies/config/configpb"
)

// newSigners makes those of the providers that want more than a key.
func newSigners(providers []*catalog.Provider) (map[string]signing.Signer, error) {
	signers := make(map[string]signing.Signer)
	for _, provider := range providers {
		signer, err := newSigner(provider)
		if err != nil {
			return nil, fmt.Errorf("providers[%q]: %w", provider.Slug, err)
		}
		if signer != nil {
			signers[provider.Slug] = signer
		}
	}
	return signers, nil
}

// newSigner returns nil if the provider's key is enough.
func newSigner(provider *catalog.Provider) (signing.Signer, error) {
	switch provider.Authentication {
	case configpb.Authentication_AUTHENTICATION_UNSPECIFIED, configpb.Authentication_AUTHENTICATION_KEY:
		return nil, nil
	}
	return nil, fmt.Errorf("authentication: %v is not known", provider.Authentication)
}
