package signing_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/switchyard/switchyard/e2e/provider"
	"github.com/switchyard/switchyard/extproc/signing"
)

func endpoint(t *testing.T) *provider.GoogleTokens {
	t.Helper()
	tokens, err := provider.NewGoogleTokens(time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(tokens.Close)
	return tokens
}

// authorization signs a request.
func authorization(t *testing.T, signer signing.Signer) (string, error) {
	t.Helper()
	headers, err := signer.Sign(t.Context(), signing.Request{})
	if err != nil {
		return "", err
	}
	return headers[0].Value, nil
}

// The endpoint verifies the assertion, down to its signature.
func TestServiceAccountGetsAToken(t *testing.T) {
	tokens := endpoint(t)
	signer, err := new(signing.GoogleAccounts).Signer(tokens.Key())
	if err != nil {
		t.Fatal(err)
	}
	got, err := authorization(t, signer)
	if err != nil || !strings.HasPrefix(got, "Bearer ya29.") {
		t.Errorf("%q, %v; the endpoint refused %q", got, err, tokens.Violations())
	}
}

func TestSameCredentialHasTheSameSigner(t *testing.T) {
	var accounts signing.GoogleAccounts
	one, other := endpoint(t), endpoint(t)
	first, err := accounts.Signer(one.Key())
	if err != nil {
		t.Fatal(err)
	}
	if second, _ := accounts.Signer(other.Key()); second == first {
		t.Error("two accounts share a signer")
	}
	if _, err := authorization(t, first); err != nil {
		t.Fatal(err)
	}
	for range 3 { // configurations that are read again
		again, err := accounts.Signer(one.Key())
		if err != nil || again != first {
			t.Fatalf("another signer: %v", err)
		}
		if _, err := authorization(t, again); err != nil {
			t.Error(err)
		}
	}
	if asked := len(one.Asked()); asked != 1 {
		t.Errorf("%d tokens were fetched", asked)
	}
	runtime.KeepAlive(first)
}

func TestSignerThatNobodyUsesGoes(t *testing.T) {
	var accounts signing.GoogleAccounts
	tokens := endpoint(t)
	for range 2 {
		signer, err := accounts.Signer(tokens.Key())
		if err != nil {
			t.Fatal(err)
		}
		if _, err := authorization(t, signer); err != nil {
			t.Error(err)
		}
		signer = nil
		runtime.GC()
	}
	if asked := len(tokens.Asked()); asked != 2 {
		t.Errorf("%d tokens were fetched", asked)
	}
}

// with changes members of a JSON key; nil takes one out.
func with(t *testing.T, key string, change map[string]any) string {
	t.Helper()
	var members map[string]any
	if err := json.Unmarshal([]byte(key), &members); err != nil {
		t.Fatal(err)
	}
	for name, value := range change {
		if members[name] = value; value == nil {
			delete(members, name)
		}
	}
	text, err := json.Marshal(members)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func TestBrokenKeysAreRefusedWithoutBeingShown(t *testing.T) {
	key := endpoint(t).Key()
	const hidden = "s3cr3t"
	for name, test := range map[string]struct{ key, want string }{
		"no JSON":          {hidden, "must be the JSON key of a service account"},
		"cut":              {key[:len(key)/2], "must be the JSON key of a service account"},
		"a list":           {`["` + hidden + `"]`, "must be the JSON key of a service account"},
		"a wrong type":     {with(t, key, map[string]any{"client_email": 7}), "must be the JSON key of a service account"},
		"a user's":         {with(t, key, map[string]any{"type": "authorized_user"}), "type:"},
		"no email":         {with(t, key, map[string]any{"client_email": nil}), "client_email:"},
		"no private key":   {with(t, key, map[string]any{"private_key": nil}), "private_key:"},
		"a broken key":     {with(t, key, map[string]any{"private_key": "-----BEGIN PRIVATE KEY-----\n" + hidden + "\n-----END PRIVATE KEY-----\n"}), "private_key:"},
		"clear text":       {with(t, key, map[string]any{"token_uri": "http://oauth2." + hidden + ".com/token"}), "token_uri:"},
		"a local name":     {with(t, key, map[string]any{"token_uri": "http://localhost.evil/token"}), "token_uri:"},
		"no URL":           {with(t, key, map[string]any{"token_uri": hidden}), "token_uri:"},
		"a user in a URL":  {with(t, key, map[string]any{"token_uri": "https://" + hidden + "@oauth2.googleapis.com/token"}), "token_uri:"},
		"another protocol": {with(t, key, map[string]any{"token_uri": "file:///" + hidden}), "token_uri:"},
	} {
		_, err := new(signing.GoogleAccounts).Signer(test.key)
		if err == nil || !strings.Contains(err.Error(), test.want) || strings.Contains(err.Error(), hidden) || strings.Contains(err.Error(), "MII") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestWhatTheEndpointSaysIsNotRepeated(t *testing.T) {
	const hidden = "s3cr3t"
	for name, test := range map[string]struct {
		outage http.HandlerFunc
		want   string
	}{
		"a code": {func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(http.StatusBadRequest)
			_, _ = w.Write([]byte(`{"error":"invalid_grant","error_description":"` + hidden + `"}`))
		}, "400 (invalid_grant)"},
		"a page": {func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(http.StatusBadGateway)
			_, _ = w.Write([]byte("<html>" + hidden))
		}, "502"},
		"a strange code": {func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(http.StatusUnauthorized)
			_, _ = w.Write([]byte(`{"error":"` + strings.ToUpper(hidden) + `"}`))
		}, "401"},
		"a redirect": {func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "https://elsewhere.example/"+hidden, http.StatusTemporaryRedirect)
		}, "307"},
		"nonsense": {func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("{")) }, "token"},
		"no token": {func(w http.ResponseWriter, _ *http.Request) {
			_, _ = w.Write([]byte(`{"expires_in":3600,"token_type":"Bearer"}`))
		}, "empty"},
		"no lifetime": {func(w http.ResponseWriter, _ *http.Request) {
			_, _ = w.Write([]byte(`{"access_token":"` + hidden + `","token_type":"Bearer"}`))
		}, "expired"},
	} {
		tokens := endpoint(t)
		tokens.Outage(test.outage)
		signer, err := new(signing.GoogleAccounts).Signer(tokens.Key())
		if err != nil {
			t.Fatal(err)
		}
		_, err = authorization(t, signer)
		if err == nil || !strings.Contains(err.Error(), test.want) || strings.Contains(strings.ToLower(err.Error()), hidden) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestDefaultCredentialsOfAFile(t *testing.T) {
	tokens := endpoint(t)
	file := filepath.Join(t.TempDir(), "key.json")
	if err := os.WriteFile(file, []byte(tokens.Key()), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("GOOGLE_APPLICATION_CREDENTIALS", file)
	signer, err := new(signing.GoogleAccounts).Signer("")
	if err != nil {
		t.Fatal(err)
	}
	if got, err := authorization(t, signer); err != nil || !strings.HasPrefix(got, "Bearer ya29.") {
		t.Errorf("%q, %v; the endpoint refused %q", got, err, tokens.Violations())
	}
}

func TestDefaultCredentialsOfTheMetadataServer(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Metadata-Flavor", "Google")
		if r.Header.Get("Metadata-Flavor") != "Google" || !strings.HasSuffix(r.URL.Path, "/instance/service-accounts/default/token") {
			w.WriteHeader(http.StatusNotFound)
			return
		}
		_, _ = w.Write([]byte(`{"access_token":"ya29.of-the-machine","expires_in":3599,"token_type":"Bearer"}`))
	}))
	defer server.Close()
	t.Setenv("GOOGLE_APPLICATION_CREDENTIALS", "")
	t.Setenv("HOME", t.TempDir())
	t.Setenv("GCE_METADATA_HOST", strings.TrimPrefix(server.URL, "http://"))
	signer, err := new(signing.GoogleAccounts).Signer("")
	if err != nil {
		t.Fatal(err)
	}
	if got, err := authorization(t, signer); err != nil || got != "Bearer ya29.of-the-machine" {
		t.Errorf("%q, %v", got, err)
	}
}
