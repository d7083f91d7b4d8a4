package api

import (
	"fmt"
	"io"
	"net/http"
	"strings"
)

const (
	countTokensPath = "/messages/count_tokens"
	// maxPrompt bounds what is counted: a conversation is longer than any other
	// request to the API.
	maxPrompt = 32 << 20
)

// countTokens is row 143: how many tokens a request of the Messages API is. It is an
// estimate, since the tokenizers of most models are not public.
func (s *server) countTokens(w http.ResponseWriter, r *http.Request) {
	if _, err := s.caller(r); err != nil {
		refuse(w, http.StatusUnauthorized, "authentication", err.Error())
		return
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		refuse(w, http.StatusRequestEntityTooLarge, "payload_too_large", fmt.Sprintf("The request body is larger than %d bytes, or did not arrive whole.", maxPrompt))
		return
	}
	tokens, err := s.CountTokens(body)
	if err != nil {
		refuse(w, http.StatusBadRequest, "invalid_request", err.Error())
		return
	}
	reply(w, http.StatusOK, struct {
		InputTokens int64 `json:"input_tokens"`
	}{tokens})
}

// largest is the most bytes that a request may have.
func largest(r *http.Request) int64 {
	if strings.HasSuffix(r.URL.Path, countTokensPath) {
		return maxPrompt
	}
	return maxBody
}
