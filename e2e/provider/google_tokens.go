package provider

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/go-json-experiment/json"
)

// GoogleTokens plays Google's token endpoint, and the service account that it knows:
// a signed assertion is traded for an access token, which [Vertex] and its neighbours
// take. All its methods may be called concurrently.
type GoogleTokens struct {
	server  *httptest.Server
	account *rsa.PrivateKey
	key     string

	mu       sync.Mutex
	lifetime time.Duration
	outage   http.HandlerFunc
	issued   map[string]time.Time // when each token expires
	asked    []time.Time
	refused  []string
}

const (
	accountEmail = "gateway@acme-prod.iam.gserviceaccount.com"
	accountKeyID = "8f3a0c5e1b"
	tokenScope   = "https://www.googleapis.com/auth/cloud-platform"
	assertion    = "urn:ietf:params:oauth:grant-type:jwt-bearer"
)

// NewGoogleTokens starts an endpoint whose tokens live for lifetime, in whole seconds.
// Close it.
func NewGoogleTokens(lifetime time.Duration) (*GoogleTokens, error) {
	account, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		return nil, err
	}
	der, err := x509.MarshalPKCS8PrivateKey(account)
	if err != nil {
		return nil, err
	}
	g := &GoogleTokens{account: account, lifetime: lifetime, issued: map[string]time.Time{}}
	g.server = httptest.NewServer(g)
	g.key = encode(map[string]any{
		"type": "service_account", "project_id": "acme-prod", "private_key_id": accountKeyID,
		"private_key":  string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})),
		"client_email": accountEmail, "client_id": "104892101719223344556",
		"auth_uri": "https://accounts.google.com/o/oauth2/auth", "token_uri": g.server.URL + "/token",
		"universe_domain": "googleapis.com",
	})
	return g, nil
}

// Close stops the endpoint, also where it hangs.
func (g *GoogleTokens) Close() {
	g.server.CloseClientConnections()
	g.server.Close()
}

// Key is the service account's JSON key.
func (g *GoogleTokens) Key() string { return g.key }

// Secrets are what may be seen nowhere but in the requests that need it: tokens, and
// a line of the private key.
func (g *GoogleTokens) Secrets() []string {
	g.mu.Lock()
	defer g.mu.Unlock()
	secrets := []string{strings.Split(g.key, `\n`)[5]}
	for token := range g.issued {
		secrets = append(secrets, token)
	}
	return secrets
}

// Outage makes the endpoint answer with handler, until it is nil.
func (g *GoogleTokens) Outage(handler http.HandlerFunc) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.outage = handler
}

// Asked are the times of all requests so far.
func (g *GoogleTokens) Asked() []time.Time {
	g.mu.Lock()
	defer g.mu.Unlock()
	return slices.Clone(g.asked)
}

// Violations lists what was refused.
func (g *GoogleTokens) Violations() []string {
	g.mu.Lock()
	defer g.mu.Unlock()
	return slices.Clone(g.refused)
}

// Revoke ends all tokens so far.
func (g *GoogleTokens) Revoke() {
	g.mu.Lock()
	defer g.mu.Unlock()
	for token := range g.issued {
		g.issued[token] = time.Time{}
	}
}

// admit is the vendor's judgement of a request's bearer token.
func (g *GoogleTokens) admit(header http.Header) *refusal {
	token, bearer := strings.CutPrefix(header.Get("Authorization"), "Bearer ")
	g.mu.Lock()
	defer g.mu.Unlock()
	if expires, known := g.issued[token]; !bearer || !known || !time.Now().Before(expires) {
		return &refusal{
			status: http.StatusUnauthorized, code: "ACCESS_TOKEN_EXPIRED",
			message: "Request had invalid authentication credentials. Expected OAuth 2 access token, login cookie or other valid authentication credential.",
		}
	}
	return nil
}

// ServeHTTP trades an assertion for a token.
func (g *GoogleTokens) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	g.mu.Lock()
	g.asked = append(g.asked, time.Now())
	outage := g.outage
	g.mu.Unlock()
	if outage != nil {
		outage(w, r)
		return
	}
	w.Header().Set("Content-Type", "application/json; charset=UTF-8")
	if code, reason := g.judge(r); code != "" {
		g.mu.Lock()
		g.refused = append(g.refused, reason)
		g.mu.Unlock()
		w.WriteHeader(http.StatusBadRequest)
		_, _ = w.Write([]byte(encode(map[string]any{"error": code, "error_description": reason})))
		return
	}
	token := "ya29.c." + rand.Text() + rand.Text()
	g.mu.Lock()
	g.issued[token] = time.Now().Add(g.lifetime)
	lifetime := int(g.lifetime / time.Second)
	g.mu.Unlock()
	_, _ = w.Write([]byte(encode(map[string]any{"access_token": token, "expires_in": lifetime, "token_type": "Bearer"})))
}

// judge returns OAuth's code for what is wrong, and Google's words.
func (g *GoogleTokens) judge(r *http.Request) (code, reason string) {
	switch {
	case r.Method != http.MethodPost || r.URL.Path != "/token":
		return "invalid_request", "Not found: " + r.Method + " " + r.URL.Path
	case r.Header.Get("Content-Type") != "application/x-www-form-urlencoded":
		return "invalid_request", "Bad content type: " + r.Header.Get("Content-Type")
	case r.ParseForm() != nil || len(r.PostForm) != 2:
		return "invalid_request", fmt.Sprintf("Malformed form with %d fields.", len(r.PostForm))
	case r.PostForm.Get("grant_type") != assertion:
		return "unsupported_grant_type", "Invalid grant_type: " + r.PostForm.Get("grant_type")
	}
	return g.judgeAssertion(r.PostForm.Get("assertion"))
}

func (g *GoogleTokens) judgeAssertion(text string) (code, reason string) {
	parts := strings.Split(text, ".")
	var header, claims map[string]any
	if len(parts) != 3 || !decodePart(parts[0], &header) || !decodePart(parts[1], &claims) {
		return "invalid_grant", "Bad JWT: not three parts in base64."
	}
	signature, err := base64.RawURLEncoding.DecodeString(parts[2])
	sum := sha256.Sum256([]byte(parts[0] + "." + parts[1]))
	if err != nil || rsa.VerifyPKCS1v15(&g.account.PublicKey, crypto.SHA256, sum[:], signature) != nil {
		return "invalid_grant", "Invalid JWT Signature."
	}
	now := time.Now().Unix()
	issued, _ := claims["iat"].(float64)
	expires, _ := claims["exp"].(float64)
	switch {
	case header["alg"] != "RS256" || header["kid"] != accountKeyID:
		return "invalid_grant", fmt.Sprintf("Bad JWT header: %v.", header)
	case claims["iss"] != accountEmail:
		return "invalid_grant", "Invalid grant: account not found"
	case claims["aud"] != g.server.URL+"/token":
		return "invalid_grant", fmt.Sprintf("Bad audience: %v.", claims["aud"])
	case claims["scope"] != tokenScope:
		return "invalid_scope", fmt.Sprintf("Bad scope: %v.", claims["scope"])
	case int64(issued) > now+60 || int64(expires) <= now || expires-issued > 3600+60:
		return "invalid_grant", "Invalid JWT: Token must be a short-lived token (60 minutes) and in a reasonable timeframe."
	}
	return "", ""
}

func decodePart(text string, into *map[string]any) bool {
	plain, err := base64.RawURLEncoding.DecodeString(text)
	return err == nil && json.Unmarshal(plain, into) == nil
}
