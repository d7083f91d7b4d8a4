package e2e

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// debugChunk is what the first events of a stream have.
type debugChunk struct {
	Type, Object, Provider, Model string
	Choices                       []any
	Sequence                      *int `json:"sequence_number"`
	Debug                         *struct {
		Body map[string]any `json:"echo_upstream_body"`
	}
}

func debugChunks(t *testing.T, stream string) (echoes, others []debugChunk) {
	t.Helper()
	for line := range strings.Lines(stream) {
		data, found := strings.CutPrefix(strings.TrimSpace(line), "data: ")
		if !found || data == "[DONE]" {
			continue
		}
		var chunk debugChunk
		if err := json.Unmarshal([]byte(data), &chunk); err != nil {
			t.Fatalf("%v: %s", err, data)
		}
		if chunk.Debug == nil {
			others = append(others, chunk)
			continue
		}
		if len(others) > 0 {
			t.Errorf("an echo comes after what is none: %s", data)
		}
		echoes = append(echoes, chunk)
	}
	return echoes, others
}

// Row 115: a stream begins with what each provider was sent, and says nothing of keys.
func TestRow115EchoUpstreamBody(t *testing.T) {
	r := newRouting(t)
	claude := r.anthropic("claude")
	r.offer("m/both", r.a.endpoint("1", "1"), claude.endpoint("2", "2"))
	r.start()
	r.quiet(r.a)
	const echoing = `"debug":{"echo_upstream_body":true}`
	order := `"provider":{"order":["a","claude"]}`
	for path, body := range map[string]string{
		"/api/v1/chat/completions": "{\"model\":\"m/both\",\n \"messages\":[{\"role\":\"user\",\n\"content\":\"hi\"}],\"stream\":true," + order + "," + echoing + "}",
		"/api/v1/responses":        `{"model":"m/both","input":"hi","stream":true,` + order + `,` + echoing + `}`,
	} {
		got := r.do(http.MethodPost, path, body)
		if got.status != http.StatusOK {
			t.Fatalf("%s: status %d: %s", path, got.status, got.body)
		}
		echoes, others := debugChunks(t, got.body)
		if len(echoes) != 2 || len(others) == 0 {
			t.Fatalf("%s: %d echoes in %s", path, len(echoes), got.body)
		}
		for i, at := range []*site{r.a, claude} {
			echo := echoes[i]
			if diff := cmp.Diff(at.last(t).JSON, echo.Debug.Body); diff != "" {
				t.Errorf("%s: echo of %s (-sent +told):\n%s", path, at.slug, diff)
			}
			switch {
			case strings.HasSuffix(path, "responses"):
				if echo.Type != "response.debug" || echo.Sequence == nil || *echo.Sequence != i {
					t.Errorf("%s: echo %+v", path, echo)
				}
			case echo.Choices == nil || len(echo.Choices) != 0 || echo.Object != "chat.completion.chunk" || echo.Provider != at.slug || echo.Model != "m/both":
				t.Errorf("%s: echo %+v", path, echo)
			}
		}
		if strings.HasSuffix(path, "responses") && (others[0].Sequence == nil || *others[0].Sequence != 2) {
			t.Errorf("%s: the answer begins with %+v", path, others[0])
		}
		for _, secret := range append(r.secrets(), clientKey) {
			if strings.Contains(got.body, secret) {
				t.Errorf("%s: the echo has a secret", path)
			}
		}
	}
	for _, silent := range []string{
		question("m/x", echoing), streamed("m/x"), streamed("m/x", `"debug":{"echo_upstream_body":false}`), streamed("m/x", `"debug":{}`),
	} {
		if got := r.ask(silent); got.status != http.StatusOK || strings.Contains(got.body, "echo_upstream_body") {
			t.Errorf("%s: status %d: %s", silent, got.status, got.body)
		}
	}
	if got := r.ask(streamed("m/x", `"debug":{"echo_upstream_body":"yes"}`)); got.status != http.StatusBadRequest || !strings.Contains(got.body, "debug.echo_upstream_body") {
		t.Errorf("status %d: %s", got.status, got.body)
	}
}

// An echo is not what is held before the first token, however long it is.
func TestRow115EchoOfALongPrompt(t *testing.T) {
	r := newRouting(t)
	r.start()
	long := strings.Repeat("lorem ipsum ", 200_000)
	got := r.ask(strings.Replace(streamed("m/x", `"debug":{"echo_upstream_body":true}`), `"hi"`, `"`+long+`"`, 1))
	if echoes, others := debugChunks(t, got.body); got.status != http.StatusOK || len(echoes) != 1 || len(others) == 0 {
		t.Errorf("status %d: %d echoes, %d others", got.status, len(echoes), len(others))
	}
}

// Row 115: SDKs, some of which look at every chunk's first choice, get through an echo.
func TestRow115Clients(t *testing.T) {
	s, gpt, claude := pair(t)
	s.start()
	eachClient(t, append(openRouterClients(t), openAIClients(t)...), s, gpt, claude, func(t *testing.T, client *sdk, s *stage, at *site, model string) {
		seen := client.callWith(t, s, "stream", model, settings{"debug": settings{"echo_upstream_body": true}})
		if seen.Error != nil || seen.Text != said || seen.Finish != "stop" {
			t.Errorf("text %q, finish %q, error %+v", seen.Text, seen.Finish, seen.Error)
		}
		if _, sent := at.last(t).JSON["debug"]; sent {
			t.Error("the provider gets debug")
		}
	})
}
