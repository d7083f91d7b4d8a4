package catalog

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"
)

const secret = "sk-hunter2"

func TestCredentialNeverShowsItself(t *testing.T) {
	credential := NewCredential(secret)
	provider := Provider{Slug: "alpha", Credential: credential}
	// fmt cannot ask unexported fields how they want to be printed.
	hidden := struct{ credential Credential }{credential}

	var log bytes.Buffer
	for _, handler := range []slog.Handler{slog.NewTextHandler(&log, nil), slog.NewJSONHandler(&log, nil)} {
		slog.New(handler).Info("m", "credential", credential, "provider", provider, "hidden", hidden)
	}
	marshalled, err := json.Marshal(provider)
	if err != nil {
		t.Fatal(err)
	}
	shown := log.String() + string(marshalled)
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
		for _, value := range []any{credential, &credential, provider, &provider, hidden, []Credential{credential}} {
			shown += fmt.Sprintf(verb, value)
		}
	}
	if strings.Contains(shown, secret) || strings.Contains(shown, fmt.Sprintf("%x", secret)) {
		t.Errorf("the key is in %s", shown)
	}
}

func TestCredential(t *testing.T) {
	credential := NewCredential(secret)
	if key, ok := credential.Reveal(); !ok || key != secret || credential.String() != "redacted" {
		t.Errorf("%q, %t, printed as %q", key, ok, credential)
	}
	for _, none := range []Credential{{}, NewCredential("")} {
		if key, ok := none.Reveal(); ok || none.String() != "none" {
			t.Errorf("%q, %t, printed as %q", key, ok, none)
		}
	}
}
