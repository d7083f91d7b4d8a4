package signing

import (
	"context"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/netip"
	"net/url"
	"strings"

	"cloud.google.com/go/auth"
	"cloud.google.com/go/auth/credentials"
	"github.com/go-json-experiment/json"
)

// GoogleAccounts makes the signers of Google Cloud's APIs: requests carry an OAuth
// token of the scope cloud-platform. The zero value is ready, and safe for concurrent
// use.
type GoogleAccounts struct {
	signers inUse[[sha256.Size]byte, bearer] // by their credential's hash
}

// Signer returns a signer for the JSON key of a service account, or with "" for
// Application Default Credentials (GOOGLE_APPLICATION_CREDENTIALS, gcloud's own file,
// the metadata server). For the same credential it is the same signer as long as it
// is in use, so that configurations that are read again fetch no token. It does not
// touch the network. Errors name the member at fault and quote nothing.
func (g *GoogleAccounts) Signer(credential string) (Signer, error) {
	fetch := defaultToken
	if credential != "" {
		account, err := readServiceAccount(credential)
		if err != nil {
			return nil, err
		}
		fetch = account.token
	}
	return g.signers.get(sha256.Sum256([]byte(credential)), func() *bearer { return &bearer{fetch: fetch} }), nil
}

const (
	cloudPlatform  = "https://www.googleapis.com/auth/cloud-platform"
	googleTokenURI = "https://oauth2.googleapis.com/token"
)

// tokenClient asks token endpoints. What proves who asks goes to no one that an
// endpoint points to.
var tokenClient = &http.Client{
	Timeout:       longestFetch,
	CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
}

// The library logs tokens if an environment variable says so.
var silent = slog.New(slog.DiscardHandler)

// serviceAccount is what a JSON key says, as far as it matters.
type serviceAccount struct {
	Type         string `json:"type"`
	ClientEmail  string `json:"client_email"`
	PrivateKeyID string `json:"private_key_id"`
	PrivateKey   string `json:"private_key"`
	TokenURI     string `json:"token_uri"`
}

var errNoServiceAccount = errors.New("must be the JSON key of a service account: the text of the file that Google Cloud made, not its name")

func readServiceAccount(text string) (*serviceAccount, error) {
	var account serviceAccount
	if json.Unmarshal([]byte(text), &account) != nil {
		return nil, errNoServiceAccount // the library's words quote the text
	}
	if account.Type != "service_account" {
		return nil, fmt.Errorf(`type: %w; for other kinds, set GOOGLE_APPLICATION_CREDENTIALS and give no credential`, errNoServiceAccount)
	}
	if account.ClientEmail == "" {
		return nil, errors.New("client_email: is missing in the JSON key")
	}
	if err := checkPrivateKey(account.PrivateKey); err != nil {
		return nil, fmt.Errorf("private_key: %w", err)
	}
	if account.TokenURI == "" {
		account.TokenURI = googleTokenURI
	}
	if err := checkTokenURI(account.TokenURI); err != nil {
		return nil, fmt.Errorf("token_uri: %w", err)
	}
	return &account, nil
}

func checkPrivateKey(text string) error {
	block, _ := pem.Decode([]byte(text))
	if block == nil {
		return errors.New("holds no key in PEM")
	}
	key, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		key, err = x509.ParsePKCS1PrivateKey(block.Bytes)
	}
	if _, isRSA := key.(*rsa.PrivateKey); err != nil || !isRSA {
		return errors.New("holds no RSA key")
	}
	return nil
}

// checkTokenURI demands TLS, except where the traffic stays on this machine.
func checkTokenURI(text string) error {
	location, err := url.Parse(text)
	if err != nil || location.Host == "" || location.User != nil {
		return errors.New("must be an https URL without a user")
	}
	address, err := netip.ParseAddr(location.Hostname())
	if location.Scheme == "https" || location.Scheme == "http" && err == nil && address.IsLoopback() {
		return nil
	}
	return errors.New("must be an https URL: who reads what is sent there can use the account")
}

// token trades a signed assertion for a token (RFC 7523, section 2.1).
func (s *serviceAccount) token(ctx context.Context) (fetched, error) {
	provider, err := auth.New2LOTokenProvider(&auth.Options2LO{
		Email: s.ClientEmail, PrivateKey: []byte(s.PrivateKey), PrivateKeyID: s.PrivateKeyID,
		Scopes: []string{cloudPlatform}, TokenURL: s.TokenURI, Client: tokenClient, Logger: silent,
	})
	if err != nil {
		return fetched{}, tokenError(err)
	}
	return tokenOf(ctx, provider)
}

// defaultToken looks for the credentials anew each time: files change.
func defaultToken(ctx context.Context) (fetched, error) {
	found, err := credentials.DetectDefault(&credentials.DetectOptions{
		Scopes: []string{cloudPlatform}, Client: tokenClient, Logger: silent, DisableAsyncRefresh: true,
	})
	if err != nil {
		return fetched{}, tokenError(err)
	}
	return tokenOf(ctx, found)
}

func tokenOf(ctx context.Context, provider auth.TokenProvider) (fetched, error) {
	got, err := provider.Token(ctx)
	if err != nil {
		return fetched{}, tokenError(err)
	}
	return fetched{text: got.Value, expires: got.Expiry}, nil
}

// tokenError leaves out the endpoint's body, which may say anything, but for the code
// that OAuth defines (RFC 6749, section 5.2).
func tokenError(err error) error {
	var refused *auth.Error
	if !errors.As(err, &refused) || refused.Response == nil {
		const longest = 500
		text := err.Error()
		return errors.New("Google's token: " + strings.ToValidUTF8(text[:min(len(text), longest)], ""))
	}
	var said struct {
		Error string `json:"error"`
	}
	code := ""
	if json.Unmarshal(refused.Body, &said) == nil && isErrorCode(said.Error) {
		code = " (" + said.Error + ")"
	}
	return fmt.Errorf("Google's token: the endpoint answered %d%s", refused.Response.StatusCode, code)
}

func isErrorCode(text string) bool {
	return text != "" && len(text) <= 64 && strings.Trim(text, "abcdefghijklmnopqrstuvwxyz_") == ""
}
