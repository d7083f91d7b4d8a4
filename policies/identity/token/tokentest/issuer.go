// Package tokentest runs an issuer of OpenID Connect for a test.
package tokentest

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"
)

// Issuer signs tokens and shows its public key, as discovery wants it.
type Issuer struct {
	t       testing.TB
	server  *httptest.Server
	key     atomic.Pointer[ecdsa.PrivateKey]
	fetches atomic.Int64
	others  []json.RawMessage
}

// Start runs an issuer until the test ends. It shows other keys, which are JSON, before
// its own.
func Start(t testing.TB, others ...string) *Issuer {
	i := &Issuer{t: t}
	for _, other := range others {
		i.others = append(i.others, json.RawMessage(other))
	}
	i.Rotate()
	mux := http.NewServeMux()
	mux.HandleFunc("GET /.well-known/openid-configuration", func(w http.ResponseWriter, _ *http.Request) {
		i.write(w, map[string]string{"issuer": i.URL(), "jwks_uri": i.URL() + "/keys"})
	})
	mux.HandleFunc("GET /keys", func(w http.ResponseWriter, _ *http.Request) {
		i.fetches.Add(1)
		keys := []any{}
		for _, other := range i.others {
			keys = append(keys, other)
		}
		keys = append(keys, jose.JSONWebKey{Key: i.key.Load().Public(), KeyID: "k", Use: "sig", Algorithm: string(jose.ES256)})
		i.write(w, map[string]any{"keys": keys})
	})
	i.server = httptest.NewServer(mux)
	t.Cleanup(i.server.Close)
	return i
}

func (i *Issuer) write(w http.ResponseWriter, answer any) {
	w.Header().Set("Content-Type", "application/json")
	if err := json.NewEncoder(w).Encode(answer); err != nil {
		i.t.Error(err)
	}
}

// URL is the issuer's.
func (i *Issuer) URL() string { return i.server.URL }

// Fetches is how often its keys were asked for.
func (i *Issuer) Fetches() int64 { return i.fetches.Load() }

// Rotate signs with a new key from now on, and shows the old one no longer.
func (i *Issuer) Rotate() {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		i.t.Fatal(err)
	}
	i.key.Store(key)
}

// Claims are those of a token that is good for an hour, and others.
func (i *Issuer) Claims(audience, subject string, others map[string]any) map[string]any {
	now := time.Now()
	claims := map[string]any{"iss": i.URL(), "aud": audience, "sub": subject, "iat": now.Unix(), "exp": now.Add(time.Hour).Unix()}
	for name, value := range others {
		claims[name] = value
	}
	return claims
}

// Token signs claims.
func (i *Issuer) Token(claims map[string]any) string {
	return Sign(i.t, jose.SigningKey{Algorithm: jose.ES256, Key: i.key.Load()}, claims)
}

// Sign signs claims with any key.
func Sign(t testing.TB, key jose.SigningKey, claims map[string]any) string {
	t.Helper()
	signer, err := jose.NewSigner(key, nil)
	if err != nil {
		t.Fatal(err)
	}
	token, err := jwt.Signed(signer).Claims(claims).Serialize()
	if err != nil {
		t.Fatal(err)
	}
	return token
}
