package main

import (
	"cmp"
	"context"
	"errors"
	"time"

	"github.com/switchyard/switchyard/extproc"
	"github.com/switchyard/switchyard/extproc/signing"
	"github.com/switchyard/switchyard/policies/byok"
	"github.com/switchyard/switchyard/policies/catalog"
	"github.com/switchyard/switchyard/policies/config"
	"github.com/switchyard/switchyard/policies/identity"
)

// ownKeyVault encrypts customers' own keys of providers by the configuration's secret, or
// by one that is made once. It is nil where gateways share a database and were not given
// a secret: each would make another.
func (g *gateway) ownKeyVault() (*byok.Vault, error) {
	effective := g.current.Load().effective
	current, previous, given := effective.ByokSecrets()
	if given {
		return byok.NewVault(current.Reveal(), previous.Reveal()), nil
	}
	if _, shared := effective.LedgerPostgres(); shared {
		return nil, nil
	}
	secret, err := g.stateSecret("byok-secret")
	if err != nil {
		return nil, err
	}
	return byok.NewVault(string(secret), ""), nil
}

// configureOwnKeys encrypts customers' own keys by the secrets of a configuration that has
// come after old. Else `byok reseal` would find nothing to do by those there were, and
// whoever then gave up the previous one would lose the keys.
func (g *gateway) configureOwnKeys(old, next *config.Effective) {
	was, previouslyWas, _ := old.ByokSecrets()
	is, previouslyIs, _ := next.ByokSecrets()
	if was == is && previouslyWas == previouslyIs {
		return
	}
	vault, err := g.ownKeyVault()
	if err != nil {
		g.log.Error("customers' own keys are still encrypted by the secret there was", "error", err.Error())
		return
	}
	g.managed.store.UseVault(vault)
}

// composeOwnKeys puts customers' own keys, as they are known, into a policy. Those that
// reach no provider are left out.
func (g *gateway) composeOwnKeys(policy *extproc.Policy) {
	var err error
	if policy.OwnKeys, err = byok.NewSet(g.managed.ownKeys, policy.Catalog); err != nil {
		g.log.Warn("customers' own keys are left out that do not reach their provider", "error", err.Error())
	}
	policy.OwnKeyFee.Used = g.managed.billed
	policy.OwnSigners = make(map[string]signing.Signer)
	for id, provider := range policy.OwnKeys.Providers() {
		signer, err := newSigner(provider)
		if err != nil { // without one the request fails, and moves on
			g.log.Warn("a customer's own key cannot sign", "id", id, "provider", provider.Slug, "error", err.Error())
		}
		if signer != nil {
			policy.OwnSigners[id] = signer
		}
	}
}

// meterEvery is how often it is looked up what organisations have used of their allowance.
const meterEvery = 10 * time.Second

// meterOwnKeys keeps track of allowances until ctx ends, if there are any. While the
// ledger's database is down, what was known last stays.
func (g *gateway) meterOwnKeys(ctx context.Context) {
	for {
		if tariff := g.current.Load().policy.OwnKeyFee; tariff.Fee > 0 && tariff.Allowance > 0 {
			used, err := g.account.generations.UpstreamSince(ctx, identity.ResetMonthly.Start(time.Now()))
			if err == nil {
				g.managed.mu.Lock()
				g.managed.billed = used
				g.managed.mu.Unlock()
				g.compose()
			} else if ctx.Err() == nil {
				g.log.Warn("it is not known what organisations have used of their allowance", "error", err.Error())
			}
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(meterEvery):
		}
	}
}

// checkOwnKey is [api.Identity.CheckOwnKey].
func checkOwnKey(provider *catalog.Provider, key string) (string, error) {
	reached, err := byok.Reach(provider, key)
	if err != nil {
		return "", err
	}
	if _, err := newSigner(reached.Provider); err != nil {
		// Without the field of the configuration that it would be about.
		return "", cmp.Or(errors.Unwrap(err), err)
	}
	return reached.Label, nil
}
