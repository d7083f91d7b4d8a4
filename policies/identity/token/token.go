// Package token takes bearer tokens of OpenID Connect issuers, of people and of
// workloads, for keys.
//
// No request waits for an issuer: its keys are fetched in the background, from the
// start on and again and again, and a token that none of them has signed is refused. Until
// they are known once, its tokens are told from bad ones: who has one is to try again.
package token

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"strings"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"github.com/go-json-experiment/json"
	lru "github.com/hashicorp/golang-lru/v2"

	"github.com/switchyard/switchyard/policies/identity"
)

const (
	// longest is more than any issuer's tokens have.
	longest = 16 << 10
	// remembered is how many tokens need not be verified again.
	remembered = 10_000
)

// algorithms are the signatures that are taken: those with a public key.
var algorithms = []string{
	oidc.RS256, oidc.RS384, oidc.RS512, oidc.PS256, oidc.PS384, oidc.PS512, oidc.ES256, oidc.ES384, oidc.ES512, oidc.EdDSA,
}

// Issuer is whose tokens are taken.
type Issuer struct {
	// URL is the issuer as its tokens name it; it is found there (OpenID Connect
	// Discovery 1.0).
	URL string
	// Audience is whom tokens must be for.
	Audience string
	// Rules say what tokens stand for. The first that fits counts; a token that none
	// fits is refused.
	Rules []Rule
}

// Rule gives tokens with a claim a role or a key.
type Rule struct {
	// Claim is the name of the claim, or a path such as realm_access.roles. Value is
	// what it, or one entry of it, must be; with a star at the end, what it must begin
	// with.
	Claim, Value string
	// Grant is [identity.Grant.Role] or [identity.Grant.Key].
	Role identity.Role
	Key  string
}

// issuer is an Issuer with its public keys; they are nil while none are known.
type issuer struct {
	Issuer
	keys []any
}

// verified is a token whose signature was good.
type verified struct {
	grant identity.Grant
	err   error // that no rule fits
}

// state is the issuers at one time. It is replaced, not changed, but for the tokens that
// were verified.
type state struct {
	issuers map[string]*issuer
	tokens  *lru.Cache[[sha256.Size]byte, verified]
}

func newState(issuers map[string]*issuer) *state {
	tokens, err := lru.New[[sha256.Size]byte, verified](remembered)
	if err != nil {
		panic(err) // only for a size below 1
	}
	return &state{issuers, tokens}
}

// Verify implements [identity.Tokens].
func (v *Verifier) Verify(token string, now time.Time) (identity.Grant, error) {
	unknown := &identity.Error{Reason: identity.Unknown}
	known := v.state.Load()
	if len(token) > longest {
		return identity.Grant{}, unknown
	}
	from, ok := known.issuers[issuerOf(token)]
	if !ok {
		return identity.Grant{}, unknown
	}
	if from.keys == nil {
		v.wake()
		return identity.Grant{}, &identity.Error{Reason: identity.Unverifiable}
	}
	digest := sha256.Sum256([]byte(token))
	found, ok := known.tokens.Get(digest)
	if !ok {
		checked, err := from.verify(token, now)
		if err != nil {
			v.wake() // the issuer may sign with a new key
			return identity.Grant{}, unknown
		}
		found = checked
		known.tokens.Add(digest, found)
	}
	if !now.Before(found.grant.ExpiresAt) {
		return identity.Grant{}, &identity.Error{Reason: identity.Expired}
	}
	return found.grant, found.err
}

// issuerOf is whom a token names as its issuer, "" if it is no token. Nothing of it is
// believed yet.
func issuerOf(token string) string {
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		return ""
	}
	payload, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err != nil {
		return ""
	}
	var claims struct {
		Issuer string `json:"iss"`
	}
	if json.Unmarshal(payload, &claims) != nil {
		return ""
	}
	return claims.Issuer
}

// verify checks the signature, the audience and the times of a token, but whether it has
// expired, and finds the rule that fits.
func (i *issuer) verify(token string, now time.Time) (verified, error) {
	keys := &oidc.StaticKeySet{}
	for _, key := range i.keys {
		keys.PublicKeys = append(keys.PublicKeys, key)
	}
	checked, err := oidc.NewVerifier(i.URL, keys, &oidc.Config{
		ClientID: i.Audience, SupportedSigningAlgs: algorithms, SkipExpiryCheck: true,
	}).Verify(context.Background(), token) // asks nobody
	if err != nil {
		return verified{}, err
	}
	var claims map[string]any
	if err := checked.Claims(&claims); err != nil {
		return verified{}, err
	}
	if begins, ok := claims["nbf"].(float64); ok && now.Add(skew).Before(time.Unix(int64(begins), 0)) {
		return verified{}, fmt.Errorf("the token is not valid yet")
	}
	grant := identity.Grant{
		Name: checked.Subject, ExpiresAt: checked.Expiry,
		Hash: identity.Hash(i.URL + "\x00" + checked.Subject),
	}
	if !mayBeVerified(claims["email_verified"]) {
		delete(claims, "email") // anybody's: neither a name nor what a rule may ask for
	}
	if email, ok := claims["email"].(string); ok {
		grant.Name = email
	}
	for _, rule := range i.Rules {
		if rule.fits(claims) {
			grant.Role, grant.Key = rule.Role, rule.Key
			return verified{grant: grant}, nil
		}
	}
	return verified{grant, &identity.Error{Reason: identity.Unmapped}}, nil
}

// mayBeVerified reports whether an address is not said to be unverified (OpenID Connect Core
// 1.0, section 5.1). Many issuers say nothing, as theirs are given by an administrator; some
// say it as a text.
func mayBeVerified(said any) bool { return said == nil || said == true || said == "true" }

// skew is how far the clocks of an issuer and of the gateway may be apart.
const skew = time.Minute

func (r *Rule) fits(claims map[string]any) bool {
	value, ok := claims[r.Claim]
	if !ok {
		value = claims
		for step := range strings.SplitSeq(r.Claim, ".") {
			within, ok := value.(map[string]any)
			if !ok {
				return false
			}
			value = within[step]
		}
	}
	switch value := value.(type) {
	case string:
		return r.is(value)
	case []any:
		for _, entry := range value {
			if text, ok := entry.(string); ok && r.is(text) {
				return true
			}
		}
	}
	return false
}

func (r *Rule) is(text string) bool {
	if prefix, starred := strings.CutSuffix(r.Value, "*"); starred {
		return strings.HasPrefix(text, prefix)
	}
	return text == r.Value
}
