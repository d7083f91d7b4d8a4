package config

import (
	"crypto/sha256"
	"encoding/hex"
	"maps"
	"slices"

	"google.golang.org/protobuf/proto"

	"github.com/switchyard/switchyard/policies/config/configpb"
)

// Effective is a configuration that is free of problems, with presets applied
// and defaults filled in. It never changes, and any number of goroutines may
// read it.
type Effective struct {
	config     *configpb.Config
	secrets    map[string]Secret
	own        ownSecrets
	warnings   Problems
	files      []string
	chain      []byte            // the listener's certificate
	key        Secret            // to that
	trusted    map[string][]byte // authorities by the provider's slug
	body       int64
	fallback   bool
	generation string
	// digest covers the secrets and files as well. It stays in memory.
	digest [sha256.Size]byte
}

func newEffective(config *configpb.Config, secrets map[string]Secret, own ownSecrets, l *loader, fallback bool) *Effective {
	body, _ := parseSize(config.GetListener().GetMaxRequestBody()) // checked before
	effective := &Effective{
		config: config, secrets: secrets, own: own, body: body, fallback: fallback,
		warnings: slices.Clip(l.report.warnings),
		files:    slices.Sorted(maps.Keys(l.files)),
		chain:    l.files[config.GetListener().GetTls().GetCertificateFile()],
		key:      Secret{string(l.files[config.GetListener().GetTls().GetPrivateKeyFile()])},
		trusted:  map[string][]byte{},
	}
	for slug, provider := range config.GetProviders() {
		if authorities, given := l.files[provider.GetCaFile()]; given {
			effective.trusted[slug] = authorities
		}
	}
	text, err := proto.MarshalOptions{Deterministic: true}.Marshal(config)
	if err != nil {
		// Only text that is not UTF-8 cannot be marshalled, and YAML holds none.
		panic(err)
	}
	public := sha256.Sum256(text)
	effective.generation = hex.EncodeToString(public[:6])

	all := sha256.New()
	all.Write(public[:])
	for _, slug := range slices.Sorted(maps.Keys(secrets)) {
		hashed := sha256.Sum256([]byte(slug + "\x00" + secrets[slug].text))
		all.Write(hashed[:])
	}
	for _, secret := range []Secret{own.redisPassword, own.postgres, own.identity, own.byok, own.previousByok} {
		hashed := sha256.Sum256([]byte(secret.text))
		all.Write(hashed[:])
	}
	for _, name := range effective.files {
		hashed := sha256.Sum256(l.files[name])
		all.Write(hashed[:])
	}
	all.Sum(effective.digest[:0])
	return effective
}

// Config returns the configuration with presets applied and defaults filled
// in. A credential written in clear reads [Redacted] in it. The caller must not
// change it.
func (e *Effective) Config() *configpb.Config { return e.config }

// Secret returns the credential of a provider, by its slug, and false if it
// needs none.
func (e *Effective) Secret(provider string) (Secret, bool) {
	secret, ok := e.secrets[provider]
	return secret, ok
}

// ListenerCertificate returns the certificate chain of the listener and its private key,
// in PEM, as they were when the configuration was read; both are empty without TLS. They
// serve together, whatever has become of their files. The caller must not change them.
func (e *Effective) ListenerCertificate() (chain []byte, key Secret) { return e.chain, e.key }

// Authorities returns what a provider's ca_file held when the configuration was read, in
// PEM, and nothing if it has none. The caller must not change it.
func (e *Effective) Authorities(provider string) []byte { return e.trusted[provider] }

// RedisPassword returns the password of the Redis that gateways share, and false
// if it needs none.
func (e *Effective) RedisPassword() (Secret, bool) {
	return e.own.redisPassword, e.own.redisPassword.text != ""
}

// LedgerPostgres returns the connection string of the ledger's PostgreSQL, and false
// if there is none.
func (e *Effective) LedgerPostgres() (Secret, bool) {
	return e.own.postgres, e.own.postgres.text != ""
}

// IdentitySecret returns the secret that vouches for managed keys, and false if the
// gateway is to make its own.
func (e *Effective) IdentitySecret() (Secret, bool) {
	return e.own.identity, e.own.identity.text != ""
}

// ByokSecrets returns what customers' own keys are encrypted by, and what they were before,
// which may be none; and false if the gateway is to make its own.
func (e *Effective) ByokSecrets() (current, previous Secret, given bool) {
	return e.own.byok, e.own.previousByok, e.own.byok.text != ""
}

// MaxJournal is the largest size of the ledger's journal, in bytes.
func (e *Effective) MaxJournal() int64 {
	size, _ := parseSize(e.config.GetLedger().GetMaxJournal()) // checked before
	return size
}

// MaxCacheSize is how much memory all answers that are kept take together, in bytes.
func (e *Effective) MaxCacheSize() int64 {
	size, _ := parseSize(e.config.GetCache().GetMaxSize()) // checked before
	return size
}

// MaxCacheEntry is the largest answer that is kept, in bytes.
func (e *Effective) MaxCacheEntry() int64 {
	size, _ := parseSize(e.config.GetCache().GetMaxEntry()) // checked before
	if e.config.GetCache().GetRedis() {
		return size
	}
	return min(size, e.MaxCacheSize())
}

// MaxRequestBody is the largest request body that is accepted, in bytes.
func (e *Effective) MaxRequestBody() int64 { return e.body }

// MaxHeldRequests and MaxHeldAnswers are the most that bodies of requests and held
// answers take together, in bytes; zero where that is left to the machine.
func (e *Effective) MaxHeldRequests() int64 {
	size, _ := parseSize(e.config.GetMemory().GetRequests()) // checked before
	return size
}

// MaxHeldAnswers is said with MaxHeldRequests.
func (e *Effective) MaxHeldAnswers() int64 {
	size, _ := parseSize(e.config.GetMemory().GetAnswers()) // checked before
	return size
}

// MaxFetchSize is the largest file that is fetched for a request, in bytes.
func (e *Effective) MaxFetchSize() int64 {
	size, _ := parseSize(e.config.GetFetch().GetMaxSize()) // checked before
	return size
}

// Warnings returns what is suspicious, but no error, in the order of the file.
func (e *Effective) Warnings() Problems { return slices.Clone(e.warnings) }

// Files returns the files that the configuration names and that were read:
// certificates, private keys, secrets and model catalogs.
func (e *Effective) Files() []string { return slices.Clone(e.files) }

// IsFallback reports whether the providers are those of [Options.Fallback].
func (e *Effective) IsFallback() bool { return e.fallback }

// Generation names the configuration by its content, in 12 hex digits: equal
// configurations in one build of the gateway have equal generations. Secrets
// have no part in it, so that it can be shown.
func (e *Effective) Generation() string { return e.generation }

// equal reports whether nothing changed, secrets and named files included.
func (e *Effective) equal(other *Effective) bool {
	return e.digest == other.digest
}
