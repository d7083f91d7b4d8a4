package api

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/switchyard/switchyard/policies/identity"
	keystore "github.com/switchyard/switchyard/policies/identity/store"
)

// routeCodes adds the exchange of a code for a key under a base path (PKCE, RFC 7636;
// spec section 1.4). The gateway has no page on which people allow an application to
// have a key: what has one makes the code with a management key.
func (s *server) routeCodes(mux *http.ServeMux, base string) {
	mux.HandleFunc("POST "+base+"/auth/keys", s.exchangeCode)
	mux.HandleFunc("POST "+base+"/auth/keys/code", s.managing(identity.WriteKeys, s.createCode))
}

// The methods of challenges.
const (
	methodS256  = "S256"
	methodPlain = "plain"
)

func (s *server) createCode(w http.ResponseWriter, r *http.Request, by *identity.Key) error {
	var members struct {
		Callback  string         `json:"callback_url"`
		Challenge string         `json:"code_challenge"`
		Method    string         `json:"code_challenge_method"`
		Limit     jsontext.Value `json:"limit"`
		Reset     jsontext.Value `json:"usage_limit_type"`
		ExpiresAt jsontext.Value `json:"expires_at"`
		Label     *string        `json:"key_label"`
		Workspace *string        `json:"workspace_id"`
	}
	if err := readBody(r, &members); err != nil {
		return err
	}
	if !mayCallBack(members.Callback) {
		return badRequest("callback_url must be an https URL, or an http one of localhost or 127.0.0.1.")
	}
	challenge := keystore.Challenge{Text: members.Challenge, Method: members.Method}
	switch {
	case challenge.Text == "" && challenge.Method != "":
		return badRequest("code_challenge_method has no effect without code_challenge.")
	case challenge.Text != "" && challenge.Method == "":
		challenge.Method = methodPlain // RFC 7636, section 4.3
	case challenge.Text != "" && challenge.Method != methodS256 && challenge.Method != methodPlain:
		return badRequest("code_challenge_method must be %s or %s.", methodS256, methodPlain)
	}
	// Headers may be in Latin-1.
	terms := keystore.Key{Creator: by.Creator, Name: strings.ToValidUTF8(r.Header.Get("X-OpenRouter-Title"), "\uFFFD")}
	if terms.Name == "" || len(terms.Name) > maxName {
		terms.Name = "by code"
	}
	wanted := keyMembers{Name: members.Label, Limit: members.Limit, LimitReset: members.Reset, ExpiresAt: members.ExpiresAt, WorkspaceID: members.Workspace}
	if err := wanted.apply(&terms, time.Now()); err != nil {
		return err
	}
	code, created, err := s.Identity.Store.CreateCode(r.Context(), actor(by), terms, challenge)
	if err != nil {
		return err
	}
	type made struct {
		ID      string    `json:"id"`
		AppID   int       `json:"app_id"` // the gateway knows no applications
		Created time.Time `json:"created_at"`
	}
	reply(w, http.StatusOK, data[made]{made{ID: code, Created: created}})
	return nil
}

// mayCallBack reports whether a code may be sent to a URL: not to just anyone on the way.
func mayCallBack(text string) bool {
	callback, err := url.Parse(text)
	if err != nil || callback.Host == "" {
		return false
	}
	return callback.Scheme == "https" || callback.Scheme == "http" && (callback.Hostname() == "localhost" || callback.Hostname() == "127.0.0.1")
}

// exchangeCode is row 172. It takes no key: the code is one.
func (s *server) exchangeCode(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Cache-Control", "no-store")
	var members struct {
		Code     string  `json:"code"`
		Verifier string  `json:"code_verifier"`
		Method   *string `json:"code_challenge_method"`
	}
	err := readBody(r, &members)
	if err == nil && members.Code == "" {
		err = missing("code")
	}
	if err == nil && members.Method != nil && *members.Method != methodS256 && *members.Method != methodPlain {
		err = badRequest("code_challenge_method must be %s or %s.", methodS256, methodPlain)
	}
	if err != nil {
		s.refuseChange(w, err)
		return
	}
	plaintext, _ := identity.NewKey()
	key, err := s.Identity.Store.ExchangeCode(r.Context(), members.Code, plaintext, s.configured, func(challenge keystore.Challenge) error {
		if members.Method != nil && *members.Method != challenge.Method {
			return badRequest("code_challenge_method is not the one that the code was made with.")
		}
		if !meets(challenge, members.Verifier) {
			return forbidden("Invalid code_verifier.")
		}
		return nil
	})
	if errors.Is(err, keystore.ErrNone) {
		err = forbidden("Invalid or expired code.")
	}
	if err != nil {
		s.refuseChange(w, err)
		return
	}
	s.refresh(r)
	reply(w, http.StatusOK, struct {
		Key    string  `json:"key"`
		UserID *string `json:"user_id"`
	}{plaintext, stated(key.Creator)})
}

// configured reports whether a hash is that of a management key of the configuration that
// is good now.
func (s *server) configured(hash string) bool {
	key, ok := s.Keys().ByHash(hash)
	return ok && key.Operator && !key.Disabled && (key.ExpiresAt.IsZero() || time.Now().Before(key.ExpiresAt))
}

func meets(challenge keystore.Challenge, verifier string) bool {
	if challenge.Method == methodS256 {
		sum := sha256.Sum256([]byte(verifier))
		verifier = base64.RawURLEncoding.EncodeToString(sum[:])
	}
	return subtle.ConstantTimeCompare([]byte(challenge.Text), []byte(verifier)) == 1
}
