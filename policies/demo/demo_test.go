package demo

import (
	"io"
	"net/http"
	"strings"
	"testing"
)

func ask(t *testing.T, base, path, body string) (int, string) {
	t.Helper()
	response, err := http.Post(base+path, "application/json", strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, string(text)
}

func start(t *testing.T) *Servers {
	t.Helper()
	servers, err := Start(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(servers.Close)
	return servers
}

func TestEveryAnswerSaysThatItIsADemo(t *testing.T) {
	servers := start(t)
	for slug, path := range map[string]string{"demo-parrot": "/chat/completions", "demo-sage": "/messages"} {
		for _, stream := range []string{"false", "true"} {
			body := `{"model":"demo","max_tokens":100,"stream":` + stream + `,"messages":[{"role":"user","content":[{"type":"text","text":"hi"}]}]}`
			status, text := ask(t, servers.Config().GetProviders()[slug].GetBaseUrl(), path, body)
			if status != http.StatusOK || !strings.Contains(text, "demo") || !strings.Contains(text, "hi") {
				t.Errorf("%s, stream %s: %d %s", slug, stream, status, text)
			}
		}
	}
}

func TestUnreliableFailsEveryOtherRequest(t *testing.T) {
	base := start(t).Config().GetProviders()["demo-unreliable"].GetBaseUrl()
	body := `{"model":"demo","messages":[{"role":"user","content":"hi"}]}`
	for i, want := range []int{503, 200, 503, 200} {
		if status, _ := ask(t, base, "/chat/completions", body); status != want {
			t.Errorf("request %d: %d, want %d", i+1, status, want)
		}
	}
}

func TestMentionedToolIsCalled(t *testing.T) {
	servers := start(t)
	for slug, test := range map[string]struct{ path, tool, want string }{
		"demo-parrot": {"/chat/completions", `{"type":"function","function":{"name":"clock"}}`, `"finish_reason":"tool_calls"`},
		"demo-sage":   {"/messages", `{"name":"clock","input_schema":{}}`, `"stop_reason":"tool_use"`},
	} {
		body := `{"model":"demo","max_tokens":9,"tools":[` + test.tool + `],"messages":[{"role":"user","content":"use clock"}]}`
		_, text := ask(t, servers.Config().GetProviders()[slug].GetBaseUrl(), test.path, body)
		if !strings.Contains(text, test.want) || !strings.Contains(text, `"name":"clock"`) {
			t.Errorf("%s: %s", slug, text)
		}
	}
}
