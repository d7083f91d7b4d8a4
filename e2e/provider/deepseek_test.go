package provider

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// What OpenAI takes and DeepSeek does not, with its own words for it.
func TestDeepSeekRefusesWhatIsOpenAIsAlone(t *testing.T) {
	const user = `{"role":"user","content":"hi"}`
	for body, want := range map[string]string{
		`"max_completion_tokens":9,"messages":[` + user + `]`:                         "unknown field `max_completion_tokens`",
		`"reasoning_effort":"minimal","messages":[` + user + `]`:                      "reasoning_effort: unknown variant `minimal`, expected",
		`"messages":[{"role":"developer","content":"x"}]`:                             "messages[0].role: unknown variant `developer`, expected",
		`"messages":[{"role":"user","content":[{"type":"text","text":"x"}]}]`:         "messages[0].content: invalid type or value: an array",
		`"messages":[` + user + `,{"role":"assistant","content":"x","reasoning":""}]`: "unknown field `messages[1].reasoning`",
		`"thinking":{"type":"enabled"},"max_tokens":9,"messages":[` + user + `]`:      "",
	} {
		response := httptest.NewRecorder()
		call := httptest.NewRequest(http.MethodPost, "/v1/chat/completions", strings.NewReader(`{"model":"deepseek-v4-pro",`+body+`}`))
		call.Header.Set("Authorization", "Bearer key")
		call.Header.Set("Content-Type", "application/json")
		DeepSeek(Config{Key: "key"}).ServeHTTP(response, call)
		if got := response.Body.String(); want == "" && response.Code != http.StatusOK || want != "" && (response.Code != http.StatusBadRequest || !strings.Contains(got, want)) {
			t.Errorf("%s: %d %s, want %q", body, response.Code, got, want)
		}
	}
}
