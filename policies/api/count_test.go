package api

import (
	"errors"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/switchyard/switchyard/policies/config/configpb"
)

func TestRow143CountTokens(t *testing.T) {
	options := gateway(t)
	options.CountTokens = func(body []byte) (int64, error) {
		if len(body) == 0 {
			return 0, errors.New("The request body is empty.")
		}
		return int64(len(body)), nil
	}
	handler := New(options)
	for _, test := range []struct {
		name, path, body, want string
		status                 int
	}{
		{"counted", "/api/v1/messages/count_tokens", "12345", `{"input_tokens":5}`, 200},
		{"for SDKs with the host as base", "/v1/messages/count_tokens?beta=true", "12", `{"input_tokens":2}`, 200},
		{"larger than other requests", "/v1/messages/count_tokens", strings.Repeat(" ", maxBody+1), `{"input_tokens":1048577}`, 200},
		{"refused", "/v1/messages/count_tokens", "", `{"type":"error","error":{"type":"invalid_request_error","message":"The request body is empty."},"request_id":null}`, 400},
		{"too large", "/v1/messages/count_tokens", strings.Repeat(" ", maxPrompt+1), `"type":"request_too_large","message":"The request body is larger than 33554432 bytes`, 413},
	} {
		t.Run(test.name, func(t *testing.T) {
			answer := httptest.NewRecorder()
			handler.ServeHTTP(answer, httptest.NewRequest("POST", test.path, strings.NewReader(test.body)))
			if answer.Code != test.status || !strings.Contains(answer.Body.String(), test.want) {
				t.Errorf("%d %s, want %d and %s", answer.Code, answer.Body, test.status, test.want)
			}
		})
	}
	closed := withKey(t, &configpb.Key{Name: "k"})
	closed.CountTokens = options.CountTokens
	answer := ask(closed, "POST", "/v1/messages/count_tokens", "X-Api-Key", "bad")
	if answer.Code != 401 || !strings.HasPrefix(answer.Body.String(), `{"type":"error","error":{"type":"authentication_error","message":"`) {
		t.Errorf("a stranger: %d %s", answer.Code, answer.Body)
	}
}
