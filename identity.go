package main

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/switchyard/switchyard/policies/api"
	"github.com/switchyard/switchyard/policies/byok"
	"github.com/switchyard/switchyard/policies/config/configpb"
	"github.com/switchyard/switchyard/policies/identity"
	keystore "github.com/switchyard/switchyard/policies/identity/store"
	"github.com/switchyard/switchyard/policies/identity/token"
	"github.com/switchyard/switchyard/policies/money"
	"github.com/switchyard/switchyard/policies/quota"
	"github.com/switchyard/switchyard/policies/routing"
)

// managed is the keys that are managed over the API.
type managed struct {
	store   *keystore.Store
	watcher *keystore.Watcher

	mu sync.Mutex
	// waiting: the database has told nothing yet.
	waiting bool
	// closed: there are keys, or were.
	closed      bool
	credentials []identity.Credential
	accounts    quota.Accounts
	guardrails  managedGuardrails
	ownKeys     []byok.Key // of providers
	// unreadable is how many entries of the database are not known as they are there.
	unreadable int
	// billed is what own keys were billed this month, by the organisation.
	billed map[string]money.USD
}

// firstLook is how long a start waits for a PostgreSQL that may be down.
const firstLook = 5 * time.Second

// openIdentity reads the managed keys. With a PostgreSQL that is down the gateway starts
// and refuses what spends anything until it is up: what it does not know bounds keys of the
// configuration too.
func (g *gateway) openIdentity(ctx context.Context) error {
	if g.account == nil {
		return nil
	}
	secret, err := g.identitySecret()
	if err != nil {
		return err
	}
	m := &g.managed
	vault, err := g.ownKeyVault()
	if err != nil {
		return err
	}
	m.store = keystore.New(g.account.database, identity.NewSealer(secret), vault)
	m.watcher = keystore.NewWatcher(m.store, func(snapshot keystore.Snapshot) {
		m.mu.Lock()
		m.waiting = false
		m.credentials, m.closed, m.ownKeys = snapshot.Credentials, snapshot.Used, snapshot.OwnKeys
		m.unreadable = snapshot.Forged + len(snapshot.Unreadable)
		m.accounts = quota.Accounts{Credits: snapshot.Credits, Budgets: snapshot.Budgets}
		m.guardrails.use(snapshot.Guarded, snapshot.Credentials, func(id string, err error) {
			g.log.Error("a guardrail cannot be compiled; who is held to it is refused", "guardrail", id, "error", err.Error())
		})
		m.mu.Unlock()
		g.compose()
	}, g.log)
	m.waiting = true
	g.registry.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "switchyard_managed_secrets", Help: "Secrets of managed keys in use; a key that is being rotated has more than one.",
	}, func() float64 {
		m.mu.Lock()
		defer m.mu.Unlock()
		return float64(len(m.credentials))
	}))
	g.registry.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "switchyard_managed_unreadable", Help: "Entries of the database that cannot be read, or that no gateway with this secret made: who is held to them is refused.",
	}, func() float64 {
		m.mu.Lock()
		defer m.mu.Unlock()
		return float64(m.unreadable)
	}))
	ctx, cancel := context.WithTimeout(ctx, firstLook)
	defer cancel()
	_ = g.account.database.Open(ctx) // what is wrong is told by who tries again
	err = m.watcher.Refresh(ctx)
	if _, shared := g.current.Load().effective.LedgerPostgres(); shared && !errors.Is(err, keystore.ErrSecret) {
		g.compose()
		return nil // the watcher has logged what is wrong, and tries again
	}
	return err
}

// check is the part of GET /health that says whether it is known what is managed.
func (m *managed) check() api.Check {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.waiting {
		return api.Check{Name: "identity", Detail: "the database has told nothing of keys, guardrails and budgets since the start: requests to models are refused, the log says why"}
	}
	return api.Check{Name: "identity", OK: true, Detail: fmt.Sprintf("%d secrets of managed keys", len(m.credentials))}
}

