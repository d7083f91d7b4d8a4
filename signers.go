package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"

	"github.com/switchyard/switchyard/extproc/signing"
	"github.com/switchyard/switchyard/policies/catalog"
	"github.com/switchyard/switchyard/policies/config/configpb"
)

// The accounts keep their tokens and credentials while configurations come and go.
var (
	googleAccounts signing.GoogleAccounts
	awsAccounts    signing.AWSAccounts
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
	case configpb.Authentication_AUTHENTICATION_AWS:
		return newAWSSigner(provider)
	case configpb.Authentication_AUTHENTICATION_GOOGLE:
		key, _ := provider.Credential.Reveal()
		signer, err := googleAccounts.Signer(key)
		if err != nil {
			return nil, fmt.Errorf("credential: %w", err)
		}
		return signer, nil
	}
	return nil, fmt.Errorf("authentication: %v is not known", provider.Authentication)
}

// newAWSSigner signs for Bedrock, the one service of AWS that serves models by the
// dialects that there are.
func newAWSSigner(provider *catalog.Provider) (signing.Signer, error) {
	region := cmp.Or(provider.SigningRegion, signing.AWSRegion(provider.Host))
	if region == "" {
		return nil, errors.New("signing_region: is missing, and the host in base_url names no region; give one such as us-east-1")
	}
	credential, static := provider.Credential.Reveal()
	signer, err := awsAccounts.Signer(context.Background(), signing.AWSOptions{Credential: credential, Region: region, Service: "bedrock"})
	switch {
	case err != nil && static:
		return nil, fmt.Errorf("credential: %w", err)
	case err != nil:
		return nil, fmt.Errorf("authentication: %w", err)
	}
	return signer, nil
}
