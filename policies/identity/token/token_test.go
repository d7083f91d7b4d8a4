package token

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/switchyard/switchyard/policies/identity"
	"github.com/switchyard/switchyard/policies/identity/token/tokentest"
)

// started is a verifier that knows the issuer's key.
func started(t testing.TB, from *tokentest.Issuer) *Verifier {
	t.Helper()
	v := New(http.DefaultClient, slog.New(slog.DiscardHandler))
	v.Configure([]Issuer{{URL: from.URL(), Audience: "switchyard", Rules: []Rule{
		{Claim: "email", Value: "root@example.com", Role: identity.Owner},
		{Claim: "groups", Value: "platform", Role: identity.Admin},
		{Claim: "realm_access.roles", Value: "finance", Role: identity.Billing},
		{Claim: "sub", Value: "repo:acme/*", Key: "ci"},
		{Claim: "https://acme.example/team", Value: "a", Key: "team-a"},
	}}})
	if !v.fetchAll(t.Context()) {
		t.Fatal("the issuer's keys are not known")
	}
	return v
}

func TestTokensStandForWhatTheFirstRuleSays(t *testing.T) {
	from := tokentest.Start(t)
	v := started(t, from)
	for _, test := range []struct {
		name, subject string
		claims        map[string]any
		role          identity.Role
		key, who      string
	}{
		{"one of a list", "ada", map[string]any{"groups": []string{"all", "platform"}, "email": "ada@example.com"}, identity.Admin, "", "ada@example.com"},
		{"a string", "ada", map[string]any{"groups": "platform"}, identity.Admin, "", "ada"},
		{"a path", "ada", map[string]any{"realm_access": map[string]any{"roles": []string{"finance"}}}, identity.Billing, "", "ada"},
		{"a beginning", "repo:acme/app:ref:refs/heads/main", nil, "", "ci", "repo:acme/app:ref:refs/heads/main"},
		{"a name with dots", "x", map[string]any{"https://acme.example/team": "a"}, "", "team-a", "x"},
		{"an address that is verified", "ada", map[string]any{"email": "root@example.com", "email_verified": true}, identity.Owner, "", "root@example.com"},
		{"one that may be", "ada", map[string]any{"email": "root@example.com"}, identity.Owner, "", "root@example.com"},
		{"one that is, as a text", "ada", map[string]any{"email": "root@example.com", "email_verified": "true"}, identity.Owner, "", "root@example.com"},
		{"one that is not, of whom another rule fits", "ada", map[string]any{"groups": "platform", "email": "root@example.com", "email_verified": false}, identity.Admin, "", "ada"},
		{"the first counts", "repo:acme/app", map[string]any{"groups": "platform"}, identity.Admin, "", "repo:acme/app"},
	} {
		for range 2 { // the second time it is remembered
			grant, err := v.Verify(from.Token(from.Claims("switchyard", test.subject, test.claims)), time.Now())
			if err != nil || grant.Role != test.role || grant.Key != test.key || grant.Name != test.who || len(grant.Hash) != 64 {
				t.Errorf("%s: %+v, %v", test.name, grant, err)
			}
		}
	}
	for _, claims := range []map[string]any{
		{"email": "root@example.com", "email_verified": false}, {"email": "root@example.com", "email_verified": "false"}, {"email": "root@example.com", "email_verified": 0},
		nil, {"groups": "platform2"}, {"groups": 7}, {"groups": []any{7}}, {"realm_access": "finance"}, {"sub": "repo:acme"},
	} {
		_, err := v.Verify(from.Token(from.Claims("switchyard", "x", claims)), time.Now())
		var refused *identity.Error
		if !errors.As(err, &refused) || refused.Reason != identity.Unmapped {
			t.Errorf("%v: %v", claims, err)
		}
	}
}