// compose puts the managed keys, as they are known, beside those of the configuration,
// and what organisations and workspaces may spend and are held to beside its limits
// and guardrails.
func (g *gateway) compose() {
	g.managed.mu.Lock()
	defer g.managed.mu.Unlock()
	current := g.current.Load()
	policy := *current.policy
	policy.Keys = policy.Keys.With(g.managed.credentials)
	if len(current.effective.Config().GetIdentity().GetIssuers()) > 0 {
		policy.Keys = policy.Keys.Trusting(g.tokens)
	}
	policy.Guard, policy.Guards = g.managed.guardrails.guards(current.guardrails, g.managed.credentials)
	policy.Limits = policy.Limits.With(g.managed.accounts)
	policy.KeyConstraints = maps.Clone(policy.KeyConstraints)
	for _, credential := range g.managed.credentials {
		if key := credential.Key; key.AllowedModels != nil || key.AllowedProviders != nil {
			policy.KeyConstraints[key.Hash] = &routing.Constraints{AllowedModels: key.AllowedModels, Only: key.AllowedProviders}
		}
	}
	switch {
	case g.managed.waiting:
		policy.Keys = policy.Keys.Waiting()
	case g.managed.closed:
		policy.Keys = policy.Keys.Closed()
	}
	g.composeOwnKeys(&policy)
	g.policy.Store(&policy)
}

// api is what the API needs of them, nil if there are none.
func (m *managed) api() *api.Identity {
	if m.store == nil {
		return nil
	}
	return &api.Identity{Store: m.store, Refresh: m.watcher.Refresh, CheckOwnKey: checkOwnKey}
}

// identitySecret is the configuration's, or one that is made once and kept where only
// this user can read it.
func (g *gateway) identitySecret() ([]byte, error) {
	if secret, ok := g.current.Load().effective.IdentitySecret(); ok {
		return []byte(secret.Reveal()), nil
	}
	return g.stateSecret("identity-secret")
}

// stateSecret is a secret in the state directory, which is made once.
func (g *gateway) stateSecret(name string) ([]byte, error) {
	path := filepath.Join(g.stateDirectory, name)
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		if err := os.MkdirAll(g.stateDirectory, 0o700); err != nil {
			return nil, err
		}
		var fresh [32]byte
		rand.Read(fresh[:]) // never fails: it ends the process instead
		text = []byte(hex.EncodeToString(fresh[:]) + "\n")
		if err := createOnce(path, text); err != nil {
			return nil, err
		}
		text, err = os.ReadFile(path) // another gateway may have been first
	}
	if err != nil {
		return nil, err
	}
	secret := strings.TrimSpace(string(text))
	if len(secret) != 2*32 {
		return nil, fmt.Errorf("%s is damaged: it has no 64 hex digits", path)
	}
	return []byte(secret), nil
}

// createOnce writes a file whole, or leaves the one that is there. It is on the disk then:
// what is sealed by it must not outlive it.
func createOnce(path string, text []byte) error {
	directory, err := os.Open(filepath.Dir(path))
	if err != nil {
		return err
	}
	defer directory.Close()
	fresh, err := os.CreateTemp(filepath.Dir(path), ".new-*") // 0600
	if err != nil {
		return err
	}
	defer os.Remove(fresh.Name())
	_, err = fresh.Write(text)
	if err := errors.Join(err, fresh.Sync(), fresh.Close()); err != nil {
		return err
	}
	if err := os.Link(fresh.Name(), path); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	return directory.Sync()
}

func newIssuers(from []*configpb.Issuer) []token.Issuer {
	var issuers []token.Issuer
	for _, each := range from {
		issuer := token.Issuer{URL: each.GetUrl(), Audience: each.GetAudience()}
		for _, rule := range each.GetRules() {
			issuer.Rules = append(issuer.Rules, token.Rule{Claim: rule.GetClaim(), Value: rule.GetValue(), Role: identity.Role(rule.GetRole()), Key: rule.GetKey()})
		}
		issuers = append(issuers, issuer)
	}
	return issuers
}
