package config

import (
	"fmt"
	"io"
	"log/slog"
	"slices"
	"strings"

	"github.com/switchyard/switchyard/policies/config/configpb"
)

// Redacted stands for a secret wherever one would be shown.
const Redacted = "<redacted>"

// Secret is a credential of a provider or of Redis. However it is printed, logged or
// marshalled, it shows as [Redacted]; only Reveal gives it away. The zero value
// is no secret.
type Secret struct{ text string }

// Reveal returns the secret itself, for the one header that carries it.
func (s Secret) Reveal() string { return s.text }

// String returns [Redacted].
func (s Secret) String() string { return Redacted }

// Format writes [Redacted] whatever the verb, %#v and %x included.
func (s Secret) Format(state fmt.State, _ rune) { _, _ = io.WriteString(state, Redacted) }

// LogValue returns [Redacted].
func (s Secret) LogValue() slog.Value { return slog.StringValue(Redacted) }

// MarshalText returns [Redacted], for JSON, YAML and the like.
func (s Secret) MarshalText() ([]byte, error) { return []byte(Redacted), nil }

var (
	_ fmt.Formatter  = Secret{}
	_ slog.LogValuer = Secret{}
)

// resolveSecrets finds the credential of every provider, reports those that
// are missing, and takes those written in clear out of the configuration.
func (l *loader) resolveSecrets(config *configpb.Config) map[string]Secret {
	secrets := map[string]Secret{}
	for slug, provider := range config.GetProviders() {
		at := path{".providers"}.key(slug).field("credential")
		credential := provider.GetCredential()
		if credential == nil {
			continue
		}
		// Every source is looked at, so that none stays in the configuration.
		text, source := l.secretText(credential, at)
		text = strings.TrimSpace(text)
		if text == "" {
			continue
		}
		inHeader := provider.GetAuthentication() != configpb.Authentication_AUTHENTICATION_GOOGLE // else it is JSON
		if inHeader && strings.ContainsFunc(text, func(r rune) bool { return r <= ' ' || r >= 0x7f }) {
			// An HTTP header cannot hold it: it would fail at each request instead.
			l.report.fail(source, "has white space or non-ASCII characters in it; give the key alone")
			continue
		}
		secrets[slug] = Secret{text}
	}
	return secrets
}

// minOwnSecret is 128 bits in hex digits.
const minOwnSecret = 32

// ownSecrets are those of the gateway's own servers. They may hold any character.
type ownSecrets struct{ redisPassword, postgres, identity, byok, previousByok Secret }

// resolveOwnSecrets is resolveSecrets for the gateway's own servers.
func (l *loader) resolveOwnSecrets(config *configpb.Config) ownSecrets {
	read := func(from *configpb.Secret, at path) Secret {
		if from == nil {
			return Secret{}
		}
		text, _ := l.secretText(from, at)
		return Secret{strings.TrimSpace(text)}
	}
	own := ownSecrets{
		redisPassword: read(config.GetRedis().GetPassword(), path{".redis", ".password"}),
		postgres:      read(config.GetLedger().GetPostgres(), path{".ledger", ".postgres"}),
		identity:      read(config.GetIdentity().GetSecret(), path{".identity", ".secret"}),
		byok:          read(config.GetByok().GetEncryptionKey(), path{".byok", ".encryption_key"}),
		previousByok:  read(config.GetByok().GetPreviousEncryptionKey(), path{".byok", ".previous_encryption_key"}),
	}
	for _, secret := range []struct {
		at   path
		text string
	}{
		{path{".identity", ".secret"}, own.identity.text},
		{path{".byok", ".encryption_key"}, own.byok.text},
		{path{".byok", ".previous_encryption_key"}, own.previousByok.text},
	} {
		if length := len(secret.text); length > 0 && length < minOwnSecret {
			l.report.fail(secret.at, "has %d characters; it must have at least %d that nobody can guess", length, minOwnSecret)
		}
	}
	if own.byok.text == "" && own.previousByok.text != "" {
		l.report.fail(path{".byok", ".encryption_key"}, "is missing beside previous_encryption_key; give the one that keys are encrypted by")
	}
	// What end users spent is under names that this secret makes. One that each gateway has
	// made for itself is not the others'.
	if own.postgres.text != "" && own.identity.text == "" && budgetsUsers(config) {
		l.report.fail(path{".ledger", ".postgres"}, "needs identity.secret beside a budget under per_user, the same at all gateways; where there is one, give it the text of identity-secret in its state directory")
	}
	return own
}

// budgetsUsers reports whether end users have budgets.
func budgetsUsers(config *configpb.Config) bool {
	return config.GetLimits().GetPerUser().GetBudget() != "" || slices.ContainsFunc(config.GetKeys(), func(k *configpb.Key) bool {
		return k.GetLimits().GetPerUser().GetBudget() != ""
	})
}

// secretText reads the secret and reports what is wrong. It also returns the
// path of the source.
func (l *loader) secretText(credential *configpb.Secret, at path) (string, path) {
	switch source := credential.GetSource().(type) {
	case *configpb.Secret_Env:
		at := at.field("env")
		text := l.lookup(source.Env)
		if strings.TrimSpace(text) == "" {
			l.report.fail(at, "environment variable %s is not set; set it, or give another credential: env, file or value", source.Env)
		}
		return text, at
	case *configpb.Secret_File:
		at := at.field("file")
		data, ok := l.readNamed(source.File, at)
		if ok && strings.TrimSpace(string(data)) == "" {
			l.report.fail(at, "%s is empty; put the secret into it", source.File)
		}
		return string(data), at
	case *configpb.Secret_Value:
		at := at.field("value")
		text := source.Value
		source.Value = Redacted
		l.report.warn(at, "a secret is written here in clear; prefer env or file")
		return text, at
	default:
		l.report.fail(at, "names no source; give one of env, file or value")
		return "", at
	}
}