// RFC 7517, section 5: keys of kinds that are not known are ignored, and do not disable
// those that are.
func TestKeysOfUnknownKindsAreIgnored(t *testing.T) {
	for _, other := range []string{
		`{"kty":"AKP","alg":"ML-DSA-44","kid":"2","pub":"AA"}`,
		`{"kty":"EC","crv":"secp256k1","kid":"2","x":"AA","y":"AA"}`,
		`{"kty":"OKP","crv":"X25519","kid":"2","x":"AA"}`,
		`{"kty":"EC","crv":"P-256","kid":"2"}`, `{}`, `null`, `"key"`,
	} {
		t.Run(other, func(t *testing.T) {
			from := tokentest.Start(t, other)
			grant, err := started(t, from).Verify(from.Token(from.Claims("switchyard", "repo:acme/app", nil)), time.Now())
			if err != nil || grant.Key != "ci" {
				t.Errorf("%+v, %v", grant, err)
			}
		})
	}
}

func TestTokensOfOthersAreRefused(t *testing.T) {
	from, other := tokentest.Start(t), tokentest.Start(t)
	v := started(t, from)
	claims := from.Claims("switchyard", "repo:acme/app", nil)
	good := from.Token(claims)
	parts := strings.Split(good, ".")
	stranger, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	// The public key as a secret is the classic confusion of algorithms.
	public, err := x509.MarshalPKIXPublicKey(v.state.Load().issuers[from.URL()].keys[0])
	if err != nil {
		t.Fatal(err)
	}
	plain := func(value any) string {
		text, err := json.Marshal(value)
		if err != nil {
			t.Fatal(err)
		}
		return base64.RawURLEncoding.EncodeToString(text)
	}
	for name, token := range map[string]string{
		"not a token":           "sk-sy-v1-x",
		"nothing":               "..",
		"no JSON":               "a.b.c",
		"another audience":      from.Token(from.Claims("else", "repo:acme/app", nil)),
		"another issuer":        other.Token(other.Claims("switchyard", "repo:acme/app", nil)),
		"signed by another":     other.Token(claims),
		"signed by a stranger":  tokentest.Sign(t, jose.SigningKey{Algorithm: jose.ES256, Key: stranger}, claims),
		"signed by a secret":    tokentest.Sign(t, jose.SigningKey{Algorithm: jose.HS256, Key: public}, claims),
		"not signed":            plain(map[string]string{"alg": "none"}) + "." + parts[1] + ".",
		"changed":               parts[0] + "." + plain(from.Claims("switchyard", "x", map[string]any{"groups": "platform"})) + "." + parts[2],
		"half of the signature": good[:len(good)-40],
		"not valid yet":         from.Token(from.Claims("switchyard", "repo:acme/app", map[string]any{"nbf": time.Now().Add(time.Hour).Unix()})),
		"too long":              good + strings.Repeat("a", longest),
	} {
		_, err := v.Verify(token, time.Now())
		var refused *identity.Error
		if !errors.As(err, &refused) || refused.Reason != identity.Unknown {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := v.Verify(good, time.Now()); err != nil {
		t.Errorf("the good one: %v", err)
	}
	for _, expires := range []any{time.Now().Add(-time.Second).Unix(), nil} {
		_, err := v.Verify(from.Token(from.Claims("switchyard", "repo:acme/app", map[string]any{"exp": expires})), time.Now())
		if err == nil {
			t.Errorf("one that ends at %v is taken", expires)
		}
	}
	if _, err := v.Verify(good, time.Now().Add(2*time.Hour)); err == nil || err.(*identity.Error).Reason != identity.Expired {
		t.Errorf("one that is remembered, later: %v", err)
	}
}

// While it is not known who signs for an issuer, nobody is told that their token is a bad
// one; of an issuer that is not taken, and of what is no token, that is known.
func TestTokensAreNotRefusedForGoodBeforeTheIssuerIsReached(t *testing.T) {
	from, other := tokentest.Start(t), tokentest.Start(t)
	v := New(http.DefaultClient, slog.New(slog.DiscardHandler))
	v.Configure([]Issuer{{URL: from.URL(), Audience: "switchyard", Rules: []Rule{{Claim: "sub", Value: "x", Key: "ci"}}}})
	good := from.Token(from.Claims("switchyard", "x", nil))
	for token, temporary := range map[string]bool{good: true, other.Token(other.Claims("switchyard", "x", nil)): false, "sk-none": false} {
		_, err := v.Verify(token, time.Now())
		var refused *identity.Error
		if !errors.As(err, &refused) || refused.Temporary() != temporary {
			t.Errorf("%s: %v", token, err)
		}
	}
	if !v.fetchAll(t.Context()) {
		t.Fatal("the issuer's keys are not known")
	}
	if _, err := v.Verify(good, time.Now()); err != nil {
		t.Error(err)
	}
}

// A token by a key that is new is what has it fetched, at once if the last time is a while
// ago.
func TestANewKeyIsFetchedAtOnce(t *testing.T) {
	from := tokentest.Start(t)
	synctest.Test(t, func(t *testing.T) {
		v := New(&http.Client{Transport: &http.Transport{DisableKeepAlives: true}}, slog.New(slog.DiscardHandler))
		v.Configure([]Issuer{{URL: from.URL(), Audience: "switchyard", Rules: []Rule{{Claim: "sub", Value: "x", Key: "ci"}}}})
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan struct{})
		go func() { v.Run(ctx); close(ended) }()
		defer func() { cancel(); <-ended }()
		time.Sleep(fetchAgain + time.Second)
		from.Rotate()
		fresh := from.Token(from.Claims("switchyard", "x", nil))
		if _, err := v.Verify(fresh, time.Now()); err == nil {
			t.Fatal("a key that is not known is believed")
		}
		time.Sleep(time.Millisecond)
		if _, err := v.Verify(fresh, time.Now()); err != nil {
			t.Errorf("the new key is not known at once: %v", err)
		}
	})
}

func TestKeysOfIssuersAreFetchedAnew(t *testing.T) {
	from := tokentest.Start(t)
	v := started(t, from)
	old := from.Token(from.Claims("switchyard", "repo:acme/app", nil))
	if _, err := v.Verify(old, time.Now()); err != nil {
		t.Fatal(err)
	}
	from.Rotate()
	fresh := from.Token(from.Claims("switchyard", "repo:acme/app", nil))
	if _, err := v.Verify(fresh, time.Now()); err == nil {
		t.Fatal("a key that is not known is believed")
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() { v.Run(ctx); close(ended) }()
	for deadline := time.Now().Add(5 * time.Second); ; time.Sleep(5 * time.Millisecond) {
		if _, err := v.Verify(fresh, time.Now()); err == nil {
			break
		}
		if time.Now().After(deadline) {
			t.Fatal("the new key is never known")
		}
	}
	if _, err := v.Verify(old, time.Now()); err == nil {
		t.Error("a token of a withdrawn key is taken")
	}
	// Tokens that nobody signed do not make the gateway ask the issuer each time.
	before := from.Fetches()
	for range 1000 {
		_, _ = v.Verify(old, time.Now())
	}
	if asked := from.Fetches() - before; asked > 1 {
		t.Errorf("asked %d times", asked)
	}
	cancel()
	<-ended
	v.Configure(nil)
	if _, err := v.Verify(fresh, time.Now()); err == nil {
		t.Error("an issuer that is configured no longer is believed")
	}
}

func FuzzVerify(f *testing.F) {
	from := tokentest.Start(f)
	v := started(f, from)
	f.Add(from.Token(from.Claims("switchyard", "x", nil)))
	f.Add("eyJhbGciOiJub25lIn0.e30.")
	f.Add("..")
	f.Fuzz(func(t *testing.T, token string) {
		if grant, err := v.Verify(token, time.Now()); err == nil && grant.Role == "" && grant.Key == "" {
			t.Errorf("%q gives nothing", token)
		}
	})
}

func BenchmarkVerify(b *testing.B) {
	from := tokentest.Start(b)
	v := started(b, from)
	token := from.Token(from.Claims("switchyard", "repo:acme/app", nil))
	now := time.Now()
	b.Run("remembered", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := v.Verify(token, now); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("new", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			v.state.Load().tokens.Purge()
			if _, err := v.Verify(token, now); err != nil {
				b.Fatal(err)
			}
		}
	})
}
