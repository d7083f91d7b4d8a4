package api

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"

	"github.com/switchyard/switchyard/policies/identity"
)

const (
	countTokensPath = "/messages/count_tokens"
	// maxPrompt bounds what is counted: a conversation is longer than any other
	// request to the API.
	maxPrompt = 32 << 20
)

// countTokens is row 143: how many tokens a request of the Messages API is. It is an
// estimate, since the tokenizers of most models are not public and images are not in it. Errors have the API's
// own form, which its SDKs read (row 140).
func (s *server) countTokens(w http.ResponseWriter, r *http.Request) {
	if _, err := s.caller(r); err != nil {
		var refused *identity.Error
		if errors.As(err, &refused) && refused.Temporary() {
			refuseMessage(w, http.StatusServiceUnavailable, "api_error", err.Error())
			return
		}
		refuseMessage(w, http.StatusUnauthorized, "authentication_error", err.Error())
		return
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		refuseMessage(w, http.StatusRequestEntityTooLarge, "request_too_large", fmt.Sprintf("The request body is larger than %d bytes, or did not arrive whole.", maxPrompt))
		return
	}
	tokens, err := s.CountTokens(body)
	if err != nil {
		refuseMessage(w, http.StatusBadRequest, "invalid_request_error", err.Error())
		return
	}
	reply(w, http.StatusOK, struct {
		InputTokens int64 `json:"input_tokens"`
	}{tokens})
}

// refuseMessage answers with an error of the Messages API. No generation has an id yet.
func refuseMessage(w http.ResponseWriter, status int, kind, message string) {
	type failure struct {
		Type    string `json:"type"`
		Message string `json:"message"`
	}
	reply(w, status, struct {
		Type      string  `json:"type"`
		Error     failure `json:"error"`
		RequestID *string `json:"request_id"`
	}{"error", failure{kind, message}, nil})
}

// largest is the most bytes that a request may have.
func largest(r *http.Request) int64 {
	if countsTokens(r) {
		return maxPrompt
	}
	return maxBody
}

func countsTokens(r *http.Request) bool { return strings.HasSuffix(r.URL.Path, countTokensPath) }
